"""A plain cocotb test that drives the replay's stimulus in every cycle, for :mod:`sim.bench.rate`; it asserts only that all went well."""

import json
import os
import pickle
import time
from collections import deque

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from host.card.registers import COUNTERS, RECORD_BYTES, REGISTERS, RING_OFFSET
from hw.config import CARDS
from hw.host_interface.bus import READ_LATENCY
from hw.types import FrameWord
from sim.bench.build import BUILD
from sim.bench.layouts import codec_of
from sim.bench.rate import group
from sim.bench.testbench import CARD, PERIOD_PS, record_result

RECORD_WORDS = RECORD_BYTES // 4
REACTION = 60
"""Cycles after a frame's end by which its last event has left the commit buffer, if it is the only one, and is in the ring."""


class Bus:
    """One access a cycle."""

    def __init__(self, dut):
        self.dut, self.edge = dut, RisingEdge(dut.clk)

    async def write(self, name, value, *index):
        register = REGISTERS[name]
        for number in range(2 if register.bits > 32 else 1):
            self.dut.bus__address.value = register.address(*index) + 4 * number
            self.dut.bus__write_data.value = value >> 32 * number & 0xFFFF_FFFF
            self.dut.bus__write.value = 1
            await self.edge
        self.dut.bus__write.value = 0

    async def read(self, address, count=1):
        """Words from an address on, one asked for in each cycle."""
        words = []
        self.dut.bus__read.value = 1
        for cycle in range(count + READ_LATENCY):
            if cycle < count:
                self.dut.bus__address.value = address + 4 * cycle
            elif cycle == count:
                self.dut.bus__read.value = 0
            await self.edge
            if cycle >= READ_LATENCY:
                words.append(int(self.dut.bus__read_data.value))
        return words

    async def counter(self, name, venue=0):
        counter = COUNTERS[name]
        low, high = await self.read(counter.offset + venue * counter.venue_stride, 2)
        return low | high << 32


class Line:
    """A feed port, one word in each cycle while a frame fits."""

    def __init__(self, dut, venue, frames, limit):
        codec = codec_of(FrameWord)
        self.frames = deque(([
            codec.pack({"data": int.from_bytes(frame[at:at + 8], "little"), "count": len(frame[at:at + 8]), "last": at + 8 >= len(frame)})
            for at in range(0, len(frame), 8)
        ], weight) for frame, weight in frames)
        self.valid, self.payload = getattr(dut, f"feed__{venue}__valid"), getattr(dut, f"feed__{venue}__payload")
        self.backlog, self.limit = getattr(dut, f"backlog__{venue}"), limit
        self.words, self.flying = deque(), deque()

    def under_way(self, cycle):
        """Event records that may still come of what was sent."""
        while self.flying and self.flying[0][0] < cycle:
            self.flying.popleft()
        return int(self.backlog.value) + sum(weight for _, weight in self.flying)

    def drive(self, cycle, room):
        """Puts the next word on the port; returns how many records a frame that begins may cause."""
        if not self.words and self.frames:
            words, weight = self.frames[0]
            if weight <= room and self.under_way(cycle) + weight <= self.limit:
                self.frames.popleft()
                self.words.extend(words)
                self.flying.append((cycle + len(words) + REACTION, weight))
                self.payload.value = self.words.popleft()
                self.valid.value = 1
                return weight
        if self.words:
            self.payload.value = self.words.popleft()
        else:
            self.valid.value = 0
        return 0


async def drain(bus, events, taken):
    """Takes what is in the event ring; ``taken`` counts, and says how many of the records that were possible are settled."""
    while True:
        sent, quiet = taken["sent"], not taken["under_way"]
        (index,) = await bus.read(REGISTERS["EVENT_WRITE_INDEX"].address())
        waiting = (index - taken["records"]) & 0xFFFF_FFFF
        if quiet and not waiting:
            taken["settled"] = sent  # not every message has a record
        while waiting:
            place = taken["records"] % events
            part = min(waiting, events - place)
            await bus.read(RING_OFFSET + RECORD_BYTES * place, part * RECORD_WORDS)
            taken["records"] += part
            waiting -= part
            taken["settled"] += part
            await bus.write("EVENT_READ_INDEX", taken["records"])
        taken["looks"] += 1


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def rate(dut):
    folder, config = BUILD / "rate", CARDS[os.environ[CARD]]
    stimulus = pickle.loads((folder / "stimulus.pickle").read_bytes())
    Clock(dut.clk, PERIOD_PS, unit="ps").start()
    bus = Bus(dut)
    for name in ("bus__read", "bus__write", "bus__address", "bus__write_data", *(f"feed__{v}__valid" for v in range(config.venues))):
        getattr(dut, name).value = 0
    dut.orders__ready.value, dut.rst.value = 1, 1
    for _ in range(4):
        await bus.edge
    dut.rst.value = 0
    for venue, (slots, _) in enumerate(stimulus["venues"]):
        ip, port = group(venue)
        for name, value in (("FEED_IP", ip), ("FEED_PORT", port), ("FEED_SEQUENCE", 1)):
            await bus.write(name, value, venue)
        for locate, slot in slots.items():
            await bus.write("BINDING", 1 << 31 | locate, venue, slot)
    await bus.write("RESYNC", (1 << len(stimulus["venues"])) - 1)
    while (await bus.read(REGISTERS["STATE"].address()))[0] >> 16 & 0xFF:
        pass

    lines = [Line(dut, venue, frames, config.backlog) for venue, (_, frames) in enumerate(stimulus["venues"])]
    taken = {"records": 0, "looks": 0, "sent": 0, "settled": 0, "under_way": 0}
    begin, cycles, looks = time.perf_counter(), 0, 0
    draining = cocotb.start_soon(drain(bus, config.events, taken))
    while taken["looks"] < looks + 4:
        await bus.edge
        cycles += 1
        taken["under_way"] = sum(line.under_way(cycles) for line in lines)
        if taken["under_way"] or any(line.frames for line in lines):
            looks = taken["looks"]
        for line in lines:
            taken["sent"] += line.drive(cycles, config.events - 2 - taken["sent"] + taken["settled"])
    seconds = time.perf_counter() - begin
    draining.cancel()
    dut.bus__read.value = dut.bus__write.value = 0
    await bus.edge
    lost = await bus.counter("EVENTS_LOST")
    seen = 0
    for venue in range(len(lines)):
        seen += await bus.counter("MESSAGES", venue)
        assert await bus.counter("DROP_OVERFLOW", venue) == 0
    assert lost == 0, f"{lost} event records were lost"
    assert seen == stimulus["messages"], f"the card saw {seen} messages of {stimulus['messages']}"
    (folder / "rate.json").write_text(json.dumps({
        "card": config.name, "messages": seen, "records": taken["records"], "cycles": cycles, "seconds": round(seconds, 3),
        "messages_per_second": round(seen / seconds), "cycles_per_second": round(cycles / seconds),
    }) + "\n", encoding="utf-8")
    record_result("rate", seen, cycles)

"""Narrow forms of the card's ports: bytes and bits in, what was sent comes out."""

import random

import pytest
from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from bitstreams.pins import FrameFromBytes, FrameToBytes, SerialBus
from hw.host_interface.bus import READ_LATENCY
from tests.bitstreams.stub_card import StubCard
from tests.hw.bench import simulate


class Loop(wiring.Component):
    """Bytes to words to bytes. The bytes of the last words of short frames leave later than their words come: a queue between."""

    data: In(8)
    valid: In(1)
    last: In(1)
    error: In(1)
    out_data: Out(8)
    out_valid: Out(1)
    out_last: Out(1)
    out_error: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.receive = receive = FrameFromBytes()
        m.submodules.transmit = transmit = FrameToBytes()
        m.submodules.queue = queue = SyncFIFOBuffered(width=len(Value.cast(receive.frames.p)), depth=16)
        m.d.comb += [
            receive.data.eq(self.data), receive.valid.eq(self.valid), receive.last.eq(self.last), receive.error.eq(self.error),
            queue.w_data.eq(receive.frames.p), queue.w_en.eq(receive.frames.valid),
            transmit.frames.p.eq(queue.r_data), transmit.frames.valid.eq(queue.r_rdy), queue.r_en.eq(transmit.frames.ready),
            self.out_data.eq(transmit.data), self.out_valid.eq(transmit.valid),
            self.out_last.eq(transmit.last), self.out_error.eq(transmit.error),
        ]
        return m


@pytest.mark.parametrize("pauses", [0.0, 0.5])
def test_frames_survive_bytes_and_words(pauses):
    rng = random.Random(7)
    frames = [([rng.randrange(256) for _ in range(length)], rng.random() < 0.3) for length in [*range(1, 40), 60, 64, 1514]]
    dut, seen = Loop(), []

    async def send(ctx):
        for frame, error in frames:
            for index, byte in enumerate(frame):
                while rng.random() < pauses:
                    await ctx.tick()
                last = index == len(frame) - 1
                ctx.set(dut.data, byte)
                ctx.set(dut.valid, 1)
                ctx.set(dut.last, last)
                ctx.set(dut.error, last and error)
                await ctx.tick()
                ctx.set(dut.valid, 0)

    async def receive(ctx):
        frame = []
        async for _clock, _reset, data, valid, last, error in ctx.tick().sample(dut.out_data, dut.out_valid, dut.out_last, dut.out_error):
            if valid:
                frame.append(data)
            if valid and last:
                seen.append((frame, bool(error)))
                frame = []
            if len(seen) == len(frames):
                return

    simulate(dut, send, receive)
    assert seen == frames


def test_word_latency_and_count():
    dut = FrameFromBytes()

    async def testbench(ctx):
        for count in range(1, 9):
            ctx.set(dut.valid, 1)
            for index in range(count):
                ctx.set(dut.data, 0x10 + index)
                ctx.set(dut.last, index == count - 1)
                assert not ctx.get(dut.frames.valid) or index == 0
                await ctx.tick()
            assert ctx.get(dut.frames.valid)
            assert ctx.get(dut.frames.p.count) == count
            assert ctx.get(dut.frames.p.last)
            assert ctx.get(dut.frames.p.data) & ((1 << 8 * count) - 1) == int.from_bytes(range(0x10, 0x10 + count), "little")

    simulate(dut, testbench)


class BusLoop(wiring.Component):
    """The serial bus with a card behind it."""

    receive: In(1)
    transmit: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.serial = serial = SerialBus()
        m.submodules.card = card = StubCard()
        wiring.connect(m, serial.bus, card.bus)
        m.d.comb += [serial.receive.eq(self.receive), self.transmit.eq(serial.transmit)]
        return m


def test_serial_bus_writes_and_reads():
    rng = random.Random(3)
    dut = BusLoop()

    async def request(ctx, *, write, address, data=0):
        word = 1 | write << 1 | address << 2 | data << 22
        for bit in range(SerialBus.REQUEST):
            ctx.set(dut.receive, word >> bit & 1)
            await ctx.tick()
        ctx.set(dut.receive, 0)

    async def read(ctx):
        await request(ctx, write=0, address=0, data=rng.getrandbits(32))
        waited = 0
        while not ctx.get(dut.transmit):
            await ctx.tick()
            waited += 1
            assert waited <= READ_LATENCY + 1
        assert waited == READ_LATENCY + 1
        value = 0
        for bit in range(32):
            await ctx.tick()
            value |= ctx.get(dut.transmit) << bit
        await ctx.tick()
        assert ctx.get(dut.transmit) == 0
        return value

    async def testbench(ctx):
        for _ in range(10):
            address, data = rng.randrange(1 << 20), rng.getrandbits(32)
            await request(ctx, write=1, address=address, data=data)
            for _ in range(rng.randrange(5)):
                await ctx.tick()
            assert await read(ctx) == data ^ address

    simulate(dut, testbench)

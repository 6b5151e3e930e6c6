"""Framer and decoder together: every type of a protocol after every other, back to back in a packet, on every byte lane."""

import random
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.feed.protocols import PROTOCOLS
from hw.reasons import DropReason
from sim.golden import deep10, iex_tp, itch50, pitch
from sim.golden.moldudp64 import pack_packet
from sim.golden.pitch_unit import SHORTEST_DELIVERED, UNIT_CLEAR, pack_unit
from tests.hw.bench import simulate
from tests.hw.feed import test_deep10, test_itch50, test_pitch
from tests.hw.feed.told import PLAIN
from tests.hw.feed.words import IDLE, payload_words, put

LONGEST_PAYLOAD = 1_472


class Packing(NamedTuple):
    """How a protocol packs its messages, and what they mean."""

    lengths: dict
    """By type."""
    message: Callable
    """Of a type, by chance."""
    pack: Callable
    """A packet of a sequence number and messages."""
    header: int
    between: int
    """Bytes in front of each message."""
    filler: Callable
    """A message of a length and a type that nobody has."""
    meanings: Callable
    """Of a message, in order: (port, record, symbol or None) of each output that must tell something."""


def meanings_of_itch():
    return lambda body: [(port, record, None) for port, meaning in test_itch50.OUTPUTS.items() if (record := meaning(body)) is not None]


def meanings_of_pitch():
    model = pitch.PitchModel()

    def meanings(body):
        told = {} if body[1] == UNIT_CLEAR else test_pitch.meanings_of(model, body)
        return [(port, *meaning) for port, meaning in told.items() if meaning is not None]

    return meanings


def meanings_of_deep():
    return lambda body: [(port, *told) for port, meaning in test_deep10.OUTPUTS.items() if (told := meaning(body)) is not None]


PACKINGS = {
    "itch50": Packing(
        itch50.MESSAGE_LENGTHS, test_itch50.message, lambda sequence, messages: pack_packet(b"PAIRS     ", sequence, messages),
        20, 2, lambda length: b"z" * length, meanings_of_itch),
    "pitch": Packing(
        pitch.LENGTHS, test_pitch.random_message, lambda sequence, messages: pack_unit(1, sequence, messages),
        8, 0, lambda length: bytes([length, 0xE0]) + b"z" * (length - 2), meanings_of_pitch),
    "deep10": Packing(
        deep10.MESSAGE_LENGTHS, test_deep10.message, lambda sequence, messages: iex_tp.pack_segment(1, sequence, messages),
        40, 2, lambda length: b"z" * length, meanings_of_deep),
}  # fmt: skip


class FramerAndDecoder(wiring.Component):
    def __init__(self, protocol):
        self.framer, self.decoder = PROTOCOLS[protocol].framer(), PROTOCOLS[protocol].decoder()
        self.latency = self.framer.LATENCY + self.decoder.LATENCY
        self.ports = [port for port in PLAIN if hasattr(self.decoder, port)]
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules += [self.framer, self.decoder]
        connect(m, self.framer.words, self.decoder.words)
        if hasattr(self.framer, "second"):
            m.d.comb += [self.decoder.second.eq(self.framer.second), self.decoder.clear.eq(self.framer.clear)]
        return m

    def symbol(self, ctx):
        """Of what is told in this cycle, if the protocol calls symbols by their names."""
        named = hasattr(self.decoder, "named") and ctx.get(self.decoder.named)
        return ctx.get(self.decoder.symbol_name).to_bytes(8, "little").decode("latin-1") if named else None


def packets(packing, lane, rng):
    """Each pair behind a filler whose length brings its first byte to ``lane`` of a word of the payload."""
    packet, size, before = [], packing.header, packing.between

    def filler():
        return packing.filler(next(length for length in range(9, 17) if (size + before + length + before) % 8 == lane))

    for pair in product(packing.lengths, repeat=2):
        messages = [packing.message(kind, rng) for kind in pair]
        if size + 2 * 17 + sum(before + len(body) for body in messages) > LONGEST_PAYLOAD:
            yield packet
            packet, size = [], packing.header
        blocks = [filler(), *messages]
        packet += blocks
        size += sum(before + len(block) for block in blocks)
    yield packet


@pytest.mark.parametrize("lane", range(8))
@pytest.mark.parametrize("protocol", PACKINGS)
def test_every_pair_of_types_at_every_alignment_in_packets(protocol, lane):
    packing, dut, rng, sequence = PACKINGS[protocol], FramerAndDecoder(protocol), random.Random(lane), 1
    cycles, expected, delivered, meanings = [], [], 0, packing.meanings()
    clears = set()  # words that have the type of a unit clear: two in one are told once
    for packet in packets(packing, lane, rng):
        cycles += [(word, False) for word in payload_words(packing.pack(sequence, packet))] + [(IDLE, True)] + [(IDLE, False)] * 2
        at = packing.header
        for number, body in enumerate(packet):
            expected += [(sequence + number, *told) for told in meanings(body)]
            delivered += len(body) >= SHORTEST_DELIVERED
            at += packing.between + len(body)
            if protocol == "pitch" and body[1] == UNIT_CLEAR:
                clears.add((sequence, (at - len(body) + 1) // 8))
        sequence += len(packet)
    found, verdicts, seen, malformed = [], [], [], []

    async def testbench(ctx):
        ctx.set(dut.framer.verdict_in.payload.reason, DropReason.NONE)
        for cycle, (word, ends) in enumerate(cycles + [(IDLE, False)] * 10):
            await put(ctx, dut.framer.payload, word if word is IDLE else {**word, "ingress": cycle})
            ctx.set(dut.framer.verdict_in.valid, ends)
            if ctx.get(dut.framer.verdict.valid):
                verdicts.append(ctx.get(dut.framer.verdict.payload.reason))
            seen.append(ctx.get(dut.decoder.message_seen))
            malformed.append(ctx.get(dut.decoder.malformed))
            for port in dut.ports:
                output = getattr(dut.decoder, port)
                if ctx.get(output.valid):
                    out = ctx.get(output.payload)
                    assert cycle - out.ingress == dut.latency
                    found.append((out.sequence, port, PLAIN[port](out), dut.symbol(ctx)))
            await ctx.tick()

    simulate(dut, testbench, deadline=len(cycles) + 100)
    assert set(verdicts) == {DropReason.NONE}
    assert sequence - 1 == 3 * len(packing.lengths) ** 2
    assert sum(seen) == delivered
    assert sum(malformed) == len(clears)
    assert len(clears) in ((2 * len(packing.lengths) - 1, 2 * len(packing.lengths)) if protocol == "pitch" else (0,))
    assert found == expected

"""Framer and decoder together: every type of ITCH after every other, back to back in a packet, on every byte lane."""

import random
from itertools import product

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.feed.itch50 import Itch50Decoder
from hw.feed.moldudp64 import MoldUdp64
from hw.reasons import DropReason
from sim.golden.itch50 import MESSAGE_LENGTHS
from sim.golden.moldudp64 import pack_packet
from tests.hw.bench import simulate
from tests.hw.feed.test_itch50 import OUTPUTS, message
from tests.hw.feed.words import IDLE, payload_words, put

SESSION = b"PAIRS     "
LONGEST_PAYLOAD = 1_472
FILLER = b"z"
"""A type that nobody has."""


class FramerAndDecoder(wiring.Component):
    def __init__(self):
        self.framer, self.decoder = MoldUdp64(), Itch50Decoder()
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules += [self.framer, self.decoder]
        connect(m, self.framer.words, self.decoder.words)
        return m


def packets(lane, rng):
    """Each pair behind a filler whose length brings its first byte to ``lane`` of a word of the payload."""
    packet, size = [], 20
    for pair in product(MESSAGE_LENGTHS, repeat=2):
        messages = [message(kind, rng) for kind in pair]
        filler = next(length for length in range(9, 17) if (size + 2 + length + 2) % 8 == lane)
        blocks = [FILLER * filler, *messages]
        added = sum(2 + len(block) for block in blocks)
        if size + added > LONGEST_PAYLOAD:
            yield packet
            packet, size = [], 20
            blocks[0] = FILLER * next(length for length in range(9, 17) if (size + 2 + length + 2) % 8 == lane)
            added = sum(2 + len(block) for block in blocks)
        packet += blocks
        size += added
    yield packet


@pytest.mark.parametrize("lane", range(8))
def test_every_pair_of_types_at_every_alignment_in_packets(lane):
    dut, rng, sequence = FramerAndDecoder(), random.Random(lane), 1
    cycles, expected = [], {name: [] for name in OUTPUTS}
    for packet in packets(lane, rng):
        cycles += [(word, False) for word in payload_words(pack_packet(SESSION, sequence, packet))] + [(IDLE, True)] + [(IDLE, False)] * 2
        for number, body in enumerate(packet):
            for name, (_, meaning) in OUTPUTS.items():
                if (record := meaning(body)) is not None:
                    expected[name].append((sequence + number, record))
        sequence += len(packet)
    found, verdicts, seen = {name: [] for name in OUTPUTS}, [], []

    async def testbench(ctx):
        ctx.set(dut.framer.verdict_in.payload.reason, DropReason.NONE)
        for word, ends in cycles + [(IDLE, False)] * 10:
            await put(ctx, dut.framer.payload, word)
            ctx.set(dut.framer.verdict_in.valid, ends)
            if ctx.get(dut.framer.verdict.valid):
                verdicts.append(ctx.get(dut.framer.verdict.payload.reason))
            seen.append(ctx.get(dut.decoder.message_seen))
            assert not ctx.get(dut.decoder.malformed)
            for name, (plain, _) in OUTPUTS.items():
                port = getattr(dut.decoder, name)
                if ctx.get(port.valid):
                    out = ctx.get(port.payload)
                    found[name].append((out.sequence, plain(out)))
            await ctx.tick()

    simulate(dut, testbench)
    assert set(verdicts) == {DropReason.NONE}
    assert sum(seen) == sequence - 1 == 3 * len(MESSAGE_LENGTHS) ** 2
    assert found == expected

"""Frames off the XGMII: every start lane, every length, every way to be bad (FCS by zlib, which is not ours)."""

import random
import zlib

import pytest

from hw.net.crc32 import residue, update
from hw.net.xgmii_receive import XgmiiReceive
from tests.hw.bench import made, simulate

IDLE, START, TERMINATE, ERROR = 0x07, 0xFB, 0xFD, 0xFE


def with_fcs(frame):
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def test_the_register_agrees_with_zlib():
    for size in (0, 1, 7, 8, 60, 1500):
        text = random.Random(size).randbytes(size)
        assert update(0xFFFFFFFF, text) ^ 0xFFFFFFFF == zlib.crc32(text)
    assert residue(0) == 0xDEBB20E3  # IEEE 802.3: 0xC704DD7B with its bits reversed


class Line:
    """XGMII characters: (byte, is control) in the order of the wire."""

    def __init__(self):
        self.characters = []

    def idle(self, count):
        self.characters += [(IDLE, 1)] * count

    def frame(self, octets, lane=0, *, end=TERMINATE, preamble=bytes([0x55] * 6 + [0xD5])):
        while len(self.characters) % 8 != lane:
            self.idle(1)
        self.characters += [(START, 1)] + [(b, 0) for b in preamble] + [(b, 0) for b in octets] + [(end, 1)]

    def words(self):
        self.idle(-len(self.characters) % 8 + 64)
        for i in range(0, len(self.characters), 8):
            part = self.characters[i : i + 8]
            yield sum(b << 8 * j for j, (b, _) in enumerate(part)), sum(c << j for j, (_, c) in enumerate(part))


def receive(line, dut=None):
    """Frames out as (bytes, error), the pulses counted, and the cycle of the first and last word of each frame."""
    dut = dut or made(XgmiiReceive)
    frames, pulses, cycles = [], dict.fromkeys(("bad_fcs", "runt", "oversize", "coding_error"), 0), []

    async def testbench(ctx):
        octets, first = b"", None
        for cycle, (word, control) in enumerate(line.words()):
            ctx.set(dut.data, word)
            ctx.set(dut.control, control)
            for name in pulses:
                pulses[name] += ctx.get(getattr(dut, name))
            if ctx.get(dut.frames.valid):
                out = dut.frames.payload
                first = cycle if first is None else first
                octets += ctx.get(out.data).to_bytes(8, "little")[: ctx.get(out.count)]
                if ctx.get(out.last):
                    frames.append((octets, ctx.get(out.error)))
                    cycles.append((first, cycle))
                    octets, first = b"", None
                else:
                    assert not ctx.get(out.error)
            await ctx.tick()
        assert not octets, "a frame never ended"

    simulate(dut, testbench)
    return frames, pulses, cycles


@pytest.mark.parametrize("lane", [0, 4])
def test_every_length_comes_out_whole(lane):
    rng = random.Random(lane)
    sent, line = [], Line()
    for size in range(60, 92):
        sent.append(rng.randbytes(size))
        line.frame(with_fcs(sent[-1]), lane)
        line.idle(5)
    frames, pulses, _ = receive(line)
    assert frames == [(frame, 0) for frame in sent]
    assert not any(pulses.values())


def test_random_frames_back_to_back():
    rng = random.Random(7)
    sent, line = [], Line()
    for _ in range(60):
        sent.append(rng.randbytes(rng.choice([60, 61, 63, 64, 100, rng.randrange(60, 300)])))
        line.frame(with_fcs(sent[-1]), rng.choice([0, 4]))
        line.idle(rng.randrange(4, 20))
    assert receive(line)[0] == [(frame, 0) for frame in sent]


def test_latency():
    line = Line()
    for size in range(60, 68):
        line.frame(with_fcs(bytes(size)))
        line.idle(8)
    characters = list(line.characters)
    starts = [i // 8 for i, c in enumerate(characters) if c == (START, 1)]
    ends = [(i - 5) // 8 for i, c in enumerate(characters) if c == (TERMINATE, 1)]  # the word with the last byte before the FCS
    _, _, cycles = receive(line)
    for start, end, (first, last) in zip(starts, ends, cycles, strict=True):
        assert first - (start + 1) == XgmiiReceive.LATENCY
        assert last - end <= XgmiiReceive.LATENCY


@pytest.mark.parametrize("lane", [0, 4])
def test_a_wrong_byte_anywhere_is_told_at_the_end(lane):
    rng = random.Random(lane)
    good = with_fcs(rng.randbytes(67))
    line = Line()
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.randrange(8)
        line.frame(bytes(bad), lane)
        line.idle(5)
        line.frame(good, lane)
        line.idle(5)
    frames, pulses, _ = receive(line)
    assert [error for _, error in frames] == [1, 0] * len(good)
    assert pulses == {"bad_fcs": len(good), "runt": 0, "oversize": 0, "coding_error": 0}


def test_runts_and_giants():
    line = Line()
    for size in (1, 3, 4, 5, 12, 59):
        line.frame(with_fcs(bytes(size)))
        line.idle(9)
    line.frame(b"\x00")
    line.idle(9)
    for size in (196, 197, 205, 400):
        line.frame(with_fcs(bytes(size)))
        line.idle(9)
    line.frame(with_fcs(bytes(60)))
    frames, pulses, _ = receive(line, XgmiiReceive(longest=200))
    assert pulses == {"bad_fcs": 0, "runt": 7, "oversize": 3, "coding_error": 0}
    assert [len(f) for f, error in frames if not error] == [196, 60]


@pytest.mark.parametrize("lane", [0, 4])
def test_an_error_character_ends_the_frame(lane):
    line = Line()
    for size in range(70, 78):
        line.frame(with_fcs(bytes(size)), lane, end=ERROR)
        line.idle(9)
    line.frame(with_fcs(b"\x11" * 60), lane)
    frames, pulses, _ = receive(line)
    assert pulses["coding_error"] == 8
    assert [error for _, error in frames] == [1] * 8 + [0]


def test_a_bad_preamble_begins_nothing():
    line = Line()
    for lane in (0, 4):
        line.frame(with_fcs(bytes(60)), lane, preamble=bytes([0x55] * 5 + [0x54, 0xD5]))
        line.idle(9)
        line.frame(with_fcs(bytes(60)), lane, preamble=bytes([0x51] + [0x55] * 5 + [0xD5]))
        line.idle(9)
    line.frame(with_fcs(b"\x22" * 60))
    frames, pulses, _ = receive(line)
    assert frames == [(b"\x22" * 60, 0)]
    assert not any(pulses.values())


def test_the_longest_frame_is_checked():
    with pytest.raises(ValueError, match="longest must be 64 to 9600 bytes, not 63"):
        XgmiiReceive(longest=63)

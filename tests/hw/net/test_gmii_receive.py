"""Frames off a byte stream: every length, a wrong byte, the PHY's error, noise before the frame."""

import random
import zlib

from hw.net.gmii_receive import GmiiReceive
from tests.hw.bench import made, simulate

PREAMBLE = bytes([0x55] * 7 + [0xD5])


def with_fcs(frame):
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def receive(bursts):
    """``bursts``: (bytes, index of the byte with RX_ER or None). Returns the frames as (bytes, error) and the pulses counted."""
    dut = made(GmiiReceive)
    frames, pulses = [], dict.fromkeys(("bad_fcs", "runt", "oversize", "coding_error"), 0)

    async def testbench(ctx):
        octets = b""
        cycles = [(byte, 1, i == bad) for burst, bad in bursts for i, byte in [*enumerate(burst), *[(None, None)] * 3]]
        for byte, _, error in cycles + [(None, 0, 0)] * 12:
            ctx.set(dut.valid, byte is not None)
            ctx.set(dut.data, byte or 0)
            ctx.set(dut.error, bool(error and byte is not None))
            for name in pulses:
                pulses[name] += ctx.get(getattr(dut, name))
            if ctx.get(dut.frames.valid):
                out = dut.frames.payload
                octets += ctx.get(out.data).to_bytes(8, "little")[: ctx.get(out.count)]
                if ctx.get(out.last):
                    frames.append((octets, ctx.get(out.error)))
                    octets = b""
            await ctx.tick()

    simulate(dut, testbench)
    return frames, pulses


def test_every_length_comes_out_whole():
    rng = random.Random(1)
    sent = [rng.randbytes(size) for size in range(60, 78)]
    frames, pulses = receive([(PREAMBLE[rng.randrange(5) :] + with_fcs(frame), None) for frame in sent])
    assert frames == [(frame, 0) for frame in sent]
    assert not any(pulses.values())


def test_bad_frames_are_told_apart():
    good = with_fcs(bytes(range(64)))
    wrong = good[:-9] + b"\x00" + good[-8:]
    frames, pulses = receive([
        (PREAMBLE + wrong, None), (PREAMBLE + good, None), (PREAMBLE + good, 40), (PREAMBLE + with_fcs(bytes(20)), None),
        (PREAMBLE + with_fcs(bytes(1600)), None), (b"\x55\x12" + PREAMBLE + good, None), (PREAMBLE + good, None),
    ])
    assert [error for _, error in frames] == [1, 0, 1, 1, 1, 0]
    assert frames[1] == frames[-1] == (good[:-4], 0)
    assert pulses == {"bad_fcs": 1, "runt": 1, "oversize": 1, "coding_error": 1}

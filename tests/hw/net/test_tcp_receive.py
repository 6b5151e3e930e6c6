"""Each frame gets the verdict that the model gives it, and its payload word by word."""

import random

from hw.net.tcp_receive import TcpReceive
from hw.reasons import DropReason
from sim.golden.ethernet import checksum
from sim.golden.tcp import ACK, FIN, PSH, SYN, Endpoints, Segment, parse_tcp, tcp_frame
from tests.hw.bench import made, simulate

ENDS = Endpoints(0x020000000001, 0x020000000002, 0x0A000001, 0x0A000002, 40_000, 26_477)
"""Of what the card receives."""


def run(frames, *, pause=2):
    """For each frame (reason, segment, options' length, payload words, options' words), the verdict's latency asserted."""
    dut = made(TcpReceive)
    seen, ends = [], []

    async def wire(ctx):
        turned = ENDS.turned()
        ctx.set(dut.address, turned._asdict())
        for frame in frames:
            data, error = frame if isinstance(frame, tuple) else (frame, False)
            for at in range(0, len(data), 8):
                chunk, last = data[at:at + 8], at + 8 >= len(data)
                ctx.set(dut.frames.payload, {"data": int.from_bytes(chunk.ljust(8, b"\xEE"), "little"), "count": len(chunk), "last": last,
                                             "error": error and last})
                ctx.set(dut.frames.valid, 1)
                await ctx.tick()
            ctx.set(dut.frames.valid, 0)
            await ctx.tick().repeat(pause)
        await ctx.tick().repeat(8)

    async def watch(ctx):
        payload, options, cycle = b"", b"", 0
        async for _, _, word_valid, word, option_valid, option, verdict, reason, segment, length, arrives, last in ctx.tick().sample(
                dut.payload.valid, dut.payload.payload, dut.options.valid, dut.options.payload, dut.verdict.valid,
                dut.verdict.payload.reason, dut.segment, dut.options_length, dut.frames.valid, dut.frames.payload.last):
            if arrives and last:
                ends.append(cycle)
            if word_valid:
                payload += word.to_bytes(8, "little")
            if option_valid:
                options += option.to_bytes(8, "little")
            if verdict:
                assert cycle - ends[len(seen)] == TcpReceive.VERDICT_LATENCY
                seen.append((DropReason(reason), segment, length, payload, options))
                payload = options = b""
            cycle += 1

    simulate(dut, wire, processes=[watch])
    assert len(seen) == len(frames)
    return seen


def check(frames):
    """Compares with the model; returns the reasons."""
    seen = run(frames)
    for number, (frame, (reason, header, length, words, option_words)) in enumerate(zip(frames, seen, strict=True)):
        data, error = frame if isinstance(frame, tuple) else (frame, False)
        expected = None if error else parse_tcp(data, ENDS)
        assert (reason == DropReason.NONE) == (expected is not None), f"frame {number} {data.hex()}: {reason!r}"
        if expected is not None:
            flags = header.fin | header.syn << 1 | header.rst << 2 | header.psh << 3 | header.ack << 4
            assert (header.sequence, header.acknowledgment, flags, header.window, header.length, length) == (
                expected.sequence, expected.acknowledgment, expected.flags, expected.window, len(expected.payload), len(expected.options))
            assert words[:header.length] == expected.payload
            assert len(words) == -(-header.length // 8) * 8
            if header.syn:
                assert option_words[6:6 + length] == expected.options
    return [reason for reason, *_ in seen]


def random_segment(rng, *, length, options=0, flags=None):
    return Segment(rng.getrandbits(32), rng.getrandbits(32), rng.choice([ACK, PSH | ACK, FIN | ACK, SYN | ACK]) if flags is None else flags,
                   rng.getrandbits(16), rng.randbytes(length), rng.randbytes(4 * options))


def test_every_length_of_payload_and_options():
    rng = random.Random(1)
    segments = [random_segment(rng, length=length, options=length % 11) for length in range(40)]
    segments += [random_segment(rng, length=5, options=options) for options in range(11)] + [random_segment(rng, length=1460)]
    assert set(check([tcp_frame(ENDS, segment) for segment in segments])) == {DropReason.NONE}


def test_a_wrong_bit_anywhere():
    """Nothing but the source's Ethernet address and what fills up the frame may change without being seen."""
    rng = random.Random(2)
    good = tcp_frame(ENDS, random_segment(rng, length=2, options=0, flags=ACK))
    frames = []
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.randrange(8)
        frames.append(bytes(bad))
    reasons = check(frames)
    assert {position for position, reason in enumerate(reasons) if reason == DropReason.NONE} == {*range(6, 12), *range(56, 60)}
    assert {DropReason.NOT_MATCHED, DropReason.IP_CHECKSUM, DropReason.UDP_CHECKSUM} <= set(reasons)


def test_cut_frames_leave_nothing_behind():
    """Short ones follow each other as fast as they can, and a good one follows each."""
    rng = random.Random(3)
    good = [tcp_frame(ENDS, random_segment(rng, length=length, options=options)) for length, options in ((30, 0), (3, 2))]
    frames = [part for frame in good for cut in range(1, len(frame)) for part in (frame[:cut], frame)]
    assert {DropReason.NONE, DropReason.TRUNCATED} <= set(check(frames))


def test_what_is_broken_in_a_sound_way():
    """Lengths and types that no checksum tells: the frame is made right again around them."""
    rng = random.Random(4)
    segment = random_segment(rng, length=20, flags=ACK)
    frames = [(tcp_frame(ENDS, segment), True)]
    for change in ("source_ip", "destination_ip", "source_port", "destination_port", "destination_mac"):
        frames.append(tcp_frame(ENDS._replace(**{change: getattr(ENDS, change) ^ 1}), segment))
    for offset in (*range(5), 12, 15):
        frames.append(with_checksums(tcp_frame(ENDS, segment), 46, offset << 4))
    for at, value in ((14, 0x46), (14, 0x65), (20, 0x20), (21, 1), (23, 17), (17, 39), (17, 60), (17, 61), (16, 1)):
        frames.append(with_checksums(tcp_frame(ENDS, segment), at, value))
    reasons = check(frames)
    assert reasons[:6] == [DropReason.MAC_ERROR] + [DropReason.NOT_MATCHED] * 5
    assert {DropReason.TRUNCATED, DropReason.FRAGMENT_OR_OPTIONS} <= set(reasons[6:])


def with_checksums(frame, at, value):
    """The frame with another byte, and checksums that are right with it."""
    data = bytearray(frame)
    data[at] = value
    data[24:26] = data[50:52] = b"\0\0"
    length = max(0, int.from_bytes(data[16:18], "big") - 20)
    pseudo = bytes(data[26:34]) + bytes([0, 6]) + length.to_bytes(2, "big")
    data[50:52] = checksum(pseudo + bytes(data[34:34 + length])).to_bytes(2, "big")
    data[24:26] = checksum(bytes(data[14:34])).to_bytes(2, "big")
    return bytes(data)

"""UdpReceive: every frame gets the verdict of the reference, and the payload of a good one arrives whole."""

import random
from ipaddress import IPv4Address

import pytest

from hw.net.udp_receive import UdpReceive
from hw.reasons import DropReason
from sim.golden.ethernet import build_udp, checksum, multicast_mac, receive_any, with_tag, without_tag
from tests.hw.bench import made, simulate
from tests.hw.feed.words import IDLE, frame_words, put

IP, PORT = int(IPv4Address("233.54.12.111")), 26_477
OWN = int(IPv4Address("10.20.30.40"))
TABLE = [(IP, PORT + 1), (OWN, PORT), (IP, PORT), (IP, 0), (IP, PORT), (IP ^ 5, PORT)]


class Seen:
    """What came out for one frame."""

    def __init__(self, payload, ingress, last, reason, entries, cycle):
        self.payload, self.ingress, self.last, self.reason, self.entries, self.cycle = payload, ingress, last, reason, entries, cycle


def verdict_latency(frame):
    return UdpReceive.VERDICT_LATENCY - (without_tag(frame) != frame and len(frame) > 16 and (len(frame) - 1) % 8 < 4)


def run(frames, *, pause=lambda: 0, between=lambda: 0, table=((IP, PORT),)):
    """Sends frames (bytes, or pairs of bytes and error flag) and returns what was seen of each.

    ``pause`` and ``between`` give the idle cycles before each word and before each frame.
    """
    dut = made(UdpReceive, len(table))
    cycles, ends = [], []
    for frame in frames:
        data, error = frame if isinstance(frame, tuple) else (frame, False)
        cycles += [IDLE] * between()
        for word in frame_words(data, error=error):
            cycles += [IDLE] * pause() + [word]
        ends.append(len(cycles) - 1)
    seen = []

    async def testbench(ctx):
        for number, (ip, port) in enumerate(table):
            ctx.set(dut.address[number], {"ip": ip, "port": port})
        payload, ingress, last, entries = b"", [], [], set()
        for now, word in enumerate(cycles + [IDLE] * UdpReceive.VERDICT_LATENCY):
            await put(ctx, dut.frames, word)
            ctx.set(dut.now, now)
            if ctx.get(dut.payload.valid):
                out = ctx.get(dut.payload.payload)
                assert out.count == 8 or out.last
                payload += out.data.to_bytes(8, "little")[: out.count]
                ingress.append((out.ingress, now))
                last.append(out.last)
                entries.add(ctx.get(dut.payload_entry))
            if ctx.get(dut.verdict.valid):
                assert not ctx.get(dut.payload.valid), "the verdict comes after the last payload word"
                reason = DropReason(ctx.get(dut.verdict.payload.reason))
                if reason == DropReason.NONE:
                    entries.add(ctx.get(dut.verdict_entry))
                seen.append(Seen(payload, ingress, last, reason, entries, now))
                payload, ingress, last, entries = b"", [], [], set()
            await ctx.tick()

    simulate(dut, testbench)
    assert len(seen) == len(frames)
    for frame, result, end in zip(frames, seen, ends, strict=True):
        assert result.cycle == end + verdict_latency(frame[0] if isinstance(frame, tuple) else frame)
    return seen


def check(frames, seen, table=((IP, PORT),)):
    """Compares with the reference; returns the reasons."""
    for number, (frame, result) in enumerate(zip(frames, seen, strict=True)):
        data, error = frame if isinstance(frame, tuple) else (frame, False)
        expected = receive_any(data, table, error=error)
        assert result.reason == expected.reason, f"frame {number} {data.hex()}: {result.reason!r}, not {expected.reason!r}"
        assert without_tag(data)[42:].startswith(result.payload)
        if expected.reason == DropReason.TRUNCATED:
            assert not any(result.last)
        if expected.payload is not None:
            assert result.entries == {expected.entry}
            assert result.payload == expected.payload
            assert result.last == [0] * (len(result.last) - 1) + [1] * bool(result.last)
    return [result.reason for result in seen]


def feed_frame(payload, **changes):
    return build_udp(payload, **{"destination_ip": IP, "destination_port": PORT, **changes})


def test_payload_of_every_length_with_and_without_checksum_and_padding():
    frames = [
        tagged(feed_frame(random.Random(length).randbytes(length), udp_checksum=checksum, pad=pad))
        for length in range(40) for checksum in (True, False) for pad in (True, False) for tagged in (bytes, with_tag)
    ]  # fmt: skip
    assert set(check(frames, run(frames))) == {DropReason.NONE}


def test_latency_of_payload_and_its_ingress_time():
    # The first byte of the payload is byte 42 of the frame: lane 2 of word 5.
    payload = bytes(range(28))
    seen = run([feed_frame(payload, pad=False)])[0]
    frame_cycle_of_last_byte = [(42 + end - 1) // 8 for end in (8, 16, 24, 28)]
    assert [ingress for ingress, _ in seen.ingress] == frame_cycle_of_last_byte
    latencies = [now - ingress for ingress, now in seen.ingress]
    assert latencies == [2, 2, 2, 3]
    assert max(latencies) == UdpReceive.LATENCY


@pytest.mark.parametrize("length", range(1, 33))
def test_latency_with_a_tag(length):
    """The same to each byte, wherever the payload ends; one fewer where the rest is at hand when the word before it goes."""
    seen = run([with_tag(feed_frame(bytes(range(length)), pad=False))])[0]
    ends = [min(at + 8, length) for at in range(0, length, 8)]
    assert [ingress for ingress, _ in seen.ingress] == [(46 + end - 1) // 8 for end in ends]
    latencies = [now - ingress for ingress, now in seen.ingress]
    assert latencies[:-1] == [2] * (len(ends) - 1)
    assert latencies[-1] <= UdpReceive.LATENCY


def test_a_table_of_addresses():
    """Unicast and multicast, entries that are off, entries with the same address: the lowest that fits is named."""
    own = {"destination_ip": OWN, "destination_mac": 0x0A0000000001}
    changes = [
        {}, {"destination_port": PORT + 1}, own, {"destination_ip": IP ^ 5}, own,
        {"destination_port": 0}, own | {"destination_port": PORT + 1}, own | {"destination_ip": OWN ^ 1},
        own | {"destination_mac": 0xFFFFFFFFFFFF}, own | {"destination_mac": multicast_mac(IP)}, {"destination_mac": 0x0A0000000001},
    ]  # fmt: skip
    frames = [feed_frame(b"a payload", **change) for change in changes]
    frames += [with_tag(frame) for frame in frames]
    reasons = check(frames, run(frames, table=TABLE), TABLE)
    assert reasons == 2 * ([DropReason.NONE] * 5 + [DropReason.NOT_MATCHED] * 6)


@pytest.mark.parametrize("entries", [0, 17])
def test_size_of_the_table(entries):
    with pytest.raises(ValueError, match=f"entries must be 1 to 16, not {entries}"):
        UdpReceive(entries)


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("udp_checksum", [True, False])
def test_wrong_byte_at_every_position(udp_checksum, tagged):
    payload = random.Random(1).randbytes(45)
    good = feed_frame(payload, udp_checksum=udp_checksum)
    good = with_tag(good) if tagged else good
    frames = []
    for position in range(len(good)):
        for change in (0x01, 0x80, 0xFF):
            bad = bytearray(good)
            bad[position] ^= change
            frames.append(bytes(bad))
    frames.append(good)
    reasons = check(frames, run(frames))
    assert reasons[-1] == DropReason.NONE
    if udp_checksum:
        # Only the FCS, which the MAC checks, covers the source address; nothing follows from it, so nothing is lost.
        harmless = {position for position in range(len(good)) if reasons[3 * position] == DropReason.NONE}
        assert harmless == set(range(6, 16 if tagged else 12)) - {12, 13}
    assert {DropReason.NOT_MATCHED, DropReason.IP_CHECKSUM, DropReason.FRAGMENT_OR_OPTIONS, DropReason.TRUNCATED} <= set(reasons)


@pytest.mark.parametrize("tagged", [False, True])
def test_frame_cut_at_every_length(tagged):
    good = feed_frame(bytes(range(30)))
    good = with_tag(good) if tagged else good
    frames = [good[:length] for length in range(1, len(good) + 1)]
    reasons = check(frames, run(frames))
    assert reasons == [DropReason.TRUNCATED] * (len(good) - 1) + [DropReason.NONE]


def test_mac_error_wins():
    bad = [feed_frame(b"x" * 20), b"\0", feed_frame(b"y", destination_port=1)]
    bad += [with_tag(feed_frame(bytes(size))) for size in range(18, 26)]
    frames = [(frame, True) for frame in bad] + [feed_frame(b"good")]
    assert check(frames, run(frames)) == [DropReason.MAC_ERROR] * len(bad) + [DropReason.NONE]


def with_ip_field(frame, at, value):
    """A byte of the IP header changed and the checksum made right again."""
    header = bytearray(frame[14:34])
    header[at] = value
    header[10:12] = b"\0\0"
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    return frame[:14] + bytes(header) + frame[34:]


def with_udp_length(payload, length):
    """Both lengths changed; no UDP checksum."""
    frame = feed_frame(payload, udp_checksum=False)
    frame = with_ip_field(with_ip_field(frame, 2, 0), 3, 20 + length)
    return frame[:38] + length.to_bytes(2, "big") + frame[40:]


def test_reasons_of_frames_that_are_right_in_themselves():
    good = feed_frame(bytes(50))
    other_ip = IP ^ 1 << 23  # shares the group's Ethernet address
    cases = [
        (feed_frame(bytes(50), destination_mac=0x01005E000001), DropReason.NOT_MATCHED),
        (good[:12] + b"\x86\xdd" + good[14:], DropReason.NOT_MATCHED),
        (with_tag(good, b"\x88\xa8\xff\xff"), DropReason.NONE),
        (with_tag(with_tag(good)), DropReason.NOT_MATCHED),
        (with_tag(good, b"\x81\x01\0\0"), DropReason.NOT_MATCHED),
        (with_tag(with_ip_field(good, 0, 0x46)), DropReason.FRAGMENT_OR_OPTIONS),
        (with_tag(with_ip_field(good, 7, 1)), DropReason.FRAGMENT_OR_OPTIONS),
        (feed_frame(bytes(50), destination_ip=other_ip), DropReason.NOT_MATCHED),
        (feed_frame(bytes(50), destination_ip=IP ^ 1, destination_mac=multicast_mac(IP)), DropReason.NOT_MATCHED),
        (feed_frame(bytes(50), destination_port=PORT ^ 1), DropReason.NOT_MATCHED),
        (with_ip_field(good, 9, 6), DropReason.NOT_MATCHED),  # TCP
        (with_ip_field(good, 0, 0x65), DropReason.NOT_MATCHED),  # version 6
        (with_ip_field(good, 0, 0x46), DropReason.FRAGMENT_OR_OPTIONS),
        (with_ip_field(good, 6, 0x20), DropReason.FRAGMENT_OR_OPTIONS),
        (with_ip_field(good, 7, 1), DropReason.FRAGMENT_OR_OPTIONS),
        (with_ip_field(good, 6, 0), DropReason.NONE),  # "don't fragment" not set
        (with_ip_field(good, 6, 0x80), DropReason.NONE),  # the reserved bit is nobody's business
        (with_ip_field(good, 3, good[17] ^ 4), DropReason.TRUNCATED),
        (with_ip_field(with_ip_field(good, 2, 0), 3, 12), DropReason.TRUNCATED),  # an IP length below its own header
        (with_ip_field(good, 2, 0xFF), DropReason.TRUNCATED),
        (with_udp_length(bytes(50), 7), DropReason.TRUNCATED),  # less than its own header, and the IP length agrees
        (with_udp_length(bytes(50), 8), DropReason.NONE),
    ]
    frames = [frame for frame, _ in cases]
    assert check(frames, run(frames)) == [reason for _, reason in cases]


def test_checksum_that_comes_to_zero_is_sent_as_ones():
    for value in range(1 << 16):
        frame = feed_frame(value.to_bytes(2, "big"))
        if frame[40:42] == b"\xff\xff":
            break
    else:
        raise AssertionError("no payload with this checksum")
    assert check([frame], run([frame])) == [DropReason.NONE]


def test_very_long_frames():
    rng = random.Random(3)
    jumbo = feed_frame(rng.randbytes(8_958))
    frames = [
        jumbo, jumbo[:-1], jumbo[:4_000] + b"!" + jumbo[4_001:], jumbo + bytes(3_000), feed_frame(b"\xff" * 9_000),
        rng.randbytes(10_000), feed_frame(b"still here"),
    ]  # fmt: skip
    reasons = check(frames, run(frames))
    assert reasons == [DropReason.NONE, DropReason.TRUNCATED, DropReason.UDP_CHECKSUM, *[DropReason.NONE] * 2, DropReason.NOT_MATCHED,
                       DropReason.NONE]  # fmt: skip


def random_frame(rng):
    own = {"destination_ip": OWN, "destination_mac": rng.getrandbits(48) & ~(1 << 40)}
    destination = rng.choice([{}, own, {"destination_port": PORT + 1}])
    frame = feed_frame(rng.randbytes(rng.randrange(120)), udp_checksum=rng.random() < 0.7, **destination)
    if rng.random() < 0.4:
        frame = with_tag(frame, rng.choice([b"\x81\x00", b"\x88\xa8"]) + rng.randbytes(2))
    kind = rng.randrange(6)
    if kind == 0:
        return frame[: rng.randrange(1, len(frame) + 1)]
    if kind == 1:
        bad = bytearray(frame)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        return bytes(bad)
    if kind == 2:
        return frame + rng.randbytes(rng.randrange(1, 60))
    if kind == 3:
        return rng.randbytes(rng.randrange(1, 100))
    if kind == 4:
        return (frame, rng.random() < 0.5)
    return frame


@pytest.mark.parametrize("seed", range(4))
def test_random_frames_with_and_without_pauses(seed):
    rng = random.Random(seed)
    frames = [random_frame(rng) for _ in range(150)]
    hurry = seed % 2 == 0
    seen = run(
        frames,
        pause=lambda: 0 if hurry or rng.random() < 0.7 else rng.randrange(3),
        between=lambda: 0 if rng.random() < 0.6 else rng.randrange(4),
        table=TABLE,
    )
    reasons = check(frames, seen, TABLE)
    assert reasons.count(DropReason.NONE) > 40, f"seed {seed}"
    assert len(set(reasons)) >= 5, f"seed {seed}"

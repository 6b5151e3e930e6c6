"""UDP receive against the golden receiver: whole frames in, a verdict each and the payload of the good ones out."""

from collections import Counter

from hw.reasons import DropReason
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.bench.words import CardClock, bytes_of, frame_words
from sim.golden.ethernet import build_udp, checksum, receive_any, with_tag, without_tag

IP, PORT = 0xE9360C65, 26_477
TABLE = [(IP, PORT)]


class Receiver:
    """Collects what the device says, frame by frame, beside what the golden receiver says."""

    def __init__(self, tb, *, rates):
        self.tb = tb
        self.clock = tb.add(CardClock(tb, offset=2**32 - 5_000))
        self.source = tb.source("frames", rates=rates)
        self.payload, self.verdict = tb.monitor("payload"), tb.monitor("verdict")
        self.frames, self.reasons = [], Counter()
        tb.set(address=[{"ip": ip, "port": port} for ip, port in TABLE])

    def send(self, frame, *, error=False):
        self.frames.append((frame, error))
        self.source.send(*frame_words(self.tb.rng, frame, error=error))

    async def check(self):
        tb = self.tb
        await tb.drain(limit=400_000)
        words, verdicts = list(self.payload.received), self.verdict.received
        assert len(verdicts) == len(self.frames), f"{len(verdicts)} verdicts for {len(self.frames)} frames"
        sent = iter(self.source.sent)
        for (frame, error), verdict in zip(self.frames, verdicts, strict=True):
            expected = receive_any(frame, TABLE, error=error)
            times = [next(sent).cycle for _ in range(0, len(frame), 8)]
            mine = []
            while words and words[0].cycle <= verdict.cycle:
                mine.append(words.pop(0))
            got = [word.payload for word in mine]
            what = f"frame of {len(frame)} bytes {frame.hex()} ({error=})"
            tb.compare([DropReason(verdict.payload.reason)], [expected.reason], what)
            tagged = len(frame) > 16 and without_tag(frame) != frame
            latency = tb.component.VERDICT_LATENCY - (tagged and (len(frame) - 1) % 8 < 4)
            assert verdict.cycle == times[-1] + latency, f"verdict time of {what}"
            self.reasons[expected.reason] += 1
            if expected.reason is DropReason.NONE:
                self._check_payload(got, expected.payload, times, 46 if tagged else 42, what)
            elif expected.reason is DropReason.NOT_MATCHED:
                assert not got or without_tag(frame)[36:38] != PORT.to_bytes(2, "big"), f"payload of somebody else's {what}"
        assert not words, "payload words after the last verdict"

    def _check_payload(self, got, payload, times, begin, what):
        assert bytes_of(got) == payload, f"payload of {what}"
        assert [word.count for word in got[:-1]] == [8] * (len(got) - 1), f"counts in {what}"
        assert [word.last for word in got] == [0] * (len(got) - 1) + [1] * bool(got), f"last in {what}"
        ends = [min(at + 8, len(payload)) for at in range(0, len(payload), 8)]
        assert [word.ingress for word in got] == [self.clock.at(times[(begin + end - 1) // 8]) for end in ends], f"ingress in {what}"


def good_frame(rng, *, size=None, **options) -> bytes:
    payload = rng.randbytes(rng.choice([rng.randrange(0, 40), rng.randrange(0, 200)]) if size is None else size)
    options = {"destination_ip": IP, "destination_port": PORT, "udp_checksum": rng.random() < 0.8, "pad": rng.random() < 0.8} | options
    options |= {"source_ip": rng.getrandbits(32), "source_port": rng.getrandbits(16), "identification": rng.getrandbits(16)}
    frame = build_udp(payload, **options)
    return with_tag(frame, rng.choice([b"\x81\x00", b"\x88\xa8"]) + rng.randbytes(2)) if rng.random() < 0.3 else frame


def with_header(frame: bytes, at: int, value: bytes, *, repair: bool) -> bytes:
    """Changes bytes of the frame, counted without its tag; ``repair`` makes the IP checksum right again."""
    tag = frame[12:16] if without_tag(frame) != frame else b""
    changed = bytearray(without_tag(frame))
    changed[at:at + len(value)] = value
    if repair and len(changed) >= 34:
        changed[24:26] = bytes(2)
        changed[24:26] = checksum(bytes(changed[14:34])).to_bytes(2, "big")
    return with_tag(bytes(changed), tag)


def spoiled_frame(rng) -> bytes:
    """A frame with one thing wrong with it."""
    frame = good_frame(rng)
    length = len(frame)
    number = rng.getrandbits(16).to_bytes(2, "big")
    near = rng.randrange(0, 80).to_bytes(2, "big")
    return rng.choice([
        lambda: bytes(b ^ (1 << rng.randrange(8)) * (i == spot) for spot in [rng.randrange(length)] for i, b in enumerate(frame)),
        lambda: frame[:rng.randrange(1, length)],
        lambda: frame[:rng.randrange(1, 60)],
        lambda: frame + rng.randbytes(rng.randrange(1, 30)),
        lambda: with_header(frame, 16, rng.choice([number, near]), repair=True),
        lambda: with_header(frame, 38, rng.choice([number, near, bytes(2)]), repair=False),
        lambda: with_header(frame, 20, rng.choice([number, b"\x20\x00", b"\x00\x01", b"\x80\x00", b"\x40\x00"]), repair=True),
        lambda: with_header(frame, 14, bytes([rng.choice([0x46, 0x4F, 0x44, 0x55, 0x65, rng.randrange(256)])]), repair=rng.random() < 0.8),
        lambda: with_header(frame, 23, bytes([rng.choice([6, 1, 2, rng.randrange(256)])]), repair=True),
        lambda: with_header(frame, 40, rng.choice([bytes(2), number, b"\xff\xff"]), repair=False),
        lambda: good_frame(rng, destination_ip=IP ^ 1 << rng.randrange(32)),
        lambda: good_frame(rng, destination_mac=0x01005E000000 | IP & 0x7FFFFF, destination_ip=IP ^ 1 << rng.randrange(32)),
        lambda: good_frame(rng, destination_port=PORT ^ 1 << rng.randrange(16)),
        lambda: good_frame(rng, destination_mac=rng.choice([0xFFFFFFFFFFFF, 0x020000000009, rng.getrandbits(48)])),
        lambda: with_header(frame, 12, rng.choice([b"\x08\x06", b"\x86\xdd", b"\x81\x00", number]), repair=False),
        lambda: rng.randbytes(rng.randrange(1, 130)),
    ])()


async def any_frames(tb, rates, count):
    receiver, rng = Receiver(tb, rates=rates), tb.rng
    for _ in range(count):
        frame = good_frame(rng) if rng.random() < 0.4 else spoiled_frame(rng)
        receiver.send(frame, error=rng.random() < 0.05)
    await receiver.check()
    missing = set(DropReason) - {DropReason.MALFORMED, DropReason.SESSION, DropReason.OVERFLOW} - set(receiver.reasons)
    assert not missing, f"reasons never met: {missing}"


@bench_test
async def good_and_spoiled_frames_with_pauses(tb):
    await any_frames(tb, Pattern.EVERYTHING, share(1_500))


@bench_test
async def good_and_spoiled_frames_back_to_back(tb):
    await any_frames(tb, Pattern.DENSE, share(3_000))


@bench_test
async def every_length_and_every_truncation(tb):
    """Payloads of 0 to 70 bytes, and one frame cut at every byte, without a pause between them."""
    receiver, rng = Receiver(tb, rates=Pattern.DENSE), tb.rng
    for size in range(71):
        for pad in (False, True):
            receiver.send(good_frame(rng, size=size, pad=pad))
    whole = good_frame(rng, size=60)
    for length in range(1, len(whole)):
        receiver.send(whole[:length])
        receiver.send(good_frame(rng, size=rng.randrange(10)))
    await receiver.check()


@bench_test
async def a_jumbo_frame_and_the_frame_after_it(tb):
    receiver, rng = Receiver(tb, rates=Pattern.DENSE), tb.rng
    for size in (8_972, 3, 1_472, 65_507, 18):
        receiver.send(good_frame(rng, size=size))
    receiver.send(rng.randbytes(70_000))
    receiver.send(good_frame(rng, size=30))
    await receiver.check()

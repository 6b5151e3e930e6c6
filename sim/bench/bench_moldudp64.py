"""MoldUDP64 against the golden framer: packets with every kind of framing and sequence number, good and bad."""

from collections import Counter, deque

from hw.reasons import DropReason
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.bench.words import payload_words
from sim.golden.moldudp64 import Delivered, Span, pack_end_of_session, pack_header, pack_packet, read_packet

SESSION, OTHER_SESSION = b"000010059B", b"000010059C"


class PacketSource:
    """Payload words and verdicts in their order, one of them a cycle at most, with random pauses."""

    def __init__(self, tb, rates):
        self.tb, self.queue, self.now = tb, deque(), Pattern(tb.rng, rates)
        self.payload, self.verdict = tb.port("payload"), tb.port("verdict_in")
        self.words, self.offered = [], None

    def send(self, payload: bytes, reason: DropReason, *, last: bool):
        for word in payload_words(self.tb.rng, payload, last=last):
            self.queue.append(("payload", word | {"ingress": self.tb.rng.getrandbits(32)}))
        self.queue.append(("verdict", {"reason": reason}))

    @property
    def idle(self):
        return not self.queue

    def drive(self):
        kind, item = self.queue.popleft() if self.queue and self.now() else ("", None)
        rng = self.tb.rng
        for name, port in (("payload", self.payload), ("verdict", self.verdict)):
            port.valid.value = kind == name
            port.payload.value = port.codec.pack(item) if kind == name else rng.getrandbits(port.codec.width)


class Outputs:
    """What the device says about one packet after the other.

    Attributes
    ----------
    packets : list of (reason, messages with their times, span, end of session)
        Closed with the verdict.
    """

    def __init__(self, tb):
        self.tb, self.packets = tb, []
        self.words, self.verdict = tb.port("words"), tb.port("verdict")
        self._messages, self._message = [], None

    def sample(self, cycle):
        if self.words.is_valid:
            self._take(cycle, self.words.codec.unpack(self.words.bits))
        if self.verdict.is_valid:
            reason = DropReason(self.verdict.codec.unpack(self.verdict.bits).reason)
            span = self.tb.get("span")
            span = Span(span.session.to_bytes(10, "little"), span.first, span.next)
            self.packets.append((reason, self._messages, span, bool(self.tb.get("end_of_session"))))
            self._messages, self._message = [], None
        else:
            assert not self.tb.get("end_of_session"), f"cycle {cycle}: end of session without a verdict"

    def _take(self, cycle, word):
        data = word.data.to_bytes(8, "little")
        if word.ends:
            assert self._message is not None, f"cycle {cycle}: a message ends that never began"
            self._messages.append((Delivered(word.sequence, self._message + data[:word.end]), word.ingress))
            self._message = None
        if word.starts:
            self._message = data[word.start:]
        elif self._message is not None:
            self._message += data


class Follower:
    """Sends packets to the device and to the golden framer, and compares."""

    def __init__(self, tb, rates):
        self.tb, self.sequence = tb, 1
        self.source, self.outputs = tb.add(PacketSource(tb, rates)), tb.add(Outputs(tb))
        self.expected, self.kinds = [], Counter()

    def send(self, payload: bytes, reason=DropReason.NONE, *, last=True):
        times = len(self.source.queue)
        self.source.send(payload, reason, last=last)
        words = list(self.source.queue)[times:-1]
        packet = read_packet(payload, reason)
        self.kinds[packet.reason] += 1
        if packet.span:
            self.sequence = packet.span.next % (1 << 62)
            packet = packet._replace(span=packet.span._replace(next=packet.span.next % (1 << 64)))
        self.expected.append((packet, self._with_times(packet, payload, words), payload))

    def _with_times(self, packet, payload, words):
        """Each message with the time of the word that its last byte lies in."""
        found, at, number = {}, 20, int.from_bytes(payload[10:18], "big")
        while at + 2 <= len(payload):
            length = int.from_bytes(payload[at:at + 2], "big")
            at += 2 + length
            found[number] = (at - 1) // 8
            number += 1
        return [(message, words[found[message.sequence]][1]["ingress"]) for message in packet.messages]

    async def check(self):
        await self.tb.until(lambda: self.source.idle, limit=200_000, what="the end of the packets")
        await self.tb.cycles(12)
        got, tb = self.outputs.packets, self.tb
        for number, (device, (packet, messages, payload)) in enumerate(zip(got, self.expected, strict=False)):
            what = f"packet {number} {payload[:80].hex()}"
            if packet.reason is not DropReason.NONE:
                tb.compare([(device[0], device[3])], [(packet.reason, False)], what)
                continue
            tb.compare(device[1], messages, f"{what}: message")
            tb.compare([(device[0], *device[2:])], [(packet.reason, packet.span, packet.end_of_session)], what)
        assert len(got) == len(self.expected), f"{len(got)} verdicts for {len(self.expected)} packets"


def random_block(rng) -> bytes:
    """Lengths as feeds have them, and short and empty ones; a block may look like a length field itself."""
    length = rng.choice([0, 0, rng.randrange(0, 9), 8, 9, 9, 10, 19, 19, 36, 36, 40, rng.randrange(0, 120)])
    return bytes(length) if rng.random() < 0.2 else rng.randbytes(length)


def random_packet(rng, sequence) -> bytes:
    """A packet near the one before; some of them broken."""
    blocks = [random_block(rng) for _ in range(rng.choice([1, 1, 2, 3, rng.randrange(0, 40)]))]
    sequence = max(1, sequence + rng.choice([0, 0, 0, 0, 0, 0, -1, -2, -rng.randrange(0, 40), 1, rng.randrange(0, 10)]))
    session = OTHER_SESSION if rng.random() < 0.05 else SESSION
    kind = rng.random()
    if kind < 0.05:
        return pack_packet(session, sequence, [])
    if kind < 0.08:
        return pack_end_of_session(session, sequence)
    packet = pack_packet(session, sequence, blocks)
    if kind < 0.85 or len(packet) < 23:
        return packet
    spot = rng.randrange(18, len(packet))
    return rng.choice([
        lambda: packet[:rng.randrange(1, len(packet))],
        lambda: packet + rng.randbytes(rng.randrange(1, 12)),
        lambda: pack_header(session, sequence, rng.choice([len(blocks) + 1, max(0, len(blocks) - 1), rng.getrandbits(16)])) + packet[20:],
        lambda: packet[:spot] + bytes([packet[spot] ^ 1 << rng.randrange(8)]) + packet[spot + 1:],
        lambda: packet[:20] + rng.choice([b"\xff\xff", b"\x01\x00", rng.randbytes(2)]) + packet[22:],
        lambda: rng.randbytes(rng.randrange(1, 60)),
        lambda: b"",
    ])()


async def follow(tb, rates, count):
    follower, rng = Follower(tb, rates), tb.rng
    follower.sequence = rng.choice([1, 1, 1_000, 1 << 40])
    for _ in range(count):
        packet = random_packet(rng, follower.sequence)
        odd = rng.random()
        if odd < 0.04:
            bad = rng.choice([DropReason.MAC_ERROR, DropReason.UDP_CHECKSUM, DropReason.TRUNCATED])
            follower.send(packet, bad, last=rng.random() < 0.5)
        elif odd < 0.08:
            follower.send(packet[:rng.randrange(len(packet) + 1)], DropReason.TRUNCATED, last=False)
        elif odd < 0.12:
            follower.send(b"", rng.choice([DropReason.NOT_MATCHED, DropReason.IP_CHECKSUM]))
        else:
            follower.send(packet)
    await follower.check()
    wanted = {DropReason.NONE, DropReason.MALFORMED, DropReason.UDP_CHECKSUM}
    assert all(follower.kinds[kind] for kind in wanted), f"never met: {[kind for kind in wanted if not follower.kinds[kind]]}"


@bench_test
async def packets_with_pauses(tb):
    await follow(tb, Pattern.EVERYTHING, share(700))


@bench_test
async def packets_back_to_back(tb):
    await follow(tb, Pattern.DENSE, share(2_500))


@bench_test
async def blocks_on_every_lane(tb):
    """Every length on every lane before every other short length, in full frames without a pause."""
    follower, rng = Follower(tb, Pattern.DENSE), tb.rng
    lengths = [*range(0, 12), 18, 19, 20, 35, 36]
    blocks = [length for first in lengths for second in lengths for lane in range(8) for length in (first, second, lane)]
    blocks = blocks[:share(len(blocks))]
    while blocks:
        part, blocks = blocks[:40], blocks[40:]
        follower.send(pack_packet(SESSION, follower.sequence, [rng.randbytes(length) for length in part]))
    await follower.check()


@bench_test
async def latency(tb):
    """Each message word comes ``LATENCY`` cycles after its payload word, the verdict ``VERDICT_LATENCY`` after the frame's."""
    follower, rng = Follower(tb, (0.7,)), tb.rng
    payload, words = tb.monitor("payload"), tb.monitor("words")
    verdict_in, verdict = tb.monitor("verdict_in"), tb.monitor("verdict")
    for _ in range(50):
        follower.send(pack_packet(SESSION, follower.sequence, [rng.randbytes(rng.randrange(9, 40)) for _ in range(10)]))
    await follower.check()
    late = tb.component.LATENCY
    times = {one.payload.ingress: one.cycle for one in payload.received}
    assert all(one.cycle - times[one.payload.ingress] == late for one in words.received)
    late = tb.component.VERDICT_LATENCY
    tb.compare([one.cycle for one in verdict.received], [one.cycle + late for one in verdict_in.received], "verdict")

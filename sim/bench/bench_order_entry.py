"""Orders to frames against the golden encoder: every byte on the wire, the numbers, and what is said of each order sent."""

from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.bench.words import CardClock, FrameCollector
from sim.golden.order_frame import Address, order_frame
from sim.golden.ouch50 import decode, order_packet, packets
from sim.golden.records import CANCEL_ORDER, NEW, REPLACE_ORDER, Order


def random_addresses(rng, venues):
    widths = (48, 48, 32, 32, 16, 16)
    return [Address(*(rng.choice([rng.getrandbits(width), (1 << width) - 1, 0]) for width in widths)) for _ in range(venues)]


def random_order(rng, venues, symbols):
    odd = rng.random() < 0.1
    return {
        "kind": rng.choice([NEW, NEW, REPLACE_ORDER, CANCEL_ORDER]), "reference": rng.getrandbits(32), "pair": rng.randrange(2),
        "day": rng.randrange(2),
        "strategy": rng.randrange(16), "venue": rng.randrange(venues), "symbol": rng.randrange(symbols), "side": rng.randrange(2),
        "shares": rng.choice([0xFFFFFFFF, 0, rng.getrandbits(32)]) if odd else rng.randint(1, 999_999),
        "price": rng.choice([0xFFFFFFFF, 0, rng.getrandbits(32)]) if odd else rng.randint(1, 10_000_000),
        "trigger_venue": rng.randrange(16), "trigger_sequence": rng.getrandbits(64), "ingress": rng.getrandbits(32),
    }


def text_bits(name: str) -> int:
    return int.from_bytes(f"{name:<8}".encode("ascii"), "little")


class Session:
    """The device with names and addresses, and what it must send."""

    def __init__(self, tb, *, rates, back_pressure):
        self.tb, rng = tb, tb.rng
        self.venues, self.symbols = tb.component.config.venues, tb.component.config.symbols
        self.clock = tb.add(CardClock(tb, offset=2**32 - 2_000))
        self.orders, self.frames = tb.source("orders", rates=rates), tb.sink("frames", rates=back_pressure)
        self.sent, self.collector = tb.monitor("sent"), FrameCollector(self.frames)
        self.names = ["".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123", k=rng.randint(1, 8))) for _ in range(self.symbols)]
        self.addresses = random_addresses(rng, self.venues)
        tb.set(addresses=self.addresses)
        self.user_refs, self.expected = [1] * self.venues, []

    async def tell_names(self):
        self.tb.source("names").send(*({"symbol": symbol, "name": text_bits(name)} for symbol, name in enumerate(self.names)))
        await self.tb.drain()

    def send(self, count):
        for _ in range(count):
            order = random_order(self.tb.rng, self.venues, self.symbols)
            self.orders.send(order)
            plain = Order(*(order[name] for name in Order._fields))
            user_ref = plain.reference if plain.kind == CANCEL_ORDER else self.user_refs[plain.venue]
            self.user_refs[plain.venue] += plain.kind != CANCEL_ORDER
            packet = order_packet(plain, name=self.names[plain.symbol], user_ref=user_ref)
            self.expected.append((order, user_ref, order_frame(self.addresses[plain.venue], packet)))

    async def check(self):
        tb = self.tb
        await tb.drain(limit=400_000)
        assert not self.collector.incomplete
        frames = self.collector.frames
        tb.compare([frame for _, _, frame in frames], [frame for _, _, frame in self.expected], "frame")
        for (first, _, frame), said, (order, user_ref, _) in zip(frames, self.sent.received, self.expected, strict=True):
            assert said.cycle == first, "an order was reported in another cycle than that of its first word"
            assert {name: getattr(said.payload.order, name) for name in order} == order
            assert said.payload.user_ref == user_ref
            assert said.payload.latency == (self.clock.at(first) - order["ingress"]) & 0xFFFF_FFFF
            (packet,) = packets([frame[42:14 + int.from_bytes(frame[16:18], "big")]])
            assert decode(packet.payload, inbound=True).fields["user_ref"] == user_ref
        assert tb.get("next_user_ref") == tuple(self.user_refs)


@bench_test
async def orders_with_pauses(tb):
    session = Session(tb, rates=Pattern.EVERYTHING, back_pressure=Pattern.EVERYTHING)
    await session.tell_names()
    session.send(share(800))
    await session.check()


@bench_test
async def orders_back_to_back(tb):
    """Two cycles from the order to the first word of its frame, whose words follow without a pause."""
    session = Session(tb, rates=Pattern.DENSE, back_pressure=Pattern.DENSE)
    await session.tell_names()
    session.send(share(300))
    await session.check()
    late = tb.component.LATENCY
    starts = [first for first, _, _ in session.collector.frames]
    tb.compare(starts, [one.cycle + late for one in session.orders.sent], "cycle of a first word")
    lengths = [(len(frame) + 7) // 8 for _, _, frame in session.collector.frames]
    assert all(last - first == length - 1 for (first, last, _), length in zip(session.collector.frames, lengths, strict=True))


@bench_test
async def numbers_set_by_the_host(tb):
    """The host sets a venue's next number; at the end of the numbers no order leaves."""
    session, rng = Session(tb, rates=Pattern.DENSE, back_pressure=Pattern.DENSE), tb.rng
    await session.tell_names()
    for _ in range(share(20)):
        venue, value = rng.randrange(session.venues), rng.getrandbits(31) + 1
        tb.set(set_user_ref=1, set_user_ref_venue=venue, set_user_ref_value=value)
        await tb.cycles(1)
        tb.set(set_user_ref=0)
        await tb.cycles(1)
        session.user_refs[venue] = value
        session.send(5)
        await tb.drain()
    await session.check()
    tb.set(set_user_ref=1, set_user_ref_venue=0, set_user_ref_value=0)
    await tb.cycles(1)
    tb.set(set_user_ref=0)
    await tb.cycles(2)
    assert tb.get("exhausted")
    before = len(session.collector.frames)
    session.orders.send(random_order(rng, session.venues, session.symbols))
    await tb.cycles(100)
    assert len(session.collector.frames) == before, "an order left without a number"
    assert not session.orders.idle
    tb.set(set_user_ref=1, set_user_ref_venue=0, set_user_ref_value=7)
    await tb.cycles(1)
    tb.set(set_user_ref=0)
    await tb.drain()
    assert len(session.collector.frames) == before + 1

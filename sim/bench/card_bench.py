"""A card on the bench: its feeds, its host, its scoreboard, brought into trading as a host does it."""

from hw.config import CardConfig
from hw.reasons import RejectReason
from sim.bench.feeds import PORT, RECOVERY_PORT, Feed, crossing, group
from sim.bench.host import EventDrain, HostBus
from sim.bench.scoreboard import CardScoreboard
from sim.bench.streams import Pattern
from sim.golden.bank import NO_FURTHER_LIMITS
from sim.golden.order_frame import Address

LIMITS = {"MAX_SHARES": 5_000, "MAX_NOTIONAL": 10_000_000_000, "MAX_POSITION": 2_000_000, "RATE_BURST": 1_000, "RATE_INTERVAL": 1}
"""With these nearly everything passes."""

HOLE = 2_000
"""Cycles until a hole is a gap: all frames of a round of a bench are in by then, so that it is clear what is missing."""

ANY_PRICE = {"MAX_DISTANCE": 2**32 - 1, "MAX_DEVIATION": 2**16 - 1}

TIGHT = (
    {"MAX_SHARES": 150}, {"MAX_NOTIONAL": 5_000}, {"MAX_NOTIONAL": 10_000_000}, {"MAX_SHARES": 100, "MAX_POSITION": 100},
    {"MAX_SHARES": 500, "MAX_POSITION": 500}, {"MAX_POSITION": 500}, {"RATE_BURST": 0}, {"RATE_BURST": 1, "RATE_INTERVAL": 20_000},
    {"RATE_INTERVAL": 300}, {"MAX_OPEN_ORDERS": 1}, {"WAIVED": 1 << RejectReason.DEAD_MAN, **ANY_PRICE},
    {"WAIVED": 1 << RejectReason.DEAD_MAN | 1 << RejectReason.UNSURE_BOOK, **ANY_PRICE, "MAX_DISTANCE": 100},
    {"WAIVED": 1 << RejectReason.DEAD_MAN | 1 << RejectReason.UNSURE_BOOK, **ANY_PRICE, "MAX_DEVIATION": 200},
)
"""One of the limits at a time. Two of them the card refuses."""


class CardBench:
    """The card with everything around it.

    Parameters
    ----------
    rates : sequence of float
        Pace of the words on the feed ports.
    back_pressure : sequence of float
        Pace at which the order port is read.
    flow : function
        Gives names, bindings and messages: see :mod:`sim.bench.feeds`.
    """

    def __init__(self, tb, *, rates=Pattern.EVERYTHING, back_pressure=(1.0, 1.0, 0.5), flow=crossing):
        self.tb, self.config = tb, tb.component.config
        assert isinstance(self.config, CardConfig)
        self.bus = tb.add(HostBus(tb))
        self.orders = tb.sink("orders", rates=back_pressure)
        self.symbols, self.locates, messages = flow(tb.rng, self.config.venues, min(4, self.config.symbols))
        self.feeds = [
            Feed(tb.rng, venue, tb.source(f"feed__{venue}", rates=rates), messages[venue], self.locates[venue][0])
            for venue in range(self.config.venues)]
        self.others = [tb.source(f"feed_b__{venue}", rates=rates) for venue in range(self.config.venues)]
        self.answers = [0] * self.config.venues
        self.board = tb.add(CardScoreboard(tb, self.bus))
        self.drain = tb.add(EventDrain(self.bus, self.config.events))

    async def set_up(
        self, *, arm: bool = True, assume_trading: bool = True, min_profit: int = 1, max_shares: int = 1_000, cooldown: int = 0,
    ) -> None:
        """Addresses, names, bindings, limits; then trading."""
        bus, rng = self.bus, self.tb.rng
        for venue in range(self.config.venues):
            bus.write("FEED_IP", group(venue), venue)
            bus.write("FEED_PORT", PORT + venue, venue)
            bus.write("FEED_SEQUENCE", 1, venue)
            address = Address(*(rng.getrandbits(width) for width in (48, 48, 32, 32, 16, 16)))
            for field, value in address._asdict().items():
                bus.write(f"ORDER_{field.upper()}", value, venue)
            bus.write("USER_REF", rng.getrandbits(31) + 1, venue)
            for slot, locate in enumerate(self.locates[venue]):
                bus.write("BINDING", 1 << 31 | locate, venue, slot)
            bus.write("ASSUME_TRADING", (1 << self.config.symbols) - 1 if assume_trading else 0, venue, 0)
        for slot, name in enumerate(self.symbols):
            bus.write("NAME", int.from_bytes(f"{name:<8}".encode("ascii"), "little"), slot)
        await self.resync()
        self.settings(min_profit=min_profit, max_shares=max_shares, cooldown=cooldown)
        await self.limits(**LIMITS)
        bus.write("ARB_ENABLE", (1 << self.config.symbols) - 1, 0)
        if arm:
            await bus.arm()
        await bus.settle()

    async def listen_to_both_lines(self, *, hole: int = HOLE) -> None:
        """Line B and retransmission of every venue, and cycles for either line to bring what the other has lost."""
        for venue in range(self.config.venues):
            for name, value in (
                ("FEED_B_IP", group(venue)), ("FEED_B_PORT", PORT + venue), ("RECOVERY_IP", group(venue)),
                ("RECOVERY_PORT", RECOVERY_PORT + venue), ("HOLE_CYCLES", hole), ("RECOVERY_CYCLES", 1_000_000),
            ):
                self.bus.write(name, value, venue)
        await self.bus.settle()

    def source(self, venue: int, line: int):
        """What drives a line's port."""
        return (self.feeds[venue].source, self.others[venue])[line]

    def settings(self, **settings) -> None:
        """Of the detector, for all symbols; every venue takes part."""
        for name, value in settings.items():
            self.bus.write(f"ARB_{name.upper()}", value)
        for slot in range(self.config.symbols):
            self.bus.write("ARB_COMMIT", slot)
        self.bus.write("ARB_VENUES", (1 << self.config.venues) - 1)
        for venue in range(self.config.venues):
            self.bus.write("ARB_MAX_AGE", (1 << 48) - 1, venue)

    async def limits(self, **limits) -> None:
        for name, value in (NO_FURTHER_LIMITS | limits).items():
            self.bus.write(f"SHADOW_{name}", value)
        self.bus.write("LIMITS_COMMIT", await self.bus.read("LIMITS_GENERATION") + 1)

    async def resync(self, venues=None) -> None:
        """A fresh start for venues, from the next message on; waits until their books are empty."""
        venues = list(range(self.config.venues)) if venues is None else venues
        for venue in venues:
            self.bus.write("FEED_SEQUENCE", self.feeds[venue].sequence, venue)
        self.bus.write("RESYNC", sum(1 << venue for venue in venues))
        await self.bus.settle()
        while await self.bus.read("STATE") >> 16 & 0xFF:
            pass

    def host_order(self, **order) -> None:
        """Asks for an order; the caller sees to it that the one before has gone."""
        fields = {"venue": 0, "symbol": 0, "side": 0, "shares": 100, "price": 10_000} | order
        self.bus.write("HOST_ORDER", fields["venue"] | fields["side"] << 8 | fields["symbol"] << 16)
        self.bus.write("HOST_ORDER_SHARES", fields["shares"])
        self.bus.write("HOST_ORDER_PRICE", fields["price"])
        self.bus.write("HOST_ORDER_DOORBELL", 1)

    def reply(self, venue: int, user_ref: int, kind: int, shares: int = 0) -> None:
        """What a venue answers next."""
        self.answers[venue] += 1
        self.bus.write("REPLY", kind << 9 | venue << 12)
        self.bus.write("REPLY_USER_REF", user_ref)
        self.bus.write("REPLY_NUMBER", self.answers[venue])
        self.bus.write("REPLY_SHARES", shares)
        self.bus.write("REPLY_DOORBELL", 1)

    async def quiet(self, *, cycles: int = 150, limit: int = 200_000) -> None:
        """Until nothing has moved for so many cycles but the drain of the event ring."""
        tb = self.tb
        sources = [*self.others, *(feed.source for feed in self.feeds)]
        await tb.until(lambda: all(source.idle for source in sources), limit=limit, what="the end of the frames")
        last, since = None, 0
        while since < cycles:
            moved = tuple(checker.transfers for checker in tb.checkers)
            since = since + 1 if moved == last else 0
            last = moved
            await tb.cycles()

    async def finish(self) -> None:
        """Checks that nothing is left, that the host was told everything, and the counters."""
        await self.quiet()
        self.board.check_rest()
        index = -1
        while index != await self.bus.read("EVENT_WRITE_INDEX") or not self.drain.idle or len(self.drain.records) != index:
            index = await self.bus.read("EVENT_WRITE_INDEX")
            await self.tb.cycles(100)
        lost = self.board.check_events(self.drain.records)
        told = await self.bus.counter("EVENTS_LOST")
        assert lost <= told, f"{lost} event records are missing, the card counted {told}"
        await self.board.check_counters()

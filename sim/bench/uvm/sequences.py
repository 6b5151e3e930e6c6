"""Sequences: a market day, faults on the line, and what the host does. They run side by side on their agents."""

from cocotb.triggers import RisingEdge
from pyuvm import uvm_sequence

from host.card.replies import FILLED, RELEASED
from sim.bench.card_bench import LIMITS, TIGHT
from sim.bench.uvm.agents import AccessItem, FrameItem
from sim.golden.bank import NO_FURTHER_LIMITS


class Transmission(uvm_sequence):
    """One frame on one line."""

    def __init__(self, frame, error):
        super().__init__("transmission")
        self.frame, self.error = frame, error

    async def body(self):
        item = FrameItem(self.frame, error=self.error)
        await self.start_item(item)
        await self.finish_item(item)


class FeedSequence(uvm_sequence):
    """Frames of one venue on its lines. Subclasses say which. Now and then one of two lines loses a frame.

    Parameters
    ----------
    card : CardBench
    feed : Feed
    lines : list of uvm_sequencer
    count : int
        Calls of :meth:`act`.
    """

    LOSS = 0.2

    def __init__(self, card, feed, lines, count: int):
        super().__init__(f"{type(self).__name__} {feed.venue}")
        self.card, self.feed, self.lines, self.count = card, feed, lines, count

    async def body(self):
        rng, frames = self.feed.rng, []
        self.feed.transmit = lambda *frame: frames.append(frame)
        for _ in range(self.count):
            await self.pause()
            self.act()
            for frame in frames:
                lost = rng.randrange(len(self.lines)) if len(self.lines) > 1 and rng.random() < self.LOSS else None
                for number, line in enumerate(self.lines):
                    if number != lost:
                        await Transmission(*frame).start(line)
            frames.clear()

    async def pause(self):
        """Before an act."""

    def act(self):
        raise NotImplementedError


class MarketDay(FeedSequence):
    """Good frames, now and then one that changes nothing, no faster than the book takes them."""

    BACKLOG = 50

    async def pause(self):
        waiting, edge = getattr(self.card.tb.dut, f"backlog__{self.feed.venue}"), RisingEdge(self.card.tb.dut.clk)
        while int(waiting.value) > self.BACKLOG:
            await edge

    def act(self):
        self.feed.good() if self.feed.rng.random() < 0.9 else self.feed.harmless()


class Faults(FeedSequence):
    """Broken, repeated, lost and foreign frames between good ones."""

    def act(self):
        feed = self.feed
        feed.rng.choices(
            [feed.good, feed.harmless, feed.spoiled, feed.corrupted, feed.overlapping, feed.malformed, self._gap, feed.end, self._halt],
            (8, 4, 3, 0.6, 2, 0.3, 0.3, 0.3, 1))[0]()

    def _halt(self):
        """Of either kind, and mostly a resumption: else nothing would trade for long."""
        rng = self.feed.rng
        self.feed.status("ANTS", rng.randrange(4), rng.choice("HTTTTT"), operational=rng.random() < 0.3)

    def _gap(self):
        self.feed.lose(self.feed.rng.choice([1, 1, 4]))
        if self.feed.rng.random() < 0.5:
            self.feed.heartbeat()


class Flood(FeedSequence):
    """Full frames of deletes at line rate: more than a book can do, so that the commit buffer overflows."""

    def act(self):
        self.feed.deletes(60)


class HostSequence(uvm_sequence):
    """What the host does, by name of the act."""

    def __init__(self, card, count: int):
        super().__init__(type(self).__name__)
        self.card, self.count = card, count

    async def write(self, name, value, *index):
        item = AccessItem(name, value, *index)
        await self.start_item(item)
        await self.finish_item(item)

    async def read(self, name, *index) -> int:
        item = AccessItem(name, None, *index)
        await self.start_item(item)
        await self.finish_item(item)
        return item.value

    async def pause(self, cycles: int):
        edge = RisingEdge(self.card.tb.dut.clk)
        for _ in range(cycles):
            await edge

    async def commit(self, **limits):
        for name, value in (NO_FURTHER_LIMITS | limits).items():
            await self.write(f"SHADOW_{name}", value)
        await self.write("LIMITS_COMMIT", await self.read("LIMITS_GENERATION") + 1)

    async def arm(self):
        await self.write("ARM_UNLOCK", await self.read("ARM_CHALLENGE") ^ 0xFFFF_FFFF)
        await self.write("ARM", 1)

    async def trade_again(self):
        """Whatever happened before: limits, no kill switch, armed."""
        await self.commit(**LIMITS)
        await self.write("KILL", 0)
        await self.arm()


class Caretaker(HostSequence):
    """Starts stale venues afresh, again and again, while the market goes on."""

    async def body(self):
        for _ in range(self.count):
            await self.pause(self.card.tb.rng.randint(20, 200))
            stale = await self.read("STATE") >> 8 & 0xFF
            for venue in range(self.card.config.venues):
                if stale >> venue & 1:
                    await self.write("FEED_SEQUENCE", await self.read("FEED_EXPECTED", venue), venue)
            if stale:
                await self.write("RESYNC", stale)


class HostActs(HostSequence):
    """Kill switch, disarming, limits, orders, replies, enabling: in any order at any time."""

    async def body(self):
        rng, answered, self.forgotten = self.card.tb.rng, 0, 0
        self.answers = [0] * self.card.config.venues
        acts = [self._kill, self._disarm, self._limits, self._wrong_commit, self._clear, self._enable, *[self._order] * 3]
        for _ in range(self.count):
            await self.pause(rng.randrange(150))
            await rng.choice(acts)()
            sent = self.card.board.sent
            for order, user_ref, _ in sent[max(answered, self.forgotten):]:
                await self._reply(order, user_ref)
            answered = len(sent)
            if rng.random() < 0.5:
                await self.trade_again()
                await self.write("ARB_ENABLE", (1 << self.card.config.symbols) - 1, 0)

    async def _kill(self):
        await self.write("KILL", 1)
        await self.arm()

    async def _disarm(self):
        await self.write("ARM", 0)

    async def _limits(self):
        """One limit is tight, and an order comes that nothing else is against."""
        await self.commit(**LIMITS | self.card.tb.rng.choice(TIGHT))
        await self.write("KILL", 0)
        await self.arm()
        for _ in range(2):
            await self._ask(0x100, 100, 1_000_000)

    async def _wrong_commit(self):
        await self.write("LIMITS_COMMIT", self.card.tb.rng.getrandbits(32) | 1 << 31)

    async def _clear(self):
        if self.card.tb.rng.random() < 0.5:
            await self.write("ARM", 0)
            await self.pause(200)  # what has passed has left: the card forgets all that the board has seen
            self.forgotten = len(self.card.board.sent)
        await self.write("CLEAR_POSITIONS", 1)

    async def _enable(self):
        await self.write("ARB_ENABLE", self.card.tb.rng.getrandbits(self.card.config.symbols), 0)

    async def _order(self):
        choice = self.card.tb.rng.choice
        await self._ask(
            choice([0, 1, 1, 7]) | choice([0, 1]) << 8 | choice([0, 1, 2, 3, 3, 200]) << 16, choice([0, 1, 100, 100, 200, 6_000]),
            choice([0, 1, 10_000, 10_000, 1_000_000, 0x80000000]))

    async def _ask(self, fields, shares, price):
        while await self.read("HOST_ORDER_BUSY"):
            pass
        await self.write("HOST_ORDER", fields)
        await self.write("HOST_ORDER_SHARES", shares)
        await self.write("HOST_ORDER_PRICE", price)
        await self.write("HOST_ORDER_DOORBELL", 1)

    async def _reply(self, order, user_ref):
        rng = self.card.tb.rng
        filled = rng.randint(0, order.shares)
        for kind, shares in ((FILLED, filled), (RELEASED, order.shares - filled + (rng.random() < 0.1))):
            self.answers[order.venue] += 1
            await self.write("REPLY", kind << 9 | order.venue << 12)
            await self.write("REPLY_USER_REF", user_ref)
            await self.write("REPLY_NUMBER", self.answers[order.venue])
            await self.write("REPLY_SHARES", shares)
            await self.write("REPLY_DOORBELL", 1)

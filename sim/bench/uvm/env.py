"""The environment: agents around the card, the scoreboard that follows it, the subscriber that collects coverage."""

from itertools import chain

from pyuvm import ConfigDB, uvm_env, uvm_scoreboard, uvm_subscriber, uvm_tlm_analysis_fifo

from hw.reasons import DropReason, RejectReason, StaleReason
from sim.bench.uvm.agents import FeedAgent, HostAgent, OrderAgent
from sim.bench.uvm.coverage import Coverage
from sim.golden.ethernet import HEADERS
from sim.golden.itch50 import BOOK_TYPES
from sim.golden.moldudp64 import HEADER_LENGTH
from sim.golden.records import ADD, BUY, REPLACE


class Scoreboard(uvm_scoreboard):
    """Counts what the monitors tell; at the end all of it must have been compared, and it must have been enough.

    The comparison itself happens cycle by cycle in :class:`sim.bench.scoreboard.CardScoreboard`, which has the golden chain.
    """

    def build_phase(self):
        self.card, self.minimum = ConfigDB().get(self, "", "CARD"), ConfigDB().get(self, "", "MINIMUM")
        self.frames, self.orders = uvm_tlm_analysis_fifo("frames", self), uvm_tlm_analysis_fifo("orders", self)

    def check_phase(self):
        frames, orders = _drained(self.frames), _drained(self.orders)
        board = self.card.board
        board.check_rest()
        assert len(frames) == sum(len(line.outcomes) for venue in board.venues for line in venue.lines), "a frame passed the monitors by"
        assert [item.data for item in orders] == [data for _, _, data in board.collector.frames], "an order frame passed the monitor by"
        assert len(orders) == len(board.sent), f"{len(orders)} order frames, {len(board.sent)} expected"
        done = self.card.tb.transactions
        assert done >= self.minimum, f"compared {done} transactions, meant to compare at least {self.minimum}"
        self.logger.info(f"{len(frames)} frames, {len(orders)} orders, {done} transactions compared")


def _drained(fifo) -> list:
    found = []
    while True:
        good, item = fifo.try_get()
        if not good:
            return found
        found.append(item)


class FrameCoverage(uvm_subscriber):
    """Messages by lane, fates, gaps."""

    def write(self, told):
        _, frame, outcome = told
        cover = self.coverage
        cover.hit("fate of a frame", outcome.reason.name)
        if outcome.reason is not DropReason.NONE:
            return
        count = int.from_bytes(frame[HEADERS + 18:HEADERS + 20], "big")
        if count in (0, 0xFFFF):
            cover.hit("sequence numbers", "heartbeat" if count == 0 else "end of session")
        if outcome.reveals and count == 0:
            cover.hit("sequence numbers", "revealed by a heartbeat")
        if outcome.duplicates and count != 0xFFFF:
            cover.hit("sequence numbers", "packet seen before" if outcome.duplicates >= count else "packet seen in part")
        at = HEADERS + HEADER_LENGTH
        for _ in range(count if count != 0xFFFF else 0):
            kind = chr(frame[at + 2])
            cover.hit("message kind on byte lane", f"{kind if kind in BOOK_TYPES else 'other'} on {(at + 2 - HEADERS) % 8}")
            at += 2 + int.from_bytes(frame[at:at + 2], "big")


class HostCoverage(uvm_subscriber):
    """What the host has done."""

    def write(self, told):
        name, _, _ = told
        if name in self.coverage.hits["register written"]:
            self.coverage.hit("register written", name)


class CardEnv(uvm_env):
    """Everything around the card."""

    def build_phase(self):
        self.card, coverage = ConfigDB().get(self, "", "CARD"), ConfigDB().get(self, "", "COVERAGE")
        assert isinstance(coverage, Coverage)
        self.feeds = [
            [FeedAgent(f"feed_{number}_{name}", self, number, line) for line, name in enumerate("ab")]
            for number in range(self.card.config.venues)]
        self.host, self.orders = HostAgent("host", self), OrderAgent("orders", self)
        self.scoreboard = Scoreboard("scoreboard", self)
        self.frame_coverage, self.host_coverage = FrameCoverage("frame_coverage", self), HostCoverage("host_coverage", self)
        self.coverage = self.frame_coverage.coverage = self.host_coverage.coverage = coverage
        for venue in self.card.board.venues:
            venue.on_event = self._cover_book

    def connect_phase(self):
        for feed in chain.from_iterable(self.feeds):
            feed.monitor.ap.connect(self.scoreboard.frames.analysis_export)
            feed.monitor.ap.connect(self.frame_coverage.analysis_export)
        self.host.monitor.ap.connect(self.host_coverage.analysis_export)
        self.orders.monitor.ap.connect(self.scoreboard.orders.analysis_export)

    def extract_phase(self):
        """What the scoreboard has seen, once all is over."""
        board = self.card.board
        for reason, count in board.reasons.items():
            self.coverage.hits["answer of the gateway"][RejectReason(reason).name] += count
        for venue in board.venues:
            for _, reason in venue.losses:
                self.coverage.hit("why a venue went stale", StaleReason(reason).name)
            for _, gap in venue.gaps:
                self.coverage.hit("sequence numbers", "one message" if gap.count == 1 else "several messages")
        for order, _, _ in board.sent:
            who, side = "detector" if order.strategy else "host", "buys" if order.side == BUY else "sells"
            self.coverage.hit("order sent", f"{who} {side}")

    def _cover_book(self, event, order, before, after):
        """``order``: what the event names, before it; ``before`` and ``after``: the symbol's top of book."""
        if event.kind != ADD and order is None:
            self.coverage.hit("book", "unknown reference")
            return
        if after.bid_price and after.ask_price and after.bid_price >= after.ask_price:
            self.coverage.hit("book", "crossed in itself")
        side = event.side if event.kind == ADD else order.side
        was, now = (before[:3], after[:3]) if side == BUY else (before[3:], after[3:])
        self.coverage.hit("book", _situation(event, order, side, was, now))


def _situation(event, order, side, was, now) -> str:
    best, price = was[0], event.price if event.kind in (ADD, REPLACE) else 0
    if event.kind == ADD:
        if not best:
            return "first order of a side"
        if price == best:
            return "joins the best level"
        return "new best level" if (price > best) == (side == BUY) else "behind the best level"
    if order.price != best:
        return "behind the best level changes"
    if event.kind == REPLACE and price == best:
        return "replaced within the best level"
    if not now[0]:
        return "last order of a side goes"
    return "best level shrinks" if now[0] == best else "best level empties"

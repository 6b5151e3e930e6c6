"""Reference model of the pre-armed orders: one record after another."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sim.golden.records import Order, TopOfBook

STRATEGY = 3
"""The strategy's number in the orders."""

BID_AT_LEAST, BID_AT_MOST, ASK_AT_LEAST, ASK_AT_MOST = range(4)


class Entry(NamedTuple):
    """A prepared order and its condition."""

    symbol: int
    watch_venue: int
    when: int
    at: int
    venue: int
    side: int
    shares: int
    price: int

    def met_by(self, top: TopOfBook) -> bool:
        """A side without a price meets nothing."""
        price = top.ask_price if self.when in (ASK_AT_LEAST, ASK_AT_MOST) else top.bid_price
        return price != 0 and (price >= self.at if self.when in (BID_AT_LEAST, ASK_AT_LEAST) else price <= self.at)


@dataclass
class TriggerModel:
    """Which entries are armed, which have fired, and which orders wait to leave."""

    entries: int
    enabled: bool = False
    armed: dict[int, Entry] = field(default_factory=dict)
    fired: set[int] = field(default_factory=set)
    waiting: dict[int, tuple[Entry, Order]] = field(default_factory=dict)

    def commit(self, index: int, entry: Entry | None) -> None:
        """None disarms."""
        if index < self.entries:
            self.fired.discard(index)
            self.waiting.pop(index, None)
            self.armed.pop(index, None)
            if entry is not None:
                self.armed[index] = entry

    def top(self, venue: int, symbol: int, top: TopOfBook, *, sure: bool = True, sequence: int = 0) -> None:
        """A changed top of book; not ``sure``: stale, halted, partial or crossed."""
        if not sure:
            self.waiting = {index: one for index, one in self.waiting.items() if (one[0].watch_venue, one[0].symbol) != (venue, symbol)}
        elif self.enabled:
            for index, entry in list(self.armed.items()):
                if (entry.watch_venue, entry.symbol) == (venue, symbol) and entry.met_by(top):
                    del self.armed[index]
                    self.fired.add(index)
                    self.waiting[index] = entry, Order(
                        STRATEGY, entry.venue, symbol, entry.side, entry.shares, entry.price, venue, sequence)

    def stale(self, venue: int) -> None:
        """The venue can't be relied on: what waits for it is spent."""
        self.waiting = {index: one for index, one in self.waiting.items() if one[0].watch_venue != venue}

    def disable(self) -> None:
        self.enabled = False
        self.waiting = {}

    def next(self) -> Order | None:
        """The next order to leave."""
        return self.waiting.pop(min(self.waiting))[1] if self.waiting else None

"""Reference model of the arbitrage detector: the rule itself, one top of book after another."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sim.golden.records import BUY, SELL, Order, TopOfBook

STRATEGY = 1
"""The detector's number in the orders."""


@dataclass
class Settings:
    """Units as in the hardware's record."""

    min_profit: int = 0
    max_shares: int = 0
    cooldown: int = 0


class Opportunity(NamedTuple):
    """The same shares, to be bought at one venue and sold at another."""

    buy_venue: int
    sell_venue: int
    buy_price: int
    sell_price: int
    shares: int

    @property
    def profit(self) -> int:
        """For all shares, in 1/10000 of the currency unit."""
        return (self.sell_price - self.buy_price) * self.shares


class Outcome(NamedTuple):
    """What one record led to: two orders (the buy first), or a missed opportunity, or nothing."""

    orders: tuple[Order, ...] = ()
    missed: bool = False


@dataclass
class ArbitrageModel:
    """Keeps the last top of book of each venue and symbol.

    A change of one venue is compared with every other venue. What is found counts as one opportunity until a change of one of
    its two venues shows it gone; it is signalled once. One that can't be signalled, because the symbol cools down or the
    orders of the last signal still wait, stays unsignalled: the next change that still shows it has another try.
    """

    venues: int
    symbols: int
    settings: Settings = field(default_factory=Settings)
    enabled: set[int] = field(default_factory=set)
    stale_venues: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._tops: dict[tuple[int, int], TopOfBook] = {}
        self._signalled: set[tuple[int, int, int]] = set()
        self._free_from: dict[int, int] = {}  # first cycle after a symbol's cooldown

    def forget(self, venue: int) -> None:
        """The venue's book begins anew."""
        for symbol in range(self.symbols):
            self._tops.pop((venue, symbol), None)

    def update(
        self, venue: int, symbol: int, top: TopOfBook, *, stale: bool = False, changed: bool = True, sequence: int = 0,
        cycle: int = 0, waiting: bool = False,
    ) -> Outcome:
        """A record of one venue.

        Parameters
        ----------
        stale : bool
            The book can't be sure of this symbol, or is in the middle of a change.
        cycle : int
            Time of the record, for the cooldown; may be left out where there is none.
        waiting : bool
            Orders of the last signal have not been taken yet.
        """
        if not changed or venue >= self.venues or symbol >= self.symbols:
            return Outcome()
        self._tops[venue, symbol] = TopOfBook() if stale else top

        fresh = []
        for other in range(self.venues):
            if other == venue:
                continue
            found = self._between(venue, other, symbol) if symbol in self.enabled else None
            for way in ((venue, other), (other, venue)):
                key = (symbol, *way)
                if found is None or found[:2] != way:
                    self._signalled.discard(key)
                elif key not in self._signalled:
                    fresh.append(found)
        if not fresh or cycle < self._free_from.get(symbol, 0):
            return Outcome()
        if waiting:
            return Outcome(missed=True)

        best = max(fresh, key=lambda found: found.profit)  # the first of equals: the lowest other venue
        self._signalled.add((symbol, best.buy_venue, best.sell_venue))
        self._free_from[symbol] = cycle + self.settings.cooldown + (self.settings.cooldown > 0)
        return Outcome((
            Order(STRATEGY, best.buy_venue, symbol, BUY, best.shares, best.buy_price, venue, sequence, pair=1),
            Order(STRATEGY, best.sell_venue, symbol, SELL, best.shares, best.sell_price, venue, sequence),
        ))

    def _between(self, one: int, two: int, symbol: int) -> Opportunity | None:
        """The opportunity between two venues. If neither way loses, one book is crossed in itself: neither is believed."""
        if {one, two} & self.stale_venues:
            return None
        ways = [
            Opportunity(buy, sell, ask.ask_price, bid.bid_price, min(ask.ask_shares, bid.bid_shares, self.settings.max_shares))
            for buy, sell in ((one, two), (two, one))
            for ask, bid in [(self._tops.get((buy, symbol), TopOfBook()), self._tops.get((sell, symbol), TopOfBook()))]
            if ask.ask_price and ask.ask_shares and bid.bid_price and bid.bid_shares and bid.bid_price >= ask.ask_price
        ]
        if len(ways) != 1:
            return None
        (way,) = ways
        gain = way.sell_price - way.buy_price
        return way if gain > 0 and gain >= self.settings.min_profit and way.shares else None

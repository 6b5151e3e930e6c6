"""Reference model of what the card knows of a symbol's worth at a venue, and of how far an order's price is from it."""

from collections.abc import Collection
from typing import NamedTuple

from sim.golden.account import Standing
from sim.golden.records import Order

Place = tuple[int, int]
"""Venue and symbol."""


class Touch(NamedTuple):
    """A top of book."""

    venue: int
    symbol: int
    bid_price: int
    ask_price: int
    doubtful: bool = False
    """Stale, crossed, or in the middle of a change."""

    @property
    def sure(self) -> bool:
        return bool(self.bid_price and self.ask_price and not self.doubtful)


class SymbolLimits(NamedTuple):
    """What one symbol is limited to."""

    max_shares: int
    max_notional: int
    max_long: int
    max_short: int
    locates: int = 2**32 - 1
    """Shares that may be sold short in all."""
    min_price: int = 0
    max_price: int = 2**32 - 1
    uptick_only: int = 0
    """It may be sold short only above the best bid."""


class Pace(NamedTuple):
    """How an order stands to the rate of its strategy, or of its symbol."""

    kind: str
    key: int
    fast: bool
    """It comes too soon."""
    debt: int
    """Cycles that will have been used ahead of their time if it leaves, as of ``since``."""
    since: int


class Seen(NamedTuple):
    """What was found of an order when it was weighed."""

    reference: int | None = None
    max_deviation: int = 0
    crosses: bool = False
    """It could trade with an own order."""
    own: SymbolLimits | None = None
    """What its symbol is limited to beside all others."""
    account: Standing | None = None
    paces: tuple[Pace, ...] = ()
    bids: tuple[int, ...] = ()
    """Best bids of its symbol, at the venues of which one is known; none if that is not so of its own."""

    def too_far(self, order: Order, max_distance: int) -> tuple[bool, bool]:
        """Further than the limit in money; than the one in parts of the price."""
        if self.reference is None:
            return True, True
        distance = abs(order.price - self.reference)
        return distance > max_distance, distance > (order.price * self.max_deviation) >> 16


class ReferenceModel:
    """One call of :meth:`cycle` is the end of a clock cycle; a top is taken up a cycle after it came.

    Attributes
    ----------
    prices : dict
        Middle of the last sure bid and ask.
    bids : dict
        Best bid of the last top that was sure.
    sure : set
        Whose last top was sure.
    """

    def __init__(self) -> None:
        self.prices, self.bids = dict[Place, int](), dict[Place, int]()
        self.sure = set[Place]()
        self._coming: Touch | None = None

    def cycle(self, touch: Touch | None, *, stale: Collection[int] = (), restarted: Collection[int] = ()) -> None:
        """``stale``: venues whose tops of this cycle can't be sure. ``restarted``: those that are forgotten."""
        coming = self._coming
        self._coming = touch and (touch._replace(doubtful=True) if touch.venue in stale else touch)
        if coming:
            place = coming.venue, coming.symbol
            self.sure = self.sure - {place} | ({place} if coming.sure else set())
            if coming.sure:
                self.prices[place], self.bids[place] = (coming.bid_price + coming.ask_price) // 2, coming.bid_price
        for venue in restarted:
            self.sure = {place for place in self.sure if place[0] != venue}
            self.prices, self.bids = (
                {place: price for place, price in known.items() if place[0] != venue} for known in (self.prices, self.bids))

    def bids_of(self, order: Order) -> tuple[int, ...]:
        """Best bids for an order's symbol, whatever the venue; none where none is known at the order's own."""
        if (order.venue, order.symbol) not in self.bids:
            return ()
        return tuple(bid for (_, symbol), bid in self.bids.items() if symbol == order.symbol)

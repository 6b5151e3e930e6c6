"""Reference order book: every order of every symbol, without bounds, in plain dictionaries.

Written from the book rules of ITCH 5.0 and from the contract of the book stage, not from the RTL.
"""

from heapq import heapify, heappop, heappush

from sim.golden.records import ADD, BUY, CANCEL, EXECUTE, REPLACE, SELL, SET, BookEvent, TopOfBook

MAX_SHARES = (1 << 32) - 1
MAX_ORDERS = (1 << 16) - 1


class LiveOrder:
    __slots__ = ("locate", "price", "shares", "side")

    def __init__(self, locate: int, side: int, shares: int, price: int) -> None:
        self.locate = locate
        self.side = side
        self.shares = shares
        self.price = price


class LadderSide:
    """Price levels of one side of one symbol. The best price is found by a heap that forgets dead prices late."""

    __slots__ = ("levels", "peak", "_heap", "_sign")

    def __init__(self, side: int) -> None:
        self.levels: dict[int, list[int]] = {}
        """Price to [shares, orders]."""
        self.peak = 0
        """Most price levels that were ever occupied at once."""
        self._heap: list[int] = []
        self._sign = -1 if side == BUY else 1

    def add(self, price: int, shares: int) -> bool:
        """True if the level's totals still fit the hardware's fields."""
        level = self.levels.get(price)
        if level is None:
            self.levels[price] = [shares, 1]
            heappush(self._heap, self._sign * price)
            if len(self.levels) > self.peak:
                self.peak = len(self.levels)
            return shares <= MAX_SHARES
        level[0] += shares
        level[1] += 1
        return level[0] <= MAX_SHARES and level[1] <= MAX_ORDERS

    def reduce(self, price: int, shares: int, dies: bool) -> None:
        level = self.levels[price]
        level[0] -= shares
        level[1] -= dies
        if not level[1]:
            del self.levels[price]

    def best(self) -> tuple[int, int, int]:
        """Price, shares and orders of the best level; zeros if there is none."""
        if not self.levels:
            self._heap.clear()
            return 0, 0, 0
        if len(self._heap) > 4 * len(self.levels) + 64:
            self._heap = [self._sign * price for price in self.levels]
            heapify(self._heap)
        while (price := self._sign * self._heap[0]) not in self.levels:
            heappop(self._heap)
        shares, orders = self.levels[price]
        return price, shares, orders

    def depth(self, n: int) -> list[tuple[int, int, int]]:
        """The best ``n`` levels, best first: price, shares, orders."""
        prices = sorted(self.levels, key=lambda price: self._sign * price)[:n]
        return [(price, self.levels[price][0], self.levels[price][1]) for price in prices]


class Book:
    """The books of one venue, by the venue's own symbol number (locate).

    Attributes
    ----------
    orders : dict
        Live orders by reference.
    doubtful : set of int
        Locates that saw an event which contradicts their book (a duplicate reference, more shares taken than the
        order had, zero shares or price, a total that no longer fits): the hardware calls these symbols stale.
    unknown : int
        Events that named a reference which is not live.
    peak_orders : int
        Most orders that were ever live at once.
    """

    def __init__(self) -> None:
        self.orders: dict[int, LiveOrder] = {}
        self.doubtful: set[int] = set()
        self.unknown = 0
        self.peak_orders = 0
        self._books: dict[int, tuple[LadderSide, LadderSide]] = {}

    def apply(self, event: BookEvent) -> int | None:
        """Takes one event in; the locate whose book it was about, or None if it named an unknown reference."""
        kind = event.kind
        if kind == ADD:
            self._add(event.locate, event.side, event.reference, event.shares, event.price)
            return event.locate

        order = self.orders.get(event.reference)
        if kind == SET:
            locate, side = (event.locate, event.side) if order is None else (order.locate, order.side)
            if order is not None:
                self._take(event.reference, order, order.shares)
            if event.shares:
                self._add(locate, side, event.reference, event.shares, event.price)
            return locate
        if order is None:
            self.unknown += 1
            return None
        if kind in (EXECUTE, CANCEL):
            self._take(event.reference, order, event.shares)
            return order.locate
        self._take(event.reference, order, order.shares)
        if kind == REPLACE:
            self._add(order.locate, order.side, event.new_reference, event.shares, event.price)
        return order.locate

    def top(self, locate: int) -> TopOfBook:
        book = self._books.get(locate)
        if book is None:
            return TopOfBook()
        return TopOfBook(*book[BUY].best(), *book[SELL].best())

    def depth(self, locate: int, n: int = 10) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """The best ``n`` bids and asks, best first, each (price, shares, orders)."""
        book = self._books.get(locate)
        if book is None:
            return [], []
        return book[BUY].depth(n), book[SELL].depth(n)

    @property
    def symbols(self) -> int:
        """Number of symbols that ever had an order."""
        return len(self._books)

    @property
    def peak_levels(self) -> int:
        """Most price levels that one side of one symbol ever had at once."""
        return max((side.peak for book in self._books.values() for side in book), default=0)

    def _add(self, locate: int, side: int, reference: int, shares: int, price: int) -> None:
        book = self._books.get(locate)
        if book is None:
            book = self._books[locate] = (LadderSide(BUY), LadderSide(SELL))
        if not shares or not price or reference in self.orders:
            self.doubtful.add(locate)
            return
        self.orders[reference] = LiveOrder(locate, side, shares, price)
        if len(self.orders) > self.peak_orders:
            self.peak_orders = len(self.orders)
        if not book[side].add(price, shares):
            self.doubtful.add(locate)

    def _take(self, reference: int, order: LiveOrder, shares: int) -> None:
        if shares > order.shares:
            self.doubtful.add(order.locate)
            shares = order.shares
        order.shares -= shares
        self._books[order.locate][order.side].reduce(order.price, shares, order.shares == 0)
        if not order.shares:
            del self.orders[reference]

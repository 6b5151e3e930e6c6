"""Price-time matching of all books of one venue. It knows no time and no protocol: it takes orders, and tells a listener what they do.

Prices are in 1/10000. At one price displayed orders come before hidden ones, and earlier ones before later ones. A trade takes the price
of the order that stood in the book. What the listener is told is already done: at each call the books are as the call leaves them. A
listener must not call the engine.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Protocol

from sim.golden.records import BUY, SELL
from sim.venue.auction import MARKET, Cross, cross_price

TRADING, QUOTATION, HALTED, CLOSED = "T", "Q", "H", "C"
"""States of a symbol. QUOTATION: orders come and stand, and nothing trades before the cross. HALTED: no orders, only cancels.
The first three are those of ITCH 5.0."""

OPENING, CLOSING, HALT_CROSS = "O", "C", "H"
"""Kinds of a cross (ITCH 5.0)."""

OLDEST, NEWEST, BOTH = "O", "W", "D"
"""Self-match prevention cancels the order that stands, the one that comes, or takes the same number of shares from both (OUCH 5.0)."""

BY_USER, IMMEDIATE, POST_ONLY, CROSS_OVER, SUPERVISORY, CLOSE, TIME_OVER = "U", "I", "G", "E", "S", "E", "T"
"""Why an order was canceled (OUCH 5.0). CROSS_OVER: it was for one cross alone."""


class EngineError(ValueError):
    """The engine was asked for something that it can't do."""


class Order:
    """One order.

    Parameters
    ----------
    locate : int
        Symbol.
    side : int
        BUY or SELL.
    shares : int
        At least 1.
    price : int
        Limit in 1/10000, or MARKET: then what does not trade at once is canceled.
    immediate : bool
        Immediate or cancel.
    post_only : bool
        Canceled if any of it would trade on entry.
    hidden : bool
        Not displayed.
    cross : str
        For the cross of this kind alone, "" for the book.
    group, prevention : int, str
        Orders of one group, if it is not 0, do not trade with each other; ``prevention`` of the later order says what happens instead.
    owner, token : any
        The caller's.

    Attributes
    ----------
    reference : int
        Order reference number, once entered.
    executed : int
        Shares that traded, those of the orders that it replaced among them.
    public : bool
        The feed has, or had, it.
    """

    __slots__ = ("cross", "executed", "group", "hidden", "immediate", "key", "locate", "owner", "post_only", "prevention", "price",
                 "public", "queue", "reference", "shares", "side", "token")

    def __init__(self, locate: int, side: int, shares: int, price: int, *, immediate: bool = False, post_only: bool = False,
                 hidden: bool = False, cross: str = "", group: int = 0, prevention: str = NEWEST, owner: Any = None, token: Any = None):
        self.locate, self.side, self.shares, self.price = locate, side, shares, price
        self.key = price if side == BUY else -(price % MARKET)
        """The higher, the sooner it trades; an order and one of the other side trade if their sum is not negative."""
        self.immediate, self.post_only, self.hidden, self.cross = immediate, post_only, hidden, cross
        self.group, self.prevention, self.owner, self.token = group, prevention, owner, token
        self.reference = self.executed = 0
        self.public = False
        self.queue: OrderedDict[int, Order] | None = None
        """Where it stands."""


class Listener(Protocol):
    """What the engine tells."""

    def accepted(self, order: Order) -> None:
        """It has a reference number; what it does comes next."""

    def rested(self, order: Order) -> None:
        """What is left of it stands in the book."""

    def traded(self, resting: Order, incoming: Order, shares: int, price: int, match: int) -> None: ...

    def canceled(self, order: Order, shares: int, reason: str) -> None:
        """It has lost ``shares``; without any left it is gone."""

    def prevented(self, order: Order, shares: int, prevented: int, price: int, strategy: str) -> None:
        """It has lost ``shares``, as ``prevented`` of them would have traded with its own group."""

    def replaced(self, old: Order, new: Order, stands: bool) -> None:
        """``new`` has come for ``old``. ``stands``: at once, at the end of its queue; else what it does comes next."""

    def crossed(self, order: Order, shares: int, price: int, match: int, kind: str) -> None:
        """Its share of a cross."""

    def cross_done(self, locate: int, cross: Cross, match: int, kind: str) -> None: ...

    def changed_state(self, locate: int, state: str) -> None: ...


class _Level:
    __slots__ = ("hidden", "shown")

    def __init__(self) -> None:
        self.shown: OrderedDict[int, Order] = OrderedDict()
        self.hidden: OrderedDict[int, Order] = OrderedDict()


class _Side:
    """Levels by key; the best key is the last."""

    __slots__ = ("keys", "levels")

    def __init__(self) -> None:
        self.levels: dict[int, _Level] = {}
        self.keys: list[int] = []

    def add(self, order: Order) -> None:
        level = self.levels.get(order.key)
        if level is None:
            level = self.levels[order.key] = _Level()
            insort(self.keys, order.key)
        order.queue = level.hidden if order.hidden else level.shown
        order.queue[order.reference] = order

    def remove(self, order: Order) -> None:
        queue = order.queue
        assert queue is not None
        del queue[order.reference]
        if queue:
            return
        level = self.levels[order.key]
        if not level.shown and not level.hidden:
            del self.levels[order.key]
            if self.keys[-1] == order.key:
                self.keys.pop()
            else:
                del self.keys[bisect_left(self.keys, order.key)]

    def orders(self) -> Iterator[Order]:
        """By priority."""
        for key in reversed(self.keys):
            yield from self.levels[key].shown.values()
            yield from self.levels[key].hidden.values()


class _Book:
    __slots__ = ("only_cross", "reference", "sides", "state")

    def __init__(self, reference: int, state: str):
        self.sides = (_Side(), _Side())
        self.only_cross: OrderedDict[int, Order] = OrderedDict()
        """Orders for a cross alone."""
        self.reference = reference
        """The last price: of a cross or a trade."""
        self.state = state


class Engine:
    """The books of one venue, by locate.

    Parameters
    ----------
    listener : Listener

    Attributes
    ----------
    orders : dict
        All orders that stand, by reference.
    """

    def __init__(self, listener: Listener):
        self.orders: dict[int, Order] = {}
        self._listener = listener
        self._books: dict[int, _Book] = {}
        self._references = 0
        self._matches = 0

    def list_symbol(self, locate: int, *, reference: int = 0, state: str = TRADING) -> None:
        """``reference``: price for the first cross, in 1/10000."""
        self._books[locate] = _Book(reference, state)

    def state(self, locate: int) -> str:
        return self._books[locate].state

    def last_price(self, locate: int) -> int:
        """Of the last trade or cross; before it the reference price."""
        return self._books[locate].reference

    def best(self, locate: int, side: int) -> int:
        """Best price of a side, hidden orders among them; 0 if it is empty."""
        keys = self._books[locate].sides[side].keys
        return abs(keys[-1]) if keys else 0

    def displayed(self, locate: int, side: int) -> list[tuple[int, int, int]]:
        """The levels that the feed shows, best first: price, shares, orders."""
        side_ = self._books[locate].sides[side]
        shown = ((abs(key), side_.levels[key].shown.values()) for key in reversed(side_.keys))
        return [(price, sum(order.shares for order in orders), len(orders)) for price, orders in shown if orders]

    def enter(self, order: Order) -> None:
        """Takes a new order in. Raises EngineError where its symbol is halted or closed."""
        book = self._open_book(order)
        self._number(order)
        self._listener.accepted(order)
        if order.cross:
            self._hold(book, order)
        else:
            self._trade(book, order)

    def cancel(self, order: Order, left: int = 0, reason: str = BY_USER) -> bool:
        """Leaves at most ``left`` shares of an order that stands, in its place in the queue. False if it has no more anyway."""
        shares = order.shares - left
        if shares <= 0 or order.reference not in self.orders:
            return False
        self._take(order, shares)
        self._listener.canceled(order, shares, reason)
        return True

    def replace(self, old: Order, new: Order) -> None:
        """``new`` comes for ``old``, an order of the same symbol and side that stands; it loses the place in the queue."""
        if (old.locate, old.side, old.cross) != (new.locate, new.side, new.cross) or old.reference not in self.orders:
            raise EngineError(f"order {old.reference} does not stand, or is of another symbol, side or cross")
        book = self._open_book(new)
        new.executed = old.executed
        self._number(new)
        self._take(old, old.shares)
        if new.cross:
            self._hold(book, new)
            self._listener.replaced(old, new, True)
        elif new.immediate or new.price == MARKET or (book.state == TRADING and self._takes(book, new)):
            self._listener.replaced(old, new, False)
            self._trade(book, new)
        else:
            self._stand(book, new)
            self._listener.replaced(old, new, True)

    def set_state(self, locate: int, state: str) -> None:
        """Raises EngineError where trading would begin in a crossed book: it takes a cross first."""
        book = self._books[locate]
        bids, asks = (side.keys for side in book.sides)
        if state == TRADING and bids and asks and bids[-1] + asks[-1] >= 0:
            raise EngineError(f"the book of symbol {locate} is crossed: {bids[-1]} bid, {-asks[-1]} asked")
        book.state = state
        self._listener.changed_state(locate, state)

    def cross(self, locate: int, kind: str) -> Cross:
        """Trades all that can trade at one price, orders for this kind of cross among it; what is left of those is canceled."""
        book = self._books[locate]
        sides = [self._for_cross(book, side, kind) for side in (BUY, SELL)]
        buys, sells = ([(order.price, order.shares) for order in side] for side in sides)
        cross = cross_price(buys, sells, book.reference)
        self._matches += 1
        match = self._matches
        for side in sides:
            left = cross.shares
            for order in side:
                shares = min(left, order.shares)
                if not shares:
                    break
                left -= shares
                order.executed += shares
                self._take(order, shares)
                self._listener.crossed(order, shares, cross.price, match, kind)
        if cross.shares:
            book.reference = cross.price
        self._listener.cross_done(locate, cross, match, kind)
        for order in [order for order in book.only_cross.values() if order.cross == kind]:
            self.cancel(order, reason=CROSS_OVER)
        return cross

    # An order's way

    def _open_book(self, order: Order) -> _Book:
        book = self._books.get(order.locate)
        if book is None or book.state not in (TRADING, QUOTATION):
            raise EngineError(f"symbol {order.locate} takes no orders: {book.state if book else 'not listed'}")
        if order.shares < 1 or not 0 < order.price <= MARKET:
            raise EngineError(f"an order has shares and a price of 1 to {MARKET}, not {order.shares} at {order.price}")
        return book

    def _number(self, order: Order) -> None:
        self._references += 1
        order.reference = self._references

    def _trade(self, book: _Book, order: Order) -> None:
        """The order takes what it may; the rest stands or is canceled."""
        if book.state == TRADING:
            if order.post_only and self._takes(book, order):
                self._drop(order, POST_ONLY)
                return
            self._match(book, order)
        if not order.shares:
            return
        if order.immediate or order.price == MARKET:
            self._drop(order, IMMEDIATE)
        else:
            self._stand(book, order)
            self._listener.rested(order)

    def _takes(self, book: _Book, order: Order) -> bool:
        keys = book.sides[1 - order.side].keys
        return bool(keys) and order.key + keys[-1] >= 0

    def _match(self, book: _Book, order: Order) -> None:
        contra = book.sides[1 - order.side]
        keys = contra.keys
        while order.shares and keys and order.key + keys[-1] >= 0:
            level = contra.levels[keys[-1]]
            resting = next(iter((level.shown or level.hidden).values()))
            shares = min(order.shares, resting.shares)
            if order.group and order.group == resting.group:
                self._prevent(order, resting, shares)
                continue
            order.shares -= shares
            order.executed += shares
            resting.executed += shares
            self._take(resting, shares)
            self._matches += 1
            book.reference = resting.price
            self._listener.traded(resting, order, shares, resting.price, self._matches)

    def _prevent(self, order: Order, resting: Order, shares: int) -> None:
        strategy = order.prevention
        if strategy != NEWEST:
            lost = shares if strategy == BOTH else resting.shares
            self._take(resting, lost)
            self._listener.prevented(resting, lost, shares, resting.price, strategy)
        if strategy != OLDEST:
            lost = shares if strategy == BOTH else order.shares
            order.shares -= lost
            self._listener.prevented(order, lost, shares, resting.price, strategy)

    def _drop(self, order: Order, reason: str) -> None:
        """What is left of an order that never stood."""
        shares, order.shares = order.shares, 0
        self._listener.canceled(order, shares, reason)

    def _stand(self, book: _Book, order: Order) -> None:
        self.orders[order.reference] = order
        book.sides[order.side].add(order)
        order.public = not order.hidden

    def _hold(self, book: _Book, order: Order) -> None:
        self.orders[order.reference] = order
        order.queue = book.only_cross
        order.queue[order.reference] = order

    def _take(self, order: Order, shares: int) -> None:
        """Shares of an order that stands; without any it is gone."""
        order.shares -= shares
        if order.shares:
            return
        del self.orders[order.reference]
        book = self._books[order.locate]
        if order.cross:
            del book.only_cross[order.reference]
        else:
            book.sides[order.side].remove(order)

    @staticmethod
    def _for_cross(book: _Book, side: int, kind: str) -> list[Order]:
        """By priority."""
        orders = [order for order in book.only_cross.values() if order.cross == kind and order.side == side]
        orders += book.sides[side].orders()
        return sorted(orders, key=lambda order: (-order.key, order.hidden, order.reference))

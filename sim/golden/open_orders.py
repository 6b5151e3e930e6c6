"""Reference model of the card's own open orders: what a venue's answer does to them, from the contract in docs/risk.md."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from hw.reasons import AnswerKind
from sim.golden.account import Release
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, Order

FILLED, RELEASED, ENDED, REPLACED, NOTED, MOVED, UNSENT = AnswerKind


class Answer(NamedTuple):
    """What a venue says of an order, or the host of a position."""

    kind: int
    venue: int = 0
    user_ref: int = 0
    number: int = 0
    shares: int = 0
    symbol: int = 0
    side: int = BUY


class Settlement(NamedTuple):
    """What an answer does to a symbol's exposure."""

    symbol: int
    side: int
    working: int
    """Shares that stop working."""
    moves: int
    """What is added to the position."""
    kind: int
    shares: int
    strategy: int = 0
    """Whose order it was; means nothing where the host moves a position."""


@dataclass
class OpenOrder:
    order: Order
    user_ref: int
    live: int
    """Shares that have traded or may still trade."""
    traded: int = 0
    extra: int = 0
    """Of a REPLACE that is not in force yet: what is reserved for it."""
    waits: bool = False
    heir: "OpenOrder | None" = None
    """The REPLACE of it that is under way."""
    parent: "OpenOrder | None" = None
    cancelled: bool = False
    muddled: bool = False
    """Two CANCELs of it were under way at a time: from then on nobody knows whether one still is."""

    @property
    def left(self) -> int:
        return self.extra if self.waits else self.live - self.traded


@dataclass
class OpenOrders:
    venues: int
    places: int
    """Orders that may be open at a venue; two of them whose numbers differ by a multiple of it can't be."""
    next_ref: list[int] = field(default_factory=list)
    """Number of the venue's next order."""
    orders: dict[tuple[int, int], OpenOrder] = field(default_factory=dict)
    """By venue and UserRefNum."""
    expected: dict[int, int] = field(default_factory=dict)
    """Number of the venue's next answer, where it is known."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of answers, by "late" and "bad"; of REPLACED that bring more to work than was reserved, "unreserved"; and of "unknown_cancel"."""
    released: tuple[list[Release], list[Release]] = field(default_factory=lambda: ([], []))
    lost: bool = False
    """An answer told that something else has happened that it does not tell."""

    def __post_init__(self) -> None:
        self.next_ref = self.next_ref or [1] * self.venues
        self._places, self._taken, self._full = set[tuple[int, int]](), [False] * self.venues, [False] * self.venues
        self._leaves, self._left = -1, -1  # venue to which an order has left in this cycle, in the one before

    def cycle(self) -> None:
        """The end of a clock cycle. A number whose place was taken in the cycle before is left out, while there was another place two
        cycles before; but not in the cycle after an order has left to the venue."""
        for venue, taken in enumerate(self._taken):
            leaves_out = taken and not self._full[venue] and venue != self._left
            self.next_ref[venue] = (self.next_ref[venue] + leaves_out) % 2**32
            self._taken[venue] = (venue, self.next_ref[venue] % self.places) in self._places
            self._full[venue] = sum(at == venue for at, _ in self._places) == self.places
        self._places = {(venue, number % self.places) for venue, number in self.orders}
        self._leaves, self._left = -1, self._leaves

    @property
    def count(self) -> int:
        return sum(not order.waits for order in self.orders.values())

    def no_place(self, venue: int) -> bool:
        """As it stood at the beginning of the cycle before."""
        return venue < self.venues and self._taken[venue]

    def find(self, order: Order) -> OpenOrder | None:
        """What a REPLACE or a CANCEL is about."""
        found = self.orders.get((order.venue, order.reference))
        return found if found and (found.order.symbol, found.order.side) == (order.symbol, order.side) else None

    def replaceable(self, order: Order) -> OpenOrder | None:
        found = self.find(order)
        if found is None or found.waits or found.heir or found.cancelled or found.muddled or found.order.strategy != order.strategy:
            return None
        return found

    def crosses(self, order: Order) -> bool:
        """Could it trade with one of these that may rest at its venue?"""
        against = (
            other.order for other in self.orders.values() if other.order.day and other.order.side != order.side
            and (other.order.venue, other.order.symbol) == (order.venue, order.symbol))
        return any(order.price >= other.price if order.side == BUY else order.price <= other.price for other in against)

    def sent(self, order: Order) -> int:
        """An order leaves; the number that it leaves under. Of a CANCEL its order's."""
        if order.kind == CANCEL_ORDER:
            found = self.find(order)
            self.counts["unknown_cancel"] += found is None
            if found:
                found.cancelled, found.muddled = True, found.muddled or found.cancelled
            return order.reference
        number, self._leaves = self.next_ref[order.venue], order.venue
        self.next_ref[order.venue] = (number + 1) % 2**32
        new = OpenOrder(order, number, order.shares)
        if order.kind == REPLACE_ORDER:
            old = self.orders[order.venue, order.reference]
            new.waits, new.parent, new.extra, old.heir = True, old, max(0, order.shares - old.live), new
        self.orders[order.venue, number] = new
        return number

    def reserved(self) -> dict[tuple[int, int], tuple[Order, int]]:
        """Shares of each order that its account has to answer for: what may still trade, of a REPLACE under way all that it asks for."""
        return {key: (found.order, found.live if found.waits else found.left) for key, found in self.orders.items()}

    def answer(self, answer: Answer, *, armed: bool, symbols: int) -> Settlement | None:
        """What is still to be settled of it; ``released`` tells what works no longer: of the order that it names, and of another one."""
        before = self.reserved()
        settlement, after = self._answer(answer, armed=armed, symbols=symbols), self.reserved()
        named = answer.venue, answer.user_ref
        fallen = {key: (order, shares - after.get(key, (order, 0))[1]) for key, (order, shares) in before.items()}
        self.released = (
            [Release(*fallen[named], traded=answer.kind == FILLED)] if named in fallen else [],
            [Release(order, shares, traded=False) for key, (order, shares) in fallen.items() if key != named and shares])
        return settlement and settlement._replace(strategy=before[named][0].strategy) if named in before else settlement

    def _answer(self, answer: Answer, *, armed: bool, symbols: int) -> Settlement | None:
        self.lost = False
        if answer.kind == MOVED:
            if armed or answer.symbol >= symbols:
                self.counts["bad"] += 1
                return None
            return settled(MOVED, answer.symbol, answer.side, answer.shares, 0)
        if answer.venue >= self.venues:
            self.lost = answer.kind == FILLED
            self.counts["bad"] += 1
            return None
        if answer.kind != UNSENT:
            ahead = (answer.number - self.expected.get(answer.venue, answer.number)) % 2**32
            if ahead >= 2**31:
                self.counts["late"] += 1
                return None
            self.lost = ahead > 0
            self.expected[answer.venue] = (answer.number + 1) % 2**32
        found = self.orders.get((answer.venue, answer.user_ref))
        if answer.kind == NOTED:
            return None
        if found is None:
            self.lost |= answer.kind == FILLED
            self.counts["bad"] += 1
            return None
        return self._apply(answer, found)

    def _apply(self, answer: Answer, found: OpenOrder) -> Settlement | None:
        shares, order, before = answer.shares, found.order, found.left
        kind, told = RELEASED, 0
        if answer.kind == FILLED:
            kind, told = FILLED, shares
            self.lost |= shares > before or found.waits
            if found.waits:
                return settled(FILLED, order.symbol, order.side, shares, 0)
            found.traded += min(shares, before)
        elif answer.kind == RELEASED and not found.waits:
            self.counts["bad"] += shares > before
            found.live -= min(shares, before)
            found.cancelled = False
        elif answer.kind in (ENDED, UNSENT):
            if found.waits and found.parent:
                found.parent.heir = None
            self._forget(found)
            return self._ended(found, RELEASED, before, before)
        elif answer.kind == REPLACED and found.waits and found.parent:
            return self._in_force(found, found.parent)
        else:
            self.counts["bad"] += 1
            return None
        working = before - found.left
        if kind == RELEASED:
            told = working
        if found.left == 0:
            self._forget(found)
            return self._ended(found, kind, told, working)
        return settled(kind, order.symbol, order.side, told, working)

    def _ended(self, found: OpenOrder, kind: int, told: int, working: int) -> Settlement | None:
        """A REPLACE that is under way ends with its order: the venue ignores it."""
        if found.heir:
            working += found.heir.extra
            self._forget(found.heir)
        return settled(kind, found.order.symbol, found.order.side, told, working)

    def _in_force(self, new: OpenOrder, old: OpenOrder) -> Settlement | None:
        """What the old order had traded counts for the new one."""
        reserved = old.left + new.extra
        new.waits, new.parent, new.traded = False, None, min(old.traded, new.live)
        self._forget(old)
        if new.left == 0:
            self._forget(new)
        self.lost |= new.left > reserved
        self.counts["unreserved"] += new.left > reserved
        release = max(0, reserved - new.left)
        return settled(RELEASED, new.order.symbol, new.order.side, release, release)

    def _forget(self, order: OpenOrder) -> None:
        del self.orders[order.order.venue, order.user_ref]


def settled(kind: int, symbol: int, side: int, shares: int, working: int) -> Settlement | None:
    """None where nothing changes."""
    if kind != MOVED and not shares and not working:
        return None
    moves = 0 if kind == RELEASED else shares if side == BUY else -shares
    return Settlement(symbol, side, working, moves, 2 if kind == MOVED else kind, shares)



"""What the hardware's book must answer: the reference book, with what a record adds to prices and shares.

Written from the contract of the book stage, not from the RTL.
"""

from collections import Counter
from collections.abc import Set
from typing import NamedTuple

from sim.golden.book import Book
from sim.golden.records import ADD, DELETE, REPLACE, SET, BookEvent, TopOfBook
from sim.golden.trading import TradingModel

MAX = (1 << 32) - 1
MASKS = TopOfBook(MAX, MAX, 0xFFFF, MAX, MAX, 0xFFFF)


class Answer(NamedTuple):
    """What the record of an event must say."""

    locate: int
    top: tuple[int, ...] | None
    """None: the symbol's prices mean nothing any more."""
    halted: bool
    partial: bool
    stale: bool | None
    """None: it may, but need not yet."""
    changed: bool
    case: str
    """ADD, STATUS, TAKE, REPLACE or SET; TAKE EMPTIES or REPLACE EMPTIES (the best level); UNKNOWN."""

    @property
    def names_an_order(self) -> bool:
        return self.case not in ("ADD", "STATUS")

    @property
    def operations(self) -> int:
        """1, or 2: an order goes and another one comes."""
        return 1 + (self.case[:3] in ("REP", "SET"))


class ExpectedBook:
    """Answers events one by one as the hardware must. It goes by their locate, which may as well be a slot.

    Parameters
    ----------
    assumed : set of int
        Symbols that trade as long as the venue has not said whether they do.

    Attributes
    ----------
    book : Book
    cases : Counter
        Events by their case.
    unsure : set of int
        Symbols whose prices mean nothing any more.
    """

    def __init__(self, assumed: Set[int] = frozenset()) -> None:
        self.book = Book()
        self.cases: Counter[str] = Counter()
        self.unsure: set[int] = set()
        self._assumed, self._trading = set(assumed), TradingModel()
        self._stale: set[int] = set()
        self._maybe: set[int] = set()
        self._last: dict[int, Answer] = {}

    def answer(self, event: BookEvent, *, refused: bool = False) -> Answer:
        """``refused``: the order store says that it had no room for what the event brings."""
        case = self._case(event)
        self.cases[case] += 1
        if case == "STATUS":
            self._trading.apply(event.locate, event)
            locate = event.locate
        else:
            locate = self._book(event, refused)
        last = self._last.get(locate, Answer(locate, tuple(TopOfBook()), True, False, False, False, ""))
        answer = Answer(
            locate, tuple(total & mask for total, mask in zip(self.book.top(locate), MASKS, strict=True)),
            self._trading.halted(locate, self._assumed),
            last.partial if case == "STATUS" else bool(event.partial),  # a status may come in the middle of a change
            locate in self._stale or (None if locate in self._maybe else False), False, case)
        answer = answer._replace(changed=answer[1:5] != last[1:5])
        self._last[locate] = answer
        return answer._replace(top=None) if locate in self.unsure else answer

    def found_stale(self, locate: int) -> None:
        """The device says so."""
        self._stale.add(locate)
        if locate in self._last:
            self._last[locate] = self._last[locate]._replace(stale=True)

    def lost_a_level(self, locate: int) -> None:
        """A far level found no place: the symbol is stale, and its prices mean nothing any more."""
        self.unsure.add(locate)
        self.found_stale(locate)

    def _book(self, event: BookEvent, refused: bool) -> int:
        """Takes an event in; the locate that it was about."""
        doubtful = set(self.book.doubtful)
        old = self.book.orders.get(event.reference) if event.kind != ADD else None
        duplicate = self._is_duplicate(event)
        taken = event._replace(kind=DELETE) if refused else event
        touched = None if refused and old is None else self.book.apply(taken)
        locate = event.locate if touched is None else touched
        if refused:
            self._stale.add(locate)
        if refused or duplicate:
            self.unsure.add(locate)
        if self.book.doubtful - doubtful:
            (self._maybe if self._is_late(event, duplicate) else self._stale).add(locate)
        return locate

    def _is_duplicate(self, event: BookEvent) -> bool:
        orders = self.book.orders
        if not event.shares or not event.price:
            return False
        if event.kind == ADD:
            return event.reference in orders
        return event.kind == REPLACE and event.reference in orders and event.reference != event.new_reference in orders

    def _is_late(self, event: BookEvent, duplicate: bool) -> bool:
        """A total that does not fit is told late of a level behind the best: the top is right."""
        order = self.book.orders.get(event.new_reference if event.kind == REPLACE else event.reference)
        if duplicate or order is None or not event.shares or not event.price or event.kind not in (ADD, REPLACE, SET):
            return False
        return order.price != self.book.depth(order.locate, 1)[order.side][0][0]

    def _case(self, event: BookEvent) -> str:
        if event.kind > SET:
            return "STATUS"
        if event.kind == ADD:
            return "ADD"
        order = self.book.orders.get(event.reference)
        if event.kind == SET and event.shares:
            return "SET"
        if event.kind == REPLACE and order is None:
            return "REPLACE UNKNOWN"
        if order is None:
            return "UNKNOWN"
        kind = "REPLACE" if event.kind == REPLACE else "TAKE"
        best = self.book.depth(order.locate, 1)[order.side][0]
        dies = event.kind >= DELETE or event.shares >= order.shares
        return f"{kind} EMPTIES" if dies and best[0] == order.price and best[2] == 1 else kind

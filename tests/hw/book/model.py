"""What a book of a given size must answer: the reference book, told which orders the hash tables have no place for."""

from collections import Counter
from random import Random
from typing import NamedTuple

from sim.golden.book import Book
from sim.golden.book_timing import BookTiming
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, SET, BookEvent, TopOfBook
from tests.hw.book.driver import level_bits

MAX = (1 << 32) - 1
MASKS = TopOfBook(MAX, MAX, 0xFFFF, MAX, MAX, 0xFFFF)


def add(reference, side, shares, price, *, locate=0, timestamp=0):
    return BookEvent(ADD, side, locate, reference, 0, shares, price, timestamp)


def execute(reference, shares, *, locate=0):
    return BookEvent(EXECUTE, 0, locate, reference, 0, shares, 0, 0)


def cancel(reference, shares, *, locate=0):
    return BookEvent(CANCEL, 0, locate, reference, 0, shares, 0, 0)


def delete(reference, *, locate=0):
    return BookEvent(DELETE, 0, locate, reference, 0, 0, 0, 0)


def replace(reference, new_reference, shares, price, *, locate=0):
    return BookEvent(REPLACE, 0, locate, reference, new_reference, shares, price, 0)


def set_order(reference, side, shares, price, *, locate=0):
    return BookEvent(SET, side, locate, reference, 0, shares, price, 0)


class Answer(NamedTuple):
    """What the record of an event must say."""

    locate: int
    top: tuple | None
    """None: the symbol's prices mean nothing any more."""
    stale: bool | None
    """None: it may, but need not yet."""
    changed: bool
    case: str
    """ADD, TAKE, REPLACE or SET; TAKE EMPTIES or REPLACE EMPTIES (the best level); UNKNOWN."""
    operations: int
    """1, or 2: an order goes and another one comes."""


class ExpectedBook:
    """Answers events one by one as the hardware must.

    Attributes
    ----------
    book : Book
    cases : Counter
        Events by their case.
    unsure : set of int
        Symbols whose prices mean nothing any more.
    """

    def __init__(self):
        self.cases, self.book, self.unsure = Counter(), Book(), set()
        self._stale, self._maybe = set(), set()
        self._last = {}

    def answer(self, event: BookEvent, *, refused: bool = False) -> Answer:
        """``refused``: the order store says that it had no room for what the event brings."""
        case, doubtful = self._case(event), set(self.book.doubtful)
        old = self.book.orders.get(event.reference) if event.kind != ADD else None
        self.cases[case] += 1
        duplicate = self._is_duplicate(event, old)
        if refused:
            touched = event.locate if old is None else self.book.apply(event._replace(kind=DELETE))
            self._stale.add(touched)
        else:
            touched = self.book.apply(event)
        locate = event.locate if touched is None else touched
        if refused or duplicate:
            self.unsure.add(locate)
        if self.book.doubtful - doubtful:
            (self._maybe if self._is_late(event, locate, duplicate) else self._stale).add(locate)
        stale = locate in self._stale or (None if locate in self._maybe else False)
        top = tuple(total & mask for total, mask in zip(self.book.top(locate), MASKS, strict=True))
        changed = self._last.get(locate, (tuple(TopOfBook()), False)) != (top, stale)
        self._last[locate] = top, stale
        return Answer(locate, None if locate in self.unsure else top, stale, changed, case, 1 + (case[:3] in ("REP", "SET")))

    def found_stale(self, locate):
        """The device says so."""
        self._stale.add(locate)
        self._last[locate] = self._last[locate][0], True

    def lost_a_level(self, locate):
        """A far level found no place: the symbol is stale, and its prices mean nothing any more."""
        self.unsure.add(locate)

    def _is_duplicate(self, event, old):
        if not event.shares or not event.price:
            return False
        if event.kind == ADD:
            return event.reference in self.book.orders
        return event.kind == REPLACE and old is not None and event.reference != event.new_reference in self.book.orders

    def _is_late(self, event, locate, duplicate):
        """A total that does not fit is told late of a level behind the best: the top is right."""
        reference = event.new_reference if event.kind == REPLACE else event.reference
        order = self.book.orders.get(reference)
        if duplicate or order is None or not event.shares or not event.price or event.kind not in (ADD, REPLACE, SET):
            return False
        return order.price != self.book.depth(locate, 1)[order.side][0][0]

    def _case(self, event):
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


def check(events, run, *, lost=0):
    """Every record against the reference, every latency against the table. At most ``lost`` symbols may become stale of lost levels."""
    model, timing = ExpectedBook(), BookTiming()
    assert len(run.records) == len(events)
    refused = run.refused
    for index, (event, record) in enumerate(zip(events, run.records, strict=True)):
        answer = model.answer(event, refused=index in refused)
        where = f"event {index}: {event}"
        assert (record.sequence, record.ingress, record.timestamp, record.venue) == (index + 1, index + 1, event.timestamp, 0), where
        assert record.symbol == answer.locate, where
        bid, ask = record.top[0], record.top[3]
        assert (record.crossed, record.locked) == (0 < ask < bid, 0 < ask == bid), where
        if record.stale and not answer.stale:
            if answer.stale is False:
                lost -= 1
                assert lost >= 0, where
                model.lost_a_level(record.symbol)
            model.found_stale(record.symbol)
        elif answer.stale is not None:
            assert record.stale == answer.stale, where
        if answer.top is not None and record.symbol not in model.unsure:
            assert record.top == answer.top, where
            if answer.stale is not None and record.stale == answer.stale:
                assert record.changed == answer.changed, where
        if run.levels and event.locate not in model.unsure and not run.pulses["overflow"] + run.pulses["levels_full"]:
            told = level_bits(model.book.depth(event.locate), event.locate, index + 1)
            assert run.levels[index] == told, f"levels behind {where}"
        if run.paced:
            cycles = timing.cycles(run.taken[index], names_an_order=answer.case != "ADD", operations=answer.operations)
            assert run.latencies[index] == cycles, f"{where}, {answer.case}"
    return model


def alike(table, width, count):
    """Keys that lie in the same two sets of a table."""
    rng = Random(1)
    return [key for key in (rng.getrandbits(width) for _ in range(20_000)) if table.hash.compute(key) == table.hash.compute(0)][:count]


def flow(seed, count, *, symbols=3, prices=12, crowd=60, faults=0.02):
    """A random stream of book events that keeps coming back to what it just did.

    Parameters
    ----------
    prices : int or list of int
        The prices of both sides; a number stands for so many ticks of 100 around 10000.
    crowd : int
        Live orders above which removals outweigh additions.
    faults : float
        Share of events that contradict the book: unknown or duplicate references, too many shares, zeros.
    """
    rng = Random(seed)
    prices = [10_000 + 100 * tick for tick in range(prices)] if isinstance(prices, int) else prices
    live: dict[int, int] = {}  # reference: shares
    fresh = iter(range(1, 1 << 30))

    def reference():
        return next(fresh) if rng.random() < 0.7 else rng.getrandbits(64)

    def anyone():
        return rng.choice(list(live) or [1])

    def shares():
        return rng.choice((1, 100, 100, 200, rng.randrange(1, 1000)))

    def fault():
        price, locate, side = rng.choice(prices), rng.randrange(symbols), rng.randrange(2)
        return rng.choice((
            execute(rng.getrandbits(64), shares(), locate=locate),
            delete(rng.getrandbits(64), locate=locate),
            replace(rng.getrandbits(64), reference(), shares(), price, locate=locate),
            add(anyone(), side, shares(), price, locate=locate),
            add(reference(), side, 0, price, locate=locate),
            add(reference(), side, shares(), 0, locate=locate),
            replace(anyone(), anyone(), shares(), price, locate=locate),
            set_order(anyone(), side, shares(), 0, locate=locate),
            set_order(rng.getrandbits(64), side, shares(), 0, locate=locate),
            set_order(rng.getrandbits(64), side, 0, price, locate=locate),
            cancel(anyone(), 1 << 31, locate=locate),
            execute(anyone(), 0, locate=locate),
        ))

    def wish():
        price, locate = rng.choice(prices), rng.randrange(symbols)
        if not live or rng.random() < (0.6 if len(live) < crowd else 0.3):
            return add(reference(), rng.randrange(2), shares(), price, locate=locate)
        named = next(reversed(live)) if rng.random() < 0.4 else anyone()
        kind = rng.choice((EXECUTE, CANCEL, DELETE, DELETE, REPLACE, SET))
        if kind == EXECUTE:
            return execute(named, rng.choice((live[named], rng.randint(1, live[named]))), locate=locate)
        if kind == CANCEL:
            return cancel(named, rng.randint(1, live[named]), locate=locate)
        if kind == DELETE:
            return delete(named, locate=locate)
        if kind == SET:
            named = rng.choice((named, named, reference()))
            return set_order(named, rng.randrange(2), rng.choice((0, shares(), live.get(named, 5))), price, locate=locate)
        same = rng.random() < 0.05
        return replace(named, named if same else reference(), live[named] if same else shares(), price, locate=locate)

    for _ in range(count):
        event = fault() if rng.random() < faults else wish()
        yield event
        if event.kind == ADD:
            if event.shares and event.price:
                live.setdefault(event.reference, event.shares)
        elif event.kind == SET:
            live.pop(event.reference, None)
            if event.shares and event.price:
                live[event.reference] = event.shares
        elif event.reference in live:
            before = live[event.reference]
            if event.kind >= DELETE or event.shares >= before:
                del live[event.reference]
            else:
                live[event.reference] = before - event.shares
            if event.kind == REPLACE:
                live.setdefault(event.new_reference, event.shares)


__all__ = ["BUY", "SELL", "Answer", "ExpectedBook", "add", "alike", "cancel", "check", "delete", "execute", "flow", "replace", "set_order"]

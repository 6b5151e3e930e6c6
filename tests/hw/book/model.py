"""What a book of a given size must answer: the reference book, told which orders the hash tables have no place for."""

from collections import Counter
from random import Random
from typing import NamedTuple

from sim.capacity import PlacedBook
from sim.golden.book import Book
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, SET, BookEvent, TopOfBook

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
    top: tuple
    stale: bool
    changed: bool
    case: str
    """ADD, TAKE, REPLACE or SET; TAKE EMPTIES or REPLACE EMPTIES (the best level); UNKNOWN."""
    search: bool
    """The second best level has to be looked for afterwards."""
    added: bool
    """An order came, at the end."""


class ExpectedBook:
    """Answers events one by one as the hardware must.

    Attributes
    ----------
    cases : Counter
        Events by their case.
    """

    def __init__(self, config):
        self.cases = Counter()
        self._book = Book()
        self._places = PlacedBook(config)
        self._full = set()
        self._last = {}

    def answer(self, event: BookEvent) -> Answer:
        case, doubtful = self._case(event), set(self._book.doubtful)
        old = self._book.orders.get(event.reference) if event.kind != ADD else None
        levels = self._book.depth(old.locate, 2)[old.side] if old else []
        side = (old.locate, old.side, old.price) if old else None
        live = len(self._book.orders) - (old is not None)
        self.cases[case] += 1
        if self._places.apply(event, event.locate):
            touched = self._book.apply(event)
        elif event.kind == ADD or (event.kind == SET and old is None):
            touched = event.locate
            self._full.add(touched)
        else:
            touched = self._book.apply(event._replace(kind=DELETE))
            self._full.add(touched)
        locate = event.locate if touched is None else touched
        added = event.kind in (ADD, REPLACE, SET) and len(self._book.orders) > live
        top = tuple(total & mask for total, mask in zip(self._book.top(locate), MASKS, strict=True))
        late = added and not self._is_best(self._book.orders[event.new_reference if event.kind == REPLACE else event.reference])
        stale = locate in self._full or locate in (doubtful if late else self._book.doubtful)
        before = self._last.get(locate, (tuple(TopOfBook()), False))
        self._last[locate] = top, stale
        return Answer(locate, top, stale, before != (top, stale), case, self._searches(event, side, levels), added)

    def _is_best(self, order):
        """A total that does not fit is told at once only on the best level; behind it with the symbol's next record: the top is right."""
        return self._book.depth(order.locate, 1)[order.side][0][0] == order.price

    def _searches(self, event, side, levels):
        """Whether one of the two best levels went, there may be others, and nothing came in front of what is left."""
        if side is None or side[2] not in (prices := [price for price, _, _ in levels]) or len(levels) < 2:
            return False
        if levels[prices.index(side[2])][2] > 1 or (event.kind < DELETE and event.reference in self._book.orders):
            return False
        stays = prices[1 - prices.index(side[2])]
        best = self._book.depth(side[0], 1)[side[1]][0][0]
        return best == stays

    def _case(self, event):
        if event.kind == ADD:
            return "ADD"
        order = self._book.orders.get(event.reference)
        if event.kind == SET and event.shares:
            return "SET"
        if order is None:
            return "UNKNOWN"
        kind = "REPLACE" if event.kind == REPLACE else "TAKE"
        best = self._book.depth(order.locate, 1)[order.side][0]
        dies = event.kind >= DELETE or event.shares >= order.shares
        return f"{kind} EMPTIES" if dies and best[0] == order.price and best[2] == 1 else kind


def check(config, events, run, *, table=None):
    """Every record against the reference; every latency against the table, if there is one."""
    model = ExpectedBook(config)
    assert len(run.records) == len(events)
    for index, (event, record) in enumerate(zip(events, run.records, strict=True)):
        answer = model.answer(event)
        got = (record.symbol, record.top, record.stale, record.changed)
        assert got == (answer.locate, answer.top, answer.stale, answer.changed), f"event {index}: {event}"
        assert (record.sequence, record.ingress, record.timestamp, record.venue) == (index + 1, index + 1, event.timestamp, 0)
        if table:
            assert run.latencies[index] == table[answer.case], f"event {index}, {answer.case}: {event}"
    return model


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


__all__ = ["BUY", "SELL", "Answer", "ExpectedBook", "add", "cancel", "check", "delete", "execute", "flow", "replace", "set_order"]

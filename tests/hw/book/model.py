"""Book events, streams of them, and the check of a run against what the book must answer."""

from random import Random

from sim.golden.book_answer import MAX, ExpectedBook
from sim.golden.book_timing import BookTiming
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, SET, BookEvent
from tests.hw.book.driver import level_bits


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


def check(events, run, *, lost=0):
    """Every record against the reference, every latency against the table. At most ``lost`` symbols may become stale of lost levels."""
    model, timing = ExpectedBook(), BookTiming()
    assert len(run.records) == len(events)
    refused, stale = run.refused, {}
    for index, (event, record) in enumerate(zip(events, run.records, strict=True)):
        answer = model.answer(event, refused=index in refused)
        where = f"event {index}: {event}"
        assert (record.sequence, record.ingress, record.timestamp, record.venue) == (index + 1, index + 1, event.timestamp, 0), where
        assert record.symbol == answer.locate, where
        assert (record.halted, record.partial) == (answer.halted, answer.partial), where
        bid, ask = record.top[0], record.top[3]
        assert (record.crossed, record.locked) == (0 < ask < bid, 0 < ask == bid), where
        assert record.changed or record.stale == stale.get(record.symbol, 0), where
        stale[record.symbol] = record.stale
        if record.stale and not answer.stale:
            if answer.stale is False:
                lost -= 1
                assert lost >= 0, where
                model.lost_a_level(record.symbol)
            else:
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
            cycles = timing.cycles(run.taken[index], names_an_order=answer.names_an_order, operations=answer.operations)
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


__all__ = ["BUY", "MAX", "SELL", "add", "alike", "cancel", "check", "delete", "execute", "flow", "replace", "set_order"]

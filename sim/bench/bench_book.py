"""The book against the golden book: a record after every event, with the time that it may take."""

import os
from collections import Counter

from hw.config import CARDS
from sim.bench.streams import Pattern
from sim.bench.testbench import CARD, bench_test, share
from sim.golden.book_answer import ExpectedBook
from sim.golden.book_timing import BookTiming
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, HALT, REPLACE, RESUME, SET, BookEvent
from sim.verilated.book import PULSES

STAMPS = ("sequence", "timestamp", "ingress")


def golden_event(event: dict) -> BookEvent:
    """An event as the golden book takes it, which knows symbols by one number only: here the slot."""
    return BookEvent(*(event.get(name, 0) for name in BookEvent._fields))._replace(locate=event["symbol"])


def expected_record(expected: ExpectedBook, event: dict, *, refused: bool = False) -> tuple:
    """The record that the event must give, from the symbol to ``changed``; of an unsure symbol without prices."""
    answer = expected.answer(golden_event(event), refused=refused)
    state = answer.halted, answer.partial, answer.stale
    return (answer.locate, *state) if answer.top is None else (answer.locate, *answer.top, *state, answer.changed)


def device_record(top, like: tuple) -> tuple:
    """The fields of a record that what is expected of it has: all, or none of the prices."""
    state = (bool(top.halted), bool(top.partial), bool(top.stale))
    if len(like) == 1 + len(state):
        return top.symbol, *state
    sides = top.bid_price, top.bid_shares, top.bid_orders, top.ask_price, top.ask_shares, top.ask_orders
    return top.symbol, *sides, *state, bool(top.changed)


class Traffic:
    """Random events over a live book of its own: mostly right ones, some wrong.

    Parameters
    ----------
    most : int
        Live orders at which it stops adding.
    adding : float
        Share of ADD events before that.
    wrong : float
        Share of events that contradict the book.
    halts : float
        Share of halts and resumptions.
    spread : int
        Number of prices a side; few make deep levels, many make many.
    """

    def __init__(self, rng, *, symbols, most, adding=0.45, wrong=0.05, spread=12, halts=0.05):
        self.rng, self.symbols, self.most, self.spread = rng, symbols, most, spread
        self.adding, self.wrong, self.halts = adding, wrong, halts
        self.live, self.next, self.dead = {}, rng.getrandbits(40), []

    def event(self) -> dict:
        rng = self.rng
        stamps = {"sequence": 64, "timestamp": 48, "ingress": 32, "locate": 16}
        event = {name: rng.getrandbits(width) for name, width in stamps.items()} | {"partial": rng.random() < 0.1}
        if rng.random() < self.wrong:
            return event | self._wrong()
        if rng.random() < self.halts:
            return event | {"kind": rng.choice([HALT, RESUME]), "symbol": rng.randrange(self.symbols), "side": rng.randrange(2),
                            "reference": rng.choice([*self.live, rng.getrandbits(64)]), "shares": rng.getrandbits(32)}
        if not self.live or (len(self.live) < self.most and rng.random() < self.adding):
            return event | self._add()
        reference = rng.choice(list(self.live)) if rng.random() < 0.9 else list(self.live)[-1]
        symbol, side, shares = self.live[reference]
        event |= {"symbol": symbol, "reference": reference}
        kind = rng.choice([EXECUTE, EXECUTE, CANCEL, DELETE, DELETE, REPLACE, SET])
        if kind in (EXECUTE, CANCEL):
            taken = rng.choice([shares, rng.randint(1, shares)])
            self._reduce(reference, taken)
            return event | {"kind": kind, "shares": taken}
        if kind == SET:
            shares = rng.choice([shares, rng.randint(1, 1_000)])
            self.live[reference] = (symbol, side, shares)
            return event | {"kind": SET, "side": rng.randrange(2), "shares": shares, "price": self._price(side)}
        del self.live[reference]
        self.dead.append(reference)
        if kind == DELETE:
            return event | {"kind": DELETE}
        new = self._add()
        self.live[new["reference"]] = (symbol, side, new["shares"])
        return event | {"kind": REPLACE, "new_reference": new["reference"], "shares": new["shares"], "price": self._price(side)}

    def _add(self) -> dict:
        rng = self.rng
        self.next += rng.choice([1, 1, 2, 8, 64, 1 << 33])
        side, symbol, shares = rng.randrange(2), rng.randrange(self.symbols), rng.randint(1, 1_000)
        self.live[self.next] = (symbol, side, shares)
        return {"kind": ADD, "symbol": symbol, "side": side, "reference": self.next, "shares": shares, "price": self._price(side)}

    def _price(self, side) -> int:
        step = self.rng.randrange(self.spread)
        return 1_000_000 + 100 * (self.spread + 1 + step if side != BUY else self.spread - step)

    def _reduce(self, reference, taken):
        symbol, side, shares = self.live[reference]
        self.live[reference] = (symbol, side, shares - taken)
        if shares == taken:
            del self.live[reference]
            self.dead.append(reference)

    def _wrong(self) -> dict:
        """Unknown and dead references, duplicates, too many shares, nothing at all, prices at both ends."""
        rng = self.rng
        symbol = rng.randrange(self.symbols)
        unknown = rng.choice([*self.dead[-20:], rng.getrandbits(64)])
        known = rng.choice(list(self.live) or [0])
        choice = rng.randrange(12)
        if choice < 6:
            return {"kind": rng.choice([EXECUTE, CANCEL, DELETE, REPLACE]), "symbol": symbol, "reference": unknown,
                    "new_reference": self.next + 1, "shares": 5, "price": 77}
        if choice < 9:
            return self._add() | {"price": rng.choice([1, 0x7FFFFFFF, 4, 1_000_000_000])}
        if choice == 9:
            return {"kind": ADD, "symbol": symbol, "side": 0, "reference": known, "shares": 1, "price": 5}
        if choice == 10 and known in self.live:
            symbol, side, shares = self.live[known]
            self._reduce(known, shares)
            return {"kind": EXECUTE, "symbol": symbol, "reference": known, "shares": shares + rng.randint(1, 9)}
        return {"kind": ADD, "symbol": symbol, "reference": rng.getrandbits(64), "shares": 0, "price": 9}


async def ready(tb):
    await tb.until(lambda: not tb.get("busy"), what="the walk over the memories")


def config():
    return CARDS[os.environ.get(CARD, "tiny")]


async def run(tb, count, *, rates=Pattern.EVERYTHING, **options):
    """Events at any pace, within the room that the card has."""
    source, tops = tb.source("events", rates=rates), tb.sink("tops", rates=rates)
    pulses = Counter()

    class Watch:
        def sample(self, cycle):
            for name in PULSES:
                pulses[name] += tb.get(name)

    tb.add(Watch())
    await ready(tb)
    assumed = {symbol for symbol in range(config().symbols) if tb.rng.random() < 0.5}
    tb.set(assume_trading=sum(1 << symbol for symbol in assumed))
    traffic, expected = Traffic(tb.rng, symbols=config().symbols, **options), ExpectedBook(assumed)
    events = [traffic.event() for _ in range(count)]
    records = [expected_record(expected, event) for event in events]
    source.send(*events)
    await tb.drain(limit=2_000_000)
    got = tops.payloads
    stamps = [tuple(event[name] for name in STAMPS) for event in events]
    for number, (top, wanted, event) in enumerate(zip(got, records, events, strict=False)):
        got_ = device_record(top, wanted)
        assert got_ == wanted, f"event {number} {event}: device says\n  {got_}\ngolden book says\n  {wanted}"
    tb.compare([(device_record(top, record), *(getattr(top, name) for name in STAMPS), top.venue)
                for top, record in zip(got, records, strict=False)],
               [(record, *stamp, 0) for record, stamp in zip(records, stamps, strict=True)], "record")
    assert pulses["unknown_reference"] == expected.book.unknown
    assert not pulses["store_full"], "the store was full at half its room"
    assert not pulses["levels_full"], "the levels were full at half their room"
    return events, source, tops, pulses


@bench_test(timeout_us=100_000)
async def few_prices_with_pauses(tb):
    _, _, _, pulses = await run(tb, share(6_000), most=60)
    assert all(pulses[name] for name in ("unknown_reference", "duplicate_reference", "bad_event")) or share(100) < 100, f"{pulses}"


@bench_test(timeout_us=100_000)
async def many_prices_without_pauses(tb):
    await run(tb, share(6_000), rates=Pattern.DENSE, most=64, spread=40, wrong=0.02)


@bench_test(timeout_us=100_000)
async def one_level_deep_and_thin(tb):
    """One or two prices: the best level empties all the time."""
    await run(tb, share(4_000), most=6, spread=2, wrong=0.0)


@bench_test(timeout_us=100_000)
async def latencies(tb):
    """The docstring's table, case by case, from the transfer of the event to its record; the next event never follows sooner."""
    source, tops = tb.source("events", rates=Pattern.DENSE), tb.sink("tops", rates=Pattern.DENSE)
    await ready(tb)
    traffic = Traffic(tb.rng, symbols=config().symbols, most=40, spread=5, wrong=0.03)
    events = [traffic.event() for _ in range(share(3_000))]
    source.send(*events)
    await tb.drain(limit=1_000_000)
    sent, got = [one.cycle for one in source.sent], [one.cycle for one in tops.received]
    timing, wanted, operations, cases = BookTiming(), [], [], Counter()
    for event, taken in zip(events, sent, strict=True):
        kind = event["kind"]
        two = kind == REPLACE or (kind == SET and event["shares"] > 0)
        operations.append(4 if two else 2)
        wanted.append(timing.cycles(taken, names_an_order=kind not in (ADD, HALT, RESUME), operations=1 + two))
        cases[kind, wanted[-1]] += 1
    late = [after - before for before, after in zip(sent, got, strict=True)]
    tb.compare(late, wanted, "latency")
    tb.compare([after - before for before, after in zip(sent, sent[1:], strict=False)], operations[:-1], "distance")
    assert len(cases) >= 9 or share(100) < 100, f"{cases}"


@bench_test(timeout_us=100_000)
async def full_to_the_brim(tb):
    """More orders and levels than there is room for: what finds none is refused, its symbol is stale, the rest stays exact."""
    source, tops = tb.source("events"), tb.sink("tops", rates=Pattern.DENSE)
    pulses = Counter()

    class Watch:
        def sample(self, cycle):
            for name in ("store_full", "levels_full"):
                pulses[name] += tb.get(name)

    tb.add(Watch())
    await ready(tb)
    cards = config()
    for traffic in (Traffic(tb.rng, symbols=cards.symbols, most=2 * cards.orders, spread=8, adding=0.8, wrong=0.0),
                    Traffic(tb.rng, symbols=1, most=3 * cards.levels, spread=3 * cards.levels, adding=0.8, wrong=0.0)):
        expected = ExpectedBook()
        tb.set(clear=1)
        await tb.cycles(1)
        tb.set(clear=0)
        await tb.cycles(1)
        await ready(tb)
        for _ in range(share(1_200)):
            event = traffic.event()
            before, count = pulses.copy(), len(tops.received)
            source.send(event)
            await tb.until(lambda count=count: len(tops.received) > count, what="the record of an event")
            await tb.cycles(4)
            wanted = expected_record(expected, event, refused=pulses["store_full"] > before["store_full"])
            if pulses["levels_full"] > before["levels_full"]:  # of an earlier event; this record may have come before
                expected.lost_a_level(0)
            else:
                tb.compare([device_record(tops.received[-1].payload, wanted)], [wanted], f"{event}: record")
    assert pulses["store_full"] > 5 or share(100) < 100, f"{pulses}"
    assert pulses["levels_full"] > 5 or share(100) < 100, f"{pulses}"


@bench_test(timeout_us=100_000)
async def cleared_and_stale_venue(tb):
    """After ``clear`` nothing is left of the book; a stale venue marks the records and leaves no trace."""
    source, tops = tb.source("events", rates=Pattern.DENSE), tb.sink("tops")
    await ready(tb)
    for _ in range(3):
        traffic, expected = Traffic(tb.rng, symbols=config().symbols, most=50), ExpectedBook()
        first, events = len(tops.received), [traffic.event() for _ in range(share(200))]
        source.send(*events)
        await tb.drain(limit=100_000)
        wanted = [expected_record(expected, event) for event in events]
        records = [device_record(top, record) for top, record in zip(tops.payloads[first:], wanted, strict=True)]
        tb.compare(records, wanted, "record")
        tb.set(venue_stale=1)
        first, events = len(tops.received), [traffic.event() for _ in range(20)]
        source.send(*events)
        await tb.drain(limit=100_000)
        wanted = [expected_record(expected, event) for event in events]
        records = [device_record(top, record) for top, record in zip(tops.payloads[first:], wanted, strict=True)]
        tb.compare([record[:9] if len(record) > 4 else record[:3] for record in records],
                   [record[:9] if len(record) > 4 else record[:3] for record in wanted], "record of a stale venue")
        assert all(top.stale for top in tops.payloads[first:])
        tb.set(venue_stale=0, clear=1)
        await tb.cycles(1)
        tb.set(clear=0)
        await tb.cycles(1)
        assert tb.get("busy")
        await ready(tb)

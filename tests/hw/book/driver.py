"""Feeds a book with events, in the simulator or compiled, and collects its records, pulses and cycle counts."""

from collections import Counter
from functools import cache
from random import Random
from typing import NamedTuple

from amaranth.hdl import Cat

from hw.book.depth import Depth
from hw.types import BookEvent as EventLayout
from hw.types import BookLevel
from hw.types import TopOfBook as RecordLayout
from sim.golden.records import BookEvent
from sim.verilated.book import PULSES, CompiledBook
from tests.hw.bench import simulate

EVENT = {name: field.offset for name, field in EventLayout.as_shape()}
RECORD = {name: (field.offset, (1 << field.width) - 1) for name, field in RecordLayout.as_shape()}
LEVEL = {name: field.offset for name, field in BookLevel.as_shape()}
LEVELS = 2 * Depth.LEVELS
"""That are told of a symbol."""
SIDES = ("bid", "ask")


class Record(NamedTuple):
    """A TopOfBook as the book gave it out."""

    symbol: int
    top: tuple
    stale: int
    halted: int
    changed: int
    partial: int
    crossed: int
    locked: int
    sequence: int
    timestamp: int
    ingress: int
    venue: int


class Run:
    """What came out of a book for a list of events.

    Attributes
    ----------
    records : list of Record
    latencies, occupied : list of int
        For each event the cycles until its record was valid, and until the next event was taken (from event to event).
    pulses : Counter
        How often each pulse was seen.
    paced : bool
        Nothing held the records back: the latencies mean something.
    refused : set of int
        Events whose order found no place in the store.
    levels : list of list of int
        What was told of each event's symbol behind it, as bits; nothing where nobody looked.
    """

    def __init__(self):
        self.records = []
        self.taken = []
        self.shown = []
        self.pulses = Counter()
        self.refused_at = []
        self.paced = True
        self.levels = []

    @property
    def refused(self):
        """The pulse comes five cycles after an operation was taken; the second half of an event follows in two."""
        when = {cycle: number for number, taken in enumerate(self.taken) for cycle in (taken + 5, taken + 7)}
        return {when[cycle] for cycle in self.refused_at}

    @property
    def latencies(self):
        return [shown - taken for taken, shown in zip(self.taken, self.shown, strict=True)]

    @property
    def occupied(self):
        return [after - before for before, after in zip(self.taken, self.taken[1:], strict=False)]


def event_bits(event: BookEvent, sequence: int) -> int:
    """The locate of an event is its symbol; what stands in the field of that name does not matter to a book."""
    values = {**event._asdict(), "symbol": event.locate, "locate": 65_535 * sequence & 0xFFFF, "sequence": sequence, "ingress": sequence}
    return sum(value << EVENT[name] for name, value in values.items())


def record_of(bits: int) -> Record:
    value = {name: bits >> offset & mask for name, (offset, mask) in RECORD.items()}
    top = tuple(value[f"{side}_{field}"] for side in SIDES for field in ("price", "shares", "orders"))
    return Record(top=top, **{field: value[field] for field in Record._fields if field != "top"})


def level_bits(sides, symbol: int, sequence: int) -> list[int]:
    """What a book tells whose best levels are these."""
    told = symbol << LEVEL["symbol"] | sequence << LEVEL["sequence"]
    none = [(0, 0, 0)] * Depth.LEVELS
    return [told | side << LEVEL["side"] | number << LEVEL["number"]
            | price << LEVEL["price"] | shares << LEVEL["shares"] | orders << LEVEL["orders"]
            for side, levels in enumerate(sides) for number, (price, shares, orders) in enumerate([*levels, *none][:Depth.LEVELS])]


compiled_book = cache(CompiledBook)


def run_compiled(config, events, *, pauses=0, refusals=0, seed=1, looks=False, first=1, fresh=True):
    """The same as :func:`run_book` by the compiled book, and some hundred times faster.

    Parameters
    ----------
    pauses, refusals : int
        Percent of cycles in which no event is offered, and no record accepted.
    looks : bool
        The levels of each event's symbol are asked for behind it, and the next event waits for them.
    first : int
        Sequence number of the first event.
    fresh : bool
        From reset; otherwise the book goes on from where it was.
    """
    book = compiled_book(config)
    if fresh:
        book.reset()
    answers = book.run([event_bits(event, number) for number, event in enumerate(events, first)],
                       pauses=pauses, refusals=refusals, seed=seed, looks=bytes(event.locate for event in events) if looks else None)
    run = Run()
    run.records, run.taken, run.shown = [record_of(bits) for bits in answers.records], answers.taken, answers.shown
    run.pulses, run.refused_at, run.paced = +Counter(answers.pulses), answers.refused, not refusals
    run.levels = [answers.levels[at:at + LEVELS] for at in range(0, len(answers.levels), LEVELS)]
    return run


def run_book(dut, events, *, seed=None, acts=None, beside=(), deadline=None):
    """Sends ``events`` and returns a Run with one record for each.

    Parameters
    ----------
    seed : int, optional
        Pauses in the events and back-pressure on the records, at random; without it both flow freely.
    acts : dict, optional
        Number of an event to ``async function(ctx)``, called once all records before that event are out.
    beside : tuple of async functions
        Run beside the events, from the first cycle on.
    """
    run = Run()
    run.paced = seed is None
    acts = acts or {}
    rng = Random(seed)
    cycle = 0
    pulses = Cat(getattr(dut, name) for name in PULSES)

    async def feed(ctx):
        for index, event in enumerate(events):
            if index in acts:
                while len(run.records) < index:
                    await ctx.tick()
                await acts[index](ctx)
            while seed is not None and rng.random() < 0.3:
                await ctx.tick()
            ctx.set(dut.events.payload.as_value(), event_bits(event, index + 1))
            ctx.set(dut.events.valid, 1)
            taken = False
            while not taken:  # as of the clock edge: ready depends on what happens to the record before
                run_at = cycle
                _, _, taken = await ctx.tick().sample(dut.events.ready)
            run.taken.append(run_at)
            ctx.set(dut.events.valid, 0)

    async def collect(ctx):
        while len(run.records) < len(events):
            if ctx.get(dut.tops.valid):
                run.shown.append(cycle)
                ctx.set(dut.tops.ready, 0)
                held = ctx.get(dut.tops.payload.as_value())
                while seed is not None and rng.random() < 0.4:
                    await ctx.tick()
                    assert ctx.get(dut.tops.valid), "a record was withdrawn"
                    assert ctx.get(dut.tops.payload.as_value()) == held, "a waiting record changed"
                ctx.set(dut.tops.ready, 1)
                run.records.append(record_of(held))
            else:
                ctx.set(dut.tops.ready, 1)
            await ctx.tick()
        for _ in range(20):  # nothing may follow
            assert not ctx.get(dut.tops.valid), "a record that no event asked for"
            await ctx.tick()

    async def watch(ctx):
        nonlocal cycle
        while True:
            if bits := ctx.get(pulses):
                run.pulses.update(name for index, name in enumerate(PULSES) if bits >> index & 1)
                run.refused_at += [cycle - 1] * (bits >> PULSES.index("store_full") & 1)  # as the others count
            await ctx.tick()
            cycle += 1  # after the others have seen the cycle

    simulate(dut, feed, collect, *beside, processes=(watch,), deadline=deadline or 2000 + 60 * len(events))
    return run

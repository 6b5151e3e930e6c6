"""Feeds a book with events in the simulator and collects its records, pulses and cycle counts."""

from collections import Counter
from random import Random
from typing import NamedTuple

from amaranth.hdl import Cat
from amaranth.lib import data

from sim.golden.records import BookEvent
from tests.hw.bench import simulate

PULSES = ("unknown_reference", "duplicate_reference", "store_full", "levels_full", "bad_event", "overflow")
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
    """

    def __init__(self):
        self.records = []
        self.taken = []
        self.shown = []
        self.pulses = Counter()
        self.refused_at = []
        self.paced = True

    @property
    def refused(self):
        """The pulse comes five cycles after an operation was taken, and is seen one later; the second half of an event follows in two."""
        when = {cycle: number for number, taken in enumerate(self.taken) for cycle in (taken + 6, taken + 8)}
        return {when[cycle] for cycle in self.refused_at}

    @property
    def latencies(self):
        return [shown - taken for taken, shown in zip(self.taken, self.shown, strict=True)]

    @property
    def occupied(self):
        return [after - before for before, after in zip(self.taken, self.taken[1:], strict=False)]


def set_event(ctx, payload, event: BookEvent, symbol: int, sequence: int):
    values = {**event._asdict(), "symbol": symbol, "sequence": sequence, "ingress": sequence}
    layout = data.Layout.cast(payload.shape())
    ctx.set(payload.as_value(), sum(values[name] << field.offset for name, field in layout))


def read_record(ctx, payload) -> Record:
    bits = ctx.get(payload.as_value())
    value = {name: bits >> field.offset & (1 << field.width) - 1 for name, field in data.Layout.cast(payload.shape())}
    top = tuple(value[f"{side}_{field}"] for side in SIDES for field in ("price", "shares", "orders"))
    return Record(top=top, **{field: value[field] for field in Record._fields if field != "top"})


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

    The locate of an event is its symbol.
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
            set_event(ctx, dut.events.payload, event, event.locate, index + 1)
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
                held = read_record(ctx, dut.tops.payload)
                while seed is not None and rng.random() < 0.4:
                    await ctx.tick()
                    assert ctx.get(dut.tops.valid), "a record was withdrawn"
                    assert read_record(ctx, dut.tops.payload) == held, "a waiting record changed"
                ctx.set(dut.tops.ready, 1)
                run.records.append(held)
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
                run.refused_at += [cycle] * (bits >> PULSES.index("store_full") & 1)
            await ctx.tick()
            cycle += 1

    simulate(dut, feed, collect, *beside, processes=(watch,), deadline=deadline or 2000 + 60 * len(events))
    return run

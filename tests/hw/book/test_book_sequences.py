"""Sequences of book events that hypothesis makes up, and cuts down to the shortest script where the book differs from the reference."""

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from hw.book.book import Book
from hw.config import TINY
from sim.golden.records import BookEvent
from tests.hw.bench import simulator
from tests.hw.book.driver import PULSES, Run, read_record, set_event
from tests.hw.book.model import MAX, add, cancel, check, delete, execute, replace, set_order

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # the simulator drops the testbenches that it resets


class Bench:
    """A book in a simulator that is built once and begins anew for every list of events."""

    def __init__(self):
        self.dut = Book(TINY)
        self._sim = simulator(self.dut)
        self._sim.add_testbench(self._drive)
        self._events, self._run = [], Run()

    def run(self, events) -> Run:
        self._events, self._run = events, Run()
        self._sim.reset()
        self._sim.run()
        return self._run

    async def _drive(self, ctx):
        dut, events, run, offered = self.dut, self._events, self._run, -1
        ctx.set(dut.tops.ready, 1)
        for cycle in range(200 + 50 * len(events)):
            number = len(run.taken)
            if offered < number < len(events):
                set_event(ctx, dut.events.payload, events[number], events[number].locate, number + 1)
                offered = number
            ctx.set(dut.events.valid, number < len(events))
            if ctx.get(dut.tops.valid):
                run.shown.append(cycle)
                run.records.append(read_record(ctx, dut.tops.payload))
            if number < len(events) and ctx.get(dut.events.ready):
                run.taken.append(cycle)
            if len(run.records) == len(events):
                break
            await ctx.tick()
        for _ in range(3):
            run.pulses.update(name for name in PULSES if ctx.get(getattr(dut, name)))
            await ctx.tick()


def alike(table, width, count):
    """Keys that lie in the same two sets of a table."""
    rng = Random(1)
    return [key for key in (rng.getrandbits(width) for _ in range(20_000)) if table.hash.compute(key) == table.hash.compute(0)][:count]


BENCH = Bench()
CROWDED = alike(BENCH.dut._store, 64, 11)  # eight of them fit
CLOSE = alike(BENCH.dut._levels.table, 32, 11)
REFERENCES = [1, 2, 3, *CROWDED]
PRICES = [100, 101, 102, 1, MAX, *CLOSE]

references = st.sampled_from(REFERENCES)
prices = st.sampled_from(PRICES)
sides = st.integers(0, 1)
locates = st.sampled_from([0, 0, 0, 1, TINY.symbols - 1])
shares = st.sampled_from([100, 1, 200, MAX])
SEEN = Counter()


class Sequence(RuleBasedStateMachine):
    """The rules collect events; at the end the book gets them all, one behind the other."""

    def __init__(self):
        super().__init__()
        self.events: list[BookEvent] = []

    @initialize(crowd=st.sampled_from([0, 0, 8]), prices=st.lists(prices, min_size=8, max_size=8), side=sides)
    def start(self, crowd, prices, side):
        """Now and then the sets are full from the beginning."""
        self.events += [add(reference, side, 100, price) for reference, price in zip(CROWDED[:crowd], prices, strict=False)]

    @rule(reference=references, side=sides, shares=shares, price=prices, locate=locates)
    def add(self, reference, side, shares, price, locate):
        self.events.append(add(reference, side, shares, price, locate=locate))

    @rule(reference=references, shares=shares, locate=locates)
    def execute(self, reference, shares, locate):
        self.events.append(execute(reference, shares, locate=locate))

    @rule(reference=references, shares=shares, locate=locates)
    def cancel(self, reference, shares, locate):
        self.events.append(cancel(reference, shares, locate=locate))

    @rule(reference=references, locate=locates)
    def delete(self, reference, locate):
        self.events.append(delete(reference, locate=locate))

    @rule(reference=references, new_reference=references, shares=shares, price=prices, locate=locates)
    def replace(self, reference, new_reference, shares, price, locate):
        self.events.append(replace(reference, new_reference, shares, price, locate=locate))

    @rule(reference=references, side=sides, shares=st.sampled_from([100, 1, 0]), price=prices, locate=locates)
    def set_order(self, reference, side, shares, price, locate):
        self.events.append(set_order(reference, side, shares, price, locate=locate))

    def teardown(self):
        if self.events:
            model = check(TINY, self.events, BENCH.run(self.events))
            SEEN.update(model.cases)
            SEEN["sequences"] += 1


def drive(sequences, *, fresh):
    """``fresh``: others each time; a failure prints its script."""
    SEEN.clear()
    run_state_machine_as_test(Sequence, settings=settings(
        max_examples=sequences, stateful_step_count=40, deadline=None, derandomize=not fresh, database=None,
        suppress_health_check=list(HealthCheck)))
    assert SEEN["sequences"] >= sequences * 0.9
    assert all(SEEN[case] for case in ("ADD", "TAKE", "TAKE EMPTIES", "REPLACE", "REPLACE EMPTIES", "SET", "UNKNOWN")), SEEN


def test_the_crowd_finds_no_room():
    """What the sequences are made of can fill the sets: the ninth order, and the ninth level, are refused."""
    assert BENCH.run([add(reference, 0, 1, 100) for reference in CROWDED[:9]]).records[-1].stale
    assert BENCH.run([add(1 + number, 0, 1, price) for number, price in enumerate(CLOSE[:9])]).records[-1].stale
    assert not BENCH.run([add(reference, 0, 1, price) for reference, price in zip(CROWDED[:8], CLOSE, strict=False)]).records[-1].stale


def test_any_short_sequence_equals_the_reference():
    drive(30, fresh=False)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_sequences_equal_the_reference(part):
    drive(2_500, fresh=True)

"""Sequences of book events that hypothesis makes up, and cuts down to the shortest script where the book differs from the reference."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, precondition, rule, run_state_machine_as_test

from hw.book.far_levels import FarLevels
from hw.book.near_levels import NearLevels
from hw.book.order_store import OrderStore
from hw.config import TINY
from sim.golden.records import HALT, RESUME, BookEvent
from sim.verilated.book import PULSES
from tests.hw.book.driver import run_compiled
from tests.hw.book.model import MAX, add, alike, cancel, check, delete, execute, replace, set_order

STORE, FAR = OrderStore(TINY), FarLevels(TINY)
CROWDED = alike(STORE.table, 64, 11)  # eight of them fit
CLOSE = [rank for rank in alike(FAR.table, 32, 30) if rank][:20]  # eight of them fit among the far levels of a side
REFERENCES = [1, 2, 3, *CROWDED]
PRICES = [100, 101, 102, 1, MAX, *CLOSE]
FRONT = [[add(10_000 + 100 * side + number, side, 7, (MAX - 1000 - number) if side == 0 else 2 + number)
          for number in range(NearLevels.LEVELS)] for side in (0, 1)]  # so many levels before all others that most of those are far
FAR_CROWD = [add(20_000 + number, 0, 5, price) for number, price in enumerate([*CLOSE[:7], *CLOSE[:7]])]  # two orders on each
PACES = [{}, {}, {"pauses": 40}, {"pauses": 40, "refusals": 40}, {"looks": True}]

references = st.sampled_from(REFERENCES)
prices = st.sampled_from(PRICES)
sides = st.integers(0, 1)
locates = st.sampled_from([0, 0, 0, 1, TINY.symbols - 1])
shares = st.sampled_from([100, 1, 200, MAX])
SEEN = Counter()


class Sequence(RuleBasedStateMachine):
    """The rules collect events; at the end the compiled book gets them all: one behind the other, with pauses on both sides, or with
    a look at the levels behind each."""

    orders = Bundle("orders")
    """References that were brought; they need not be live."""
    named = orders | references

    def __init__(self):
        super().__init__()
        self.events: list[BookEvent] = []
        self.deep, self.pace = False, {}
        self.front = [[], []]

    @initialize(target=orders, deep=st.booleans(), crowd=st.sampled_from([0, 0, 8]), prices=st.lists(prices, min_size=8, max_size=8),
                side=sides, pace=st.sampled_from(PACES), seed=st.integers(1, 9))
    def start(self, deep, crowd, prices, side, pace, seed):
        """Now and then the book is deep, or the sets are full, from the beginning."""
        self.deep, self.pace = deep, pace | {"seed": seed}
        if deep:
            self.events += [*FRONT[0], *FRONT[1], *FAR_CROWD]
            self.front = [[*levels] for levels in FRONT]
        self.events += [add(reference, side, 100, price) for reference, price in zip(CROWDED[:crowd], prices, strict=False)]
        return multiple(1, *CROWDED[:crowd])

    @rule(target=orders, reference=references, side=sides, shares=shares, price=prices, locate=locates)
    def add(self, reference, side, shares, price, locate):
        self.events.append(add(reference, side, shares, price, locate=locate))
        return reference

    @rule(reference=named, shares=shares, locate=locates)
    def execute(self, reference, shares, locate):
        self.events.append(execute(reference, shares, locate=locate))

    @rule(reference=named, shares=shares, locate=locates)
    def cancel(self, reference, shares, locate):
        self.events.append(cancel(reference, shares, locate=locate))

    @rule(reference=named, locate=locates)
    def delete(self, reference, locate):
        self.events.append(delete(reference, locate=locate))

    @rule(target=orders, reference=named, new_reference=references, shares=shares, price=prices, locate=locates)
    def replace(self, reference, new_reference, shares, price, locate):
        self.events.append(replace(reference, new_reference, shares, price, locate=locate))
        return new_reference

    @rule(reference=named, side=sides, shares=st.sampled_from([100, 1, 0]), price=prices, locate=locates)
    def set_order(self, reference, side, shares, price, locate):
        self.events.append(set_order(reference, side, shares, price, locate=locate))

    @rule(kind=st.sampled_from([HALT, RESUME]), side=sides, locate=locates)
    def status(self, kind, side, locate):
        """It carries the number of an order that it must not touch."""
        self.events.append(BookEvent(kind, side, locate, 1, 0, 0, 0, 0))

    @precondition(lambda self: self.deep)
    @rule(side=sides, count=st.sampled_from([1, NearLevels.LEVELS - NearLevels.LOW, NearLevels.LEVELS]))
    def open_up(self, side, count):
        """The best levels go, which are before the others."""
        self.events += [delete(event.reference) for event in self.front[side][:count]]
        del self.front[side][:count]

    @precondition(lambda self: self.deep)
    @rule(number=st.integers(0, len(FAR_CROWD) - 1))
    def thin_out(self, number):
        """One of the two orders of a far level goes."""
        self.events.append(delete(FAR_CROWD[number].reference))

    def teardown(self):
        if self.events:
            run = run_compiled(TINY, self.events, **self.pace)
            SEEN.update(check(self.events, run, lost=run.pulses["levels_full"]).cases)
            SEEN.update(run.pulses)
            SEEN["sequences"] += 1


def drive(sequences, *, fresh):
    """``fresh``: others each time; a failure prints its script."""
    SEEN.clear()
    run_state_machine_as_test(Sequence, settings=settings(
        max_examples=sequences, stateful_step_count=40, deadline=None, derandomize=not fresh, database=None,
        phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False, suppress_health_check=list(HealthCheck)))
    assert SEEN["sequences"] >= sequences * 0.9
    expected = ["ADD", "TAKE", "TAKE EMPTIES", "REPLACE", "REPLACE EMPTIES", "SET", "UNKNOWN", "STATUS", *PULSES]
    assert all(SEEN[case] for case in expected), SEEN


def test_any_short_sequence_equals_the_reference():
    drive(300, fresh=False)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_sequences_equal_the_reference(part):
    drive(2_500, fresh=True)

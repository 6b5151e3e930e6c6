"""Figures of a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.report.statistics import LatencySummary, accounts, edges, latency_by_trigger, percentile
from tests.sim.report.example import START, example


def test_percentiles_are_values_that_occurred():
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert percentile([7], 0.99) == 7


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(0, 1))
def test_at_least_this_share_does_not_pass_a_percentile(values, share):
    value = percentile(values, share)
    assert value in values
    assert sum(other <= value for other in values) >= len(values) * share - 1e-4


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 1.5)])
def test_percentiles_of_nothing_are_refused(values, share):
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_latency_by_trigger_takes_first_orders_only():
    assert latency_by_trigger(example()) == [LatencySummary("Add (A), alone", 2, 20, 20, 26, 26)]


def test_accounts_add_up():
    account = accounts(example())[0]
    assert (account.orders, account.bought, account.sold, account.position) == (3, 140, 0, 140)
    assert account.cash == -100 * 10_0100 - 40 * 10_0200
    assert account.mark == 10_0350
    assert account.result == account.cash + 140 * 10_0350


def test_edges_are_best_bid_elsewhere_less_best_ask_here():
    assert edges(example(), 0) == [(START + 2_000, -100), (START + 20_000, 200), (START + 50_000, -100)]
    assert edges(example(), 1) == []

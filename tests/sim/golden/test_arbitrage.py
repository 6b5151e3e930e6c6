"""The rule on three real venues: its edges are the oracle's, its signals follow from them; then what no edge says."""

import csv
import gzip
import itertools

import pytest

from sim.golden.arbitrage import MOST_PROFIT, ArbitrageModel, Limits, Venue
from sim.golden.records import BUY, SELL, TopOfBook
from tests.data import market_data

VENUES = ("spot", "usdm", "coinm")
PAIRS = list(itertools.permutations(range(3), 2))
EVER = 1 << 48


def open_terms(count, **terms):
    return [Venue(enable=True, max_age=EVER, **terms) for _ in range(count)]


@pytest.fixture(scope="module")
def arrivals():
    with gzip.open(market_data("cross_venue/20240808_BTC.arrivals_edges.csv.gz"), "rt", newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    return int(text or 0)


def top_of(row, venue):
    bid, bid_shares, ask, ask_shares = (number(row[f"{what}_{VENUES[venue]}"]) for what in ("bid", "bidsz", "ask", "asksz"))
    return TopOfBook(bid, bid_shares, 1, ask, ask_shares, 1)


def edge_of(row, buy, sell):
    text = row[f"edge_buy_{VENUES[buy]}_sell_{VENUES[sell]}"]
    return int(text) if text else None


@pytest.mark.parametrize("min_profit", [0, 100_000, 200_000])
def test_signals_follow_from_the_edges_of_the_oracle(arrivals, min_profit):
    cap = 1_000
    model = ArbitrageModel(3, 1, open_terms(3), {0: Limits(min_profit, 0, cap)}, enabled={0})
    signalled, signals = set(), 0
    for row in arrivals:
        venue = VENUES.index(row["venue"])
        orders = model.update(venue, 0, top_of(row, venue)).orders
        fresh = {}
        for buy, sell in PAIRS:
            edge = edge_of(row, buy, sell)
            assert model.edge(0, buy, sell) == edge
            if edge is None or edge <= 0 or edge < min_profit:
                signalled.discard((buy, sell))
            elif (buy, sell) not in signalled:
                shares = min(number(row[f"asksz_{VENUES[buy]}"]), number(row[f"bidsz_{VENUES[sell]}"]), cap)
                fresh[edge * shares, -buy, -sell] = (buy, sell, shares)
        if not fresh:
            assert orders == ()
            continue
        buy, sell, shares = fresh[max(fresh)]
        signalled.add((buy, sell))
        signals += 1
        bought, sold = orders
        assert (bought.side, bought.venue, bought.price) == (BUY, buy, number(row[f"ask_{VENUES[buy]}"]))
        assert (sold.side, sold.venue, sold.price) == (SELL, sell, number(row[f"bid_{VENUES[sell]}"]))
        assert bought.shares == sold.shares == shares
    assert signals > 20, f"only {signals} signals: nothing was tested"


def test_a_cooldown_and_waiting_orders_leave_an_opportunity_for_the_next_change():
    model = ArbitrageModel(2, 1, open_terms(2), {0: Limits(1, 0, 10)}, cooldown=5, enabled={0})
    model.update(0, 0, TopOfBook(ask_price=100, ask_shares=5))
    bid = TopOfBook(bid_price=110, bid_shares=5)
    assert model.update(1, 0, bid, cycle=0, waiting=True).missed
    assert len(model.update(1, 0, bid, cycle=1).orders) == 2
    model.update(1, 0, TopOfBook(), cycle=2)
    assert model.update(1, 0, bid, cycle=6) == ((), False, None, False)
    assert len(model.update(1, 0, bid, cycle=7).orders) == 2


def test_forgotten_stale_and_old_quotes_take_no_part():
    model = ArbitrageModel(2, 1, open_terms(2), {0: Limits(0, 0, 10)}, enabled={0})
    ask, bid = TopOfBook(ask_price=100, ask_shares=5), TopOfBook(bid_price=110, bid_shares=5)
    model.update(0, 0, ask)
    model.forget(0)
    assert model.update(1, 0, bid).orders == ()
    model.stale_venues.add(1)
    assert model.update(0, 0, ask).orders == ()
    model.stale_venues.clear()
    model.terms[1].max_age = 9
    assert model.update(0, 0, ask, time=10).orders == ()
    assert len(model.update(0, 0, ask, time=9).orders) == 2


def test_fees_are_rounded_up_and_a_profit_that_can_not_be_is_none():
    assert [Venue(share_fee=fee).fee(0) for fee in (1, 256, 257, -1, -256, -257)] == [1, 1, 2, 0, -1, -1]
    assert [Venue(fee_rate=rate).fee(2**22) for rate in (1, -1)] == [1, -1]
    assert [Venue(fee_rate=rate).fee(2**22 + 1) for rate in (1, -1)] == [2, -1]
    model = ArbitrageModel(2, 1, open_terms(2), {0: Limits(0, 0, 10)}, enabled={0})
    model.update(0, 0, TopOfBook(ask_price=1, ask_shares=5))
    assert model.update(1, 0, TopOfBook(bid_price=MOST_PROFIT + 2, bid_shares=5)) == ((), False, None, True)
    assert model.update(1, 0, TopOfBook(bid_price=MOST_PROFIT + 1, bid_shares=5)).signal.profit == MOST_PROFIT * 5

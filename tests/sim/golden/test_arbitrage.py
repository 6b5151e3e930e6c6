"""The rule on three real venues: its signals follow from the edges that the oracle has for every arrival."""

import csv
import gzip
import itertools

import pytest

from sim.golden.arbitrage import ArbitrageModel, Settings
from sim.golden.records import BUY, SELL, TopOfBook
from tests.data import market_data

VENUES = ("spot", "usdm", "coinm")
PAIRS = list(itertools.permutations(range(3), 2))


@pytest.fixture(scope="module")
def arrivals():
    with gzip.open(market_data("cross_venue/20240808_BTC.arrivals_edges.csv.gz"), "rt", newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    return int(text or 0)


def top_of(row, venue):
    bid, bid_shares, ask, ask_shares = (number(row[f"{what}_{VENUES[venue]}"]) for what in ("bid", "bidsz", "ask", "asksz"))
    return TopOfBook(bid, bid_shares, 1, ask, ask_shares, 1)


@pytest.mark.parametrize("min_profit", [0, 100_000, 200_000])
def test_signals_follow_from_the_edges_of_the_oracle(arrivals, min_profit):
    cap = 1_000
    model = ArbitrageModel(3, 1, Settings(min_profit=min_profit, max_shares=cap), enabled={0})
    signalled, signals = set(), 0
    for row in arrivals:
        venue = VENUES.index(row["venue"])
        fresh = {}
        for buy, sell in PAIRS:
            if venue not in (buy, sell):
                continue
            edge = row[f"edge_buy_{VENUES[buy]}_sell_{VENUES[sell]}"]
            if edge == "" or int(edge) <= 0 or int(edge) < min_profit:
                signalled.discard((buy, sell))
            elif (buy, sell) not in signalled:
                shares = min(number(row[f"asksz_{VENUES[buy]}"]), number(row[f"bidsz_{VENUES[sell]}"]), cap)
                fresh[int(edge) * shares, -(buy + sell - venue)] = (buy, sell, shares)
        orders = model.update(venue, 0, top_of(row, venue)).orders
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
    model = ArbitrageModel(2, 1, Settings(min_profit=1, max_shares=10, cooldown=5), enabled={0})
    model.update(0, 0, TopOfBook(ask_price=100, ask_shares=5))
    bid = TopOfBook(bid_price=110, bid_shares=5)
    assert model.update(1, 0, bid, cycle=0, waiting=True) == ((), True)
    assert len(model.update(1, 0, bid, cycle=1).orders) == 2
    model.update(1, 0, TopOfBook(), cycle=2)
    assert model.update(1, 0, bid, cycle=6) == ((), False)
    assert len(model.update(1, 0, bid, cycle=7).orders) == 2


def test_forgotten_and_stale_venues_take_no_part():
    model = ArbitrageModel(2, 1, Settings(max_shares=10), enabled={0})
    ask, bid = TopOfBook(ask_price=100, ask_shares=5), TopOfBook(bid_price=110, bid_shares=5)
    model.update(0, 0, ask)
    model.forget(0)
    assert model.update(1, 0, bid).orders == ()
    model.stale_venues.add(1)
    assert model.update(0, 0, ask).orders == ()
    model.stale_venues.clear()
    assert len(model.update(0, 0, ask).orders) == 2

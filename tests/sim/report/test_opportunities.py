"""Spans of time in which the venues cross, by hand; and how the page shows them."""

from dataclasses import replace

from sim.report import page
from sim.report.opportunities import Opportunity, by_pair, opportunities, over_time
from sim.report.record import Quote, Signal
from tests.sim.report.example import START, example


def test_from_the_quote_that_crosses_to_the_one_that_does_not():
    """South asks 10.01 when north bids 10.03, until south asks more."""
    assert opportunities(example()) == [Opportunity(0, 1, 0, START + 20_000, START + 50_000, 200)]


def test_the_best_edge_a_stale_venue_and_the_end():
    record = example()
    record.quotes += [
        Quote(START + 60_000, 0, 0, 10_0500, 10_0600), Quote(START + 61_000, 0, 0, 10_0700, 10_0800),
        Quote(START + 62_000, 0, 0, 10_0700, 10_0800, stale=True),
        Quote(START + 70_000, 0, 1, 100, 0), Quote(START + 80_000, 1, 1, 0, 90), Quote(START + 81_000, 1, 1, 0, 0),
        Quote(START + 82_000, 1, 1, 0, 95),
    ]
    assert opportunities(record)[1:] == [
        Opportunity(0, 1, 0, START + 60_000, START + 62_000, 300),
        Opportunity(1, 1, 0, START + 80_000, START + 81_000, 10),
        Opportunity(1, 1, 0, START + 82_000, START + 90_000, 5),
    ]


def test_a_row_for_each_way():
    record = example()
    record.signals.append(Signal(0, 0, 1, 7, 70))
    rows = by_pair(record, opportunities(record))
    assert [tuple(row) for row in rows] == [(0, 1, 0, 1, 0, 0, 7, 70), (1, 0, 1, 1, 30_000, 30_000, 100, 2_0000)]


def test_the_picture_has_a_bar_for_each_as_long_as_it_lasted():
    record = example()
    picture = over_time(record, opportunities(record))
    assert "south → north" in picture
    assert picture.count("<rect") == 1
    assert "ANTS: up to 0.0200 a share for 30 µs" in picture


def test_on_the_page():
    shown = page.html(example())
    assert "<td>south → north</td><td>1</td><td>30 µs</td><td>30 µs</td><td>1</td><td>100</td><td>2.00</td>" in shown
    assert "<h2>Opportunities</h2>" not in page.html(replace(example(), quotes=[]))

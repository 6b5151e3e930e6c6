"""What the charts draw."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from sim.report import charts
from sim.report.record import Quote
from sim.report.svg import Scale, compact, ticks
from tests.sim.report.example import START, example

SVG = "{http://www.w3.org/2000/svg}"


def paths(drawing, class_):
    return [path.get("d") for path in ElementTree.fromstring(drawing).iter(f"{SVG}path") if path.get("class") == class_]


def book(record, begin=START, end=START + 90_000):
    return charts.top_of_book(record, 0, begin, end)


def test_each_venue_has_a_band_from_bid_to_ask():
    bands = [paths(book(example()), f"band v{venue}")[0] for venue in (0, 1)]
    assert [band.count("Z") for band in bands] == [2, 2]  # two states of each venue


def test_an_empty_side_has_no_band_and_no_line():
    record = example()
    record.quotes = [Quote(START, 0, 0, 10_0000, 0), Quote(START + 50_000, 0, 0, 10_0000, 10_0100)]
    drawing = book(record)
    assert paths(drawing, "band v0")[0].count("Z") == 1
    assert len(paths(drawing, "line v0")) == 2
    assert paths(drawing, "band v1") == [""] or paths(drawing, "band v1") == [None]


def test_every_order_is_marked_where_it_belongs():
    record = example()
    drawing = book(record)
    buys, hollow = paths(drawing, "order buy"), paths(drawing, "order sell empty")
    assert (len(buys), len(hollow), len(paths(drawing, "refused"))) == (2, 1, 2)
    x = [float(re.match(r"M([\d.]+),", mark).group(1)) for mark in buys]
    scale = Scale(START, START + 90_000, charts.LEFT, charts.WIDTH - charts.RIGHT)
    assert x == pytest.approx([scale(START + 20_000), scale(START + 30_000)], abs=0.1)


def test_the_edge_is_drawn_only_where_there_is_one():
    (edge,) = paths(book(example()), "edge")
    assert edge.count("Z") == 1
    assert paths(book(example(), end=START + 15_000), "edge") == []


def test_a_picture_that_begins_later_shows_what_stood_then():
    assert len(paths(book(example(), begin=START + 60_000), "line v0")) == 2


def test_the_histogram_counts_every_order_once():
    drawing = charts.latency_histogram(example(), [20, 20, 26], [34], "x")
    bars = [element for element in ElementTree.fromstring(drawing).iter(f"{SVG}rect")]
    hints = [bar.find(f"{SVG}title").text for bar in bars]
    assert hints == [
        "20 cycles (128.0 ns): 2 × first order", "26 cycles (166.4 ns): 1 × first order", "34 cycles (217.6 ns): 1 × second order",
    ]
    heights = [float(bar.get("height")) for bar in bars]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)


def test_a_wide_histogram_has_wider_bins():
    drawing = charts.latency_histogram(example(), list(range(1_000)), [], "x")
    assert 60 <= len(list(ElementTree.fromstring(drawing).iter(f"{SVG}rect"))) <= 90


def test_one_value_alone_is_a_histogram_too():
    assert "p99 24 = 153.6 ns" in charts.latency_histogram(example(), [24], [], "x")


def test_bars_are_to_scale_and_zero_is_faint():
    rects = list(ElementTree.fromstring(charts.bars({"a": 10, "b": 5, "c": 0}, "rejects", "x", other="a")).iter(f"{SVG}rect"))
    assert [rect.get("class") for rect in rects] == ["sent", "rejects", "none"]
    widths = [float(rect.get("width")) for rect in rects]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)


def test_the_position_stays_between_its_limits_in_the_picture():
    drawing = ElementTree.fromstring(charts.positions(replace(example(), position_limit=100)))
    limits = [float(line.get("y1")) for line in drawing.iter(f"{SVG}line") if line.get("class") == "limit"]
    assert len(limits) == 2


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (3, 1_000_000), (-5, 5), (99.5, 100.25), (0, 0)])
def test_ticks_are_round_and_within(low, high):
    found = ticks(low, high)
    assert all(low <= tick <= high + 1e-9 for tick in found)
    assert low == high or 2 <= len(found) <= 13


def test_numbers_and_times_as_people_write_them():
    assert [compact(value) for value in (0, 950, 12_000, 3_400_000)] == ["0", "950", "12k", "3.4M"]
    assert charts.clock(34_200_000_000_000) == "09:30:00"
    assert charts.clock(34_200_851_200_000) == "09:30:00.8512"


@pytest.mark.parametrize(("span", "words"), [
    (3_600 * 10**9, "exchange time"), (20 * 10**6, "ms after 09:30:00"), (40_000, "µs after 09:30:00"), (900, "ns after 09:30:00"),
])
def test_the_time_axis_suits_the_span(span, words):
    assert words in book(example(), begin=START + 60_000, end=START + 60_000 + span)

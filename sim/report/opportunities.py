"""What there was to take between the venues, and what the detector took: spans of time, a picture and the rows of a table."""

from collections.abc import Sequence
from typing import NamedTuple

from sim.report.charts import LEFT, RIGHT, WIDTH, duration, time_axis
from sim.report.record import Quote, SessionRecord
from sim.report.svg import Plot, Scale, drawing, element, text, tooltip

ROW = 26


class Opportunity(NamedTuple):
    """From ``begin`` to ``end`` a symbol's bid at one venue was above its ask at another; times in exchange nanoseconds."""

    symbol: int
    buy_venue: int
    sell_venue: int
    begin: int
    end: int
    edge: int
    """At its best, per share, before fees, in 1/10000."""


class PairSummary(NamedTuple):
    """All opportunities between two venues, one way."""

    buy_venue: int
    sell_venue: int
    count: int
    signals: int
    """Of the detector, which may find one while it lasts more than once: what is too small in between is gone for it."""
    total: int
    longest: int
    """Durations in ns."""
    shares: int
    profit: int
    """Of the signals; after fees, in 1/10000."""


def opportunities(record: SessionRecord) -> list[Opportunity]:
    """Every one, by its begin; what still stands at the end ends there."""
    books: dict[tuple[int, int], Quote] = {}
    running: dict[tuple[int, int, int], tuple[int, int]] = {}
    found: list[Opportunity] = []

    def settle(way: tuple[int, int, int], edge: int, time: int) -> None:
        if edge > 0:
            begin, best = running.get(way, (time, 0))
            running[way] = begin, max(best, edge)
        elif way in running:
            begin, best = running.pop(way)
            found.append(Opportunity(*way, begin, time, best))

    for quote in record.quotes:
        books[quote.symbol, quote.venue] = quote
        for other in range(len(record.venues)):
            there = books.get((quote.symbol, other))
            if other != quote.venue and there:
                settle((quote.symbol, quote.venue, other), _edge(quote, there), quote.time)
                settle((quote.symbol, other, quote.venue), _edge(there, quote), quote.time)
    for way in list(running):
        settle(way, 0, record.market_end)
    return sorted(found, key=lambda one: (one.begin, one))


def _edge(buy: Quote, sell: Quote) -> int:
    return sell.bid - buy.ask if sell.bid and buy.ask and not (buy.stale or sell.stale) else 0


def by_pair(record: SessionRecord, found: Sequence[Opportunity]) -> list[PairSummary]:
    """A row for each way between two venues on which there was something."""
    rows = []
    ways = sorted({one[1:3] for one in found} | {(signal.buy_venue, signal.sell_venue) for signal in record.signals})
    for buy, sell in ways:
        spans = [one.end - one.begin for one in found if one[1:3] == (buy, sell)]
        signals = [signal for signal in record.signals if (signal.buy_venue, signal.sell_venue) == (buy, sell)]
        rows.append(PairSummary(buy, sell, len(spans), len(signals), sum(spans), max(spans, default=0),
                                sum(signal.shares for signal in signals), sum(signal.profit for signal in signals)))
    return rows


def over_time(record: SessionRecord, found: Sequence[Opportunity]) -> str:
    """A line for each way between two venues: when there was something to take, the higher the more per share."""
    ways = sorted({one[1:3] for one in found})
    begin, end = record.first_quote, max(record.market_end, record.first_quote + 1)
    height = ROW * len(ways) + 52
    x, most = Scale(begin, end, LEFT + 96, WIDTH - RIGHT), max((one.edge for one in found), default=1)
    parts = []
    for number, way in enumerate(ways):
        bottom = 8 + ROW * (number + 1)
        words = " → ".join(record.venues[venue].name for venue in way)
        parts.append(text(x.start - 8, bottom - 4, words, anchor="end"))
        parts.append(element("line", x1=x.start, x2=x.end, y1=bottom, y2=bottom, class_="grid"))
        for one in found:
            if one[1:3] == way:
                tall = 3 + (ROW - 9) * one.edge / most
                hint = tooltip(f"{record.symbols[one.symbol]}: up to {one.edge / 1e4:,.4f} a share for {duration(one.end - one.begin)}")
                parts.append(element("rect", hint, x=x(one.begin), y=bottom - tall, width=max(x(one.end) - x(one.begin), 0.8), height=tall,
                                     class_=f"v{way[0]} fill"))
    parts.append(time_axis(Plot(x, Scale(0, 1, height - 40, 8)), begin, end))
    return drawing(WIDTH, height, *parts, label="Opportunities over time, by venue pair")

"""The HTML report: one file, no script, nothing fetched from elsewhere."""

from bisect import bisect_left
from collections.abc import Iterable
from html import escape
from pathlib import Path

from sim.report import charts, opportunities
from sim.report.record import SessionRecord
from sim.report.statistics import LatencySummary, accounts, edges, latency_by_trigger, percentile
from sim.report.theme import style

MAX_CHARTS = 8
"""Symbols that get a chart of their own: those with the most orders."""

DEFINITIONS = (
    ("from_end", "End of trigger → first word out", "From the last byte of the message that causes it to the first word of an order."),
    ("from_start", "Start of message → start of frame", "From the first byte of the message that causes it to the first word of an order."),
)


def write(record: SessionRecord, path: Path) -> None:
    """Writes the report as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(html(record), encoding="utf-8")
    draft.replace(path)


def html(record: SessionRecord) -> str:
    sections = [
        _header(record), _tiles(record), _notes(record), _latency(record), _market(record), _opportunities(record), _risk(record),
        _money(record), _traffic(record), _reconciliation(record), _settings(record),
    ]
    return (
        "<!doctype html>\n<html lang=en>\n<head><meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>\n"
        f"<title>{escape(record.title)}</title>\n<style>{style(MAX_CHARTS)}</style></head>\n<body><main>\n"
        + "\n".join(part for part in sections if part)
        + "\n<footer>Trapjaw. Latencies are counted by the card itself, in clock cycles of its RTL; "
        "the serial transceivers and the MAC are not in them.</footer>\n</main></body></html>\n"
    )


def _header(record: SessionRecord) -> str:
    badge = "<span class='badge good'>RECONCILED</span>" if record.reconciled else "<span class='badge bad'>NOT RECONCILED</span>"
    sources = " · ".join(f"{escape(venue.name)}: {escape(venue.source)}" for venue in record.venues)
    return (
        f"<header><h1>{escape(record.title)}</h1>{badge}</header>"
        f"<p class=lead>Simulated card <b>{escape(record.card)}</b> (configuration {escape(record.configuration)}), "
        f"{record.clock_hz / 1e6:g} MHz · {sources}</p>"
    )


def _tiles(record: SessionRecord) -> str:
    filled = sum(order.filled > 0 for order in record.sent)
    tiles = [
        (f"{len(record.sent):,}", "orders sent", f"{filled:,} traded, in full or in part"),
        (f"{len(record.rejected):,}", "orders refused", f"{sum(count > 0 for count in record.rejects_by_reason().values())} reasons"),
    ]
    if record.sent:
        median, slowest = (percentile([order.from_end for order in record.sent], share) for share in (0.5, 0.99))
        tiles += [
            (f"{record.nanoseconds(median):.1f} ns", "tick-to-trade, median", f"{median} cycles, from end of trigger"),
            (f"{record.nanoseconds(slowest):.1f} ns", "tick-to-trade, p99", f"{slowest} cycles, from end of trigger"),
        ]
    span = (record.market_end - record.market_start) / 1e9
    tiles.append((f"{record.messages:,}", "feed messages", f"in {record.frames:,} frames, {_span(span)} of market"))
    if record.seconds:
        speed = f"{record.cycles / record.seconds / 1e6:.2f} M cycles/s"
        tiles.append((f"{record.messages / record.seconds:,.0f}/s", "messages simulated", speed))
    cells = "".join(f"<div class=tile><span>{name}</span><b>{value}</b><i>{more}</i></div>" for value, name, more in tiles)
    return f"<div class=tiles>{cells}</div>"


def _span(seconds: float) -> str:
    if seconds >= 600:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def _notes(record: SessionRecord) -> str:
    if not record.notes:
        return ""
    return _section("What you are looking at", "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in record.notes) + "</ul>")


def _latency(record: SessionRecord) -> str:
    if not record.sent:
        return _section("Tick-to-trade", "<p class=quiet>No order was sent.</p>")
    panels, rows = [], []
    for attribute, name, meaning in DEFINITIONS:
        first = [getattr(order, attribute) for order in record.sent if order.leg == 1]
        second = [getattr(order, attribute) for order in record.sent if order.leg == 2]
        panels.append(f"<div><h3>{name}</h3><p class=quiet>{meaning}</p>{charts.latency_histogram(record, first, second, name)}</div>")
        rows.append(LatencySummary.of(f"{name}: all orders", first + second))
        for words, values in (("first", first), ("second", second)):
            if values:
                rows.append(LatencySummary.of(f"{name}: {words} order of a trigger", values))
    legend = _legend([
        ("<i style='background:var(--bar)'></i>", "first order of a trigger"),
        ("<i style='background:var(--second)'></i>", "second: it waits for the first one's frame"),
    ])
    return _section(
        "Tick-to-trade",
        f"{legend}<div class=pair>{''.join(panels)}</div>{_latency_table(record, rows)}"
        "<h3>By what caused the order</h3><p class=quiet>First orders, from the end of the trigger. Alone: one message in its frame, and "
        "nothing before it that the card was still busy with. In a burst it may wait for the end of its frame (nothing takes effect before "
        "the frame is known to be good), for events ahead of it at the book, and for an order frame that is still leaving.</p>"
        f"{_latency_table(record, latency_by_trigger(record))}",
    )


def _latency_table(record: SessionRecord, rows: Iterable[LatencySummary]) -> str:
    def both(cycles: int) -> str:
        return f"{cycles} <span class=quiet>· {record.nanoseconds(cycles):.1f} ns</span>"

    body = [
        [escape(row.name), f"{row.count:,}", both(row.least), both(row.median), both(row.p99), both(row.most)] for row in rows
    ]
    return _table(["", "orders", "min", "p50", "p99", "max"], body)


def _market(record: SessionRecord) -> str:
    ranked = sorted(range(len(record.symbols)), key=lambda symbol: (-sum(order.symbol == symbol for order in record.sent), symbol))
    shown = [symbol for symbol in ranked if any(quote.symbol == symbol for quote in record.quotes)][:MAX_CHARTS]
    if not shown:
        return ""
    triangle = "<svg viewBox='0 0 14 12'><path d='M7,1l5,9h-10z' fill='var(--buy)'/></svg>"
    inverted = "<svg viewBox='0 0 14 12'><path d='M7,11l5,-9h-10z' fill='var(--sell)'/></svg>"
    cross = "<svg viewBox='0 0 14 12'><path d='M4,3l6,6m0,-6l-6,6' stroke='var(--quiet)' fill='none'/></svg>"
    legend = _legend(
        [(f"<i class=v{number}></i>", f"{escape(venue.name)}: bid to ask") for number, venue in enumerate(record.venues)]
        + [(triangle, "buy sent"), (inverted, "sell sent (hollow: nothing traded)"), (cross, "refused by the risk gateway")]
    )
    inputs, panels = [], []
    for number, symbol in enumerate(shown):
        name = escape(record.symbols[symbol])
        checked = "" if number else " checked"
        inputs.append(f"<input type=radio name=symbol id=symbol{number}{checked}><label for=symbol{number}>{name}</label>")
        whole = charts.top_of_book(record, symbol, record.first_quote, record.market_end)
        panels.append(f"<div class=panel>{whole}{_anatomy(record, symbol)}</div>")
    return _section("Top of book and orders", f"{legend}<div class=tabs>{''.join(inputs)}{''.join(panels)}</div>")


def _anatomy(record: SessionRecord, symbol: int) -> str:
    """The same picture around the order with the best edge, close enough to see it come and go."""
    steps = edges(record, symbol)
    traded = sorted(order.time for order in record.sent if order.symbol == symbol)
    best = None
    for (time, edge), (until, _) in zip(steps, steps[1:], strict=False):
        if edge > 0 and (best is None or edge > best[0]) and _within(traded, time, until):
            best = edge, time
    if best is None:
        return ""
    begin, end = _opportunity(steps, best[1])
    pad = max((end - begin) * 3 // 2, 15_000)
    picture = charts.top_of_book(record, symbol, begin - pad, end + pad, height=320, exact=True)
    return f"<h3>The best opportunity that was traded, close up</h3>{picture}"


def _within(times: list[int], begin: int, end: int) -> list[int]:
    return times[bisect_left(times, begin) : bisect_left(times, end)]


def _opportunity(steps: list[tuple[int, int]], time: int) -> tuple[int, int]:
    """From when to when the edge was positive around a time."""
    at = next(number for number, (start, _) in enumerate(steps) if start == time)
    first, last = at, at
    while first > 0 and steps[first - 1][1] > 0:
        first -= 1
    while last + 1 < len(steps) and steps[last][1] > 0:
        last += 1
    return steps[first][0], steps[last][0]


def _opportunities(record: SessionRecord) -> str:
    found = opportunities.opportunities(record)
    if not found:
        return ""
    names = [venue.name for venue in record.venues]
    rows = [
        [f"{escape(names[row.buy_venue])} → {escape(names[row.sell_venue])}", f"{row.count:,}", charts.duration(row.total),
         charts.duration(row.longest), f"{row.signals:,}", f"{row.shares:,}", f"{row.profit / 1e4:,.2f}"]
        for row in opportunities.by_pair(record, found)
    ]
    return _section(
        "Opportunities",
        "<p class=quiet>Bought at one venue → sold at another: when its bid was above the other's ask, and how far, before fees. "
        "Signals are what the detector took of it, and their shares and profit what the quotes promised, not what was traded.</p>"
        + opportunities.over_time(record, found)
        + _table(["buy → sell", "opportunities", "in all", "longest", "signals", "shares", "profit"], rows),
    )


def _counted(counts: dict[str, int], class_: str, label: str, *, other: str = "") -> str:
    """Bars of what there was, and the names of the rest; ``other`` has a bar in any case."""
    there = {name: count for name, count in counts.items() if count or name == other}
    never = ", ".join(escape(name) for name in counts if name not in there)
    return charts.bars(there, class_, label, other=other) + (f"<p class=quiet>None: {never}</p>" if never else "")


def _risk(record: SessionRecord) -> str:
    outcome = {"sent": len(record.sent), **record.rejects_by_reason()}
    held = sorted({step.symbol for step in record.positions})
    legend = _legend([(f"<i class=v{symbol % 8}></i>", escape(record.symbols[symbol])) for symbol in held])
    return _section(
        "Orders and the risk gateway",
        "<div class=pair><div><h3>Sent, and refused by reason</h3>"
        f"{_counted(outcome, 'rejects', 'Orders sent and refused', other='sent')}</div>"
        f"<div><h3>Frames dropped by reason</h3>{_counted(record.drops, 'drops', 'Frames dropped')}</div></div>"
        f"<h3>Positions, in shares</h3>{legend}{charts.positions(record)}",
    )


def _money(record: SessionRecord) -> str:
    rows = [
        [
            escape(row.symbol), f"{row.orders:,}", f"{row.bought:,}", f"{row.sold:,}", f"{row.position:+,}", f"{row.mark / 1e4:,.4f}",
            f"{row.result / 1e4:+,.2f}",
        ]
        for row in accounts(record) if row.orders
    ]
    if not rows:
        return ""
    total = sum(row.result for row in accounts(record))
    rows.append(["<b>All</b>", "", "", "", "", "", f"<b>{total / 1e4:+,.2f}</b>"])
    return _section(
        "By symbol",
        _table(["", "orders", "bought", "sold", "position", "marked at", "result"], rows)
        + "<p class=quiet>Result: money in less money out, the position at the last middle price; before fees. Fills are drawn at "
        "random by the simulated venues: this shows that the accounts add up, not what a strategy would earn.</p>",
    )


def _traffic(record: SessionRecord) -> str:
    rows = [
        [escape(venue.name), f"{venue.messages:,}", f"{venue.frames:,}", f"{venue.messages / max(venue.frames, 1):.2f}"]
        for venue in record.venues
    ]
    legend = _legend([(f"<i class=v{number}></i>", escape(venue.name)) for number, venue in enumerate(record.venues)])
    return _section("Feed", legend + charts.message_rate(record) + _table(["", "messages", "frames", "messages per frame"], rows))


def _reconciliation(record: SessionRecord) -> str:
    verdict = {True: "<span class=ok>equal</span>", False: "<span class=wrong>DIFFERENT</span>"}
    rows = [[escape(check.name), f"{check.expected:,}", f"{check.actual:,}", verdict[check.ok]] for check in record.checks]
    return _section("Reconciliation", _table(["", "host", "card or wire", ""], rows))


def _settings(record: SessionRecord) -> str:
    return _section("Limits and settings", _table(["", ""], [[escape(name), escape(value)] for name, value in record.settings.items()]))


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _legend(entries: Iterable[tuple[str, str]]) -> str:
    return "<div class=legend>" + "".join(f"<span>{mark}{words}</span>" for mark, words in entries) + "</div>"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{words}</th>" for words in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

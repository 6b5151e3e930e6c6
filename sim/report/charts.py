"""The charts of a session. Each returns one inline SVG; classes are coloured by :mod:`sim.report.theme`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sim.report.record import BUY, Quote, SentOrder, SessionRecord
from sim.report.statistics import edges, percentile
from sim.report.svg import Plot, Scale, compact, drawing, element, polyline, text, ticks, tooltip

WIDTH = 1040
LEFT, RIGHT = 64, 18
SECOND = 10**9
"""In nanoseconds."""


def latency_histogram(record: SessionRecord, first: Sequence[int], second: Sequence[int], title: str) -> str:
    """Orders by latency: the first order of a trigger and, stacked on it, the second. Axis in cycles and ns."""
    height, everything = 260, [*first, *second]
    low, high = min(everything), max(everything)
    width = max(1, -(-(high - low + 1) // 90))
    bins = {side: Counter((value - low) // width for value in values) for side, values in ((1, first), (2, second))}
    last = (high - low) // width
    top = max(bins[1][number] + bins[2][number] for number in range(last + 1))
    plot = Plot(Scale(low - 0.5, low + (last + 1) * width - 0.5, LEFT, WIDTH // 2 - RIGHT), Scale(0, top * 1.06, height - 46, 46))
    bar = max(plot.x(low + width) - plot.x(low) - 1.2, 0.8)
    parts = [plot.grid(counts := [tick for tick in ticks(0, top, 4) if tick == int(tick)], [compact(count) for count in counts])]
    for number in range(last + 1):
        base = 0
        for leg in (1, 2):
            if count := bins[leg][number]:
                x, y = plot.x(low + number * width - 0.5), plot.y(base + count)
                value = low + number * width
                span = f"{value}" if width == 1 else f"{value} to {value + width - 1}"
                hint = tooltip(f"{span} cycles ({record.nanoseconds(value):.1f} ns): {count} × {'first' if leg == 1 else 'second'} order")
                parts.append(element("rect", hint, x=x + 0.6, y=y, width=bar, height=plot.y(base) - y, class_=f"leg{leg}"))
                base += count
    parts.append(_percentile_marks(record, plot, everything))
    marks = [tick for tick in ticks(low, high, 7) if tick == int(tick)]
    parts.append(plot.bottom_axis(marks, [f"{tick:.0f}" for tick in marks], ""))
    for tick in marks:
        parts.append(text(plot.x(tick), height - 13, f"{record.nanoseconds(tick):.0f}", anchor="middle", class_="label quiet"))
    parts.append(text(plot.x.start - 8, height - 29, "cycles", anchor="end", class_="label quiet"))
    parts.append(text(plot.x.start - 8, height - 13, "ns", anchor="end", class_="label quiet"))
    return drawing(WIDTH // 2, height, *parts, label=title)


def _percentile_marks(record: SessionRecord, plot: Plot, values: Sequence[int]) -> str:
    parts = []
    for row, (name, value) in enumerate((("p50", percentile(values, 0.5)), ("p99", percentile(values, 0.99)), ("max", max(values)))):
        x = plot.x(value)
        right = x > plot.x.start + 0.62 * (plot.x.end - plot.x.start)
        y = 14 + 13 * row
        parts.append(element("line", x1=x, x2=x, y1=y + 2, y2=plot.y.start, class_="mark"))
        words = f"{name} {value} = {record.nanoseconds(value):.1f} ns"
        parts.append(text(x - 4 if right else x + 4, y, words, anchor="end" if right else "start", class_="label strong"))
    return "".join(parts)


def top_of_book(record: SessionRecord, symbol: int, begin: int, end: int, *, height: int = 380, exact: bool = False) -> str:
    """Bid and ask of every venue with the orders on them, and below the edge between the venues."""
    quotes = [quote for quote in record.quotes if quote.symbol == symbol and quote.time <= end]
    shown = _state_at(quotes, begin) + [quote for quote in quotes if quote.time >= begin]
    orders = [order for order in record.sent if order.symbol == symbol and begin <= order.time <= end]
    rejected = [order for order in record.rejected if order.symbol == symbol and begin <= order.time <= end]
    prices = [price for quote in shown for price in (quote.bid, quote.ask) if price] + [order.price for order in orders]
    if not prices:
        return "<p class=quiet>No top of book in this time.</p>"
    low, high = _price_range(prices)
    margin = max((high - low) * 0.06, 1)
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    strip = 74
    plot = Plot(x, Scale(low - margin, high + margin, height - strip - 44, 10))
    levels = ticks(low, high, 6)
    parts = [plot.grid(levels, [_price(level) for level in levels])]
    for venue in range(len(record.venues)):
        steps = _thin([quote for quote in shown if quote.venue == venue], x, exact)
        parts.append(_band(plot, steps, venue, end))
    parts += [_order_mark(record, plot, order) for order in orders]
    for order in rejected:
        hint = f"refused ({order.reason}): {order.side} {order.shares} at {_price(order.price)}, {record.venues[order.venue].name}"
        parts.append(_cross(plot.x(order.time), _clip(plot, order.price), hint))
    parts.append(_edge_strip(record, symbol, x, begin, end, height - 38, strip - 14))
    return drawing(WIDTH, height, *parts, label=f"Top of book of {record.symbols[symbol]}")


def _state_at(quotes: Sequence[Quote], time: int) -> list[Quote]:
    """What stood when the picture begins: the last quote of each venue before it."""
    last: dict[int, Quote] = {}
    for quote in quotes:
        if quote.time < time:
            last[quote.venue] = quote
    return [replace(quote, time=time) for quote in last.values()]


def _price_range(prices: Sequence[int]) -> tuple[int, int]:
    """All but stray quotes far from the market, which would flatten the picture."""
    ordered = sorted(prices)
    lower, middle, upper = (ordered[int(len(ordered) * share)] for share in (0.02, 0.5, 0.98))
    reach = max(upper - lower, middle // 10_000, 1)
    near = [price for price in ordered if lower - reach <= price <= upper + reach]
    return near[0], near[-1]


def _thin(quotes: Sequence[Quote], x: Scale, exact: bool) -> list[Quote]:
    """Without repetitions, and no more than the pixels can show: the extremes and the last of each pixel stay."""
    steps: list[Quote] = []
    for quote in quotes:
        if not steps or (steps[-1].bid, steps[-1].ask) != (quote.bid, quote.ask):
            steps.append(quote)
    if exact or len(steps) < 3_000:
        return steps
    columns: dict[int, list[Quote]] = {}
    for quote in steps:
        columns.setdefault(int(x(quote.time)), []).append(quote)
    kept = []
    for column in columns.values():
        chosen = {id(quote): quote for quote in (
            column[0], max(column, key=lambda quote: quote.bid), min(column, key=lambda quote: quote.ask or 1 << 32), column[-1],
        )}
        kept += sorted(chosen.values(), key=lambda quote: quote.time)
    return kept


def _band(plot: Plot, steps: Sequence[Quote], venue: int, end: int) -> str:
    """Spread of a venue as a tinted band with bid and ask as stepped lines; open where a side is empty."""
    parts = []
    for field in ("bid", "ask"):
        run: list[tuple[float, float]] = []
        for quote, until in _lasting(steps, end):
            price = getattr(quote, field)
            if price:
                y = _clip(plot, price)
                run += [(plot.x(quote.time), y), (plot.x(until), y)]
            if (not price or quote is steps[-1]) and run:
                parts.append(polyline(run, f"line v{venue}"))
                run = []
    area = []
    for quote, until in _lasting(steps, end):
        if quote.bid and quote.ask and plot.x(until) - plot.x(quote.time) >= 0.05:
            top, bottom = _clip(plot, quote.ask), _clip(plot, quote.bid)
            area.append(f"M{plot.x(quote.time):.1f},{top:.1f}H{plot.x(until):.1f}V{bottom:.1f}H{plot.x(quote.time):.1f}Z")
    return element("path", d="".join(area), class_=f"band v{venue}") + "".join(parts)


def _lasting(steps: Sequence[Quote], end: int) -> Iterator[tuple[Quote, int]]:
    """Each quote with the time until which it stood."""
    return zip(steps, [*(step.time for step in steps[1:]), end], strict=False)


def _clip(plot: Plot, price: float) -> float:
    return plot.y(min(max(price, plot.y.low), plot.y.high))


def _order_mark(record: SessionRecord, plot: Plot, order: SentOrder) -> str:
    x, y = plot.x(order.time), _clip(plot, order.price)
    up = -1 if order.side == BUY else 1
    shape = f"M{x:.1f},{y - up:.1f}l5,{-up * 9}h-10z"
    venue = record.venues[order.venue].name
    hint = (
        f"{order.side} {order.shares} {record.symbols[order.symbol]} at {_price(order.price)}, {venue}; filled {order.filled}; "
        f"{order.from_end} cycles = {record.nanoseconds(order.from_end):.1f} ns after the trigger"
    )
    return element("path", tooltip(hint), d=shape, class_=f"order {order.side}{'' if order.filled else ' empty'}")


def _cross(x: float, y: float, hint: str) -> str:
    return element("path", tooltip(hint), d=f"M{x - 3:.1f},{y - 3:.1f}l6,6m0,-6l-6,6", class_="refused")


def _edge_strip(record: SessionRecord, symbol: int, x: Scale, begin: int, end: int, bottom: int, height: int) -> str:
    """Best bid of one venue less best ask of another, where it is positive: what there was to earn per share."""
    steps = edges(record, symbol)
    area = []
    spans = [
        (max(time, begin), min(until, end), edge)
        for (time, edge), until in zip(steps, [*(time for time, _ in steps[1:]), end], strict=False)
        if edge > 0 and until >= begin and time <= end
    ]
    most = max((edge for _, _, edge in spans), default=1)
    y = Scale(0, most, bottom, bottom - height + 16)
    for time, until, edge in spans:
        width = max(x(until) - x(time), 0.7)
        area.append(f"M{x(time):.1f},{bottom}V{y(edge):.1f}h{width:.1f}V{bottom}Z")
    plot = Plot(x, Scale(0, 1, bottom, bottom - height))
    return "".join((
        text(x.start - 8, y(most) + 4, _price(most), anchor="end"),
        text(x.start - 8, bottom + 1, "0", anchor="end"),
        element("line", x1=x.start, x2=x.end, y1=y(most), y2=y(most), class_="grid"),
        element("path", d="".join(area), class_="edge") if area else "",
        text(x.start + 6, bottom - height + 11, "edge: best bid of one venue less best ask of the other, per share", class_="label quiet"),
        time_axis(plot, begin, end),
    ))


def time_axis(plot: Plot, begin: int, end: int) -> str:
    """Time of day where the picture is wide; else the time since a round instant before it, in a unit that suits."""
    span = end - begin
    if span >= 180 * SECOND:
        step = next(step for step in (60, 120, 300, 600, 1_800, 3_600, 7_200, 86_400) if span / (step * SECOND) <= 10) * SECOND
        values = range(-(-begin // step) * step, end + 1, step)
        return plot.bottom_axis(values, [clock(value)[:5] for value in values], "exchange time")
    unit, name = next(((unit, name) for unit, name in ((SECOND, "s"), (10**6, "ms"), (10**3, "µs")) if span >= 3 * unit), (1, "ns"))
    origin = begin // (1_000 * unit) * 1_000 * unit if unit < SECOND else begin // SECOND * SECOND
    values = ticks((begin - origin) / unit, (end - origin) / unit, 9)
    title = f"{name} after {clock(origin)}"
    return plot.bottom_axis([origin + value * unit for value in values], [f"{value:,.10g}" for value in values], title)


def clock(time: int) -> str:
    """Nanoseconds since midnight as hours, minutes, seconds and as many digits as it needs."""
    seconds, rest = divmod(time, SECOND)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


def bars(counts: dict[str, int], class_: str, label: str, *, other: str = "") -> str:
    """Horizontal bars with their numbers; the row named ``other`` has the colour of what is good."""
    row, width = 26, WIDTH // 2
    names = 150
    scale = Scale(0, max([*counts.values(), 1]), names, width - 90)
    parts = []
    for number, (name, count) in enumerate(counts.items()):
        y = 6 + number * row
        colour = "none" if not count else "sent" if name == other else class_
        parts.append(text(names - 10, y + 14, name, anchor="end", class_="label" if count else "label quiet"))
        parts.append(element("rect", x=names, y=y, width=max(scale(count) - names, 1), height=row - 8, rx=2, class_=colour))
        parts.append(text(max(scale(count), names) + 8, y + 14, f"{count:,}", class_="label strong" if count else "label quiet"))
    return drawing(width, 12 + row * len(counts), *parts, label=label)


def message_rate(record: SessionRecord) -> str:
    """Messages of each venue over time, stacked."""
    height, count = 200, 160
    begin, end = record.market_start, max(record.market_end, record.market_start + 1)
    width = (end - begin) / count
    stacks = [Counter(min(int((time - begin) / width), count - 1) for time in venue) for venue in record.message_times]
    top = max((sum(stack[number] for stack in stacks) for number in range(count)), default=1) or 1
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    plot = Plot(x, Scale(0, top, height - 44, 12))
    levels = ticks(0, top, 4)
    parts = [plot.grid(levels, [compact(level) for level in levels])]
    for number in range(count):
        base = 0
        for venue, stack in enumerate(stacks):
            if stack[number]:
                y, under = plot.y(base + stack[number]), plot.y(base)
                left, bar = x(begin + number * width), (x.end - x.start) / count - 0.8
                parts.append(element("rect", x=left, y=y, width=bar, height=under - y, class_=f"v{venue} fill"))
                base += stack[number]
    parts.append(text(x.start + 6, 20, f"messages per {duration(width)}", class_="label quiet"))
    parts.append(time_axis(plot, begin, end))
    return drawing(WIDTH, height, *parts, label="Messages over time")


def positions(record: SessionRecord) -> str:
    """Position of every symbol over time, with the limit."""
    height, limit = 230, record.position_limit
    begin, end = record.first_quote, max(record.market_end, record.first_quote + 1)
    most = max([abs(step.shares) for step in record.positions] + [limit, 1])
    plot = Plot(Scale(begin, end, LEFT, WIDTH - RIGHT), Scale(-most * 1.05, most * 1.05, height - 44, 10))
    levels = ticks(-most, most, 5)
    parts = [plot.grid(levels, [compact(level) for level in levels])]
    for bound in (-limit, limit):
        parts.append(element("line", x1=plot.x.start, x2=plot.x.end, y1=plot.y(bound), y2=plot.y(bound), class_="limit"))
    for symbol in range(len(record.symbols)):
        steps = [step for step in record.positions if step.symbol == symbol]
        points, shares = [(plot.x(begin), plot.y(0))], 0
        for step in steps:
            points += [(plot.x(step.time), plot.y(shares)), (plot.x(step.time), plot.y(step.shares))]
            shares = step.shares
        points.append((plot.x(end), plot.y(shares)))
        if steps:
            parts.append(polyline(points, f"line s{symbol % 8}"))
    parts.append(text(plot.x.start + 6, plot.y(limit) + 13, f"limit {limit:,}", class_="label quiet"))
    parts.append(time_axis(plot, begin, end))
    return drawing(WIDTH, height, *parts, label="Positions over time")


def _price(price: float) -> str:
    return f"{price / 10_000:,.4f}" if price % 100 else f"{price / 10_000:,.2f}"


def duration(nanoseconds: float) -> str:
    for unit, name in ((60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if nanoseconds >= unit:
            return f"{nanoseconds / unit:.3g} {name}"
    return f"{nanoseconds:.3g} ns"

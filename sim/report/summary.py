"""The report on the terminal."""

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sim.report.record import SessionRecord
from sim.report.statistics import LatencySummary, latency_by_trigger


def summary(record: SessionRecord) -> Group:
    """Everything that a session says for itself, for ``Console.print``."""
    parts = [_traffic(record), _speed(record), _orders(record), _latency(record), _reconciliation(record)]
    return Group(*[part for part in parts if part is not None])


def show(record: SessionRecord, console: Console) -> None:
    console.print(summary(record))


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", expand=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number == 0 else "right")
    return table


def _traffic(record: SessionRecord) -> Table:
    table = _table("Feed", "venue", "messages", "frames", "source")
    for venue in record.venues:
        table.add_row(venue.name, f"{venue.messages:,}", f"{venue.frames:,}", venue.source)
    return table


def _speed(record: SessionRecord) -> Text:
    dropped = sum(record.drops.values())
    reasons = ", ".join(f"{name} {count:,}" for name, count in record.drops.items() if count)
    seconds = max(record.seconds, 1e-9)
    rate = f"{record.messages / seconds:,.0f} messages/s, {record.cycles / seconds / 1e6:.2f} M cycles/s"
    lines = [f"simulated at {rate}", f"frames dropped: {dropped:,}{f' ({reasons})' if reasons else ''}"]
    return Text("\n".join(lines), style="dim")


def _orders(record: SessionRecord) -> Table:
    table = _table("Orders", "what became of them", "orders", "share")
    total = len(record.sent) + len(record.rejected)
    counts = {
        "sent, traded in full": sum(order.filled == order.shares for order in record.sent),
        "sent, traded in part": sum(0 < order.filled < order.shares for order in record.sent),
        "sent, not traded": sum(order.filled == 0 for order in record.sent),
        **{f"refused: {reason}": count for reason, count in record.rejects_by_reason().items() if count},
    }
    for name, count in counts.items():
        table.add_row(Text(name, style="yellow" if name.startswith("refused") else ""), f"{count:,}", f"{count / max(total, 1):.1%}")
    return table


def _latency(record: SessionRecord) -> Table | None:
    if not record.sent:
        return None
    """All orders, then those to which nothing but the card's own way was added: a message alone, from its end to the first order."""
    table = _table(f"Tick-to-trade, in cycles of {record.clock_hz / 1e6:g} MHz (ns)", "from → to", "orders", "min", "p50", "p99", "max")
    alone = [row for row in latency_by_trigger(record) if row.name.endswith(", alone")]
    for attribute, name, more in (("from_end", "end of trigger → first word", alone), ("from_start", "start of message → frame", [])):
        for words, legs in ((name, (1, 2)), ("  first order of a trigger", (1,))):
            if values := [getattr(order, attribute) for order in record.sent if order.leg in legs]:
                table.add_row(words, *_figures(record, LatencySummary.of(words, values)))
        for row in more:
            table.add_row(f"  {row.name}", *_figures(record, row), style="dim")
    return table


def _figures(record: SessionRecord, row: LatencySummary) -> list[str]:
    return [f"{row.count:,}", *(f"{cycles} ({record.nanoseconds(cycles):.1f})" for cycles in (row.least, row.median, row.p99, row.most))]


def _reconciliation(record: SessionRecord) -> Panel:
    agree = sum(check.ok for check in record.checks)
    lines = [Text(f"{agree} of {len(record.checks)} accounts agree: orders on the wire, refusals, positions, frames, counters")]
    for check in record.checks:
        if not check.ok:
            lines.append(Text(f"≠ {check.name}: {check.expected:,}, found {check.actual:,}", style="bold red"))
    verdict = Text("reconciliation OK", style="bold green") if record.reconciled else Text("RECONCILIATION FAILED", style="bold red")
    return Panel(Group(*lines), title=verdict, title_align="left", border_style="green" if record.reconciled else "red", expand=False)

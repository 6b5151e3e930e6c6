"""What is seen while a session runs: a bar, and a few figures that change."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from sim.report.statistics import percentile

REFRESH = 8
"""Times a second."""

LATEST = 1_000
"""Orders whose latency the live figures show."""


class Figures(Protocol):
    """What the session tells: see sim.session.session.Progress."""

    messages: int
    total: int
    orders: int
    filled: int
    rejects: dict[str, int]
    positions: list[int]
    latencies: list[int]
    cycles: int
    seconds: float


@contextmanager
def live(console: Console, title: str, clock_hz: int, symbols: Sequence[str]) -> Iterator[Callable[[Figures], None]]:
    """Gives the function to call with the newest figures. Without a terminal, one line at every quarter."""
    if not console.is_terminal:
        yield _lines(console)
        return
    bar = Progress(
        TextColumn("[bold]{task.description}"), BarColumn(40), MofNCompleteColumn(), TextColumn("messages"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console,
    )
    task = bar.add_task(title, total=None)
    with Live(bar, console=console, refresh_per_second=REFRESH, transient=True) as view:

        def show(figures: Figures) -> None:
            bar.update(task, completed=figures.messages, total=figures.total)
            view.update(Group(bar, _table(figures, clock_hz, symbols)))

        yield show


def _lines(console: Console) -> Callable[[Figures], None]:
    """For a log file."""
    shown = 0

    def show(figures: Figures) -> None:
        nonlocal shown
        quarter = 4 * figures.messages // max(figures.total, 1)
        if quarter > shown:
            shown = quarter
            console.print(f"{25 * quarter} %: {figures.messages:,} messages, {figures.orders:,} orders, "
                          f"{sum(figures.rejects.values()):,} refused", highlight=False)

    return show


def _table(figures: Figures, clock_hz: int, symbols: Sequence[str]) -> RenderableType:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    refused = ", ".join(f"{reason} {count:,}" for reason, count in sorted(figures.rejects.items())) or "none"
    table.add_row("orders", f"[bold]{figures.orders:,}[/] sent, {figures.filled:,} traded")
    table.add_row("refused", f"[yellow]{refused}[/]" if figures.rejects else refused)
    latest = figures.latencies[-LATEST:]
    if latest:
        shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
        values = [f"{name} {(cycles := percentile(latest, share))} = {cycles * 1e9 / clock_hz:.1f} ns" for name, share in shares]
        table.add_row("tick-to-trade", "  ".join(values) + "  [dim]cycles, end of trigger to first word out[/]")
    held = [f"{name} {shares:+,}" for name, shares in zip(symbols, figures.positions, strict=True) if shares]
    table.add_row("positions", "  ".join(held[:10]) or "flat")
    if figures.seconds:
        messages, cycles = figures.messages / figures.seconds, figures.cycles / figures.seconds
        table.add_row("speed", f"{messages:,.0f} messages/s, {cycles / 1e6:.2f} M cycles/s")
    return table

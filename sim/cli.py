"""Commands that simulate. The host's command line finds them by their entry points and never imports this package by name."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sim.golden.arbitrage import MOST_SHARES
from sim.readers.errors import BadInput
from sim.replay.errors import ReplayError
from sim.replay.feeds import Feed
from sim.replay.replay import Engine, Options, Report, Stage
from sim.replay.replay import Progress as Tell
from sim.replay.replay import replay as run_replay
from sim.replay.result import Result
from sim.replay.strategy import Signal, Strategy
from sim.replay.survey import Survey

NOT_RIGHT, REFUSED = 1, 2
SHOW_AFTER = 2.0
"""Seconds without a word are fine."""


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="ITCH 5.0 BinaryFILE, or pcap or pcapng of a feed, plain or gzip. "
                                                                 "File i is venue i.")],
    symbols: Annotated[str | None, typer.Option(help="Names with commas between them, or top:N. Default: all with book activity.")] = None,
    engine: Annotated[Engine, typer.Option(help="The card's RTL, compiled, or the golden model.")] = Engine.RTL,
    card: Annotated[str | None, typer.Option(help="Named configuration. Default: the smallest that fits.")] = None,
    bbo_out: Annotated[Path | None, typer.Option(help="CSV of the top of book after every book message; gzip if it ends in .gz. "
                                                      "With more files: F.venue0.csv and so on.")] = None,
    protocol: Annotated[str, typer.Option(help="auto, itch50, deep10 or pitch.")] = "auto",
    line: Annotated[int | None, typer.Option(help="Of a capture with lines A and B: which, from 1. Default: both.")] = None,
    recover: Annotated[Path | None, typer.Option(help="File with the messages that a retransmission would bring.")] = None,
    strategy: Annotated[str | None, typer.Option(help="arbitrage: all files as one stream by their times, through the detector.")] = None,
    signals_out: Annotated[Path | None, typer.Option(help="CSV of the strategy's signals.")] = None,
    min_profit: Annotated[int, typer.Option(min=0, max=(1 << 32) - 1, help="Of the strategy, in 1/10000 per share.")] = 1,
    max_shares: Annotated[int, typer.Option(min=1, max=MOST_SHARES, help="Of each leg of the strategy.")] = MOST_SHARES,
    stats: Annotated[bool, typer.Option("--stats", help="Show what each file holds: messages by type, gaps, duplicates, drops.")] = False,
) -> None:
    """Send recorded market data through the card and write its top of book.

    Exit status: 0 right; 1 the result can't be trusted (an overflow, a gap, a stale book) and was not written; 2 the input was refused.
    """
    from host.card.protocol import CardError  # noqa: PLC0415 (not needed to show the help)

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        report = run_replay(Options(
            tuple(files), engine, symbols, card, bbo_out, protocol, line, recover, stats, strategy, signals_out,
            Strategy(min_profit=min_profit, max_shares=max_shares)), stages(errors))
    except (BadInput, ReplayError, CardError, _build_error()) as error:
        errors.print(f"trapjaw: {error}", markup=False)
        raise typer.Exit(REFUSED) from None
    if report.result:
        Console().print(summary(report, report.result))
    if report.signals is not None:
        Console().print(signal_table(report.signals))
    if stats:
        for feed, survey in zip(report.feeds, report.surveys, strict=True):
            Console(soft_wrap=True, highlight=False).print(f"{feed.path.name}: {feed.wire.name}", style="italic", markup=False)
            Console().print(statistics(feed, survey))
    if not report.result:
        return
    for problem in report.result.problems:
        errors.print(f"trapjaw: not right: {problem}", markup=False)
    if report.result.problems:
        raise typer.Exit(NOT_RIGHT)


def _build_error() -> type[Exception]:
    """The compiler's complaint, where the tools are there at all."""
    try:
        from sim.verilated.build import BuildError  # noqa: PLC0415
    except ImportError:
        return ReplayError
    return BuildError


def stages(console: Console) -> Stage:
    """A progress bar for each stage that takes long enough, on a terminal."""

    @contextmanager
    def stage(name: str, total: int | None) -> Iterator[Tell]:
        begin = time.monotonic()
        bar = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} messages"), TimeElapsedColumn(),
                       console=console, transient=True)
        task = bar.add_task(name, total=total)

        def tell(count: int) -> None:
            bar.advance(task, count)
            if console.is_terminal and not bar.live.is_started and time.monotonic() - begin > SHOW_AFTER:
                bar.start()

        try:
            yield tell
        finally:
            if bar.live.is_started:
                bar.stop()

    return stage


def statistics(feed: Feed, survey: Survey) -> Table:
    """What is in one file, as a table."""
    wire, losses = feed.wire, survey.losses
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("messages", f"{survey.messages:,}")
    for kind, count in survey.types.most_common():
        table.add_row(f"  {wire.title(kind)}", f"{count:,}")
    table.add_row("symbols with book activity", f"{len(survey.activity):,}")
    table.add_row("first sequence number", f"{feed.first_sequence:,}")
    table.add_row("gaps", f"{losses.gaps:,}")
    table.add_row("missing messages", f"{losses.missing:,}")
    table.add_row("duplicates", f"{losses.duplicates:,}")
    table.add_row("dropped frames", f"{losses.drops.total():,}")
    for reason, count in losses.drops.most_common():
        table.add_row(f"  {reason}", f"{count:,}")
    return table


def signal_table(signals: Sequence[Signal]) -> Table:
    """How often, how much, for what and when, by the two venues."""
    begin, end = min((each.ts_ns for each in signals), default=0), max((each.ts_ns for each in signals), default=0)
    table = Table(title="signals: buy at, sell at", title_justify="left", caption_justify="left",
                  caption=f"over time: from {clock(begin)} to {clock(end)}" if signals else None)
    for head in ("venues", "signals", "shares", "profit", "best"):
        table.add_column(head, justify="right")
    table.add_column("over time", no_wrap=True)
    for pair in sorted({(signal.buy_venue, signal.sell_venue) for signal in signals}):
        of = [signal for signal in signals if (signal.buy_venue, signal.sell_venue) == pair]
        table.add_row(f"{pair[0]}, {pair[1]}", f"{len(of):,}", f"{sum(each.shares for each in of):,}",
                      f"{sum(each.profit for each in of) / 1e4:,.2f}", f"{max(each.profit for each in of) / 1e4:,.2f}",
                      bars([each.ts_ns for each in of], begin, end))
    return table


def bars(times: Sequence[int], begin: int, end: int, cells: int = 20) -> str:
    """How many fall into each of so many equal parts of the time, as bars: the tallest stands for the most, a blank for none."""
    counts = Counter((time - begin) * cells // (end - begin + 1) for time in times)
    most = max(counts.values())
    return "".join(" ▁▂▃▄▅▆▇█"[-(-8 * counts[cell] // most)] for cell in range(cells))


def clock(nanoseconds: int) -> str:
    """Time of day, to the millisecond."""
    milliseconds = nanoseconds // 10**6
    return f"{milliseconds // 3_600_000:02}:{milliseconds // 60_000 % 60:02}:{milliseconds // 1_000 % 60:02}.{milliseconds % 1_000:03}"


def summary(report: Report, result: Result) -> Table:
    """The result as a table."""
    engine = f"card {report.card}" if report.card else "golden engine"
    table = Table(title=f"replay through {engine}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    messages = report.types.total()
    table.add_row("messages", f"{messages:,}")
    for kind, count in report.types.most_common():
        table.add_row(f"  {kind}", f"{count:,}")
    if report.duplicates:
        table.add_row("duplicates", f"{report.duplicates:,}")
    table.add_row("symbols", f"{len(report.symbols):,}")
    table.add_row("rows", f"{result.rows:,}")
    table.add_row("changes of the top", f"{result.events:,}")
    if result.cycles:
        table.add_row("cycles", f"{result.cycles:,}")
        table.add_row("cycles per second", f"{result.cycles / result.seconds:,.0f}")
    table.add_row("seconds", f"{result.seconds:.2f}")
    table.add_row("messages per second", f"{messages / result.seconds:,.0f}")
    return table

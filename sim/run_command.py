"""`trapjaw run`: trade on the simulated card, and say how it went."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from host.card.protocol import CardError
from sim.flow.market import MarketSettings
from sim.flow.source import Source, from_files, generated, limited
from sim.readers.errors import BadInput
from sim.replay.errors import ReplayError
from sim.report import page, summary
from sim.report.live import live as live_view
from sim.report.record import SessionRecord
from sim.session.settings import SessionSettings

NOT_RECONCILED, REFUSED = 1, 2

MESSAGES = 30_000
"""Of a generated market, unless told otherwise."""

LIVE_CARD = "medium"
LIVE_MESSAGES = 10_000
"""Of two exchanges, unless told otherwise."""
TOP_PRICE = 320_0000
"""Of the exchanges' symbols, about: limits follow from it."""

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Options:
    """What a person asks for; see the command."""

    files: tuple[Path, ...]
    symbols: str | None
    seed: int
    messages: int | None
    seconds: float | None
    card: str | None
    min_profit: float


def run(
    data: Annotated[list[str] | None, typer.Argument(
        metavar="[FILE]...", help="ITCH 5.0 BinaryFILE or pcap, plain or gzip: one for each venue; a single one gets a made-up second "
                                  "venue. Without any, two venues are generated from the seed.")] = None,
    symbols: Annotated[str | None, typer.Option(help="Of the files: names with commas between them, or top:N.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn at random.")] = 1,
    messages: Annotated[int | None, typer.Option(
        min=1, help=f"Stop after so many. Default: {MESSAGES:,} generated, {LIVE_MESSAGES:,} of exchanges, all of a file.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1e-6, help="Stop after so much of the market's time.")] = None,
    card: Annotated[str | None, typer.Option(help="Named configuration. Default: ecp5, or what the file needs.")] = None,
    min_profit: Annotated[float, typer.Option(min=0.0001, help="Smallest profit per share that is traded, in money.")] = 0.01,
    live: Annotated[bool, typer.Option("--live", help="Trade at two exchanges of the simulator, over order sessions: their crowds hear the "
                                       "card's orders. Without files.")] = False,
    tap: Annotated[str | None, typer.Option(metavar="NAME", help="With --live: the Linux kernel's TCP, ARP and multicast are between card "
                                            "and exchanges, on a TAP device of this name. Wants a network namespace: "
                                            "unshare -rn trapjaw run --live --tap trapjaw0")] = None,
    report: Annotated[Path, typer.Option(help="Where the HTML report goes.")] = Path("build/report.html"),
) -> None:
    """Trade two venues on the simulated card and report it.

    Exit status: 0 all accounts agree; 1 they do not; 2 the input was refused.
    """
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        options = Options(tuple(_paths(data or [])), symbols, seed, messages, seconds, card, min_profit)
        record = _trade_live(options, tap, errors) if live or tap else _trade(options, errors)
    except (BadInput, ReplayError, CardError, _build_error()) as error:
        errors.print(f"trapjaw: {error}", markup=False)
        raise typer.Exit(REFUSED) from None
    summary.show(record, console := Console())
    page.write(record, report)
    console.print(f"report: {report}", highlight=False, soft_wrap=True)
    if not record.reconciled:
        raise typer.Exit(NOT_RECONCILED)


def _trade(options: Options, console: Console) -> SessionRecord:
    from host.card.simulated import SimulatedCard  # noqa: PLC0415 (none of this is needed to show the help)
    from sim.session.choice import choose_card  # noqa: PLC0415
    from sim.session.session import Session  # noqa: PLC0415
    from sim.verilated.build import library  # noqa: PLC0415

    with console.status("looking at the market data"):
        source = _source(options)
        config, top_price = choose_card(source, options.card)
    with console.status(f"compiling card {config.name} (once for each change of the RTL)"):
        built = library(config)
    with SimulatedCard(built) as card, live_view(console, source.title, config.clock_hz, source.symbols) as show:
        return Session(card, config, source, _settings(options, top_price)).run(show)


def _trade_live(options: Options, tap: str | None, console: Console) -> SessionRecord:
    from host.card.simulated import SimulatedCard  # noqa: PLC0415
    from hw.config import CARDS  # noqa: PLC0415
    from sim.session.live import LiveSession, LiveSettings  # noqa: PLC0415
    from sim.verilated.build import library  # noqa: PLC0415

    if options.files or options.symbols is not None or options.seconds is not None:
        raise ReplayError("--live has exchanges of its own: no files, symbols or seconds")
    config = CARDS.get(options.card or LIVE_CARD)
    if config is None or not config.sessions:
        having = ", ".join(card.name for card in CARDS.values() if card.sessions)
        raise ReplayError(f"--live wants a card with order sessions ({having}), not {options.card}")
    live = LiveSettings(options.seed, messages=options.messages or LIVE_MESSAGES)
    with console.status(f"compiling card {config.name} (once for each change of the RTL)"):
        built = library(config)
    title = f"Trading at exchanges, seed {options.seed}"
    with SimulatedCard(built) as card:
        try:
            session = LiveSession(card, config, _settings(options, TOP_PRICE), live, tap)
        except OSError as error:
            raise ReplayError(f"no TAP device {tap}: {error}") from None
        with live_view(console, title, config.clock_hz, session.symbols) as show:
            return session.run(show)


def _paths(data: list[str]) -> list[Path]:
    """Files; one argument may name several with spaces between them, as `make run DATA="a b"` gives it."""
    paths = []
    for word in data:
        paths += [Path(word)] if Path(word).exists() else [Path(part) for part in word.split()]
    return paths


def _source(options: Options) -> Source:
    count = options.messages
    nanoseconds = None if options.seconds is None else round(options.seconds * NANOSECONDS)
    if options.files:
        return limited(from_files(list(options.files), options.symbols, options.seed), count=count, nanoseconds=nanoseconds)
    if options.symbols is not None:
        raise ReplayError("--symbols chooses from a file; the generated market has its own")
    if count is None and nanoseconds is None:
        count = MESSAGES
    return limited(generated(MarketSettings(options.seed)), count=count, nanoseconds=nanoseconds)


def _settings(options: Options, top_price: int) -> SessionSettings:
    """Limits that bite now and then."""
    usual = SessionSettings(options.seed, min_profit=round(options.min_profit * 10_000))
    limits = replace(usual, max_notional=max(top_price * usual.max_shares * 85 // 100, 1))
    if not options.files:
        return limits
    # A recorded day is long and mostly quiet: its pauses are cut shorter, and with them all that is measured in cycles.
    return replace(limits, idle_limit=64, rate_interval=1_000, cooldown=100, reply_delay=400, damage_every=1_000)


def _build_error() -> type[Exception]:
    """The compiler's complaint, where the tools are there at all."""
    try:
        from sim.verilated.build import BuildError  # noqa: PLC0415
    except ImportError:
        return ReplayError
    return BuildError

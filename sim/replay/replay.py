"""A replay from its files to its result: survey, choice of symbols and card, engine, output."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from enum import StrEnum
from pathlib import Path

from hw.config import CARDS, CardConfig
from sim.readers.protocols import Key
from sim.replay.bbo import BboFiles, venue_paths
from sim.replay.errors import ReplayError
from sim.replay.feeds import Feed, open_feed
from sim.replay.golden import replay_golden
from sim.replay.result import Result
from sim.replay.selection import Selection, select
from sim.replay.strategy import Signal, Strategy, check, golden_signals, rtl_signals, write_signals
from sim.replay.survey import Survey, survey


class Engine(StrEnum):
    RTL = "rtl"
    GOLDEN = "golden"


Progress = Callable[[int], None]
Stage = Callable[[str, int | None], AbstractContextManager[Progress]]
"""Begins a stage of the work with its name and its number of messages, if that is known; gives what is told of messages as they pass."""


@dataclass(frozen=True)
class Options:
    """What a person asks for; see the command."""

    files: tuple[Path, ...]
    engine: Engine = Engine.RTL
    symbols: str | None = None
    card: str | None = None
    bbo_out: Path | None = None
    protocol: str = "auto"
    line: int | None = None
    recover: Path | None = None
    stats: bool = False
    strategy: str | None = None
    signals_out: Path | None = None
    settings: Strategy = Strategy()


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes
    ----------
    feeds, surveys
        The files and what is in them.
    card : str
        Name of the simulated card; empty for the golden engine.
    result : Result or None
        None where only statistics were asked for of files without any book activity.
    """

    feeds: tuple[Feed, ...]
    surveys: tuple[Survey, ...]
    symbols: tuple[str, ...]
    card: str
    result: Result | None
    signals: tuple[Signal, ...] | None = None
    """Of the strategy, where one was asked for."""

    @property
    def types(self) -> Counter[str]:
        """Messages of all files by type."""
        return sum((each.types for each in self.surveys), Counter[str]())

    @property
    def duplicates(self) -> int:
        """Messages that came again."""
        return sum(each.losses.duplicates for each in self.surveys)


def replay(options: Options, stage: Stage) -> Report:
    """Does it all. Output files are there afterwards only if the result has no problems."""
    _check_output(options)
    recovery = _recovery(options)
    feeds = [open_feed(path, options.protocol, options.line, recovery) for path in options.files]
    _check_strategy(options, feeds)
    surveys = []
    for feed in feeds:
        with stage(f"reading {feed.path.name}", None) as progress:
            surveys.append(survey(feed, progress))
    if options.stats and options.symbols is None and not any(each.activity for each in surveys):
        return Report(tuple(feeds), tuple(surveys), (), "", None)
    selection = select(surveys, options.symbols)
    config = None
    if options.engine is Engine.RTL:
        with stage("choosing a card", None) as progress:
            lines = 2 if recovery else max(feed_lines(feed) for feed in feeds)
            config = choose_card(options.card, feeds, selection, all_symbols=options.symbols is None, lines=lines,
                                 venues=len(feeds) if options.strategy else 0)
            config = speaking(config, feeds)
    total = sum(each.messages for each in surveys)
    if options.strategy:
        return _with_strategy(config, feeds, surveys, selection, options, stage)
    with BboFiles(options.bbo_out, ["symbol" if feed.wire.by_name else "locate" for feed in feeds]) as output:
        result = _run(config, feeds, selection, output, stage, total, recovery)
        result.problems = [*_losses(surveys, feeds), *result.problems]
        if not result.problems:
            output.keep()
    return Report(tuple(feeds), tuple(surveys), selection.names, config.name if config else "", result)


def _with_strategy(config: CardConfig | None, feeds: Sequence[Feed], surveys: Sequence[Survey], selection: Selection, options: Options,
                   stage: Stage) -> Report:
    """The same with a strategy at the end, which has signals instead of rows."""
    total = sum(sum(each.activity.values()) for each in surveys)
    if config is None:
        with stage("golden engine", total) as progress:
            result, signals = golden_signals(feeds, selection, options.settings, progress)
    else:
        from sim.verilated.build import library  # noqa: PLC0415 (needs the HDL tools)

        with stage(f"compiling card {config.name}", None):
            built = library(config)
        with stage(f"card {config.name}", total) as progress:
            result, signals = rtl_signals(built, config, feeds, selection, options.settings, progress)
    result.problems = [*_losses(surveys, feeds), *result.problems]
    if options.signals_out and not result.problems:
        write_signals(signals, options.signals_out)
    return Report(tuple(feeds), tuple(surveys), selection.names, config.name if config else "", result, tuple(signals))


def _check_strategy(options: Options, feeds: Sequence[Feed]) -> None:
    if options.strategy is None:
        if options.signals_out:
            raise ReplayError("--signals-out is for a strategy: --strategy arbitrage")
        return
    if options.strategy != "arbitrage":
        raise ReplayError(f"no strategy {options.strategy!r}: there is arbitrage")
    if options.bbo_out or options.recover:
        raise ReplayError("--strategy goes with --signals-out, not with --bbo-out or --recover")
    check(feeds)


def _recovery(options: Options) -> dict[int, bytes] | None:
    """The messages that a retransmission server would have."""
    if options.recover is None:
        return None
    if len(options.files) > 1:
        raise ReplayError(f"--recover is for one file, not {len(options.files)}")
    return dict(open_feed(options.recover, options.protocol).messages())


def _check_output(options: Options) -> None:
    """An output must not take the place of an input."""
    if options.bbo_out:
        inputs = {path.resolve() for path in (*options.files, options.recover) if path}
        for path in venue_paths(options.bbo_out, len(options.files)):
            if path.resolve() in inputs:
                raise ReplayError(f"--bbo-out {path} is one of the files to read")
    if options.signals_out and options.signals_out.resolve() in {path.resolve() for path in options.files}:
        raise ReplayError(f"--signals-out {options.signals_out} is one of the files to read")


def feed_lines(feed: Feed) -> int:
    """Lines of a venue that a feed comes on."""
    return getattr(feed, "lines", 1)


def choose_card(name: str | None, feeds: Sequence[Feed], selection: Selection, *, all_symbols: bool, lines: int = 1,
                venues: int = 0) -> CardConfig:
    """The named card, or the smallest that takes all, with more venues where ``venues`` are wanted; raises ReplayError where none does."""
    if name is not None and name not in CARDS:
        raise ReplayError(f"no card {name!r}: there are {', '.join(CARDS)}")
    candidates = [
        replace_fields(card, name=f"{card.name}-{venues}", venues=venues) if card.venues < venues <= 8 else card
        for card in ([CARDS[name]] if name is not None else CARDS.values())]
    largest = candidates[-1]
    if len(feeds) > largest.venues:
        raise ReplayError(f"{len(feeds)} files want a feed port each; card {largest.name} has {largest.venues}")
    if len(selection.names) > largest.symbols:
        found = "symbols have book activity" if all_symbols else "symbols were chosen"
        raise ReplayError(
            f"{len(selection.names)} {found}; card {largest.name} has {largest.symbols} slots: choose with --symbols A,B or "
            f"--symbols top:{largest.symbols}"
        )
    if lines > largest.lines:
        raise ReplayError(f"two lines or recovery want ports of their own; card {largest.name} has one line a venue")
    if name is not None:
        return largest
    for config in candidates:
        has_ports = len(feeds) <= config.venues and lines <= config.lines
        if has_ports and len(selection.names) <= config.symbols and _fits(config, feeds, selection):
            return config
    raise ReplayError("the live orders or price levels do not fit any named card; choose fewer symbols, or the golden engine")


def speaking(config: CardConfig, feeds: Sequence[Feed]) -> CardConfig:
    """The card with the feeds' protocols on its ports: the named one where all are ITCH 5.0."""
    protocols = tuple(feed.wire.name for feed in feeds)
    if set(protocols) <= {"itch50"}:
        return config
    return replace_fields(config, name="-".join((config.name, *protocols)), protocols=protocols)


def _fits(config: CardConfig, feeds: Sequence[Feed], selection: Selection) -> bool:
    from sim.capacity import fits  # noqa: PLC0415 (needs the HDL tools, which the golden engine does not)

    def events(feed: Feed, slots: dict[Key, int]):  # type: ignore[no-untyped-def]
        reading = feed.wire.reading()
        for _, message in feed.messages():
            if (key := reading.key(message)) is not None and key in slots:
                yield reading.event(message, slots[key])

    def bindings(feed: Feed, slots: dict[Key, int]) -> dict[int, int]:
        return {slot if feed.wire.by_name else int(key): slot for key, slot in slots.items()}

    return all(fits(config, bindings(feed, slots), events(feed, slots)) for feed, slots in zip(feeds, selection.slots, strict=True))


def _run(config: CardConfig | None, feeds: Sequence[Feed], selection: Selection, output: BboFiles, stage: Stage, total: int,
         recovery: Mapping[int, bytes] | None) -> Result:
    if config is None:
        with stage("golden engine", total) as progress:
            return replay_golden(feeds, selection, output, progress)
    from sim.replay.rtl import replay_rtl  # noqa: PLC0415 (needs the HDL tools)
    from sim.verilated.build import library  # noqa: PLC0415

    with stage(f"compiling card {config.name}", None):
        built = library(config)
    with stage(f"card {config.name}", total) as progress:
        return replay_rtl(built, config, feeds, selection, output, progress, recovery)


def _losses(surveys: Sequence[Survey], feeds: Sequence[Feed]) -> list[str]:
    return [
        f"venue {venue}: {each.losses.missing} messages are missing in {feed.path}, the first is {each.losses.first_missing}"
        for venue, (each, feed) in enumerate(zip(surveys, feeds, strict=True)) if each.losses.missing
    ]

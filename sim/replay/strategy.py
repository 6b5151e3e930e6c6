"""A replay with the arbitrage detector: the messages of all files in the order of their times, and every signal that they lead to."""

import csv
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from hw.config import CardConfig
from sim.golden.arbitrage import MOST_SHARES, ArbitrageModel, Limits, Venue
from sim.golden.book import Book
from sim.golden.ethernet import build_udp
from sim.golden.records import TopOfBook
from sim.replay.errors import ReplayError
from sim.replay.feeds import SESSION, Feed
from sim.replay.result import Result
from sim.replay.selection import Selection

SPACING = 64
"""Cycles from one message to the next: each is through the detector before the next one comes."""

AT_ONCE = 4_096

GROUP, PORT = (233 << 24 | 54 << 16 | 12 << 8 | 111), 26_477
"""The first venue's feed; the others follow."""


class Strategy(NamedTuple):
    """What the detector is set to; there are no fees, and no quote grows old."""

    min_profit: int = 1
    min_shares: int = 1
    max_shares: int = MOST_SHARES
    cooldown: int = 0


class Signal(NamedTuple):
    """A line of the file of signals. Prices in 1/10000, ``profit`` of all shares together."""

    ts_ns: int
    symbol: str
    buy_venue: int
    sell_venue: int
    buy_price: int
    sell_price: int
    shares: int
    profit: int


@dataclass(frozen=True)
class Step:
    """One message of a followed symbol."""

    time: int
    venue: int
    sequence: int
    """Its number among the followed ones of its venue, from 1."""
    slot: int
    message: bytes


def steps(feeds: Sequence[Feed], selection: Selection) -> Iterator[Step]:
    """The messages of all files that concern a followed symbol's book, by time, of equal ones the lowest venue's first."""
    def of(venue: int, feed: Feed) -> Iterator[tuple[int, int, int, Step]]:
        reading, slots, sequence = feed.wire.reading(), selection.slots[venue], 0
        for _, message in feed.messages():
            key = reading.key(message)
            if key is not None and key in slots:
                sequence += 1
                time = reading.time(message)
                yield time, venue, sequence, Step(time, venue, sequence, slots[key], message)

    return (step for *_, step in heapq.merge(*(of(venue, feed) for venue, feed in enumerate(feeds))))


def check(feeds: Sequence[Feed]) -> None:
    """Raises ReplayError where there is nothing to compare."""
    if len(feeds) < 2:
        raise ReplayError("--strategy arbitrage compares venues: it needs two files or more")
    for feed in feeds:
        if feed.wire.name != "itch50":
            raise ReplayError(f"--strategy arbitrage is for ITCH 5.0; {feed.path} is {feed.wire.name}")


def golden_signals(feeds: Sequence[Feed], selection: Selection, strategy: Strategy,
                   progress: Callable[[int], None]) -> tuple[Result, list[Signal]]:
    """By the golden models."""
    begin, result, signals = perf_counter(), Result(), []
    slots = range(len(selection.names))
    limits = Limits(strategy.min_profit, strategy.min_shares, strategy.max_shares)
    model = ArbitrageModel(
        len(feeds), len(slots), [Venue(enable=True, max_age=1 << 48) for _ in feeds], dict.fromkeys(slots, limits), strategy.cooldown,
        enabled=set(slots))
    books, readings = [Book() for _ in feeds], [feed.wire.reading() for feed in feeds]
    tops: dict[tuple[int, int], TopOfBook] = {}
    for number, step in enumerate(steps(feeds, selection)):
        event = readings[step.venue].event(step.message, step.slot)
        books[step.venue].apply(event)
        top = books[step.venue].top(event.locate)
        progress(1)
        result.rows += 1
        if tops.get((step.venue, step.slot), TopOfBook()) == top:
            continue
        tops[step.venue, step.slot] = top
        result.events += 1
        crossed = 0 < top.ask_price < top.bid_price
        found = model.update(step.venue, step.slot, top, stale=crossed, cycle=number * SPACING).signal
        if found:
            signals.append(Signal(step.time, selection.names[step.slot], *found))
    result.seconds = perf_counter() - begin
    return result, signals


def rtl_signals(library: Path, config: CardConfig, feeds: Sequence[Feed], selection: Selection, strategy: Strategy,
                progress: Callable[[int], None]) -> tuple[Result, list[Signal]]:
    """By the card: a message in a frame, far enough from the next one to know what each signal is of."""
    from host.card.control import Control  # noqa: PLC0415 (not needed by the golden engine)
    from host.card.events import ArbitrageSignal  # noqa: PLC0415
    from host.card.simulated import SimulatedCard  # noqa: PLC0415
    from sim.verilated.build import sizes_of  # noqa: PLC0415

    begin, result, signals = perf_counter(), Result(), []
    with SimulatedCard(library) as card:
        control = Control(card, config.name, {config.name: sizes_of(config)})
        _set_up(control, feeds, selection, strategy)
        card.drain_events(config.events)
        rest = steps(feeds, selection)
        while batch := list(islice(rest, AT_ONCE)):
            ahead = control.time() - card.cycle
            first = card.cycle + SPACING
            for venue in range(len(feeds)):
                mine = [(at, step) for at, step in enumerate(batch) if step.venue == venue]
                if mine:
                    frames = [build_udp(feeds[venue].wire.pack(SESSION, step.sequence, [step.message]), destination_ip=GROUP + venue,
                                        destination_port=PORT + venue) for _, step in mine]
                    card.queue(venue, frames, starts=[first + SPACING * at for at, _ in mine])
            if not card.run_until_idle(SPACING * (len(batch) + 100)):
                raise ReplayError("the card did not become idle")
            for event in _events(card):
                if isinstance(event, ArbitrageSignal):
                    step = batch[(event.time - ahead - first) // SPACING]
                    signals.append(Signal(
                        step.time, selection.names[event.symbol], event.buy_venue, event.sell_venue, event.buy_price, event.sell_price,
                        event.shares, event.profit))
                result.problems += ["records were lost from the event ring"] if event.lost else []
            result.rows += len(batch)
            progress(len(batch))
        result.events = sum(control.counter("TOPS", venue) for venue in range(len(feeds)))
        told = control.counter("SIGNALS")
        if told != len(signals):
            result.problems.append(f"the card counts {told} signals and told {len(signals)}")
        result.cycles = card.cycle
    result.seconds = perf_counter() - begin
    return result, signals


def _set_up(control, feeds, selection, strategy):  # type: ignore[no-untyped-def]
    """The feeds from 1 on, everything trading; the card stays disarmed: nothing leaves."""
    for venue in range(len(feeds)):
        for key, slot in selection.slots[venue].items():
            control.bind_symbol(venue, slot, key, selection.names[slot])
        control.assume_trading(venue, range(len(selection.names)))
        control.set_feed(venue, f"233.54.12.{111 + venue}", PORT + venue)
        control.set_arbitrage_venue(venue)
    control.set_arbitrage(**strategy._asdict(), symbols=range(len(selection.names)))


def _events(card):  # type: ignore[no-untyped-def]
    from host.card.events import RECORD_WORDS, decode  # noqa: PLC0415

    words, _ = card.take_event_words()
    return [decode(words[at:at + RECORD_WORDS]) for at in range(0, len(words), RECORD_WORDS)]


def write_signals(signals: Sequence[Signal], path: Path) -> None:
    """Writes the file as a whole or not at all."""
    draft = path.with_name(path.name + ".part")
    with draft.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Signal._fields)
        writer.writerows(signals)
    draft.replace(path)

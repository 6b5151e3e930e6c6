"""Where a session's messages come from: a seeded market, one real file with a shadow, or a real file for every venue."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice, takewhile
from pathlib import Path

from sim.flow import Message
from sim.flow.market import Market, MarketSettings
from sim.flow.shadow import Shadow
from sim.golden.book import Book
from sim.golden.itch50 import BOOK_TYPES, decode
from sim.readers.binary_file import read_binary_file
from sim.readers.itch50 import DIRECTORY, directory_entry, locate_of, timestamp_of

VENUE_NAMES = ("north", "south", "east", "west", "fifth", "sixth", "seventh", "eighth")


class SourceError(Exception):
    """What was asked for can't be played; the message is one line."""


@dataclass(frozen=True)
class VenueSource:
    """One venue's part.

    Attributes
    ----------
    name : str
    origin : str
        In words, for the report.
    synthetic : bool
    locates : dict of str to int
        The venue's number for each symbol.
    """

    name: str
    origin: str
    synthetic: bool
    locates: dict[str, int]


@dataclass(frozen=True)
class Source:
    """Everything that a session plays.

    Attributes
    ----------
    title : str
    symbols : list of str
        In the order of the card's slots.
    venues : list of VenueSource
    messages : callable
        Gives the messages of all venues in time order, from the beginning at each call.
    total : int
        How many there are, at least about.
    peak_orders, peak_levels : int
        Most orders at one venue, and most price levels on one side of one book, that the card must hold at once.
    top_price : int
        Highest price near the market, in 1/10000.
    notes : list of str
        What a reader of the report must know.
    """

    title: str
    symbols: list[str]
    venues: list[VenueSource]
    messages: Callable[[], Iterable[Message]]
    total: int
    peak_orders: int
    peak_levels: int
    top_price: int
    notes: list[str] = field(default_factory=list)


def generated(settings: MarketSettings, *, count: int | None = None, nanoseconds: int | None = None) -> Source:
    """A seeded market, for a number of messages or a time."""
    if (count is None) == (nanoseconds is None):
        raise ValueError("a generated market ends after a number of messages or after a time: give one of them")
    market = Market(settings)
    venues = [
        VenueSource(VENUE_NAMES[venue], f"generated from seed {settings.seed}", True, {
            listing.instrument.name: listing.locate for listing in market.listings[venue]
        })
        for venue in range(settings.venues)
    ]

    def messages() -> Iterator[Message]:
        flow = Market(settings).messages()
        if count is not None:
            return islice(flow, count)
        return takewhile(lambda message: message.time <= settings.start + nanoseconds, flow)

    total = count if count is not None else sum(1 for _ in messages())
    symbols = [instrument.name for instrument in settings.instruments]
    return Source(
        f"Trading session, seed {settings.seed}", symbols, venues, messages, total,
        peak_orders=2 * settings.orders * len(symbols), peak_levels=settings.levels + 1,
        top_price=max(instrument.price for instrument in settings.instruments),
        notes=[
            "All venues are generated from a seed: invented symbols with a common fair price, of whose moves venues hear at different times.",
            "Nobody in this market reacts to the card's orders.",
        ],
    )


@dataclass
class _Scan:
    """What a first reading of a file tells."""

    locates: dict[str, int]
    active: dict[int, int]
    """Book messages by locate."""
    messages: int
    peak_orders: int
    peak_levels: int
    top_price: int


def _scan(path: Path, symbols: list[str]) -> _Scan:
    """Reads the whole file: which symbols it has, and how much of a card those asked for (all, if none is) need."""
    locates: dict[str, int] = {}
    active: dict[int, int] = {}
    book, messages, top_price = Book(), 0, 0
    for data in read_binary_file(path):
        messages += 1
        if data[0] == DIRECTORY:
            name, locate = directory_entry(data)
            locates[name] = locate
        elif chr(data[0]) in BOOK_TYPES:
            locate = locate_of(data)
            active[locate] = active.get(locate, 0) + 1
            if data[0] in b"AF":
                locates.setdefault(data[24:32].decode("latin-1").rstrip(), locate)
            if (not symbols or any(locates.get(name) == locate for name in symbols)) and (event := decode(data)):
                book.apply(event)
                top = book.top(locate)
                if top.bid_price and top.ask_price:
                    top_price = max(top_price, min(top.ask_price, 2 * top.bid_price))
    return _Scan(locates, active, messages, book.peak_orders, book.peak_levels, top_price)


def from_files(paths: list[Path], symbols: list[str], seed: int, *, most_symbols: int) -> Source:
    """Real files, one a venue; a single one gets a shadow as its second venue.

    Without ``symbols``, all that have book messages; more than ``most_symbols`` of them is an error.
    """
    scans = [_scan(path, symbols) for path in paths]
    symbols = symbols or _all_symbols(paths, scans, most_symbols)
    if len(symbols) > most_symbols:
        raise SourceError(f"{len(symbols)} symbols are asked for, the largest card has {most_symbols} slots")
    for path, scan in zip(paths, scans, strict=True):
        for name in symbols:
            if name not in scan.locates:
                raise SourceError(f"{path}: expected symbol {name}, came {_listed(scan.locates)}")
    venues = [
        VenueSource(VENUE_NAMES[number], path.name, False, {name: scan.locates[name] for name in symbols})
        for number, (path, scan) in enumerate(zip(paths, scans, strict=True))
    ]
    title = f"Trading session on {', '.join(path.name for path in paths)}"
    total, peak_orders = sum(scan.messages for scan in scans), max(scan.peak_orders for scan in scans)
    peak_levels, top_price = max(scan.peak_levels for scan in scans), max(scan.top_price for scan in scans)
    if len(paths) > 1:
        notes = ["Every venue is a recorded file. Nobody in it reacts to the card's orders."]
        return Source(title, symbols, venues, lambda: merge(*map(_read, paths, range(len(paths))), key=lambda message: message.time),
                      total, peak_orders, peak_levels, top_price, notes)

    followed = {scans[0].locates[name]: name for name in symbols}
    shadow = Shadow(followed, seed)
    venues.append(VenueSource(VENUE_NAMES[1], f"synthetic shadow of {paths[0].name}, seed {seed}", True, {
        listing.name: listing.locate for listing in shadow.listings.values()
    }))
    book_messages = sum(scans[0].active.get(locate, 0) for locate in followed)
    return Source(
        title, symbols, venues, lambda: Shadow(followed, seed).merge(_read(paths[0], 0)), total + book_messages,
        peak_orders, peak_levels, top_price,
        notes=[
            f"Venue {venues[0].name} is the recorded file. Venue {venues[1].name} is NOT real: it repeats the first one's orders some "
            "tens of microseconds later, at prices that stray by a few hundredths of a percent. The opportunities between the two are "
            "therefore made up; the feed, its bursts and the work that the card has with it are real.",
            "Nobody in the file reacts to the card's orders.",
        ],
    )


def _read(path: Path, venue: int) -> Iterator[Message]:
    for data in read_binary_file(path):
        yield Message(timestamp_of(data), venue, data)


def _all_symbols(paths: list[Path], scans: list[_Scan], most: int) -> list[str]:
    by_file = [sorted(name for name, locate in scan.locates.items() if scan.active.get(locate)) for scan in scans]
    names = [name for name in by_file[0] if all(name in others for others in by_file[1:])]
    if not names:
        raise SourceError(f"{', '.join(map(str, paths))}: no symbol has book messages at every venue")
    if len(names) > most:
        raise SourceError(f"{len(names)} symbols have book activity, the largest card has {most} slots: name some with --symbols")
    return names


def _listed(locates: dict[str, int], most: int = 8) -> str:
    names = sorted(locates)
    return ", ".join(names[:most]) + (f" and {len(names) - most} others" if len(names) > most else "") if names else "no symbol at all"

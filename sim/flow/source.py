"""Where a session's messages come from: a seeded market, one real file with a shadow, or a real file for every venue."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import islice, takewhile
from operator import attrgetter
from pathlib import Path

from sim.flow import Message
from sim.flow.market import Market, MarketSettings
from sim.flow.shadow import Shadow
from sim.readers.itch50 import timestamp_of
from sim.replay.errors import ReplayError
from sim.replay.feeds import Feed, open_feed
from sim.replay.selection import select
from sim.replay.survey import survey

VENUE_NAMES = ("north", "south", "east", "west", "fifth", "sixth", "seventh", "eighth")


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
        How many there are, at least about; ``sys.maxsize`` for a market that never ends.
    notes : list of str
        What a reader of the report must know.
    """

    title: str
    symbols: list[str]
    venues: list[VenueSource]
    messages: Callable[[], Iterable[Message]]
    total: int
    notes: list[str] = field(default_factory=list)


def generated(settings: MarketSettings) -> Source:
    """A seeded market. It never ends: see :func:`limited`."""
    market = Market(settings)
    venues = [
        VenueSource(VENUE_NAMES[venue], f"generated from seed {settings.seed}", True, {
            listing.instrument.name: listing.locate for listing in market.listings[venue]
        })
        for venue in range(settings.venues)
    ]
    symbols = [instrument.name for instrument in settings.instruments]
    notes = [
        "All venues are generated from a seed: invented symbols with a common fair price whose moves reach them at different times.",
        "Nobody in this market reacts to the card's orders.",
    ]
    return Source(f"Trading session, seed {settings.seed}", symbols, venues, lambda: Market(settings).messages(), sys.maxsize, notes)


def limited(source: Source, *, count: int | None = None, nanoseconds: int | None = None) -> Source:
    """The beginning of a source: so many messages, or so much time."""
    if count is not None:
        return replace(source, messages=lambda: islice(source.messages(), count), total=min(count, source.total))
    if nanoseconds is None:
        return source

    def messages() -> Iterator[Message]:
        flow = iter(source.messages())
        first = next(flow, None)
        if first is not None:
            yield first
            yield from takewhile(lambda message: message.time <= first.time + nanoseconds, flow)

    return replace(source, messages=messages, total=sum(1 for _ in messages()))


def from_files(paths: list[Path], symbols: str | None, seed: int) -> Source:
    """Real files (BinaryFILE or capture), one a venue; a single one gets a shadow as its second venue.

    ``symbols`` as in ``trapjaw replay``: names with commas, ``top:N``, or None for all with book activity.
    """
    feeds = [open_feed(path, "itch50", None) for path in paths]
    surveys = [survey(feed) for feed in feeds]
    selection = select(surveys, symbols)
    names = list(selection.names)
    venues = []
    for number, path in enumerate(paths):
        locates = {names[slot]: int(locate) for locate, slot in selection.slots[number].items()}
        if missing := [name for name in names if name not in locates]:
            raise ReplayError(f"{path}: no symbol {missing[0]}: arbitrage needs it at every venue")
        venues.append(VenueSource(VENUE_NAMES[number], path.name, False, locates))
    notes = [
        f"{feed.losses().missing:,} messages are missing in {feed.path.name}: its venue is played as if they had never been sent."
        for feed in feeds if feed.losses().missing
    ]
    notes.append("A symbol of a recorded file counts as trading until the file says otherwise: the morning's words may lie before it.")
    title, total = f"Trading session on {', '.join(path.name for path in paths)}", sum(each.messages for each in surveys)
    if len(paths) > 1:
        notes = ["Every venue is a recorded file. Nobody in it reacts to the card's orders.", *notes]
        return Source(title, names, venues, lambda: merge(*map(_messages, feeds, range(len(feeds))), key=attrgetter("time")), total, notes)

    followed = {locate: name for name, locate in venues[0].locates.items()}
    shadow = Shadow(followed, seed)
    venues.append(VenueSource(VENUE_NAMES[1], f"synthetic shadow of {paths[0].name}, seed {seed}", True, {
        listing.name: listing.locate for listing in shadow.listings.values()
    }))
    notes = [
        f"Venue {venues[0].name} is the recorded file. Venue {venues[1].name} is NOT real: it repeats the first one's orders some tens of "
        "microseconds later, at prices that stray by a few hundredths of a percent. The opportunities between the two are therefore made "
        "up; the feed, its bursts and the work that the card has with it are real.",
        "Nobody in the file reacts to the card's orders.",
        *notes,
    ]
    total += sum(surveys[0].activity[locate] for locate in followed)
    return Source(title, names, venues, lambda: Shadow(followed, seed).merge(_messages(feeds[0], 0)), total, notes)


def _messages(feed: Feed, venue: int) -> Iterator[Message]:
    for _, data in feed.messages():
        yield Message(timestamp_of(data), venue, data)

"""The wires between a simulated card and venues that live: frames both ways, each side on its own clock."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from host.card.simulated import SimulatedCard, SimulatedFrame
from sim.session.venue_end import VenueEnd

NANOSECONDS = 1_000_000_000
STEP = 500
"""Cycles between two looks at the card, unless a frame leaves before."""
GAP = 3
"""Words between two frames on a wire."""


class FeedFrame(NamedTuple):
    """A frame of a venue's feed, as it goes to the card."""

    venue: int
    line: int
    data: bytes
    start: int
    """Cycle of its first word, ``end`` of the one after its last."""
    end: int


class MarketWire:
    """Moves card and venues on together.

    Parameters
    ----------
    card : SimulatedCard
    venues : sequence of VenueEnd
        One for each venue of the card; all of them stand at the same time.
    clock_hz : int
        Of the card.
    feed : callable
        Is told of each FeedFrame.

    Attributes
    ----------
    frames : list of SimulatedFrame
        All that left the card and nobody has taken from here. Those with an error come to nobody.
    stray : list of bytes
        Those that were for no venue.
    """

    def __init__(self, card: SimulatedCard, venues: Sequence[VenueEnd], clock_hz: int, feed: Callable[[FeedFrame], None] | None = None):
        self._card, self._venues, self._clock_hz, self._told = card, venues, clock_hz, feed
        self._origin = venues[0].exchange.now - self._nanoseconds(card.cycle)
        self._busy = [0] * card.feeds
        self.frames: list[SimulatedFrame] = []
        self.stray: list[bytes] = []

    def _nanoseconds(self, cycles: int) -> int:
        return cycles * NANOSECONDS // self._clock_hz

    @property
    def now(self) -> int:
        """The venues' time."""
        return self._origin + self._nanoseconds(self._card.cycle)

    def run(self, cycles: int) -> None:
        """So many cycles of the card, at least."""
        end = self._card.cycle + cycles
        while (left := end - self._card.cycle) > 0:
            self._card.run_until_frame(min(left, STEP))
            self.carry()

    def carry(self) -> None:
        """What has left goes to whom it is for, and what the venues say by now to the card."""
        for frame in self._card.take_frames():
            self.frames.append(frame)
            if not frame.error and not any([venue.take(frame.data) for venue in self._venues]):
                self.stray.append(frame.data)
        for number, venue in enumerate(self._venues):
            venue.exchange.advance(max(self.now, venue.exchange.now))
            venue.work()
            if (port := self._card.reply_port) is not None and (answers := venue.frames()):
                self._card.queue(port, answers)
            for _, line, data in venue.feed():
                self._send(number, line, data)

    def _send(self, venue: int, line: int, data: bytes) -> None:
        port = line * len(self._venues) + venue
        start = max(self._card.cycle + 1, self._busy[port])
        end = start + -(-len(data) // 8)
        self._busy[port] = end + GAP
        self._card.queue(port, [data], starts=[start])
        if self._told:
            self._told(FeedFrame(venue, line, data, start, end))

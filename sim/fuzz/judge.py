"""What must become of a frame, by the golden models: dropped for a reason, taken, or something that stops the batch."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from hw.reasons import DropReason
from sim.fuzz.dialect import Dialect
from sim.fuzz.mutate import Address, Mutated
from sim.golden.ethernet import receive_any
from sim.golden.feeds import FEEDS
from sim.golden.itch50 import MalformedMessage


class Fate(Enum):
    DROPPED = "dropped"
    """For ``reason``; nothing follows from it."""
    TAKEN = "taken"
    """In sequence: all of its events reach the book."""
    UPSETS = "upsets"
    """Its frame is good, but it is of another session, out of sequence, or holds a message that can't be read: from here on the venue
    may be stale and wait for the host."""


class Judgement(NamedTuple):
    fate: Fate
    reason: DropReason = DropReason.NONE
    first: int = 0
    next: int = 0
    events: int = 0
    """Book events for symbols that the card follows."""


class Judge:
    """Judges the frames of one venue.

    Parameters
    ----------
    protocol : str
    dialect : Dialect
        What the venue follows.
    """

    def __init__(self, protocol: str, dialect: Dialect):
        self.feed, self.session = FEEDS[protocol](), dialect.session
        self._locates = {locate: slot for slot, locate in enumerate(dialect.locates)}
        self._names = {name: slot for slot, name in enumerate(dialect.names)}

    def judge(self, frame: Mutated, addresses: Sequence[Address], expected: int) -> Judgement:
        """``addresses``: those that the frame's port listens to. ``expected``: the sequence number that the feed is at."""
        received = receive_any(frame.data, addresses, error=frame.error)
        packet = self.feed.read(received.payload or b"", received.reason)
        if packet.span is None:
            return Judgement(Fate.DROPPED, packet.reason)
        fate, events = Fate.TAKEN, 0
        if packet.span.session != self.session or packet.span.first != expected or packet.end_of_session or packet.ends_trust:
            fate = Fate.UPSETS
        for _, message in packet.messages:
            try:
                change = self.feed.decode(message)
            except MalformedMessage:
                fate = Fate.UPSETS
            else:
                events += change is not None and self.feed.slot(change, self._locates, self._names) is not None
        return Judgement(fate, first=packet.span.first, next=packet.span.next, events=events)

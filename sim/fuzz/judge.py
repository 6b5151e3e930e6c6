"""What must become of a frame, by the golden models: dropped for a reason, taken, or something that stops the batch."""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import NamedTuple

from hw.reasons import DropReason
from sim.fuzz.mutate import Address, Mutated
from sim.golden.ethernet import receive_any
from sim.golden.itch50 import MalformedMessage, decode
from sim.golden.moldudp64 import END_OF_SESSION, SHORTEST_DELIVERED, MalformedPacket, unpack_blocks, unpack_header


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


def judge(frame: Mutated, addresses: Sequence[Address], expected: int, locates: Collection[int]) -> Judgement:
    """``addresses``: those of one session that the port listens to. ``expected``: the sequence number that the feed is at."""
    received = receive_any(frame.data, [(address.ip, address.port) for address in addresses], error=frame.error)
    if received.payload is None:
        return Judgement(Fate.DROPPED, received.reason)
    try:
        header, blocks = unpack_header(received.payload), list(unpack_blocks(received.payload))
    except MalformedPacket:
        return Judgement(Fate.DROPPED, DropReason.MALFORMED)
    fate = Fate.TAKEN
    if header.session != addresses[0].session or header.sequence != expected or header.count == END_OF_SESSION:
        fate = Fate.UPSETS
    events = 0
    for block in blocks:
        if len(block) >= SHORTEST_DELIVERED:
            try:
                event = decode(block)
            except MalformedMessage:
                fate = Fate.UPSETS
            else:
                events += event is not None and event.locate in locates
    return Judgement(fate, first=header.sequence, next=header.sequence + len(blocks), events=events)

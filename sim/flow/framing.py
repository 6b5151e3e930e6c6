"""Messages into Ethernet frames: MoldUDP64 packets as a venue sends them, with what the session must know about each message."""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sim.flow import Message
from sim.golden.ethernet import HEADERS, build_udp
from sim.golden.moldudp64 import HEADER_LENGTH, pack_packet

WINDOW = 1_000
"""Nanoseconds: messages of one venue that follow the first of a packet within this time share the packet."""

PACKET_LIMIT = 1_400
"""Bytes of UDP payload."""


class FeedAddressing(NamedTuple):
    """Where a venue's feed goes."""

    ip: int
    port: int
    session: bytes
    """Ten ASCII characters."""


class Place(NamedTuple):
    """A message and where it stands in its frame."""

    time: int
    kind: str
    first_word: int
    """8-byte word of the frame that has its first byte."""
    last_word: int
    alone: bool
    """It is the only message of its frame."""


class Frame(NamedTuple):
    """One frame of a feed."""

    time: int
    """Of its last message: a packet leaves when it is complete."""
    venue: int
    sequence: int
    """Of its first message."""
    data: bytes
    places: tuple[Place, ...]


def frames(messages: Iterable[Message], addresses: list[FeedAddressing]) -> Iterator[Frame]:
    """Frames in time order, messages numbered from 1 at each venue."""
    held: list[list[Message]] = [[] for _ in addresses]
    sequence = [1] * len(addresses)
    closed: list[Frame] = []

    def close(venue: int) -> None:
        insort(closed, _frame(held[venue], addresses[venue], sequence[venue]))
        sequence[venue] += len(held[venue])
        held[venue] = []

    for message in messages:
        for venue, group in enumerate(held):
            if group and not _fits(group, message):
                close(venue)
        held[message.venue].append(message)
        earliest_to_come = min(group[-1].time for group in held if group)
        while closed and closed[0].time <= earliest_to_come:
            yield closed.pop(0)
    for venue, group in enumerate(held):
        if group:
            close(venue)
    yield from closed


def _fits(group: list[Message], message: Message) -> bool:
    """Whether a packet may stay open now that this message has come, of whatever venue."""
    if message.time - group[0].time > WINDOW:
        return False
    size = HEADER_LENGTH + sum(2 + len(member.data) for member in group)
    return message.venue != group[0].venue or size + 2 + len(message.data) <= PACKET_LIMIT


def _frame(group: list[Message], address: FeedAddressing, sequence: int) -> Frame:
    packet = pack_packet(address.session, sequence, [message.data for message in group])
    data = build_udp(packet, destination_ip=address.ip, destination_port=address.port, source_port=26_400 + group[0].venue)
    where = places([message.data for message in group], [message.time for message in group])
    return Frame(group[-1].time, group[0].venue, sequence, data, where)


def places(messages: Sequence[bytes], times: Sequence[int]) -> tuple[Place, ...]:
    """Of the messages of a packet in its frame."""
    found, at = [], HEADERS + HEADER_LENGTH
    for message, time in zip(messages, times, strict=True):
        at += 2
        found.append(Place(time, chr(message[0]), at // 8, (at + len(message) - 1) // 8, len(messages) == 1))
        at += len(message)
    return tuple(found)

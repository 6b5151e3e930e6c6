"""Cboe's sequenced unit header: packing and unpacking of multicast PITCH packets."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sim.golden.moldudp64 import MalformedPacket

HEADER_LENGTH = 8
SHORTEST = 6
"""Bytes of the shortest messages of the multicast feed: time, unit clear, end of session."""
SHORTEST_DELIVERED = 9
"""Shorter messages have a sequence number like any other; time, unit clear and end of session act, and nobody gets any of them."""

LAST_SEQUENCE = (1 << 32) - 1
"""The number after it is 1 again: nothing here follows a unit that far."""

TIME, END_OF_SESSION, UNIT_CLEAR = 0x20, 0x2D, 0x97


class Header(NamedTuple):
    length: int
    """Of header and messages, in bytes."""
    messages: int
    unit: int
    sequence: int
    """Of the first message; 0: the packet is not numbered."""


def pack_unit(unit: int, sequence: int, messages: Iterable[bytes]) -> bytes:
    """One packet; without messages it is a heartbeat that carries the next number."""
    blocks = list(messages)
    length = HEADER_LENGTH + sum(map(len, blocks))
    return length.to_bytes(2, "little") + bytes([len(blocks), unit]) + sequence.to_bytes(4, "little") + b"".join(blocks)


def packets(unit: int, sequence: int, messages: Iterable[bytes], *, limit: int = 1_400) -> Iterator[bytes]:
    """Packs messages, numbered from ``sequence``, into as few packets of at most ``limit`` bytes and 255 messages as their order allows."""
    held: list[bytes] = []
    size = HEADER_LENGTH
    for message in messages:
        if held and (size + len(message) > limit or len(held) == 255):
            yield pack_unit(unit, sequence, held)
            sequence, held, size = sequence + len(held), [], HEADER_LENGTH
        held.append(message)
        size += len(message)
    if held:
        yield pack_unit(unit, sequence, held)


def unpack_header(packet: bytes) -> Header:
    if len(packet) < HEADER_LENGTH:
        raise MalformedPacket(f"a packet has at least {HEADER_LENGTH} bytes, not {len(packet)}")
    return Header(int.from_bytes(packet[0:2], "little"), packet[2], packet[3], int.from_bytes(packet[4:8], "little"))


def unpack_messages(packet: bytes, *, shortest: int = SHORTEST) -> list[bytes]:
    """The messages of a packet; raises :exc:`MalformedPacket` where they and the header disagree.

    ``shortest``: the gap proxy's replies over TCP have shorter messages than the multicast feed.
    """
    header = unpack_header(packet)
    if header.length != len(packet):
        raise MalformedPacket(f"the header says {header.length} bytes, the packet has {len(packet)}")
    messages = []
    at = HEADER_LENGTH
    for number in range(header.messages):
        length = packet[at] if at < len(packet) else 0
        if length < shortest or at + length > len(packet):
            raise MalformedPacket(f"message {number} of {header.messages} at byte {at} has {length} bytes, the packet {len(packet)}")
        messages.append(packet[at:at + length])
        at += length
    if at != len(packet):
        raise MalformedPacket(f"{len(packet) - at} bytes after the last of {header.messages} messages")
    return messages


def has_last_number(header: Header) -> bool:
    """Behind this packet the numbers begin again at 1."""
    return header.sequence + header.messages > LAST_SEQUENCE

"""IEX-TP, outbound: packing and unpacking of the segments that carry DEEP."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sim.golden.moldudp64 import MalformedPacket

HEADER_LENGTH = 40
VERSION = 1
DEEP = 0x8004
"""Protocol number of DEEP 1.0."""

SHORTEST = 9
"""Bytes; no message of IEX is shorter than 10, and what is shorter than 9 is refused."""


class Header(NamedTuple):
    channel: int
    session: int
    length: int
    """Of the blocks, in bytes."""
    messages: int
    offset: int
    """Bytes of the stream before this segment's blocks."""
    sequence: int
    """Of the first message."""
    time: int
    """Nanoseconds since the Unix epoch at which it was sent."""


def pack_segment(session: int, sequence: int, messages: Iterable[bytes], *, channel: int = 1, offset: int = 0, time: int = 0) -> bytes:
    """One segment; without messages it is a heartbeat that carries the next number."""
    blocks = list(messages)
    payload = b"".join(len(block).to_bytes(2, "little") + block for block in blocks)
    head = bytes([VERSION, 0]) + DEEP.to_bytes(2, "little") + channel.to_bytes(4, "little") + session.to_bytes(4, "little")
    head += len(payload).to_bytes(2, "little") + len(blocks).to_bytes(2, "little")
    return head + b"".join(number.to_bytes(8, "little") for number in (offset, sequence, time)) + payload


def packets(session: int, sequence: int, messages: Iterable[bytes], *, limit: int = 1_400) -> Iterator[bytes]:
    """Packs messages, numbered from ``sequence``, into as few segments of at most ``limit`` bytes as their order allows."""
    held: list[bytes] = []
    size = HEADER_LENGTH
    for message in messages:
        if held and size + 2 + len(message) > limit:
            yield pack_segment(session, sequence, held)
            sequence, held, size = sequence + len(held), [], HEADER_LENGTH
        held.append(message)
        size += 2 + len(message)
    if held:
        yield pack_segment(session, sequence, held)


def unpack_header(packet: bytes) -> Header:
    """Raises :exc:`MalformedPacket` for what is no segment of DEEP 1.0."""
    if len(packet) < HEADER_LENGTH:
        raise MalformedPacket(f"a segment has at least {HEADER_LENGTH} bytes, not {len(packet)}")

    def number(at: int, length: int) -> int:
        return int.from_bytes(packet[at:at + length], "little")

    if packet[0] != VERSION:
        raise MalformedPacket(f"version {packet[0]}, not {VERSION}")
    if number(2, 2) != DEEP:
        raise MalformedPacket(f"protocol 0x{number(2, 2):04x}, not 0x{DEEP:04x} (DEEP 1.0)")
    return Header(number(4, 4), number(8, 4), number(12, 2), number(14, 2), number(16, 8), number(24, 8), number(32, 8))


def unpack_messages(packet: bytes) -> list[bytes]:
    """The messages of a segment; raises :exc:`MalformedPacket` where they and the header disagree."""
    header = unpack_header(packet)
    if HEADER_LENGTH + header.length != len(packet):
        raise MalformedPacket(f"the header says {header.length} bytes of blocks, there are {len(packet) - HEADER_LENGTH}")
    messages = []
    at = HEADER_LENGTH
    for number in range(header.messages):
        length = int.from_bytes(packet[at:at + 2], "little")
        end = at + 2 + length
        if at + 2 > len(packet) or end > len(packet) or length < SHORTEST:
            raise MalformedPacket(f"block {number} of {header.messages} at byte {at} has {length} bytes, the segment {len(packet)}")
        messages.append(packet[at + 2:end])
        at = end
    if at != len(packet):
        raise MalformedPacket(f"{len(packet) - at} bytes after the last of {header.messages} blocks")
    return messages

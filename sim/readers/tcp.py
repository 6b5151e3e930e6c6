"""TCP in a capture: PITCH of the gap request proxy and the spin server, both directions; and how to tell an order session."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sim.golden.ethernet import without_tag
from sim.golden.moldudp64 import MalformedPacket
from sim.golden.pitch_unit import HEADER_LENGTH, unpack_header, unpack_messages
from sim.readers.errors import BadInput
from sim.readers.frames import read_frames
from sim.readers.pcap import ETHERTYPE_IPV4

PROTOCOL_TCP = 6
FIN, SYN = 0x01, 0x02
SOUPBIN_TYPES = b"+AJSHZLURO"


class Direction(NamedTuple):
    """One way of a connection."""

    source_ip: int
    source_port: int
    ip: int
    port: int


class Unit(NamedTuple):
    """A sequenced unit header with its messages."""

    direction: Direction
    messages: list[bytes]


class _Segment(NamedTuple):
    direction: Direction
    sequence: int
    flags: int
    payload: bytes


def read_units(path: Path) -> Iterator[Unit]:
    """Every unit of every connection whose beginning was captured, in the order of their last bytes.

    Bytes that were sent again are taken once; a hole raises BadInput, for what follows it can't be told apart.
    """
    expected: dict[Direction, int] = {}
    held: dict[Direction, bytes] = {}
    for frame in read_frames(path):
        segment = _segment(frame.data)
        if segment is None:
            continue
        direction = segment.direction
        if segment.flags & SYN:
            expected[direction], held[direction] = segment.sequence + 1 & 0xFFFFFFFF, b""
        if direction not in expected or not segment.payload:
            continue
        seen = expected[direction] - segment.sequence & 0xFFFFFFFF
        if seen >= 1 << 31:
            raise BadInput(path, frame.offset, f"TCP sequence number {expected[direction]}", str(segment.sequence))
        if seen >= len(segment.payload):
            continue
        expected[direction] = segment.sequence + len(segment.payload) & 0xFFFFFFFF
        data = held[direction] + segment.payload[seen:]
        while len(data) >= HEADER_LENGTH and len(data) >= (length := max(unpack_header(data).length, HEADER_LENGTH)):
            try:
                yield Unit(direction, unpack_messages(data[:length], shortest=2))
            except MalformedPacket as error:
                raise BadInput(path, frame.offset, "a sequenced unit", str(error)) from None
            data = data[length:]
        held[direction] = data


def holds_orders(path: Path) -> bool:
    """Whether a capture is of order entry (OUCH): a TCP segment of whole SoupBinTCP packets is in it."""
    segments = (_segment(frame.data) for frame in read_frames(path))
    return any(segment is not None and _is_soupbin(segment.payload) for segment in segments)


def _is_soupbin(payload: bytes) -> bool:
    at = 0
    while at + 3 <= len(payload) and payload[at + 2] in SOUPBIN_TYPES:
        at += 2 + max(int.from_bytes(payload[at:at + 2], "big"), 1)
    return at == len(payload) > 0


def _segment(frame: bytes) -> _Segment | None:
    """The TCP segment in an IPv4 frame."""
    frame = without_tag(frame)
    ip = frame[14:]
    if int.from_bytes(frame[12:14], "big") != ETHERTYPE_IPV4 or len(ip) < 20 or ip[9] != PROTOCOL_TCP:
        return None
    tcp = ip[(ip[0] & 0xF) * 4:int.from_bytes(ip[2:4], "big")]
    if len(tcp) < 20:
        return None
    numbers = [int.from_bytes(field, "big") for field in (ip[12:16], tcp[0:2], ip[16:20], tcp[2:4])]
    direction = Direction(*numbers)
    return _Segment(direction, int.from_bytes(tcp[4:8], "big"), tcp[13], tcp[(tcp[12] >> 4) * 4:])

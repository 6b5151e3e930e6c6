"""MoldUDP64 1.00: packing, unpacking, and the sequence tracking of one receiver."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hw.reasons import DropReason

HEADER_LENGTH = 20
HEARTBEAT = 0
END_OF_SESSION = 0xFFFF

SHORTEST_DELIVERED = 9
"""Messages shorter than this have a sequence number like any other, but no protocol has them and nobody gets them."""


class MalformedPacket(ValueError):  # noqa: N818 (the fault, not the handling of it)
    """The packet's lengths and its count of messages contradict each other."""


@dataclass(frozen=True)
class Header:
    session: bytes
    sequence: int
    count: int


@dataclass(frozen=True)
class Gap:
    """Messages that never came."""

    session: bytes
    first: int
    count: int


class Delivered(NamedTuple):
    sequence: int
    message: bytes


class Span(NamedTuple):
    """The numbers of the messages that a packet holds."""

    session: bytes
    first: int
    next: int
    """Number after the last; ``first`` if there are none."""


class Packet(NamedTuple):
    """One packet for itself, whatever came before it."""

    reason: DropReason
    messages: list[Delivered]
    span: Span | None = None
    """Of a good packet."""
    end_of_session: bool = False
    ends_trust: bool = False
    """It counts as a message that could not be read: what comes after it can't be told from what came before."""


class Outcome(NamedTuple):
    """What a receiver makes of one packet."""

    reason: DropReason
    messages: list[Delivered]
    gap: Gap | None = None
    duplicates: int = 0
    heartbeat: bool = False
    end_of_session: bool = False


def pack_header(session: bytes, sequence: int, count: int) -> bytes:
    """The 20 bytes in front of the blocks."""
    if len(session) != 10:
        raise ValueError(f"a session has 10 characters, not {len(session)}: {session!r}")
    return session + sequence.to_bytes(8, "big") + count.to_bytes(2, "big")


def pack_packet(session: bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
    """One downstream packet; without messages it is a heartbeat."""
    blocks = list(messages)
    if len(blocks) >= END_OF_SESSION:
        raise ValueError(f"a packet has at most {END_OF_SESSION - 1} messages, not {len(blocks)}")
    return pack_header(session, sequence, len(blocks)) + b"".join(len(block).to_bytes(2, "big") + block for block in blocks)


def pack_end_of_session(session: bytes, sequence: int) -> bytes:
    """The packet that says that ``sequence`` will never come."""
    return pack_header(session, sequence, END_OF_SESSION)


def packets(session: bytes, sequence: int, messages: Iterable[bytes], *, limit: int = 1_400) -> Iterator[bytes]:
    """Packs messages, numbered from ``sequence``, into as few packets of at most ``limit`` bytes as their order allows."""
    held: list[bytes] = []
    size = HEADER_LENGTH
    for message in messages:
        if held and size + 2 + len(message) > limit:
            yield pack_packet(session, sequence, held)
            sequence, held, size = sequence + len(held), [], HEADER_LENGTH
        held.append(message)
        size += 2 + len(message)
    if held:
        yield pack_packet(session, sequence, held)


def unpack_header(packet: bytes) -> Header:
    if len(packet) < HEADER_LENGTH:
        raise MalformedPacket(f"a packet has at least {HEADER_LENGTH} bytes, not {len(packet)}")
    return Header(packet[0:10], int.from_bytes(packet[10:18], "big"), int.from_bytes(packet[18:20], "big"))


def unpack_blocks(packet: bytes) -> Iterator[bytes]:
    """The messages of a packet; raises :exc:`MalformedPacket` where they and the header disagree."""
    header = unpack_header(packet)
    blocks = 0 if header.count == END_OF_SESSION else header.count
    at = HEADER_LENGTH
    for number in range(blocks):
        length = int.from_bytes(packet[at : at + 2], "big")
        end = at + 2 + length
        if at + 2 > len(packet) or end > len(packet):
            raise MalformedPacket(f"block {number} of {blocks} at byte {at} ends after the packet's {len(packet)} bytes")
        yield packet[at + 2 : end]
        at = end
    if at != len(packet):
        raise MalformedPacket(f"{len(packet) - at} bytes after the last of {blocks} blocks")


def read_packet(payload: bytes, reason: DropReason = DropReason.NONE) -> Packet:
    """The messages of one UDP payload; ``reason`` is why its frame is bad."""
    if reason != DropReason.NONE:
        return Packet(reason, [])
    try:
        header, blocks = unpack_header(payload), list(unpack_blocks(payload))
    except MalformedPacket:
        return Packet(DropReason.MALFORMED, [])
    messages = [Delivered(header.sequence + at, block) for at, block in enumerate(blocks) if len(block) >= SHORTEST_DELIVERED]
    span = Span(header.session, header.sequence, header.sequence + len(blocks))
    return Packet(DropReason.NONE, messages, span, header.count == END_OF_SESSION)


def pack_request(session: bytes, sequence: int, count: int) -> bytes:
    """The 20 bytes that ask a retransmission server for ``count`` messages from ``sequence`` on."""
    if not 1 <= count < END_OF_SESSION:
        raise ValueError(f"a request is for 1 to {END_OF_SESSION - 1} messages, not {count}")
    return pack_header(session, sequence, count)


class MoldUdp64Model:
    """Follows one session: every message passes once and in order, what is missing is named.

    Parameters
    ----------
    expected : int
        Sequence number of the next message.
    """

    def __init__(self, expected: int = 1):
        self.expected = expected
        self.session: bytes | None = None

    def set_sequence(self, expected: int) -> None:
        """The host names the next message, and with it whatever session comes next."""
        self.expected = expected
        self.session = None

    def packet(self, payload: bytes, reason: DropReason = DropReason.NONE) -> Outcome:
        """Takes one UDP payload; ``reason`` is why its frame is bad."""
        packet = read_packet(payload, reason)
        if packet.span is None:
            return Outcome(packet.reason, [])
        session, first, following = packet.span
        if self.session not in (None, session):
            return Outcome(DropReason.SESSION, [])
        self.session = session

        gap = None
        if first > self.expected:
            gap = Gap(session, self.expected, first - self.expected)
        new = [delivered for delivered in packet.messages if delivered.sequence >= self.expected]
        self.expected = max(self.expected, following)
        return Outcome(
            DropReason.NONE,
            new,
            gap,
            duplicates=len(packet.messages) - len(new),
            heartbeat=first == following and not packet.end_of_session,
            end_of_session=packet.end_of_session,
        )

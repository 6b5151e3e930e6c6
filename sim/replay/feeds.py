"""The files of a replay as feeds: numbered messages, and the packets that carry them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from sim.golden.moldudp64 import HEADER_LENGTH, MoldUdp64Model, pack_packet, unpack_blocks
from sim.readers.binary_file import read_binary_file
from sim.readers.content import Content
from sim.readers.errors import BadInput
from sim.readers.pcap import FeedLine, FeedPacket, is_pcap, read_packets
from sim.replay.errors import ReplayError

SESSION = b"REPLAY0001"
LARGEST_PAYLOAD = 1_472
"""Bytes of UDP payload in an Ethernet frame of 1,500."""

SEQUENCE_OFFSET = 10
"""Of the sequence number within a packet."""

PROTOCOLS = ("auto", "itch50")


class Packet(NamedTuple):
    """One MoldUDP64 packet on its way to a card."""

    payload: bytes
    events: int
    """Book events in it that the card follows."""
    next_sequence: int


class Losses(NamedTuple):
    """What a feed's own numbering says about it."""

    missing: int
    first_missing: int
    duplicates: int


class Feed(Protocol):
    """A file that can be gone through as often as wanted, always with the same result."""

    path: Path
    first_sequence: int

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Every message once and in order, with its sequence number."""

    def packets(self, events_in: Callable[[bytes], int], most_events: int) -> Iterator[Packet]:
        """The same as packets. One that is made here holds at most ``most_events`` of what ``events_in`` counts in a message."""

    def losses(self) -> Losses:
        """What was missing or came twice."""


class BinaryFeed:
    """A BinaryFILE: message n has sequence number n, from 1; packets are made of it."""

    def __init__(self, path: Path):
        self.path = path
        self.first_sequence = 1

    def messages(self) -> Iterator[tuple[int, bytes]]:
        return enumerate(read_binary_file(self.path), self.first_sequence)

    def packets(self, events_in: Callable[[bytes], int], most_events: int) -> Iterator[Packet]:
        held: list[bytes] = []
        first, size, events = self.first_sequence, HEADER_LENGTH, 0
        for sequence, message in self.messages():
            more = events_in(message)
            if held and (size + 2 + len(message) > LARGEST_PAYLOAD or events + more > most_events):
                yield Packet(pack_packet(SESSION, first, held), events, sequence)
                held, first, size, events = [], sequence, HEADER_LENGTH, 0
            held.append(message)
            size += 2 + len(message)
            events += more
        if held:
            yield Packet(pack_packet(SESSION, first, held), events, first + len(held))

    def losses(self) -> Losses:
        return Losses(0, 0, 0)


class CaptureFeed:
    """The MoldUDP64 packets of one line of a capture, as they were captured.

    Where a capture holds several lines of one session (A and B), the first that appears is taken unless ``line`` says which, from 1.
    A capture whose sequence numbers were all blanked is numbered anew, from 1.
    """

    def __init__(self, path: Path, line: int | None = None):
        self.path = path
        self._line, packets = self._choose(line)
        self.first_sequence = packets[0].sequence
        self._blanked = all(packet.sequence == 0 for packet in packets)
        if self._blanked:
            self.first_sequence = 1
        for packet in packets:
            if packet.sequence == 0 and not self._blanked:
                raise BadInput(path, packet.offset + SEQUENCE_OFFSET, "a sequence number of at least 1", "0")

    def messages(self) -> Iterator[tuple[int, bytes]]:
        model = MoldUdp64Model(self.first_sequence)
        for payload in self._payloads():
            yield from model.packet(payload).messages

    def packets(self, events_in: Callable[[bytes], int], most_events: int) -> Iterator[Packet]:
        model = MoldUdp64Model(self.first_sequence)
        for payload in self._payloads():
            model.packet(payload)
            yield Packet(payload, sum(map(events_in, filter(None, unpack_blocks(payload)))), model.expected)

    def losses(self) -> Losses:
        model = MoldUdp64Model(self.first_sequence)
        missing = first_missing = duplicates = 0
        for payload in self._payloads():
            outcome = model.packet(payload)
            duplicates += outcome.duplicates
            if outcome.gap:
                first_missing = first_missing or outcome.gap.first
                missing += outcome.gap.count
        return Losses(missing, first_missing, duplicates)

    def _payloads(self) -> Iterator[bytes]:
        sequence = 1
        for packet in read_packets(self.path):
            if packet.line != self._line:
                continue
            if not self._blanked:
                yield packet.payload
                continue
            blocks = list(unpack_blocks(packet.payload))
            yield pack_packet(packet.session, sequence, blocks)
            sequence += len(blocks)

    def _choose(self, number: int | None) -> tuple[FeedLine, list[FeedPacket]]:
        lines: dict[FeedLine, list[FeedPacket]] = {}
        for packet in read_packets(self.path):
            mine = lines.setdefault(packet.line, [])
            if mine and packet.session != mine[0].session:
                before = _show(mine[0].session)
                raise BadInput(self.path, packet.offset, f"session {before} as before on {packet.line}", _show(packet.session))
            mine.append(packet._replace(payload=b""))
        if not lines:
            raise BadInput(self.path, None, "packets with right checksums", "none")
        names = list(lines)
        if number is None:
            sessions = sorted({_show(packets[0].session) for packets in lines.values()})
            if len(sessions) > 1:
                found = ", ".join(f"{i} {line} {_show(lines[line][0].session)}" for i, line in enumerate(names, 1))
                raise ReplayError(f"{self.path} holds {len(sessions)} sessions; choose a line with --line: {found}")
            number = 1
        if not 1 <= number <= len(names):
            raise ReplayError(f"{self.path} has lines 1 to {len(names)}, not {number}")
        return names[number - 1], lines[names[number - 1]]


def open_feed(path: Path, protocol: str = "auto", line: int | None = None) -> Feed:
    """The feed in a file, told by its content."""
    if protocol not in PROTOCOLS:
        raise ReplayError(f"--protocol must be one of {', '.join(PROTOCOLS)}, not {protocol}")
    with Content(path) as content:
        start = content.peek(4)
    if is_pcap(start):
        return CaptureFeed(path, line)
    if line is not None:
        raise ReplayError(f"--line is for captures; {path} is none")
    return BinaryFeed(path)


def _show(session: bytes) -> str:
    return repr(session.decode("latin-1"))

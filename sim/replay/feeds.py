"""The files of a replay as feeds: numbered messages, and the packets that carry them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from sim.golden.line_arbiter import RECOVERY, LineArbiterModel
from sim.golden.moldudp64 import HEADER_LENGTH, pack_packet
from sim.readers.binary_file import read_binary_file
from sim.readers.content import Content
from sim.readers.errors import BadInput
from sim.readers.frames import is_capture
from sim.readers.pcap import FeedLine, FeedPacket, read_packets
from sim.readers.protocols import WIRES, Unpacked, Wire
from sim.readers.tcp import holds_orders, read_units
from sim.replay.errors import ReplayError

SESSION = b"REPLAY0001"
LARGEST_PAYLOAD = 1_472
"""Bytes of UDP payload in an Ethernet frame of 1,500."""

SEQUENCE_OFFSET = 10
"""Of the sequence number within a MoldUDP64 packet."""

PATIENCE = 64
"""Packets that may pass before a message that neither line has brought counts as lost."""

PROTOCOLS = ("auto", *WIRES)


class Packet(NamedTuple):
    """One packet on its way to a card."""

    payload: bytes
    events: int
    """Book events in it that the card follows."""
    next_sequence: int
    line: int = 0
    """0 for line A, 1 for line B."""
    waits: bool = False
    """After it a message is missing that another line may still bring."""


class Losses(NamedTuple):
    """What a feed's own numbering says about it."""

    gaps: int
    missing: int
    first_missing: int
    duplicates: int
    drops: Counter[str]
    """Frames that hold no packet of this feed, by the reason a card would give."""


class Feed(Protocol):
    """A file that can be gone through as often as wanted, always with the same result."""

    path: Path
    wire: Wire
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
        self.path, self.wire = path, WIRES["itch50"]
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
        return Losses(0, 0, 0, 0, Counter())


class _Sequence:
    """Follows the numbers of one feed: every message once, and what was missing."""

    def __init__(self, expected: int):
        self.expected = expected
        self.gaps = self.missing = self.first_missing = self.duplicates = 0

    def take(self, packet: Unpacked) -> list[tuple[int, bytes]]:
        """The messages of a packet that are new; empty ones only have a number."""
        if not packet.sequence:
            return []  # not numbered: nobody's
        if packet.sequence > self.expected:
            self.gaps += 1
            self.missing += packet.sequence - self.expected
            self.first_missing = self.first_missing or self.expected
        numbered = [(sequence, message) for sequence, message in enumerate(packet.messages, packet.sequence) if message]
        new = [each for each in numbered if each[0] >= self.expected]
        self.duplicates += len(numbered) - len(new)
        self.expected = max(self.expected, packet.sequence + len(packet.messages))
        return new


class _Lines(_Sequence):
    """The same for two lines that carry the same messages: what one has lost comes from the other, and else from ``recovery``."""

    def __init__(self, expected: int, recovery: Mapping[int, bytes]):
        super().__init__(expected)
        self._recovery = recovery
        self._model: LineArbiterModel[bytes] = LineArbiterModel(expected)
        self._held = 0

    @property
    def waits(self) -> bool:
        return self._model.hole

    def take_from(self, line: int, packet: Unpacked) -> list[tuple[int, bytes]]:
        numbered = [(sequence, message) for sequence, message in enumerate(packet.messages, packet.sequence) if message]
        new = self._model.frame(line, packet.sequence, packet.sequence + len(packet.messages), numbered)
        self._held = self._held + 1 if self._model.hole else 0
        if self._held > PATIENCE:
            new += self.rest()
        self._update()
        return new

    def rest(self) -> list[tuple[int, bytes]]:
        """Nobody but a retransmission will bring what is missing now."""
        new: list[tuple[int, bytes]] = []
        while self._model.hole:
            gap = self._model.gap()
            if gap is None:  # in part restored
                new += self._model.give_up()
                continue
            self.gaps += 1
            lost = 0
            for sequence in range(gap.first, gap.first + gap.count):
                if (message := self._recovery.get(sequence)) is not None and not lost:
                    new += self._model.frame(RECOVERY, sequence, sequence + 1, [(sequence, message)] if message else [])
                else:
                    self.first_missing = self.first_missing or sequence
                    lost += 1
            self.missing += lost
            if lost:
                new += self._model.give_up()
        self._held = 0
        self._update()
        return new

    def _update(self) -> None:
        self.expected, self.duplicates = self._model.expected, self._model.counts["DUPLICATES"]


class CaptureFeed:
    """The packets of a capture, as they were captured.

    Where a capture of ITCH 5.0 holds several lines of one session, the first two that appear are A and B, unless ``line`` says which single
    one is meant, from 1; of the other protocols it is the first. ``recovery`` has messages by their number, for what both lines have lost.
    A capture whose sequence numbers were all blanked is numbered anew, from 1; otherwise packets without a number are passed over.
    """

    def __init__(self, path: Path, protocol: str = "auto", line: int | None = None, recovery: Mapping[int, bytes] | None = None):
        self.path = path
        self._protocol, self._recovery = protocol, recovery or {}
        self._lines, packets = self._choose(line)
        self.wire = packets[0].wire
        self._protocol = self.wire.name
        numbers = [packet.sequence for packet in packets if packet.sequence]
        self._blanked = not numbers
        if self._blanked:
            self._lines = self._lines[:1]
        firsts = [next((packet.sequence for packet in packets if packet.line == each and packet.sequence), 0) for each in self._lines]
        self.first_sequence = min(filter(None, firsts), default=1)
        if self.wire.name != "itch50":
            return
        for packet in packets:
            if packet.sequence == 0 and not self._blanked:
                raise BadInput(path, packet.offset + SEQUENCE_OFFSET, "a sequence number of at least 1", "0")

    def messages(self) -> Iterator[tuple[int, bytes]]:
        yield from self._follow()

    @property
    def lines(self) -> int:
        """How many of them are followed."""
        return len(self._lines)

    def packets(self, events_in: Callable[[bytes], int], most_events: int) -> Iterator[Packet]:
        sequence, last = self._sequence(), None
        for line, payload in self._payloads():
            packet = self.wire.unpack(payload)
            self._take(sequence, line, packet)
            if last is not None:
                yield last
            waits = isinstance(sequence, _Lines) and sequence.waits
            last = Packet(payload, sum(map(events_in, filter(None, packet.messages))), sequence.expected, line, waits)
        if isinstance(sequence, _Lines):
            sequence.rest()
        if last is not None:
            yield last._replace(next_sequence=sequence.expected)

    def losses(self) -> Losses:
        sequence, drops = self._sequence(), Counter[str]()
        for _ in self._follow(sequence, drops):
            pass
        return Losses(sequence.gaps, sequence.missing, sequence.first_missing, sequence.duplicates, drops)

    def _sequence(self) -> _Sequence:
        return _Lines(self.first_sequence, self._recovery) if len(self._lines) > 1 else _Sequence(self.first_sequence)

    def _take(self, sequence: _Sequence, line: int, packet: Unpacked) -> list[tuple[int, bytes]]:
        return sequence.take_from(line, packet) if isinstance(sequence, _Lines) else sequence.take(packet)

    def _follow(self, sequence: _Sequence | None = None, drops: Counter[str] | None = None) -> Iterator[tuple[int, bytes]]:
        sequence = sequence or self._sequence()
        for line, payload in self._payloads(drops):
            yield from self._take(sequence, line, self.wire.unpack(payload))
        if isinstance(sequence, _Lines):
            yield from sequence.rest()

    def _payloads(self, drops: Counter[str] | None = None) -> Iterator[tuple[int, bytes]]:
        """Each packet with the number of its line."""
        sequence = 1
        for packet in read_packets(self.path, self._protocol, drops):
            if packet.line not in self._lines:
                continue
            if not self._blanked:
                yield self._lines.index(packet.line), packet.payload
                continue
            blocks = self.wire.unpack(packet.payload).messages
            yield 0, self.wire.pack(packet.session, sequence, blocks)
            sequence += len(blocks)

    def _choose(self, number: int | None) -> tuple[list[FeedLine], list[FeedPacket]]:
        lines: dict[FeedLine, list[FeedPacket]] = {}
        for packet in read_packets(self.path, self._protocol):
            mine = lines.setdefault(packet.line, [])
            if mine and packet.session != mine[0].session:
                show = packet.wire.show_session
                before = show(mine[0].session)
                raise BadInput(self.path, packet.offset, f"session {before} as before on {packet.line}", show(packet.session))
            mine.append(packet._replace(payload=b""))
        if not lines:
            raise BadInput(self.path, None, "packets with right checksums", "none")
        names = list(lines)
        if number is None:
            sessions = sorted({_show(packets[0]) for packets in lines.values()})
            if len(sessions) > 1:
                found = ", ".join(f"{i} {line} {_show(lines[line][0])}" for i, line in enumerate(names, 1))
                raise ReplayError(f"{self.path} holds {len(sessions)} sessions; choose a line with --line: {found}")
            if len(names) > 1 and lines[names[0]][0].wire.name == "itch50":
                return names[:2], lines[names[0]] + lines[names[1]]
            number = 1
        if not 1 <= number <= len(names):
            raise ReplayError(f"{self.path} has lines 1 to {len(names)}, not {number}")
        return [names[number - 1]], lines[names[number - 1]]


class StreamFeed:
    """PITCH over TCP (gap request proxy, spin server), both directions: to look into, with every message numbered as it came."""

    def __init__(self, path: Path):
        self.path, self.wire = path, WIRES["pitch"]
        self.first_sequence = 1

    def messages(self) -> Iterator[tuple[int, bytes]]:
        return enumerate((message for unit in read_units(self.path) for message in unit.messages), self.first_sequence)

    def packets(self, events_in: Callable[[bytes], int], most_events: int) -> Iterator[Packet]:
        raise ReplayError(f"{self.path} holds TCP, which no feed port takes: use --engine golden")

    def losses(self) -> Losses:
        return Losses(0, 0, 0, 0, Counter())


def open_feed(path: Path, protocol: str = "auto", line: int | None = None, recovery: Mapping[int, bytes] | None = None) -> Feed:
    """The feed in a file, told by its content. ``recovery``: messages by number, for what both lines of a capture have lost."""
    if protocol not in PROTOCOLS:
        raise ReplayError(f"--protocol must be one of {', '.join(PROTOCOLS)}, not {protocol}")
    with Content(path) as content:
        start = content.peek(4)
    if is_capture(start):
        try:
            return CaptureFeed(path, protocol, line, recovery)
        except BadInput:
            if protocol in ("auto", "pitch") and next(read_units(path), None) is not None:
                return StreamFeed(path)
            if holds_orders(path):
                raise ReplayError(f"{path} is a capture of order entry (SoupBinTCP), not of a feed") from None
            raise
    if protocol not in ("auto", "itch50"):
        raise ReplayError(f"{protocol} is read from captures; {path} is none")
    if line is not None:
        raise ReplayError(f"--line is for captures; {path} is none")
    return BinaryFeed(path)


def _show(packet: FeedPacket) -> str:
    return packet.wire.show_session(packet.session)

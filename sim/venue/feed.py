"""The venue's feed: ITCH messages in MoldUDP64 packets on two lines that may be faulty, and the server that sends again what was lost."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, fields
from random import Random
from typing import NamedTuple

from sim.golden.moldudp64 import HEADER_LENGTH, MalformedPacket, pack_end_of_session, pack_packet, packets, unpack_header
from sim.venue.agenda import Agenda

SECOND = 1_000_000_000
WINDOW = 1_000
"""Nanoseconds that a packet waits for more messages."""

PACKET_LIMIT = 1_400
"""Bytes of UDP payload."""

LATE = 20_000
"""Nanoseconds by which a packet is late that others overtake, and a duplicate after the first."""

MOST_SOURCES = 10_000
"""Of requests, that are remembered: with more, all begin anew."""

ENDS = 5
"""How often the end of the session is told."""


@dataclass
class Faults:
    """Of one line.

    Attributes
    ----------
    drop, duplicate, reorder : float
        Chance of each packet to be lost, to come twice, to be overtaken.
    delay : int
        Nanoseconds that every packet takes longer.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: int = 0

    def set(self, name: str, value: float) -> None:
        """Raises ValueError."""
        if name not in {field.name for field in fields(self)}:
            raise ValueError(f"a line can drop, duplicate, reorder or delay, not {name}")
        if not 0 <= value <= (SECOND if name == "delay" else 1):
            raise ValueError(f"{name} is {f'0 to {SECOND} ns' if name == 'delay' else 'a chance from 0 to 1'}, not {value:g}")
        setattr(self, name, round(value) if name == "delay" else value)


class Sent(NamedTuple):
    """A packet as it leaves."""

    time: int
    line: int
    packet: bytes


class Line:
    """One of the lines. Its faults may change at any time.

    Parameters
    ----------
    number : int
    agenda : Agenda
    random : Random
    skew : int
        Mean of what each packet takes, in nanoseconds: either line may be first.
    out : list of Sent
        Where packets go when they leave.

    Attributes
    ----------
    counts : Counter
        ``sent``, ``dropped``, ``duplicated``, ``reordered``.
    """

    def __init__(self, number: int, agenda: Agenda, random: Random, skew: int, out: list[Sent]):
        self.faults = Faults()
        self.counts: Counter[str] = Counter()
        self._number, self._agenda, self._random, self._skew, self._out = number, agenda, random, skew, out
        self._last = 0

    def send(self, packet: bytes) -> None:
        drop, duplicate, reorder, skew = (self._random.random() for _ in range(4))
        due = self._agenda.now + self.faults.delay + round(2 * skew * self._skew)
        if drop < self.faults.drop:
            self.counts["dropped"] += 1
            return
        if reorder < self.faults.reorder:
            self.counts["reordered"] += 1
            due += LATE
        else:
            due = self._last = max(due, self._last)
        self._agenda.at(due, self._leave, packet)
        if duplicate < self.faults.duplicate:
            self.counts["duplicated"] += 1
            self._agenda.at(due + LATE, self._leave, packet)

    def _leave(self, packet: bytes) -> None:
        self.counts["sent"] += 1
        self._out.append(Sent(self._agenda.now, self._number, packet))


class Feed:
    """Numbers messages from 1 and packs them.

    Parameters
    ----------
    session : bytes
        Ten characters.
    agenda : Agenda
    lines : list of Line

    Attributes
    ----------
    messages : list of bytes
        Message number n is at n - 1.
    sent : int
        How many of them have left.
    """

    def __init__(self, session: bytes, agenda: Agenda, lines: list[Line]):
        self.session, self.lines = session, lines
        self.messages: list[bytes] = []
        self._agenda = agenda
        self.sent = 0
        self._size = HEADER_LENGTH
        self._quiet_since = agenda.now
        self._agenda.at(agenda.now + SECOND, self._heartbeat)

    def put(self, message: bytes) -> None:
        if self._size + 2 + len(message) > PACKET_LIMIT:
            self.flush()
        if self.sent == len(self.messages):
            self._agenda.at(self._agenda.now + WINDOW, self._flush_from, self.sent)
        self.messages.append(message)
        self._size += 2 + len(message)

    def flush(self) -> None:
        """Sends what waits, if anything does."""
        if self.sent < len(self.messages):
            self._send(pack_packet(self.session, self.sent + 1, self.messages[self.sent:]))
            self.sent, self._size = len(self.messages), HEADER_LENGTH

    def end(self) -> None:
        """Tells the end of the session, and again for some seconds; heartbeats cease."""
        self.flush()
        self._quiet_since = -1
        for number in range(ENDS):
            self._agenda.at(self._agenda.now + number * SECOND, self._send, pack_end_of_session(self.session, self.sent + 1))

    def _flush_from(self, first: int) -> None:
        if self.sent == first:
            self.flush()

    def _send(self, packet: bytes) -> None:
        for line in self.lines:
            line.send(packet)
        if self._quiet_since >= 0:
            self._quiet_since = self._agenda.now

    def _heartbeat(self) -> None:
        if self._quiet_since < 0:
            return
        if self._agenda.now - self._quiet_since >= SECOND:
            self._send(pack_packet(self.session, self.sent + 1, []))
        self._agenda.at(self._quiet_since + SECOND, self._heartbeat)


class Retransmission:
    """Answers requests for messages of a feed, no more than ``rate`` a second of each source (and as many at once).

    Attributes
    ----------
    counts : Counter
        ``answered``, ``malformed``, ``session`` (another one), ``absent`` (nothing of it was sent yet), ``rate``.
    """

    def __init__(self, feed: Feed, agenda: Agenda, rate: int):
        self.counts: Counter[str] = Counter()
        self._feed, self._agenda, self._rate = feed, agenda, rate
        self._allowance: dict[Hashable, tuple[int, float]] = {}

    def answer(self, request: bytes, source: Hashable = None) -> bytes | None:
        """One packet with those messages, as many as fit; None for what is not answered."""
        packet, outcome = self._answer(request, source)
        self.counts[outcome] += 1
        return packet

    def _answer(self, request: bytes, source: Hashable) -> tuple[bytes | None, str]:
        if not self._admits(source):
            return None, "rate"
        try:
            header = unpack_header(request)
        except MalformedPacket:
            return None, "malformed"
        if len(request) != HEADER_LENGTH or not header.sequence or not header.count:
            return None, "malformed"
        if header.session != self._feed.session:
            return None, "session"
        first = header.sequence - 1
        wanted = self._feed.messages[first:min(first + header.count, self._feed.sent)]
        if not wanted:
            return None, "absent"
        return next(packets(header.session, header.sequence, wanted, limit=PACKET_LIMIT)), "answered"

    def _admits(self, source: Hashable) -> bool:
        now = self._agenda.now
        then, tokens = self._allowance.get(source, (now, float(self._rate)))
        tokens = min(self._rate, tokens + (now - then) * self._rate / SECOND)
        if len(self._allowance) >= MOST_SOURCES:
            self._allowance.clear()
        self._allowance[source] = now, tokens - (tokens >= 1)
        return tokens >= 1

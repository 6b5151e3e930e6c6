"""The RTL engine: the simulated card, driven through its registers and feed ports like a board."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter

from host.card.addresses import multicast_number
from host.card.control import Control
from host.card.events import RECORD_WORDS, Gap, VenueStale, decode
from host.card.protocol import CardError
from host.card.registers import COUNTERS, EVENTS, REGISTERS, EventKind, StaleReason
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.golden.ethernet import build_udp
from sim.golden.moldudp64 import pack_packet
from sim.readers.protocols import Key
from sim.replay.bbo import BboFiles
from sim.replay.feeds import PATIENCE, Feed, Packet
from sim.replay.result import Result
from sim.replay.selection import Selection
from sim.verilated.build import sizes_of

GROUPS = "233.54.{}.{}"
FIRST_GROUP, FIRST_PORT = 111, 26_477
"""The first venue's feed; the others follow. Line B and recovery have the networks behind; recovery comes on the port of line A."""

NETWORKS = 12, 49, 50
PREFIXES = "FEED", "FEED_B", "RECOVERY"
LINE_A, _, RECOVERY = range(3)

HOLE_CYCLES = 4_000
"""The other line's packet follows within some hundreds."""
ASKED_AT_ONCE = 16
"""Messages of one retransmission."""
STEP = 10_000
"""Cycles after which the host looks for gaps, where it can do something about them."""

PACKETS_AT_ONCE = 512
CYCLES_AN_EVENT = 64
"""Far more than the book needs for any event."""

EMPTY = "0,0,0,0"

FAULTS = {
    "DROP_MAC_ERROR": "frames with a MAC error",
    "DROP_NOT_MATCHED": "frames that the feed port took for somebody else's",
    "DROP_TRUNCATED": "truncated frames",
    "DROP_IP_CHECKSUM": "frames with a wrong IP checksum",
    "DROP_FRAGMENT_OR_OPTIONS": "IP fragments",
    "DROP_UDP_CHECKSUM": "frames with a wrong UDP checksum",
    "DROP_MALFORMED": "malformed packets",
    "DROP_SESSION": "packets of another session",
    "DROP_OVERFLOW": "frames that found the commit buffer full",
    "MALFORMED_MESSAGES": "malformed messages",
    "DUPLICATE_REFERENCES": "orders under a reference that is live",
    "STORE_FULL": "orders that found no place in the order store",
    "LEVELS_FULL": "orders whose price level found no place",
    "BAD_EVENTS": "events that contradict the book",
    "LEVEL_OVERFLOWS": "price levels that passed 2^32 - 1 shares",
    "EVENTS_LOST": "records lost from the event ring",
    "BUS_ERRORS": "register accesses that the map does not have",
}
"""Counters that must be zero after a replay that can be trusted, and what they count."""

# Tops of book are most of what a card tells, so their fields are picked straight from the words of the ring.
_FIELDS = {field.name: field for field in EVENTS[EventKind.TOP_OF_BOOK]}
_BID, _BID_SHARES, _ASK, _ASK_SHARES, _SEQUENCE = (
    _FIELDS[name].lsb // 32 for name in ("bid_price", "bid_shares", "ask_price", "ask_shares", "sequence")
)
_STALE, _VENUE, _SYMBOL = (_FIELDS[name] for name in ("stale", "venue", "symbol"))
_KIND_MASK = 0xF


def replay_rtl(library: Path, config: CardConfig, feeds: Sequence[Feed], selection: Selection, output: BboFiles,
               progress: Callable[[int], None], recovery: Mapping[int, bytes] | None = None) -> Result:
    """All venues through one card, FILE i on the feed ports of venue i. ``library`` is what sim/verilated/build.py made of ``config``.

    ``recovery`` has messages by their number: what is missing is taken from there, as from a retransmission server.
    """
    with SimulatedCard(library) as card:
        return _Replay(card, config, feeds, selection, output, recovery).run(progress)


def _frame(payload: bytes, address: tuple[str, int]) -> bytes:
    return build_udp(payload, destination_ip=multicast_number(address[0]), destination_port=address[1])


class _Venue:
    """One feed on its way through the card."""

    def __init__(self, number: int, feed: Feed, slots: dict[Key, int], most_events: int):
        self.number = number
        self.slots = slots
        self.first_sequence = self.next_sequence = feed.first_sequence
        self.addresses = [(GROUPS.format(network, FIRST_GROUP + number), FIRST_PORT + number) for network in NETWORKS]
        self.lines = getattr(feed, "lines", 1)
        self.tops = [EMPTY] * (max(slots.values(), default=0) + 1)
        self.changes: list[tuple[int, int, str]] = []
        """Tops of book since the last look: sequence number, slot, text."""
        self.wire = feed.wire
        self.reading = feed.wire.reading()  # of the messages that have passed
        self.followed = 0
        """Events of the frames so far that the card lets through to the book."""
        self._ahead = feed.wire.reading()  # of the frames that are sent
        self._packets = feed.packets(self._events_in, most_events)
        self._messages = feed.messages()
        self._held: tuple[int, bytes] | None = None

    def _events_in(self, message: bytes) -> int:
        return self._ahead.passes(self._ahead.key(message), self.slots)

    def frames(self, number: int) -> list[Packet]:
        """The next packets, and a few more where one line is still to bring what another has lost."""
        taken = list(islice(self._packets, number))
        while taken and taken[-1].waits and len(taken) < number + PATIENCE and (more := next(self._packets, None)) is not None:
            taken.append(more)
        if taken:
            self.next_sequence = taken[-1].next_sequence
        return taken

    def passed(self) -> Iterator[tuple[int, bytes]]:
        """The messages of the frames so far, each once."""
        while (message := self._held or next(self._messages, None)) is not None:
            if message[0] >= self.next_sequence:
                self._held = message
                return
            self._held = None
            yield message


class _Replay:
    def __init__(self, card: SimulatedCard, config: CardConfig, feeds: Sequence[Feed], selection: Selection, output: BboFiles,
                 recovery: Mapping[int, bytes] | None):
        self._recovery = recovery
        self._card, self._config, self._selection, self._output = card, config, selection, output
        self._control = Control(card, config.name, {config.name: sizes_of(config)})
        most_events = min(config.backlog, config.events) // 4
        self._venues = [_Venue(i, feed, selection.slots[i], most_events) for i, feed in enumerate(feeds)]
        self._result = Result()
        self._stale: set[tuple[int, int]] = set()

    def run(self, progress: Callable[[int], None]) -> Result:
        begin = perf_counter()
        self._set_up()
        while self._send_batch():
            self._take_events()
            progress(sum(self._write_rows(venue) for venue in self._venues))
        self._result.cycles = self._card.cycle
        self._result.seconds = perf_counter() - begin
        self._check()
        return self._result

    def _set_up(self) -> None:
        if any(venue.wire.by_name for venue in self._venues):
            for slot, name in enumerate(self._selection.names):
                self._control.write("NAME", int.from_bytes(name.encode("ascii").ljust(8), "little"), slot)
        for venue in self._venues:
            for key, slot in venue.slots.items():
                locate = slot if venue.wire.by_name else key
                self._control.write("BINDING", REGISTERS["BINDING"].pack(locate=locate, enable=1), venue.number, slot)
            for prefix, (group, port) in list(zip(PREFIXES, venue.addresses, strict=True))[1:]:
                self._control.write(f"{prefix}_IP", multicast_number(group), venue.number)
                self._control.write(f"{prefix}_PORT", port, venue.number)
            if venue.lines > 1:
                self._control.write("HOLE_CYCLES", HOLE_CYCLES, venue.number)
            if self._recovery is not None:
                self._control.write("RECOVERY_CYCLES", 0xFFFF_FFFF, venue.number)
            self._control.set_feed(venue.number, *venue.addresses[0], venue.first_sequence)
        self._card.drain_events(self._config.events)
        waits = self._recovery is not None or any(venue.lines > 1 for venue in self._venues)
        self._card.pace(self._config.frames if waits else self._config.backlog)

    def _send_batch(self) -> bool:
        """Sends some frames of every venue and waits until the card has digested them; False when there are no more."""
        limit, some = 100_000, False
        queued: dict[tuple[int, int], list[tuple[bytes, int, int]]] = {}
        for venue in self._venues:
            start = self._card.cycle
            for line in range(venue.lines):
                queued[venue.number, line] = []
            for packet in venue.frames(PACKETS_AT_ONCE):
                some = True
                frame = _frame(packet.payload, venue.addresses[packet.line])
                queued[venue.number, packet.line].append((frame, start, packet.events + 1))  # a top an event, and news of the feed itself
                start += -(-len(frame) // 8)
                limit += len(frame) + CYCLES_AN_EVENT * (packet.events + 1)
        for (venue_number, line), batch in queued.items():
            if batch:
                frames, starts, weights = zip(*batch, strict=True)
                self._card.queue(self._port(venue_number, line), frames, starts=starts, weights=weights)
        if some and not self._run_until_idle(limit):
            raise CardError(f"the card did not become idle within {limit} cycles")
        return some

    def _port(self, venue: int, line: int) -> int:
        return line * self._config.venues + venue

    def _run_until_idle(self, limit: int) -> bool:
        """Looks after gaps now and then, where there is somebody to ask."""
        if self._recovery is None:
            return self._card.run_until_idle(limit)
        end = self._card.cycle + limit
        while not self._card.run_until_idle(STEP):
            self._take_events()
            if self._card.cycle > end:
                return False
        return True

    def _recover(self, gap: Gap) -> None:
        """The missing messages, ahead of what line A has yet to bring; where somebody does not have them, the card gives up waiting."""
        assert self._recovery is not None
        end = gap.first + gap.count
        known = next((sequence for sequence in range(gap.first, end) if sequence not in self._recovery), end)
        address = self._venues[gap.venue].addresses[RECOVERY]
        most = min(self._config.recovery, ASKED_AT_ONCE)
        frames = []
        for first in range(gap.first, known, most):
            messages = [self._recovery[sequence] for sequence in range(first, min(first + most, known))]
            frames.append(_frame(pack_packet(gap.session, first, messages), address))
        self._card.queue(self._port(gap.venue, LINE_A), frames, weights=[0] * len(frames), urgent=True)
        if known < end:
            self._problem(gap.venue, f"messages {known} to {end - 1} never came")
            self._control.write("RECOVERY_CYCLES", 0, gap.venue)

    def _take_events(self) -> None:
        words, _ = self._card.take_event_words()
        for at in range(0, len(words), RECORD_WORDS):
            head = words[at]
            if head & _KIND_MASK != EventKind.TOP_OF_BOOK:
                self._note(words[at:at + RECORD_WORDS])
                continue
            venue, slot = _VENUE.take(head), _SYMBOL.take(head)
            sequence = words[at + _SEQUENCE] | words[at + _SEQUENCE + 1] << 32
            text = f"{words[at + _BID]},{words[at + _BID_SHARES]},{words[at + _ASK]},{words[at + _ASK_SHARES]}"
            self._venues[venue].changes.append((sequence, slot, text))
            self._result.events += 1
            if self._recovery is None and _STALE.take(head) and (venue, slot) not in self._stale:
                self._stale.add((venue, slot))
                self._problem(venue, f"the book of {self._selection.names[slot]} went stale at message {sequence}")

    def _note(self, words: Sequence[int]) -> None:
        """A record that tells of a loss."""
        event = decode(words)
        if isinstance(event, Gap) and self._recovery is not None:
            self._recover(event)
        elif isinstance(event, VenueStale) and self._recovery is not None:
            return  # until it is filled
        elif isinstance(event, Gap):
            self._problem(event.venue, f"messages {event.first} to {event.first + event.count - 1} never came")
        elif isinstance(event, VenueStale):
            self._problem(event.venue, f"stale, {event.reason.name}")

    def _problem(self, venue: int, what: str) -> None:
        self._result.problems.append(f"venue {venue}: {what}")

    def _write_rows(self, venue: _Venue) -> int:
        """Joins the messages that have passed with the tops that they caused: a message without a record left the top as it was."""
        lines: list[str] = []
        tops, slots = venue.tops, venue.slots
        changes = iter(venue.changes)
        change = next(changes, None)
        passed = 0
        for sequence, message in venue.passed():
            passed += 1
            while change is not None and change[0] <= sequence:  # a halt may have caused one, too
                tops[change[1]] = change[2]
                change = next(changes, None)
            key = venue.reading.key(message)
            if key is None:
                continue
            venue.followed += venue.reading.passes(key, slots)
            slot = slots.get(key)
            if slot is not None:
                lines.append(f"{sequence - 1},{venue.reading.time(message)},{key},{venue.wire.type_of(message)},{tops[slot]}\n")
        if change is not None:
            self._problem(venue.number, f"a record names message {change[0]}, which was not sent yet")
        venue.changes = []
        self._result.rows += len(lines)
        self._output.write(venue.number, lines)
        return passed

    def _check(self) -> None:
        """What the card counted against what it was sent."""
        control, problems = self._control, self._result.problems
        for name, what in FAULTS.items():
            if not COUNTERS[name].venue_stride and (number := control.counter(name)):
                problems.append(f"{number} {what}")
        followed = 0
        for venue in self._venues:
            for name, what in FAULTS.items():
                if COUNTERS[name].venue_stride and (number := control.counter(name, venue.number)):
                    self._problem(venue.number, f"{number} {what}")
            expected = control.read("FEED_EXPECTED", venue.number)
            if expected != venue.next_sequence:
                self._problem(venue.number, f"the card expects message {expected} next, not {venue.next_sequence}")
            if (reason := control.read("STALE_REASON", venue.number)) and self._recovery is not None:
                self._problem(venue.number, f"stale, {StaleReason(reason).name}")
            followed += control.counter("BOOK_EVENTS", venue.number)
        sent = sum(venue.followed for venue in self._venues)
        if followed != sent:
            problems.append(f"{sent} book messages were sent, {followed} reached the books")
        if self._card.violations():
            problems.append(f"the order stream broke its rules: {self._card.violations()}")

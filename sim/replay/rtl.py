"""The RTL engine: the simulated card, driven through its registers and feed ports like a board."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter

from host.card.protocol import Card, CardError
from host.card.registers import COUNTERS, EVENTS, MAGIC, REGISTERS, EventKind, StaleReason
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.golden.ethernet import build_udp
from sim.readers.itch50 import IS_BOOK, locate_of, timestamp_of
from sim.replay.bbo import BboFiles
from sim.replay.feeds import Feed
from sim.replay.result import Result
from sim.replay.selection import Selection

GROUP, PORT = 0xE9360C6F, 26_477
"""Multicast group and port of the first venue (233.54.12.111:26477); the others follow."""

PACKETS_AT_ONCE = 512
RESTART = 64
"""Cycles within which a restart shows in STATE."""

CLEAR_LIMIT = 1_000_000
CYCLES_AN_EVENT = 64
"""Far more than the book needs for any event."""

EMPTY = "0,0,0,0"

FAULTS = {
    "DROP_MAC_ERROR": "frames with a MAC error", "DROP_NOT_MATCHED": "frames that the feed port took for somebody else's",
    "DROP_TRUNCATED": "truncated frames", "DROP_IP_CHECKSUM": "frames with a wrong IP checksum",
    "DROP_FRAGMENT_OR_OPTIONS": "IP fragments", "DROP_UDP_CHECKSUM": "frames with a wrong UDP checksum",
    "DROP_MALFORMED": "malformed packets", "DROP_SESSION": "packets of another session",
    "DROP_OVERFLOW": "frames that found the commit buffer full",
    "MALFORMED_MESSAGES": "malformed messages", "DUPLICATE_REFERENCES": "orders under a reference that is live",
    "STORE_FULL": "orders that found no place in the order store", "LEVELS_FULL": "orders whose price level found no place",
    "BAD_EVENTS": "events that contradict the book", "LEVEL_OVERFLOWS": "price levels that passed 2^32 - 1 shares",
    "EVENTS_LOST": "records lost from the event ring", "BUS_ERRORS": "register accesses that the map does not have",
}
"""Counters that must be zero after a replay that can be trusted, and what they count."""

_FIELDS = {field.name: field for field in EVENTS[EventKind.TOP_OF_BOOK]}
_TOP = {name: field.lsb // 32 for name, field in _FIELDS.items()}
_BID, _BID_SHARES, _ASK, _ASK_SHARES = (_TOP[name] for name in ("bid_price", "bid_shares", "ask_price", "ask_shares"))
_SEQUENCE = _TOP["sequence"]
_STALE, _VENUE, _SYMBOL = (_FIELDS[name] for name in ("stale", "venue", "symbol"))


def replay_rtl(built: Path, config: CardConfig, feeds: Sequence[Feed], selection: Selection, output: BboFiles,
               progress: Callable[[int], None]) -> Result:
    """All venues through one card, FILE i on feed port i. ``built`` is the card's library."""
    with SimulatedCard(built) as card:
        return _Replay(card, config, feeds, selection, output).run(progress)


def put(card: Card, name: str, value: int, *index: int) -> None:
    """Writes a register of any width, the low word first."""
    register = REGISTERS[name]
    address = register.address(*index)
    card.write32(address, value & 0xFFFFFFFF)
    if register.bits > 32:
        card.write32(address + 4, value >> 32)


def get(card: Card, name: str, *index: int) -> int:
    register = REGISTERS[name]
    return _join(card.read_words(register.address(*index), 2 if register.bits > 32 else 1))


def count(card: Card, name: str, venue: int = 0) -> int:
    counter = COUNTERS[name]
    return _join(card.read_words(counter.offset + venue * counter.venue_stride, 2))


def _join(words: list[int]) -> int:
    return sum(word << 32 * number for number, word in enumerate(words))


class _Venue:
    """One feed on its way through the card."""

    def __init__(self, number: int, feed: Feed, slots: dict[int, int], most_events: int):
        self.number = number
        self.slots = slots
        self.first_sequence = feed.first_sequence
        self.group, self.port = GROUP + number, PORT + number
        self.packets = feed.packets(self._events_in, most_events)
        self.next_sequence = feed.first_sequence
        self.tops = [EMPTY] * (max(slots.values(), default=0) + 1)
        self.events: list[tuple[int, int, str]] = []
        self._messages = feed.messages()
        self._held: tuple[int, bytes] | None = None

    def _events_in(self, message: bytes) -> int:
        return IS_BOOK[message[0]] and locate_of(message) in self.slots

    def frames(self, number: int) -> tuple[list[bytes], list[int]]:
        """The next frames and how many events each can cause."""
        taken = list(islice(self.packets, number))
        if taken:
            self.next_sequence = taken[-1].next_sequence
        frames = [build_udp(packet.payload, destination_ip=self.group, destination_port=self.port) for packet in taken]
        return frames, [packet.events + 1 for packet in taken]

    def passed(self) -> Iterator[tuple[int, bytes]]:
        """The messages of the frames so far, each once."""
        while True:
            message = self._held or next(self._messages, None)
            self._held = None
            if message is None:
                return
            if message[0] >= self.next_sequence:
                self._held = message
                return
            yield message


class _Replay:
    def __init__(self, card: SimulatedCard, config: CardConfig, feeds: Sequence[Feed], selection: Selection, output: BboFiles):
        self._card, self._config, self._selection, self._output = card, config, selection, output
        most_events = max(1, min(config.backlog, config.events) // 4)
        self._venues = [_Venue(i, feed, selection.locates[i], most_events) for i, feed in enumerate(feeds)]
        self._result = Result()
        self._stale: set[tuple[int, int]] = set()

    def run(self, progress: Callable[[int], None]) -> Result:
        begin = perf_counter()
        self._set_up()
        while self._feed_batch():
            self._take_events()
            progress(sum(self._write_rows(venue) for venue in self._venues))
        self._result.cycles = self._card.cycle
        self._result.seconds = perf_counter() - begin
        self._check()
        return self._result

    def _set_up(self) -> None:
        card, config = self._card, self._config
        if (magic := get(card, "MAGIC")) != MAGIC:
            raise CardError(f"the card should say {MAGIC:#x}, not {magic:#x}")
        if (value := get(card, "CONFIG_HASH")) != config.hash:
            raise CardError(f"the card should be {config.name} ({config.hash:#x}), not {value:#x}")
        card.drain_events(config.events)
        card.pace(config.backlog)
        for venue in self._venues:
            put(card, "FEED_IP", venue.group, venue.number)
            put(card, "FEED_PORT", venue.port, venue.number)
            put(card, "FEED_SEQUENCE", venue.first_sequence, venue.number)
            for locate, slot in venue.slots.items():
                put(card, "BINDING", REGISTERS["BINDING"].pack(locate=locate, enable=1), venue.number, slot)
        put(card, "RESYNC", (1 << len(self._venues)) - 1)
        card.run(RESTART)
        busy = next(field for field in REGISTERS["STATE"].fields if field.name == "busy")
        while busy.take(get(card, "STATE")):
            card.run(64)
            if card.cycle > CLEAR_LIMIT:
                raise CardError(f"the card is still clearing its books after {CLEAR_LIMIT} cycles")

    def _feed_batch(self) -> bool:
        """Sends some frames of every venue and waits until the card has digested them; False when there are no more."""
        limit = 100_000
        some = False
        for venue in self._venues:
            frames, weights = venue.frames(PACKETS_AT_ONCE)
            if frames:
                some = True
                self._card.queue(venue.number, frames, weights=weights)
                limit += sum(map(len, frames)) + CYCLES_AN_EVENT * sum(weights)
        if some and not self._card.run_until_idle(limit):
            raise CardError(f"the card did not become idle within {limit} cycles")
        return some

    def _take_events(self) -> None:
        words, _ = self._card.take_event_words()
        for at in range(0, len(words), 8):
            head = words[at]
            kind = head & 0xF
            if kind == EventKind.TOP_OF_BOOK:
                venue, symbol = _VENUE.take(head), _SYMBOL.take(head)
                sequence = words[at + _SEQUENCE] | words[at + _SEQUENCE + 1] << 32
                text = f"{words[at + _BID]},{words[at + _BID_SHARES]},{words[at + _ASK]},{words[at + _ASK_SHARES]}"
                self._venues[venue].events.append((sequence, symbol, text))
                self._result.events += 1
                if _STALE.take(head) and (venue, symbol) not in self._stale:
                    self._stale.add((venue, symbol))
                    name = self._selection.names[symbol]
                    self._result.problems.append(f"venue {venue}: the book of {name} went stale at message {sequence}")
            elif kind in (EventKind.GAP, EventKind.VENUE_STALE):
                self._note(EventKind(kind), words[at:at + 8])

    def _note(self, kind: EventKind, words: Sequence[int]) -> None:
        """Records that tell of a loss."""
        number = sum(word << 32 * i for i, word in enumerate(words))
        fields = {field.name: field.take(number) for field in EVENTS[kind]}
        if kind == EventKind.GAP:
            last = fields["first"] + fields["count"] - 1
            self._result.problems.append(f"venue {fields['venue']}: messages {fields['first']} to {last} never came")
        else:
            self._result.problems.append(f"venue {fields['venue']}: stale, {StaleReason(fields['reason']).name}")

    def _write_rows(self, venue: _Venue) -> int:
        """Joins the messages that have passed with the tops that they caused: a message without a record left the top as it was."""
        lines: list[str] = []
        tops, slots = venue.tops, venue.slots
        events = iter(venue.events)
        event = next(events, None)
        passed = 0
        for sequence, message in venue.passed():
            passed += 1
            if not IS_BOOK[message[0]]:
                continue
            while event is not None and event[0] <= sequence:
                tops[event[1]] = event[2]
                event = next(events, None)
            locate = locate_of(message)
            if locate in slots:
                lines.append(f"{sequence - 1},{timestamp_of(message)},{locate},{chr(message[0])},{tops[slots[locate]]}\n")
        if event is not None:
            self._result.problems.append(f"venue {venue.number}: a record names message {event[0]}, which was not sent yet")
        venue.events = []
        self._result.rows += len(lines)
        self._output.write(venue.number, lines)
        return passed

    def _check(self) -> None:
        """What the card counted against what it was sent."""
        problems, card = self._result.problems, self._card
        for venue in self._venues:
            for name, what in FAULTS.items():
                if COUNTERS[name].venue_stride and (number := count(card, name, venue.number)):
                    problems.append(f"venue {venue.number}: {number} {what}")
            expected = get(card, "FEED_EXPECTED", venue.number)
            if expected != venue.next_sequence:
                problems.append(f"venue {venue.number}: the card expects message {expected} next, not {venue.next_sequence}")
        for name, what in FAULTS.items():
            if not COUNTERS[name].venue_stride and (number := count(card, name)):
                problems.append(f"{number} {what}")
        followed = sum(count(card, "BOOK_EVENTS", venue.number) for venue in self._venues)
        if followed != self._result.rows:
            problems.append(f"{self._result.rows} book messages were sent, {followed} reached the books")
        if card.violations():
            problems.append(f"the order stream broke its rules: {card.violations()}")

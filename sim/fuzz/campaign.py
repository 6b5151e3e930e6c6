"""Mutated frames through the compiled card, in batches: after each the card must still be as it should.

A venue's frames of a batch all come on one of its lines: A, B or recovery. A batch ends for a venue with the first frame that may stop
the venue until the host has looked (see :class:`Fate`); before the next one the host starts every venue afresh, and the first frame then is
a good one whose top of book must come.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address
from time import perf_counter

from host.card.addresses import OrderAddress
from host.card.control import Control
from host.card.events import OrderSent, TopOfBook, decode
from host.card.limits import Limits
from host.card.registers import RECORD_BYTES, DropReason
from host.card.replies import ENDED
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.fuzz.dialect import DIALECTS
from sim.fuzz.judge import Fate, Judge
from sim.fuzz.mutate import Address, Mutated, Mutator
from sim.golden.ethernet import build_udp
from sim.session.answers import Answers
from sim.verilated.build import sizes_of

LIMITS = Limits(max_shares=100, max_notional=1 << 60, max_position=(1 << 32) - 1, rate_burst=60_000, rate_interval=1)
LINES = ("FEED", "FEED_B", "RECOVERY")
"""Of each venue, by the names of their registers."""
LINE_A, LINE_B, RECOVERY = range(3)
PORTS = LINE_A, LINE_B, LINE_A
"""The port of each line."""
RECOVERY_ADDRESS = 0x00030300, 0x0300
"""IP address and UDP port differ from those of a line by more than a mutation changes in them."""
RECOVERY_BATCH = 15
LONGEST_BATCH = 100
"""Frames a venue."""
RECORDS_AN_EVENT = 3
"""A top of book and a pair of orders."""
PROBE_PRICES = 1_000_000, 999_000
"""What the first frame of a batch bids at the first venue and offers at all others: they cross, so that orders do leave."""
COUNTED_EVERY = 8
"""Batches after which all counters are read; the events that reached a book are after every one."""
MAXIMUM_CYCLES = 200_000
"""A batch takes some thousands; a card that is not idle after so many hangs."""


class FuzzError(AssertionError):
    """The card did something that it must not; the message says what, and how to see it again."""


class Venue:
    """One feed: its mutator, and what the card must have made of the batch."""

    def __init__(self, number: int, seed: int, config: CardConfig, recorded: Sequence[bytes]):
        self.number = number
        live = Address(0xE9360C6F + number, 26_477 + number)
        away = Address(live.ip ^ RECOVERY_ADDRESS[0], live.port ^ RECOVERY_ADDRESS[1])
        self.addresses = live, live, away
        """By line."""
        protocol = config.protocol(number)
        self.dialect = DIALECTS[protocol](number, config.symbols)
        self.judge = Judge(protocol, self.dialect)
        self.mutator = Mutator((seed, number), live, self.dialect, recorded if protocol == "itch50" else ())
        self.sequence = 1
        self.drops: Counter[DropReason] = Counter()
        self.frames = self.events = self.upsets = 0
        self.how: Counter[str] = Counter()

    def probe(self) -> tuple[bytes, int]:
        """A good frame into an empty book, and the price that its top must show."""
        chance, price = random.Random(self.sequence), PROBE_PRICES[self.number > 0]
        order, address = self.dialect.new_order(chance, "S" if self.number else "B", price), self.mutator.address
        packet = self.dialect.pack(self.dialect.session, self.sequence, [order])
        return build_udp(packet, destination_ip=address.ip, destination_port=address.port), price

    def batch(self, most: int, line: int, most_events: int) -> "Batch":
        """The next frames of a line, and what must come of them; counts go on from batch to batch."""
        self.mutator.address = self.addresses[line]
        listens = [address for address, port in zip(self.addresses, PORTS, strict=True) if port == PORTS[line]]
        probe, price = self.probe()
        batch = Batch(probe, price, self.sequence)
        self.events += 1
        self.frames += 1
        expected = self.sequence + 1
        while len(batch.frames) <= most and batch.upset is None:
            frame = self.mutator.frame(expected)
            judgement = self.judge.judge(frame, listens, expected)
            if sum(batch.weights) + RECORDS_AN_EVENT * judgement.events > RECORDS_AN_EVENT * most_events:
                break
            batch.add(frame, judgement.events if judgement.fate is not Fate.DROPPED else 0)
            self.frames += 1
            self.how[frame.how] += 1
            if judgement.fate is Fate.DROPPED:
                self.drops[judgement.reason] += 1
                continue
            batch.good.append((judgement.first, judgement.next))
            if judgement.fate is Fate.TAKEN:
                self.events += judgement.events
                expected = judgement.next
            else:
                batch.upset = judgement.events
                self.upsets += 1
        self.sequence = expected + 1_000  # another number than any message of this batch can have
        return batch


class Batch:
    """Frames of one venue; the first is the probe."""

    def __init__(self, probe: bytes, price: int, sequence: int):
        self.frames, self.errors, self.weights = [probe], [False], [RECORDS_AN_EVENT]
        self.price, self.sequence = price, sequence
        self.good = [(sequence, sequence + 1)]
        """Message numbers of good frames: first, and after the last."""
        self.upset: int | None = None
        """Events of the last frame, if it is one that upsets the venue."""

    def add(self, frame: Mutated, events: int) -> None:
        self.frames.append(frame.data)
        self.errors.append(frame.error)
        self.weights.append(RECORDS_AN_EVENT * events)


class Campaign:
    """Runs batches on one card.

    Parameters
    ----------
    card : SimulatedCard
    config : CardConfig
    seed : int
    recorded : sequence of bytes
        Real messages for the venues that speak ITCH 5.0.
    """

    def __init__(self, card: SimulatedCard, config: CardConfig, seed: int, recorded: Sequence[bytes] = ()):
        self.card, self.config, self.seed = card, config, seed
        self.control = Control(card, config.name, {config.name: sizes_of(config)})
        self.venues = [Venue(number, seed, config, recorded) for number in range(config.venues)]
        self.batches = self.orders = 0
        self.answers = Answers(self.control.replies, config.venues)
        self.lines: Counter[str] = Counter()
        self._prepare()

    def _prepare(self) -> None:
        control = self.control
        for venue in self.venues:
            control.set_feed(venue.number, str(IPv4Address(venue.addresses[LINE_A].ip)), venue.addresses[LINE_A].port)
            for line, address in zip(LINES, venue.addresses, strict=True):
                control.write(f"{line}_IP", address.ip, venue.number)
                control.write(f"{line}_PORT", address.port, venue.number)
            own = f"02:00:00:00:{venue.number:02x}:01"
            control.set_order_address(venue.number, OrderAddress(own, "02:00:00:00:00:02", "10.0.0.1", "10.0.0.2", 30_001, 40_001))
            control.set_user_ref(venue.number, 1)
            for slot, (locate, name) in enumerate(zip(venue.dialect.locates, venue.dialect.names, strict=True)):
                control.bind_symbol(venue.number, slot, locate, name)
            control.assume_trading(venue.number, range(self.config.symbols))
        control.set_limits(LIMITS)
        for venue in range(self.config.venues):
            control.set_arbitrage_venue(venue)
        control.set_arbitrage(min_profit=1, max_shares=1, cooldown=0, symbols=range(self.config.symbols))
        control.drain_events()
        control.arm()
        self.card.drain_events(self.config.events)
        self.card.pace(self.config.backlog)

    @property
    def frames(self) -> int:
        return sum(venue.frames for venue in self.venues)

    def run(self, frames: int, progress: Callable[[int], None] = lambda count: None) -> dict:
        """So many frames, or a few more. Raises :exc:`FuzzError` at the first wrong thing; returns figures."""
        begin, first_cycle, start = perf_counter(), self.card.cycle, self.frames
        while self.frames - start < frames:
            self.batch(LONGEST_BATCH)
            progress(self.frames - start)
        self.batch(0)  # the probe that the last batch needs
        self._check_drops()
        seconds = perf_counter() - begin
        how: Counter[str] = sum((venue.how for venue in self.venues), Counter())
        drops: Counter[DropReason] = sum((venue.drops for venue in self.venues), Counter())
        return {
            "frames": self.frames - start, "batches": self.batches, "orders": self.orders, "cycles": self.card.cycle - first_cycle,
            "seconds": round(seconds, 1), "frames_per_second": round((self.frames - start) / seconds),
            "lines": dict(self.lines), "how": dict(how), "drops": {reason.name: count for reason, count in drops.items()},
        }

    def batch(self, most: int) -> None:
        for venue in self.venues:
            self.control.write("FEED_SEQUENCE", venue.sequence, venue.number)
        self.control.write("RESYNC", (1 << len(self.venues)) - 1)
        while any((state := self.control.state()).busy) or any(state.stale):
            self._check(self.card.cycle < 1 << 60, "the venues do not start afresh")
        lines = [random.Random(venue.sequence).randrange(len(LINES)) for venue in self.venues]
        limits = [  # the recovery line holds no more than the host asks for at a time
            (min(most, RECOVERY_BATCH), self.config.recovery) if line == RECOVERY else (most, 1 << 30) for line in lines]
        batches = [venue.batch(most, line, events) for venue, line, (most, events) in zip(self.venues, lines, limits, strict=True)]
        self.batches += 1
        for venue, line, batch in zip(self.venues, lines, batches, strict=True):
            self.lines[LINES[line]] += len(batch.frames)
            self.card.queue(PORTS[line] * len(self.venues) + venue.number, batch.frames, errors=batch.errors, weights=batch.weights)
        self._check(self.card.run_until_idle(MAXIMUM_CYCLES), f"the card is not idle after {MAXIMUM_CYCLES} cycles")
        self._check_events(batches)
        self._check_books(batches)
        if self.batches % COUNTED_EVERY == 0:
            self._check_drops()

    def _events(self) -> Iterator[TopOfBook | OrderSent]:
        words, cycles = self.card.take_event_words()
        size = RECORD_BYTES // 4
        for number in range(len(cycles)):
            event = decode(words[size * number:size * (number + 1)])
            if isinstance(event, TopOfBook | OrderSent):
                yield event

    def _check_events(self, batches: Sequence[Batch]) -> None:
        """Each venue's probe gave its top; whatever caused an order was in a good frame."""
        missing = set(range(len(batches)))
        for event in self._events():
            if isinstance(event, TopOfBook):
                batch = batches[event.venue]
                if event.sequence == batch.sequence and batch.price in (event.bid_price, event.ask_price):
                    missing.discard(event.venue)
            else:
                good = batches[event.trigger_venue].good
                self.answers.tell(event.venue, event.user_ref, ENDED)
                caused = any(first <= event.trigger_sequence < after for first, after in good)
                self._check(caused, f"an order left for message {event.trigger_sequence} of venue {event.trigger_venue}, in no good frame")
        self._check(not missing, f"no top of book came from the good frames of venues {sorted(missing)}")
        sent = self.card.take_frames()
        self.orders += len(sent)
        self._check(not any(frame.error for frame in sent), "an order frame is marked bad")
        self._check(not self.card.violations(), f"the order stream broke its rules: {self.card.violations()}")

    def _check_books(self, batches: Sequence[Batch]) -> None:
        """Each book got what the good frames hold, no more."""
        for venue, batch in zip(self.venues, batches, strict=True):
            taken = sum(self.control.counter(name, venue.number) for name in ("BOOK_EVENTS", "TRADING_STATES"))
            self._check(venue.events <= taken <= venue.events + (batch.upset or 0),
                        f"venue {venue.number}: {taken} events reached the book, not {venue.events}")
            venue.events = taken

    def _check_drops(self) -> None:
        """Frames are the sum of verdicts, and each drop has the model's reason; a frame that upsets a venue may be one."""
        for venue in self.venues:
            frames = self.control.counter("FRAMES", venue.number)
            self._check(frames == venue.frames, f"venue {venue.number}: {frames} frames counted, not {venue.frames}")
            for reason in DropReason:
                if reason is not DropReason.NONE:
                    count, wanted = self.control.counter(f"DROP_{reason.name}", venue.number), venue.drops[reason]
                    venue.upsets -= count - wanted
                    self._check(count >= wanted and venue.upsets >= 0,
                                f"venue {venue.number}: {count} frames dropped for {reason.name}, not {wanted}")
                    venue.drops[reason] = count
            venue.upsets = 0

    def _check(self, right: bool, what: str) -> None:
        if not right:
            raise FuzzError(f"{what} (seed {self.seed}, batch {self.batches}, {self.frames} frames)")

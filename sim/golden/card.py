"""The whole card as a chain of the stages' reference models, without time: what comes first is told by whoever drives it.

Each method is one step of the machine, in the order in which an event lives: a frame becomes book events, an event becomes
a record, a record may become orders, an order passes or is refused, and what passed becomes a frame.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hw.reasons import DropReason, RejectReason, StaleReason
from sim.golden.arbitrage import ArbitrageModel, Outcome
from sim.golden.book import Book
from sim.golden.ethernet import receive_any
from sim.golden.feeds import FEEDS, with_slot
from sim.golden.itch50 import MalformedMessage
from sim.golden.line_arbiter import LINE_A, LINE_B, RECOVERY, LineArbiterModel
from sim.golden.moldudp64 import Gap
from sim.golden.order_frame import Address, order_frame
from sim.golden.ouch50 import order_packet
from sim.golden.quoter import Judgement, Parameters, QuotesModel, Risk, Targets, targets
from sim.golden.records import HALT, RESUME, BookEvent, Order, TopOfBook
from sim.golden.reference import Touch
from sim.golden.risk import QUIET, Ask, DoorModel, Market, RiskModel, TokenBucketModel
from sim.golden.trading import TradingModel
from sim.golden.trigger import TriggerModel

PORT_A, PORT_B = range(2)
LINES_OF_PORT = (LINE_A, RECOVERY), (LINE_B,)
"""Whose frames a port of a venue takes: retransmitted packets come on the port of line A."""


class SlotEvent(NamedTuple):
    """A book event of a bound symbol, with the number of its message."""

    symbol: int
    sequence: int
    event: BookEvent


class Record(NamedTuple):
    """What the card knows about a symbol at a venue after one book event."""

    venue: int
    symbol: int
    top: TopOfBook
    stale: bool
    halted: bool
    changed: bool
    partial: bool
    sequence: int
    timestamp: int

    @property
    def touch(self) -> Touch:
        """As the gateway hears it."""
        top = self.top
        doubtful = self.stale or self.partial or 0 < top.ask_price < top.bid_price
        return Touch(self.venue, self.symbol, top.bid_price, top.ask_price, doubtful)

    @property
    def sure(self) -> bool:
        """Orders may be based on it."""
        return not (self.stale or self.halted or self.partial or 0 < self.top.ask_price < self.top.bid_price)


class Shown(NamedTuple):
    """What of a symbol's last record a new one is compared with; at first nothing is known."""

    top: TopOfBook = TopOfBook()
    stale: bool = False
    halted: bool = True
    partial: bool = False


class FrameOutcome(NamedTuple):
    """What became of a frame."""

    reason: DropReason
    events: list[SlotEvent]
    """All those whose turn has come with it, in their order."""
    duplicates: int = 0
    """Messages that had been taken, counted now."""
    reveals: bool = False
    """It is the first to wait, for something in front of it is missing."""


@dataclass
class VenueSettings:
    """What the host has written about a venue."""

    addresses: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)] * 3)
    """IP address and UDP port of line A, line B and recovery; port 0: there is none."""
    feed_sequence: int = 0
    locates: dict[int, int] = field(default_factory=dict)
    """The venue's number of a symbol to its slot."""
    names: dict[str, int] = field(default_factory=dict)
    """The same by names, for a protocol that tells them."""
    assume_trading: set[int] = field(default_factory=set)
    """Slots that trade until the venue says otherwise."""
    order_address: Address = Address(0, 0, 0, 0, 0, 0)


class VenueModel:
    """One venue's frames, up to the records of its book.

    Parameters
    ----------
    protocol : str
        What its feed speaks.

    Attributes
    ----------
    stale : StaleReason
        Why the venue as a whole may not be trusted.
    counts : Counter
        By the names of the card's counters.
    """

    def __init__(self, number: int, settings: VenueSettings, protocol: str = "itch50"):
        self.number = number
        self.feeds = [FEEDS[protocol]() for _ in LINES_OF_PORT]
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.stale = StaleReason.NONE
        self.arbiter: LineArbiterModel[SlotEvent] = LineArbiterModel()
        self.session: bytes | None = None
        self._lost = False
        self.forget()

    def forget(self) -> None:
        """The book begins anew."""
        self.book = Book()
        self._shown: dict[int, Shown] = {}
        self._trading = TradingModel()

    def restart(self) -> None:
        """The host's fresh start: the sequence that the host has set, and trust. The book is to be forgotten with it."""
        self.arbiter.restart(self.settings.feed_sequence)
        self.stale, self.session, self._lost = StaleReason.NONE, None, False

    def frame(self, data: bytes, *, port: int = PORT_A, error: bool = False, full: bool = False) -> FrameOutcome:
        """A frame on a port of the venue; ``error`` is the MAC's flag, ``full`` says that the line's buffer had no place for it."""
        received = receive_any(data, [self.settings.addresses[line] for line in LINES_OF_PORT[port]], error=error)
        line, feed = LINES_OF_PORT[port][received.entry], self.feeds[port]
        packet = feed.read(received.payload or b"", received.reason)
        reason, events, readable = packet.reason, list[SlotEvent](), not packet.ends_trust
        self.counts["MALFORMED_MESSAGES"] += packet.ends_trust
        for sequence, message in packet.messages:
            try:
                change = feed.decode(message)
            except MalformedMessage:
                self.counts["MALFORMED_MESSAGES"] += 1
                readable = False
                continue
            slot = feed.slot(change, self.settings.locates, self.settings.names) if change else None
            if change is not None and slot is not None:
                events.append(SlotEvent(slot, sequence, with_slot(change.event, slot)))

        out, hole, before = list[tuple[int, SlotEvent]](), self.arbiter.hole, self.arbiter.counts["DUPLICATES"]
        if packet.span:
            first, following = packet.span.first, packet.span.next
            self.session = self.session or packet.span.session
            if packet.span.session != self.session:
                reason = DropReason.SESSION
            elif not readable:
                reason = DropReason.MALFORMED
            else:
                self.counts["HEARTBEATS"] += first == following and not packet.end_of_session
                self.counts["SESSION_ENDS"] += packet.end_of_session
                reason = DropReason.OVERFLOW if full else DropReason.NONE
            if reason is DropReason.NONE:
                out = self.arbiter.frame(line, first, following, [(event.sequence, event) for event in events])
            elif reason is not DropReason.SESSION:  # what has been lost is known, as with a heartbeat
                out = self.arbiter.frame(line, following, following)
        self.counts["FRAMES"] += 1
        if reason is not DropReason.NONE:
            self.counts[f"DROP_{reason.name}"] += 1
        duplicates = self.arbiter.counts["DUPLICATES"] - before
        return FrameOutcome(reason, [event for _, event in out], duplicates, self.arbiter.hole and not hole)

    def gap(self) -> Gap | None:
        """The hole in front of what waits has been open too long."""
        gap = self.arbiter.gap()
        if gap is None:
            return None
        self.counts["GAPS"] += 1
        self.counts["MISSING_MESSAGES"] += gap.count
        if self.stale is StaleReason.NONE:
            self.stale = StaleReason.GAP
            self.counts["STALE"] += 1
        return replace(gap, session=self.session or b"")

    def give_up(self) -> list[SlotEvent]:
        """Nobody has filled it. The events whose turn it is now."""
        self._lost = True
        self.counts["GIVEN_UP"] += 1
        return [event for _, event in self.arbiter.give_up()]

    def recovered(self) -> None:
        """Nothing waits any more."""
        if not self._lost:
            self.stale = StaleReason.NONE

    def book_event(self, slot_event: SlotEvent, *, venue_stale: bool | None = None) -> Record:
        """Takes one event into the book. ``venue_stale``: as it was when the record was made, by default as it is now."""
        self.counts["TOPS"] += 1
        symbol, partial = slot_event.symbol, bool(slot_event.event.partial)
        if slot_event.event.kind in (HALT, RESUME):
            self.counts["TRADING_STATES"] += 1
            self._trading.apply(symbol, slot_event.event)
            partial = self._shown.get(symbol, Shown()).partial  # it may come in the middle of a change
        else:
            self.counts["BOOK_EVENTS"] += 1
            unknown = self.book.unknown
            booked = self.book.apply(slot_event.event)
            self.counts["UNKNOWN_REFERENCES"] += self.book.unknown - unknown
            symbol = symbol if booked is None else booked
        top = self.book.top(symbol)
        stale = symbol in self.book.doubtful or (self.stale is not StaleReason.NONE if venue_stale is None else venue_stale)
        shown = Shown(top, stale, self.halted(symbol), partial)
        changed = shown != self._shown.get(symbol, Shown())
        self._shown[symbol] = shown
        return Record(
            self.number, symbol, top, stale, shown.halted, changed, partial, slot_event.sequence, slot_event.event.timestamp)

    def halted(self, symbol: int) -> bool:
        """The venue does not trade it, as far as is known."""
        return self._trading.halted(symbol, self.settings.assume_trading)


class CardModel:
    """All stages of a card.

    Parameters
    ----------
    venues, symbols, places : int
        ``places``: orders that may be open at a venue.
    triggers : int
        Entries of the trigger.

    Attributes
    ----------
    venues : list of VenueModel
    names : list of str
        Symbol names by slot.
    arbitrage, trigger, quotes, risk, door
        The models of these stages; their settings, limits and switches are set directly.
    counts : Counter
        Of what is not a venue's, by the names of the card's counters.
    """

    def __init__(self, venues: int, symbols: int, places: int, triggers: int = 0):
        self.venues = [VenueModel(number, VenueSettings()) for number in range(venues)]
        self.names = [""] * symbols
        self.arbitrage = ArbitrageModel(venues, symbols)
        self.trigger, self.quotes = TriggerModel(triggers), QuotesModel(symbols)
        self.risk = RiskModel(venues, symbols, places=places)
        self.door = DoorModel(self.risk, TokenBucketModel())
        self.counts: Counter[str] = Counter()

    def strategy(self, record: Record, *, cycle: int, waiting: bool = False, time: int = 0) -> Outcome:
        """What a record of the card's time leads to. ``waiting``: orders of the last signal have not been taken."""
        outcome = self.arbitrage.update(
            record.venue, record.symbol, record.top, stale=not record.sure,
            changed=record.changed, sequence=record.sequence, cycle=cycle, waiting=waiting, time=time)
        self.counts["SIGNALS"] += outcome.signal is not None
        self.counts["MISSED_SIGNALS"] += outcome.missed
        self.counts["IMPLAUSIBLE_PROFITS"] += outcome.implausible
        return outcome

    def trigger_orders(self, record: Record) -> list[Order]:
        """The prepared orders that a record makes leave, where nothing waits."""
        if not record.changed:
            return []
        fired = len(self.trigger.fired)
        self.trigger.top(record.venue, record.symbol, record.top, sure=record.sure, sequence=record.sequence)
        self.counts["TRIGGERS_FIRED"] += len(self.trigger.fired) - fired
        return list(iter(self.trigger.next, None))

    def quote(self, record: Record, parameters: Parameters, found: Risk | None, *, enabled: bool = True, cycle: int = 0) -> list[Order]:
        """What the quoter asks for while this is its venue's last record of the symbol. ``found`` None: no variance, or no time left."""
        bid, ask, position = record.top.bid_price, record.top.ask_price, self.risk.exposures[record.symbol].position
        sure = enabled and parameters.enable and record.sure and 0 < bid < ask and found is not None
        where = targets(parameters, found, position, bid, ask) if sure and found else Targets()
        judgement = Judgement(record.venue, where, position, sure=sure, sequence=record.sequence)
        return self.quotes.judge(record.symbol, parameters, judgement, cycle)

    def gateway(
        self, now: int, taken: Ask | None, *, heartbeat: bool = False, market: Market = QUIET,
    ) -> list[tuple[Ask, RejectReason]]:
        """One cycle of the gateway, in which this order went to it or none; what it decided."""
        decisions = self.door.cycle(now, taken, heartbeat=heartbeat, market=market)
        for _, reason in decisions:
            self.counts["ORDERS_PASSED" if reason is RejectReason.NONE else f"REJECT_{reason.name}"] += 1
        return decisions

    def send(self, order: Order) -> tuple[int, bytes]:
        """UserRefNum and frame of an order that passed."""
        venue = self.venues[order.venue]
        user_ref = self.risk.open.sent(order)
        venue.counts["ORDER_FRAMES"] += 1
        packet = order_packet(order, name=self.names[order.symbol], user_ref=user_ref)
        return user_ref, order_frame(venue.settings.order_address, packet)

"""Event records as the host sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from host.card.protocol import CardError
from host.card.registers import EVENT_HEADER, EVENTS, RECORD_BYTES, DownReason, EventKind, Fate, RejectReason, StaleReason

RECORD_WORDS: Final = RECORD_BYTES // 4


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """Best bid and ask of a symbol at a venue changed. Prices in 1/10000; 0: no such side."""

    card_time: int
    """Low 32 bits of the card's time, in cycles, when the record was made; the same in every event."""
    lost: bool
    """Records of the same source were lost just before this one; the same in every event."""
    venue: int
    symbol: int
    stale: bool
    halted: bool
    crossed: bool
    locked: bool
    bid_price: int
    bid_shares: int
    ask_price: int
    ask_shares: int
    sequence: int


@dataclass(frozen=True, slots=True)
class OrderSent:
    """An order left the card. ``latency``: cycles from the last byte of the trigger in to the first word of the order frame out."""

    card_time: int
    lost: bool
    venue: int
    symbol: int
    side: int
    strategy: int
    shares: int
    price: int
    trigger_venue: int
    trigger_sequence: int
    user_ref: int
    latency: int
    order_kind: int = 0
    """0 new, 1 replace, 2 cancel."""
    fate: Fate = Fate.SENT
    """Of an aborted frame a second record tells."""


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The gateway refused an order."""

    card_time: int
    lost: bool
    venue: int
    symbol: int
    side: int
    strategy: int
    shares: int
    price: int
    trigger_venue: int
    trigger_sequence: int
    reason: RejectReason
    order_kind: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """``count`` feed messages from ``first`` on did not come in time."""

    card_time: int
    lost: bool
    venue: int
    first: int
    count: int
    session: bytes
    """Ten characters."""


@dataclass(frozen=True, slots=True)
class VenueStale:
    """The books of a venue may no longer be trusted."""

    card_time: int
    lost: bool
    venue: int
    reason: StaleReason


@dataclass(frozen=True, slots=True)
class BookLevel:
    """One of the levels that ``Control.look`` has asked for. ``number`` 0 is the best; ``price`` 0: there are not so many."""

    card_time: int
    lost: bool
    venue: int
    symbol: int
    side: int
    number: int
    price: int
    shares: int
    orders: int
    sequence: int
    """Feed message after which it was so."""


@dataclass(frozen=True, slots=True)
class BookOrder:
    """One of the orders that ``Control.snapshot`` has asked for."""

    card_time: int
    lost: bool
    venue: int
    symbol: int
    side: int
    price: int
    shares: int
    reference: int
    sequence: int
    """Feed message after which it was so."""


@dataclass(frozen=True, slots=True)
class BookOrders:
    """All ``count`` of them have been told; ``since``, ``sequence``: the book's last feed message before the first, before the last."""

    card_time: int
    lost: bool
    venue: int
    count: int
    since: int
    sequence: int


@dataclass(frozen=True, slots=True)
class StateChange:
    """The STATE register after a change, and one bit for each of its bits that changed."""

    card_time: int
    lost: bool
    state: int
    changed: int


@dataclass(frozen=True, slots=True)
class ArbitrageSignal:
    """The detector took an opportunity: bought at one venue, sold at another."""

    card_time: int
    lost: bool
    symbol: int
    buy_venue: int
    sell_venue: int
    buy_price: int
    sell_price: int
    shares: int
    profit: int
    """Of all shares together, after fees, in 1/10000."""
    time: int
    """Card time, in cycles, of the change that showed it."""

    @property
    def word(self) -> int:
        """The 128-bit signal word: symbol 16, buy venue 8, sell venue 8, profit 48, time 48, from bit 0 on."""
        return self.symbol | self.buy_venue << 16 | self.sell_venue << 24 | self.profit << 32 | self.time << 80


@dataclass(frozen=True, slots=True)
class WideSignal:
    """The signal of this symbol and time led to no orders, as a price of it is wider than theirs: its prices in full."""

    card_time: int
    lost: bool
    symbol: int
    buy_price: int
    sell_price: int
    time: int


@dataclass(frozen=True, slots=True)
class TriggerFired:
    """A top of book met the condition of prepared orders (host/card/triggers.py); what became of each is told when it has left."""

    card_time: int
    lost: bool
    venue: int
    symbol: int
    bid_price: int
    ask_price: int
    entries: tuple[int, ...]
    """Those that fired."""
    sequence: int


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the card's clock showed (docs/telemetry.md): from it follows the time of every other cycle until the next reading."""

    card_time: int
    lost: bool
    cycles: int
    time: int
    """Nanoseconds TAI."""
    increment: int
    """What the time grows by each cycle from then on, in 2^-32 ns."""


@dataclass(frozen=True, slots=True)
class VenueMessage:
    """A venue has said something by its order session; the gateway knows already. What a message does not have is 0."""

    card_time: int
    lost: bool
    venue: int
    type: str
    """OUCH's letter."""
    user_ref: int
    shares: int
    price: int
    reference: int
    """Accepted, replaced, priority update: the venue's number for the order; executed, broken trade: for the trade."""
    code: int
    """State, reason, liquidity or event, ASCII; of a rejection a number."""
    number: int
    """The low 16 bits of the message's own; without a gap unless records were lost."""
    unsure: bool
    """The position or an order is not what the card thinks, and the message does not say by how much: look at the venue's report."""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """An order session has come up, or has gone down and why; ``number`` is the venue's next message's."""

    card_time: int
    lost: bool
    venue: int
    up: bool
    reason: DownReason
    number: int


Event = (TopOfBook | OrderSent | OrderRejected | Gap | VenueStale | StateChange | BookLevel | BookOrder | BookOrders | ArbitrageSignal
         | WideSignal | TriggerFired | ClockReading | VenueMessage | SessionChange)


def decode(words: Sequence[int]) -> Event:
    """The event that one record tells.

    Raises
    ------
    CardError
        The record is of no kind that the host knows: the ring was read wrongly, or the card is another one.
    """
    number = sum(word << 32 * place for place, word in enumerate(words))
    header = {field.name: field.take(number) for field in EVENT_HEADER}
    try:
        kind = EventKind(header["kind"])
        fields = {field.name: field.take(number) for field in EVENTS[kind]}
    except (ValueError, KeyError):
        raise CardError(f"event record of unknown kind {header['kind']}: {' '.join(f'{word:08x}' for word in words)}") from None
    time, lost = header["card_time"], bool(header["lost"])
    match kind:
        case EventKind.TOP_OF_BOOK:
            stale, halted, crossed, locked = (bool(fields.pop(name)) for name in ("stale", "halted", "crossed", "locked"))
            return TopOfBook(time, lost, stale=stale, halted=halted, crossed=crossed, locked=locked, **fields)
        case EventKind.ORDER_SENT:
            return OrderSent(time, lost, fate=Fate(fields.pop("fate")), **fields)
        case EventKind.ORDER_REJECTED:
            return OrderRejected(time, lost, reason=RejectReason(fields.pop("reason")), **fields)
        case EventKind.GAP:
            session = fields.pop("session_start") | fields.pop("session_end") << 64
            return Gap(time, lost, session=session.to_bytes(10, "little"), **fields)
        case EventKind.VENUE_STALE:
            return VenueStale(time, lost, reason=StaleReason(fields.pop("reason")), **fields)
        case EventKind.LEVEL:
            return BookLevel(time, lost, **fields)
        case EventKind.ORDER:
            return BookOrder(time, lost, **fields)
        case EventKind.ORDERS:
            return BookOrders(time, lost, **fields)
        case EventKind.TRIGGER:
            entries = fields.pop("entries")
            fired = tuple(entry for entry in range(entries.bit_length()) if entries >> entry & 1)
            return TriggerFired(time, lost, entries=fired, **fields)
        case EventKind.VENUE_MESSAGE:
            return VenueMessage(time, lost, type=chr(fields.pop("type")), unsure=bool(fields.pop("unsure")), **fields)
        case EventKind.SESSION:
            return SessionChange(time, lost, up=bool(fields.pop("up")), reason=DownReason(fields.pop("reason")), **fields)
        case EventKind.SIGNAL:
            return ArbitrageSignal(time, lost, **fields)
        case EventKind.WIDE_SIGNAL:
            return WideSignal(time, lost, **fields)
        case EventKind.CLOCK:
            return ClockReading(time, lost, **fields)
        case _:
            return StateChange(time, lost, **fields)

"""The register map, the counters and the event records of the card: the single definition.

The bank (bank.py), the counters (hw/telemetry/counters.py), the host's typed access (host/card/registers.py), the C header and
docs/registers.md all come from the tables in this file. It imports no Amaranth, so that the generators need no HDL tool.

Rules of the map, for every register:

- An access is 32 bits wide and aligned. Anything else, and any access to an address or in a direction that the tables do not
  have, reads 0, writes nothing and counts as BUS_ERRORS.
- A register of more than 32 bits takes two words, the low one first. Reading the low word latches the high word of the same
  instant; writing the low word only waits for the high word, which makes both take effect in one cycle. The high word must be the
  next write after its low word.
- Offsets and strides never depend on the configuration and never move within a major version. Elements of an array that a
  configuration does not have are no registers.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from itertools import product

from hw.config import CardConfig
from hw.reasons import DropReason, RejectReason

MAGIC = 0x5452504A
"""ASCII "TRPJ", the first letter in the top bits."""

VERSION_MAJOR = 1
"""The host refuses another one."""

VERSION_MINOR = 4
"""Grows with every addition to the map."""

BAR_SIZE = 0x100000
"""Bytes of the window."""

REGISTERS_SIZE = 0x10000
"""Registers lie below this offset."""

RING_OFFSET = 0x80000
"""Record i of the event ring lies at RING_OFFSET + RECORD_BYTES * (i mod events)."""

RECORD_BYTES = 32

RING_MAX_EVENTS = (BAR_SIZE - RING_OFFSET) // RECORD_BYTES


class Access(Enum):
    """Direction of a register, as the host sees it."""

    RO = "ro"
    RW = "rw"
    WO = "wo"


@dataclass(frozen=True)
class Dimension:
    """One index of a register array.

    Attributes
    ----------
    name : str
        "venue", "symbol" or "word" (32 symbols a word).
    maximum : int
        Elements that the map has room for.
    stride : int
        Bytes from one element to the next.
    """

    name: str
    maximum: int
    stride: int

    def size(self, config: CardConfig) -> int:
        """Elements that a configuration has."""
        return {"venue": config.venues, "symbol": config.symbols, "word": -(-config.symbols // 32)}[self.name]


@dataclass(frozen=True)
class Field:
    """Some bits of a register, or of an event record (there ``lsb`` counts from bit 0 of word 0)."""

    name: str
    lsb: int
    width: int
    doc: str


@dataclass(frozen=True)
class Register:
    """One register or array of registers.

    Attributes
    ----------
    name : str
    offset : int
        Byte offset of the (first) low word.
    access : Access
    doc : str
        Meaning and unit.
    bits : int
        Width, 1 to 64; more than 32 take two words. Bits above it read 0 and ignore writes.
    signed : bool
        Two's complement, sign extended to 64 bits when read.
    dimensions : tuple of Dimension
        Empty for a single register.
    fields : tuple of Field
        Empty where the register is one number.
    live : bool
        Of an RW register: reads return what the card has rather than what was written last.
    """

    name: str
    offset: int
    access: Access
    doc: str
    bits: int = 32
    signed: bool = False
    dimensions: tuple[Dimension, ...] = ()
    fields: tuple[Field, ...] = ()
    live: bool = False

    @property
    def words(self) -> int:
        return 1 if self.bits <= 32 else 2

    def elements(self, config: CardConfig) -> Iterator[tuple[tuple[int, ...], int]]:
        """Every (index, offset) that a configuration has; the index of a single register is ()."""
        for index in product(*(range(dimension.size(config)) for dimension in self.dimensions)):
            yield index, self.offset + sum(i * d.stride for i, d in zip(index, self.dimensions, strict=True))


def member_docs(enumeration: type[Enum]) -> dict[str, str]:
    """The docstrings that stand below the members of an enumeration, by name."""
    (definition,) = ast.parse(inspect.getsource(enumeration)).body
    return {
        member.targets[0].id: inspect.cleandoc(doc.value.value).replace("\n", " ")
        for member, doc in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr)
    }


RO, RW, WO = Access.RO, Access.RW, Access.WO

MAX_VENUES = 8
LINE_A, LINE_B, RECOVERY = range(3)
LINES = 3
"""Feed addresses of a venue: of line A, of line B, and of retransmitted packets, which come on line A's port."""
PORTS = 2
"""Feed ports of a venue."""
MAX_SYMBOLS = 256

VENUE = Dimension("venue", MAX_VENUES, 0x80)
SYMBOL = Dimension("symbol", MAX_SYMBOLS, 8)
ENABLE_WORD = Dimension("word", MAX_SYMBOLS // 32, 4)
SLOTS_VENUE = Dimension("venue", MAX_VENUES, 0x20)
BINDING_VENUE = Dimension("venue", MAX_VENUES, 0x400)
BINDING_SYMBOL = Dimension("symbol", MAX_SYMBOLS, 4)

STATE_FIELDS = (
    Field("armed", 0, 1, "Orders may pass the gateway."),
    Field("limits_valid", 1, 1, "Limits have been committed since reset."),
    Field("killed", 2, 1, "The kill switch is on."),
    Field("fault", 3, 1, "A part of the card found itself broken; only a reset clears it."),
    Field("stale", 8, 8, "One bit per venue: its books may not be trusted."),
    Field("busy", 16, 8, "One bit per venue: its book is still being cleared."),
)

IDENTITY = (
    Register("MAGIC", 0x0000, RO, 'Always 0x5452504A, "TRPJ".'),
    Register("VERSION", 0x0004, RO, "Version of this map.", fields=(
        Field("minor", 0, 16, "Grows with additions."), Field("major", 16, 16, "Another one is another map."))),
    Register("CONFIG_HASH", 0x0008, RO, "First 64 bits of the SHA-256 of the card's configuration.", bits=64),
    Register("CONFIG_VENUES", 0x0010, RO, "Feed ports."),
    Register("CONFIG_SYMBOLS", 0x0014, RO, "Symbol slots."),
    Register("CONFIG_ORDERS", 0x0018, RO, "Places in each venue's order store."),
    Register("CONFIG_LEVELS", 0x001C, RO, "Places for price levels on each side of each book."),
    Register("CONFIG_BACKLOG", 0x0020, RO, "Book events that the buffer of a feed line holds."),
    Register("CONFIG_EVENTS", 0x0024, RO, "Records in the event ring."),
    Register("CONFIG_CLOCK_HZ", 0x0028, RO, "Clock of the card in Hz: the unit of every time in cycles."),
    Register("CONFIG_RECOVERY", 0x002C, RO, "Book events that a recovery line's buffer holds: ask for no more messages at a time."),
)

CONTROL = (
    Register("SCRATCH", 0x0040, RW, "Keeps what is written and does nothing: for testing the bus."),
    Register("ARM", 0x0044, RW, "1 arms the card, which only works with committed limits, the kill switch off and no fault; 0 disarms it. "
             "Reads whether it is armed.", bits=1, live=True),
    Register("KILL", 0x0048, RW, "1 stops every new order and disarms. To go on: write 0, then arm again.", bits=1),
    Register("STATE", 0x004C, RO, "What the card allows itself.", fields=STATE_FIELDS),
    Register("RESYNC", 0x0050, WO, "One bit per venue: start its feed afresh at FEED_SEQUENCE, of any session, with an empty book, "
             "no longer stale. It stays busy in STATE until the book is empty.", bits=MAX_VENUES),
    Register("CLEAR_POSITIONS", 0x0054, WO, "Write 1: positions and working orders become 0; only while disarmed.", bits=1),
    Register("TIME", 0x0060, RO, "Clock cycles since reset.", bits=64),
    Register("EVENT_WRITE_INDEX", 0x0068, RO, "Records that the card has put into the event ring, modulo 2^32."),
    Register("EVENT_READ_INDEX", 0x006C, RW, "Records that the host has taken, modulo 2^32: their places are free again."),
    Register("LOOK", 0x0070, RW, "Writing a venue and a symbol: the ten best bids and the ten best asks, all as after one event, come "
             "as LEVEL records. Ignored while it is busy.", live=True, fields=(
        Field("symbol", 0, 8, "Slot."), Field("venue", 8, 4, "Whose book."),
        Field("busy", 31, 1, "Not all records are in the event ring yet; ignored when written."))),
)


def limit_registers(prefix: str, offset: int, access: Access, note: str) -> tuple[Register, ...]:
    """The risk limits, which stand in the map twice: the shadow and what is in force."""
    return (
        Register(prefix + "MAX_SHARES", offset + 0x00, access, f"Largest quantity of one order, in shares. {note}"),
        Register(prefix + "MAX_POSITION", offset + 0x04, access,
                 f"Largest long or short position of a symbol, working orders included, in shares. {note}"),
        Register(prefix + "MAX_NOTIONAL", offset + 0x08, access, f"Largest shares x price of one order, in 1/10000. {note}", bits=64),
        Register(prefix + "RATE_BURST", offset + 0x10, access, f"Token bucket: orders at once. {note}", bits=16),
        Register(prefix + "RATE_INTERVAL", offset + 0x14, access, f"Token bucket: cycles per order in the long run. {note}"),
    )


RISK = (
    *limit_registers("SHADOW_", 0x0080, RW, "Shadow: no effect before the commit."),
    Register("LIMITS_COMMIT", 0x00A0, WO, "Writing LIMITS_GENERATION + 1 puts all shadow limits in force in one cycle; "
             "any other value changes nothing and counts as LIMITS_REFUSED."),
    Register("LIMITS_GENERATION", 0x00A4, RO, "Number of the limits in force; 0: none yet, and nothing passes."),
    *limit_registers("ACTIVE_", 0x00C0, RO, "In force."),
)

ARBITRAGE = (
    Register("ARB_MIN_PROFIT", 0x0100, RW, "Smallest profit per share that is traded, in 1/10000."),
    Register("ARB_MAX_SHARES", 0x0104, RW, "Cap on the shares of each leg."),
    Register("ARB_COOLDOWN", 0x0108, RW, "Cycles after a signal during which the symbol gives no other."),
    Register("ARB_ENABLE", 0x0120, RW, "One bit per symbol: the detector may trade it. Symbol s is bit s mod 32 of word s div 32.",
             dimensions=(ENABLE_WORD,)),
)

ORDERS = (
    Register("POSITION_SYMBOL", 0x0140, RW, "Writing a symbol takes the snapshot that the next three registers show.", live=True, fields=(
        Field("symbol", 0, 8, "Symbol asked for."), Field("busy", 31, 1, "The snapshot is being taken; ignored when written."))),
    Register("POSITION", 0x0148, RO, "Snapshot: position in shares, short is negative.", bits=64, signed=True),
    Register("WORKING_BUY", 0x0150, RO, "Snapshot: shares of working buy orders."),
    Register("WORKING_SELL", 0x0154, RO, "Snapshot: shares of working sell orders."),
    Register("REPLY", 0x0160, RW, "What a venue answered to an order.", bits=10, fields=(
        Field("symbol", 0, 8, "Slot."), Field("side", 8, 1, "Of the order: 0 buy, 1 sell."),
        Field("kind", 9, 1, "0: shares were filled; 1: shares are dead and stop counting."))),
    Register("REPLY_SHARES", 0x0164, RW, "Shares of the reply."),
    Register("REPLY_DOORBELL", 0x0168, WO, "Write 1: the gateway takes the reply.", bits=1),
    Register("HOST_ORDER", 0x0180, RW, "An order of the host.", bits=24, fields=(
        Field("venue", 0, 4, "Where it goes."), Field("side", 8, 1, "0 buy, 1 sell."), Field("symbol", 16, 8, "Slot."))),
    Register("HOST_ORDER_SHARES", 0x0184, RW, "Its quantity."),
    Register("HOST_ORDER_PRICE", 0x0188, RW, "Its price in 1/10000."),
    Register("HOST_ORDER_DOORBELL", 0x018C, WO, "Write 1: the order goes to the gateway; while HOST_ORDER_BUSY it is refused instead and "
             "counts as HOST_ORDERS_REFUSED.", bits=1),
    Register("HOST_ORDER_BUSY", 0x0190, RO, "The last order of the host still waits at the gateway.", bits=1),
)


def venue_register(name: str, offset: int, access: Access, doc: str, **options) -> Register:
    return Register(name, 0x0400 + offset, access, doc, dimensions=(VENUE,), **options)


VENUES = (
    venue_register("FEED_IP", 0x00, RW, "IPv4 multicast group of the feed's line A, first octet in the top bits."),
    venue_register("FEED_PORT", 0x04, RW, "UDP destination port of the feed's line A.", bits=16),
    venue_register("FEED_SEQUENCE", 0x08, RW, "Sequence number of the first message that a RESYNC waits for.", bits=64),
    venue_register("FEED_EXPECTED", 0x10, RO, "Sequence number expected next: every message below it has been taken or given up.", bits=64),
    venue_register("BACKLOG", 0x18, RO, "Book events and frames that wait in the lines' buffers.", bits=16),
    venue_register("STALE_REASON", 0x1C, RO, "Why the venue went stale (StaleReason); 0 while it is not.", bits=4),
    venue_register("ORDER_DESTINATION_MAC", 0x20, RW, "Of the order session; first octet in the top bits.", bits=48),
    venue_register("ORDER_SOURCE_MAC", 0x28, RW, "Of the order session; first octet in the top bits.", bits=48),
    venue_register("ORDER_DESTINATION_IP", 0x30, RW, "Of the order session."),
    venue_register("ORDER_SOURCE_IP", 0x34, RW, "Of the order session."),
    venue_register("ORDER_DESTINATION_PORT", 0x38, RW, "UDP port of the order session.", bits=16),
    venue_register("ORDER_SOURCE_PORT", 0x3C, RW, "UDP port of the order session.", bits=16),
    venue_register("USER_REF", 0x40, RW, "UserRefNum that the venue's next order carries.", live=True),
    venue_register("FEED_B_IP", 0x44, RW, "IPv4 multicast group of the feed's line B, first octet in the top bits."),
    venue_register("FEED_B_PORT", 0x48, RW, "UDP destination port of the feed's line B; 0: there is none.", bits=16),
    venue_register("RECOVERY_IP", 0x4C, RW, "IPv4 destination of retransmitted packets, multicast or not, first octet in the top bits. "
                   "They come on the port of line A."),
    venue_register("RECOVERY_PORT", 0x50, RW, "UDP destination port of retransmitted packets; 0: there are none.", bits=16),
    venue_register("HOLE_CYCLES", 0x54, RW, "Cycles that messages may be missing, while frames behind them wait, before it is a gap."),
    venue_register("RECOVERY_CYCLES", 0x58, RW, "Cycles without progress after which the messages of a gap are given up; until then frames "
                   "behind them wait. With HOLE_CYCLES 0 as well, nothing ever waits."),
    venue_register("RECOVERING", 0x5C, RO, "A gap has been told, and what follows it is not through yet. The venue is stale until then "
                   "or, if messages were given up, until a RESYNC.", bits=1),
    venue_register("DIRECTORY", 0x60, RW, "1: a slot that has a NAME but no BINDING follows the instrument of this name in the venue's "
                   "directory. Off after reset.", bits=1),
)

SYMBOLS = (
    Register("NAME", 0x1000, RW, "Symbol as orders carry it: eight ASCII characters, space padded, the first in bits 7:0.", bits=64,
             dimensions=(SYMBOL,)),
    Register("BOUND", 0x1800, RO, "One bit per symbol: the venue's directory has bound it (DIRECTORY). Symbol s is bit s mod 32 of word "
             "s div 32. Writing the symbol's NAME forgets it.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("ASSUME_TRADING", 0x1900, RW, "One bit per symbol, as in BOUND. 1: it trades until the venue says otherwise, at the start and "
             "after a RESYNC. 0: it is halted until the venue says that it trades.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("HALTED", 0x1A00, RO, "One bit per symbol, as in BOUND: the venue does not trade it, or has not said that it does. The "
             "gateway refuses orders for it.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("BINDING", 0x2000, RW, "Which of a venue's instruments the slot follows.", dimensions=(BINDING_VENUE, BINDING_SYMBOL), fields=(
        Field("locate", 0, 16, "The venue's own number for the symbol."), Field("enable", 31, 1, "The slot follows it."))),
)

REGISTERS = (*IDENTITY, *CONTROL, *RISK, *ARBITRAGE, *ORDERS, *VENUES, *SYMBOLS)
"""All registers but the counters, in the order of their offsets."""

COUNTERS_OFFSET = 0x4000
COUNTER_ROW_STRIDE = 0x40
COUNTER_VENUE_STRIDE = 8
COUNTER_ROWS = 256


@dataclass(frozen=True)
class Counter:
    """One 64-bit counter of events since reset, or one per venue.

    Attributes
    ----------
    name : str
    row : int
        Its place: COUNTERS_OFFSET + row * COUNTER_ROW_STRIDE (+ venue * COUNTER_VENUE_STRIDE).
    doc : str
    per_venue : bool
    amount_bits : int
        Width of the increment: 1 for a pulse.
    family : str
        Counters of one family share an input that carries a reason; "" for a counter with an input of its own.
    reason : int
        Value of the family's reason that this one counts.
    sources : int
        Inputs of the family that may pulse in the same cycle.
    """

    name: str
    row: int
    doc: str
    per_venue: bool = False
    amount_bits: int = 1
    family: str = ""
    reason: int = 0
    sources: int = 1

    def offset(self, venue: int = 0) -> int:
        return COUNTERS_OFFSET + self.row * COUNTER_ROW_STRIDE + venue * COUNTER_VENUE_STRIDE


def reason_counters(prefix: str, row: int, reasons: type[IntEnum], **options) -> tuple[Counter, ...]:
    """One counter for each reason but NONE."""
    docs = member_docs(reasons)
    return tuple(
        Counter(f"{prefix}_{reason.name}", row + reason, docs.get(reason.name, "The limit of this name."),
                reason=reason.value, **options)
        for reason in reasons if reason
    )


def venue_counter(name: str, row: int, doc: str, **options) -> Counter:
    return Counter(name, row, doc, per_venue=True, **options)


COUNTERS = (
    venue_counter("FRAMES", 0x00, "Frames received on the venue's ports, good or bad.", amount_bits=2),
    *reason_counters("DROP", 0x00, DropReason, family="drops", per_venue=True, amount_bits=2, sources=PORTS),
    venue_counter("MESSAGES", 0x20, "Feed messages taken, each once.", amount_bits=16),
    venue_counter("DUPLICATES", 0x21, "Messages of good frames dropped because another frame had brought them.", amount_bits=16),
    venue_counter("HEARTBEATS", 0x22, "Heartbeats.", amount_bits=2),
    venue_counter("GAPS", 0x23, "Gaps in the sequence."),
    venue_counter("MISSING_MESSAGES", 0x24, "Messages that these gaps are made of.", amount_bits=64),
    venue_counter("MALFORMED_MESSAGES", 0x25, "Messages of a wrong length, or book messages with a wrong side or price.", amount_bits=2),
    venue_counter("SESSION_ENDS", 0x26, "End-of-session packets.", amount_bits=2),
    venue_counter("STALE", 0x27, "Times that the venue went stale."),
    venue_counter("BOOK_EVENTS", 0x28, "Events of bound symbols that reached the book, but for TRADING_STATES."),
    venue_counter("TOPS", 0x29, "Tops of book that the book gave, changed or not."),
    venue_counter("UNKNOWN_REFERENCES", 0x2A, "Events for an order that the book does not have."),
    venue_counter("DUPLICATE_REFERENCES", 0x2B, "New orders under a reference that is live."),
    venue_counter("STORE_FULL", 0x2C, "Orders that found no place in the order store."),
    venue_counter("LEVELS_FULL", 0x2D, "Orders whose price level found no place."),
    venue_counter("BAD_EVENTS", 0x2E, "Events that contradict the book (more shares executed than are there, no price or shares)."),
    venue_counter("LEVEL_OVERFLOWS", 0x2F, "Price levels whose total passed 2^32 - 1 shares."),
    venue_counter("ORDER_FRAMES", 0x30, "Order frames sent to the venue."),
    venue_counter("RESTORED", 0x31, "Messages taken that the recovery line brought.", amount_bits=16),
    venue_counter("EARLY_FRAMES", 0x32, "Frames of the recovery line thrown away because messages before them were still missing."),
    venue_counter("GIVEN_UP", 0x33, "Times that missing messages were given up."),
    venue_counter("DIRECTORY_MISSED", 0x34, "Good frames whose directory entries were too many to bind the slots that they name.",
                  amount_bits=2),
    venue_counter("TRADING_STATES", 0x35, "Halts and resumptions of bound symbols that reached the book."),
    Counter("SIGNALS", 0x40, "Opportunities that the arbitrage detector took."),
    Counter("MISSED_SIGNALS", 0x41, "Opportunities that came while the orders of the last one were still waiting."),
    Counter("ORDERS_PASSED", 0x42, "Orders that the gateway let pass."),
    Counter("BAD_REPLIES", 0x43, "Replies about more shares than are working, or about a symbol that is not there."),
    *reason_counters("REJECT", 0x50, RejectReason, family="rejects", per_venue=False),
    Counter("EVENTS_LOST", 0x80, "Event records that found no place.", amount_bits=8),
    Counter("LIMITS_REFUSED", 0x81, "Commits with a wrong generation."),
    Counter("HOST_ORDERS_REFUSED", 0x82, "Orders of the host that came while the last one was waiting."),
    Counter("BUS_ERRORS", 0x83, "Accesses that the register map does not have."),
)
"""All counters, by row. Rows never move within a major version."""


def counter_elements(config: CardConfig) -> list[tuple[Counter, int, int]]:
    """Every (counter, venue, offset) that a configuration has, in the order of their offsets; venue 0 where there is no venue."""
    return [(counter, venue, counter.offset(venue)) for counter in COUNTERS for venue in range(config.venues if counter.per_venue else 1)]


class EventKind(IntEnum):
    """What an event record tells."""

    NONE = 0
    TOP_OF_BOOK = 1
    """Best bid and ask of a symbol at a venue changed."""
    ORDER_SENT = 2
    """An order left the card."""
    ORDER_REJECTED = 3
    """The gateway refused an order."""
    GAP = 4
    """Feed messages did not come in time."""
    VENUE_STALE = 5
    """The books of a venue may no longer be trusted."""
    STATE = 6
    """The card's state changed: armed, disarmed, killed, limits committed, a fault, a venue stale or fresh again."""
    LEVEL = 7
    """One of the levels that LOOK has asked for."""


def word(number: int, bit: int = 0) -> int:
    """Bit of an event record at which a field of this word begins."""
    return 32 * number + bit


EVENT_HEADER = (
    Field("kind", word(0, 0), 4, "EventKind."),
    Field("lost", word(0, 4), 1, "Records of this kind's source were lost just before this one."),
    Field("card_time", word(7), 32, "Low 32 bits of the card's time, in cycles: when the record was made."),
)
"""Fields that every record has."""

_ORDER_EVENT = (
    Field("side", word(0, 5), 1, "0 buy, 1 sell."),
    Field("venue", word(0, 8), 4, "Where the order goes."),
    Field("trigger_venue", word(0, 12), 4, "Venue of the message that caused it."),
    Field("symbol", word(0, 16), 8, "Slot."),
    Field("strategy", word(0, 24), 4, "0 the host, 1 the arbitrage detector."),
    Field("price", word(1), 32, "In 1/10000."),
    Field("shares", word(2), 32, "Quantity."),
    Field("trigger_sequence", word(4), 64, "Feed message that caused it; 0 for an order of the host."),
)

EVENTS = {
    EventKind.TOP_OF_BOOK: (
        Field("stale", word(0, 5), 1, "The book can't be sure of the symbol."),
        Field("halted", word(0, 6), 1, "The venue does not trade the symbol, or has not said that it does."),
        Field("venue", word(0, 8), 4, "Whose book."),
        Field("crossed", word(0, 12), 1, "The bid is above the ask."),
        Field("locked", word(0, 13), 1, "The bid is the ask."),
        Field("symbol", word(0, 16), 8, "Slot."),
        Field("bid_price", word(1), 32, "In 1/10000; 0: no bid."),
        Field("bid_shares", word(2), 32, "Shares at the best bid."),
        Field("ask_price", word(3), 32, "In 1/10000; 0: no ask."),
        Field("ask_shares", word(4), 32, "Shares at the best ask."),
        Field("sequence", word(5), 64, "Feed message that caused it."),
    ),
    EventKind.ORDER_SENT: (
        *_ORDER_EVENT,
        Field("user_ref", word(3), 32, "UserRefNum that it was sent under."),
        Field("latency", word(6), 32, "Cycles from the last byte of the trigger in to the first word of the order frame out."),
    ),
    EventKind.ORDER_REJECTED: (
        *_ORDER_EVENT,
        Field("reason", word(0, 28), 4, "RejectReason."),
    ),
    EventKind.GAP: (
        Field("venue", word(0, 8), 4, "Whose feed."),
        Field("first", word(1), 64, "First sequence number that is missing."),
        Field("count", word(3), 64, "How many."),
        Field("session_start", word(5), 64, "First eight characters of the session, the first in the lowest bits."),
        Field("session_end", word(0, 12), 16, "The other two."),
    ),
    EventKind.VENUE_STALE: (
        Field("venue", word(0, 8), 4, "Whose books may no longer be trusted."),
        Field("reason", word(0, 28), 4, "StaleReason."),
    ),
    EventKind.STATE: (
        Field("state", word(1), 32, "The STATE register after the change."),
        Field("changed", word(2), 32, "One bit for each bit of STATE that changed."),
    ),
    EventKind.LEVEL: (
        Field("side", word(0, 5), 1, "0 bids, 1 asks."),
        Field("venue", word(0, 8), 4, "Whose book."),
        Field("number", word(0, 12), 4, "0: the best."),
        Field("symbol", word(0, 16), 8, "Slot."),
        Field("price", word(1), 32, "In 1/10000; 0: there are not so many levels."),
        Field("shares", word(2), 32, "Of all its orders."),
        Field("orders", word(3), 16, "How many."),
        Field("sequence", word(5), 64, "Feed message after which it was so: the last one that the book took."),
    ),
}
"""Fields of each kind of record, beside the header's."""

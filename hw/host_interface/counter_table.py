"""The counters of the card: the single definition, like registers.py, and with the same rules."""

from dataclasses import dataclass
from enum import IntEnum

from hw.config import CardConfig
from hw.host_interface.map_types import member_docs
from hw.host_interface.registers import PORTS
from hw.reasons import DropReason, RejectReason

COUNTERS_OFFSET = 0x4000
COUNTER_ROW_STRIDE = 0x40
COUNTER_VENUE_STRIDE = 8


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
    venue_counter("SESSION_RETRANSMITTED", 0x36, "Packets that the order session sent again."),
    venue_counter("SESSION_REFUSED", 0x37, "Packets thrown away as the session was down, or an order's by a kill switch."),
    venue_counter("SESSION_DUPLICATE_ACK", 0x38, "Duplicate acknowledgments."),
    venue_counter("SESSION_OUT_OF_ORDER", 0x39, "Segments that were not the next one, or found no room."),
    venue_counter("SESSION_CHALLENGED", 0x3A, "Segments that an attacker could have sent."),
    venue_counter("SESSION_FAST_RETRANSMIT", 0x3B, "Times that three duplicates brought a packet again."),
    venue_counter("SESSION_TIMED_OUT", 0x3C, "Times that the timer did."),
    venue_counter("SESSION_DOWN", 0x3D, "Times that the session went down, or did not come to be."),
    venue_counter("SESSION_MESSAGES", 0x3E, "Messages of the venue that the gateway and the host were told of."),
    venue_counter("SESSION_BAD_FRAMES", 0x3F, "Frames to the session's address that were no sound TCP segments."),
    Counter("SIGNALS", 0x40, "Opportunities that the arbitrage detector took."),
    Counter("MISSED_SIGNALS", 0x41, "Opportunities that came while the orders of the last one were still waiting."),
    Counter("ORDERS_PASSED", 0x42, "Orders that the gateway let pass."),
    Counter("BAD_REPLIES", 0x43, "Replies that can't be: about an order that is not open, of more shares dead than were left, "
            "a symbol that is not there."),
    Counter("IMPLAUSIBLE_PROFITS", 0x44, "Changes that would have shown an opportunity, but for a profit of 2^30 or more per share."),
    Counter("QUOTES_REFUSED", 0x45, "Quotes of the host that could not be."),
    Counter("TRIGGERS_FIRED", 0x46, "Prepared orders whose condition was met.", amount_bits=5),
    Counter("ORDERS_DROPPED", 0x47, "Orders on offer to the gateway when their strategy was disabled, and second legs that came too late.",
            amount_bits=3),
    Counter("LATE_REPLIES", 0x48, "Replies whose number was not above the venue's last: they had been applied before."),
    Counter("UNKNOWN_CANCELS", 0x49, "Cancels that left for an order that is not open."),
    Counter("FAST_CANCELS", 0x4A, "Cancels that left sooner than CANCEL_BURST and CANCEL_INTERVAL say."),
    Counter("UNSENT_SIGNALS", 0x4E, "Of SIGNALS those that led to no orders (WIDE_SIGNAL)."),
    Counter("SIGNAL_UPDATES_LOST", 0x4F, "Updates of signals that came too fast; all signals began anew."),
    *reason_counters("REJECT", 0x50, RejectReason, family="rejects", per_venue=False),
    Counter("EVENTS_LOST", 0x80, "Event records that found no place.", amount_bits=8),
    Counter("LIMITS_REFUSED", 0x81, "Commits with a wrong generation, or of limits that are out of range or contradict each other."),
    Counter("HOST_ORDERS_REFUSED", 0x82, "Orders of the host that came while the last one was waiting."),
    Counter("BUS_ERRORS", 0x83, "Accesses that the register map does not have."),
    Counter("RESTORE_REFUSED", 0x84, "Orders for a book (RESTORE_ORDER) that no venue waited for, or that came while the last one was on "
            "its way, or of a venue or symbol that the card does not have.", amount_bits=2),
    Counter("ARM_REFUSED", 0x85, "Writes to ARM_UNLOCK with a wrong number, and to ARM that should have armed the card and did not."),
)
"""All counters, by row. Rows never move within a major version."""


def counter_elements(config: CardConfig) -> list[tuple[Counter, int, int]]:
    """Every (counter, venue, offset) that a configuration has, in the order of their offsets; venue 0 where there is no venue."""
    return [(counter, venue, counter.offset(venue)) for counter in COUNTERS for venue in range(config.venues if counter.per_venue else 1)]

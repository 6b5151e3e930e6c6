"""The records of the event ring, field by field: the single definition, like registers.py."""

from enum import IntEnum

from hw.host_interface.map_types import Field


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
    ORDER = 8
    """One of the orders that LOOK has asked for."""
    ORDERS = 9
    """All orders that LOOK has asked for have been told."""
    SIGNAL = 10
    """The arbitrage detector took an opportunity. Words 1 to 4 are the 128-bit signal word."""
    TRIGGER = 11
    """A top of book met the condition of prepared orders. Each is told by ORDER_SENT or ORDER_REJECTED when it has gone to the gateway."""
    CLOCK = 12
    """What the clock showed in one cycle: from it follows the time of every other cycle until the next such record."""
    VENUE_MESSAGE = 13
    """A venue has said something by its order session; the gateway knows already."""
    SESSION = 14
    """An order session has come up, or has gone down."""
    WIDE_SIGNAL = 15
    """The SIGNAL of this time led to no orders, as a price of it is wider than theirs: its prices in full. Only where CONFIG_PRICE_BITS
    is 48."""


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
    Field("order_kind", word(0, 6), 2, "0 new, 1 replace, 2 cancel."),
    Field("venue", word(0, 8), 4, "Where the order goes."),
    Field("trigger_venue", word(0, 12), 4, "Venue of the message that caused it."),
    Field("symbol", word(0, 16), 8, "Slot."),
    Field("strategy", word(0, 24), 4, "0 the host, 1 the arbitrage detector, 2 the quoter, 3 the trigger, 4 the gateway's cancel-all."),
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
        Field("fate", word(0, 28), 2, "Fate: its frame began, or not, or has been aborted since (a second record)."),
        Field("user_ref", word(3), 32, "UserRefNum that it was sent under; of a cancel its order's."),
        Field("latency", word(6), 32, "Cycles from the last byte of the trigger in to the first word of the order frame out."),
    ),
    EventKind.ORDER_REJECTED: (
        *_ORDER_EVENT,
        Field("reason", word(3), 8, "RejectReason."),
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
    EventKind.ORDER: (
        Field("side", word(0, 5), 1, "0 buy, 1 sell."),
        Field("venue", word(0, 8), 4, "Whose book."),
        Field("symbol", word(0, 16), 8, "Slot."),
        Field("price", word(1), 32, "In 1/10000."),
        Field("shares", word(2), 32, "What is left of it."),
        Field("reference", word(3), 64, "The venue's number for it."),
        Field("sequence", word(5), 64, "Feed message after which it was so: the last one that the book had taken."),
    ),
    EventKind.ORDERS: (
        Field("venue", word(0, 8), 4, "Whose book."),
        Field("count", word(1), 32, "Orders told."),
        Field("since", word(3), 64, "Last feed message that the book had taken when the first order was looked for."),
        Field("sequence", word(5), 64, "The same for the last order. Where they are equal, all orders were so at once."),
    ),
    EventKind.SIGNAL: (
        Field("shares", word(0, 8), 18, "Of each leg."),
        Field("symbol", word(1), 16, "Slot."),
        Field("buy_venue", word(1, 16), 8, "Where it is bought."),
        Field("sell_venue", word(1, 24), 8, "Where it is sold."),
        Field("profit", word(2), 48, "Of all shares together, after fees, in 1/10000."),
        Field("time", word(3, 16), 48, "Card time, in cycles, at which the change that showed it reached the detector."),
        Field("buy_price", word(5), 32, "In 1/10000; all ones where it is more (WIDE_SIGNAL)."),
        Field("sell_price", word(6), 32, "In 1/10000; all ones where it is more."),
    ),
    EventKind.TRIGGER: (
        Field("venue", word(0, 8), 4, "Whose top of book."),
        Field("symbol", word(0, 16), 8, "Slot."),
        Field("bid_price", word(1), 32, "In 1/10000; 0: no bid."),
        Field("ask_price", word(2), 32, "In 1/10000; 0: no ask."),
        Field("entries", word(3), 16, "One bit per entry that fired."),
        Field("sequence", word(5), 64, "Feed message after which it was so."),
    ),
    EventKind.CLOCK: (
        Field("cycles", word(1), 64, "TIME."),
        Field("time", word(3), 64, "TAI_TIME in the same cycle, in ns."),
        Field("increment", word(5), 40, "What TAI_TIME grows by each cycle from then on, in 2^-32 ns."),
    ),
    EventKind.VENUE_MESSAGE: (
        Field("unsure", word(0, 5), 1, "The position or an order is not what the card thinks, and the message does not say by how much."),
        Field("venue", word(0, 8), 4, "Whose."),
        Field("type", word(0, 16), 8, "ASCII, as in OUCH; what a message does not have is 0."),
        Field("user_ref", word(1), 32, "UserRefNum of the order; of a replaced one the new number."),
        Field("shares", word(2), 32, "Accepted, replaced, modified: of the order; canceled, executed: those."),
        Field("price", word(3), 32, "In 1/10000; all ones where it is more."),
        Field("reference", word(4), 64, "Accepted, replaced, priority update: the venue's for the order; executed, broken trade: for the "
              "trade."),
        Field("code", word(6), 16, "State, reason, liquidity or event, ASCII; of a rejection a number."),
        Field("number", word(6, 16), 16, "Low bits of the message's number in the session; without a gap unless records were lost."),
    ),
    EventKind.SESSION: (
        Field("up", word(0, 5), 1, "1: logged in; 0: down, or it did not come to be."),
        Field("venue", word(0, 8), 4, "Whose."),
        Field("reason", word(0, 16), 4, "DownReason."),
        Field("number", word(1), 32, "Of the venue's next message."),
    ),
    EventKind.WIDE_SIGNAL: (
        Field("symbol", word(0, 16), 8, "Slot."),
        Field("buy_price", word(1), 48, "In 1/10000."),
        Field("time", word(3, 16), 48, "As in the SIGNAL."),
        Field("sell_price", word(5), 48, "In 1/10000."),
    ),
}
"""Fields of each kind of record, beside the header's."""

"""Why a frame was forgotten, why an order was refused, what a venue answers: one list for RTL, golden models, host and docs.

Plain Python, so that the register map and its generators can use it without Amaranth.
"""

from enum import IntEnum


class DropReason(IntEnum):
    """Why a received frame was forgotten as a whole. One counter each."""

    NONE = 0
    MAC_ERROR = 1
    """The MAC flagged the frame (bad FCS, error character)."""
    NOT_MATCHED = 2
    """Another protocol, destination address or port: not ours; no message is lost by it."""
    TRUNCATED = 3
    """The frame ended before a length inside it said so, or a length field contradicts another."""
    IP_CHECKSUM = 4
    """The IPv4 header checksum is wrong."""
    FRAGMENT_OR_OPTIONS = 5
    """An IPv4 fragment or a header with options."""
    UDP_CHECKSUM = 6
    """The UDP checksum is present and wrong."""
    MALFORMED = 7
    """The feed protocol's framing is broken (block length past the end, count and length disagree)."""
    SESSION = 8
    """The feed session is not the one that the venue follows."""
    OVERFLOW = 9
    """The line's buffer was full: the book did not keep up, or what is missing did not come."""


class RejectReason(IntEnum):
    """Why the gateway refused an order: the first one of ``PRIORITY`` that applies. One counter each."""

    NONE = 0
    HALTED = 1
    """Not armed, no limits have been committed, positions are being cleared, or a fault: a reply was lost, a position does not fit,
    a limit or a position has lost a bit."""
    KILLED = 2
    """The kill switch of the firm, of the venue's session, of the strategy or of the symbol is on."""
    BAD_ORDER = 3
    """Zero shares, zero price, a price that venues do not read as one, a venue or symbol that the card does not have, a kind of order
    that it can't send, a second leg that is none, or more working shares than can be counted."""
    MAX_SHARES = 4
    """More shares than one order may have, of its symbol or of all."""
    MAX_NOTIONAL = 5
    """More shares x price than one order may have, of its symbol or of all."""
    POSITION = 6
    """Position and working orders of the symbol would pass the limit on this side, its own or that of all."""
    RATE = 7
    """The token bucket is empty."""
    MARKET_STATE = 8
    """The venue does not trade the symbol now, or has not said that it does."""
    PAIR = 9
    """Its other leg was refused, or did not come."""
    DEAD_MAN = 10
    """The host has been silent for too long."""
    REDUCING = 11
    """Only what reduces a position may leave: position and working orders of the symbol on this side would not stay at or below zero."""
    RESTRICTED = 12
    """The symbol may not be traded."""
    DAY_NOTIONAL = 13
    """Shares x price of all orders of the day would pass the limit."""
    DUPLICATE = 14
    """One of the last four orders that left was the same, and its window is not over."""
    OPEN_ORDERS = 15
    """As many orders are open as may be."""
    NO_PLACE = 16
    """The table of open orders has no place left for an order to this venue."""
    UNKNOWN_ORDER = 17
    """A REPLACE of an order that is not open, or is not its own (venue, symbol, side, strategy), or of which another REPLACE or a
    CANCEL is under way, or two CANCELs were at a time."""
    UNSURE_BOOK = 18
    """The card does not know what the symbol is worth at the venue now: the book is stale, crossed, in the middle of a change, or without
    bid or ask."""
    COLLAR = 19
    """The price is further from the reference than the limit in money; or there is no reference."""
    FAT_FINGER = 20
    """The price is further from the reference than the limit in parts of the price; or there is no reference."""
    SELF_MATCH = 21
    """It could trade with an own order of the other side that may rest in the venue's book."""
    NO_SESSION = 22
    """The venue's order session is down, or takes nothing before the venue has acknowledged more. A CANCEL is refused as well."""
    STRATEGY_RATE = 23
    """It comes too soon after other orders of its strategy."""
    SYMBOL_RATE = 24
    """It comes too soon after other orders for its symbol."""
    PRICE_BAND = 25
    """The price is below or above the band that the host has set for its symbol."""
    SHORT_SALE = 26
    """A short sale at or below the best bid, of a symbol that may be sold short only above it; or the bid is not known."""
    LOCATE = 27
    """A short sale, with which those of the day would be of more shares than have been located."""
    GROSS_NOTIONAL = 28
    """What the account has bought and sold, and what works, would pass the limit, in money."""
    NET_NOTIONAL = 29
    """What the account has bought beyond what it has sold (for a sell order the other way round), and what works on its side, would pass
    the limit, in money."""
    REPEATED = 30
    """Its strategy has had more executions in a window than it may, and nobody has let it go on since."""


PRIORITY = (
    RejectReason.DEAD_MAN, RejectReason.HALTED, RejectReason.KILLED, RejectReason.REPEATED, RejectReason.BAD_ORDER,
    RejectReason.NO_SESSION, RejectReason.UNKNOWN_ORDER, RejectReason.RESTRICTED, RejectReason.MARKET_STATE,
    RejectReason.UNSURE_BOOK, RejectReason.MAX_SHARES, RejectReason.MAX_NOTIONAL, RejectReason.COLLAR, RejectReason.FAT_FINGER,
    RejectReason.PRICE_BAND, RejectReason.DUPLICATE, RejectReason.SELF_MATCH, RejectReason.SHORT_SALE, RejectReason.LOCATE,
    RejectReason.REDUCING, RejectReason.POSITION, RejectReason.DAY_NOTIONAL, RejectReason.GROSS_NOTIONAL, RejectReason.NET_NOTIONAL,
    RejectReason.STRATEGY_RATE, RejectReason.SYMBOL_RATE, RejectReason.NO_PLACE, RejectReason.OPEN_ORDERS, RejectReason.PAIR,
    RejectReason.RATE,
)
"""The order in which reasons are told. The rate is last, as only what is sound may spend a token."""

WAIVABLE = frozenset({
    RejectReason.DEAD_MAN, RejectReason.MARKET_STATE, RejectReason.MAX_SHARES, RejectReason.MAX_NOTIONAL, RejectReason.DUPLICATE,
    RejectReason.POSITION, RejectReason.DAY_NOTIONAL, RejectReason.OPEN_ORDERS, RejectReason.UNSURE_BOOK, RejectReason.COLLAR,
    RejectReason.FAT_FINGER, RejectReason.SELF_MATCH, RejectReason.PRICE_BAND, RejectReason.SHORT_SALE, RejectReason.LOCATE,
    RejectReason.GROSS_NOTIONAL, RejectReason.NET_NOTIONAL,
})
"""Checks that a committed limit can turn off."""

RULES = {
    RejectReason.HALTED: "RTS 6 Art. 15(1), 17; SEC 15c3-5(c): no order without pre-set limits",
    RejectReason.KILLED: "RTS 6 Art. 12 (kill functionality); SEC 15c3-5(c)(1)",
    RejectReason.BAD_ORDER: "SEC 15c3-5(c)(1)(ii): erroneous orders",
    RejectReason.MAX_SHARES: "RTS 6 Art. 15(1)(c): maximum order volume",
    RejectReason.MAX_NOTIONAL: "RTS 6 Art. 15(1)(b): maximum order value",
    RejectReason.POSITION: "RTS 6 Art. 15(3): position limits; SEC 15c3-5(c)(1)(i)",
    RejectReason.RATE: "RTS 6 Art. 15(1)(d): maximum message limit",
    RejectReason.MARKET_STATE: "SEC 15c3-5(c)(2)(i): regulatory requirements, as halts",
    RejectReason.PAIR: "none: a position that nobody wanted",
    RejectReason.DEAD_MAN: "RTS 6 Art. 16: monitoring of the trading system",
    RejectReason.REDUCING: "none: an orderly way out",
    RejectReason.RESTRICTED: "SEC 15c3-5(c)(2)(ii): restricted securities",
    RejectReason.DAY_NOTIONAL: "SEC 15c3-5(c)(1)(i): aggregate credit or capital threshold",
    RejectReason.DUPLICATE: "SEC 15c3-5(c)(1)(ii): duplicative orders",
    RejectReason.OPEN_ORDERS: "RTS 6 Art. 15(1)(d): maximum number of messages and orders",
    RejectReason.NO_PLACE: "none: what the card can't keep in mind it does not send",
    RejectReason.UNKNOWN_ORDER: "SEC 15c3-5(c)(1)(ii): erroneous orders",
    RejectReason.UNSURE_BOOK: "SEC 15c3-5(c)(1)(ii): erroneous orders",
    RejectReason.COLLAR: "RTS 6 Art. 15(1)(a): price collars",
    RejectReason.FAT_FINGER: "RTS 6 Art. 15(1)(a): price collars; SEC 15c3-5(c)(1)(ii)",
    RejectReason.SELF_MATCH: "FINRA 5210.02: self-trades",
    RejectReason.NO_SESSION: "RTS 6 Art. 16: monitoring of the trading system",
    RejectReason.STRATEGY_RATE: "RTS 6 Art. 15(1)(d): maximum message limit; Art. 12",
    RejectReason.PRICE_BAND: "RTS 6 Art. 15(1)(a): price collars; SEC 15c3-5(c)(2)(i): limit up, limit down",
    RejectReason.SHORT_SALE: "Regulation SHO rule 201: short sale price test",
    RejectReason.LOCATE: "Regulation SHO rule 203(b): locate requirement",
    RejectReason.GROSS_NOTIONAL: "SEC 15c3-5(c)(1)(i): aggregate credit or capital threshold",
    RejectReason.NET_NOTIONAL: "SEC 15c3-5(c)(1)(i): aggregate credit or capital threshold",
    RejectReason.REPEATED: "RTS 6 Art. 15(2): repeated automated execution throttle",
    RejectReason.SYMBOL_RATE: "RTS 6 Art. 15(1)(d): maximum message limit",
}
"""What each check serves."""


class LimitRefusal(IntEnum):
    """Why the card did not put limits in force; the number of its bit in LIMITS_STATUS."""

    GENERATION = 0
    """LIMITS_COMMIT was not LIMITS_GENERATION + 1."""
    RANGE = 1
    """MAX_SHARES, MAX_NOTIONAL, MAX_POSITION, RATE_BURST, RATE_INTERVAL, MAX_DAY_NOTIONAL or MAX_OPEN_ORDERS is 0."""
    WAIVED = 2
    """A check is waived that can't be."""
    HEARTBEAT = 3
    """HEARTBEAT_INTERVAL is 0 and DEAD_MAN not waived: nothing could ever pass."""
    DAY = 4
    """MAX_NOTIONAL is above MAX_DAY_NOTIONAL."""
    POSITION = 5
    """MAX_SHARES is above MAX_POSITION."""
    NOTIONAL = 6
    """MAX_NOTIONAL is below MAX_SHARES: no order of that many would pass at any price."""
    BAND = 7
    """SYMBOL_MIN_PRICE is above SYMBOL_MAX_PRICE."""
    ACCOUNT = 8
    """MAX_NOTIONAL is above MAX_GROSS or MAX_NET."""


class StaleReason(IntEnum):
    """Why a venue went stale as a whole."""

    NONE = 0
    GAP = 1
    """Messages did not come in time: no line brought them, or what brought them could not be read or did not fit."""
    RESTORE = 2
    """The host puts orders into its book (RESTORE); until it is done the feed waits."""


class AnswerKind(IntEnum):
    """What a venue says of an order of the card, as the host passes it on."""

    FILLED = 0
    """``shares`` of the order traded."""
    RELEASED = 1
    """``shares`` of the order are dead (cancelled in part or as a whole)."""
    ENDED = 2
    """The order is dead, whatever was left of it (rejected, or cancelled by somebody who does not say how much)."""
    REPLACED = 3
    """The REPLACE that has this number is in force; the order that it was about is no more."""
    NOTED = 4
    """Nothing changes (accepted, the session's own messages): only its number counts."""
    MOVED = 5
    """Of no order: the host moves a symbol's position. Only while the card is disarmed."""
    UNSENT = 6
    """The order is dead, as ENDED, but the host says so: it never came to the venue, whose session went down before. Has no number."""


class DownReason(IntEnum):
    """Why a session with a venue is down."""

    NONE = 0
    CLOSED = 1
    """The host wanted it."""
    REFUSED = 2
    """The other side refused the connection (RST to our SYN)."""
    RESET = 3
    """It reset the connection."""
    PEER_CLOSED = 4
    """It closed its side."""
    TIMEOUT = 5
    """It acknowledges nothing, for as many tries as may be."""
    SMALL_MSS = 6
    """It takes no segment as long as a packet."""
    LOGIN_REJECTED = 7
    """The venue does not let us in (SoupBinTCP J)."""
    ENDED = 8
    """It says that the session is over (SoupBinTCP Z)."""
    PROTOCOL = 9
    """It sent what can't be, of SoupBinTCP or of OUCH."""
    SILENT = 10
    """It said nothing for too long."""
    ABORTED = 11
    """A kill switch has ended an order's frame (KILL_ABORTS): the venue will never have these bytes of the stream."""


class Fate(IntEnum):
    """What became of an order that has passed the gateway."""

    SENT = 0
    """Its frame begins."""
    THROWN_AWAY = 1
    """It has no frame: a kill switch was turned on, or its venue's session went down, while it waited for the wire. It never comes to the
    venue."""
    ABORTED = 2
    """A kill switch has ended its frame, which was told as SENT before, with an error. It never comes to the venue."""

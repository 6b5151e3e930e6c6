"""Why a frame was forgotten and why an order was refused: one list for RTL, golden models, host and docs.

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
    """Why the gateway refused an order: the first that applies, in this order. One counter each."""

    NONE = 0
    HALTED = 1
    """Not armed, or no limits have been committed."""
    KILLED = 2
    """The kill switch is on."""
    BAD_ORDER = 3
    """Zero shares, zero price, a venue or symbol that the card does not have, or a kind of order that it can't send."""
    MAX_SHARES = 4
    MAX_NOTIONAL = 5
    POSITION = 6
    """Position and working orders of the symbol would pass the limit on this side."""
    RATE = 7
    """The token bucket is empty."""
    MARKET_STATE = 8
    """The venue does not trade the symbol now, or has not said that it does. Looked at right after BAD_ORDER."""
    PAIR = 9
    """Its other leg was refused, or did not come. Looked at before RATE, which only what is sound may spend."""


class StaleReason(IntEnum):
    """Why a venue went stale as a whole."""

    NONE = 0
    GAP = 1
    """Messages did not come in time: no line brought them, or what brought them could not be read or did not fit."""
    RESTORE = 2
    """The host puts orders into its book (RESTORE); until it is done the feed waits."""

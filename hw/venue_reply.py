"""What venues answer to the card's orders, as the host passes it on."""

from amaranth.lib import data, enum

from hw.types import Shares, Side, SymbolIndex, VenueIndex


class AnswerKind(enum.Enum, shape=3):
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


class VenueReply(data.Struct):
    """What a venue answered to an order, which it names as order entry did."""

    kind: AnswerKind
    venue: VenueIndex
    user_ref: 32
    """UserRefNum of the order; of a REPLACED the new one."""
    number: 32
    """Of the venue's answers, one after the other without a gap: SoupBinTCP's sequence number. Means nothing with MOVED."""
    shares: Shares
    symbol: SymbolIndex
    """MOVED only, as is ``side``."""
    side: Side
    """BUY: the position grows by ``shares``."""

"""What venues answer to the card's orders, as the host passes it on."""

from amaranth.lib import data

from hw.reasons import AnswerKind
from hw.types import Price, Shares, Side, SymbolIndex, VenueIndex


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


class VenueMessage(data.Struct):
    """An OUCH message of a venue, for the host; what a message does not have is 0."""

    type: 8
    """ASCII, as in OUCH."""
    venue: VenueIndex
    number: 32
    """SoupBinTCP's."""
    user_ref: 32
    original: 32
    """Replaced: the order that is no more."""
    shares: Shares
    """Accepted, replaced, modified: of the order; canceled, executed: those."""
    price: Price
    """All ones where it is more than Price holds."""
    reference: 64
    """Accepted, replaced, priority update: the venue's for the order; executed, broken trade: for the trade."""
    code: 16
    """Accepted, replaced: state; canceled, rejected, broken trade, restated: reason; executed: liquidity; system event: which;
    modified: side; priority update: display."""

"""What venues answer to the card's orders, as the host passes it on."""

from amaranth.lib import data

from hw.reasons import AnswerKind
from hw.types import Shares, Side, SymbolIndex, VenueIndex


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

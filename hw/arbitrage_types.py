"""The records that the arbitrage detector and the host's window share; units as in hw/types.py."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from hw.types import Price, Shares, SymbolIndex, VenueIndex

LegShares = unsigned(18)
"""Shares of one leg of an arbitrage: at most 262,143."""

CardTime = unsigned(48)
"""Card time in clock cycles since reset, where the age of something counts: comes round after 20 days."""

RATE_SCALE = 22
"""A fee rate is in units of 2^-22 of the price: 0.0024 basis points."""

SHARE_FEE_SCALE = 8
"""A fee per share is in units of 2^-8 of a price's."""


class VenueTerms(data.Struct):
    """What the arbitrage detector has to know of a venue. All zero (it takes no part) until the host says so.

    The fee of one share is (share_fee / 2^8 + fee_rate x price / 2^22), rounded up to a whole unit of price. Both are what an
    order pays that trades at once (taker): no order of the detector ever rests in a book.
    """

    enable: 1
    """It may be bought from and sold to."""
    direct: 1
    """Its quotes come from the host; what its feed says is not heard."""
    share_fee: signed(24)
    """Per share; a rebate is negative."""
    fee_rate: signed(18)
    """Of the price, up to 3.1 %; a rebate is negative."""
    max_age: CardTime
    """A quote of more cycles than this is none."""


class ArbitrageLimits(data.Struct):
    """What is an opportunity, for one symbol."""

    min_profit: Price
    """Smallest profit per share after fees, in 1/10000; 0 is never enough."""
    min_shares: LegShares
    max_shares: LegShares
    """Cap on the quantity of each leg; 0: the symbol is not traded."""


class WrittenQuote(data.Struct):
    """What the host has written; the host's registers are wider than what a card may hold."""

    venue: 4
    symbol: 16
    bid_price: 48
    bid_shares: Shares
    ask_price: 48
    ask_shares: Shares
    time: CardTime


class DirectQuote(data.StructLayout):
    """A venue's best bid and ask, as the host has heard them; ``time`` is when it was so."""

    def __init__(self, price_bits: int):
        super().__init__({
            "venue": VenueIndex, "symbol": SymbolIndex, "bid_price": price_bits, "bid_shares": Shares, "ask_price": price_bits,
            "ask_shares": Shares, "time": CardTime})


class ArbitrageSignal(data.StructLayout):
    """An opportunity that was taken. The fields up to ``time``, in this order from bit 0 on, are the 128-bit signal word.

    ``profit`` is that of all shares together, after fees, in 1/10000; ``time`` is when the record that showed it reached the detector.
    """

    def __init__(self, price_bits: int):
        super().__init__({
            "symbol": 16, "buy_venue": 8, "sell_venue": 8, "profit": 48, "time": CardTime,
            "buy_price": price_bits, "sell_price": price_bits, "shares": LegShares})

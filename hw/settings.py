"""What the strategies and the gateway are told by the host and by the signals, beside the records of hw/types.py; units as there."""

from amaranth.lib import data, enum

from hw.types import Cycles, Price, Sequence, Shares, Side, SymbolIndex, VenueIndex


class QuoterParameters(data.Struct):
    """What the quoter does in one symbol (docs/strategies.md has the formats); all zero: nothing."""

    enable: 1
    aversion: 32
    """Risk aversion, scaled: times the variance, over 2^32, times the time left, over 2^16, it is the risk of one share held, in
    ticks with 24 bits behind the point."""
    constant: 31
    """The part of the spread that is the same at all times, (2 / gamma) ln(1 + gamma / k): ticks with 12 bits behind the point."""
    end: 32
    """Card time at which the quoting ends, in 2^16 cycles (0.42 ms)."""
    tick: 16
    """In 1/10000 of the currency unit."""
    reciprocal: 32
    """2^31 / ``tick``, rounded up."""
    shares: Shares
    """Of a quote: the unit in which the model counts inventory."""
    max_position: Shares
    """No quote that would take the position further than this on its side."""
    threshold: 16
    """A quote is moved when it stands further than this from where it should, in 1/10000 of the currency unit."""
    interval: Cycles
    """Least time from one message of a side to its next, but for a cancel; below 2^31."""


class TriggerWhen(enum.Enum, shape=2):
    """Which price of the touch is compared, and how; a side without a price meets nothing."""

    BID_AT_LEAST = 0
    BID_AT_MOST = 1
    ASK_AT_LEAST = 2
    ASK_AT_MOST = 3


class TriggerEntry(data.Struct):
    """A prepared order and its condition. The order goes to the venue whose touch meets it, or to another."""

    armed: 1
    """0: nothing is prepared here any more."""
    symbol: SymbolIndex
    watch_venue: VenueIndex
    """Whose top of book is looked at."""
    when: TriggerWhen
    at: Price
    venue: VenueIndex
    """Where the order goes."""
    side: Side
    shares: Shares
    price: Price


class TriggerCommit(data.Struct):
    """What entry ``index`` is from now on."""

    index: 8
    entry: TriggerEntry


class TriggerFiring(data.Struct):
    """A top of book that has met conditions."""

    entries: 16
    """One bit an entry."""
    venue: VenueIndex
    symbol: SymbolIndex
    bid_price: Price
    ask_price: Price
    sequence: Sequence


class SymbolVariance(data.Struct):
    """How much a symbol's price varies."""

    symbol: SymbolIndex
    valid: 1
    """0: it is not known any more."""
    variance: 32
    """In a unit that the quoter's ``aversion`` is scaled for; the card's is 2^-48, of the log return from one sample to the next."""


class RiskLimits(data.Struct):
    """Limits of the gateway, as committed. All zero (nothing passes) until the first commit."""

    max_shares: Shares
    """Largest quantity of one order, in shares."""
    max_notional: 64
    """Largest shares x price of one order, in 1/10000 of the currency unit."""
    max_position: Shares
    """Largest long or short position of a symbol over all venues, working orders included, in shares."""
    rate_burst: 16
    """Token bucket: orders at once."""
    rate_interval: 32
    """Token bucket: cycles per order in the long run."""
    max_day_notional: 64
    """Most of shares x price of all orders since positions were cleared, in 1/10000 of the currency unit."""
    duplicate_window: 32
    """Cycles after an order within which the same one (venue, symbol, side, shares, price) is a duplicate."""
    heartbeat_interval: 32
    """Longest silence of the host, in 1024 cycles."""
    max_open_orders: 16
    """Most orders that may be open at a time, over all venues; a REPLACE opens none."""
    max_distance: Price
    """Furthest that a price may be from the card's reference (hw/risk/reference.py), either way."""
    max_deviation: 16
    """The same in 2^-16 of the order's own price."""
    waived: 32
    """One bit per RejectReason: the check is off. Only those in ``WAIVABLE`` can be."""
    strategy_interval: 32
    """Cycles per order of a strategy in the long run; 0: not limited."""
    strategy_window: 32
    """How far, in cycles, a strategy may be ahead of that: 1 + ``strategy_window`` / ``strategy_interval`` orders at once."""
    symbol_interval: 32
    """The same of a symbol."""
    symbol_window: 32
    cancel_burst: 16
    """Cancels at once that are not worth a warning; 0: none is."""
    cancel_interval: 32
    """Cycles per cancel in the long run."""
    max_gross: 64
    """Largest gross notional of the account (hw/risk/account.py), in 1/10000 of the currency unit."""
    max_net: 64
    """Largest of what it has bought beyond what it has sold or the other way round, with what works that way."""
    max_executions: 16
    """Most executions of a strategy in a window; 0: not limited."""
    execution_window: 32
    """Cycles of a window; 0: it never ends."""


class SymbolLimits(data.Struct):
    """Limits of one symbol, beside those of ``RiskLimits``, which hold for it as well. Zero lets nothing pass."""

    max_shares: Shares
    """Largest quantity of one order."""
    max_notional: 64
    """Largest shares x price of one order, in 1/10000 of the currency unit."""
    max_long: Shares
    """Largest long position over all venues, working buy orders included."""
    max_short: Shares
    """Largest short position, working sell orders included; 0: it is not sold short."""
    locates: Shares
    """Most shares of all short sale orders since positions were cleared."""
    min_price: Price
    """Least price of an order, buy or sell."""
    max_price: Price
    """Largest price of an order."""
    uptick_only: 1
    """It is sold short only above the best bid."""


UNLIMITED = {name: (1 << bits) - 1 for name, bits in (
    ("max_shares", 32), ("max_notional", 64), ("max_long", 32), ("max_short", 32), ("locates", 32), ("max_price", 32),
)} | {"min_price": 0, "uptick_only": 0}
"""Limits of a symbol that limit nothing."""


def RiskSwitches(venues: int, symbols: int) -> data.StructLayout:
    """What the host lets no order do, in force at once. One bit a venue, strategy or symbol."""
    return data.StructLayout({
        "kill": 1,  # every order
        "kill_venues": venues, "kill_strategies": 16, "kill_symbols": symbols,
        "restricted": symbols,
        "reducing": 1,  # only what reduces a position may leave
        "cancel_all": venues,  # every open order is cancelled
        "cancel_on_stop": venues,  # and there each one that a kill switch, the dead-man timer or a fault stops
    })

"""What the strategies are told by the host and by the signals, beside the records of hw/types.py; units as there."""

from amaranth.lib import data, enum

from hw.types import Cycles, Price, Shares, Side, SymbolIndex, VenueIndex


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


class SymbolVariance(data.Struct):
    """How much a symbol's price varies."""

    symbol: SymbolIndex
    valid: 1
    """0: it is not known any more."""
    variance: 32
    """In a unit that the quoter's ``aversion`` is scaled for; the card's is 2^-48, of the log return from one sample to the next."""

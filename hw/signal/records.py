"""What travels between the parts of the signals, and the shapes of their numbers."""

from amaranth.hdl import Const, Mux, Signal, signed, unsigned
from amaranth.lib import data

from hw.types import Price, Shares, SymbolIndex

FRACTION = 17
"""Bits of a coefficient, and bits behind the point of what is smoothed."""

Smoothed = signed(34 + FRACTION)
"""What a :class:`hw.signal.smoother.Smoother` keeps: the difference of two price samples has 34 bits."""

HalfPrice = unsigned(33)
"""A price sample in half a unit of price: bid + ask, or twice a trade's price."""

FinePrice = unsigned(50)
"""A price with 18 bits behind the point."""

PriceDifference = signed(51)
"""A difference of two prices, with 18 bits behind the point."""


class TopUpdate(data.Struct):
    """A change of the top of book."""

    symbol: SymbolIndex
    usable: 1
    """Both sides are there, not crossed; the record is not stale, halted or in the middle of a change."""
    bid_price: Price
    bid_shares: Shares
    ask_price: Price
    ask_shares: Shares


class Sample(data.Struct):
    """A price of a symbol, and what is known of those before it."""

    symbol: SymbolIndex
    usable: 1
    """0: the symbol has no price that can be relied on; nothing else is defined, and its signals are not valid until it has."""
    first: 1
    """The first since the restart."""
    second: 1
    """The second: the first that has a change."""
    price: HalfPrice
    exponent: 6
    """Number of its leading one."""
    base: HalfPrice
    """The first sample's price."""
    deviation: signed(34)
    """``price - base``"""
    rises: 1
    """It is above the sample before."""
    change: HalfPrice
    """Distance from the sample before."""


def delayed(m, value, cycles: int):
    """The value of so many cycles ago."""
    for _ in range(cycles):
        later = Signal.like(value)
        m.d.sync += later.eq(value)
        value = later
    return value


def leading_one(value, bits: int = 6):
    """The number of the highest bit that is set, in pieces of four bits."""
    size = len(value)
    some = [value[low:low + 4].any() for low in range(0, size, 4)]
    result = Const(0, bits)
    for piece, any_ in enumerate(some):
        four = value[4 * piece:4 * piece + 4]
        within = Mux(four[3:].any(), 3, Mux(four[2:].any(), 2, four[1:].any()))
        result = Mux(any_, 4 * piece + within, result)
    return result

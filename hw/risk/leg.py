"""An order on its way through the checks, and what they have in common."""

from amaranth.hdl import Signal, signed
from amaranth.lib import data

from hw.reasons import PRIORITY, RejectReason
from hw.risk.limits_by_key import KeyedLimits
from hw.types import Order, Price

MAX_PRICE = 0x7FFFFFFF
"""Largest price of an order; above it venues read other things than a limit."""


class Leg(data.Struct):
    """An order with what the checks compare: alone, or one of a pair."""

    order: Order
    bad: 1
    closed: 1
    """Its venue does not trade its symbol."""
    unsure: 1
    """The card does not know what its symbol is worth there now."""
    notional: 64
    distance: 33
    """As ``Reference.distance``."""
    deviation: Price
    """How far its price may be from the reference at most, by the limit relative to it."""
    at_bid: 1
    """As ``Reference.at_bid``."""
    after: signed(36)
    """As ``Exposure.after``."""
    own: KeyedLimits
    no_room: 1
    unknown: 1
    """It is to replace an order that can't be replaced."""
    duplicate: 1
    crosses: 1
    """It would trade with an own order."""
    stray: 1
    """The order before it was refused without it."""


def primary(m, breaches):
    """The first reason of ``PRIORITY`` that applies; the last one if none of the others does."""
    *others, last = PRIORITY
    reason = Signal(RejectReason, init=last)
    for name in reversed(others):
        with m.If(breaches[name]):
            m.d.comb += reason.eq(name)
    return reason

"""An order on its way through the checks, and what they have in common."""

from amaranth.hdl import Cat, Mux, Signal, signed
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
    notional: 64
    distance: Price
    no_reference: 1
    """As of ``Reference``."""
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


def registered(m, breaches, name):
    """The same of a cycle ago."""
    bits = {reason: Signal(name=f"{name}_{reason.name.lower()}") for reason in breaches}
    m.d.sync += [bits[reason].eq(breach) for reason, breach in breaches.items()]
    return bits


KNOWN_LATE = 3
"""So many of the first in ``PRIORITY`` are known late in a cycle; the others are put in order meanwhile."""


def primary(m, breaches):
    """The first reason of ``PRIORITY`` that applies; the last one if none of the others does."""
    *others, last = PRIORITY
    early, others = others[:KNOWN_LATE], others[KNOWN_LATE:]
    first = Mux(Cat(breaches[name] for name in others).any(), _first(breaches, others), last)
    for name in reversed(early):
        first = Mux(breaches[name], name, first)
    reason = Signal(RejectReason)
    m.d.comb += reason.eq(first)
    return reason


def _first(breaches, names):
    """The first of them that applies, halved again and again: few tables one behind the other. Any, if none does."""
    if len(names) == 1:
        return names[0]
    before, behind = names[:len(names) // 2], names[len(names) // 2:]
    return Mux(Cat(breaches[name] for name in before).any(), _first(breaches, before), _first(breaches, behind))

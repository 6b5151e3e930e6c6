"""The same order once more within a short time: a mistake of a strategy or of a person, not a wish."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.types import Order, Price, Shares, Side, SymbolIndex, VenueIndex


class Wish(data.Struct):
    """What makes two orders the same."""

    venue: VenueIndex
    symbol: SymbolIndex
    side: Side
    shares: Shares
    price: Price


class Recent(data.Struct):
    wish: Wish
    left: 32
    """Cycles for which it still counts."""


def wish_of(order):
    """The part of an order that is compared."""
    return Cat(order[name] for name in ("venue", "symbol", "side", "shares", "price"))


class Duplicates(wiring.Component):
    """Remembers the last ``MEMORY`` orders that left and finds the one that comes again within the window.

    Ports
    -----
    window : In(32)
        Cycles for which an order counts that leaves now; 0: none is a duplicate.
    order : In(Order)
        In question.
    found : Out(1)
        Combinational: it is one of the last, and its window is not over.
    record : In(1)
        Pulse: ``left_last`` leaves, and right before it ``left_first`` if ``double``.
    double : In(1)
    left_first, left_last : In(Order)
    """

    MEMORY = 4
    LATENCY = 0

    def __init__(self):
        super().__init__({
            "window": In(32), "order": In(Order), "found": Out(1),
            "record": In(1), "double": In(1), "left_first": In(Order), "left_last": In(Order),
        })

    def elaborate(self, platform):
        m = Module()
        recent = [Signal(Recent, name=f"recent_{number}") for number in range(self.MEMORY)]  # the last order first
        m.d.comb += self.found.eq(Cat(
            (entry.left != 0) & (entry.wish.as_value() == wish_of(self.order)) for entry in recent).any())
        for entry in recent:
            m.d.sync += entry.left.eq(entry.left - (entry.left != 0))
        with m.If(self.record):
            m.d.sync += self._keep(recent[0], self.left_last)
            with m.If(self.double):
                m.d.sync += [*self._keep(recent[1], self.left_first), *self._move(recent, 2)]
            with m.Else():
                m.d.sync += self._move(recent, 1)
        return m

    def _keep(self, entry, order):
        return [entry.wish.eq(wish_of(order)), entry.left.eq(self.window)]

    def _move(self, recent, places):
        return [
            statement for older, newer in zip(recent[places:], recent, strict=False)
            for statement in (older.wish.eq(newer.wish), older.left.eq(newer.left - (newer.left != 0)))
        ]

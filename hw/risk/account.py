"""What the account has bought and sold and what works on either side, in money, against the limits of the account."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.multiplier import Multiplier
from hw.types import Price, Shares, Side

MONEY = 64
"""Bits of an order's notional and of the limits."""

SPARE = 4
"""More bits of the gross notional: it holds some dozens of the largest orders."""

MOST_SHOWN, LARGEST = (1 << 64) - 1, (1 << 63) - 1


class Part(data.Struct):
    shares: Shares
    price: Price


class Freed(data.Struct):
    """What an answer does to the reserved notional of an order, and of the other one that ends with it."""

    side: Side
    filled: 1
    """The shares of ``own`` have traded; else they are dead."""
    own: Part
    other: Part
    """Dead."""


class AccountNotional(wiring.Component):
    """Keeps the gross notional, and of each side what the account would be that way if all that works there traded.

    Everything is shares x the order's own price, since ``clear``: with b and s for what has been bought and sold, and wb and ws for what
    works, the gross notional is b + s + wb + ws, that of the buy side b - s + wb, and that of the sell side s - b + ws.

    Parameters
    ----------
    multiplier : class
        Of components like ``Multiplier``.
    money : int
        Instead of ``MONEY``.

    Ports
    -----
    max_gross, max_net : In(64)
        Of the account. They count as they stood a cycle before the judgement.
    side : In(Side), notional : In(64)
        Of the order in question, from the cycle on in which it is judged; the side a cycle before it.
    pair : In(1), first_side : In(Side), first_notional : In(64)
        It is the second leg; of the first one, a cycle before the judgement.
    gross, net : Out(1)
        In the cycle of the judgement: with the order, and the first leg before it, the gross notional passes ``max_gross``, the side's
        ``max_net``.
    first_gross, first_net : Out(1)
        The same of the first leg alone.
    spend : In(1), spent_side : In(Side), spent : In(64)
        Pulse: an order of this notional leaves. It is in the sums of the judgements from the third cycle after it on.
    free : In(1), freed : In(Freed)
        Pulse: an answer has been applied; not more often than every fourth cycle. In the sums of the judgements from the fifth cycle
        after it on, ``other`` from the sixth.
    overflow : Out(1)
        Pulse: the gross notional does not fit its register.
    clear : In(1)
        Pulse: all of it is 0.
    shown_gross : Out(64), shown_buy, shown_sell : Out(signed(64))
        The sums, or the nearest number that can be shown.
    """

    def __init__(self, multiplier=Multiplier, money: int = MONEY):
        super().__init__({
            "max_gross": In(money), "max_net": In(money), "side": In(Side), "notional": In(money),
            "pair": In(1), "first_side": In(Side), "first_notional": In(money),
            "gross": Out(1), "net": Out(1), "first_gross": Out(1), "first_net": Out(1),
            "spend": In(1), "spent_side": In(Side), "spent": In(money), "free": In(1), "freed": In(Freed),
            "overflow": Out(1), "clear": In(1),
            "shown_gross": Out(64), "shown_buy": Out(signed(64)), "shown_sell": Out(signed(64)),
        })
        self._multiplier, self._money, self._bits = multiplier, money, money + SPARE
        self._gross, self._sides = Signal(self._bits), {side: Signal(signed(self._bits + 1), name=f"of_{side.name.lower()}")
                                                 for side in Side}
        self._coming = Signal(), Signal(Side), Signal(money)  # what has left in the cycle before: whether, on which side, how much

    def elaborate(self, platform):
        m = Module()
        self._judge(m)
        self._add(m)
        self._show(m)
        return m

    def _judge(self, m):
        """Room is what is left of a limit before the order in question."""
        gross, net, first_gross, first_net = (
            Signal(signed(self._bits + 2), name=f"{name}_room") for name in ("gross", "net", "first_gross", "first_net"))
        ahead = Signal(self._money)
        buy, sell = self._sides[Side.BUY], self._sides[Side.SELL]
        same = self.side == self.first_side
        m.d.comb += ahead.eq(Mux(self.pair, self.first_notional, 0))
        m.d.sync += [
            gross.eq(self.max_gross - self._gross - ahead), first_gross.eq(self.max_gross - self._gross - self.first_notional),
            net.eq(self.max_net - Mux(self.side == Side.SELL, sell, buy) - Mux(same, ahead, 0)),
            first_net.eq(self.max_net - Mux(self.first_side == Side.SELL, sell, buy) - self.first_notional),
        ]
        m.d.comb += [
            self.gross.eq(self.notional > gross), self.net.eq(self.notional > net),
            self.first_gross.eq(first_gross[-1]), self.first_net.eq(first_net[-1]),
        ]

    def _add(self, m):
        """What leaves and what is freed are added one cycle after they are known."""
        m.submodules.multiplier = multiplier = self._multiplier()
        spend, side, spent = self._coming
        age, freed, part = Signal(4), Signal(Freed), Signal(Part)  # one bit a cycle since ``free``
        m.d.sync += [spend.eq(self.spend), side.eq(self.spent_side), spent.eq(self.spent), age.eq(age << 1 | self.free)]
        with m.If(self.free):
            m.d.sync += freed.eq(self.freed)
        dead, traded, total = Signal(self._money), Signal(self._money), Signal(signed(self._bits + 2))
        m.d.comb += [
            part.eq(Mux(age[0], freed.own.as_value(), freed.other.as_value())),
            multiplier.a.eq(part.shares), multiplier.b.eq(part.price),
            dead.eq(Mux(age[2] & ~freed.filled | age[3], multiplier.product, 0)),
            traded.eq(Mux(age[2] & freed.filled, multiplier.product, 0)),
            total.eq(self._gross + Mux(spend, spent, 0) - dead),
        ]
        m.d.sync += [self._gross.eq(total), self.overflow.eq(total[self._bits:].any())]
        for name, sum_ in self._sides.items():
            m.d.sync += sum_.eq(sum_ + Mux(spend & (side == name), spent, 0) - Mux(freed.side == name, dead, traded))
        with m.If(self.clear):
            m.d.sync += [spend.eq(0), age.eq(0), self._gross.eq(0), *(sum_.eq(0) for sum_ in self._sides.values())]

    def _show(self, m):
        m.d.sync += self.shown_gross.eq(Mux(self._gross[64:].any(), MOST_SHOWN, self._gross))
        for shown, sum_ in ((self.shown_buy, self._sides[Side.BUY]), (self.shown_sell, self._sides[Side.SELL])):
            m.d.sync += shown.eq(Mux(sum_ > LARGEST, LARGEST, Mux(sum_ < ~LARGEST, ~LARGEST, sum_)))

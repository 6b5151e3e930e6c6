"""Where the quoter's bid and ask should stand: reservation price and half-spread, on the venue's grid."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.lib.delay import Delay
from hw.lib.multiplier import Multiplier
from hw.types import Price

FRACTION = 12
"""Bits behind the point of a distance in ticks."""
RISK_FRACTION = 24
"""Bits behind the point of the risk of one share, in ticks."""
DISTANCE_BITS = 31
"""Of a distance in ticks, its fraction with it, without its sign; what is longer is not quoted."""
TICKS_BITS = 17
"""Of a distance from the touch in whole ticks, without its sign."""
MAX_PRICE = 0x7FFFFFFF


class QuotePrices(wiring.Component):
    """Avellaneda and Stoikov's two quotes for a touch and a position, every cycle.

    The middle of the touch s, less position x ``share_risk``, is the reservation price; the quotes stand ``half_spread`` from it
    on either side, rounded away from it to a whole number of ticks from the touch of the same side (so they stand on the grid on
    which the venue's prices stand). Neither reaches the other side of the touch: it stays one tick before it at least.

    Ports
    -----
    bid, ask : In(Price)
        The touch; bid below ask.
    tick : In(16)
        In 1/10000 of the currency unit.
    reciprocal : In(32)
        2^31 / ``tick``, rounded up.
    share_risk : In(32)
        What one share held moves the reservation price: ticks with 24 bits behind the point.
    half_spread : In(31)
        Ticks with 12 bits behind the point.
    position : In(signed(33))
        Shares; long is positive. Of the cycle after the other inputs'.
    low, high : Out(Price)
        The bid and the ask; 0 for one that is not to be quoted: its price would be below 1 or above 2^31 - 1. Both are 0 if one is
        further than 2^17 ticks from the touch, if the skew or the middle is 2^19 ticks or more, or if they would stand on each other.

    Notes
    -----
    Latency 10 from all inputs but ``position``, 9 from that.
    """

    LATENCY = 10

    bid: In(Price)
    ask: In(Price)
    tick: In(16)
    reciprocal: In(32)
    share_risk: In(32)
    half_spread: In(DISTANCE_BITS)
    position: In(signed(33))
    low: Out(Price)
    high: Out(Price)

    def elaborate(self, platform):
        m = Module()
        base, too_wide = self._base(m)
        skew, short, too_skewed = self._skew(m)

        nearer, further = Signal(signed(DISTANCE_BITS + 2)), Signal(signed(DISTANCE_BITS + 2))
        sold, lost = Signal(), Signal()
        m.d.sync += [nearer.eq(base + skew), further.eq(base - skew), sold.eq(short), lost.eq(too_wide | too_skewed)]  # 4 -> 5

        bounds = self._late(m, Cat(self.bid, self.ask, self.tick), 7)  # used at 7
        tick_6 = self._late(m, self.tick, 6)
        low, bid_far = self._offset(m, Mux(sold, nearer, further), tick_6, "bid")
        high, ask_far = self._offset(m, Mux(sold, further, nearer), tick_6, "ask")
        bid, ask, tick = bounds[:32], bounds[32:64], bounds[64:]

        below, above = Signal(signed(37)), Signal(signed(37))
        highest, lowest = Signal(signed(34)), Signal(signed(34))
        m.d.sync += [  # 7 -> 8
            below.eq(bid + low), above.eq(ask - high),
            highest.eq(ask - tick), lowest.eq(bid + tick),
        ]
        below_9, above_9 = Signal(signed(37)), Signal(signed(37))
        m.d.sync += [  # 8 -> 9
            below_9.eq(Mux((highest - below)[-1], highest, below)),
            above_9.eq(Mux((above - lowest)[-1], lowest, above)),
        ]
        quoted = (below_9 - above_9)[-1] & ~self._registers(m, lost, 4) & ~self._registers(m, bid_far | ask_far, 3)
        m.d.sync += [  # 9 -> 10
            self.low.eq(Mux(quoted & ~below_9[-1], below_9[:32], 0)),
            self.high.eq(Mux(quoted & ~above_9[31:].any(), above_9[:32], 0)),
        ]
        return m

    def _base(self, m):
        """From either touch to where the quote stands without a position: valid at 4, with whether it does not fit."""
        m.submodules.middle = product = Multiplier()
        gap, reciprocal, half = Signal(32), Signal(32), self._late(m, self.half_spread, 3)
        base, too_wide = Signal(signed(DISTANCE_BITS + 1)), Signal()
        shift = 32 - FRACTION
        m.d.comb += [product.a.eq(gap), product.b.eq(reciprocal)]
        m.d.sync += [
            gap.eq(self.ask - self.bid), reciprocal.eq(self.reciprocal),
            base.eq(product.product[shift:shift + DISTANCE_BITS] - half),
            too_wide.eq(product.product[shift + DISTANCE_BITS:].any()),
        ]
        return base, too_wide

    def _skew(self, m):
        """How far the position moves the reservation price, whether upwards (short), and whether it does not fit: valid at 4."""
        m.submodules.skew = product = Multiplier()
        size, short, shift = Signal(33), Signal(), RISK_FRACTION - FRACTION
        m.d.sync += [size.eq(Mux(self.position[-1], -self.position, self.position)), short.eq(self.position[-1])]  # 1 -> 2
        m.d.comb += [product.a.eq(size), product.b.eq(self._late(m, self.share_risk, 2))]
        too_skewed = product.product[shift + DISTANCE_BITS:].any() | self._registers(m, size[32], 2)
        return product.product[shift:shift + DISTANCE_BITS], self._registers(m, short, 2), too_skewed

    def _offset(self, m, distance, tick, name):
        """A distance in ticks, rounded down, as a price (valid at 7), and whether it is too far (valid at 6)."""
        ticks, offset = Signal(signed(TICKS_BITS + 1), name=f"{name}_ticks"), Signal(signed(TICKS_BITS + 17), name=f"{name}_offset")
        far = Signal(name=f"{name}_far")
        whole = Signal(signed(DISTANCE_BITS + 2 - FRACTION), name=f"{name}_whole")
        top = whole[TICKS_BITS:]
        m.d.comb += whole.eq(distance[FRACTION:])
        m.d.sync += [ticks.eq(whole), far.eq(top.any() & ~top.all()), offset.eq(ticks * Cat(tick, Const(0, 1)).as_signed())]
        return offset, far

    def _late(self, m, value, cycles):
        """Through memory: for what is wide."""
        delay = Delay(value.shape(), cycles)
        m.submodules += delay
        m.d.comb += delay.input.eq(value)
        return delay.output

    def _registers(self, m, value, cycles):
        for _ in range(cycles):
            later = Signal.like(value)
            m.d.sync += later.eq(value)
            value = later
        return value

"""Mid price weighted by size, the micro-price."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.signal.ratio import Ratio
from hw.signal.records import FinePrice, TopUpdate, delayed
from hw.types import SymbolIndex


class WeightedMidValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """The update is usable."""
    value: FinePrice


class WeightedMid(wiring.Component):
    """(Pb qa + Pa qb) / (qa + qb): the weights are crossed. Made as Pb + (Pa - Pb) * qb / (qa + qb).

    Ports
    -----
    tops : In(stream of TopUpdate)
        One a cycle.
    values : Out(stream of WeightedMidValue)

    Notes
    -----
    Latency 8 (``LATENCY``). Within (Pa - Pb) * 2^-15.
    """

    LATENCY = Ratio.LATENCY + 3

    tops: In(stream.Signature(TopUpdate, always_ready=True))
    values: Out(stream.Signature(WeightedMidValue, always_ready=True))

    def elaborate(self, platform):
        m = Module()
        top, result = self.tops.payload, self.values.payload
        m.submodules.ratio = ratio = Ratio(33)
        total, spread = Signal(33), Signal(32)
        m.d.sync += [total.eq(top.bid_shares + top.ask_shares), spread.eq(top.ask_price - top.bid_price)]
        m.d.comb += [ratio.part.eq(delayed(m, top.bid_shares, 1)), ratio.whole.eq(total)]
        late_spread = delayed(m, spread, Ratio.LATENCY)
        low, high = Signal(34, reset_less=True), Signal(34, reset_less=True)
        m.d.sync += [low.eq(late_spread[:16] * ratio.quotient), high.eq(late_spread[16:] * ratio.quotient)]
        bid = delayed(m, top.bid_price, self.LATENCY - 1)
        m.d.sync += result.value.eq((bid << 18) + (high << 17) + (low << 1))
        m.d.comb += [
            self.values.valid.eq(delayed(m, self.tops.valid, self.LATENCY)),
            result.symbol.eq(delayed(m, top.symbol, self.LATENCY)), result.valid.eq(delayed(m, top.usable, self.LATENCY)),
        ]
        return m

"""Order-flow imbalance at the best prices."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.exclusive_memory import ExclusiveMemory
from hw.signal.records import TopUpdate, delayed
from hw.signal.smoother import Smoother
from hw.types import Price, Shares, SymbolIndex

FRACTION = 7
"""Bits behind the point of the sum."""

Quotes = data.StructLayout({"bid_price": Price, "bid_shares": Shares, "ask_price": Price, "ask_shares": Shares})


class OrderFlowValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """This update and the one before it are usable."""
    change: signed(35)
    """The imbalance of this update, in shares: positive if there is more to be bought against."""
    total: signed(44 + FRACTION)
    """The decayed sum, in shares with 7 bits behind the point."""


class OrderFlow(wiring.Component):
    """e = [Pb >= Pb'] qb - [Pb <= Pb'] qb' - [Pa <= Pa'] qa + [Pa >= Pa'] qa' (Cont, Kukanov and Stoikov), and sum += e - factor * sum.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopUpdate)
        Never in two cycles that follow each other. After one that is not usable the next one only says where the next change begins.
    factor : In(17)
        In units of 2^-17.
    restart : In(1)
        Pulse: every symbol begins anew.
    values : Out(stream of OrderFlowValue)

    Notes
    -----
    Latency 8 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = 5 + Smoother.LATENCY

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "tops": In(stream.Signature(TopUpdate, always_ready=True)),
            "factor": In(17),
            "restart": In(1),
            "values": Out(stream.Signature(OrderFlowValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        result = self.values.payload
        change = self._change(m, *self._look_up(m))
        usable, begins = self._follow(m)
        m.submodules.sum = total = Smoother(self._symbols, "sum")
        valid, symbol = delayed(m, self.tops.valid, 5), delayed(m, self.tops.payload.symbol, 5)
        m.d.comb += [
            total.setting.factor.eq(self.factor), total.take.eq(valid), total.symbol.eq(symbol),
            total.usable.eq(usable), total.first.eq(begins), total.x.eq(change << FRACTION),
            self.values.valid.eq(delayed(m, valid, 3)), result.symbol.eq(delayed(m, symbol, 3)),
            result.valid.eq(total.valid), result.change.eq(delayed(m, change, 3)), result.total.eq(total.value),
        ]
        return m

    def _look_up(self, m):
        """Cycles 0 and 1: the top and the one before it, which is read in the cycle of an update and written in the next one."""
        top, now, before = self.tops.payload, Signal(Quotes), Signal(Quotes)
        m.submodules.tops_before = memory = ExclusiveMemory(shape=Quotes, depth=self._symbols)
        read, write = memory.read_port(), memory.write_port()
        m.d.sync += [
            *(now[name].eq(top[name]) for name in Quotes.members),
            write.addr.eq(top.symbol), write.en.eq(self.tops.valid),
            before.eq(read.data),
        ]
        m.d.comb += [read.addr.eq(top.symbol), read.en.eq(self.tops.valid), write.data.eq(now)]
        return delayed(m, now, 1), before

    def _change(self, m, now, before):
        """Cycles 2 to 4: which sizes count, a side each, the change."""
        keeps, gone = {}, {}
        for side, better in (("bid", 1), ("ask", 0)):
            above, below = now[f"{side}_price"] >= before[f"{side}_price"], now[f"{side}_price"] <= before[f"{side}_price"]
            keeps[side], gone[side] = Signal(Shares, name=f"{side}_new"), Signal(Shares, name=f"{side}_gone")
            m.d.sync += [
                keeps[side].eq(Mux(above if better else below, now[f"{side}_shares"], 0)),
                gone[side].eq(Mux(below if better else above, before[f"{side}_shares"], 0)),
            ]
        bid, ask, change = Signal(signed(33)), Signal(signed(33)), Signal(signed(35))
        m.d.sync += [bid.eq(keeps["bid"] - gone["bid"]), ask.eq(keeps["ask"] - gone["ask"]), change.eq(bid - ask)]
        return change

    def _follow(self, m):
        """In cycle 5: the update has a change; and it is the symbol's first that has."""
        known, begun, had, begins = Signal(self._symbols), Signal(self._symbols), Signal(), Signal()
        top, valid, usable = self.tops.payload, Signal(), Signal()
        symbol = delayed(m, top.symbol, 1)
        m.d.sync += [
            valid.eq(self.tops.valid), usable.eq(top.usable),
            had.eq(known.bit_select(top.symbol, 1)), begins.eq(~begun.bit_select(top.symbol, 1)),
        ]
        with m.If(valid):
            m.d.sync += known.bit_select(symbol, 1).eq(usable)
            with m.If(usable & had):
                m.d.sync += begun.bit_select(symbol, 1).eq(1)
        with m.If(self.restart):
            m.d.sync += [known.eq(0), begun.eq(0), valid.eq(0)]
        return delayed(m, valid & usable & had, 4), delayed(m, begins, 4)

"""Traded volume by aggressor."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.types import Execution, Side, SymbolIndex

Volume = unsigned(48)
"""Shares, modulo 2^48."""


class TradedVolumeValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """The last execution is usable."""
    bought: Volume
    """By who came to buy what stood there to be sold."""
    sold: Volume


class TradedVolume(wiring.Component):
    """Counts the shares that traded, since the restart, by the side that came to trade: the one that the resting order is not on.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    trades : In(stream of Execution)
        Never in two cycles that follow each other. One that is not usable does not count.
    restart : In(1)
        Pulse: every symbol begins anew.
    values : Out(stream of TradedVolumeValue)

    Notes
    -----
    Latency 2 (``LATENCY``). Exact.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "trades": In(stream.Signature(Execution, always_ready=True)),
            "restart": In(1),
            "values": Out(stream.Signature(TradedVolumeValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        layout = data.StructLayout({"bought": Volume, "sold": Volume})
        m.submodules.volumes = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        trade, now, before, valid = self.trades.payload, Signal(Execution), Signal(layout), Signal()
        result, begun = self.values.payload, Signal(self._symbols)
        m.d.comb += read.addr.eq(trade.symbol)
        m.d.sync += [
            valid.eq(self.trades.valid & ~self.restart), now.eq(trade),
            before.eq(Mux(begun.bit_select(trade.symbol, 1), read.data.as_value(), 0)),
        ]
        m.d.comb += [
            write.addr.eq(now.symbol), write.en.eq(valid & now.usable),
            write.data.bought.eq(before.bought + Mux(now.side == Side.SELL, now.shares, 0)),
            write.data.sold.eq(before.sold + Mux(now.side == Side.BUY, now.shares, 0)),
        ]
        with m.If(write.en):
            m.d.sync += begun.bit_select(now.symbol, 1).eq(1)
        with m.If(self.restart):
            m.d.sync += begun.eq(0)
        m.d.sync += [
            self.values.valid.eq(valid), result.symbol.eq(now.symbol), result.valid.eq(now.usable),
            result.bought.eq(write.data.bought), result.sold.eq(write.data.sold),
        ]
        return m

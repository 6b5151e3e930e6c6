"""The price samples that the signals of a symbol are made of."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.records import HalfPrice, Sample, TopUpdate, leading_one
from hw.types import Execution, SignalSource


class Sampler(wiring.Component):
    """Makes a sample of each change of the top of book (the mid) or of each trade (its price), as the host has chosen.

    A top or trade that can't be relied on gives a sample that is not ``usable``; the next one that is goes on from the last that was.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopUpdate), trades : In(stream of Execution)
        Each never in two cycles that follow each other.
    source : In(SignalSource)
    restart : In(1)
        Pulse: every symbol begins anew.
    samples : Out(stream of Sample)
        Never in two cycles that follow each other.

    Notes
    -----
    Latency 2 (``LATENCY``).
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        self._layout = data.StructLayout({"price": HalfPrice, "base": HalfPrice})
        super().__init__({
            "tops": In(stream.Signature(TopUpdate, always_ready=True)),
            "trades": In(stream.Signature(Execution, always_ready=True)),
            "source": In(SignalSource),
            "restart": In(1),
            "samples": Out(stream.Signature(Sample, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        top, trade = self.tops.payload, self.trades.payload
        take, offered, now = Signal(), Signal(Sample), Signal(Sample)
        with m.If(self.source == SignalSource.TRADES):
            m.d.comb += [take.eq(self.trades.valid), offered.symbol.eq(trade.symbol), offered.usable.eq(trade.usable),
                         offered.price.eq(trade.price << 1)]
        with m.Elif(self.source == SignalSource.TOPS):
            m.d.comb += [take.eq(self.tops.valid), offered.symbol.eq(top.symbol), offered.usable.eq(top.usable),
                         offered.price.eq(top.bid_price + top.ask_price)]

        valid, last = Signal(), Signal(self._layout)
        before = self._recall(m, offered.symbol, valid & now.usable, now, last)
        m.d.sync += [valid.eq(take & ~self.restart), now.eq(offered), last.eq(before)]
        self._follow(m, offered.symbol, valid, now)

        first = now.first
        change, back = now.price - last.price, last.price - now.price
        sample = self.samples.payload
        m.d.sync += [
            self.samples.valid.eq(valid),
            *(sample[name].eq(now[name]) for name in ("symbol", "usable", "first", "second", "price")),
            sample.exponent.eq(leading_one(now.price)),
            sample.base.eq(Mux(first, now.price, last.base)),
            sample.deviation.eq(Mux(first, 0, now.price - last.base)),
            sample.rises.eq(~first & back[-1]),
            sample.change.eq(Mux(first, 0, Mux(change[-1], back, change))),
        ]
        return m

    def _recall(self, m, symbol, write_enable, now, last):
        """The last price of a symbol and its base, as they are in the cycle of its next sample; the one before has been written then."""
        m.submodules.prices = memory = Memory(shape=self._layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += [
            read.addr.eq(symbol),
            write.addr.eq(now.symbol), write.en.eq(write_enable),
            write.data.price.eq(now.price), write.data.base.eq(Mux(now.first, now.price, last.base)),
        ]
        return read.data

    def _follow(self, m, symbol, valid, now):
        """Which symbols have had one sample, and which two."""
        one, two = Signal(self._symbols), Signal(self._symbols)
        m.d.sync += [now.first.eq(~one.bit_select(symbol, 1)), now.second.eq(one.bit_select(symbol, 1) & ~two.bit_select(symbol, 1))]
        with m.If(valid & now.usable):
            m.d.sync += [one.bit_select(now.symbol, 1).eq(1), two.bit_select(now.symbol, 1).eq(~now.first)]
        with m.If(self.restart):
            m.d.sync += [one.eq(0), two.eq(0)]

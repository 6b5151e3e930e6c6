"""Moving average convergence and divergence."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.records import FRACTION, PriceDifference, Sample, delayed
from hw.signal.smoother import Smoother
from hw.types import Smoothing, SymbolIndex


class MacdValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """Both lines are there, and the last sample is usable."""
    macd: PriceDifference
    signal: PriceDifference


class Macd(wiring.Component):
    """Fast less slow EMA of the price, and the EMA of that, the signal line.

    The fast mean begins so many samples after the slow one that both are seeded by the same sample. (Of the two, only distances from the
    symbol's first price are kept: it cancels.)

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    samples : In(stream of Sample)
        Never in two cycles that follow each other.
    fast, slow, signal : In(Smoothing)
        The fast period must be below the slow one.
    values : Out(stream of MacdValue)

    Notes
    -----
    Latency 7 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = 2 * Smoother.LATENCY + 1

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "samples": In(stream.Signature(Sample, always_ready=True)),
            "fast": In(Smoothing),
            "slow": In(Smoothing),
            "signal": In(Smoothing),
            "values": Out(stream.Signature(MacdValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        sample, result = self.samples.payload, self.values.payload
        m.submodules.fast_mean = fast = Smoother(self._symbols)
        m.submodules.slow_mean = slow = Smoother(self._symbols)
        m.submodules.signal_mean = line = Smoother(self._symbols)
        begins, opens = self._count(m)
        for mean, setting, first in ((slow, self.slow, sample.first), (fast, self.fast, begins)):
            m.d.comb += [
                mean.setting.eq(setting), mean.take.eq(self.samples.valid), mean.symbol.eq(sample.symbol),
                mean.usable.eq(sample.usable), mean.first.eq(first), mean.x.eq(sample.deviation << FRACTION),
            ]
        cycles = Smoother.LATENCY + 1
        macd = Signal(PriceDifference)
        m.d.sync += macd.eq(fast.value - slow.value)
        m.d.comb += [
            line.setting.eq(self.signal), line.take.eq(delayed(m, self.samples.valid, cycles)),
            line.symbol.eq(delayed(m, sample.symbol, cycles)), line.usable.eq(delayed(m, slow.valid, 1)),
            line.first.eq(delayed(m, opens, cycles)), line.x.eq(macd),
            self.values.valid.eq(delayed(m, self.samples.valid, self.LATENCY)),
            result.symbol.eq(delayed(m, sample.symbol, self.LATENCY)),
            result.valid.eq(line.valid), result.macd.eq(delayed(m, macd, Smoother.LATENCY)), result.signal.eq(line.value),
        ]
        return m

    def _count(self, m):
        """The samples of each symbol. Returns, in the cycle of one, whether the fast mean begins then, and whether the signal line does."""
        layout = data.StructLayout({"count": 10, "begins": 1, "opens": 1})
        m.submodules.counts = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        sample, row, now, wait = self.samples.payload, Signal(layout), Signal(layout), Signal(10)
        m.d.comb += [read.addr.eq(sample.symbol), row.eq(read.data)]
        with m.If(sample.first):
            m.d.comb += row.eq(0)
        m.d.sync += [
            now.eq(row), write.addr.eq(sample.symbol), write.en.eq(self.samples.valid & sample.usable),
            wait.eq(self.slow.period - self.fast.period),
        ]
        count = Signal(10)
        m.d.comb += [
            count.eq(Mux(now.count.all(), now.count, now.count + 1)),
            write.data.count.eq(count),
            write.data.begins.eq(count == wait),
            write.data.opens.eq(count + 1 == self.slow.period),
        ]
        return row.begins, row.opens

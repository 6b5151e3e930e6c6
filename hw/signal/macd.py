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
    Latency 8 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = 2 * Smoother.LATENCY + 2

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
        m.submodules.fast_mean = fast = Smoother(self._symbols, "counted")
        m.submodules.slow_mean = slow = Smoother(self._symbols, "counted")
        m.submodules.signal_mean = line = Smoother(self._symbols, "counted", early=True)
        row = self._count(m)  # and what else is known in the cycle after the sample
        valid, symbol, usable, first, deviation = (
            delayed(m, value, 1) for value in (self.samples.valid, sample.symbol, sample.usable, sample.first, sample.deviation))
        for mean, begins in ((slow, first), (fast, row.begins)):
            m.d.comb += [
                mean.take.eq(valid), mean.symbol.eq(symbol), mean.usable.eq(usable), mean.first.eq(begins),
                mean.warm.eq(row.means), mean.x.eq(deviation << FRACTION),
            ]
        cycles = Smoother.LATENCY + 1
        macd = Signal(PriceDifference)
        m.d.sync += macd.eq(fast.value - slow.value)
        seeded, late = usable & (row.means | row.opens), delayed(m, row, cycles)
        m.d.comb += [
            line.coming.eq(delayed(m, valid, cycles - 2)), line.coming_symbol.eq(delayed(m, symbol, cycles - 2)),
            line.take.eq(delayed(m, valid, cycles)), line.symbol.eq(delayed(m, symbol, cycles)),
            line.usable.eq(delayed(m, seeded, cycles)), line.first.eq(late.opens), line.warm.eq(late.lines), line.x.eq(macd),
            self.values.valid.eq(delayed(m, line.take, Smoother.LATENCY)),
            result.symbol.eq(delayed(m, line.symbol, Smoother.LATENCY)),
            result.valid.eq(line.valid & delayed(m, late.lines | late.closes, Smoother.LATENCY)),
            result.macd.eq(delayed(m, macd, Smoother.LATENCY)), result.signal.eq(line.value),
        ]
        m.d.sync += line.weight.eq(Mux(delayed(m, row.lines, cycles - 1), self.signal.factor, self.signal.seed))
        for mean, setting in ((slow, self.slow), (fast, self.fast)):
            m.d.sync += mean.weight.eq(Mux(self._row.means, setting.factor, setting.seed))
        return m

    def _count(self, m):
        """The samples of each symbol. Returns, in the cycle after one, which it is: the fast mean's first, whatever that was before; both
        means are seeded already; it is the last of their seed, and the signal line's first; that is seeded already; the last of its seed.
        """
        layout = data.StructLayout({"count": 11, "begins": 1, "means": 1, "opens": 1, "lines": 1, "closes": 1})
        m.submodules.counts = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        sample, now = self.samples.payload, Signal(layout)
        begins_at, opens_at, closes_at = (Signal(11, name=name) for name in ("begins_at", "opens_at", "closes_at"))
        self._row = row = Signal(layout)
        m.d.comb += [read.addr.eq(sample.symbol), row.eq(Mux(sample.first, 0, read.data.as_value()))]
        m.d.sync += [
            now.eq(row), write.addr.eq(sample.symbol), write.en.eq(self.samples.valid & sample.usable),
            begins_at.eq(self.slow.period - self.fast.period - 1), opens_at.eq(self.slow.period - 2),
            closes_at.eq(self.slow.period + self.signal.period - 3),
        ]
        after = write.data  # what the next sample is, by the samples before this one
        m.d.comb += [
            after.count.eq(Mux(now.count.all(), now.count, now.count + 1)),
            after.begins.eq(now.count == begins_at),
            after.opens.eq(now.count == opens_at), after.means.eq(now.means | now.opens),
            after.closes.eq(now.count == closes_at), after.lines.eq(now.lines | now.closes),
        ]
        return now

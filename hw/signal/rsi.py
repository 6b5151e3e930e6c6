"""Relative strength index with Wilder's means."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.ratio import Ratio
from hw.signal.records import FRACTION, Sample, Smoothed, delayed
from hw.signal.smoother import Smoother
from hw.types import Smoothing, SymbolIndex


class RsiValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """There were ``period`` changes, and the last sample is usable."""
    value: 17
    """0 to 100, with 10 bits behind the point."""


class Rsi(wiring.Component):
    """100 * mean of the rises / mean of all changes, each mean Wilder's: seeded by ``period`` changes, then of weight 1 / period.

    The mean of all changes is that of the rises and that of the falls added; 0 where there were none, as TA-Lib has it.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    samples : In(stream of Sample)
        Never in two cycles that follow each other.
    setting : In(Smoothing)
        ``factor`` is ``seed``.
    values : Out(stream of RsiValue)

    Notes
    -----
    Latency 8 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = Smoother.LATENCY + Ratio.LATENCY

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "samples": In(stream.Signature(Sample, always_ready=True)),
            "setting": In(Smoothing),
            "values": Out(stream.Signature(RsiValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        sample, result = self.samples.payload, self.values.payload
        m.submodules.rises = rises = Smoother(self._symbols, "counted")
        m.submodules.changes = changes = Smoother(self._symbols, "wilder")
        m.submodules.ratio = ratio = Ratio(Smoothed.width - 1, 100 / 128)
        for mean, change in ((rises, Mux(sample.rises, sample.change, 0)), (changes, sample.change)):
            m.d.comb += [
                mean.take.eq(self.samples.valid), mean.symbol.eq(sample.symbol),
                mean.usable.eq(sample.usable & ~sample.first), mean.first.eq(sample.second), mean.x.eq(change << FRACTION),
            ]
        m.d.comb += [
            changes.setting.eq(self.setting), rises.weight.eq(self.setting.factor), rises.warm.eq(changes.warm_before),
            ratio.part.eq(rises.value), ratio.whole.eq(changes.value),
            self.values.valid.eq(delayed(m, self.samples.valid, self.LATENCY)),
            result.symbol.eq(delayed(m, sample.symbol, self.LATENCY)),
            result.valid.eq(delayed(m, changes.valid, Ratio.LATENCY)),
            result.value.eq(ratio.quotient),
        ]
        return m

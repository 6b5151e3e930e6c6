"""Exponential moving average of the price."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.records import FRACTION, FinePrice, Sample, delayed
from hw.signal.smoother import Smoother
from hw.types import Smoothing, SymbolIndex


class EmaValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """There were ``period`` samples, and the last one is usable."""
    value: FinePrice


class Ema(wiring.Component):
    """ema += 2 / (period + 1) * (price - ema), from the mean of the first ``period`` prices on.

    Kept as the distance from the symbol's first price, so that the coefficient's error counts by distances and not by prices.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    samples : In(stream of Sample)
        Never in two cycles that follow each other.
    setting : In(Smoothing)
    values : Out(stream of EmaValue)

    Notes
    -----
    Latency 4 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = Smoother.LATENCY + 1

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "samples": In(stream.Signature(Sample, always_ready=True)),
            "setting": In(Smoothing),
            "values": Out(stream.Signature(EmaValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        sample, result = self.samples.payload, self.values.payload
        m.submodules.mean = mean = Smoother(self._symbols)
        m.d.comb += [
            mean.setting.eq(self.setting), mean.take.eq(self.samples.valid), mean.symbol.eq(sample.symbol),
            mean.usable.eq(sample.usable), mean.first.eq(sample.first), mean.x.eq(sample.deviation << FRACTION),
            self.values.valid.eq(delayed(m, self.samples.valid, self.LATENCY)),
            result.symbol.eq(delayed(m, sample.symbol, self.LATENCY)),
        ]
        base = delayed(m, sample.base, Smoother.LATENCY)
        m.d.sync += [result.valid.eq(mean.valid), result.value.eq((base << FRACTION) + mean.value)]
        return m

"""EWMA volatility of log returns."""

from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.signal.logarithm import FRACTION, Ln, Logarithm
from hw.signal.records import Sample, delayed
from hw.signal.smoother import Smoother
from hw.types import Smoothing, SymbolIndex

RETURN_FRACTION = 22
"""Bits behind the point of a return."""


class VolatilityValue(data.Struct):
    symbol: SymbolIndex
    valid: 1
    """There were ``period`` returns, and the last sample is usable and no jump."""
    variance: unsigned(50)
    """Of the return from one sample to the next, in units of 2^-60; the volatility is its square root."""


class Volatility(wiring.Component):
    """The mean square of r = ln(price / price before), seeded by ``period`` returns, then of weight 2 / (period + 1) (1 - lambda).

    r is rounded to 22 bits behind the point. A price that is 3.1 % (2^-5) or more away from the one before is a jump and no return: it does
    not count, and there is no valid value for it.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    samples : In(stream of Sample)
        Never in two cycles that follow each other.
    setting : In(Smoothing)
    values : Out(stream of VolatilityValue)

    Notes
    -----
    Latency 8 (``LATENCY``). Bound: docs/signals.md.
    """

    LATENCY = Logarithm.LATENCY + 2 + Smoother.LATENCY

    def __init__(self, config: CardConfig):
        self._symbols = config.symbols
        super().__init__({
            "samples": In(stream.Signature(Sample, always_ready=True)),
            "setting": In(Smoothing),
            "values": Out(stream.Signature(VolatilityValue, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        sample, result = self.samples.payload, self.values.payload
        square, in_range = self._square(m)

        cycles = Logarithm.LATENCY + 2
        usable, second, symbol = (delayed(m, value, cycles) for value in (sample.usable & ~sample.first, sample.second, sample.symbol))
        valid = delayed(m, self.samples.valid, cycles)
        begun = Signal(self._symbols)
        with m.If(valid & usable & (in_range | second)):
            m.d.sync += begun.bit_select(symbol, 1).eq(in_range)
        m.submodules.mean = mean = Smoother(self._symbols)
        m.d.comb += [
            mean.setting.eq(self.setting), mean.take.eq(valid), mean.symbol.eq(symbol), mean.usable.eq(usable & in_range),
            mean.first.eq(second | ~begun.bit_select(symbol, 1)), mean.x.eq(square << 16),
            self.values.valid.eq(delayed(m, valid, Smoother.LATENCY)), result.symbol.eq(delayed(m, symbol, Smoother.LATENCY)),
            result.valid.eq(mean.valid), result.variance.eq(mean.value),
        ]
        return m

    def _square(self, m):
        """The squared return, in units of 2^-44, and whether it is none; five cycles after the sample."""
        sample, square, in_range = self.samples.payload, Signal(34), Signal()
        m.submodules.logarithm = ln = Logarithm()
        m.submodules.logarithms = memory = Memory(shape=Ln, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        last, change = Signal(Ln), Signal(signed(33))
        symbol = delayed(m, sample.symbol, ln.LATENCY - 1)
        m.d.comb += [ln.x.eq(sample.price), ln.exponent.eq(sample.exponent), read.addr.eq(symbol)]
        m.d.sync += [last.eq(read.data), write.addr.eq(symbol)]
        m.d.comb += [
            write.data.eq(ln.coarse + ln.fine), write.en.eq(delayed(m, self.samples.valid & sample.usable, ln.LATENCY)),
        ]
        m.d.sync += change.eq(ln.coarse + ln.fine - last + (1 << FRACTION - RETURN_FRACTION - 1))
        rounded = change >> FRACTION - RETURN_FRACTION
        small = rounded[:18].as_signed()
        top = rounded[17:]
        m.d.sync += [
            square.eq(small * small),
            in_range.eq((~top.any() | top.all()) & ~(top.all() & ~rounded[:17].any())),
        ]
        return square, in_range

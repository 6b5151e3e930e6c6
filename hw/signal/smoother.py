"""The mean that forgets: the one recurrence that EMA, RSI, MACD and volatility are made of."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.signal.records import FRACTION, Smoothed, delayed
from hw.types import Smoothing, SymbolIndex

Product = data.StructLayout({"outer": Smoothed, "inner": Smoothed})
"""A number times a coefficient, divided by 2^17, in two parts that have to be added."""


def multiply(m, value, coefficient, name: str):
    """Registers ``value * coefficient >> 17``, in the two parts of a Product: three multipliers of 17 x 17 and no adder.

    The products of the lowest and the highest piece don't overlap once the lowest is divided.
    """
    low, middle, high = (Signal(2 * FRACTION, name=f"{name}_{part}") for part in ("low", "middle", "high"))
    m.d.sync += [
        low.eq(coefficient * value[:FRACTION]),
        middle.eq(coefficient * value[FRACTION:2 * FRACTION]),
        high.eq(coefficient * value[2 * FRACTION:].as_signed()),
    ]
    result = Signal(Product, name=name)
    m.d.comb += [result.outer.eq(Cat(low[FRACTION:], high)), result.inner.eq(middle)]
    return result


class Smoother(wiring.Component):
    """Keeps ``value += factor * (x - value)`` of each symbol; the first ``period`` updates, ``value += seed * x`` from 0.

    Both products are divided by 2^17 and rounded down, each by itself. Without ``weighs`` it is a decayed sum, which needs no seed:
    ``value += x - factor * value``.

    Parameters
    ----------
    symbols : int
    weighs : bool
    wilder : bool
        ``seed`` is not looked at: it is ``factor``.

    Ports
    -----
    setting : In(Smoothing)
        May change only together with ``first`` of every symbol.
    take : In(1)
        Cycle t: an update; never in two cycles that follow each other.
    symbol, x : In
        Cycle t.
    usable : In(1)
        Cycle t: the update counts; else it only shows that there is no valid value.
    first : In(1)
        Cycle t, with ``usable``: forgets the symbol's state first.
    value : Out(Smoothed)
        Cycle t + 3.
    valid : Out(1)
        Cycle t + 3: the value is usable: there were ``period`` updates, or it is a sum.

    Notes
    -----
    Latency 3 (``LATENCY``), an update every second cycle on any symbol: the value that is being made goes directly to an update of the
    same symbol two cycles behind. The state must not overflow: |x| below 2^50, of a sum |x| / factor.
    """

    LATENCY = 3

    def __init__(self, symbols: int, *, weighs: bool = True, wilder: bool = False):
        self._symbols, self._weighs, self._wilder = symbols, weighs, wilder
        super().__init__({
            "setting": In(Smoothing),
            "take": In(1),
            "symbol": In(SymbolIndex),
            "x": In(Smoothed),
            "usable": In(1),
            "first": In(1),
            "value": Out(Smoothed),
            "valid": Out(1),
        })
        self._layout = data.StructLayout({"value": Smoothed, "count": 10, "warm": 1})
        self._made, self._made_valid, self._made_symbol = Signal(self._layout), Signal(), Signal(SymbolIndex)

    def elaborate(self, platform):
        m = Module()
        made, state = self._made, self._read(m)
        warm = Signal(self._layout.members["warm"])
        value, kept = Signal(Smoothed), Signal(Smoothed)  # the second is 0 where nothing is taken away
        m.d.sync += [
            value.eq(Mux(self.first, 0, state.value)),
            kept.eq(Mux(self.first | ~state.warm, 0, state.value)),
            warm.eq(state.warm & ~self.first),
        ]
        count = Signal(10)
        m.d.sync += count.eq(Mux(self.first, 0, state.count))

        total, count_after, warm_after = Signal(Smoothed), Signal(10), Signal()
        m.d.sync += [
            total.eq(value + self._weighed(m, warm)),
            count_after.eq(Mux(warm, count, count + 1)),
            warm_after.eq(warm | (count + 1 == self.setting.period) | (not self._weighs)),
        ]
        taken = multiply(m, kept, self.setting.factor, "taken")
        m.d.comb += [
            made.value.eq(total - taken.outer - taken.inner),
            made.count.eq(count_after), made.warm.eq(warm_after),
        ]
        m.d.sync += [self.value.eq(made.value), self.valid.eq(self._made_valid & made.warm)]
        return m

    def _read(self, m):
        """The symbol's state in the cycle of its update."""
        m.submodules.states = memory = Memory(shape=self._layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        made, valid, symbol = self._made, self._made_valid, self._made_symbol
        m.d.comb += [
            valid.eq(delayed(m, self.take & self.usable, 2)), symbol.eq(delayed(m, self.symbol, 2)),
            read.addr.eq(self.symbol),
            write.addr.eq(symbol), write.data.eq(made), write.en.eq(valid),
        ]
        state = Signal(self._layout)
        m.d.comb += state.eq(Mux(valid & (symbol == self.symbol), made.as_value(), read.data.as_value()))
        return state

    def _weighed(self, m, warm):
        """What the update adds."""
        if not self._weighs:
            return delayed(m, self.x, 1)
        later = multiply(m, self.x, self.setting.factor, "later")
        if self._wilder:
            return later.outer + later.inner
        seeding = multiply(m, self.x, self.setting.seed, "seeding")
        return Mux(warm, later.outer, seeding.outer) + Mux(warm, later.inner, seeding.inner)

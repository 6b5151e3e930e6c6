"""The mean that forgets: the one recurrence that EMA, RSI, MACD and volatility are made of."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory
from hw.signal.records import FRACTION, Smoothed, delayed
from hw.types import Smoothing, SymbolIndex

Product = data.StructLayout({"outer": Smoothed, "inner": Smoothed})
"""A number times a coefficient, divided by 2^17, in two parts that have to be added."""


def multiply(m, value, coefficient, name: str):
    """Registers ``value * coefficient >> 17``, in the two parts of a Product: three multipliers of 17 x 17 and no adder.

    The products of the lowest and the highest piece don't overlap once the lowest is divided. They have no reset, as the multipliers' own
    registers can take their place then.
    """
    low, middle, high = (Signal(2 * FRACTION, name=f"{name}_{part}", reset_less=True) for part in ("low", "middle", "high"))
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

    Both products are divided by 2^17 and rounded down, each by itself. Who uses it may count the updates itself, or have a decayed sum,
    which needs no seed: ``value += x - factor * value``.

    Parameters
    ----------
    symbols : int
    kind : str
        "mean"; "wilder": a mean whose ``seed`` is its ``factor``; "counted": a mean whose updates somebody else counts; "sum".
    early : bool
        The symbol of an update is known two cycles before it: then the state lies in block RAM.

    Ports
    -----
    setting : In(Smoothing)
        May change only together with ``first`` of every symbol. Of a sum only ``factor`` counts. Not for "counted".
    take : In(1)
        Cycle t: an update; never in two cycles that follow each other.
    symbol, x : In
        Cycle t.
    usable : In(1)
        Cycle t: the update counts; else it only shows that there is no valid value.
    first : In(1)
        Cycle t, with ``usable``: forgets the symbol's state first.
    weight : In(17), warm : In(1)
        Cycle t, for "counted" only: ``factor`` and 1, or ``seed`` and 0 in the first ``period`` updates.
    coming : In(1), coming_symbol : In
        Cycle t - 2, for ``early`` only: ``take`` and ``symbol`` of cycle t.
    warm_before : Out(1)
        Cycle t: there were ``period`` updates before this one. Not for "counted".
    value : Out(Smoothed)
        Cycle t + 3.
    valid : Out(1)
        Cycle t + 3: the update was usable, and there were ``period`` of them where they are counted here.

    Notes
    -----
    Latency 3 (``LATENCY``), an update every second cycle on any symbol: the value that is being made goes directly to an update of the
    same symbol two cycles behind. The state must not overflow: |x| below 2^50, of a sum |x| / factor.
    """

    LATENCY = 3

    def __init__(self, symbols: int, kind: str = "mean", *, early: bool = False):
        if kind not in ("mean", "wilder", "counted", "sum"):
            raise ValueError(f"kind must be mean, wilder, counted or sum, not {kind!r}")
        self._symbols, self._kind, self._counts, self._early = symbols, kind, kind in ("mean", "wilder"), early
        super().__init__({
            **({"weight": In(17), "warm": In(1)} if kind == "counted" else {"setting": In(Smoothing), "warm_before": Out(1)}),
            **({"coming": In(1), "coming_symbol": In(SymbolIndex)} if early else {}),
            "take": In(1),
            "symbol": In(SymbolIndex),
            "x": In(Smoothed),
            "usable": In(1),
            "first": In(1),
            "value": Out(Smoothed),
            "valid": Out(1),
        })
        self._layout = data.StructLayout({"value": Smoothed, **({"count": 10, "warm": 1} if self._counts else {})})
        self._made, self._made_valid, self._made_symbol = Signal(self._layout), Signal(), Signal(SymbolIndex)

    def elaborate(self, platform):
        m = Module()
        made, state = self._made, self._read(m)
        value, rate, warm = Signal(Smoothed), Signal(17), Signal()
        if self._counts:
            m.d.comb += warm.eq(state.warm & ~self.first)
        elif self._kind == "counted":
            m.d.comb += warm.eq(self.warm & ~self.first)
        else:
            m.d.comb += warm.eq(1)
        if self._kind != "counted":
            m.d.comb += self.warm_before.eq(warm)
        m.d.sync += [
            value.eq(Mux(self.first, 0, state.value)),
            rate.eq(Mux(warm, self.weight if self._kind == "counted" else self.setting.factor, 0)),
        ]
        total = Signal(Smoothed)
        m.d.sync += total.eq(value + self._weighed(m, warm))
        taken = multiply(m, value, rate, "taken")
        m.d.comb += made.value.eq(total - taken.outer - taken.inner)
        m.d.sync += [self.value.eq(made.value), self.valid.eq(self._made_valid & (self._count(m, state, warm) if self._counts else 1))]
        return m

    def _count(self, m, state, warm):
        """The updates until there are enough; returns whether there are, with what is made."""
        made, was_warm, count = self._made, Signal(), Signal(10)
        m.d.sync += [was_warm.eq(warm), count.eq(Mux(self.first, 0, state.count))]
        m.d.sync += [made.count.eq(count + 1), made.warm.eq(was_warm | (count + 1 == self.setting.period))]
        return made.warm

    def _read(self, m):
        """The symbol's state in the cycle of its update."""
        if self._early:
            m.submodules.states = memory = ExclusiveMemory(shape=self._layout, depth=self._symbols)
        else:
            m.submodules.states = memory = Memory(shape=self._layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        write, made, valid, symbol = memory.write_port(), self._made, self._made_valid, self._made_symbol
        m.d.comb += [
            valid.eq(delayed(m, self.take & self.usable, 2)), symbol.eq(delayed(m, self.symbol, 2)),
            write.addr.eq(symbol), write.data.eq(made), write.en.eq(valid),
        ]
        kept, state = self._fetch(m, memory, write) if self._early else self._look_up(m, memory), Signal(self._layout)
        m.d.comb += state.eq(Mux(valid & (symbol == self.symbol), made.as_value(), kept))
        return state

    def _look_up(self, m, memory):
        """The state as it is in the memory."""
        read = memory.read_port(domain="comb")
        m.d.comb += read.addr.eq(self.symbol)
        return read.data.as_value()

    def _fetch(self, m, memory, write):
        """The state as it was in the memory two cycles before, or as it has been made since: it is read where none is written, and what
        is made a cycle later, or was in the cycle of the read, takes its place."""
        read, kept = memory.read_port(), Signal(self._layout)
        made, valid, symbol = self._made, self._made_valid, self._made_symbol
        asked, last, last_valid, last_symbol = Signal(SymbolIndex), Signal(self._layout), Signal(), Signal(SymbolIndex)
        m.d.comb += [
            read.addr.eq(self.coming_symbol), read.en.eq(self.coming & ~(write.en & (write.addr == read.addr))), last.value.eq(self.value),
        ]
        m.d.sync += [asked.eq(self.coming_symbol), last_valid.eq(valid), last_symbol.eq(symbol), kept.eq(read.data)]
        with m.If(valid & (symbol == asked)):
            m.d.sync += kept.eq(made)
        with m.Elif(last_valid & (last_symbol == asked)):
            m.d.sync += kept.eq(last)
        return kept.as_value()

    def _weighed(self, m, warm):
        """What the update adds, a cycle after it."""
        if self._kind == "sum":
            return delayed(m, self.x, 1)
        later = multiply(m, self.x, self.weight if self._kind == "counted" else self.setting.factor, "later")
        if self._kind != "mean":
            return later.outer + later.inner
        seeding, was_warm = multiply(m, self.x, self.setting.seed, "seeding"), delayed(m, warm, 1)
        return Mux(was_warm, later.outer, seeding.outer) + Mux(was_warm, later.inner, seeding.inner)

"""Limits of single symbols, beside those that hold for all of them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.lib.slot_table import SlotSettings
from hw.settings import UNLIMITED, SymbolLimits
from hw.types import SymbolIndex


class Row(data.Struct):
    limits: SymbolLimits
    parity: 1
    """Makes the number of ones in the row even."""


class SymbolLimitsTable(wiring.Component):
    """Keeps the limits of each symbol; all of a symbol's change in one cycle.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    input : In(stream of SlotSettings(SymbolLimits), always ready)
        Puts a symbol's limits in force: a ``look`` of the same cycle sees them. A symbol that is not there changes nothing.
    look : In(1), symbol : In(SymbolIndex)
        Pulse: what are this symbol's limits?
    limits : Out(SymbolLimits)
        One cycle later, until the next ``look``; ``UNLIMITED`` for a symbol without limits since reset.
    odd : Out(1)
        With ``limits``: the row has lost a bit.
    shown_symbol : In(SymbolIndex), shown : Out(SymbolLimits)
        The same for who only looks; a change is seen a cycle later.
    """

    LATENCY = 1

    def __init__(self, symbols: int):
        super().__init__({
            "input": In(stream.Signature(SlotSettings(SymbolLimits), always_ready=True)),
            "look": In(1), "symbol": In(SymbolIndex), "limits": Out(SymbolLimits), "odd": Out(1),
            "shown_symbol": In(SymbolIndex), "shown": Out(SymbolLimits),
        })
        self._symbols = symbols

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=Row, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        self.rows, write = memory.data, memory.write_port()
        read, show = memory.read_port(transparent_for=[write]), memory.read_port()
        given, own = self.input.payload, Signal(self._symbols)  # symbols that have limits of their own
        has, shown_has, unlimited = Signal(), Signal(), SymbolLimits.const(UNLIMITED).as_value()
        new = given["values"]
        m.d.comb += [
            write.addr.eq(given.symbol), write.data.limits.eq(new), write.data.parity.eq(new.as_value().xor()),
            write.en.eq(self.input.valid & (given.symbol < self._symbols)),
            read.addr.eq(self.symbol), read.en.eq(self.look), show.addr.eq(self.shown_symbol),
        ]
        with m.If(write.en):
            m.d.sync += own.bit_select(given.symbol, 1).eq(1)
        with m.If(self.look):
            m.d.sync += has.eq((self.symbol < self._symbols) & own.bit_select(self.symbol, 1) | write.en & (given.symbol == self.symbol))
        m.d.sync += shown_has.eq((self.shown_symbol < self._symbols) & own.bit_select(self.shown_symbol, 1))
        m.d.comb += [
            self.limits.eq(Mux(has, read.data.limits.as_value(), unlimited)), self.odd.eq(has & read.data.as_value().xor()),
            self.shown.eq(Mux(shown_has, show.data.limits.as_value(), unlimited)),
        ]
        return m

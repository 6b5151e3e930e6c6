"""Shares of a symbol that short sale orders have used up, against those that somebody was found to lend."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.types import Shares, SymbolIndex

MOST = (1 << 32) - 1


class Row(data.Struct):
    used: Shares
    parity: 1
    """Makes the number of ones in the row even."""


class Locates(wiring.Component):
    """Adds up, symbol by symbol, the shares of the short sale orders that leave; what was cancelled later stays used.

    Of a pair at most one leg is a sale of a symbol, so the two never spend of the same row.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    look : In(1), symbol : In(SymbolIndex)
        Pulse: an order for this symbol comes.
    shares, located : In(Shares)
        One cycle after ``look``: how many it is of; how many may be sold short in all.
    short : Out(1)
        Two cycles after ``look``: with it they would be more.
    odd : Out(1)
        One cycle after ``look``: the row has lost a bit.
    keep, spend, spend_kept, clear : In(1)
        As of ``MessageRate``.
    """

    LATENCY = 2

    def __init__(self, symbols: int):
        super().__init__({
            "look": In(1), "symbol": In(SymbolIndex), "shares": In(Shares), "located": In(Shares), "short": Out(1), "odd": Out(1),
            "keep": In(1), "spend": In(1), "spend_kept": In(1), "clear": In(1),
        })
        self._symbols = symbols

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=Row, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        self.rows, write = memory.data, memory.write_port()
        read = memory.read_port(transparent_for=[write])
        has_row, symbol, kept_symbol = Signal(self._symbols), Signal.like(write.addr), Signal.like(write.addr)
        has, total, located = Signal(), Signal(33), Signal(Shares)
        with_it, with_last, kept = Signal(Shares), Signal(Shares), Signal(Shares)
        m.d.comb += [
            read.addr.eq(self.symbol), read.en.eq(self.look), self.odd.eq(has & read.data.as_value().xor()),
            self.short.eq(total > located), with_it.eq(Mux(total[32], MOST, total)),
            write.en.eq(self.spend | self.spend_kept), write.addr.eq(Mux(self.spend_kept, kept_symbol, symbol)),
            write.data.used.eq(Mux(self.spend_kept, kept, with_last)), write.data.parity.eq(write.data.used.xor()),
        ]
        m.d.sync += [total.eq(Mux(has, read.data.used, 0) + self.shares), located.eq(self.located), with_last.eq(with_it)]
        with m.If(self.look):
            m.d.sync += [
                symbol.eq(self.symbol),
                has.eq((self.symbol < self._symbols) & has_row.bit_select(self.symbol, 1) | write.en & (write.addr == self.symbol))]
        with m.If(self.keep):
            m.d.sync += [kept.eq(with_it), kept_symbol.eq(symbol)]
        with m.If(write.en):
            m.d.sync += has_row.bit_select(write.addr, 1).eq(1)
        with m.If(self.clear):
            m.d.sync += has_row.eq(0)
        return m

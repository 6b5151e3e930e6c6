"""Limits of an order's symbol, and the rates of its symbol and of its strategy."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.lib.slot_table import SlotSettings
from hw.risk.message_rate import MessageRate
from hw.risk.symbol_limits import SymbolLimitsTable
from hw.settings import RiskLimits, SymbolLimits
from hw.types import Order, Shares, Side, SymbolIndex


class KeyedLimits(data.Struct):
    """What an order has to keep beside the limits of all."""

    shares: Shares
    notional: 64
    position: Shares
    """Limits of its symbol; of the position that of its side."""
    strategy_fast: 1
    symbol_fast: 1
    """It comes too soon after others of its strategy, of its symbol."""


class LimitsByKey(wiring.Component):
    """Looks up what holds for the symbol and the strategy of an order; the timing is that of ``MessageRate``.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    limits : In(RiskLimits)
    symbol_limits, shown_symbol, shown
        As ``SymbolLimitsTable.input`` and so on.
    look : In(1), asked : In(Order)
        Pulse: an order comes.
    side : In(Side)
        Of the order, one cycle after ``look``.
    second, keep, spend, spend_kept, clear : In(1)
        As of ``MessageRate``.
    found : Out(KeyedLimits)
        Two cycles after ``look``.
    odd : Out(1)
        One cycle after ``look``: a row has lost a bit.
    """

    LATENCY = 2

    def __init__(self, symbols: int):
        super().__init__({
            "limits": In(RiskLimits), "symbol_limits": In(stream.Signature(SlotSettings(SymbolLimits), always_ready=True)),
            "shown_symbol": In(SymbolIndex), "shown": Out(SymbolLimits), "look": In(1), "asked": In(Order), "side": In(Side),
            "second": In(1), "keep": In(1), "spend": In(1), "spend_kept": In(1), "clear": In(1),
            "found": Out(KeyedLimits), "odd": Out(1),
        })
        self.table, self.rates = SymbolLimitsTable(symbols), {"strategy": MessageRate(16), "symbol": MessageRate(symbols)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        connect(m, flipped(self.symbol_limits), table.input)
        m.d.comb += [
            table.look.eq(self.look), table.symbol.eq(self.asked.symbol), table.shown_symbol.eq(self.shown_symbol),
            self.shown.eq(table.shown), self.odd.eq(Cat(memory.odd for memory in (table, *self.rates.values())).any()),
        ]
        m.d.sync += [
            self.found.shares.eq(table.limits.max_shares), self.found.notional.eq(table.limits.max_notional),
            self.found.position.eq(Mux(self.side == Side.SELL, table.limits.max_short, table.limits.max_long)),
        ]
        for name, rate in self.rates.items():
            m.submodules[f"{name}_rate"] = rate
            m.d.comb += [
                rate.interval.eq(self.limits[f"{name}_interval"]), rate.window.eq(self.limits[f"{name}_window"]),
                rate.look.eq(self.look), rate.key.eq(self.asked[name]), self.found[f"{name}_fast"].eq(rate.fast),
                *(getattr(rate, pulse).eq(getattr(self, pulse)) for pulse in ("second", "keep", "spend", "spend_kept", "clear")),
            ]
        return m

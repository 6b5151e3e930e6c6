"""Limits of an order's symbol, what has been sold short of it, and the rates of its symbol and of its strategy."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.lib.compare import exceeds
from hw.lib.slot_table import SlotSettings
from hw.risk.locates import Locates
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
    outside: 1
    """Its price is outside its symbol's band."""
    no_locate: 1
    """If it is a short sale, it is of more shares than may still be sold short."""
    uptick_only: 1
    """If it is a short sale, its price has to be above the best bid."""
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
    order : In(Order)
        The same, one cycle after ``look``.
    second, keep, spend, spend_kept, clear : In(1)
        As of ``MessageRate``.
    short, kept_short : In(1)
        With ``spend`` and ``spend_kept``: it is a short sale.
    found : Out(KeyedLimits)
        Two cycles after ``look``.
    odd : Out(1)
        One cycle after ``look``: a row has lost a bit.
    """

    LATENCY = 2

    def __init__(self, symbols: int):
        super().__init__({
            "limits": In(RiskLimits), "symbol_limits": In(stream.Signature(SlotSettings(SymbolLimits), always_ready=True)),
            "shown_symbol": In(SymbolIndex), "shown": Out(SymbolLimits), "look": In(1), "asked": In(Order),
            "order": In(Order), "second": In(1), "keep": In(1), "spend": In(1), "spend_kept": In(1), "short": In(1), "kept_short": In(1),
            "clear": In(1),
            "found": Out(KeyedLimits), "odd": Out(1),
        })
        self.table, self.rates = SymbolLimitsTable(symbols), {"strategy": MessageRate(16), "symbol": MessageRate(symbols)}
        self.locates = Locates(symbols)

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        order = self.order
        connect(m, flipped(self.symbol_limits), table.input)
        m.d.comb += [
            table.look.eq(self.look), table.symbol.eq(self.asked.symbol), table.shown_symbol.eq(self.shown_symbol),
            self.shown.eq(table.shown), self.odd.eq(Cat(memory.odd for memory in (table, self.locates, *self.rates.values())).any()),
        ]
        m.d.sync += [
            self.found.shares.eq(table.limits.max_shares), self.found.notional.eq(table.limits.max_notional),
            self.found.position.eq(Mux(order.side == Side.SELL, table.limits.max_short, table.limits.max_long)),
            self.found.outside.eq(exceeds(order.price, table.limits.max_price) | exceeds(table.limits.min_price, order.price)),
            self.found.uptick_only.eq(table.limits.uptick_only),
        ]
        m.submodules.locates = locates = self.locates
        m.d.comb += [
            locates.look.eq(self.look), locates.symbol.eq(self.asked.symbol), locates.shares.eq(order.shares),
            locates.located.eq(table.limits.locates), self.found.no_locate.eq(locates.short), locates.keep.eq(self.keep),
            locates.spend.eq(self.spend & self.short), locates.spend_kept.eq(self.spend_kept & self.kept_short),
            locates.clear.eq(self.clear),
        ]
        for name, rate in self.rates.items():
            m.submodules[f"{name}_rate"] = rate
            m.d.comb += [
                rate.interval.eq(self.limits[f"{name}_interval"]), rate.window.eq(self.limits[f"{name}_window"]),
                rate.look.eq(self.look), rate.key.eq(self.asked[name]), self.found[f"{name}_fast"].eq(rate.fast),
                *(getattr(rate, pulse).eq(getattr(self, pulse)) for pulse in ("second", "keep", "spend", "spend_kept", "clear")),
            ]
        return m

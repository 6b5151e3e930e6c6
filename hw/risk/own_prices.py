"""The prices at which own orders stand in venues' books, all looked at at once: would a new one trade with one of them?"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.types import Order, OrderKind, Price, Side, SymbolIndex


class Entry(data.Struct):
    """What is kept of the order at a place."""

    rests: 1
    """It may stand in the book."""
    symbol: SymbolIndex
    side: Side
    key: Price
    """The price of a buy order; that of a sell order with all bits inverted. So a buy at p and a sell at q trade, p >= q, where the sum of
    their keys and 1 carries."""


def key_of(order):
    return Mux(order.side == Side.SELL, ~order.price, order.price)


class OwnPrices(wiring.Component):
    """Compares an order with every own one that may rest at its venue, on its symbol and the other side.

    Parameters
    ----------
    config : CardConfig
    places : int
        Of which each venue has a run of ``config.open_orders``.

    Ports
    -----
    opened : In(1), place : In(range(places)), order : In(Order)
        Pulse: this order stands at this place from the next cycle on.
    open : In(places)
        One bit a place: an order stands there.
    asked : In(Order)
        In question.
    crosses : Out(1)
        One cycle later: it would trade with an own order as they stood then, or it is a REPLACE into such a price.
    """

    LATENCY = 1
    GROUP = 4
    """Places whose answers become one before the register."""

    def __init__(self, config: CardConfig, places: int):
        super().__init__({
            "opened": In(1), "place": In(range(places)), "order": In(Order), "open": In(places), "asked": In(Order), "crosses": Out(1)})
        self._size = config.open_orders
        self.entries = [Signal(Entry, name=f"entry_{place}") for place in range(places)]

    def elaborate(self, platform):
        m = Module()
        asked, order, hits = self.asked, self.order, Signal(len(self.entries))
        for place, entry in enumerate(self.entries):
            with m.If(self.opened & (self.place == place)):
                m.d.sync += [
                    entry.rests.eq(order.day), entry.symbol.eq(order.symbol), entry.side.eq(order.side), entry.key.eq(key_of(order))]
            trades = Signal(33, name=f"trades_{place}")
            m.d.comb += [
                trades.eq(key_of(asked) + entry.key + 1),
                hits[place].eq(self.open[place] & entry.rests & (asked.kind != OrderKind.CANCEL) & (asked.venue == place // self._size)
                               & (asked.symbol == entry.symbol) & (asked.side != entry.side) & trades[32]),
            ]
        groups = [hits[at:at + self.GROUP].any() for at in range(0, len(hits), self.GROUP)]
        found = Signal(len(groups))
        m.d.sync += [found[number].eq(group) for number, group in enumerate(groups)]
        m.d.comb += self.crosses.eq(found.any())
        return m

"""Cancels the own orders that a stop concerns: of the firm, a venue, a strategy or a symbol."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.risk.open_orders import OpenOrder, place_bits
from hw.types import Order, OrderKind

STRATEGY = 4
"""Its number in the orders."""


class CancelAll(wiring.Component):
    """Walks over the open orders for ever and asks for a CANCEL of each that is stopped and of which no CANCEL is under way.

    A REPLACE that is not in force yet is cancelled as well as the order that it is about: one of the two is what the venue has.
    A row that has lost a bit is left out; the gateway's fault tells of it.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    venues : In(venues)
        Where it acts.
    stop, stop_venues, stop_strategies, stop_symbols : In
        One bit for all, a venue, a strategy, a symbol.
    open, cancelled : In(one bit a place)
        An order stands there; a CANCEL of it is under way.
    at : Out(place), order : In(OpenOrder), odd : In(1)
        The row of that place, one cycle later; it has lost a bit.
    orders : Out(stream of Order)
        What asks to leave.
    answered : In(1)
        Pulse: what was taken from ``orders`` has left, or has been refused.

    Notes
    -----
    A place takes a cycle, an open order that is not concerned two. So the first CANCEL is on offer at most 2 x places + 2 cycles after
    a stop, and with the wire free the last one has left 2 x places and 6 cycles an order after it.
    """

    def __init__(self, config: CardConfig):
        bits = place_bits(config)
        super().__init__({
            "venues": In(config.venues), "stop": In(1), "stop_venues": In(config.venues), "stop_strategies": In(16),
            "stop_symbols": In(config.symbols), "open": In(1 << bits), "cancelled": In(1 << bits),
            "at": Out(bits), "order": In(OpenOrder), "odd": In(1), "orders": Out(stream.Signature(Order)), "answered": In(1),
        })
        self._config = config

    def elaborate(self, platform):
        m = Module()
        place, row, order = self.at, self.order, self.orders.payload
        venue = place // self._config.open_orders
        concerned = Signal()
        m.d.comb += concerned.eq(
            self.stop | self.stop_venues.bit_select(venue, 1) | self.stop_strategies.bit_select(row.strategy, 1)
            | self.stop_symbols.bit_select(row.symbol, 1))
        with m.FSM():
            with m.State("WALK"):
                with m.If((self.open & ~self.cancelled).bit_select(place, 1) & self.venues.bit_select(venue, 1)):
                    m.next = "LOOK"
                with m.Else():
                    m.d.sync += place.eq(place + 1)
            with m.State("LOOK"):
                m.d.sync += [
                    order.kind.eq(OrderKind.CANCEL), order.reference.eq(row.user_ref), order.venue.eq(venue),
                    order.symbol.eq(row.symbol), order.side.eq(row.side), order.strategy.eq(STRATEGY),
                ]
                with m.If(concerned & ~self.odd):
                    m.d.sync += self.orders.valid.eq(1)
                    m.next = "OFFER"
                with m.Else():
                    m.d.sync += place.eq(place + 1)
                    m.next = "WALK"
            with m.State("OFFER"), m.If(self.orders.ready):
                m.d.sync += self.orders.valid.eq(0)
                m.next = "TAKEN"
            with m.State("TAKEN"), m.If(self.answered):
                m.d.sync += place.eq(place + 1)
                m.next = "WALK"
        return m

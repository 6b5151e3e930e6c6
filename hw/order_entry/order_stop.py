"""The kill switches behind the gateway: for the order that has passed and is not on the wire yet."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.settings import RiskSwitches
from hw.types import Order, OrderKind


class OrderStop(wiring.Component):
    """Tells the transmit stage that the order on offer to it must not leave any more. A CANCEL always may.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    switches : In(RiskSwitches)
    aborts : In(venues)
        A frame to the venue that is being sent ends at once; else it finishes.
    order : In(Order), valid, ends : In(1)
        On offer; one is; in this cycle the last word of its packet is taken.
    stop, abort : Out(1)
        The order on offer is one that a switch stops; so is its frame.

    Notes
    -----
    Latency 1 cycle from a switch, and 1 from the first word on offer: until then the gateway's own look at the switches counts.
    """

    LATENCY = 1

    def __init__(self, config: CardConfig):
        super().__init__({
            "switches": In(RiskSwitches(config.venues, config.symbols)), "aborts": In(config.venues),
            "order": In(Order), "valid": In(1), "ends": In(1), "stop": Out(1), "abort": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        order, switches, same, killed, aborts = self.order, self.switches, Signal(), Signal(), Signal()
        m.d.sync += [
            same.eq(self.valid & ~self.ends), aborts.eq(self.aborts.bit_select(order.venue, 1)),
            killed.eq((order.kind != OrderKind.CANCEL) & (
                switches.kill | switches.kill_venues.bit_select(order.venue, 1) | switches.kill_strategies.bit_select(order.strategy, 1)
                | switches.kill_symbols.bit_select(order.symbol, 1))),
        ]
        m.d.comb += [self.stop.eq(same & killed), self.abort.eq(self.stop & aborts)]
        return m

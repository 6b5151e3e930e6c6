"""Order entry as the card has it: the order packet and its frame, without the stages around them."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.config import CardConfig
from hw.net.udp_transmit import UdpTransmit
from hw.order_entry.ouch50 import OuchOrders
from hw.types import Cycles, FrameTransmit, Order, OrderAddress, SentOrder, SlotName, VenueIndex


class OrderEntry(wiring.Component):
    """``OuchOrders`` and ``UdpTransmit``; the ports are theirs."""

    LATENCY = OuchOrders.LATENCY + UdpTransmit.LATENCY

    def __init__(self, config: CardConfig):
        self.config = config
        super().__init__({
            "orders": In(stream.Signature(Order)), "names": In(stream.Signature(SlotName, always_ready=True)),
            "set_user_ref": In(1), "set_user_ref_venue": In(VenueIndex), "set_user_ref_value": In(32),
            "next_user_ref": Out(data.ArrayLayout(32, config.venues)), "exhausted": Out(1),
            "addresses": In(data.ArrayLayout(OrderAddress, config.venues)), "now": In(Cycles),
            "frames": Out(FrameTransmit), "sent": Out(stream.Signature(SentOrder, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.ouch = ouch = OuchOrders(self.config)
        m.submodules.transmit = transmit = UdpTransmit(self.config)
        connect(m, flipped(self.orders), ouch.orders)
        connect(m, flipped(self.names), ouch.names)
        connect(m, ouch.packet, transmit.packet)
        connect(m, transmit.frames, flipped(self.frames))
        connect(m, transmit.sent, flipped(self.sent))
        m.d.comb += [
            ouch.link_free.eq(transmit.free), transmit.addresses.eq(self.addresses), transmit.now.eq(self.now),
            ouch.set_user_ref.eq(self.set_user_ref), ouch.set_user_ref_venue.eq(self.set_user_ref_venue),
            ouch.set_user_ref_value.eq(self.set_user_ref_value),
            self.next_user_ref.eq(ouch.next_user_ref), self.exhausted.eq(ouch.exhausted),
        ]
        return m

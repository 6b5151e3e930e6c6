"""A card that is quickly built: what comes in on the feeds goes out as orders, and registers hold what was written."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.bus import READ_LATENCY, RegisterBus
from hw.types import FrameReceive, FrameTransmit


class StubCard(wiring.Component):
    """Ports as the card's; latency 1. Of words in the same cycle one is kept, of the first line and venue."""

    feed: In(FrameReceive).array(2)
    feed_b: In(FrameReceive).array(2)
    orders: Out(FrameTransmit)
    bus: In(RegisterBus)

    def elaborate(self, platform):
        m = Module()
        feeds = [*self.feed, *self.feed_b]
        for feed in reversed(feeds):
            with m.If(feed.valid):
                m.d.sync += self.orders.p.eq(feed.p)
        m.d.sync += self.orders.valid.eq(Cat(feed.valid for feed in feeds).any())

        register = Signal(32)
        with m.If(self.bus.write):
            m.d.sync += register.eq(self.bus.write_data ^ self.bus.address)
        answers = Signal(32 * READ_LATENCY)
        m.d.sync += answers.eq(Cat(register, answers))
        m.d.comb += self.bus.read_data.eq(answers[-32:])
        return m

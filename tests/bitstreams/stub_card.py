"""A card that is quickly built: what comes in on the feeds goes out as orders, and registers hold what was written."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.bus import READ_LATENCY, RegisterBus
from hw.types import FrameReceive, FrameTransmit


class StubCard(wiring.Component):
    """Ports as the card's; latency 1. A word of feed 1 is lost when feed 0 has one in the same cycle."""

    feed: In(FrameReceive).array(2)
    orders: Out(FrameTransmit)
    bus: In(RegisterBus)

    def elaborate(self, platform):
        m = Module()
        for feed in reversed(self.feed):
            with m.If(feed.valid):
                m.d.sync += self.orders.p.eq(feed.p)
        m.d.sync += self.orders.valid.eq(self.feed[0].valid | self.feed[1].valid)

        register = Signal(32)
        with m.If(self.bus.write):
            m.d.sync += register.eq(self.bus.write_data ^ self.bus.address)
        answers = Signal(32 * READ_LATENCY)
        m.d.sync += answers.eq(Cat(register, answers))
        m.d.comb += self.bus.read_data.eq(answers[-32:])
        return m

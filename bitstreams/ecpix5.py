"""The card on the LambdaConcept ECPIX-5 (LFE5UM5G-85F): clock, reset, and its ports on the eight Pmod connectors."""

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitstreams.pins import FrameFromBytes, FrameToBytes, SerialBus

CLOCK_HZ = 50_000_000
"""Half of the board's oscillator. Its ports are 1 Gbit/s, which a word each cycle fills at 15.625 MHz."""


class Ecpix5(wiring.Component):
    """A thin wrapper that brings the frame streams and the register bus to pins; constraints/ecpix5.lpf says which.

    The Ethernet MACs come later. Until then a frame enters as a byte each card clock with strobes (bitstreams/pins.py),
    which no board around this one sends: the wrapper is there so that the whole card is placed, routed and timed.

    Parameters
    ----------
    card : wiring.Component
        Of two venues: ``feed`` and ``feed_b`` In(FrameReceive).array(2), ``orders`` Out(FrameTransmit),
        ``bus`` In(RegisterBus).

    Ports
    -----
    clk100 : In(1)
        The board's 100 MHz oscillator; the card runs on ``CLOCK_HZ``.
    feed0, feed1 : In
        Byte streams of the two venues: ``data`` (8), ``valid``, ``last``, ``error``, and ``line``, the same for a whole
        frame: 0 for a frame on the port of line A, 1 of line B.
    orders : Out
        Byte stream of the order port.
    bus_receive : In(1)
    bus_transmit : Out(1)
        Serial register bus.
    """

    def __init__(self, card: wiring.Component):
        self._card = card
        transmit = wiring.Signature({"data": Out(8), "valid": Out(1), "last": Out(1), "error": Out(1)})
        receive = wiring.Signature({"data": In(8), "valid": In(1), "last": In(1), "error": In(1), "line": In(1)})
        super().__init__({
            "clk100": In(1),
            "feed0": Out(receive),
            "feed1": Out(receive),
            "orders": Out(transmit),
            "bus_receive": In(1),
            "bus_transmit": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.card = card = self._card
        self._clock(m)
        for number, pins in enumerate((self.feed0, self.feed1)):
            m.submodules[f"feed{number}"] = feed = FrameFromBytes()
            m.d.sync += [feed.data.eq(pins.data), feed.valid.eq(pins.valid), feed.last.eq(pins.last), feed.error.eq(pins.error)]
            line = Signal(name=f"line{number}")
            line_of_word = Signal(name=f"line_of_word{number}")
            m.d.sync += [line.eq(pins.line), line_of_word.eq(line)]
            for index, port in enumerate((card.feed, card.feed_b)):
                m.d.comb += [port[number].p.eq(feed.frames.p), port[number].valid.eq(feed.frames.valid & (line_of_word == index))]

        m.submodules.orders = orders = FrameToBytes()
        wiring.connect(m, card.orders, orders.frames)
        pins = self.orders
        m.d.sync += [pins.data.eq(orders.data), pins.valid.eq(orders.valid), pins.last.eq(orders.last), pins.error.eq(orders.error)]

        m.submodules.bus = bus = SerialBus()
        m.d.sync += [bus.receive.eq(self.bus_receive), self.bus_transmit.eq(bus.transmit)]
        wiring.connect(m, bus.bus, card.bus)
        return m

    def _clock(self, m):
        """The PLL halves the oscillator; its clock reaches nothing before it has locked, as flip-flops start as the bitstream says."""
        m.domains.sync = ClockDomain(reset_less=True)
        clock, locked = Signal(), Signal()
        m.submodules.pll = Instance(
            "EHXPLLL", p_FEEDBK_PATH="CLKOP", p_CLKI_DIV=2, p_CLKFB_DIV=1, p_CLKOP_DIV=12, p_CLKOP_ENABLE="ENABLED",  # VCO: 600 MHz
            i_CLKI=self.clk100, i_CLKFB=clock, i_RST=0, i_STDBY=0, o_CLKOP=clock, o_LOCK=locked)
        m.submodules.gate = Instance("DCCA", i_CLKI=clock, i_CE=locked, o_CLKO=ClockSignal())

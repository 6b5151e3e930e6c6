"""The card on the LambdaConcept ECPIX-5 (LFE5UM5G-85F): clock, reset, and its ports on the eight Pmod connectors."""

from amaranth.hdl import ClockDomain, ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from bitstreams.pins import FrameFromBytes, FrameToBytes, SerialBus

CLOCK_HZ = 156_250_000


class Ecpix5(wiring.Component):
    """A thin wrapper that brings the frame streams and the register bus to pins; constraints/ecpix5.lpf says which.

    The Ethernet MACs come later. Until then a frame enters as a byte each card clock with strobes (bitstreams/pins.py),
    which no board around this one sends at 156.25 MHz: the wrapper is there so that the whole card is placed, routed and timed.

    Parameters
    ----------
    card : wiring.Component
        Of two venues: ``feed`` In(FrameReceive).array(2), ``orders`` Out(FrameTransmit), ``bus`` In(RegisterBus).

    Ports
    -----
    clk100 : In(1)
        The board's 100 MHz oscillator; a PLL makes the card's 156.25 MHz of it.
    rst_n : In(1)
        The board's reset button, low when pressed.
    feed0, feed1 : In
        Byte streams of the two feed ports: ``data`` (8), ``valid``, ``last``, ``error``.
    orders : Out
        Byte stream of the order port.
    bus_receive : In(1)
    bus_transmit : Out(1)
        Serial register bus.
    """

    def __init__(self, card: wiring.Component):
        self._card = card
        receive = wiring.Signature({"data": In(8), "valid": In(1), "last": In(1), "error": In(1)})
        super().__init__({
            "clk100": In(1),
            "rst_n": In(1),
            "feed0": Out(receive),
            "feed1": Out(receive),
            "orders": Out(receive.flip()),
            "bus_receive": In(1),
            "bus_transmit": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.card = card = self._card
        self._make_clock(m)

        for number, pins in enumerate((self.feed0, self.feed1)):
            m.submodules[f"feed{number}"] = feed = FrameFromBytes()
            m.d.sync += [feed.data.eq(pins.data), feed.valid.eq(pins.valid), feed.last.eq(pins.last), feed.error.eq(pins.error)]
            wiring.connect(m, feed.frames, card.feed[number])

        m.submodules.orders = orders = FrameToBytes()
        wiring.connect(m, card.orders, orders.frames)
        pins = self.orders
        m.d.sync += [pins.data.eq(orders.data), pins.valid.eq(orders.valid), pins.last.eq(orders.last), pins.error.eq(orders.error)]

        m.submodules.bus = bus = SerialBus()
        m.d.sync += [bus.receive.eq(self.bus_receive), self.bus_transmit.eq(bus.transmit)]
        wiring.connect(m, bus.bus, card.bus)
        return m

    def _make_clock(self, m):
        """100 MHz / 8 x 50 = 625 MHz in the oscillator of the PLL, / 4 = 156.25 MHz; held in reset until it has locked."""
        m.domains.sync = ClockDomain()
        feedback, locked = Signal(), Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI="100", a_FREQUENCY_PIN_CLKOP="125", a_FREQUENCY_PIN_CLKOS="156.25",
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8", a_MFG_ENABLE_FILTEROPAMP="1", a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=8, p_CLKFB_DIV=10, p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=5, p_CLKOP_CPHASE=4, p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED", p_CLKOS_DIV=4, p_CLKOS_CPHASE=3, p_CLKOS_FPHASE=0,
            i_CLKI=self.clk100, i_CLKFB=feedback, i_RST=Const(0), i_STDBY=Const(0), i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0),
            i_ENCLKOS=Const(0), i_PHASESEL0=Const(0), i_PHASESEL1=Const(0), i_PHASEDIR=Const(0), i_PHASESTEP=Const(0),
            i_PHASELOADREG=Const(0),
            o_CLKOP=feedback, o_CLKOS=ClockSignal(), o_LOCK=locked,
        )
        m.submodules.reset = ResetSynchronizer(~self.rst_n | ~locked, domain="sync")

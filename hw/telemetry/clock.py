"""The card's own time."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out


class Clock(wiring.Component):
    """Counts clock cycles since reset.

    Ports
    -----
    now : Out(64)
        0 in the first cycle after reset. Stages that only need differences take the low 32 bits (``Cycles``).
    """

    now: Out(64)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.now.eq(self.now + 1)
        return m

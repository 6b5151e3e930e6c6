"""Unsigned 32 x 32 multiplication at line-rate clock, from four multipliers of 16 x 16."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Multiplier(wiring.Component):
    """Product of two unsigned 32-bit numbers, one every cycle.

    Ports
    -----
    a, b : In(32)
    product : Out(64)
        ``a * b`` of two cycles ago.

    Notes
    -----
    Latency 2: the partial products fit a DSP slice of 18 x 18 each and are registered, then added and registered.
    """

    LATENCY = 2

    a: In(32)
    b: In(32)
    product: Out(64)

    def elaborate(self, platform):
        m = Module()
        low, high = Signal(32, reset_less=True), Signal(32, reset_less=True)  # so the slices' own registers take them
        cross = [Signal(32, name=f"cross_{part}", reset_less=True) for part in (0, 1)]
        m.d.sync += [
            low.eq(self.a[:16] * self.b[:16]),
            cross[0].eq(self.a[16:] * self.b[:16]),
            cross[1].eq(self.a[:16] * self.b[16:]),
            high.eq(self.a[16:] * self.b[16:]),
        ]
        m.d.sync += self.product.eq(Cat(low, high) + ((cross[0] + cross[1]) << 16))
        return m

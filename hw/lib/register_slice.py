"""A register in a stream: cuts the paths of payload, valid and ready."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class RegisterSlice(wiring.Component):
    """Holds one item between two stages that are fast enough alone and too slow in one cycle.

    Parameters
    ----------
    shape : ShapeLike
        Payload of both streams.

    Ports
    -----
    input : In(stream.Signature(shape))
    output : Out(stream.Signature(shape))

    Notes
    -----
    Latency 1; one item every 2 cycles, as ``input.ready`` knows nothing of ``output.ready``.
    """

    LATENCY = 1

    def __init__(self, shape):
        super().__init__({"input": In(stream.Signature(shape)), "output": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.input.ready.eq(~self.output.valid)
        with m.If(self.output.valid):
            m.d.sync += self.output.valid.eq(~self.output.ready)
        with m.Else():
            m.d.sync += [self.output.valid.eq(self.input.valid), self.output.payload.eq(self.input.payload)]
        return m

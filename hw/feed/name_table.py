"""The names of a venue's slots, kept where they are compared: from the register bank they would need a wire a bit to every venue."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import SlotName


class NameTable(wiring.Component):
    """Remembers the name of each slot.

    Parameters
    ----------
    symbols : int
        Slots.

    Ports
    -----
    input : In(stream.Signature(SlotName, always_ready=True))
    names : Out(data.ArrayLayout(64, symbols))
        0 until the first.
    renamed : Out(symbols)
        Pulse in the first cycle of a slot's new name.
    output : Out(stream.Signature(SlotName, always_ready=True))
        The input a cycle later, for the next table: a chain has short wires.

    Latency: 1 cycle.
    """

    LATENCY = 1

    def __init__(self, symbols: int):
        super().__init__({
            "input": In(stream.Signature(SlotName, always_ready=True)),
            "names": Out(data.ArrayLayout(64, symbols)),
            "renamed": Out(symbols),
            "output": Out(stream.Signature(SlotName, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        given = self.input.payload
        m.d.sync += [self.output.valid.eq(self.input.valid), self.output.payload.eq(given)]
        for slot, name in enumerate(self.names):
            mine = self.input.valid & (given.symbol == slot)
            m.d.sync += self.renamed[slot].eq(mine)
            with m.If(mine):
                m.d.sync += name.eq(given.name)
        return m

"""Which symbols the card follows."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.choice import lowest
from hw.types import BookEvent, SymbolBinding


class SymbolFilter(wiring.Component):
    """Lets the events of bound symbols pass and writes the symbol's slot into them.

    Parameters
    ----------
    symbols : int
        Slots, 1 to 256.

    Ports
    -----
    input : In(stream.Signature(BookEvent, always_ready=True))
        Events of all symbols of the venue.
    bindings : In(data.ArrayLayout(SymbolBinding, symbols))
        The venue's own number of the symbol in each slot. Of two slots with the same number the lower one counts.
    output : Out(stream.Signature(BookEvent, always_ready=True))
        Events of bound symbols, ``symbol`` set.

    Latency: ``LATENCY`` cycles; one event per cycle.
    """

    LATENCY = 1

    def __init__(self, symbols: int):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        self.symbols = symbols
        super().__init__({
            "input": In(stream.Signature(BookEvent, always_ready=True)),
            "bindings": In(data.ArrayLayout(SymbolBinding, symbols)),
            "output": Out(stream.Signature(BookEvent, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        event = self.input.payload
        matches = [binding.enable & (binding.locate == event.locate) for binding in self.bindings]
        found, slot = lowest(matches)
        m.d.sync += [
            self.output.payload.eq(event),
            self.output.payload.symbol.eq(slot),
            self.output.valid.eq(self.input.valid & found),
        ]
        return m

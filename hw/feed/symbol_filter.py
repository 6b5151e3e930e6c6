"""Which symbols the card follows."""

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

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
        found, slot = self._lowest([(match, Const(index, 8)) for index, match in enumerate(matches)])
        m.d.sync += [
            self.output.payload.eq(event),
            self.output.payload.symbol.eq(slot),
            self.output.valid.eq(self.input.valid & found),
        ]
        return m

    def _lowest(self, candidates):
        """Whether one of (match, slot) matches and the slot of the first that does, as a tree."""
        if len(candidates) == 1:
            return candidates[0]
        half = len(candidates) // 2
        (found, slot), (other_found, other_slot) = self._lowest(candidates[:half]), self._lowest(candidates[half:])
        return found | other_found, Mux(found, slot, other_slot)

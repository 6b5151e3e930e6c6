"""Which symbols the card follows, for protocols that call them by their names."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.choice import lowest
from hw.types import BookEvent, BookEventKind, SymbolBinding


class NameFilter(wiring.Component):
    """Lets the events of followed symbols pass and writes the symbol's slot into them and into the reference of a SET.

    Parameters
    ----------
    symbols : int
        Slots, 1 to 256.

    Ports
    -----
    input : In(stream.Signature(BookEvent, always_ready=True))
        Events of all symbols of the venue.
    name : In(64)
        With ``input``: the symbol, padded with spaces, its first byte in bits 7:0.
    named : In(1)
        With ``input``: there is a name. An event without one passes with slot 0: it is of an order, and the book answers on the symbol
        that the order was added on.
    bindings : In(data.ArrayLayout(SymbolBinding, symbols))
        Which slots the venue has; the locate is not looked at.
    names : In(data.ArrayLayout(64, symbols))
        The symbol in each slot, in the same form. Of two enabled slots with the same name the lower one counts.
    output : Out(stream.Signature(BookEvent, always_ready=True))
        Events of followed symbols, ``symbol`` set.

    Latency: ``LATENCY`` cycles; one event per cycle.
    """

    LATENCY = 1

    def __init__(self, symbols: int):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        self.symbols = symbols
        super().__init__({
            "input": In(stream.Signature(BookEvent, always_ready=True)),
            "name": In(64),
            "named": In(1),
            "bindings": In(data.ArrayLayout(SymbolBinding, symbols)),
            "names": In(data.ArrayLayout(64, symbols)),
            "output": Out(stream.Signature(BookEvent, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        event = self.input.payload
        matches = [binding.enable & (name == self.name) for binding, name in zip(self.bindings, self.names, strict=True)]
        found, slot = lowest(matches)
        m.d.sync += [
            self.output.payload.eq(event),
            self.output.payload.symbol.eq(Mux(self.named, slot, 0)),
            self.output.valid.eq(self.input.valid & (found | ~self.named)),
        ]
        with m.If(event.kind == BookEventKind.SET):
            m.d.sync += self.output.payload.reference.eq(Cat(event.reference[:33], slot))
        return m

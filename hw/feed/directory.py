"""Binds symbols by their names: a venue says every morning which number each of its symbols has for the day."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.commit_buffer import CommitBuffer
from hw.types import DirectoryEntry, SymbolBinding


class DirectoryBinder(wiring.Component):
    """Follows a venue's directory and binds each slot that has a name to the number that the name has there.

    The newest entry of a good frame counts; what the host has bound itself stays as it is.

    Parameters
    ----------
    symbols : int
        Slots, 1 to 256.
    depth : int
        Entries for slots of the card that one frame may have; a power of two. A frame that has more binds nothing.

    Ports
    -----
    entries : In(stream.Signature(DirectoryEntry, always_ready=True))
        The directory, as it comes.
    commit, discard : In(1)
        What becomes of all entries since the last of these pulses, this cycle's included.
    names : In(data.ArrayLayout(64, symbols))
        Name of each slot, as in ``DirectoryEntry``; 0: none. Of two slots with the same name the lower one is bound.
    renamed : In(symbols)
        Pulse per slot: its name is another from now on, what it was bound to is forgotten, and so is every entry under way.
    host_bindings : In(data.ArrayLayout(SymbolBinding, symbols))
        Those that are enabled win.
    bindings : Out(data.ArrayLayout(SymbolBinding, symbols))
    bound : Out(symbols)
        The slot is bound by its name.
    missed : Out(1)
        Pulse: a good frame had too many entries.

    Latency: ``LATENCY`` cycles from ``commit`` to the first binding, then one binding per cycle.
    """

    MATCHING = 2
    LATENCY = MATCHING + CommitBuffer.LATENCY + 2

    def __init__(self, symbols: int, depth: int = 64):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        self.symbols, self.depth = symbols, depth
        super().__init__({
            "entries": In(stream.Signature(DirectoryEntry, always_ready=True)),
            "commit": In(1), "discard": In(1),
            "names": In(data.ArrayLayout(64, symbols)), "renamed": In(symbols),
            "host_bindings": In(data.ArrayLayout(SymbolBinding, symbols)),
            "bindings": Out(data.ArrayLayout(SymbolBinding, symbols)), "bound": Out(symbols), "missed": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        buffer = CommitBuffer(data.StructLayout({"slot": range(self.symbols), "locate": 16}), self.depth)
        m.submodules.buffer = ResetInserter(self.renamed.any())(buffer)
        self._match(m, buffer)
        self._bind(m, buffer.output)
        return m

    def _match(self, m, buffer):
        """A cycle to compare the name with every slot's, a cycle to tell which slot that is; commit and discard wait as long."""
        entry = self.entries.payload
        valid, locate, found = Signal(), Signal(16), Signal(self.symbols)
        m.d.sync += [
            valid.eq(self.entries.valid & ~self.renamed.any()), locate.eq(entry.locate),
            found.eq(Cat((name == entry.name) & (name != 0) for name in self.names)),
        ]
        slot = 0
        for number in reversed(range(self.symbols)):
            slot = Mux(found[number], number, slot)
        m.d.sync += [
            buffer.input.valid.eq(valid & found.any() & ~self.renamed.any()),
            buffer.input.payload.slot.eq(slot), buffer.input.payload.locate.eq(locate),
        ]
        for pulse, out in ((self.commit, buffer.commit), (self.discard, buffer.discard)):
            waits = Signal()
            m.d.sync += [waits.eq(pulse), out.eq(waits)]
        m.d.comb += self.missed.eq(buffer.dropped)

    def _bind(self, m, matches):
        learned = Signal(data.ArrayLayout(SymbolBinding, self.symbols))
        m.d.comb += matches.ready.eq(1)
        with m.If(matches.valid):
            m.d.sync += [learned[matches.payload.slot].locate.eq(matches.payload.locate), learned[matches.payload.slot].enable.eq(1)]
        for slot, (own, host, binding) in enumerate(zip(learned, self.host_bindings, self.bindings, strict=True)):
            with m.If(self.renamed[slot]):
                m.d.sync += own.enable.eq(0)
            m.d.sync += [
                binding.enable.eq(host.enable | own.enable),
                binding.locate.eq(Mux(host.enable, host.locate, own.locate)),
                self.bound[slot].eq(own.enable & ~host.enable),
            ]

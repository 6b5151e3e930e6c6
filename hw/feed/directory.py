"""Binds symbols by their names: a venue says every morning which number each of its symbols has for the day."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.commit_buffer import CommitBuffer
from hw.types import DirectoryEntry, SymbolBinding


class DirectoryBinder(wiring.Component):
    """Follows a venue's directory and binds each slot that has a name to the number that the name has there.

    The newest entry of a good frame counts, on whichever line it came; what the host has bound itself stays as it is.

    Parameters
    ----------
    symbols : int
        Slots, 1 to 256.
    lines : int
        Lines of the venue, at least 1.
    depth : int
        Entries for slots of the card that one frame may have; a power of two. A frame that has more binds nothing.

    Ports
    -----
    entries : In(stream.Signature(DirectoryEntry, always_ready=True)).array(lines)
        The directory, as it comes.
    commit, discard : In(lines)
        What becomes of all of a line's entries since the last of these pulses, this cycle's included.
    names : In(data.ArrayLayout(64, symbols))
        Name of each slot, as in ``DirectoryEntry``; 0: none. Of two slots with the same name the lower one is bound.
    renamed : In(symbols)
        Pulse per slot: its name is another from now on, what it was bound to is forgotten, and so is every entry under way.
    enable : In(1)
        0: only the host binds; what the directory says is remembered all the same.
    host_bindings : In(data.ArrayLayout(SymbolBinding, symbols))
        Those that are enabled win.
    bindings : Out(data.ArrayLayout(SymbolBinding, symbols))
    bound : Out(symbols)
        The slot is bound by its name.
    missed : Out(lines)
        Pulse: a good frame had too many entries.

    Latency: ``LATENCY`` cycles from ``commit`` to the first binding, then one binding per cycle, of all lines together.
    """

    MATCHING = 2
    LATENCY = MATCHING + CommitBuffer.LATENCY + 2

    def __init__(self, symbols: int, lines: int = 1, depth: int = 64):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        if lines < 1:
            raise ValueError(f"lines must be at least 1, not {lines}")
        self.symbols, self.lines, self.depth = symbols, lines, depth
        super().__init__({
            "entries": In(stream.Signature(DirectoryEntry, always_ready=True)).array(lines),
            "commit": In(lines), "discard": In(lines),
            "names": In(data.ArrayLayout(64, symbols)), "renamed": In(symbols), "enable": In(1),
            "host_bindings": In(data.ArrayLayout(SymbolBinding, symbols)),
            "bindings": Out(data.ArrayLayout(SymbolBinding, symbols)), "bound": Out(symbols), "missed": Out(lines),
        })

    def elaborate(self, platform):
        m = Module()
        self._bind(m, [self._match(m, line) for line in range(self.lines)])
        return m

    def _match(self, m, line):
        """A cycle to compare the name with every slot's, a cycle to tell which slot that is; commit and discard wait as long.

        Returns the matches of the line's good frames.
        """
        buffer = CommitBuffer(data.StructLayout({"slot": range(self.symbols), "locate": 16}), self.depth)
        m.submodules[f"buffer_{line}"] = ResetInserter(self.renamed.any())(buffer)
        entry = self.entries[line].payload
        valid, locate, found = Signal(), Signal(16), Signal(self.symbols)
        m.d.sync += [
            valid.eq(self.entries[line].valid & ~self.renamed.any()), locate.eq(entry.locate),
            found.eq(Cat((name == entry.name) & (name != 0) for name in self.names)),
        ]
        slot = 0
        for number in reversed(range(self.symbols)):
            slot = Mux(found[number], number, slot)
        m.d.sync += [
            buffer.input.valid.eq(valid & found.any() & ~self.renamed.any()),
            buffer.input.payload.slot.eq(slot), buffer.input.payload.locate.eq(locate),
        ]
        for pulse, out in ((self.commit[line], buffer.commit), (self.discard[line], buffer.discard)):
            waits = Signal()
            m.d.sync += [waits.eq(pulse), out.eq(waits)]
        m.d.comb += self.missed[line].eq(buffer.dropped)
        return buffer.output

    def _bind(self, m, lines):
        """One match in a cycle, the lower line's first."""
        learned, taken = Signal(data.ArrayLayout(SymbolBinding, self.symbols)), 0
        for matches in lines:
            m.d.comb += matches.ready.eq(~taken)
            slot, locate = matches.payload.slot, matches.payload.locate
            with m.If(matches.valid & matches.ready):
                m.d.sync += [learned[slot].locate.eq(locate), learned[slot].enable.eq(1)]
            taken = taken | matches.valid
        for slot, (own, host, binding) in enumerate(zip(learned, self.host_bindings, self.bindings, strict=True)):
            with m.If(self.renamed[slot]):
                m.d.sync += own.enable.eq(0)
            m.d.sync += [
                binding.enable.eq(host.enable | own.enable & self.enable),
                binding.locate.eq(Mux(host.enable, host.locate, own.locate)),
                self.bound[slot].eq(own.enable & self.enable & ~host.enable),
            ]

"""Holds back what a frame caused until the frame is known to be good."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory


class CommitBuffer(wiring.Component):
    """A queue whose entries can be taken back until they are committed.

    Parameters
    ----------
    shape : ShapeLike
        Shape of an entry.
    depth : int
        Entries held, committed or not; a power of two, at least 2.
    block_ram : bool
        Where they are kept; False: in the logic's own small memories.

    Ports
    -----
    input : In(stream.Signature(shape, always_ready=True))
        Entries. One that finds the buffer full is lost, and with it all that is not committed yet.
    commit, discard : In(1)
        What becomes of all entries since the last of these pulses, one received in this very cycle included.
        ``discard`` wins over ``commit``.
    clear : In(1)
        Throws away what was committed before this cycle; what is not, or is in this very cycle, stays.
    output : Out(stream.Signature(shape))
        Committed entries in order. The payload comes straight from the block RAM, or from a register beside it: register it before long
        logic.
    overflow : Out(1)
        An entry of those not committed yet was lost: even ``commit`` will discard them. Combinational from ``input``.
    dropped : Out(1)
        Pulse, one cycle after a ``commit`` that had to discard because of ``overflow``.
    level : Out(range(depth + 1))
        Entries held, committed or not, the one at the output included.

    Latency: ``LATENCY`` cycles from an entry's commit to the output if it found nothing ahead of it when it came, else one more; one entry
    per cycle in and out.
    """

    LATENCY = 1

    def __init__(self, shape, depth: int, *, block_ram: bool = True):
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two and at least 2, not {depth}")
        self.shape = shape
        self.depth = depth
        self._attributes = {} if block_ram else {"ram_style": "distributed"}
        super().__init__({
            "input": In(stream.Signature(shape, always_ready=True)),
            "commit": In(1),
            "discard": In(1),
            "clear": In(1),
            "output": Out(stream.Signature(shape)),
            "overflow": Out(1),
            "dropped": Out(1),
            "level": Out(range(depth + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        # an entry is fetched after its commit
        m.submodules.memory = entries = ExclusiveMemory(shape=self.shape, depth=self.depth, attrs=self._attributes)
        write, read = entries.write_port(), entries.read_port()

        # Free-running numbers of entries, one bit wider than an address: taken <= fetched, committed <= written. No entry is fetched before
        # its commit, but for one that finds nothing ahead of it: it waits for its frame's fate at the output.
        written, committed, fetched, taken = self._numbers = [
            Signal(range(2 * self.depth), name=name) for name in ("written", "committed", "fetched", "taken")
        ]
        lost = Signal()
        full, store, after = Signal(), Signal(), Signal.like(written)
        m.d.comb += [
            self.level.eq((written - taken)[: len(written)]),
            full.eq(self.level[-1]),
            self.overflow.eq(lost | self.input.valid & full),
            store.eq(self.input.valid & ~full & ~lost),
            after.eq(written + store),
            write.addr.eq(written),
            write.data.eq(self.input.payload),
            write.en.eq(store),
        ]

        keep, end = Signal(), Signal()
        m.d.comb += [end.eq(self.commit | self.discard), keep.eq(self.commit & ~self.discard & ~self.overflow)]
        m.d.sync += [
            lost.eq(self.overflow & ~end),
            written.eq(Mux(end & ~keep, committed, after)),
            committed.eq(Mux(keep, after, committed)),
            self.dropped.eq(self.commit & ~self.discard & self.overflow),
        ]

        fetch, take, room = Signal(), Signal(), Signal()
        passes, direct = Signal(), Signal()  # an entry goes past the RAM; the one at the output did
        self._waiting = waiting = Signal()  # and has no fate yet
        beside = Signal(self.shape)
        m.d.comb += [
            take.eq(self.output.valid & self.output.ready),
            room.eq(~waiting & (~self.output.valid | self.output.ready)),
            fetch.eq((fetched != committed) & room),
            passes.eq(store & (fetched == written) & room),
            read.addr.eq(fetched),
            read.en.eq(fetch),
            self.output.payload.eq(Mux(direct, beside, read.data)),
        ]
        m.d.sync += [
            fetched.eq(fetched + (fetch | passes)),
            taken.eq(taken + take),
            waiting.eq((passes | waiting) & ~end),
            self.output.valid.eq(Mux(passes | waiting, keep, fetch | self.output.valid & ~take)),
        ]
        with m.If(room):
            m.d.sync += [beside.eq(self.input.payload), direct.eq(passes)]
        with m.If((passes | waiting) & end & ~keep):
            m.d.sync += fetched.eq(committed)
        with m.If(self.clear):
            m.d.sync += taken.eq(committed)
            with m.If(~(passes | waiting)):
                m.d.sync += [fetched.eq(committed), self.output.valid.eq(0)]
        return m

"""Nothing of a discarded frame comes out, and all of a kept one does, once and in order: proved for every reachable state.

The buffer is the real one with four places; its RAM is replaced by flip-flops that behave the same and that the proof can see.
The fate of each frame is foretold by a free input and travels in its entries; traces in which it was foretold wrongly do not count.
"""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cover, Elaboratable, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

import hw.lib.commit_buffer
from tests.formal.prove import mutated, prove

PLACES = 4


class Entry(data.Struct):
    kept: 1
    """The foretold fate of its frame."""
    number: 4
    """How many entries were kept before this one."""


class Rows(Elaboratable):
    """In place of the RAM: the same ports, and rows that can be looked at; none is read where it is written."""

    def __init__(self, *, shape, depth, attrs):
        assert (shape, depth) == (Entry, PLACES)
        self.rows = [Signal(Entry, name=f"row_{at}") for at in range(depth)]
        self._write = wiring.PureInterface(wiring.Signature({"addr": In(range(depth)), "data": In(Entry), "en": In(1)}).flip())
        self._read = wiring.PureInterface(wiring.Signature({"addr": In(range(depth)), "data": Out(Entry), "en": In(1)}).flip())

    def write_port(self):
        return self._write

    def read_port(self):
        return self._read

    def elaborate(self, platform):
        m = Module()
        m.d.comb += Assert(~(self._read.en & self._write.en & (self._read.addr == self._write.addr)))
        with m.If(self._read.en):
            m.d.sync += self._read.data.eq(Array(self.rows)[self._read.addr])
        with m.If(self._write.en):
            m.d.sync += Array(self.rows)[self._write.addr].eq(self._write.data)
        return m


class Promise(wiring.Component):
    valid: In(1)
    foretold: In(1)
    commit: In(1)
    discard: In(1)
    clear: In(1)
    ready: In(1)

    def __init__(self, module=hw.lib.commit_buffer, *, covers=False):
        super().__init__()
        self._module, self._covers = module, covers

    def ports(self):
        return [getattr(self, name) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        rows = []

        def Memory(**arguments):
            rows.append(Rows(**arguments))
            return rows[0]

        ram, self._module.ExclusiveMemory = self._module.ExclusiveMemory, Memory
        buffer = self._module.CommitBuffer(Entry, PLACES)
        inside = buffer.elaborate(platform)
        self._module.ExclusiveMemory = ram
        m.submodules.buffer = inside

        kept, stored_before, taken_before = Signal(), Signal(4), Signal(4)
        end = self.commit | self.discard
        m.d.comb += [
            buffer.input.valid.eq(self.valid),
            buffer.input.payload.kept.eq(kept),
            buffer.input.payload.number.eq(stored_before),
            buffer.commit.eq(self.commit),
            buffer.discard.eq(self.discard),
            buffer.clear.eq(self.clear),
            buffer.output.ready.eq(self.ready),
            Assume(~end | (kept == (self.commit & ~self.discard & ~buffer.overflow))),
        ]
        with m.If(end):
            m.d.sync += kept.eq(self.foretold)
        m.d.sync += [
            stored_before.eq(stored_before + (self.valid & kept & ~buffer.overflow)),
            taken_before.eq(taken_before + (buffer.output.valid & self.ready)),
        ]
        written, committed, _, _ = buffer._numbers
        with m.If(self.clear):  # all that was committed is gone
            m.d.sync += taken_before.eq(stored_before - Mux(kept, (written - committed)[: len(written)], 0))
        if self._covers:
            m.d.comb += [Cover(buffer.dropped), Cover(buffer.output.valid & (buffer.output.payload.number == 6))]
        else:
            self._promise(m, buffer, taken_before)
            self._support(m, buffer, rows[0].rows, kept, stored_before, taken_before)
        return m

    def _promise(self, m, buffer, taken_before):
        """What is told to the world."""
        out = buffer.output
        before, waited = Signal(Entry), Signal()
        m.d.sync += [before.eq(out.payload), waited.eq(out.valid & ~self.ready & ~self.clear)]
        with m.If(out.valid):
            m.d.comb += [Assert(out.payload.kept), Assert(out.payload.number == taken_before)]
        with m.If(waited):
            m.d.comb += [Assert(out.valid), Assert(out.payload.as_value() == before.as_value())]

    def _support(self, m, buffer, rows, kept, stored_before, taken_before):
        """What makes the induction go through: the order of the numbers, and what is in each row."""
        written, committed, fetched, taken = buffer._numbers
        fetched, committed, written = ((number - taken)[: len(taken)] for number in (fetched, committed, written))
        waiting = buffer._waiting
        m.d.comb += [
            Assert(fetched == (buffer.output.valid | waiting)),
            Assert(~(waiting & buffer.output.valid)),
            Assert(~waiting | (committed == 0) & (written != 0) & (buffer.output.payload.kept == kept)
                   & (~kept | (buffer.output.payload.number == taken_before))),
            Assert((fetched <= Mux(waiting, 1, committed)) & (committed <= written) & (written <= PLACES)),
            Assert(stored_before == (taken_before + Mux(kept, written, committed))[:4]),
        ]
        for at, row in enumerate(rows):
            place = (at - taken)[:2]
            with m.If(place < committed):
                m.d.comb += [Assert(row.kept), Assert(row.number == (taken_before + place)[:4])]
            with m.Elif(place < written):
                m.d.comb += [Assert(row.kept == kept), Assert(~kept | (row.number == (taken_before + place)[:4]))]


@pytest.mark.formal
def test_only_kept_frames_come_out(tmp_path):
    promise = Promise()
    prove(promise, tmp_path, ports=promise.ports(), depth=4)


@pytest.mark.formal
def test_the_proof_is_not_empty(tmp_path):
    promise = Promise(covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=20, mode="cover")


MUTANTS = {
    "a discarded frame stays": ("written.eq(Mux(end & ~keep, committed, after))", "written.eq(after)"),
    "the last entry is left behind": ("committed.eq(Mux(keep, after, committed))", "committed.eq(Mux(keep, written, committed))"),
    "commit wins over discard": ("keep.eq(self.commit & ~self.discard & ~self.overflow)", "keep.eq(self.commit & ~self.overflow)"),
    "a frame with a loss is kept": ("keep.eq(self.commit & ~self.discard & ~self.overflow)", "keep.eq(self.commit & ~self.discard)"),
    "a full buffer overwrites": ("store.eq(self.input.valid & ~full & ~lost)", "store.eq(self.input.valid & ~lost)"),
    "a clear leaves an entry behind": ("m.d.sync += taken.eq(committed)", "m.d.sync += taken.eq(taken)"),
    "a clear takes what is not committed": ("with m.If(~(passes | waiting)):", "with m.If(1):"),
    "entries go out before the commit": ("(fetched != committed)", "(fetched != written)"),
    "what waits for its fate goes out without": ("Mux(passes | waiting, keep, ", "Mux(passes | waiting, end, "),
    "what waits stays after a discard": ("waiting.eq((passes | waiting) & ~end)", "waiting.eq((passes | waiting) & ~keep)"),
    "an entry passes those ahead of it": ("store & (fetched == written) & room", "store & room"),
}


@pytest.mark.formal
@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    promise = Promise(mutated(hw.lib.commit_buffer, *MUTANTS[name]))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=12, mode="bmc")

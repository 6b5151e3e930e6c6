"""Within a packet no message is delivered twice, none out of order, and none that its span does not hold: proved for every reachable state.

Whatever packets come, with any lengths, numbers and verdicts: the messages delivered have rising sequence numbers from the span's first on,
and with a good verdict all of them lie below the span's next. Sequence numbers stay below 2^63, a payload below 2^16 bytes. From packet to
packet it is the line arbiter that puts them in order: tests/formal/test_line_arbiter.py.
"""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal

import hw.feed.moldudp64
from hw.feed.moldudp64 import FIRST_BLOCK
from hw.reasons import DropReason
from hw.types import Sequence
from tests.formal.framer_source import LONGEST, FramerSource, at_most_one
from tests.formal.prove import mutated, prove


class Promise(FramerSource):
    """What the messages of each packet keep."""

    def __init__(self, module=hw.feed.moldudp64, *, covers=False):
        super().__init__()
        self._framer, self._covers = module.MoldUdp64(), covers

    def elaborate(self, platform):
        m = Module()
        framer = self._framer
        inside = framer.elaborate(platform)
        m.submodules.framer = inside
        self._feed(m, framer)
        m.d.comb += Assume(~framer._sequence[63])
        self._promise(m, framer)
        if self._covers:
            m.d.comb += Cover(self._good & self._seen & (self._last == framer.span.first + 3))
        else:
            self._support(m, framer)
        return m

    def _promise(self, m, framer):
        """``last``: of the packet that is under way."""
        words, verdict = framer.words, framer.verdict
        self._seen, self._last, self._delivered, self._good = Signal(), Signal(Sequence), Signal(), Signal()
        m.d.comb += [
            self._delivered.eq(words.valid & words.payload.ends),
            self._good.eq(verdict.valid & (verdict.payload.reason == DropReason.NONE)),
        ]
        with m.If(self._delivered):
            m.d.sync += [self._seen.eq(1), self._last.eq(words.payload.sequence)]
        with m.If(verdict.valid):
            m.d.sync += self._seen.eq(0)

        with m.If(~Const(self._covers)):
            m.d.comb += [
                Assert(~(self._delivered & self._seen) | (words.payload.sequence > self._last)),
                Assert(~(words.valid & verdict.valid)),
                Assert(~self._delivered | (words.payload.sequence >= framer._sequence)),
                Assert(~(self._good & self._seen) | ((self._last >= framer.span.first) & (self._last < framer.span.next))),
                Assert(~self._good | (framer.span.first == framer._sequence)),
                Assert(~framer.end_of_session | self._good),
            ]

    def _support(self, m, framer):
        """What makes the induction go through."""
        taken = Signal(range(LONGEST + 1))  # words of the packet that the second cycle is done with
        with m.If(framer._finish):
            m.d.sync += taken.eq(0)
        with m.Elif(framer._here):
            m.d.sync += taken.eq(taken + 1)
        body = taken >= 3
        m.d.comb += [
            Assert(Mux(framer._finish, (self._words == 0) & ~framer._here, taken + framer._here == self._words)),
            Assert(framer._word == Mux(framer._here & (taken < 3), (Const(1, 4) << taken[:2])[:3], 0)),
            Assert(framer._following == Mux(self._words < 3, (Const(1, 4) << self._words[:2])[:3], 0)),
            Assert(~framer.verdict.valid | ((taken == 0) & (self._words <= 1))),
            Assert(~framer.words.valid | body),
        ]
        self._support_chains(m, framer, taken)
        self._support_numbers(m, framer, taken, body)

    def _support_chains(self, m, framer, taken):
        """At most one block begins wherever one is looked for, and one that leaves the word was counted."""
        for chain in framer._chains.values():
            m.d.comb += [
                Assert(at_most_one(chain.leaves)),
                Assert(at_most_one(chain.begun)),
                Assert(~chain.leaves.any() | chain.begun[1:].any()),
                Assert(~(chain.leaves.any() & chain.splits)),
            ]
        for block in framer._blocks.values():
            m.d.comb += [Assert(at_most_one(block.next)), Assert(~(block.far & block.next[:8].any()))]
        places = Cat(framer._split, framer._passing, framer._lane[:8])
        idle = ~(places.any() | framer._lane[8] | framer._delivering | framer._waits | framer._whole)
        m.d.comb += [
            Assert(at_most_one(places)),
            Assert(at_most_one(framer._lane)),
            Assert(~framer._lane[8] | framer._passing),
            Assert(~(framer._blocks[6].long & framer._blocks[6].next.any())),
            Assert(~(framer._waits & framer._lane.any())),
            Assert((taken >= 2) | idle),
            Assert((taken != 2) | ((framer._lane == 1 << FIRST_BLOCK) & ~framer._delivering & ~framer._waits & ~framer._whole)),
            Assert(framer._begun <= 4),
        ]

    def _support_numbers(self, m, framer, taken, body):
        """How the counts hang together while the blocks come, and up to the verdict."""
        words, first = framer.words, framer._sequence
        seen, last = self._seen | self._delivered, Mux(self._delivered, words.payload.sequence, self._last)
        counted, begun, total = framer._blocks_seen, framer._begun, Signal(17)
        m.d.comb += total.eq(counted + begun)
        with m.If(body):
            m.d.comb += [
                Assert(framer._number == (first + counted - 1)[:64]),
                Assert(total <= 4 * taken),
                Assert(~(framer._delivering | framer._waits) | (total >= 1)),
                Assert(~seen | ((last >= first) & (last < first + total))),
                Assert(~(seen & (framer._delivering | framer._waits)) | (last + 1 < first + total)),
            ]
        with m.Elif(~framer.verdict.valid):
            m.d.comb += Assert(~seen)
        with m.If(self._good):
            m.d.comb += [
                Assert(framer._after == (first + framer._messages)[:64]),
                Assert(~self._seen | ((self._last >= first) & (self._last < first + framer._messages))),
            ]


@pytest.mark.formal
def test_every_message_once_and_in_order(tmp_path):
    promise = Promise()
    prove(promise, tmp_path, ports=promise.ports(), depth=2)


@pytest.mark.formal
def test_the_proof_is_not_empty(tmp_path):
    """Two packets can deliver, one after the other."""
    promise = Promise(covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=14, mode="cover")


MUTANTS = {
    "a message has the number of the one before": ("out.sequence.eq(self._number + self._begun)", "out.sequence.eq(self._number)"),
    "the span ends one early": ("self._after.eq(self._sequence + self._messages)", "self._after.eq(self._sequence + self._messages - 1)"),
    "a bad packet leaves its rest": ("self._delivering.eq(0), self._waits.eq(0)", "self._waits.eq(0)"),
    "the count of messages is not checked": (" | ((self._blocks_seen + self._begun) != self._messages)", ""),
}  # fmt: skip


@pytest.mark.formal
@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    promise = Promise(mutated(hw.feed.moldudp64, *MUTANTS[name]))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=2)

"""PITCH, IEX-TP: of a packet that is good, every message once, in order, and none that its span does not hold; in every reachable state.

Whatever packets come, with any lengths, numbers and verdicts: where the verdict is good, the messages that were delivered have rising
sequence numbers from the span's first on, and all of them lie below the span's next. Sequence numbers stay below 2^63, a payload below
2^16 bytes. From packet to packet it is the line arbiter that puts them in order: tests/formal/test_line_arbiter.py.
"""

import sys

import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal

import hw.feed.iex_tp
import hw.feed.packet_framer
import hw.feed.pitch_unit
from hw.reasons import DropReason
from hw.types import Sequence
from tests.formal.framer_source import LONGEST, FramerSource, at_most_one
from tests.formal.prove import mutated, prove


class Promise(FramerSource):
    """What the messages of a good packet keep. ``framer``: its class; a mutant has other modules."""

    def __init__(self, framer, *, covers=False):
        super().__init__()
        self._framer, self._covers = framer(), covers
        self._pitch = framer.__name__ == "PitchUnit"

    def elaborate(self, platform):
        m = Module()
        framer = self._framer
        m.submodules.framer = framer.elaborate(platform)
        self._feed(m, framer)
        m.d.comb += Assume(~framer._first[63])
        self._promise(m, framer)
        if self._covers:
            m.d.comb += Cover(self._good & self._seen & (self._last == framer.span.first + 2))
        else:
            self._support(m, framer)
        return m

    def _promise(self, m, framer):
        """``last``: of the packet that is under way; ``wrong``: its numbers did not rise, or began below its first."""
        words, verdict = framer.words, framer.verdict
        self._seen, self._last, self._delivered, self._good, self._wrong = Signal(), Signal(Sequence), Signal(), Signal(), Signal()
        number = words.payload.sequence
        m.d.comb += [
            self._delivered.eq(words.valid & words.payload.ends),
            self._good.eq(verdict.valid & (verdict.payload.reason == DropReason.NONE)),
        ]
        with m.If(self._delivered):
            m.d.sync += [self._seen.eq(1), self._last.eq(number)]
            m.d.sync += self._wrong.eq(self._wrong | (self._seen & (number <= self._last)) | (number < framer._first))
        with m.If(verdict.valid):
            m.d.sync += [self._seen.eq(0), self._wrong.eq(0)]

        with m.If(~Const(self._covers)):
            m.d.comb += [
                Assert(~(self._good & self._wrong)),
                Assert(~(words.valid & verdict.valid)),
                Assert(~(self._good & self._seen) | ((self._last >= framer.span.first) & (self._last < framer.span.next))),
                Assert(~self._good | (framer.span.first == framer._first)),
                Assert(~framer.end_of_session | self._good),
            ]

    def _support(self, m, framer):
        """What makes the induction go through."""
        size = framer.HEADER_WORDS
        taken = Signal(range(LONGEST + 1))  # words of the packet that the second cycle is done with
        with m.If(framer._finish):
            m.d.sync += taken.eq(0)
        with m.Elif(framer._here):
            m.d.sync += taken.eq(taken + 1)
        body = taken >= size

        def only(words):
            """One-hot: the word behind so many."""
            return (Const(1, size + 1) << words[:3])[:size]

        m.d.comb += [
            Assert(Mux(framer._finish, (self._words == 0) & ~framer._here, taken + framer._here == self._words)),
            Assert(framer._word == Mux(framer._here & (taken < size), only(taken), 0)),
            Assert(framer._following == Mux(self._words < size, only(self._words), 0)),
            Assert(~framer.verdict.valid | ((taken == 0) & (self._words <= 1))),
            Assert(~framer.words.valid | body),
        ]
        (self._support_pitch if self._pitch else self._support_iex)(m, framer)
        self._support_boundaries(m, framer, taken)
        self._support_numbers(m, framer, taken, body)

    def _support_boundaries(self, m, framer, taken):
        """One boundary is known, or how far it is; none before the header is through. A bad length excuses from all."""
        size, waits = framer.HEADER_WORDS, self._waits
        places = Cat(framer._lane, framer._skip.any(), self._split)
        idle = ~(places.any() | framer._delivering | waits | framer._whole | framer._broken)
        m.d.comb += [
            Assert(framer._broken | at_most_one(places)),
            Assert(framer._broken | ~framer._skip.any() | at_most_one(framer._target)),
            Assert((taken >= size) | idle),
            Assert((taken != size) | ((framer._lane == 1) & ~(self._split | framer._skip.any() | framer._delivering | waits))),
        ]

    def _support_iex(self, m, framer):
        """A block's length leads out of the word, and past the next one if its message begins there."""
        self._waits, self._split = framer._waits, framer._split
        for lane, hop in framer._hop_from.items():
            m.d.comb += Assert(at_most_one(hop.lane))
            if lane == 6:
                m.d.comb += Assert(hop.bad | ~hop.near)
        m.d.comb += Assert(framer._broken | ~(framer._waits & (framer._lane.any() | framer._split | framer._delivering)))

    def _support_pitch(self, m, framer):
        """What stays in the word is short, and only one does."""
        self._waits = self._split = Const(0, 1)
        to_6, from_0_to_7, from_1_to_7, long = framer._staying
        m.d.comb += [
            Assert(~(to_6 & from_0_to_7)),
            Assert(~((to_6 | from_0_to_7) & long[0])),
            Assert(~(from_1_to_7 & long[1])),
            Assert(~framer._first[32:].any()),
            Assert(framer._first.any() | ~framer._delivering),
        ]
        for _, hop in framer._hops:
            m.d.comb += Assert(at_most_one(hop.lane))

    def _support_numbers(self, m, framer, taken, body):
        """How the counts hang together while the messages come, and up to the verdict."""
        words, first, total = framer.words, framer._first, framer._seen
        seen, last = self._seen | self._delivered, Mux(self._delivered, words.payload.sequence, self._last)
        open_message = framer._delivering | self._waits
        wrong = Signal()  # as it will be
        m.d.comb += wrong.eq(self._wrong | (self._delivered & ((self._seen & (last <= self._last)) | (last < first))))
        following = (first + framer._messages)[:64]
        if self._pitch:
            following = Mux(first.any(), following, 0)
        with m.If(taken >= max(framer.HEADER_WORDS - 1, 1)):  # the last word but one of IEX-TP's header has the number
            m.d.comb += Assert(framer._next == following)
        with m.If(body):
            m.d.comb += [
                Assert(framer._number_now == (first + total - 1)[:64]),
                Assert(total <= 2 * taken),
                Assert(framer._broken | ~wrong),
                Assert(framer._broken | ~seen | ((last >= first) & (last < first + total))),
                Assert(~open_message | (total >= 1)),
                Assert(framer._broken | ~(seen & open_message) | (last + 1 < first + total)),
            ]
        with m.Elif(~framer.verdict.valid):
            m.d.comb += [Assert(~seen), Assert(~self._wrong)]
        with m.If(~body):
            m.d.comb += Assert(total == 0)
        if self._pitch:
            m.d.comb += Assert(~(seen & (body | self._good)) | first.any())
        with m.If(self._good):
            m.d.comb += [
                Assert(~self._wrong),
                Assert(framer.span.next == following),
                Assert(~self._seen | ((self._last >= first) & (self._last < first + framer._messages))),
            ]


FRAMERS = {"pitch": hw.feed.pitch_unit.PitchUnit, "iex": hw.feed.iex_tp.IexTp}


@pytest.mark.formal
@pytest.mark.parametrize("name", FRAMERS)
def test_every_message_once_and_in_order(tmp_path, name):
    promise = Promise(FRAMERS[name])
    prove(promise, tmp_path, ports=promise.ports(), depth=2)


@pytest.mark.formal
@pytest.mark.parametrize("name", FRAMERS)
def test_the_proof_is_not_empty(tmp_path, name):
    """A good packet can deliver three messages."""
    promise = Promise(FRAMERS[name], covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=18, mode="cover")


BASE, PITCH, IEX = hw.feed.packet_framer, hw.feed.pitch_unit, hw.feed.iex_tp
MUTANTS = {
    "the numbers stand still": ("pitch", BASE, "number.eq(self._number_now)]", "number.eq(number)]"),
    "the count of messages is not checked": ("iex", BASE, " & (self._seen == self._messages)", ""),
    "a bad packet leaves its rest": ("iex", BASE, "m.d.sync += delivering.eq(0)", "pass"),
    "the span of PITCH ends one early": ("pitch", PITCH, "Mux(first.any(), after, 0)", "Mux(first.any(), after - 1, 0)"),
    "the span of IEX-TP ends one early": ("iex", IEX, "self._next.eq(self._data + self._messages)", "self._next.eq(self._data)"),
    "what begins in the next word is not counted": ("iex", IEX, "self._begun.eq(Cat(self._lengths.values()).any())", "self._begun.eq(now)"),
}  # fmt: skip


def mutant(name, module, old, new, patch):
    """The framer with a line exchanged, in its own module or in the one that both share."""
    changed = mutated(module, old, new)
    patch.setitem(sys.modules, module.__name__, changed)
    own = {"pitch": PITCH, "iex": IEX}[name]
    return getattr(changed if module is own else mutated(own, "import Cat", "import Cat"), FRAMERS[name].__name__)


@pytest.mark.formal
@pytest.mark.parametrize("what", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, what, monkeypatch):
    promise = Promise(mutant(*MUTANTS[what], monkeypatch))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=2)

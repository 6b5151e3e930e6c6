"""No event is delivered twice, none out of order, and none that no line offered: proved for every reachable state.

The device is the real one with two lines and recovery. Sequence numbers are of eight bits, which makes no difference to it but keeps the
proof small. Each line offers frames of any spans, in any order, as often as it likes, with events of rising numbers within the span; so
lost, repeated, overtaken and contradicting frames are all among them. The host names the first message once.
"""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

import hw.feed.line_arbiter
from tests.formal.prove import mutated, prove

BITS, LINES = 8, 3


class Promise(wiring.Component):
    """The arbiter between its lines and a book."""

    valid: In(LINES)
    first: In(BITS).array(LINES)
    next: In(BITS).array(LINES)
    events: In(4).array(LINES)
    coming: In(LINES - 1)
    coming_first: In(BITS).array(LINES - 1)
    coming_next: In(BITS).array(LINES - 1)
    coming_events: In(4).array(LINES - 1)
    event_valid: In(LINES)
    sequence: In(BITS).array(LINES)
    ready: In(1)
    hole: In(4)
    recovery: In(4)
    start: In(BITS)

    def __init__(self, module=hw.feed.line_arbiter, *, covers=False):
        super().__init__()
        self._arbiter, self._covers = module.LineArbiter(LINES), covers

    def ports(self):
        flat = []
        for name in self.signature.members:
            port = getattr(self, name)
            flat += port if isinstance(port, list) else [port]
        return flat

    def elaborate(self, platform):
        m = Module()
        arbiter = self._arbiter
        m.submodules.arbiter = arbiter.elaborate(platform)
        begin = Signal(init=1)
        m.d.sync += begin.eq(0)
        m.d.comb += [
            arbiter.restart.eq(begin), arbiter.sequence_in.eq(self.start), arbiter.output.ready.eq(self.ready),
            arbiter.hole_cycles.eq(self.hole), arbiter.recovery_cycles.eq(self.recovery),
        ]
        lines = [self._assume_the_line(m, line, begin) for line in range(LINES)]
        self._promise(m, arbiter)
        if not self._covers:
            self._support(m, arbiter, lines, begin)
        return m

    def _assume_the_line(self, m, line, begin):
        """A frame stays until it is taken; its events are as many as it says, and rise within its span."""
        frame, event = self._arbiter.frames[line], self._arbiter.events[line]
        first, following, count, sequence = self.first[line], self.next[line], self.events[line], self.sequence[line]
        m.d.comb += [
            frame.valid.eq(self.valid[line]),
            frame.payload.first.eq(first), frame.payload.next.eq(following), frame.payload.events.eq(count),
            event.valid.eq(self.event_valid[line]), event.payload.sequence.eq(sequence), event.payload.reference.eq(~sequence),
        ]
        before = {name: Signal(BITS, name=f"{name}_{line}") for name in ("first", "next", "count")}
        waits, left, lowest = Signal(name=f"waits_{line}"), Signal(5, name=f"left_{line}"), Signal(BITS + 1, name=f"lowest_{line}")
        now_left, now_lowest = Mux(waits, left, count), Mux(waits, lowest, first)
        taken = event.valid & event.ready
        if line < LINES - 1:
            self._announce(m, line, begin)
        m.d.sync += [
            waits.eq(frame.valid & ~frame.ready), before["first"].eq(first), before["next"].eq(following), before["count"].eq(count),
            left.eq(now_left - taken), lowest.eq(Mux(taken, sequence + 1, now_lowest)),
        ]
        if line < LINES - 1:  # what is coming waits from the next cycle on
            with m.If(self.coming[line]):
                m.d.sync += [
                    waits.eq(1), before["first"].eq(self.coming_first[line]), before["next"].eq(self.coming_next[line]),
                    before["count"].eq(self.coming_events[line]), left.eq(self.coming_events[line]), lowest.eq(self.coming_first[line]),
                ]
        same = (before["first"] == first) & (before["next"] == following) & (before["count"] == count)
        m.d.comb += [
            Assume(~waits | (frame.valid & same)),
            Assume(~begin | ~(frame.valid | event.valid)),
            Assume((first <= following) & (following - first >= count)),
            Assume(~event.valid | (frame.valid & (now_left != 0) & (sequence >= now_lowest) & (sequence + now_left <= following))),
        ]
        return waits, before, left, lowest

    def _announce(self, m, line, begin):
        """A frame may be told a cycle ahead, where none is or one that is taken."""
        frame, coming = self._arbiter.frames[line], self._arbiter.coming[line]
        first, following, count = self.coming_first[line], self.coming_next[line], self.coming_events[line]
        m.d.comb += [
            coming.valid.eq(self.coming[line]),
            coming.payload.first.eq(first), coming.payload.next.eq(following), coming.payload.events.eq(count),
            Assume(~coming.valid | ~begin & (~frame.valid | frame.ready)),
            Assume((first <= following) & (following - first >= count)),
        ]

    def _promise(self, m, arbiter):
        out = arbiter.output
        self._known, self._last, expected = Signal(), Signal(BITS), Signal(BITS)
        with m.If(out.valid & self.ready):
            m.d.sync += [self._known.eq(1), self._last.eq(out.payload.sequence)]
        m.d.sync += expected.eq(arbiter.expected)
        started = Signal(2)
        m.d.sync += started.eq(Cat(1, started[0]))
        if self._covers:
            m.d.comb += [
                Cover(arbiter.recovered & self._known & (self._last == self.start + 3)), Cover(arbiter.gave_up & self._known),
                Cover(arbiter.restored == 2),
            ]
            return
        m.d.comb += [
            Assert(~(out.valid & self._known) | (out.payload.sequence > self._last)),
            Assert(~out.valid | (out.payload.reference[:BITS] == ~out.payload.sequence[:BITS])),
            Assert(~started[1] | (arbiter.expected >= expected)),
        ]

    def _support(self, m, arbiter, lines, begin):
        """What makes the induction go through."""
        chosen, deciding, finishing, thrown = arbiter._chosen, arbiter._deciding, arbiter._finishing, arbiter._thrown
        known = deciding | chosen.any()  # what is known of the frames is of now
        bound = Signal(BITS + 2)  # all that was delivered is below it
        m.d.comb += bound.eq(arbiter.expected)
        for line, (waits, before, left, lowest) in enumerate(lines):
            mine, goes = chosen[line], finishing[line]
            with m.If(mine & (lowest > arbiter.expected) & ~thrown):
                m.d.comb += bound.eq(lowest)
            with m.If(goes & arbiter._moves):
                m.d.comb += bound.eq(before["next"])
            m.d.comb += [
                Assert(~known | (waits == arbiter._seen[line])),
                Assert(~known | (arbiter._fits[line] == (waits & (before["first"] <= arbiter.expected)))),
                Assert(~(known & waits) | ((arbiter._exact[line] == (before["first"] == arbiter.expected))
                                           & (arbiter._newer[line] == (before["next"] > arbiter.expected))
                                           & (arbiter._bare[line] == (before["count"] == 0))
                                           & (arbiter._last[line] == (before["count"] == arbiter._taken)))),
                Assert(~mine | (waits & Mux(arbiter._bare[line], thrown, left != 0) & (thrown | arbiter._fits[line]))),
                Assert(~mine | (arbiter._taken + left == before["count"] + 1)),
                Assert(~goes | (waits & (left == 0))),
                Assert(~(goes & arbiter._moves) | ((before["first"] <= arbiter.expected) & (before["next"] > arbiter.expected))),
                Assert(~waits | (mine | goes | (left == before["count"]) & (lowest == before["first"]))),
                Assert(~waits | ((lowest >= before["first"]) & (lowest + left <= before["next"]))),
                Assert(~waits | (left <= before["count"])),
                Assert(~arbiter.events[line].ready | known),
            ]
        m.d.comb += [
            Assert(((chosen & (chosen - 1)) == 0) & ((finishing & (finishing - 1)) == 0)),
            Assert(~(chosen.any() & finishing.any()) & ~(deciding & (chosen | finishing).any())),
            Assert(~arbiter._moves | finishing.any()),
            Assert(~thrown | (chosen == 1 << LINES - 1)),
            Assert((chosen | finishing).any() | (arbiter._taken == 1)),
            Assert(arbiter._following == (arbiter._taken + 1)[:16]),
            Assert(arbiter.expected < 1 << BITS),
            Assert(begin | ~self._known | (self._last < bound)),
            Assert(begin | ~arbiter._held | (arbiter._event.sequence < bound)),
            Assert(~arbiter._held | ~arbiter._checked | ~self._known | (arbiter._event.sequence > self._last)),
            Assert(~arbiter._held | arbiter._checked | ~self._known | (arbiter._event.sequence > self._last)
                   | (self._last < arbiter.expected)),
            Assert(~arbiter._held | arbiter._checked | chosen.any() | finishing.any()),
            Assert(~arbiter._held | (arbiter._event.reference[:BITS] == ~arbiter._event.sequence[:BITS])),
            Assert(~begin | ~(self._known | arbiter._held | deciding | chosen.any() | finishing.any() | arbiter._seen.any())),
        ]
        self._support_the_lowest(m, arbiter, lines[:-1])

    def _support_the_lowest(self, m, arbiter, lines):
        """The search for the lowest first number has seen the lines before its step, and what it has found is one of theirs."""
        step, found, some = arbiter._steady, arbiter._lowest, arbiter._some
        among = Cat(waits & (before["first"] == found) for waits, before, _, _ in lines).any()
        m.d.comb += [
            Assert(step < 2 * len(lines) + 2),
            Assert((step == 0) | ~some | among),
            Assert(~arbiter._due | (arbiter._ready & Cat(line[0] for line in lines).any())),
        ]
        for line, (waits, before, _, _) in enumerate(lines):
            m.d.comb += [
                Assert(~((step == 2 * line + 1) | (step == 2 * line + 2))
                       | (arbiter._there == waits) & (~waits | (arbiter._candidate == before["first"]))),
                Assert((step != 2 * line + 2) | (arbiter._lower == (waits & (~some | (before["first"] < found))))),
                Assert((step < 2 * line + 3) | ~waits | (some & (found <= before["first"]))),
            ]


@pytest.mark.formal
def test_every_event_once_and_in_order(tmp_path):
    promise = Promise()
    prove(promise, tmp_path, ports=promise.ports(), depth=8)


@pytest.mark.formal
def test_the_proof_is_not_empty(tmp_path):
    """A gap is filled, another is given up, and recovery brings messages."""
    promise = Promise(covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=30, mode="cover")


MUTANTS = {
    "old events pass": ("new.eq(self._event.sequence >= self.expected)", "new.eq(1)"),
    "a frame ahead has its turn": ("lambda frame: frame.first <= self.expected)", "lambda frame: frame.first <= self.expected + 1)"),
    "what is coming is not compared": ("compare(coming.payload)) for", "compare(frame.payload)) for"),
    "expected goes back": ("(self._done & self._newer).any() & ~self._thrown", "self._done.any() & ~self._thrown"),
    "what is known is used too early": ("~(self._active | self._finishing).any() & ~self.early", "~self._active.any() & ~self.early"),
    "two lines at once": (" & ~self._fits[:line].any()", ""),
    "what is thrown away passes": ("~self._bare).any() & ~self._thrown", "~self._bare).any()"),
    "a line is left out of the search": ("for line in range(live):", "for line in range(1, live):"),
}  # fmt: skip


@pytest.mark.formal
@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    promise = Promise(mutated(hw.feed.line_arbiter, *MUTANTS[name]))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=12, mode="bmc")

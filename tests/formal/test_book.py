"""The winner tree's promise, proved on a small tree: what it says is best is a valid slot, and no valid slot is better."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Const, Module, Mux, ResetSignal, Signal
from amaranth.lib.wiring import Component, In

from hw.book.winner_tree import RADIX, WinnerTree
from tests.formal.prove import prove

pytestmark = pytest.mark.formal

RANK_BITS = 2


class Checker(Component):
    """A winner tree with the slots it is about, changed one at a time by arbitrary inputs.

    Parameters
    ----------
    apart : bool
        A change waits until the one before has gone through, and the kept results are checked in between
        (proved by induction); else changes follow each other as closely as the tree allows (checked from reset on).
    broken : bool
        The tree is told a change that did not happen; the proof must fail.
    """

    start: In(1)
    slot: In(5)
    rank: In(RANK_BITS)
    valid: In(1)
    commit: In(1)

    def __init__(self, *, leaves=8, apart, broken=False):
        super().__init__()
        self._leaves, self._apart, self._broken = leaves, apart, broken

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = WinnerTree(leaves=self._leaves, regions=1, rank_bits=RANK_BITS)
        slots = Array(Signal(tree.group.shape().elem_shape, name=f"slot{index}") for index in range(4 * self._leaves))

        # requests, far enough apart; the change is applied two cycles after its start
        gap = Signal(range(tree.latency + 3), init=tree.latency + 2)
        closest = tree.latency + 2 if self._apart else tree.spacing
        m.d.sync += gap.eq(Mux(self.start, 1, Mux(gap == tree.latency + 2, gap, gap + 1)))
        m.d.comb += Assume(~self.start | (gap >= closest))
        requested = [Signal(name=f"requested{delay}") for delay in range(2)]
        slot = [Signal.like(self.slot, name=f"slot_{delay}") for delay in range(2)]
        m.d.sync += [requested[0].eq(self.start), requested[1].eq(requested[0]), slot[0].eq(self.slot), slot[1].eq(slot[0])]
        m.d.comb += Assume(~ResetSignal())  # the memory keeps its contents over a reset: the book clears it
        m.d.comb += [Assume(self.slot < 4 * self._leaves), tree.start.eq(self.start), tree.slot.eq(self.slot)]

        after = [Signal.like(slots[0], name=f"after{index}") for index in range(4 * self._leaves)]
        taken, asked = Signal(), requested[1]  # asked without being taken: a peek
        m.d.comb += [taken.eq(asked & self.commit), tree.commit.eq(taken), tree.ask.eq(asked)]
        for index, changed in enumerate(after):
            m.d.comb += changed.eq(slots[index])
            with m.If(slot[1] == index):
                m.d.comb += [changed.rank.eq(self.rank), changed.valid.eq(self.valid)]
            with m.If(taken):
                m.d.sync += slots[index].eq(changed)
        for way in range(RADIX):
            m.d.comb += tree.group[way].eq(Array(after)[Cat(Const(way, 2), slot[1][2:])])
        if self._broken:
            m.d.comb += tree.group[2].valid.eq(1)

        # the answer is about the slots as they were after its change
        pending = [Signal(name=f"pending{delay}") for delay in range(tree.latency - 1)]
        snapshots = [[Signal.like(slots[0], name=f"snapshot{delay}_{index}") for index in range(4 * self._leaves)] for delay in range(2)]
        m.d.sync += [later.eq(sooner) for sooner, later in zip([asked, *pending], pending, strict=False)]
        with m.If(asked):
            for index, changed in enumerate(after):
                m.d.sync += [snapshots[0][index].eq(changed), snapshots[1][index].eq(snapshots[0][index])]
        newer = Signal()  # another change came while the answer was on its way
        m.d.comb += newer.eq(Cat(pending[: tree.latency - 3]).any())
        with m.If(tree.done):
            for older in range(2):
                with m.If(newer == older):
                    self._best_of(m, tree.best, snapshots[older])
        m.d.comb += Assert(tree.done == pending[tree.latency - 3])

        if self._apart:
            with m.If(gap == tree.latency + 2):
                self._kept_results_hold(m, tree, slots)
        return m

    @staticmethod
    def _best_of(m, best, slots, first=0):
        """``best`` is the best of ``slots``, which are those from ``first`` on."""
        m.d.comb += Assert(best.valid == Cat(slot.valid for slot in slots).any())
        for index, slot in enumerate(slots):
            with m.If(best.valid & (best.slot == first + index)):
                m.d.comb += Assert(slot.valid & (slot.rank == best.rank))
            with m.If(best.valid):
                m.d.comb += Assert(~slot.valid | (slot.rank <= best.rank))
        with m.If(best.valid):
            m.d.comb += Assert((best.slot >= first) & (best.slot < first + len(slots)))

    def _kept_results_hold(self, m, tree, slots):
        """Every child entry of every node is the best of the slots below it."""
        for level in range(1, tree.levels + 1):
            span = 4 * RADIX**level
            for first in range(0, 4 * self._leaves, span):
                read = tree.nodes.read_port(domain="comb")
                m.d.comb += read.addr.eq(max(1, 4 * self._leaves // span) + first // span)
                for child in range(RADIX):
                    leftmost = first + child * span // RADIX
                    below = slots[leftmost : leftmost + span // RADIX]
                    if below:
                        self._best_of(m, read.data[child], below, leftmost)
                    else:
                        m.d.comb += Assert(~read.data[child].valid)


def ports(checker):
    return [checker.start, checker.slot, checker.rank, checker.valid, checker.commit]


@pytest.mark.parametrize("leaves", [4, 8])
def test_kept_results_are_right_after_every_change(leaves, tmp_path):
    """Unbounded: the induction spans the end of one change and the whole of the next."""
    checker = Checker(leaves=leaves, apart=True)
    latency = WinnerTree(leaves=leaves, regions=1).latency
    prove(checker, tmp_path, ports=ports(checker), depth=2 * (latency + 2) + 1)


def test_answers_are_right_when_changes_follow_each_other_closely(tmp_path):
    """From an empty tree on, three changes deep."""
    checker = Checker(leaves=8, apart=False)
    prove(checker, tmp_path, ports=ports(checker), depth=18, mode="bmc")


def test_the_proof_can_fail(tmp_path):
    checker = Checker(leaves=4, apart=True, broken=True)
    with pytest.raises(AssertionError, match="FAIL"):
        prove(checker, tmp_path, ports=ports(checker), depth=12)

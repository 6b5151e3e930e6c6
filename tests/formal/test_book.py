"""The winner tree's promise, proved on a small tree: what it says is best is a valid slot, and no valid slot is better."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Const, Module, Mux, ResetSignal, Signal
from amaranth.lib.wiring import Component, In

import hw.book.winner_tree
from hw.book.winner_tree import RADIX, WinnerTree
from tests.formal.prove import mutated, prove

pytestmark = pytest.mark.formal

RANK_BITS = 2


class Checker(Component):
    """A winner tree with the slots it is about, changed one at a time by arbitrary inputs.

    Parameters
    ----------
    leaves, groups : int
        Of the tree; the book's has four groups of four slots a leaf.
    apart : bool
        A request waits until the one before has gone through, and the kept results are checked in between
        (proved by induction); else requests follow each other as closely as the tree allows (checked from reset on).
    module : module
        Of which the ``WinnerTree`` is.
    """

    start: In(1)
    ask: In(1)
    slot: In(5)
    rank: In(RANK_BITS)
    valid: In(1)

    def __init__(self, *, leaves, groups, apart, module=hw.book.winner_tree):
        super().__init__()
        self._leaves, self._groups, self._apart, self._module = leaves, groups, apart, module
        self._slots = 4 * groups * leaves

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = self._module.WinnerTree(leaves=self._leaves, regions=1, rank_bits=RANK_BITS, groups=self._groups)
        slots = Array(Signal(tree.group.shape().elem_shape, name=f"slot{index}") for index in range(self._slots))
        m.d.comb += Assume(~ResetSignal())  # the memory keeps its contents over a reset: the book clears it

        # requests, far enough apart; a slot changes at its start
        through = tree.latency + 2
        gap = Signal(range(through + 1), init=through)
        m.d.sync += gap.eq(Mux(self.start, 1, Mux(gap == through, gap, gap + 1)))
        m.d.comb += [
            Assume(~self.start | (gap >= (through if self._apart else tree.spacing))), Assume(self.slot < self._slots),
            tree.start.eq(self.start), tree.ask.eq(self.ask), tree.leaf.eq(self.slot // (4 * self._groups)),
        ]
        with m.If(self.start & ~self.ask):
            m.d.sync += [slots[self.slot].rank.eq(self.rank), slots[self.slot].valid.eq(self.valid)]

        # the leaf is shown, group by group, in the second cycle after that and the next ones; where it was asked anything may be
        leaf, shown = Signal.like(tree.leaf), Signal(range(self._groups))
        with m.If(self.start):
            m.d.sync += leaf.eq(tree.leaf)
        m.d.comb += shown.eq(gap - 2)
        for way in range(RADIX):
            m.d.comb += tree.group[way].eq(slots[Cat(Const(way, 2), shown, leaf)])

        # the answer is about the slots as they were when it was asked, whatever comes while it is on its way
        pending = Signal(tree.latency)
        snapshots = [[Signal.like(slots[0], name=f"snapshot{delay}_{index}") for index in range(self._slots)] for delay in range(2)]
        m.d.sync += pending.eq(Cat(self.start & self.ask, pending))
        with m.If(self.start):
            for index, slot in enumerate(slots):
                m.d.sync += [snapshots[0][index].eq(slot), snapshots[1][index].eq(snapshots[0][index])]
        newer, requests = Signal(), Signal(tree.latency - 1)
        m.d.sync += requests.eq(Cat(self.start, requests))
        m.d.comb += newer.eq(requests.any())
        with m.If(tree.done):
            for older in range(2):
                with m.If(newer == older):
                    self._best_of(m, tree.best, snapshots[older])
        m.d.comb += Assert(tree.done == pending[-1])

        if self._apart:
            with m.If(gap == through):
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
            span = 4 * self._groups * RADIX**level
            for first in range(0, self._slots, span):
                read = tree.nodes.read_port(domain="comb")
                m.d.comb += read.addr.eq(max(1, self._slots // span) + first // span)
                for child in range(RADIX):
                    leftmost = first + child * span // RADIX
                    below = slots[leftmost : leftmost + span // RADIX]
                    if below:
                        self._best_of(m, read.data[child], below, leftmost)
                    else:
                        m.d.comb += Assert(~read.data[child].valid)


def ports(checker):
    return [checker.start, checker.ask, checker.slot, checker.rank, checker.valid]


@pytest.mark.parametrize(("leaves", "groups"), [(4, 2), (8, 1)])
def test_kept_results_are_right_after_every_change(leaves, groups, tmp_path):
    """Unbounded: the induction spans the end of one request and the whole of the next."""
    checker = Checker(leaves=leaves, groups=groups, apart=True)
    latency = WinnerTree(leaves=leaves, regions=1, groups=groups).latency
    prove(checker, tmp_path, ports=ports(checker), depth=2 * (latency + 2) + 1)


def test_answers_are_right_when_requests_follow_each_other_closely(tmp_path):
    """From an empty tree on, three requests deep."""
    checker = Checker(leaves=8, groups=1, apart=False)
    prove(checker, tmp_path, ports=ports(checker), depth=21, mode="bmc")


@pytest.mark.parametrize(("apart", "old", "new"), [
    pytest.param(True, "self.group[i].valid & ~request.ask", "1", id="a slot that is not there takes part"),
    pytest.param(False, "Cat(a.rank, a.valid) >= Cat(b.rank, b.valid)", "a.rank >= b.rank", id="a slot that is not there wins"),
    pytest.param(False, "with m.If(active[k - 1]):", "with m.If(active.any()):", id="requests that follow each other closely mix"),
])
def test_the_proof_fails_on_a_mutant(apart, old, new, tmp_path):
    checker = Checker(leaves=4 if apart else 8, groups=1, apart=apart, module=mutated(hw.book.winner_tree, old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(checker, tmp_path, ports=ports(checker), depth=21, mode="bmc")

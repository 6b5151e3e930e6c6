"""The near levels are sorted, complete, and what is far is worse: proved for one arbitrary rank of one arbitrary side.

The proof is unbounded: by induction, from empty cells on. What was narrowed for the solver: three cells in place of sixteen, and one symbol
(two sides). Ranks and totals are as wide as they are, but in the tests that only look for an example. The levels are never cleared while
the proof looks on, and ``low`` and the overflows are not looked at.

Changes follow each other from two cycles on, and so several are on their way at once, each in another cell. The proof looks at every cell
as it was right after the same change: the first cell some cycles ago, the last one just now. So what it asserts holds after every change,
whatever comes behind. Of one level, of an arbitrary but constant rank, it keeps two shadows: what of it must be near, and what was handed
on to be far.

Of the other levels the environment need promise next to nothing; of this one: no more leaves than there is, the last order takes all
shares with it, and the number of orders does not overflow. Levels are appended, best first, while nothing is on its way but others that
are: each is behind all near levels, which is what the proof says of a far one, and no far one is better. That there is none far is told
in no cycle in which a change starts or one is handed on: else the proof does not go through.
"""

import inspect
import types

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

import hw.book.near_levels
from hw.config import CardConfig
from tests.formal.prove import prove

pytestmark = pytest.mark.formal

LEVELS = 3
LOW = 2
DEPTH = 10


def narrow(*exchanges, rank=3, shares=2, orders=2):
    """The module with fields of so many bits and few cells, which can be looked into; pieces of its source may be exchanged."""
    source = inspect.getsource(hw.book.near_levels)
    for old, new in (
        *exchanges,
        ("from hw.types import OrderCount, Rank, Shares", f"Rank, Shares, OrderCount = {rank}, {shares}, {orders}"),
    ):
        assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
        source = source.replace(old, new)
    result = types.ModuleType(hw.book.near_levels.__name__)
    exec(compile(source, "narrow", "exec"), result.__dict__)
    result.NearLevels.LEVELS, result.NearLevels.LOW = LEVELS, LOW

    class Cell(result.Cell):
        made = []

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.watched, self.content = Signal(1, name="watched_side"), Signal(result.Level, name="content")
            self.made.append(self)

        def elaborate(self, platform):
            m = super().elaborate(platform)
            port = m.submodules.memory.read_port(domain="comb")
            m.d.comb += [port.addr.eq(self.watched), self.content.eq(port.data)]
            return m

    result.Cell = Cell
    return result


class Checker(wiring.Component):
    """The near levels, arbitrary changes within their contract, and the shadows of the level ``watched`` on the side ``side``."""

    def __init__(self, module):
        flags = ("side", "start", "come", "leave", "append", "at_side", "none_far", "none_side")
        super().__init__({name: In(1) for name in flags} | {
            "watched": In(module.Rank), "rank": In(module.Rank), "shares": In(module.Shares), "orders": In(module.OrderCount),
        })
        self._module = module

    def ports(self):
        return [getattr(self, name) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        config = CardConfig("proof", venues=2, symbols=1, orders=64, levels=64, backlog=128, events=16)
        near = self._module.NearLevels(config)
        m.submodules.near = near.elaborate(platform)
        cells = self._module.Cell.made[-LEVELS:]
        m.d.comb += Assume(~ResetSignal())

        # the one level
        started, before = Signal(), Signal(1 + self._module.Rank)
        m.d.sync += [started.eq(1), before.eq(Cat(self.watched, self.side))]
        m.d.comb += Assume(~started | (Cat(self.watched, self.side) == before))

        # changes: any, two cycles apart at least
        Change = data.StructLayout({"start": 1, "come": 1, "leave": 1, "append": 1, "side": 1, "rank": self._module.Rank,
                                    "totals": self._module.Totals})
        changes = [Signal(Change, name=f"change{ago}") for ago in range(LEVELS + 3)]
        now = changes[0]
        m.d.comb += [now[name].eq(getattr(self, name)) for name in ("start", "come", "leave", "append", "rank")]
        m.d.comb += [now.side.eq(self.at_side), now.totals.shares.eq(self.shares), now.totals.orders.eq(self.orders)]
        m.d.sync += [later.eq(sooner) for sooner, later in zip(changes, changes[1:], strict=False)]
        m.d.comb += [
            near.start.eq(now.start), near.come.eq(now.come), near.leave.eq(now.leave), near.append.eq(now.append),
            near.region.eq(now.side), near.rank.eq(now.rank), near.totals.eq(now.totals),
            near.none_far.eq(self.none_far), near.none_region.eq(self.none_side),
        ]
        m.d.comb += [
            Assume(~now.start | ~changes[1].start),
            Assume(now.come + now.leave + now.append <= 1),
            Assume(~now.come | (now.totals.orders == 1)),
            Assume(~now.leave | (now.totals.orders <= 1)),
            Assume(~now.append | (now.totals.orders != 0)),
        ]

        def about(change):
            return change.start & (change.side == self.side) & (change.rank == self.watched)

        # its shadows, after the change that is about to be through
        close, far = Signal(self._module.Totals), Signal(self._module.Totals)
        through = changes[LEVELS + 1]
        handed = near.far_valid & (near.far.region == self.side) & (near.far.rank == self.watched)
        for name in ("shares", "orders"):
            comes = Mux(about(through) & (through.come | through.append), through.totals[name], 0)
            leaves = Mux(about(through) & through.leave, through.totals[name], 0)
            goes = Mux(handed, Mux(near.far.leave, -near.far.totals[name], near.far.totals[name]), 0)
            taken = Mux(about(through) & through.append, through.totals[name], 0)
            m.d.sync += [close[name].eq(close[name] + comes - leaves - goes), far[name].eq(far[name] + goes - taken)]

        # no more leaves than there is, on its way or not
        total = {}
        for name in ("shares", "orders"):
            there = close[name] + far[name]
            for change in changes[1:LEVELS + 2]:
                there = there + Mux(about(change) & change.come, change.totals[name], 0)
                there = there - Mux(about(change) & change.leave, change.totals[name], 0)
            total[name] = Signal(range(1 << close[name].shape().width), name=f"total_{name}")
            m.d.comb += total[name].eq(there)
        with m.If(about(now)):
            m.d.comb += [
                Assume(~now.come | ~total["orders"].all()),
                Assume(~now.leave | (total["orders"] != 0)),
                Assume(~now.leave | (now.totals.orders == 0) | (total["orders"] != 1) | (now.totals.shares == total["shares"])),
            ]

        # every cell as it was after that change
        row = []
        for number, cell in enumerate(cells):
            m.d.comb += cell.watched.eq(self.side)
            content = cell.content
            for ago in range(LEVELS - number):
                delayed = Signal(self._module.Level, name=f"cell{number}_{ago + 1}_ago")
                m.d.sync += delayed.eq(content)
                content = delayed
            row.append(content)

        # levels from afar, and word that there are none: while at most others from afar are on their way, each worse than the one before
        on_the_way = changes[1:LEVELS + 2]
        quiet = ~Cat(change.start & (change.come | change.leave) for change in on_the_way).any()
        back = Cat(about(change) & change.append for change in on_the_way).any()  # it was taken out
        m.d.comb += [Assume(~(now.start & now.append) | quiet), Assume(~self.none_far | (quiet & ~now.start & ~near.far_valid))]
        with m.If(now.start & now.append & (now.side == self.side)):
            m.d.comb += [Assume(~cell.content.valid | (cell.content.rank > now.rank)) for cell in cells]
            m.d.comb += [Assume(~(change.start & change.append & (change.side == self.side)) | (change.rank > now.rank))
                         for change in on_the_way]
            m.d.comb += Assume((far.orders == 0) | back | (now.rank >= self.watched))
            with m.If(now.rank == self.watched):
                m.d.comb += Assume((now.totals == far) & ~back)
        m.d.comb += Assume(~self.none_far | (self.none_side != self.side) | (far.orders == 0) | back)

        # nothing gets to the first cell but a change (for the induction: these flip-flops are never set)
        m.d.comb += Assert(~cells[0].arrival.comes_in & ~cells[0].arrival.pulls)
        # sorted, the valid ones first
        for better, worse in zip(row, row[1:], strict=False):
            m.d.comb += Assert(~worse.valid | (better.valid & (better.rank > worse.rank)))
        # empty where there is none; the level is in one of them, or not near
        here = [level.valid & (level.rank == self.watched) for level in row]
        for level, is_here in zip(row, here, strict=True):
            m.d.comb += [Assert(level.valid | (level.as_value() == 0)), Assert(~is_here | (level.totals == close))]
        m.d.comb += [
            Assert(Cat(here).any() == (close.orders != 0)),
            Assert((close.orders != 0) | (close.shares == 0)), Assert((far.orders != 0) | (far.shares == 0)),
        ]
        # it is not far unless it is worse than all that are near, and known to be
        with m.If(far.orders != 0):
            m.d.comb += Assert(near._has_far.bit_select(self.side, 1) | back)
            m.d.comb += [Assert(~level.valid | (level.rank > self.watched)) for level in row]

        self._check_the_record(m, near, changes, row, close)

        # it can be: the level comes back from afar
        m.d.comb += Cover(about(changes[LEVELS + 2]) & changes[LEVELS + 2].append & Cat(here).any())
        return m

    def _check_the_record(self, m, near, changes, row, close):
        """It said what the row is after the change, and whether the change was about the best level, before or after it."""
        best = Mux(changes[1].side == self.side, near.best.as_value(), near.other.as_value())
        for ago in range(LEVELS + 1):
            delayed = Signal(self._module.Level, name=f"best_{ago + 1}_ago")
            m.d.sync += delayed.eq(best)
            best = delayed
        with m.If(changes[LEVELS + 2].start):
            m.d.comb += Assert(best == row[0])
            m.d.comb += Assert((close.orders == 0) | (best.valid & (best.rank >= self.watched)))
            m.d.comb += Assert(~best.valid | (best.rank != self.watched) | ((best.totals == close) & (close.orders != 0)))

        done, best_before, touched = changes[LEVELS + 2], Signal(self._module.Level), near.touched
        m.d.sync += best_before.eq(row[0])
        for ago in range(LEVELS + 1):
            delayed = Signal(name=f"touched_{ago + 1}_ago")
            m.d.sync += delayed.eq(touched)
            touched = delayed
        with m.If(done.start & (done.side == self.side) & ~done.append):
            m.d.comb += Assert(touched == ((done.come | done.leave) & Cat(
                level.valid & (level.rank == done.rank) for level in (best_before, row[0])).any()))


@pytest.mark.parametrize("bits", [{}, {"rank": 32, "shares": 32, "orders": 16}], ids=["short", "as wide as they are"])
def test_the_best_level_is_near_and_right(bits, tmp_path):
    """Unbounded. The induction looks back far enough to see a change run through all cells."""
    checker = Checker(narrow(**bits))
    prove(checker, tmp_path, ports=checker.ports(), depth=DEPTH)


def test_a_level_can_come_back_from_afar(tmp_path):
    """So what the proof assumes does not keep it from happening."""
    checker = Checker(narrow())
    prove(checker, tmp_path, ports=checker.ports(), depth=22, mode="cover")


@pytest.mark.parametrize(("old", "new"), [
    pytest.param("change.come & (change.append | ~self.has_far)", "change.come", id="a level lands behind better ones that are far"),
    pytest.param("change.dies & (level.totals.orders == 1)", "change.dies", id="a level is gone with its first order"),
    pytest.param("acts.eq(level.valid & (change.come | change.leave))", "acts.eq(change.come | change.leave)",
                 id="a cell without a level is hit"),
    pytest.param("lands | arrival.comes_in", "lands", id="a level that was pushed out is lost"),
])
def test_the_proof_can_fail(old, new, tmp_path):
    checker = Checker(narrow((old, new)))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(checker, tmp_path, ports=checker.ports(), depth=24, mode="bmc")

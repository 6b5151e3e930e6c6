"""The best levels of every side, sorted: what every record is answered from."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.book.order_store import region_bits
from hw.config import CardConfig
from hw.lib.choice import any_of, lowest
from hw.types import OrderCount, Rank, Shares

Totals = data.StructLayout({"shares": Shares, "orders": OrderCount})

Level = data.StructLayout({"valid": 1, "rank": Rank, "totals": Totals})
"""A level; all zero where there is none."""


def level_change(config: CardConfig) -> data.StructLayout:
    """Shares and orders that come to the level of this rank, or leave it."""
    return data.StructLayout({"region": region_bits(config), "rank": Rank, "totals": Totals, "leave": 1})


def signed_by(totals, leave):
    """What is to be added, with ``leave`` as the carry, for ``totals`` to come or leave."""
    return totals.as_value() ^ leave.replicate(Totals.size)


def changed(before, by, leave):
    """Shares and orders after ``by`` (see ``signed_by``) was added; each with a carry on top."""
    return [(before[name] + by[name] + leave)[:len(by[name]) + 1] for name in ("shares", "orders")]


class NearLevels(wiring.Component):
    """The ``LEVELS`` best levels of every side of every symbol, sorted: a row of cells, the best level in the first.

    A change runs along the cells, one a cycle, until it finds its place. A new level takes the cell of the first that is worse, and
    that one goes on in its stead; where a level empties, every cell behind takes over what its neighbour has. A cell is done with a
    change in two cycles, and so one may follow every second cycle, on whatever side. What leaves the last cell is *far*: it is handed
    on. Where fewer than ``LOW`` levels are left, a far one is asked for, which is then appended.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    region : In, rank : In(Rank)
        Cycle t: side and symbol, Cat(side, symbol), and price (see hw/types.py: Rank).
    totals : In(Totals)
        Cycle t: what comes or leaves.
    come, leave, append : In(1)
        Cycle t: an order comes; an order (``totals.orders`` 1), or some of its shares (0), leaves; a level comes from afar, behind all
        that are there.
    start : In(1)
        Cycle t. The next one at t + 2 at the earliest.
    look : In(1)
        Cycle t, instead of ``start`` and not within ``LEVELS`` cycles of another: nothing changes, the levels are shown.
    seen_valid : Out(1), seen : Out(Level)
        Cycles t + 2 to t + 1 + ``LEVELS``: the levels, the best first.
    best, other : Out(Level)
        Cycle t + 1: the best level of this side after the change, and of the other side.
    touched : Out(1)
        Cycle t + 1: an order came to or left the best level, as it is before or after that.
    overflow : Out(1)
        Cycle t + 2: its total did not fit (it counts on modulo 2^32 and 2^16).
    overflow_behind : Out(1), overflow_region : Out
        Later: that of another level did not fit.
    far_valid : Out(1), far : Out(level_change)
        Cycle t + 1 + ``LEVELS``: a change of a far level.
    low : Out(1), low_region : Out
        Fewer than ``LOW`` levels are left on this side, and there may be far ones; from cycle t + 4 + ``LOW`` on.
    busy : Out(1)
        A change is under way; from cycle t + 2 on, until the cycle after it has left.
    none_far : In(1), none_region : In
        Nothing is far on this side. Not together with a start, and while nothing but an ``append`` is under way.
    clear : In(1)
        Cycle t: forget all levels of the side ``region``. While not ``busy``.
    """

    LEVELS = 16
    LOW = 10

    def __init__(self, config: CardConfig):
        region = region_bits(config)
        self._regions = 2 * config.symbols
        super().__init__({
            "region": In(region),
            "rank": In(Rank),
            "totals": In(Totals),
            "come": In(1),
            "leave": In(1),
            "append": In(1),
            "start": In(1),
            "look": In(1),
            "seen_valid": Out(1),
            "seen": Out(Level),
            "best": Out(Level),
            "other": Out(Level),
            "touched": Out(1),
            "overflow": Out(1),
            "overflow_behind": Out(1),
            "overflow_region": Out(region),
            "far_valid": Out(1),
            "far": Out(level_change(config)),
            "low": Out(1),
            "low_region": Out(region),
            "busy": Out(1),
            "none_far": In(1),
            "none_region": In(region),
            "clear": In(1),
        })
        self._step = data.StructLayout({"region": region, "rank": Rank, "come": 1, "leave": 1, "append": 1, "dies": 1, "look": 1})
        self._arrival = data.StructLayout({"level": Level, "free": 1, "comes_in": 1, "pulls": 1})
        self._has_far = Signal(1 << region)

    def elaborate(self, platform):
        m = Module()
        step, arrival = Signal(self._step), Signal(self._arrival)
        m.d.comb += [
            step.region.eq(self.region), step.rank.eq(self.rank),
            step.come.eq(self.start & (self.come | self.append)), step.leave.eq(self.start & self.leave), step.append.eq(self.append),
            step.dies.eq(self.start & self.leave & self.totals.orders[0]), step.look.eq(self.look),
        ]
        m.d.sync += [
            arrival.level.eq(Cat(1, self.rank, signed_by(self.totals, self.leave))), arrival.free.eq(self.start), arrival.comes_in.eq(0),
        ]
        with m.If(self.clear):
            m.d.sync += [arrival.level.eq(0), arrival.comes_in.eq(1)]
        cells = [Cell(self._regions, self._step, self._arrival, two_sides=not number) for number in range(self.LEVELS)]
        clearing = Signal()
        m.d.sync += clearing.eq(self.clear)
        steps, overflows, shown = [], [], []
        for number, (cell, right) in enumerate(zip(cells, [*cells[1:], None], strict=True)):
            m.submodules[f"cell{number}"] = cell
            after = Signal(self._step, name=f"step{number}")  # what this cell changes and the next one reads
            m.d.sync += after.eq(step)
            m.d.comb += [
                cell.reading.eq(step), cell.changing.eq(after), cell.arrival.eq(arrival),
                cell.clear.eq(self.clear),
                cell.has_far.eq(self._has_far.bit_select(step.region, 1)), cell.neighbour.eq(right.level if right else 0),
            ]
            if number:
                overflow, where = Signal(name=f"overflow{number}"), Signal.like(after.region)
                m.d.sync += [overflow.eq(cell.overflow), where.eq(after.region)]
                overflows.append((overflow, where))
            steps.append(after)
            shown.append((step.look, cell.level))
            step, arrival = after, cell.departure
            if number == self.LOW - 1:
                self._watch_low(m, cell, after)

        m.d.comb += [
            self.best.eq(cells[0].after), self.other.eq(cells[0].other),
            self.touched.eq(cells[0].touched),
        ]
        m.d.sync += [
            self.busy.eq(Cat(each.come | each.leave | each.look for each in steps).any()),
            self.overflow.eq(cells[0].overflow),
            self.overflow_behind.eq(Cat(overflow for overflow, _ in overflows).any()),
            self.overflow_region.eq(any_of(overflows)),
        ]
        self._show(m, shown)
        last = Signal(self._step)
        m.d.sync += last.eq(step)
        m.d.comb += [
            self.far_valid.eq((arrival.comes_in & ~clearing) | (arrival.free & (last.come | last.leave))),
            self.far.region.eq(last.region), self.far.rank.eq(arrival.level.rank),
            self.far.totals.eq(signed_by(arrival.level.totals, last.leave)),
            self.far.leave.eq(last.leave),
        ]
        with m.If(self.far_valid & last.come):
            m.d.sync += self._has_far.bit_select(last.region, 1).eq(1)
        with m.If(self.none_far):
            m.d.sync += self._has_far.bit_select(self.none_region, 1).eq(0)
        with m.If(self.clear):
            m.d.sync += self._has_far.eq(0)
        return m

    def _show(self, m, shown):
        """The level of the cell that a look has got to, in two steps: four cells each, then all."""
        groups = [any_of(shown[first:first + 4]) for first in range(0, self.LEVELS, 4)]
        group = [Signal(Level, name=f"group{number}") for number in range(len(groups))]
        looks = Signal()
        m.d.sync += [
            *(kept.eq(levels) for kept, levels in zip(group, groups, strict=True)), looks.eq(Cat(look for look, _ in shown).any()),
            self.seen.eq(any_of((1, levels) for levels in group)), self.seen_valid.eq(looks),
        ]

    def _watch_low(self, m, cell, change):
        """By the last cell that must not be empty; which sides miss it, and one of them."""
        low = Signal.like(self._has_far)
        with m.If(change.come | change.leave):
            m.d.sync += low.bit_select(change.region, 1).eq(~cell.after.valid & cell.had_far)
        with m.If(self.none_far):
            m.d.sync += low.bit_select(self.none_region, 1).eq(0)
        with m.If(self.clear):
            m.d.sync += low.eq(0)
        found, number = lowest(list(low))
        m.d.sync += [self.low.eq(found), self.low_region.eq(number)]


class Cell(wiring.Component):
    """One of the near levels, of every side.

    Parameters
    ----------
    regions : int
    step, arrival : data.StructLayout
        Of NearLevels.
    two_sides : bool
        ``other`` is wanted.

    Ports
    -----
    reading : In(step), has_far : In(1)
        Cycle t: a change gets here; there may be far levels on its side.
    level : Out(Level)
        Cycle t: what the cell has.
    changing : In(step), arrival : In(arrival), neighbour : In(Level)
        Cycle t + 1: the same change; the level that comes in with it, if it does, or what it adds (``signed_by``), and what became of it
        in the cells before; what the next cell has.
    after, other : Out(Level), touched, overflow, had_far : Out(1)
        Cycle t + 1: what the cell has then; what it has for the other side.
    departure : Out(arrival)
        Cycle t + 2: for the next cell.
    clear : In(1)
        Cycle t: empty the row ``reading.region``; the same in all cells.
    """

    def __init__(self, regions: int, step, arrival, *, two_sides: bool):
        self._regions, self._two_sides = regions, two_sides
        super().__init__({
            "reading": In(step),
            "has_far": In(1),
            "level": Out(Level),
            "changing": In(step),
            "arrival": In(arrival),
            "neighbour": In(Level),
            "after": Out(Level),
            "other": Out(Level),
            "touched": Out(1),
            "overflow": Out(1),
            "had_far": Out(1),
            "departure": Out(arrival),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=Level, depth=self._regions, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        change, arrival, had = self.changing, self.arrival, Signal(Level)
        m.d.comb += [read.addr.eq(self.reading.region), self.level.eq(read.data)]
        m.d.sync += [had.eq(read.data), self.had_far.eq(self.has_far)]
        with m.If(self.clear):
            m.d.sync += had.eq(0)
        if self._two_sides:
            others = memory.read_port(domain="comb")
            m.d.comb += others.addr.eq(self.reading.region ^ 1)
            m.d.sync += self.other.eq(others.data)

        hit, empties, lands, comes_in, pulls = (Signal(name=name) for name in ("hit", "empties", "lands", "comes_in", "pulls"))
        same, less, acts, last, between, behind = self._meet(m)
        m.d.comb += [
            hit.eq(arrival.free & same.all() & acts), empties.eq(arrival.free & same.all() & last),
            lands.eq(arrival.free & ((less & between) | behind)),
            comes_in.eq(lands | arrival.comes_in),
            pulls.eq(empties | arrival.pulls),
            self.touched.eq(hit | (lands & ~change.append)),
        ]
        shares, orders = changed(had.totals, arrival.level.totals, change.leave)
        written = Signal(Level)
        m.d.comb += [
            self.overflow.eq(hit & change.come & (shares[-1] | orders[-1])),
            written.eq(Mux(comes_in, arrival.level.as_value(), Mux(
                pulls, self.neighbour.as_value(), Cat(had.valid, had.rank, shares[:-1], orders[:-1])))),
            write.addr.eq(change.region), write.data.eq(written), write.en.eq(hit | comes_in | pulls),
            self.after.eq(written),
        ]
        with m.If(~write.en):
            m.d.comb += self.after.totals.eq(had.totals)
        m.d.sync += [
            self.departure.level.eq(Mux(comes_in, had, arrival.level)),
            self.departure.comes_in.eq(comes_in & had.valid),
            self.departure.pulls.eq(pulls),
            self.departure.free.eq(arrival.free & ~hit & ~lands),
        ]
        with m.If(self.clear):
            m.d.sync += [self.departure.level.eq(0), self.departure.comes_in.eq(1)]
        return m

    def _meet(self, m):
        """Cycle t, registered: how the change stands to the level that the cell has; all that does not depend on the cells before."""
        level, change = self.level, self.reading
        less, acts, last, between, behind = (Signal(name=name) for name in ("less", "acts", "last", "between", "behind"))
        same = Signal(4)  # byte by byte: that much can be compared behind the memory
        m.d.sync += [
            same.eq(Cat(level.rank.word_select(byte, 8) == change.rank.word_select(byte, 8) for byte in range(4))),
            less.eq((level.rank - change.rank)[-1]),
            acts.eq(level.valid & (change.come | change.leave)),
            last.eq(level.valid & change.dies & (level.totals.orders == 1)),
            between.eq(level.valid & change.come),
            behind.eq(~level.valid & change.come & (change.append | ~self.has_far)),
        ]
        with m.If(self.clear):
            m.d.sync += [acts.eq(0), last.eq(0), between.eq(0), behind.eq(0)]
        return same, less, acts, last, between, behind

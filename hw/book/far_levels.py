"""The levels behind the near ones, of all sides: rarely touched, and fetched back one by one when the near ones run low."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hw.book.near_levels import Level, Totals, changed, level_change, signed_by
from hw.book.order_store import region_bits
from hw.book.winner_tree import RADIX, WinnerTree
from hw.config import CardConfig
from hw.lib.hash_table import HashTable
from hw.lib.one_hot import OneHot
from hw.types import Rank

STATES = ("IDLE", "HASH", "LOOKUP", "ARRIVE", "MATCH", "CHOOSE", "COUNT", "WRITE", "SHOW", "SHOW_MORE", "QUERY", "SEARCH")

LEAF = 16
"""Places in a leaf of a tree: two sets in both banks."""


class FarLevels(wiring.Component):
    """Hash tables of the levels by side and rank, with their totals, and a winner tree for each side, which knows its best.

    A table is shared by many sides: as many levels as there can be orders have room, on whichever sides they are. The tree of a side
    goes over all sets of the table, and sees its own levels only. Changes wait in a queue; each takes eight cycles, or
    ten where a level comes or goes: then the tree is shown what lies around it.

    Parameters
    ----------
    config : CardConfig
        ``levels`` places a table, ``level_tables`` of them.

    Ports
    -----
    valid : In(1), change : In(level_change)
        A change, for the queue. Only while there is ``room`` (then ``SPARE`` of them, whatever happens), never refused.
    room : Out(1)
    idle : Out(1)
        The queue is empty and everything is done.
    take : In(1), region : In
        Only while ``idle``: take the best level out.
    taken : Out(1), level : Out(Level), level_region : Out
        The answer, one pulse: 18 cycles + one a level of the tree after ``take``; or that there is none (not valid), 7 cycles sooner.
    full, overflow, missing : Out(1), doubt_region : Out
        Pulses: a level found no place and is lost; a total did not fit; shares left a level that is not there. This side is not sure.
    clear : In(1), row : In
        Empties row ``row`` of every memory; only while ``idle``.
    """

    DEPTH = 32
    SPARE = 12

    def __init__(self, config: CardConfig):
        regions, region = 2 * config.symbols, region_bits(config)
        self._key = data.StructLayout({"rank": Rank, "region": region})
        self._tables, self._table_bits = config.level_tables, config.level_tables.bit_length() - 1
        self.table = HashTable(self._key.size, Totals, places=config.levels, regions=config.level_tables, ways=RADIX, few=18)
        self._tree = WinnerTree(leaves=config.levels // LEAF, regions=regions)
        self.depth = max(self.table.depth, self._tree.depth)
        self.tree_levels = self._tree.levels
        self._change = level_change(config)
        super().__init__({
            "valid": In(1),
            "change": In(self._change),
            "room": Out(1),
            "idle": Out(1),
            "take": In(1),
            "region": In(region),
            "taken": Out(1),
            "level": Out(Level),
            "level_region": Out(region),
            "full": Out(1),
            "overflow": Out(1),
            "missing": Out(1),
            "doubt_region": Out(region),
            "clear": In(1),
            "row": In((self.depth - 1).bit_length()),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        m.submodules.tree = tree = self._tree
        m.submodules.queue = queue = SyncFIFO(width=self._change.size, depth=self.DEPTH)
        change, taking, found, room = Signal(self._change), Signal(), Signal(), Signal()
        before, totals, carry = Signal(Totals), Signal(Totals), Signal()
        gone, comes = Signal(), Signal()  # the level leaves its place, or takes one
        place, key, hashes, number = Signal(table.place_bits), Signal(self._key), Signal(table.hash.bits), Signal.like(table.region)
        recent = Signal(tree.spacing)  # starts of the tree
        m.d.sync += recent.eq((recent << 1) | tree.start)
        at = OneHot(m, *STATES)
        m.d.comb += [
            queue.w_data.eq(self.change), queue.w_en.eq(self.valid), self.room.eq(queue.level <= self.DEPTH - self.SPARE),
            key.rank.eq(change.rank), key.region.eq(change.region),
            table.key.eq(key), table.hashes.eq(hashes), table.region.eq(number),
            table.place_region.eq(number), table.place.eq(place),
            table.entry.key.eq(key), table.entry.value.eq(totals),
            table.clear.eq(self.clear), table.row.eq(self.row), tree.clear.eq(self.clear), tree.row.eq(self.row),
            self.level_region.eq(change.region),
        ]
        m.d.sync += [self.taken.eq(0), self.full.eq(0), self.overflow.eq(0), self.missing.eq(0), self.doubt_region.eq(change.region)]

        with at("IDLE"):
            m.d.comb += [self.idle.eq(~queue.r_rdy & ~self.valid & ~recent.any()), queue.r_en.eq(1)]
            m.d.sync += [change.eq(queue.r_data), taking.eq(self.take)]
            with m.If(self.take):
                m.d.sync += change.region.eq(self.region)
                at.go("QUERY")
            with m.Elif(queue.r_rdy):
                at.go("HASH")
            with m.Else():
                at.go("IDLE")
        with at("HASH"):
            m.d.sync += [hashes.eq(table.hash(key)), number.eq(self.table_of(change.region))]
            at.go("LOOKUP")
        with at("LOOKUP"):
            at.go("ARRIVE")
        with at("ARRIVE"):
            at.go("MATCH")
        with at("MATCH"):
            at.go("CHOOSE")
        with at("CHOOSE"):
            m.d.sync += [
                found.eq(table.found), room.eq(table.room), before.eq(table.value),
                place.eq(Mux(table.found, table.found_place, table.free_place)),
            ]
            at.go("COUNT")
        with at("COUNT"):
            shares, orders = changed(before, data.View(Totals, signed_by(change.totals, change.leave)), change.leave)
            m.d.sync += [
                totals.shares.eq(shares), totals.orders.eq(orders), carry.eq(~change.leave & (shares[-1] | orders[-1])),
                gone.eq(found & (taking | (change.leave & (before.orders == change.totals.orders)))),
                comes.eq(~found & room & ~change.leave & ~taking),
            ]
            at.go("WRITE")
        with at("WRITE"):
            m.d.comb += [
                table.entry.valid.eq(~gone),
                table.write.eq(found | comes),
            ]
            m.d.sync += [
                self.full.eq(~found & ~room & ~change.leave & ~taking),
                self.missing.eq(~found & (change.leave | taking)),
                self.overflow.eq(carry & ~taking),
                self.taken.eq(taking), self.level.eq(Cat(1, change.rank, before)),
                *(each.eq(Cat(0, table.place_set(place)[1:])) for each in table.sets_of(hashes)),
            ]
            with m.If(gone | comes):
                at.go("SHOW")
            with m.Else():
                at.go("IDLE")
        with at("SHOW"):
            at.go("SHOW_MORE")
        with at("SHOW_MORE"):
            m.d.sync += [each[0].eq(1) for each in table.sets_of(hashes)]
            at.go("IDLE")
        with at("QUERY"):
            at.go("SEARCH")
        with at("SEARCH"):
            m.d.sync += [change.rank.eq(tree.best.rank), change.leave.eq(0), change.totals.eq(0)]
            with m.If(~tree.done):
                at.go("SEARCH")
            with m.Elif(tree.best.valid):
                at.go("HASH")
            with m.Else():
                m.d.sync += [self.taken.eq(1), self.level.eq(0)]
                at.go("IDLE")
        self._show(m, at, change, place)
        return m

    def table_of(self, region):
        """The table that the levels of a side lie in."""
        return region[:self._table_bits]

    def place_of(self, region: int, rank: int) -> tuple[int, int]:
        """Table and key of a level, as integers."""
        return region % self._tables, region << 32 | rank

    def _show(self, m, at, change, place):
        """Shows the tree the leaf of a place that has changed: both banks of the even set and, while the next change begins, of the odd."""
        table, tree = self.table, self._tree
        steps, region = Signal(6), Signal.like(change.region)
        m.d.comb += [
            steps[0].eq(at.now("SHOW")), table.lookup.eq(steps[0] | steps[2] | at.now("LOOKUP")),
            table.keep.eq(steps[2:].any()), table.bank.eq(steps[3] | steps[5]),
            tree.start.eq(at.now("SHOW_MORE") | at.now("QUERY")), tree.ask.eq(at.now("QUERY")),
            tree.region.eq(change.region), tree.leaf.eq(table.place_set(place)[1:]),
        ]
        m.d.sync += steps[1:].eq(steps)
        with m.If(tree.start):
            m.d.sync += region.eq(change.region)
        for entry, slot in zip(table.group, tree.group, strict=True):
            kept = data.View(self._key, entry.key)
            m.d.comb += [slot.rank.eq(kept.rank), slot.valid.eq(entry.valid & (kept.region == region))]

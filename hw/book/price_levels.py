"""Price levels of every side of every symbol, and the best of each: no ladder, any price has a place."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.book.order_store import slot_bits, symbol_bits
from hw.book.winner_tree import RADIX, WinnerTree
from hw.config import CardConfig
from hw.lib.exclusive_memory import ExclusiveMemory
from hw.lib.hash_table import BANKS, HashTable
from hw.types import OrderCount, Price, Shares

Totals = data.StructLayout({"shares": Shares, "orders": OrderCount})


class PriceLevels(wiring.Component):
    """A hash table of the prices that orders rest at, their totals, and the winner tree over its sets.

    A region is one side of one symbol: Cat(side, symbol). A slot is a place of the region's hash table.

    Parameters
    ----------
    config : CardConfig
        ``levels`` slots a region.

    Ports
    -----
    lookup : In(1), region : In, hashes : In
        Cycle t: look up the price with these hashes (``hash(price)``).
    again : In(1)
        Cycle t: look up ``price`` in ``change.region``; ``price`` has been there for two cycles.
    price : In(Price)
        Cycle t + 1.
    found : Out(1), room : Out(1), slot : Out
        From t + 3 on, until two cycles after the next lookup: the level exists; a new level would have room; the level's slot, or the
        slot it would take.
    start : In(1), change : In
        Cycle s: one order comes to or leaves the level ``change.slot`` of ``change.region``. ``change`` holds until
        s + 3; its ``shares`` and ``whole`` are not needed before s + 1. At least ``spacing`` cycles after the start before. No
        lookup in s + 1 with ``remove``, nor in s with ``create``.
        ``create``: the level, which was looked up last, is new, at ``price``. ``remove``: take ``shares`` away, and one order if ``whole``;
        else add both. ``peek`` (with ``remove``): change nothing; ``search`` (with ``peek``): find the best
        price beside this level.
    totals : Out(Totals), emptied : Out(1), overflow : Out(1)
        Cycle s + 2: the level's totals after the change (modulo 2^32 and 2^16); no order is left, and the slot is free
        from s + 3 on; a total did not fit. No lookup in this cycle with ``remove``.
    best_known : Out(1)
        Cycle s + ``tree_latency`` of a ``search``: the best price without the level is known.
    best : Out({price, slot, valid}), best_totals : Out(Totals)
        Two cycles later: this price, and the totals of its level.
    clear : In(1), row : In
        Empties row ``row`` of every memory.
    """

    def __init__(self, config: CardConfig):
        slot = slot_bits(config)
        regions = 2 * config.symbols
        region = symbol_bits(config) + 1
        self.table = HashTable(32, 0, places=config.levels, regions=regions, ways=RADIX)
        self._tree = WinnerTree(leaves=config.levels // RADIX, regions=regions)
        self._totals_depth = regions * config.levels
        self.tree_latency = 1 + self._tree.latency
        self.tree_levels = self._tree.levels
        self.spacing = self._tree.spacing
        self.depth = max(self.table.depth, self._tree.depth)
        self.change_layout = data.StructLayout({
            "region": region,
            "slot": slot,
            "price": Price,
            "create": 1,
            "remove": 1,
            "whole": 1,
            "peek": 1,
            "search": 1,
            "shares": Shares,
        })
        super().__init__({
            "lookup": In(1),
            "region": In(region),
            "hashes": In(self.table.hash.bits),
            "again": In(1),
            "price": In(Price),
            "found": Out(1),
            "room": Out(1),
            "slot": Out(slot),
            "start": In(1),
            "change": In(self.change_layout),
            "totals": Out(Totals),
            "emptied": Out(1),
            "overflow": Out(1),
            "best_known": Out(1),
            "best": Out(data.StructLayout({"price": Price, "slot": slot, "valid": 1})),
            "best_totals": Out(Totals),
            "clear": In(1),
            "row": In((self.depth - 1).bit_length()),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        m.submodules.tree = tree = self._tree
        change = self.change
        started = Signal(2)
        m.d.sync += started.eq(Cat(self.start, started))

        # prices; the tree follows the totals one cycle later, and by then has the set that the slot is in
        next_set, fetch, was_emptied = Signal(len(table.hashes)), Signal(), Signal()
        m.d.comb += fetch.eq(started[0] & change.remove)
        m.d.sync += [
            next_set.eq(Mux(self.start, table.place_set(change.slot).replicate(BANKS), table.hash(self.price))),
            was_emptied.eq(self.emptied),
        ]
        m.d.comb += [
            table.lookup.eq(self.lookup | self.again),
            table.hashes.eq(Mux(self.again | fetch, next_set, self.hashes)),
            table.region.eq(Mux(self.again | fetch, change.region, self.region)),
            table.key.eq(self.price),
            table.fetch.eq(fetch),
            table.keep.eq(self.start & change.create),
            table.bank.eq(change.slot[table.way_bits]),
            self.found.eq(table.found),
            self.room.eq(table.room),
            self.slot.eq(Mux(table.found, table.found_place, table.free_place)),
            table.write.eq((self.start & change.create) | self.emptied),
            table.place_region.eq(change.region),
            table.place.eq(change.slot),
            table.entry.valid.eq(change.create),
            table.entry.key.eq(change.price),
            table.clear.eq(self.clear),
            table.row.eq(self.row),
        ]

        self._keep_totals(m, started[1])

        # a new level's set was looked up before the slot was freed that the order of a REPLACE left
        gone, gone_slot, dead = Signal(), Signal.like(change.slot), Signal(RADIX)
        with m.If(self.emptied):
            m.d.sync += [gone.eq(1), gone_slot.eq(change.slot)]
        with m.Elif(self.lookup):
            m.d.sync += gone.eq(0)
        with m.If(self.start):
            beside = gone & change.create & (gone_slot[table.way_bits:] == change.slot[table.way_bits:])
            m.d.sync += dead.eq(Mux(beside, 1 << gone_slot[:table.way_bits], 0))

        # the group that the slot is in, after the change, as the tree compares it
        side = change.region[0]
        for way in range(RADIX):
            entry, rank = table.group[way], tree.group[way]
            m.d.comb += [
                rank.rank.eq(entry.key ^ side.replicate(32)),
                rank.valid.eq(entry.valid & ~dead[way]),
            ]
            with m.If(change.slot[:table.way_bits] == way):
                m.d.comb += [rank.rank.eq(change.price ^ side.replicate(32)), rank.valid.eq(change.create)]
        m.d.comb += [
            tree.start.eq(started[0] & (change.create | change.remove)),
            tree.region.eq(change.region),
            tree.slot.eq(change.slot),
            tree.commit.eq(change.create | was_emptied),
            tree.ask.eq(change.search),
            tree.clear.eq(self.clear),
            tree.row.eq(self.row),
            self.best_known.eq(tree.done),
        ]
        with m.If(tree.done):
            m.d.sync += [
                self.best.valid.eq(tree.best.valid),
                self.best.price.eq(tree.best.rank ^ tree.best_region[0].replicate(32)),
                self.best.slot.eq(tree.best.slot),
            ]
        return m

    def _keep_totals(self, m, ready):
        """Reads a level's totals, changes them two cycles later and writes them back: never in a cycle with a start or a search's end."""
        kept = data.StructLayout({"totals": Totals, "single": 1})  # single: exactly one order, found out when it is written
        m.submodules.totals = memory = ExclusiveMemory(shape=kept, depth=self._totals_depth)
        read = memory.read_port()
        write = memory.write_port()
        change = self.change
        before = Signal(Totals)
        single = Signal()
        m.d.comb += [
            read.en.eq(self.start | self.best_known),
            read.addr.eq(Mux(self.start, Cat(change.slot, change.region), Cat(self._tree.best.slot, self._tree.best_region))),
            self.best_totals.eq(before),
        ]
        m.d.sync += [before.eq(Mux(change.create, 0, read.data.totals.as_value())), single.eq(read.data.single)]

        shares_carry = Signal()
        orders_carry = Signal()
        with m.If(change.remove):
            m.d.comb += [
                self.totals.shares.eq(before.shares - change.shares),
                self.totals.orders.eq(before.orders - change.whole),
            ]
        with m.Else():
            m.d.comb += [
                Cat(self.totals.shares, shares_carry).eq(before.shares + change.shares),
                Cat(self.totals.orders, orders_carry).eq(before.orders + 1),
            ]
        m.d.comb += [
            self.emptied.eq(ready & change.remove & change.whole & single & ~change.peek),
            self.overflow.eq(ready & (shares_carry | orders_carry)),
            write.en.eq(ready & ~change.peek),
            write.addr.eq(Cat(change.slot, change.region)),
            write.data.totals.eq(self.totals),
            write.data.single.eq(self.totals.orders == 1),
        ]

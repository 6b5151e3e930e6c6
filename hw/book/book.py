"""The order book of one venue: every live order, every price level, the best of each side."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.book.best_levels import BestLevels
from hw.book.order_store import OrderStore
from hw.book.price_levels import PriceLevels
from hw.book.records import Records
from hw.config import CardConfig
from hw.lib.one_hot import OneHot
from hw.types import BookEvent, BookEventKind, TopOfBook

STATES = (
    "CLEAR", "IDLE", "READ", "STATUS", "MATCH", "DECIDE",
    "SELECT", "MOVE", "LOAD", "FETCH", "COUNT", "UPDATE", "SETTLE", "PEEK", "SEARCH", "TOTALS", "REFILL",
)  # fmt: skip

Flags = data.StructLayout({
    "bad": 1,  # zero shares or price
    "removes": 1,  # an order must be found and reduced, first of all
    "takes_all": 1,  # DELETE, REPLACE and SET
    "adds": 1,  # REPLACE, and SET but to zero: then a new order comes
    "sets": 1,  # SET
    "same": 1,  # under the reference that the old one had
    "known": 1,  # the order was found
    "excess": 1,  # more shares than it had
    "takes_some": 1,  # more than zero shares
    "alive": 1,  # the order is still there
    "added": 1,  # an order was added in the cycle before
    "starts": 1,  # the levels change, or are searched, in this cycle
    "waits": 1,  # they will change with the order that was added, when they are free
    "was_best": 1,  # the old order of a REPLACE or SET was on the best level
    "same_shares": 1,  # and the new one has as many shares
    "emptied": 1,  # no other order was on its level
})
"""What has been found out about the event in progress."""


class Book(wiring.Component):
    """Takes book events in, one at a time, and answers each with the symbol's top of book.

    Every order is kept under its full reference in a hash table (:mod:`hw.book.order_store`), every price level in a
    hash table of its side (:mod:`hw.book.price_levels`), so that any price from 1 to 2^32 - 1 is exact. The best of
    both sides of every symbol is kept beside them, and the second best, which takes over at once when the best level
    empties. Only then, or when the second empties, the winner tree is asked for the next one, behind the record's back.

    Parameters
    ----------
    config : CardConfig
    venue : int
        Index of the venue, for the records.

    Ports
    -----
    events : In(stream of BookEvent)
        ``event.symbol`` must be a slot of this card; an event about a known order is booked on the symbol it was added on.
    tops : Out(stream of TopOfBook)
        Exactly one record an event, in order; for the symbol that was changed, or ``event.symbol`` where nothing was.
    clear : In(1)
        Pulse: forget everything, as after reset. A record that waits in ``tops`` still comes out, and that of an event under way as
        ``stale``; ``changed`` then counts from an empty book that is not stale.
    busy : Out(1)
        The memories are being cleared (after reset, and from ``clear`` on); no event is taken.
    venue_stale : In(1)
        Marks the records ``stale`` while it is high; remembers nothing.
    assume_trading : In(1 per symbol)
        What holds until the venue has said whether it trades the symbol, after ``clear`` again.
    halted : Out(1 per symbol)
        The venue does not trade the symbol, or has not said so; from the cycle on in which the record of the event says it.
    unknown_reference, duplicate_reference, store_full, levels_full, bad_event, overflow : Out(1)
        Pulses; what happened to an event, at the latest two cycles after its record became valid.

    Errors
    ------
    All but an unknown reference (which changes nothing) make the symbol stale until ``clear``: a duplicate reference, no
    free way in the order store or among the levels (the order is not added), zero shares or price (not added), more shares
    executed or cancelled than the order had (it dies), a level whose total does not fit (it counts on modulo 2^32; behind
    the best level this shows from the symbol's next record on, as the top is still right). A REPLACE that can't be added is
    still a removal.

    Latency
    -------
    From the cycle in which the event is transferred to the first cycle with ``tops.valid``, and to the transfer of the next event:

    ==============================================================  ======  =====
    case                                                            record  next
    ==============================================================  ======  =====
    ADD, all cases                                                  4       5
    HALT, RESUME                                                    3       3
    EXECUTE, CANCEL, DELETE, unknown reference, SET to zero         7       7
    REPLACE of a known order, SET                                   8       10
    ==============================================================  ======  =====

    Two cycles more where the order is of another symbol than the event says. Where the second best level of the side is no
    longer known, the next event is taken 18 + n cycles after this one (REPLACE and SET 23 + n; if they were refused 19 + n), n being the
    number of levels of the winner tree (``tree_levels``: TINY 2, ECP5 3, ALVEO 5). An n above 5 adds n - 5 cycles to the distance of
    every two changes of the levels, of which a REPLACE is two. An event that was refused is over with its record.
    ``LATENCY`` is the first line's.
    """

    LATENCY = 4

    def __init__(self, config: CardConfig, venue: int = 0):
        if not 0 <= venue < config.venues:
            raise ValueError(f"venue must be 0 to {config.venues - 1}, not {venue}")
        self._store = OrderStore(config)
        self._levels = PriceLevels(config)
        self._best = BestLevels(config)
        self._records = Records(config, venue)
        self._rows = max(self._store.depth, self._levels.depth, config.symbols)
        self.tree_levels = self._levels.tree_levels
        super().__init__({
            "events": In(stream.Signature(BookEvent)),
            "tops": Out(stream.Signature(TopOfBook)),
            "clear": In(1),
            "busy": Out(1),
            "venue_stale": In(1),
            "assume_trading": In(config.symbols),
            "halted": Out(config.symbols),
            "unknown_reference": Out(1),
            "duplicate_reference": Out(1),
            "store_full": Out(1),
            "levels_full": Out(1),
            "bad_event": Out(1),
            "overflow": Out(1),
        })
        self._event = Signal(BookEvent)
        self._order = Signal(self._store.order)
        self._place = Signal(self._store.place_bits)
        self._change = Signal(self._levels.change_layout)
        self._flags = Signal(Flags)
        self._clearing = Signal()
        self._clear_requested = Signal()
        self._row = Signal(range(self._rows))
        self._quiet = Signal(range(self._levels.spacing + 1))  # cycles since the last change of the levels, up to some
        self._new_hashes = Signal(self._store.hash.bits)
        self._differs = Signal(16)  # parts of the old and the new reference

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = self._store
        m.submodules.levels = levels = self._levels
        m.submodules.best = best = self._best
        m.submodules.records = records = self._records
        event, order, change, flags = self._event, self._order, self._change, self._flags

        offered = self.events.payload
        m.d.comb += [
            store.hashes.eq(store.hash(offered.reference)),
            store.key.eq(event.reference),
            store.place.eq(self._place),
            store.entry.valid.eq(flags.alive),
            store.entry.key.eq(event.reference),
            store.entry.value.eq(order),
            levels.region.eq(Cat(offered.side, offered.symbol[:len(best.symbol)])),
            levels.hashes.eq(levels.table.hash(offered.price)),
            levels.price.eq(event.price),
            levels.change.eq(change),
            best.symbol.eq(offered.symbol),
            best.side.eq(event.side),
            best.price.eq(event.price),
            best.shares.eq(event.shares),
            best.slot.eq(levels.slot),
            best.took_slot.eq(change.slot),
            best.took_shares.eq(change.shares),
            best.totals.eq(levels.totals),
            best.emptied.eq(levels.emptied),
            best.second.eq(Mux(levels.best.valid, Cat(levels.best, levels.best_totals), 0)),
            records.event.eq(event),
            records.best.eq(best.following),
            records.venue_stale.eq(self.venue_stale | self.clear | self.busy),
            records.doubt.eq(levels.overflow),
            records.assume_trading.eq(self.assume_trading),
            self.halted.eq(records.halted),
            records.doubt_symbol.eq(change.region[1:]),
            store.write.eq(flags.added),
            levels.start.eq(flags.starts),
        ]
        m.d.sync += [pulse.eq(0) for pulse in (
            self.unknown_reference, self.duplicate_reference, self.store_full, self.levels_full, self.bad_event, flags.added, flags.starts,
        )]
        m.d.sync += [
            self._quiet.eq(Mux(levels.start, 0, Mux(self._quiet.all(), self._quiet, self._quiet + 1))),
            self._differs.eq(Cat((event.reference ^ event.new_reference)[bit:bit + 4].any() for bit in range(0, 64, 4))),
            self._new_hashes.eq(store.hash(Mux(event.kind == BookEventKind.REPLACE, event.new_reference, event.reference))),
            flags.same_shares.eq(event.shares == change.shares),
            self.overflow.eq(levels.overflow),
        ]
        wiring.connect(m, records.tops, wiring.flipped(self.tops))

        for part in (store, levels, best):
            m.d.comb += [part.clear.eq(self._clearing), part.row.eq(self._row)]
        m.d.comb += [records.clear.eq(self._clearing), self.busy.eq(self._clearing | self._clear_requested)]
        with m.If(self.clear):
            m.d.sync += self._clear_requested.eq(1)

        at = OneHot(m, *STATES)
        self._idle_states(m, at)
        self._lookup_states(m, at)
        self._add_states(m, at)
        self._remove_states(m, at)
        self._search_states(m, at)
        return m

    def _idle_states(self, m, at):
        """CLEAR: walk all memories. IDLE: take an event."""
        row, requested = self._row, self._clear_requested
        with at("CLEAR"):
            m.d.comb += self._clearing.eq(1)
            m.d.sync += row.eq(row + 1)
            with m.If(row == self._rows - 1):
                m.d.sync += row.eq(0)
                at.go("IDLE")
            with m.Else():
                at.go("CLEAR")
        with at("IDLE"):
            store, levels, best, flags = self._store, self._levels, self._best, self._flags
            settled, open_ = Signal(), Signal()
            m.d.comb += [
                settled.eq(~(flags.added | flags.waits | flags.starts)),
                open_.eq(best.known & settled),
                self.events.ready.eq(self._records.free & ~requested & open_),
                store.lookup.eq(open_),
                levels.lookup.eq(open_),
                best.load.eq(open_),
            ]
            if levels.spacing > self.LATENCY + 1:  # a deep tree can't take a new level every 5 cycles
                m.d.comb += open_.eq(best.known & settled & (self._quiet >= levels.spacing - self.LATENCY - 1))
            with m.If(open_):
                m.d.sync += [self._event.eq(self.events.payload), flags.eq(0)]
            with m.If(flags.waits & (self._quiet >= levels.spacing - 2)):
                m.d.sync += [flags.starts.eq(1), flags.waits.eq(0)]
            with m.If(requested):
                m.d.sync += [requested.eq(self.clear), flags.waits.eq(0)]
                at.go("CLEAR")
            with m.Elif(~best.known & settled):
                at.go("SETTLE")
            with m.Elif(self.events.valid & self.events.ready):
                at.go("READ")
            with m.Else():
                at.go("IDLE")

    def _lookup_states(self, m, at):
        """READ, MATCH: the reference is found among the orders and the price among the levels; the new reference is looked up behind it."""
        event, flags = self._event, self._flags
        kind = event.kind.as_value()
        adds = (event.kind == BookEventKind.ADD) | (event.kind == BookEventKind.REPLACE)
        sets = event.kind == BookEventKind.SET
        none, free = event.shares == 0, event.price == 0
        with at("READ"):
            m.d.sync += [
                flags.bad.eq((adds & (none | free)) | (sets & free)),
                flags.removes.eq(kind >= BookEventKind.EXECUTE.value),
                flags.takes_all.eq(kind >= BookEventKind.DELETE.value),
                flags.adds.eq((event.kind == BookEventKind.REPLACE) | (sets & ~none)),
                flags.sets.eq(sets),
            ]
            with m.If(kind >= BookEventKind.HALT.value):
                at.go("STATUS")
            with m.Else():
                at.go("MATCH")
        with at("STATUS"):
            m.d.comb += [self._records.status.eq(1), self._records.emit.eq(1)]
            at.go("IDLE")
        with at("MATCH"):
            m.d.comb += [self._store.lookup.eq(flags.removes), self._store.hashes.eq(self._new_hashes)]
            m.d.sync += flags.same.eq(flags.sets | ~self._differs.any())
            with m.If(flags.removes):
                at.go("SELECT")
            with m.Else():
                at.go("DECIDE")
            with m.If(event.kind == BookEventKind.REPLACE):
                m.d.sync += event.reference.eq(event.new_reference)

    def _add_states(self, m, at):
        """DECIDE: add the order, or say why not."""
        store, levels, best, records = self._store, self._levels, self._best, self._records
        event, order, change, flags = self._event, self._order, self._change, self._flags
        good, ahead, duplicate, emptied = Signal(), Signal(), Signal(), Signal()
        with at("DECIDE"):
            m.d.comb += [
                duplicate.eq(store.found & ~(flags.removes & flags.same)),
                good.eq(~flags.bad & ~duplicate & store.room & (levels.found | levels.room)),
                ahead.eq(best.improves | best.joins),
                best.add.eq(good),
                emptied.eq(flags.emptied & (levels.slot == change.slot)),  # the level was found, and then its only order went
                records.emit.eq(1),
                records.touched.eq(((good & ahead) | flags.was_best) & ~(good & flags.was_best & best.stays & flags.same_shares)),
                records.trouble.eq(~good | (best.joins & best.overflow)),
            ]
            m.d.sync += [
                flags.added.eq(good),
                flags.starts.eq(good & ~flags.removes),
                flags.waits.eq(good & flags.removes),
                flags.alive.eq(1),
                self._place.eq(store.free_place),
                order.symbol.eq(event.symbol),
                order.side.eq(event.side),
                order.slot.eq(levels.slot),
                order.shares.eq(event.shares),
                change.region.eq(Cat(event.side, event.symbol)),
                change.slot.eq(levels.slot),
                change.price.eq(event.price),
                change.create.eq(~levels.found | emptied),
                change.remove.eq(0),
                change.peek.eq(0),
                change.search.eq(0),
                change.shares.eq(event.shares),
                self.bad_event.eq(flags.bad),
                self.duplicate_reference.eq(~flags.bad & duplicate),
                self.store_full.eq(~flags.bad & ~duplicate & ~store.room),
                self.levels_full.eq(~flags.bad & ~duplicate & ~levels.found & ~levels.room),
            ]
            at.go("IDLE")

    def _remove_states(self, m, at):
        """SELECT to UPDATE: take the order, or some of its shares, off its level. MOVE, LOAD: it is of another symbol than was thought."""
        store, levels, best, records = self._store, self._levels, self._best, self._records
        event, order, change, flags = self._event, self._order, self._change, self._flags
        elsewhere = Signal()

        with at("SELECT"):
            m.d.sync += [
                flags.known.eq(store.found),
                self._place.eq(store.found_place),
                order.eq(store.value),
                change.region.eq(Mux(store.found, Cat(store.value.side, store.value.symbol), Cat(event.side, event.symbol))),
                change.slot.eq(store.value.slot),
                change.create.eq(0),
                change.remove.eq(1),
                change.peek.eq(~store.found),  # nothing may change then
                change.search.eq(0),
                flags.starts.eq(~elsewhere),
            ]
            m.d.comb += elsewhere.eq(store.found & (store.value.symbol != event.symbol[:len(best.symbol)]))
            with m.If(store.found):
                m.d.sync += [event.symbol.eq(store.value.symbol), event.side.eq(store.value.side)]
            with m.If(elsewhere):
                at.go("MOVE")
            with m.Else():
                at.go("FETCH")

        with at("MOVE"):
            m.d.comb += [best.load.eq(1), best.symbol.eq(event.symbol)]
            at.go("LOAD")
        with at("LOAD"):
            m.d.sync += flags.starts.eq(1)
            at.go("FETCH")

        with at("FETCH"):  # the new order's places are looked up while the old one still has its own
            dies = flags.takes_all | (event.shares >= order.shares)
            m.d.comb += levels.again.eq(1)
            m.d.sync += [
                flags.alive.eq(~dies),
                flags.excess.eq(flags.known & ~flags.takes_all & (event.shares > order.shares)),
                change.whole.eq(dies),
                change.shares.eq(Mux(dies, order.shares, event.shares)),
                order.shares.eq(order.shares - event.shares),
            ]
            at.go("COUNT")

        with at("COUNT"):
            m.d.sync += flags.takes_some.eq(change.shares.any())
            at.go("UPDATE")

        adds = flags.adds & (flags.known | flags.sets)
        with at("UPDATE"):
            m.d.comb += [
                store.write.eq(flags.known),
                best.take.eq(flags.known),
                records.touched.eq(flags.known & best.took_best & flags.takes_some),
                records.trouble.eq(flags.excess),
                records.emit.eq(~adds),
            ]
            m.d.sync += [
                self.unknown_reference.eq(~flags.known & ~flags.sets),
                self.bad_event.eq(flags.excess),
                flags.was_best.eq(flags.known & best.took_best),
                flags.emptied.eq(flags.known & levels.emptied),
            ]
            with m.If(adds):
                at.go("DECIDE")
            with m.Else():
                at.go("IDLE")

    def _search_states(self, m, at):
        """SETTLE to REFILL: find the second best level of the side."""
        event, levels, best, change, flags = self._event, self._levels, self._best, self._change, self._flags
        with at("SETTLE"):  # the changes before have to be through
            with m.If(self._quiet >= levels.spacing - 2):
                m.d.sync += [
                    change.region.eq(Cat(event.side, event.symbol)),
                    change.slot.eq(best.near.slot),
                    change.create.eq(0),
                    change.remove.eq(1),
                    change.whole.eq(0),
                    change.peek.eq(1),
                    change.search.eq(1),
                    flags.starts.eq(1),
                ]
                at.go("PEEK")
            with m.Else():
                at.go("SETTLE")
        with at("PEEK"):
            at.go("SEARCH")
        with at("SEARCH"):
            with m.If(levels.best_known):
                at.go("TOTALS")
            with m.Else():
                at.go("SEARCH")
        with at("TOTALS"):
            at.go("REFILL")
        with at("REFILL"):
            m.d.comb += best.refill.eq(1)
            at.go("IDLE")

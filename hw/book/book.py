"""The order book of one venue: every live order, every price level, the best of each side."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.book.depth import Depth
from hw.book.far_levels import FarLevels
from hw.book.near_levels import Level, NearLevels
from hw.book.order_store import OrderStore, symbol_bits
from hw.book.records import Answered, Records
from hw.book.snapshot import BookOrders, Snapshot
from hw.config import CardConfig
from hw.lib.choice import any_of
from hw.lib.one_hot import OneHot
from hw.types import BookEvent, BookEventKind, BookLevel, BookOrder, Execution, Rank, Shares, Side, TopOfBook

LOOKED_UP = 3
"""Age, in cycles, at which an operation knows its order."""
BOOKED = 4
"""Age at which an operation that had to wait for its order reaches the levels."""

Operation = data.StructLayout({
    "event": BookEvent,
    "second": 1,  # the order that a REPLACE or SET brings, after the one that it takes away
    "first_of_two": 1,
    "adds": 1,
    "removes": 1,
    "takes_all": 1,
    "sets": 1,
    "status": 1,
    "bad": 1,  # zero shares or price
    "some": 1,  # more than zero shares
    "at_once": 1,  # it went to the levels without waiting for its order
})
"""An event on its way, or one half of it."""


class Book(wiring.Component):
    """Takes book events in and answers each with the symbol's top of book.

    An event is one operation, or two (a REPLACE, and a SET but to zero shares, takes an order away and brings one); an operation is taken
    every second cycle. All look their order up (:mod:`hw.book.order_store`), and reach the levels (:mod:`hw.book.near_levels`) in order:
    what names an order when it is known, what brings one at once, unless one that waits for its order is ahead. The best levels of all
    sides are kept sorted; those behind them (:mod:`hw.book.far_levels`) change behind the record's back, and fill up what is left of the
    best ones when these run low: then no event is taken for a while. Any price from 1 to 2^32 - 1 is exact.

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
    look : In(1), look_symbol : In
        Pulse: tell the best levels of this symbol. Ignored while ``looking``.
    look_orders : In(1)
        Pulse: tell every order of all symbols. Ignored while ``looking``.
    looking : Out(1)
        They are not all told yet.
    level_valid : Out(1), level : Out(BookLevel)
        The ten best bids, then the ten best asks, all as after one event (see hw/book/depth.py). Meanwhile no event is taken for about 60
        cycles, more where far levels have to be fetched.
    room : In(1)
        There is room for more orders where they are told.
    order_valid : Out(1), order : Out(BookOrder), orders_valid : Out(1), orders : Out(BookOrders)
        Every order, one at a time, and how they were told (see hw/book/snapshot.py). For each set of the store no event is taken for as
        long as those under way need, and about 7 cycles; where events wait, that is one cycle in ten.
    executions : Out(stream of Execution)
        Each EXECUTE of a known order, in the cycle in which ``tops`` would offer its record if no other waited; never in two cycles that
        follow each other.
    unknown_reference, duplicate_reference, store_full, levels_full, bad_event, overflow : Out(1)
        Pulses; what happened to an event.

    Errors
    ------
    All but an unknown reference (which changes nothing) make the symbol stale until ``clear``: a duplicate reference, no free way in
    the order store (the order is not kept), none for a far level (the level is not kept), zero shares or price (not added), more shares
    executed or cancelled than the order had (it dies), a level whose total does not fit (it counts on modulo 2^32). What concerns a level
    behind the best shows with a later record of the symbol, as the top is still right. After a duplicate reference, or where something
    found no room, the prices and shares of this symbol's records mean nothing any more; those of the others stay exact.

    Latency
    -------
    From the cycle in which the event is transferred to the first cycle with ``tops.valid``, and to the transfer of the next event:

    ==============================================================  ======  =====
    case                                                            record  next
    ==============================================================  ======  =====
    ADD, HALT, RESUME                                               3       2
    the same, less than six cycles behind one of those below        6       2
    EXECUTE, CANCEL, DELETE, SET to zero, unknown reference         6       2
    REPLACE, SET                                                    8       4
    ==============================================================  ======  =====

    Three cycles after the event before no event is taken, nor five after it. Where a side has fewer than ``NearLevels.LOW`` near levels
    left and others far, no event is taken for about 40 cycles and 30 more a level that is fetched.
    ``LATENCY`` is the first line's.
    """

    LATENCY = 3

    def __init__(self, config: CardConfig, venue: int = 0):
        if not 0 <= venue < config.venues:
            raise ValueError(f"venue must be 0 to {config.venues - 1}, not {venue}")
        self.store = OrderStore(config)
        self._near = NearLevels(config)
        self.far = FarLevels(config)
        self._records = Records(config, venue)
        self._depth = Depth(config, venue)
        self._snapshot = Snapshot(self.store, venue)
        self._rows = max(self.store.depth, self.far.depth, 2 * config.symbols)
        self._symbol_bits = symbol_bits(config)
        super().__init__({
            "events": In(stream.Signature(BookEvent)),
            "tops": Out(stream.Signature(TopOfBook)),
            "clear": In(1),
            "busy": Out(1),
            "venue_stale": In(1),
            "assume_trading": In(config.symbols),
            "halted": Out(config.symbols),
            "look": In(1),
            "look_symbol": In(symbol_bits(config)),
            "looking": Out(1),
            "level_valid": Out(1),
            "level": Out(BookLevel),
            "look_orders": In(1),
            "room": In(1),
            "order_valid": Out(1),
            "order": Out(BookOrder),
            "orders_valid": Out(1),
            "orders": Out(BookOrders),
            "executions": Out(stream.Signature(Execution, always_ready=True)),
            "unknown_reference": Out(1),
            "duplicate_reference": Out(1),
            "store_full": Out(1),
            "levels_full": Out(1),
            "bad_event": Out(1),
            "overflow": Out(1),
        })
        place = data.StructLayout({"symbol": self._symbol_bits, "side": Side, "rank": Rank})
        self._takes, self._second = Signal(), Signal()  # an event is taken; the second half of one begins
        self._age = Signal(8)  # bit k: there is an operation that was taken k cycles ago
        self._taken = Signal(Operation)  # the operation of one or two cycles ago
        self._looked_up = Signal(Operation)  # that of three or four
        self._place = Signal(place)  # where the operation belongs that reaches the levels next
        self._elsewhere = Signal(place)  # the same, where it is not an order's place that was looked up
        self._found, self._order, self._room = Signal(), Signal(self.store.layout), Signal()  # what it found
        self._dies = Signal()
        self._acts = Signal()  # an order comes, if nothing speaks against it
        self._waits = Signal(3)  # bit k: that of 2k + 1 or 2k + 2 cycles ago waits for its order, or did
        self._at_once = Signal()  # that of one cycle ago does not, and reaches the levels
        self._waited = Signal()  # one that did reaches the levels
        self._none, self._bad = Signal(), Signal()  # that of one or two cycles ago has no shares; or no price
        self._two = Signal()  # its event is two operations, of which this is the first
        self._comes, self._excess = Signal(), Signal()  # its order comes; it takes more shares than there are
        self._append, self._fetched = Signal(), Signal(Level)  # a level that was fetched from afar is appended
        self._open, self._quiet, self._held = Signal(), Signal(), Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = self.store
        m.submodules.near = near = self._near
        m.submodules.far = far = self.far
        m.submodules.records = records = self._records
        m.d.comb += [
            far.valid.eq(near.far_valid), far.change.eq(near.far),
            records.venue_stale.eq(self.venue_stale | self.clear | self.busy),
            records.doubt.eq(far.full | far.overflow | far.missing), records.doubt_symbol.eq(far.doubt_region[1:]),
            records.doubt_near.eq(near.overflow_behind), records.doubt_near_symbol.eq(near.overflow_region[1:]),
            records.assume_trading.eq(self.assume_trading), self.halted.eq(records.halted),
            self.levels_full.eq(far.full),
        ]
        wiring.connect(m, records.tops, wiring.flipped(self.tops))
        wiring.connect(m, records.executions, wiring.flipped(self.executions))
        self._take(m)
        self._look_up(m)
        self._go_to_the_levels(m)
        self._answer(m)
        self._tell(m)
        self._control(m)
        self._show_depth(m)
        self._show_orders(m)
        return m

    def _take(self, m):
        """Cycle 0: an event, or the second half of the one of two cycles ago. Cycles 1 and 2: what it is."""
        age, now, offered = self._age, self._taken, self.events.payload
        second, take, two, none = self._second, self._takes, self._two, self._none
        m.d.sync += self.events.ready.eq(self._open & ~age[0] & ~age[2] & ~age[4] & ~(age[1] & two))
        m.d.sync += second.eq(age[1] & two)
        m.d.comb += [
            take.eq(self.events.valid & self.events.ready),
            age[0].eq(take | second),
        ]
        m.d.sync += age[1:].eq(age)
        kind = now.event.kind
        adds, sets = (kind == BookEventKind.ADD) | now.second, kind == BookEventKind.SET
        self._go_at_once(m)
        with m.If(age[1]):
            m.d.sync += [
                now.first_of_two.eq(two),
                now.adds.eq(adds), now.sets.eq(sets),
                now.removes.eq(~adds & (kind.as_value() >= BookEventKind.EXECUTE.value) & (kind.as_value() <= BookEventKind.SET.value)),
                now.takes_all.eq(kind.as_value() >= BookEventKind.DELETE.value),
                now.status.eq(kind.as_value() >= BookEventKind.HALT.value),
                now.bad.eq(self._bad),
                now.some.eq(~none),
                now.at_once.eq(self._at_once),
            ]
        with m.If(take):
            m.d.sync += [
                now.event.eq(offered), now.second.eq(0),
                none.eq(offered.shares == 0), self._bad.eq((offered.shares == 0) | (offered.price == 0)),
                two.eq((offered.kind == BookEventKind.REPLACE) | ((offered.kind == BookEventKind.SET) & (offered.shares != 0))),
            ]
        with m.If(second):
            m.d.sync += [now.second.eq(1), two.eq(0)]
            with m.If(kind == BookEventKind.REPLACE):
                m.d.sync += now.event.reference.eq(now.event.new_reference)
        with m.If(age[2]):
            m.d.sync += self._looked_up.eq(now)

    def _go_at_once(self, m):
        """What names no order does not wait for one, if nothing waits ahead of it."""
        age, waits, at_once = self._age, self._waits, self._at_once
        kind = self.events.payload.kind.as_value()
        names_none = (kind == BookEventKind.ADD.value) | (kind >= BookEventKind.HALT.value)
        m.d.sync += at_once.eq(self._takes & names_none & ~(age[2] & waits[0]) & ~(age[4] & waits[1]))
        with m.If(age[1]):
            m.d.sync += waits[0].eq(~at_once)
        with m.If(age[2]):
            m.d.sync += waits[1].eq(waits[0])
        with m.If(age[4]):
            m.d.sync += waits[2].eq(waits[1])

    def _look_up(self, m):
        """Cycles 0 to 3: the order. Cycle 4: what the reference stands for from then on."""
        age, now, then, store = self._age, self._taken, self._looked_up, self.store
        offered, event, order, place, elsewhere = self.events.payload, now.event, self._order, self._place, self._elsewhere
        new_hashes = Signal(store.hashes.shape())
        m.d.sync += new_hashes.eq(store.table.hash(Mux(event.kind == BookEventKind.REPLACE, event.new_reference, event.reference)))
        m.d.comb += [
            store.lookup.eq(age[0]),
            store.hashes.eq(Mux(self.events.ready, store.table.hash.in_levels(m, offered.reference), new_hashes)),
            store.reference.eq(event.reference),
            store.adds.eq(now.adds),
        ]
        own = Signal.like(place)  # what the event itself says, and of a second half what the first one has found
        with m.If(age[LOOKED_UP - 1]):
            side = Mux(now.second & self._found, order.side.as_value(), event.side.as_value())
            m.d.sync += [own.symbol.eq(Mux(now.second & self._found, order.symbol, event.symbol)), own.side.eq(side),
                         own.rank.eq(event.price ^ side.replicate(32))]
        m.d.comb += elsewhere.eq(place)
        with m.If(age[LOOKED_UP]):
            m.d.comb += elsewhere.eq(own)
        with m.Elif(self._takes):
            m.d.comb += [elsewhere.symbol.eq(offered.symbol), elsewhere.side.eq(offered.side),
                         elsewhere.rank.eq(offered.price ^ offered.side.as_value().replicate(32))]
        removes = age[LOOKED_UP] & then.removes
        m.d.sync += place.eq(any_of([  # the store's order comes late, and is zero where none is found
            (removes, Cat(store.order.symbol, store.order.side, store.order.rank)), (~(removes & store.found), elsewhere)]))
        with m.If(age[LOOKED_UP]):
            m.d.sync += [
                self._found.eq(store.found), order.eq(store.order), self._room.eq(store.room),
                self._dies.eq(then.takes_all | (store.order.shares <= then.event.shares)),
                self._acts.eq(then.adds & (~then.second | self._found | then.sets)),
            ]

        comes = self._comes
        m.d.comb += [
            comes.eq(self._acts & ~then.bad & ~self._found & self._room),
            self._excess.eq(then.removes & self._found & ~then.takes_all & (order.shares < then.event.shares)),
            store.alive.eq(comes | (self._found & ~(then.removes & self._dies))),
            store.after.eq(order),
        ]
        with m.If(then.removes):
            m.d.comb += store.after.shares.eq(order.shares - then.event.shares)
        with m.If(comes):
            m.d.comb += [store.after.symbol.eq(place.symbol), store.after.side.eq(place.side), store.after.rank.eq(place.rank),
                         store.after.shares.eq(then.event.shares)]

    def _go_to_the_levels(self, m):
        """In cycle 1 or 4, or when a level comes from afar."""
        age, now, then, near, place = self._age, self._taken, self._looked_up, self._near, self._place
        append, waited = self._append, self._waited
        m.d.sync += waited.eq(age[BOOKED - 1] & ~then.at_once)
        m.d.comb += [
            near.start.eq(waited | self._at_once | append),
            near.region.eq(Cat(place.side, place.symbol)), near.rank.eq(place.rank),
            near.append.eq(append), near.totals.orders.eq(1),
        ]
        with m.If(append):
            m.d.comb += near.totals.eq(self._fetched.totals)
        with m.Elif(waited):
            m.d.comb += [
                near.come.eq(self._comes), near.leave.eq(then.removes & self._found),
                near.totals.shares.eq(Mux(then.removes & self._dies, self._order.shares, then.event.shares)),
                near.totals.orders.eq(~then.removes | self._dies),
            ]
        with m.Else():
            m.d.comb += [near.come.eq((now.event.kind == BookEventKind.ADD) & ~self._bad), near.totals.shares.eq(now.event.shares)]

    def _answer(self, m):
        """In the cycle after that: the record. In the next one it is known whether the order that was not waited for is a new one."""
        age, now, then, near, records, place = self._age, self._taken, self._looked_up, self._near, self._records, self._place
        order, waited, at_once = self._order, self._waited, self._at_once
        event = data.View(BookEvent, Mux(waited, then.event.as_value(), now.event.as_value()))
        some, again, was_touched, old = Signal(), Signal(), Signal(), Signal(data.StructLayout({"rank": Rank, "shares": Shares}))
        second, refused = Signal(), self._acts & ~self._comes
        m.d.sync += [
            *(records.event[name].eq(event[name]) for name in Answered.members),
            records.side.eq(place.side),
            records.status.eq(event.kind.as_value() >= BookEventKind.HALT.value), records.halts.eq(event.kind == BookEventKind.HALT),
            records.emit.eq((waited & ~then.first_of_two) | at_once),
            records.trouble.eq(Mux(waited, self._excess | refused, at_once & (now.event.kind == BookEventKind.ADD) & self._bad)),
            some.eq(~waited | ~then.removes | self._dies | then.some),
            second.eq(waited & then.second),
            again.eq(waited & then.second & self._comes & (place.rank == old.rank) & (then.event.shares == old.shares)),
            records.executed.eq(waited & (then.event.kind == BookEventKind.EXECUTE) & self._found),
            records.executed_shares.eq(then.event.shares), records.executed_price.eq(place.rank ^ place.side.as_value().replicate(32)),
        ]
        with m.If(waited):
            m.d.sync += [old.rank.eq(place.rank), old.shares.eq(order.shares)]
        touched = Signal()
        m.d.comb += [
            touched.eq(near.touched & some),
            records.symbol.eq(place.symbol),
            records.best.eq(near.best), records.other.eq(near.other),
            records.touched.eq((touched | (second & was_touched)) & ~(was_touched & again)),
        ]
        m.d.sync += was_touched.eq(Mux(second | records.emit, 0, Mux(near.touched, some, was_touched)))
        was_new = Signal()  # that of three cycles ago took its order for a new one that finds room
        m.d.sync += was_new.eq(age[LOOKED_UP - 1] & now.at_once & now.adds & ~now.bad)
        m.d.comb += records.late_trouble.eq((was_new & ~self.store.vacant) | near.overflow)

    def _tell(self, m):
        """The pulses."""
        age, then = self._age, self._looked_up
        acts, found, room = self._acts & age[BOOKED], self._found, self._room
        m.d.sync += [
            self.bad_event.eq((acts & then.bad) | (age[BOOKED] & self._excess)),
            self.duplicate_reference.eq(acts & ~then.bad & found),
            self.store_full.eq(acts & ~then.bad & ~found & ~room),
            self.unknown_reference.eq(age[BOOKED] & then.removes & ~found & ~then.sets),
            self.overflow.eq(self.far.overflow | self._near.overflow | self._near.overflow_behind),
        ]

    def _show_depth(self, m):
        """The levels that the host has asked for."""
        m.submodules.depth = depth = self._depth
        near, elsewhere = self._near, self._elsewhere
        m.d.comb += [
            depth.ask.eq(self.look), depth.symbol.eq(self.look_symbol), self.looking.eq(depth.busy | self._snapshot.busy),
            depth.quiet.eq(self._quiet),
            depth.sequence.eq(self._taken.event.sequence),
            depth.seen_valid.eq(near.seen_valid), depth.seen.eq(near.seen),
            self.level_valid.eq(depth.valid), self.level.eq(depth.level),
        ]
        m.d.sync += near.look.eq(depth.look)
        with m.If(depth.look):
            m.d.comb += [elsewhere.symbol.eq(depth.of_symbol), elsewhere.side.eq(depth.side)]

    def _show_orders(self, m):
        """All orders: a key that is the number of a set has this set in both banks, so that it is looked up like any other reference."""
        m.submodules.snapshot = snapshot = self._snapshot
        store, event = self.store, self._taken.event
        m.d.comb += [
            snapshot.ask.eq(self.look_orders), snapshot.room.eq(self.room), snapshot.calm.eq(~self.events.valid),
            snapshot.quiet.eq(self._quiet), snapshot.sequence.eq(event.sequence), snapshot.group.eq(store.group),
            store.fetch.eq(snapshot.fetch), store.keep.eq(snapshot.keep), store.bank.eq(snapshot.bank),
            self.order_valid.eq(snapshot.valid), self.order.eq(snapshot.order),
            self.orders_valid.eq(snapshot.done), self.orders.eq(snapshot.orders),
        ]
        with m.If(snapshot.name):
            m.d.sync += [event.kind.eq(BookEventKind.ADD), event.reference.eq(snapshot.row)]

    def _control(self, m):
        """Fetching far levels, clearing, and when an event may be taken."""
        near, far, elsewhere = self._near, self.far, self._elsewhere
        requested, row = Signal(), Signal(range(self._rows))
        owed = Signal(range(Records.DEPTH + 1))
        calm, settled = Signal(), Signal()  # nothing was under way in the cycle before; nor is it now
        at = OneHot(m, "CLEAR", "OPEN", "REFILL", "TAKE", "APPEND")
        m.d.comb += [
            self.busy.eq(at.now("CLEAR") | requested),
            self._open.eq(at.now("OPEN") & ~requested & ~self.clear & ~near.low & far.room & ~self._held
                          & (owed != Records.DEPTH)),
            settled.eq(calm & ~self.events.ready),
            self._quiet.eq(self._held & settled & ~near.low),
            far.region.eq(near.low_region), near.none_region.eq(far.level_region),
        ]
        m.d.sync += [
            self._held.eq(self._depth.hold | self._snapshot.hold), calm.eq(at.now("OPEN") & ~self._age.any() & ~near.busy & far.idle),
        ]
        m.d.sync += owed.eq(owed + (self.events.valid & self.events.ready) - (self.tops.valid & self.tops.ready))
        for part in (self.store, far):
            m.d.comb += [part.clear.eq(at.now("CLEAR")), part.row.eq(row)]
        m.d.comb += self._records.clear.eq(at.now("CLEAR"))
        m.d.sync += near.clear.eq(at.now("CLEAR"))
        with m.If(self.clear):
            m.d.sync += requested.eq(1)

        with at("CLEAR"):
            m.d.sync += row.eq(row + 1)
            m.d.comb += Cat(elsewhere.side, elsewhere.symbol).eq(row)
            with m.If(row == self._rows - 1):
                m.d.sync += row.eq(0)
                at.go("OPEN")
            with m.Else():
                at.go("CLEAR")
        with at("OPEN"):
            with m.If(settled & near.low):
                at.go("REFILL")
            with m.Elif(settled & requested & ~self._held):
                m.d.sync += requested.eq(self.clear)
                at.go("CLEAR")
            with m.Else():
                at.go("OPEN")
        with at("REFILL"):  # what was fetched last may still be on its way: then one too many is
            with m.If(~near.low):
                at.go("OPEN")
            with m.Elif(far.idle):
                m.d.comb += far.take.eq(1)
                at.go("TAKE")
            with m.Else():
                at.go("REFILL")
        with at("TAKE"):
            m.d.sync += self._fetched.eq(far.level)
            m.d.comb += [Cat(elsewhere.side, elsewhere.symbol).eq(far.level_region), elsewhere.rank.eq(far.level.rank)]
            with m.If(~far.taken):
                at.go("TAKE")
            with m.Elif(far.level.valid):
                at.go("APPEND")
            with m.Else():
                m.d.comb += near.none_far.eq(1)
                at.go("REFILL")
        with at("APPEND"):
            m.d.comb += self._append.eq(1)
            at.go("REFILL")

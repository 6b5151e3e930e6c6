"""Tells every order of a book, set by set, while the feed goes on."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.book.order_store import OrderStore
from hw.lib.hash_table import BANKS
from hw.lib.one_hot import OneHot
from hw.types import BookOrder, Sequence, VenueIndex


class BookOrders(data.Struct):
    """How all orders of a book were told."""

    venue: VenueIndex
    count: 32
    """Orders told."""
    since: Sequence
    """Of the last feed message that the book had taken when the first order was looked for."""
    sequence: Sequence
    """The same for the last one. Where the two are equal, all orders were so at once."""


class Snapshot(wiring.Component):
    """Walks the order store. Each set is read at once, as it is after one event, and told while events are taken again.

    An order never moves, so one that lives throughout is told exactly once; one that comes or goes meanwhile is told or not, as of the
    event that its set was read after. Where ``orders.since`` is ``orders.sequence`` the book took nothing meanwhile: then it is all as
    after one event.

    Parameters
    ----------
    store : OrderStore
        Whose orders; not a part of this component.
    venue : int

    Ports
    -----
    ask : In(1)
        Pulse: all orders are wanted. Ignored while ``busy``.
    busy : Out(1)
        They are not all told yet, and for ``PACE`` cycles longer: until then the last record is where it goes.
    hold : Out(1)
        No event may be taken.
    quiet : In(1), sequence : In(Sequence)
        Nothing is under way, and has not been since ``hold`` was seen; the last event that was taken.
    calm : In(1)
        No event waits: to hold the book disturbs nobody.
    room : In(1)
        There is room for ``ways`` + 1 records where they go.
    name : Out(1), row : Out
        Pulse: the next hashes asked for are those of the reference ``row``, which are ``row`` in both banks.
    fetch : Out(1)
        Two cycles later: read these sets.
    keep : Out(1), bank : Out(1)
        Two cycles after that: keep the set of this bank.
    group : In(ways entries)
        What was kept.
    valid : Out(1), order : Out(BookOrder)
        One at most every ``PACE`` cycles.
    done : Out(1), orders : Out(BookOrders)
        Pulse: all are told. The counts that belong to them.

    Timing
    ------
    A set takes 10 cycles, one more a way and ``PACE`` more an order. Events are held back for as long as those under way need, and 5
    cycles; while some wait, ``PAUSE`` cycles at least go by before the next time.
    """

    PACE = 8
    PAUSE = 128

    def __init__(self, store: OrderStore, venue: int):
        table = store.table
        self._venue = venue
        self._ways = table.ways
        self._rows = table.sets
        self._entry = table.entry_shape
        super().__init__({
            "ask": In(1), "busy": Out(1), "hold": Out(1), "quiet": In(1), "sequence": In(Sequence), "calm": In(1), "room": In(1),
            "name": Out(1), "row": Out(table.set_bits), "fetch": Out(1), "keep": Out(1), "bank": Out(range(BANKS)),
            "group": In(data.ArrayLayout(table.entry_shape, table.ways)),
            "valid": Out(1), "order": Out(BookOrder), "done": Out(1), "orders": Out(BookOrders),
        })

    def elaborate(self, platform):
        m = Module()
        pace, pause, way = Signal(range(self.PACE)), Signal(range(self.PAUSE)), Signal(range(self._ways))
        fresh = Signal()  # nothing has been read yet
        last_way, last_set = Signal(), Signal()
        entry = data.View(self._entry, Array(entry.as_value() for entry in self.group)[way])
        m.d.comb += [
            last_way.eq(way == self._ways - 1), last_set.eq(self.bank & (self.row == self._rows - 1)), self.orders.venue.eq(self._venue),
        ]
        m.d.sync += [pace.eq(pace + 1), self.valid.eq(0), self.done.eq(0), self.orders.count.eq(self.orders.count + self.valid)]
        with m.If(~pause.all()):
            m.d.sync += pause.eq(pause + 1)
        at = OneHot(m, "IDLE", "PAUSE", "WAIT", "NAME", "HASH", "FETCH", "ARRIVE", "KEEP", "TELL", "TOLD", "NEXT", "END")
        m.d.comb += [
            self.busy.eq(~at.now("IDLE")), self.hold.eq(Cat(map(at.now, ("WAIT", "NAME", "HASH", "FETCH"))).any()),
            self.name.eq(at.now("NAME")), self.fetch.eq(at.now("FETCH")), self.keep.eq(at.now("KEEP")),
        ]

        with at("IDLE"):
            m.d.sync += [self.row.eq(0), self.bank.eq(0), self.orders.count.eq(0), fresh.eq(1)]
            with m.If(self.ask):
                at.go("PAUSE")
            with m.Else():
                at.go("IDLE")
        with at("PAUSE"):
            with m.If(self.room & (self.calm | pause.all())):
                at.go("WAIT")
            with m.Else():
                at.go("PAUSE")
        with at("WAIT"):
            m.d.sync += self.orders.sequence.eq(self.sequence)
            with m.If(fresh):
                m.d.sync += self.orders.since.eq(self.sequence)
            with m.If(self.quiet):
                at.go("NAME")
            with m.Else():
                at.go("WAIT")
        with at("NAME"):
            at.go("HASH")
        with at("HASH"):
            at.go("FETCH")
        with at("FETCH"):
            m.d.sync += [pause.eq(0), fresh.eq(0)]
            at.go("ARRIVE")
        with at("ARRIVE"):
            at.go("KEEP")
        with at("KEEP"):
            m.d.sync += way.eq(0)
            at.go("TELL")
        with at("TELL"):
            order, value = self.order, entry.value
            m.d.sync += [
                order.venue.eq(self._venue), order.symbol.eq(value.symbol), order.side.eq(value.side),
                order.price.eq(value.rank ^ value.side.as_value().replicate(32)), order.shares.eq(value.shares),
                order.reference.eq(entry.key), order.sequence.eq(self.orders.sequence),
                self.valid.eq(entry.valid), way.eq(way + 1), pace.eq(0),
            ]
            with m.If(entry.valid):
                at.go("TOLD")
            with m.Elif(last_way):
                at.go("NEXT")
            with m.Else():
                at.go("TELL")
        with at("TOLD"):
            with m.If(~pace.all()):
                at.go("TOLD")
            with m.Elif(way == 0):  # it was the last one
                at.go("NEXT")
            with m.Else():
                at.go("TELL")
        with at("NEXT"):
            m.d.sync += [Cat(self.bank, self.row).eq(Cat(self.bank, self.row) + 1), pace.eq(0), self.done.eq(last_set)]
            with m.If(last_set):
                at.go("END")
            with m.Else():
                at.go("PAUSE")
        with at("END"):
            with m.If(pace.all()):
                at.go("IDLE")
            with m.Else():
                at.go("END")
        return m

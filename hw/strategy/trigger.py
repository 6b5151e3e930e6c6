"""Orders that the host has prepared, and that leave when a top of book meets their condition."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.settings import TriggerCommit, TriggerEntry, TriggerFiring
from hw.types import Cycles, Order, Price, Sequence, SymbolIndex, TopOfBook, VenueIndex

STRATEGY = 3
"""This strategy's number in the orders."""

CAUSES = 16
"""Records that orders may wait for at once."""


class Cause(data.Struct):
    """The record that an entry has fired on."""

    venue: VenueIndex
    sequence: Sequence
    ingress: Cycles


class Trigger(wiring.Component):
    """Sends each prepared order once, when a changed top of book meets its condition.

    An entry that fires disarms itself: it fires once for each time that the host arms it. Orders leave one after the other, of those
    that wait the lowest entry's first. What waits is spent, and does not leave, if meanwhile what it watches can't be relied
    on any more (the top of book is stale, halted, partial or crossed, or the venue is stale), if it is committed anew, or if the
    strategy is disabled; what is on offer stays so until it is taken.

    Parameters
    ----------
    config : CardConfig
    entries : int
        1 to 16.

    Ports
    -----
    tops : In(stream of TopOfBook, always ready)
        Of all venues, one a cycle. Records without ``changed`` are dropped; a stale, halted, partial or crossed one meets nothing.
    enable : In(1)
        Off: nothing fires. What is armed stays so.
    venue_stale : In(one bit a venue)
        Level: no record of this venue meets anything. It counts as it stood a cycle before.
    commits : In(stream of TriggerCommit, always ready)
        Arms or disarms an entry, all of it at once; records of the next cycle on are compared with it. Of an unknown entry: ignored.
    orders : Out(stream of Order)
    armed : Out(one bit an entry)
    fired : Out(one bit an entry)
        It has fired since it was last committed.
    firing : Out(stream of TriggerFiring, always ready)
        Entries have fired, three cycles after the record.

    Notes
    -----
    Latency 4: a record transferred in cycle t, its order valid in cycle t + 4. One order in two cycles. Should an order wait while
    15 later records fire, the next record fires nothing, and what it would have fired stays armed.
    """

    LATENCY = 4

    def __init__(self, config: CardConfig, entries: int = 16):
        if not 1 <= entries <= CAUSES:
            raise ValueError(f"entries must be 1 to {CAUSES}, not {entries}")
        super().__init__({
            "tops": In(stream.Signature(TopOfBook, always_ready=True)),
            "enable": In(1),
            "venue_stale": In(config.venues),
            "commits": In(stream.Signature(TriggerCommit, always_ready=True)),
            "orders": Out(stream.Signature(Order)),
            "armed": Out(entries),
            "fired": Out(entries),
            "firing": Out(stream.Signature(TriggerFiring, always_ready=True)),
        })
        self._entries, self._venues = entries, config.venues

    def elaborate(self, platform):
        m = Module()
        entries, offered, commit = range(self._entries), self.tops.payload, self.commits.payload
        valid, sure, top, committed = Signal(), Signal(), Signal(TopOfBook), Signal(self._entries)
        self._commit = Signal(TriggerCommit)
        m.d.sync += [  # 0 -> 1
            committed.eq(Mux(self.commits.valid, Cat(commit.index == number for number in entries), 0)), self._commit.eq(commit),
            top.eq(offered),
            valid.eq(self.tops.valid & offered.changed & (offered.venue < self._venues)),
            sure.eq(~(offered.stale | offered.halted | offered.partial | offered.crossed)),
        ]
        met, doubtful, compared = Signal(self._entries), Signal(self._entries), Signal(TopOfBook)
        for number in entries:
            about, meets, stale = self._compare(m, number, committed[number], top)
            m.d.sync += [  # 1 -> 2
                met[number].eq(valid & sure & about & meets & ~stale & ~committed[number]),
                doubtful[number].eq(stale | (about & valid & ~sure)),
            ]
        m.d.sync += compared.eq(top)
        self._fire(m, compared, met, doubtful, committed)
        return m

    def _fire(self, m, top, met, lost, committed):
        """Cycle 2: which entries fire, and what that does to them; then their orders and the news of it."""
        hits, waiting, leaves = Signal(self._entries), Signal(self._entries), Signal(self._entries)
        room = self._causes(m, top, hits, waiting)
        m.d.comb += hits.eq(Mux(self.enable & room, met & self.armed & ~committed, 0))
        m.d.sync += [
            self.armed.eq((self.armed & ~hits & ~committed) | Mux(self._commit.entry.armed, committed, 0)),
            self.fired.eq((self.fired | hits) & ~committed),
            waiting.eq(Mux(self.enable, ((waiting & ~leaves) | hits) & ~lost & ~committed, 0)),
        ]
        self._leave(m, waiting & ~committed & ~lost, leaves, committed)
        firing = self.firing.payload
        m.d.sync += [
            self.firing.valid.eq(hits.any()), firing.entries.eq(hits),
            *(firing[name].eq(top[name]) for name in ("venue", "symbol", "bid_price", "ask_price", "sequence")),
        ]

    def _compare(self, m, number, committed, top):
        """Cycle 1: whether the record is about the entry, meets its condition, and if the venue is stale. Kept in registers."""
        entry = self._commit.entry
        condition = Signal(data.StructLayout({"symbol": SymbolIndex, "venue": VenueIndex, "at": Price, "at_most": 1, "ask": 1}),
                           name=f"condition_{number}")
        with m.If(committed):
            m.d.sync += [
                condition.symbol.eq(entry.symbol), condition.venue.eq(entry.watch_venue), condition.at.eq(entry.at),
                Cat(condition.at_most, condition.ask).eq(entry.when),
            ]
        seen = Mux(condition.ask, top.ask_price, top.bid_price)
        below, above = (seen - condition.at)[-1], (condition.at - seen)[-1]
        about = (top.symbol == condition.symbol) & (top.venue == condition.venue)
        return about, (seen != 0) & ~Mux(condition.at_most, above, below), self.venue_stale.bit_select(condition.venue, 1)

    def _causes(self, m, top, hits, waiting):
        """Keeps the records that have fired something, as long as something of it waits. Returns whether there is room for another."""
        m.submodules.causes = causes = Memory(shape=Cause, depth=CAUSES, init=[], attrs={"ram_style": "distributed"})
        write, read = causes.write_port(), causes.read_port(domain="comb")
        following = Signal(range(CAUSES))
        self._cause = Array(Signal(range(CAUSES), name=f"cause_{number}") for number in range(self._entries))
        self._offered_cause, self._order = Signal(range(CAUSES)), Signal(Order)
        used = Signal(self._entries)
        for number, cause in enumerate(self._cause):
            m.d.comb += used[number].eq(waiting[number] & (cause == following))
            with m.If(hits[number]):
                m.d.sync += cause.eq(following)
        with m.If(hits.any()):
            m.d.sync += following.eq(following + 1)
        room = ~used.any() & ~(self.orders.valid & (self._offered_cause == following))
        m.d.comb += [
            self.orders.payload.eq(self._order), write.addr.eq(following), write.en.eq(room),
            write.data.venue.eq(top.venue), write.data.sequence.eq(top.sequence), write.data.ingress.eq(top.ingress),
            read.addr.eq(self._offered_cause),
            self.orders.payload.trigger_venue.eq(read.data.venue), self.orders.payload.trigger_sequence.eq(read.data.sequence),
            self.orders.payload.ingress.eq(read.data.ingress),
        ]
        return room

    def _leave(self, m, waiting, leaves, committed):
        """Cycle 3: the lowest entry that waits takes the free place at the output."""
        m.submodules.entries = entries = Memory(shape=TriggerEntry, depth=self._entries, init=[], attrs={"ram_style": "distributed"})
        write, read = entries.write_port(), entries.read_port(domain="comb")
        commit, order, first = self._commit, self._order, Signal(range(max(self._entries, 2)))
        m.d.comb += [
            write.addr.eq(commit.index), write.data.eq(commit.entry),
            write.en.eq(committed.any()), read.addr.eq(first),
        ]
        for number in reversed(range(self._entries)):
            with m.If(waiting[number]):
                m.d.comb += first.eq(number)
        with m.If(~self.orders.valid):
            m.d.comb += leaves.eq(Mux(self.enable, waiting & (~waiting + 1), 0))
            m.d.sync += [
                self.orders.valid.eq(self.enable & waiting.any()), self._offered_cause.eq(self._cause[first]),
                order.strategy.eq(STRATEGY), *(order[name].eq(read.data[name]) for name in ("venue", "symbol", "side", "shares", "price")),
            ]
        with m.Elif(self.orders.ready):
            m.d.sync += self.orders.valid.eq(0)

"""What the venues answer, taken one after the other: which order it is about, whether it can be, what it does."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.risk.account import Freed
from hw.risk.open_orders import AnswerPort, OpenOrder, place_bits, place_of
from hw.types import OrderReply, ReplyKind, Shares
from hw.venue_reply import AnswerKind, VenueReply


def numbered(reply):
    """Its venue counts such answers."""
    return (reply.kind != AnswerKind.MOVED) & (reply.kind != AnswerKind.UNSENT)


class Answers(wiring.Component):
    """Turns the venues' answers into what they do to the table of open orders and to the exposure.

    Answers are numbered, venue by venue, but for MOVED and UNSENT. One that is not above the last has been applied before: it is ``late``,
    and forgotten.
    ``lost`` tells that something has happened that the card does not know: a gap in the numbers, a fill of an order that is not open
    or not in force, or of more than is left of it (the position moves by all of it), a row that has lost a bit, an answer that found
    no room. What else can't be (more dead than is left, an order that is not open, a REPLACED without a REPLACE) does nothing beyond
    what is left, and is ``bad``.

    An order that a REPLACE is about stays as it is until the venue says REPLACED, and the new one stands beside it with what it asks
    for beyond it. Where the old one ends first the venue ignores the REPLACE (PROTOCOLS: section 4), and the new one ends with it.

    Parameters
    ----------
    config : CardConfig
    depth : int
        Answers that may wait.

    Ports
    -----
    input : In(stream of VenueReply, always ready)
    armed : In(1)
        MOVED is bad.
    table : Out(AnswerPort)
    settlements : Out(stream of OrderReply)
        What they do to the exposure, in their order; for those that do nothing there is none.
    free : Out(1), freed : Out(Freed)
        Pulse with ``applied``: what the answer frees of the notional that is reserved for orders. For a REPLACE that is not in force yet
        all that it asks for is reserved. (What is filled beyond that is lost, as above.)
    applied : Out(1)
        Pulse for each answer: in the table from the next cycle on, and its settlement on offer.
    late, bad, lost : Out(1)
        Pulses: of the answers as above, at the latest with ``applied``.
    clear : In(1)
        Pulse: each venue's next answer may have any number.

    Notes
    -----
    An answer takes 4 cycles, one that ends an order that is being replaced 6, a REPLACED 7; longer while ``table.ready`` is low or
    the settlement before has not been taken.
    """

    def __init__(self, config: CardConfig, depth: int = 16):
        super().__init__({
            "input": In(stream.Signature(VenueReply, always_ready=True)), "armed": In(1),
            "table": Out(AnswerPort(config)), "settlements": Out(stream.Signature(OrderReply)),
            "free": Out(1), "freed": Out(Freed),
            "applied": Out(1), "late": Out(1), "bad": Out(1), "lost": Out(1), "clear": In(1),
        })
        self._config, self._depth = config, depth

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=VenueReply.as_shape().size, depth=self._depth)
        table, first = self.table, VenueReply(queue.r_data)
        self._reply, self._at, self._row = Signal(VenueReply), Signal(place_bits(self._config)), Signal(OpenOrder)
        self._stands, self._waits = Signal(), Signal()
        self._ahead, self._rest = Signal(32), Signal(33)
        self._settlement, self._left, self._live = Signal(OrderReply), Signal(Shares), Signal(Shares)
        self._ends, self._other, self._other_ends, self._in_force = Signal(), Signal.like(self._at), Signal(), Signal()
        self._gap, self._freed = Signal(), Signal(Freed)
        m.d.comb += [
            self.freed.eq(self._freed),
            queue.w_data.eq(self.input.payload), queue.w_en.eq(self.input.valid),
            self.lost.eq(self._gap | (self.input.valid & ~queue.w_rdy)),
            table.flags_of.eq(self._at),
        ]
        with m.If(self.settlements.ready):
            m.d.sync += self.settlements.valid.eq(0)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [queue.r_en.eq(1), table.at.eq(place_of(self._config, first.venue, first.user_ref))]
                m.d.sync += [self._reply.eq(first), self._at.eq(table.at)]
                with m.If(queue.r_rdy):
                    m.next = "LOOK"
            with m.State("LOOK"):
                named = Signal()
                m.d.comb += named.eq(table.open & (self._reply.venue < self._config.venues) & (self._reply.kind != AnswerKind.MOVED))
                m.d.sync += [
                    self._row.eq(table.order), self._waits.eq(table.waits),
                    self._stands.eq(named & (table.order.user_ref == self._reply.user_ref)),
                ]
                m.d.comb += self._gap.eq(named & table.odd)
                self._compare(m)
                m.next = "JUDGE"
            with m.State("JUDGE"):
                prior = place_of(self._config, self._reply.venue, self._row.prior)
                m.d.comb += table.at.eq(prior)
                m.d.sync += [self._other.eq(prior), self._other_ends.eq(0), self._in_force.eq(0)]
                self._judge(m)
            self._replace(m)
            with m.State("WRITE"):
                m.d.comb += table.at.eq(table.heir)
                with m.If(self._ends & ~self._other_ends & table.replaced):
                    m.d.sync += [self._other.eq(table.heir), self._other_ends.eq(1)]
                    m.next = "HEIR"
                with m.Elif(table.ready & (~self.settlements.valid | self.settlements.ready)):
                    self._write(m)
                    m.next = "IDLE"
            with m.State("HEIR"):  # it is dead before its REPLACE, which the venue ignores
                m.d.comb += self._gap.eq(table.odd)
                m.d.sync += [
                    self._settlement.working.eq(self._settlement.working + table.order.left),
                    self._freed.other.shares.eq(table.order.live), self._freed.other.price.eq(table.order.price)]
                m.next = "WRITE"
        return m

    def _compare(self, m):
        """Its number with the one that is expected, and its shares with what is left."""
        reply, venues = self._reply, self._config.venues
        self._expected, self._sure = Array(Signal(32, name=f"expected_{venue}") for venue in range(venues)), Signal(venues)
        m.d.sync += [
            self._ahead.eq(Mux(self._sure.bit_select(reply.venue, 1) & numbered(reply), reply.number - self._expected[reply.venue], 0)),
            self._rest.eq(self.table.order.left - reply.shares),
        ]

    def _judge(self, m):
        """The next answer of its venue, about an open order, of no more than is left of it?"""
        reply, row, settlement, venues = self._reply, self._row, self._settlement, self._config.venues
        ahead, rest, over, filled = self._ahead, self._rest, Signal(), Signal()
        m.d.comb += [over.eq(rest[-1]), filled.eq(reply.kind == AnswerKind.FILLED)]
        m.d.sync += [
            *(settlement[name].eq(row[name]) for name in ("symbol", "side", "strategy")), settlement.kind.eq(ReplyKind.RELEASED),
            *(settlement[name].eq(Mux(over, row.left, reply.shares)) for name in ("shares", "working")),
            self._left.eq(Mux(over, 0, rest)), self._live.eq(row.live), self._ends.eq(over | (rest == 0)),
            self._freed.side.eq(row.side), self._freed.filled.eq(filled), self._freed.own.price.eq(row.price),
            self._freed.own.shares.eq(Mux(over, row.left, reply.shares)), self._freed.other.shares.eq(0),
        ]
        with m.If(reply.kind == AnswerKind.MOVED):
            m.d.sync += [
                *(settlement[name].eq(reply[name]) for name in ("symbol", "side", "shares")), settlement.kind.eq(ReplyKind.MOVED),
                settlement.working.eq(0), settlement.strategy.eq(0),
            ]
            with m.If(self.armed | (reply.symbol >= self._config.symbols)):
                self._drop(m, self.bad)
            with m.Else():
                m.next = "MOVE"
        with m.Elif((reply.venue >= venues) | ~self._stands & ~ahead[-1] & (reply.kind != AnswerKind.NOTED)):
            m.d.comb += self._gap.eq(filled | (ahead != 0) & (reply.venue < venues))
            self._drop(m, self.bad)
        with m.Elif(ahead[-1]):
            self._drop(m, self.late)
        with m.Else():
            m.d.comb += self._gap.eq((ahead != 0) | filled & (over | self._waits))
            self._apply(m, over)
        with m.If(numbered(reply) & (reply.venue < venues) & ~ahead[-1]):
            m.d.sync += [self._expected[reply.venue].eq(reply.number + 1), self._sure.bit_select(reply.venue, 1).eq(1)]
        with m.If(self.clear):
            m.d.sync += self._sure.eq(0)

    def _drop(self, m, how):
        """It does nothing."""
        m.d.comb += [self.applied.eq(1), how.eq(1)]
        m.next = "IDLE"

    def _apply(self, m, over):
        """An order that stands, or nothing at all."""
        reply, row, settlement = self._reply, self._row, self._settlement
        m.next = "WRITE"
        with m.Switch(reply.kind):
            with m.Case(AnswerKind.FILLED):
                m.d.sync += [settlement.kind.eq(ReplyKind.FILLED), settlement.shares.eq(reply.shares)]
                with m.If(self._waits):
                    m.d.sync += [
                        settlement.working.eq(0), self._left.eq(row.left), self._ends.eq(0), self._freed.own.shares.eq(0)]
            with m.Case(AnswerKind.RELEASED):
                m.d.sync += self._live.eq(row.live - Mux(over, row.left, reply.shares))
                with m.If(self._waits):
                    self._drop(m, self.bad)
                with m.Else():
                    m.d.comb += self.bad.eq(over)
            with m.Case(AnswerKind.ENDED, AnswerKind.UNSENT):
                m.d.sync += [settlement.shares.eq(row.left), settlement.working.eq(row.left), self._left.eq(0), self._ends.eq(1)]
                m.d.sync += self._freed.own.shares.eq(Mux(self._waits, row.live, row.left))
            with m.Case(AnswerKind.REPLACED):
                with m.If(self._waits):
                    m.next = "PRIOR"
                with m.Else():
                    self._drop(m, self.bad)
            with m.Case(AnswerKind.NOTED):
                m.d.comb += self.applied.eq(1)
                m.next = "IDLE"
            with m.Default():
                self._drop(m, self.bad)

    def _replace(self, m):
        """The new order is in force with what it asks for beyond what has traded; the old one is no more."""
        table, row, settlement = self.table, self._row, self._settlement
        traded, reserved, left, release = Signal(33), Signal(33), Signal(34), Signal(34)
        with m.State("PRIOR"):
            m.d.sync += [
                traded.eq(table.order.live - table.order.left), reserved.eq(table.order.left + row.left),
                self._other_ends.eq(1), self._in_force.eq(1),
                self._freed.other.shares.eq(table.order.left), self._freed.other.price.eq(table.order.price)]
            m.d.comb += self._gap.eq(table.odd)
            m.next = "CHAIN"
        with m.State("CHAIN"):
            m.d.comb += left.eq(row.live - traded)
            m.d.sync += [self._left.eq(Mux(left[-1], 0, left)), self._ends.eq(left[-1] | (left == 0))]
            m.d.sync += self._freed.own.shares.eq(Mux(left[-1], row.live, traded))
            m.next = "RELEASE"
        with m.State("RELEASE"):
            m.d.comb += [release.eq(reserved - self._left), self._gap.eq(release[-1])]
            m.d.sync += [settlement[name].eq(Mux(release[-1], 0, release)) for name in ("shares", "working")]
            m.next = "WRITE"
        with m.State("MOVE"), m.If(~self.settlements.valid | self.settlements.ready):
            m.d.comb += self.applied.eq(1)
            m.d.sync += [self.settlements.valid.eq(1), self.settlements.payload.eq(settlement)]
            m.next = "IDLE"

    def _write(self, m):
        table, settlement, rejected = self.table, self._settlement, self._waits & ~self._in_force
        m.d.comb += [
            self.applied.eq(1), self.free.eq(1), table.write.eq(1), table.place.eq(self._at),
            table.now.eq(self._row), table.now.left.eq(self._left), table.now.live.eq(self._live),
            table.ends.eq(self._ends), table.answered.eq(self._reply.kind == AnswerKind.RELEASED),
            table.other.eq(self._other), table.other_ends.eq(self._other_ends), table.in_force.eq(self._in_force),
            table.other_freed.eq(rejected & self._ends),
        ]
        with m.If((settlement.shares != 0) | (settlement.working != 0)):
            m.d.sync += self.settlements.valid.eq(1)
        m.d.sync += self.settlements.payload.eq(settlement)

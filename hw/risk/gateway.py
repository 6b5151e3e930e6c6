"""The one door: every order of the card and of the host leaves through here, or not at all."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.multiplier import Multiplier
from hw.reasons import RejectReason
from hw.risk.exposure import Exposure, Position
from hw.risk.token_bucket import TokenBucket
from hw.types import Order, OrderReply, RejectedOrder, RiskLimits, Shares, SymbolIndex

MAX_PRICE = 0x7FFFFFFF
"""Largest price of an order; above it venues read other things than a limit."""


def exceeds(value, limit):
    """``value > limit`` as the sign of a subtraction: a carry chain, which here is faster than a comparison made of LUTs."""
    return (limit - value)[-1]


class RiskGateway(wiring.Component):
    """Checks each order against the committed limits and lets it pass, or refuses it with the first reason that applies.

    Promise: what leaves keeps every limit as it stood in the cycle before (``passed`` is a register), with the working orders of
    its symbol counted in. What is not sure is refused: not armed, no limits committed, or a ``fault`` all count as HALTED.

    The decision falls at the last moment. An order is taken up only while ``passed.ready``, and the next stage, once ready, must
    stay ready until it has taken an order: so no order waits behind the door, and one that waits before it is judged by the
    switches and limits of the moment in which it can really go. (To a stage that breaks this the order stays on offer, as the
    stream rules want it.)

    Parameters
    ----------
    config : CardConfig
        ``venues`` and ``symbols`` bound what an order may name.

    Ports
    -----
    orders : In(stream of Order)
    halted : In(data.ArrayLayout(symbols, venues))
        One bit a symbol: the venue does not trade it. It counts as it stood a cycle before the limits.
    limits : In(RiskLimits)
        As committed; may change in any cycle.
    limits_valid : In(1)
        A commit has taken place.
    armed : In(1)
    kill : In(1)
        From the cycle after it is set nothing more is offered at ``passed`` that was not on offer before.
    replies : In(stream of OrderReply, always ready)
        Up to 16 in a burst, and one in 5 cycles for ever.
    passed : Out(stream of Order)
    rejected : Out(stream of RejectedOrder)
        While one waits here no further order is taken up.
    accepted : Out(1)
        Pulse: an order leaves.
    settled : Out(1)
        Pulse: a reply takes effect, the good and the bad.
    bad_reply : Out(1)
        Pulse with ``settled``: a reply for an unknown symbol (ignored), or for more shares than were working (a fill counts,
        working becomes 0).
    fault : Out(1)
        A reply was lost or a position passed 33 bits: exposures can't be trusted. Until ``clear_positions`` or reset.
    clear_positions : In(1)
        Pulse; acted on only while not ``armed``. Forgets all exposures and the fault.
    clearing : Out(1)
        Exposures are being cleared (after reset too); orders and replies wait.
    query_symbol : In(SymbolIndex)
    position : Out(signed(33))
    working_buy, working_sell : Out(Shares)
        Of the ``query_symbol`` of two cycles ago.

    Notes
    -----
    Latency 3, the same for what passes and what is refused. One order in 4 cycles, on one symbol or many. An order goes before a
    reply, but after each order there is room for one: with both waiting, one of each in 5 cycles.
    """

    LATENCY = 3
    REPLY_DEPTH = 16
    Multiplier = Multiplier

    def __init__(self, config: CardConfig):
        super().__init__({
            "orders": In(stream.Signature(Order)),
            "halted": In(data.ArrayLayout(config.symbols, config.venues)),
            "limits": In(RiskLimits),
            "limits_valid": In(1),
            "armed": In(1),
            "kill": In(1),
            "replies": In(stream.Signature(OrderReply, always_ready=True)),
            "passed": Out(stream.Signature(Order)),
            "rejected": Out(stream.Signature(RejectedOrder)),
            "accepted": Out(1),
            "settled": Out(1),
            "bad_reply": Out(1),
            "fault": Out(1),
            "clear_positions": In(1),
            "clearing": Out(1),
            "query_symbol": In(SymbolIndex),
            "position": Out(Position),
            "working_buy": Out(Shares),
            "working_sell": Out(Shares),
        })
        self._config = config

    def elaborate(self, platform):
        m = Module()
        m.submodules.exposure = exposure = Exposure(self._config.symbols)
        m.submodules.replies = replies = SyncFIFOBuffered(width=OrderReply.as_shape().size, depth=self.REPLY_DEPTH)
        order = Signal(Order)  # under examination, and then on offer at passed or rejected
        reply = Signal(OrderReply)

        idle, take_order, take_reply, decide, apply = Signal(), Signal(), Signal(), Signal(), Signal()
        on_offer, waiting = Signal(), Signal()
        m.d.comb += [
            on_offer.eq(self.passed.valid | self.rejected.valid),  # as it is after each decision: that cycle is free for a reply
            waiting.eq(self.orders.valid & self.passed.ready & ~on_offer),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += idle.eq(1)
                with m.If(~exposure.clearing):
                    m.d.comb += [take_order.eq(waiting), take_reply.eq(replies.r_rdy & ~waiting)]
                with m.If(take_order):
                    m.next = "WEIGH"
                with m.Elif(take_reply):
                    m.next = "REPLY"
            with m.State("WEIGH"):
                m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.comb += decide.eq(1)
                m.next = "IDLE"
            with m.State("REPLY"):
                m.d.comb += apply.eq(1)
                m.next = "IDLE"

        # What may be taken is read before it is known whether it is: ``ready`` comes late in a cycle.
        m.d.comb += [
            self.orders.ready.eq(take_order),
            replies.r_en.eq(take_reply),
            exposure.look.eq(idle),
            exposure.order_symbol.eq(self.orders.payload.symbol),
            exposure.reply_symbol.eq(OrderReply(replies.r_data).symbol),
        ]
        with m.If(idle):
            m.d.sync += reply.eq(replies.r_data)
        with m.If(idle & ~on_offer):
            m.d.sync += order.eq(self.orders.payload)

        self._judge(m, order, exposure, decide)
        self._settle(m, reply, replies, exposure, apply)
        self._clear_and_query(m, exposure)
        return m

    def _judge(self, m, order, exposure, decide):
        """Puts the order on offer at ``passed`` or, with the first reason that applies, at ``rejected``."""
        config, limits = self._config, self.limits
        m.submodules.multiplier = multiplier = self.Multiplier()
        m.submodules.bucket = bucket = TokenBucket()
        bad, closed = Signal(), Signal()
        m.d.comb += [
            multiplier.a.eq(self.orders.payload.shares),
            multiplier.b.eq(self.orders.payload.price),
            exposure.side.eq(order.side),
            exposure.shares.eq(order.shares),
        ]
        m.d.sync += closed.eq(self.halted[order.venue].bit_select(order.symbol, 1))
        m.d.sync += bad.eq(
            (order.shares == 0) | (order.price == 0) | (order.price > MAX_PRICE)
            | (order.venue >= config.venues) | (order.symbol >= config.symbols)
        )

        breaches = {
            RejectReason.HALTED: ~self.armed | ~self.limits_valid | self.fault | self.clearing,
            RejectReason.KILLED: self.kill,
            RejectReason.BAD_ORDER: bad,
            RejectReason.MARKET_STATE: closed,
            RejectReason.MAX_SHARES: exceeds(order.shares, limits.max_shares),
            RejectReason.MAX_NOTIONAL: exceeds(multiplier.product, limits.max_notional),
            RejectReason.POSITION: exceeds(exposure.after, limits.max_position) | exposure.no_room,
        }
        reason = Signal(RejectReason, init=RejectReason.RATE)
        for name, breach in reversed(breaches.items()):
            with m.If(breach):
                m.d.comb += reason.eq(name)

        sound = Signal()  # all but the rate, which only a sound order may spend
        m.d.comb += [
            sound.eq(~Cat(breaches.values()).any()),
            bucket.burst.eq(limits.rate_burst),
            bucket.interval.eq(limits.rate_interval),
            bucket.request.eq(decide & sound),
            exposure.reserve.eq(bucket.grant),
        ]

        m.d.comb += [
            self.passed.payload.eq(order),
            self.rejected.payload.order.eq(order),
            self.accepted.eq(self.passed.valid & self.passed.ready),
        ]
        with m.If(self.passed.ready):
            m.d.sync += self.passed.valid.eq(0)
        with m.If(self.rejected.ready):
            m.d.sync += self.rejected.valid.eq(0)
        with m.If(decide):
            m.d.sync += [
                self.passed.valid.eq(bucket.grant),
                self.rejected.valid.eq(~bucket.grant),
                self.rejected.payload.reason.eq(reason),
            ]

    def _settle(self, m, reply, replies, exposure, apply):
        """Replies wait their turn; one that can't wait is a fault, and so is a position that no longer fits."""
        known = Signal()
        m.d.comb += [
            replies.w_data.eq(self.replies.payload),
            replies.w_en.eq(self.replies.valid),
            known.eq(reply.symbol < self._config.symbols),
            exposure.reply.eq(reply),
            exposure.settle.eq(apply & known),
            self.settled.eq(apply),
            self.bad_reply.eq(exposure.bad_reply | (apply & ~known)),
        ]
        with m.If(exposure.clear):
            m.d.sync += self.fault.eq(0)
        with m.If((self.replies.valid & ~replies.w_rdy) | exposure.overflow):
            m.d.sync += self.fault.eq(1)

    def _clear_and_query(self, m, exposure):
        m.d.comb += [
            exposure.clear.eq(self.clear_positions & ~self.armed),
            self.clearing.eq(exposure.clearing),
            exposure.query_symbol.eq(self.query_symbol),
            self.position.eq(exposure.position),
            self.working_buy.eq(exposure.working_buy),
            self.working_sell.eq(exposure.working_sell),
        ]

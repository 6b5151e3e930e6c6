"""The one door: every order of the card and of the host leaves through here, or not at all."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from hw.config import CardConfig
from hw.lib.multiplier import Multiplier
from hw.reasons import RejectReason
from hw.risk import checks
from hw.risk.account import AccountNotional
from hw.risk.answers import Answers
from hw.risk.cancel_all import CancelAll
from hw.risk.cancel_watch import CancelWatch
from hw.risk.day import DayNotional
from hw.risk.dead_man import DeadMan
from hw.risk.duplicates import Duplicates
from hw.risk.executions import Executions
from hw.risk.exposure import Exposure
from hw.risk.gateway_ports import gateway_ports
from hw.risk.leg import MAX_PRICE, Leg, primary, registered
from hw.risk.limits_by_key import LimitsByKey
from hw.risk.open_orders import OpenOrders
from hw.risk.reference import Reference
from hw.risk.token_bucket import TokenBucket
from hw.types import Order, OrderKind, OrderReply, ReplyKind


class RiskGateway(wiring.Component):
    """Checks each order against the committed limits and lets it pass, or refuses it with the first reason that applies.

    An order is weighed (what the memories say of its symbol), measured (against limits, market and the switches by key) and decided on,
    each in a cycle of its own; in the next one it is on offer, and all that it uses up is booked.

    Promise: what leaves keeps every limit as it stood two cycles before, with the working orders of its symbol counted in, and nothing
    leaves that ``kill`` or a HALTED stopped in the cycle before (``passed`` is a register). What is not sure is refused: not armed, no
    limits committed, or a ``fault`` all count as HALTED.

    A CANCEL of a known venue and symbol always leaves, whatever the limits and switches say, if the venue can be reached; it spends no
    token. A pair is judged in one cycle, when its second leg has been weighed: both legs leave or neither. The second leg has to stand
    at ``orders`` two cycles after the transfer of the first, of the same strategy, at another venue and on another symbol or side; only
    a NEW is ever part of a pair.

    A REPLACE is judged as what the venue would make of it, as if the order that it is about were gone. Until the venue says so both
    count: what is reserved is the larger of the two.

    The decision falls at the last moment. An order is taken up only while ``passed.ready``, and the next stage, once ready, must
    stay ready until it has taken an order: so no order waits behind the door, and one that waits before it is judged by the
    switches and limits of the moment in which it can really go. Only the second leg of a pair waits behind the door until the
    first has been taken. (To a stage that breaks this the order stays on offer, as the stream rules want it.)

    Parameters
    ----------
    config : CardConfig
        ``venues`` and ``symbols`` bound what an order may name.

    Ports
    -----
    orders : In(stream of Order)
    halted : In(data.ArrayLayout(symbols, venues))
        One bit a symbol: the venue does not trade it. It counts as the limits do.
    tops : In(stream of TopOfBook, always ready)
    stale : In(venues)
        The venue's books may not be trusted. It counts as ``halted`` does.
    restart : In(venues)
        Pulse: the venue's books begin anew.
    limits : In(RiskLimits)
        As committed; may change in any cycle. They count one cycle later than ``kill``, ``max_day_notional`` and ``max_deviation`` three,
        those of the account and of the rates by strategy and symbol two; the session's rate counts at once.
    limits_parity : In(one bit a limit)
        As ``field_parity`` gives it; with another one nothing is held against these limits.
    symbol_limits : In(stream of SlotSettings(SymbolLimits), always ready)
        Limits of one symbol, which hold beside the others. An order is held against those that came up to its transfer.
    shown_limits : Out(SymbolLimits)
        Of the ``query_symbol`` of a cycle ago; ``UNLIMITED`` where it has none of its own.
    limits_valid, armed : In(1)
        A commit has taken place; orders may pass.
    kill, kill_venues, kill_strategies, kill_symbols, restricted, reducing : In
        As ``RiskSwitches``. From the cycle after ``kill`` or ``reducing`` is set nothing more that it stops is offered at ``passed`` that
        was not on offer before, but for the second leg of a pair whose first was; for the others from the cycle after that.
    cancel_all, cancel_on_stop : In
        As ``RiskSwitches``.
    unreachable : In(venues)
        Nothing can leave to the venue; counts as ``kill_venues`` does. No own CANCEL is asked for there.
    disconnected : In(venues)
        What was sent may not have come: no CANCEL to the venue is under way any more.
    cancels : Out(stream of Order)
        As ``CancelAll.orders``: they come back by ``orders``, like any other.
    heartbeat : In(1)
        Pulse: the host lives.
    expired : Out(1)
        It has been silent for too long.
    replies : In(stream of VenueReply, always ready)
        Up to 16 in a burst, and one in 8 cycles for ever; while pairs pass, one in 12.
    next_user_ref : In(data.ArrayLayout(32, venues))
        The numbers that the next orders leave under, as order entry counts them.
    skip : Out(venues)
        Pulse: order entry leaves out the venue's next number. No order is taken up meanwhile.
    passed : Out(stream of Order)
    rejected : Out(stream of RejectedOrder)
        While one waits here no further order is taken up.
    accepted : Out(1)
        Pulse: an order leaves.
    settled : Out(1)
        Pulse: a reply changes the exposure.
    settlement : Out(OrderReply)
        With ``settled``: how. A query of the second cycle after it sees what it has done.
    applied : Out(1)
        Pulse: a reply has been taken, the good and the bad.
    tripped_strategies : Out(16), rearm_strategies : In(16)
        As ``Executions.tripped`` and ``rearm``. Own orders of a strategy that has tripped are cancelled as after ``kill_strategies``.
    fast_cancel, fast_cancels : Out(1)
        As ``CancelWatch.fast`` and ``fast_lately``.
    late_reply, bad_reply, unknown_cancel : Out(1)
        Pulses: as ``Answers.late`` and ``bad``; a CANCEL leaves of an order that is not open.
    open_orders : Out
        As ``OpenOrders.count``.
    fault : Out(1)
        A reply was lost or told of what the card does not know (``Answers.lost``), an order left without a place, a position or
        the account's notional does not fit its register, or a row of a memory has lost a bit: exposures can't be trusted. Until
        ``clear_positions`` or reset.
    day_notional : Out(64), day_level : Out(range(6))
        As ``DayNotional.used`` and ``level``.
    gross_notional : Out(64), net_buy, net_sell : Out(signed(64))
        As ``AccountNotional.shown_gross``, ``shown_buy`` and ``shown_sell``.
    clear_positions : In(1)
        Pulse; acted on only while not ``armed``. Forgets all exposures and open orders, replies that wait, the day's notional, the
        account's, used locates, counts of executions and the fault. (An order that is open at a venue all the same is unknown from then
        on: its next fill is a fault.)
    clearing : Out(1)
        Exposures are being cleared (after reset too); orders and replies wait.
    query_symbol : In(SymbolIndex)
    position : Out(signed(33))
    working_buy, working_sell : Out(Shares)
        Of the ``query_symbol`` of two cycles ago.
    second_symbol : In(SymbolIndex)
    second_position : Out(signed(33))
        The same once more, for who asks all the time.

    Notes
    -----
    Latency 4, the same for what passes and what is refused; of a pair 6 for the first leg, and the second leg follows when the
    first has been taken. One order in 5 cycles, on one symbol or many. An order goes before a reply, but after each order there is
    room for one: with both waiting, one of each in 6 cycles.
    """

    LATENCY = 4
    PAIR_LATENCY = 6
    REPLY_DEPTH = 16
    HEARTBEAT_BITS = 10
    """The heartbeat's interval counts in 1024 cycles."""
    Multiplier, AccountNotional, Executions, LimitsByKey = Multiplier, AccountNotional, Executions, LimitsByKey

    def __init__(self, config: CardConfig):
        super().__init__(gateway_ports(config))
        self._config = config
        self._table, self._reference, self._by_key = OpenOrders(config), Reference(config), self.LimitsByKey(config.symbols)
        self.exposure, self._account, self._executions = Exposure(config.symbols), self.AccountNotional(), self.Executions()
        self._day, self._duplicates = DayNotional(), Duplicates()
        self._order = Signal(Order)  # under examination, and then on offer at passed or rejected
        self._short, self._first_short = Signal(), Signal()  # it is a short sale, from the decision on; the first leg is one
        self._first = Signal(Leg)  # of a pair, while the other leg is under examination, and then on offer before it
        self._second = Signal()  # it is the second leg of a pair
        self._notional = Signal(64)  # of the order, from its decision on
        self._booked = Signal()  # it is on offer at passed for the first cycle, and all that it uses up is counted now
        self._back = Signal()  # both legs have passed, and the first one's shares are about to be working
        self._leads = Signal()  # the first leg is on offer, before it
        self._last_passes = Signal()  # and this one will be on offer at passed,
        self._last_reason = Signal(RejectReason)  # or be refused
        self._odd = Signal(4)  # a row that was looked at has lost a bit, of one of the tables
        self._broken = Signal()  # that, or a row of the exposures
        self._orphan = Signal()  # the order before was refused and is the first leg of the next one

    def elaborate(self, platform):
        m = Module()
        m.submodules.exposure = exposure = self.exposure
        m.submodules.table = table = self._table
        answers = Answers(self._config, self.REPLY_DEPTH)
        m.submodules.answers = ResetInserter(exposure.clear)(answers)
        settlements = answers.settlements
        order, second = self._order, self._second
        leg = Signal(Leg)  # the same order, weighed
        first = self._first
        reply = Signal(OrderReply)

        idle, take_order, take_reply, apply, measure, decide, look_back, reserve_first = (Signal(name=name) for name in (
            "idle", "take_order", "take_reply", "apply", "measure", "decide", "look_back", "reserve_first"))
        back, booked = self._back, self._booked
        on_offer, waiting, is_first, granted = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            on_offer.eq(self.passed.valid | self.rejected.valid),  # as it is after each decision: that cycle is free for a reply
            waiting.eq(self.orders.valid & self.passed.ready & ~on_offer & table.free),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += idle.eq(1)
                with m.If(~exposure.clearing):
                    m.d.comb += [take_order.eq(waiting), take_reply.eq(settlements.valid & ~waiting)]
                with m.If(take_order):
                    m.next = "WEIGH"
                with m.Elif(take_reply):
                    m.next = "REPLY"
            with m.State("WEIGH"):
                m.next = "MEASURE"
            with m.State("MEASURE"):
                m.d.comb += [
                    measure.eq(1),
                    is_first.eq(order.pair & (order.kind != OrderKind.CANCEL) & ~second),
                    take_order.eq(is_first & self.orders.valid),
                ]
                with m.If(take_order):
                    m.d.sync += second.eq(1)
                    m.next = "WEIGH"
                with m.Else():
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.comb += decide.eq(1)
                m.d.sync += second.eq(0)
                with m.If(second & granted):
                    m.next = "LOOK_BACK"
                with m.Else():
                    m.next = "IDLE"
            with m.State("LOOK_BACK"):  # the second leg is booked in this cycle, the first one follows
                m.d.comb += look_back.eq(1)
                m.next = "WEIGH_BACK"
            with m.State("WEIGH_BACK"):
                m.d.comb += back.eq(1)
                m.next = "RESERVE_BACK"
            with m.State("RESERVE_BACK"):
                m.d.comb += [reserve_first.eq(1), back.eq(1)]
                m.next = "IDLE"
            with m.State("REPLY"):
                m.d.comb += apply.eq(1)
                m.next = "IDLE"

        # What may be taken is read before it is known whether it is: ``ready`` comes late in a cycle.
        m.d.comb += [
            self.orders.ready.eq(take_order),
            settlements.ready.eq(take_reply),
            exposure.look.eq(idle | is_first | look_back),
            exposure.order_symbol.eq(Mux(look_back, first.order.symbol, self.orders.payload.symbol)),
            exposure.side.eq(Mux(back, first.order.side, order.side)),
            exposure.shares.eq(Mux(back, first.order.shares, order.shares)),
            exposure.reserve.eq(booked | reserve_first),
            exposure.credit.eq(Mux(back, 0, table.credit)),
            exposure.reply_symbol.eq(settlements.payload.symbol),
        ]
        with m.If(idle):
            m.d.sync += reply.eq(settlements.payload)
        with m.If((idle & ~on_offer) | take_order):
            m.d.sync += order.eq(self.orders.payload)

        m.d.sync += [booked.eq(granted), first.eq(Mux(is_first, leg.as_value(), first))]
        with m.If(measure):
            m.d.sync += self._notional.eq(leg.notional)
        self._weigh(m, order, leg, first, second, exposure)
        self._look_up_limits(m, order, leg, (idle & ~on_offer) | take_order, is_first, reserve_first, exposure.clear)
        self._warn_of_cancels(m)
        self._hear_the_market(m, leg, (idle & ~on_offer) | take_order)
        self._watch_the_host(m)
        self._count_the_day(m, first, reserve_first, exposure.clear)
        self._count_the_account(m, order, leg, first, reserve_first, answers, exposure)
        against, first_against = self._measure(m, leg, first, second)
        self._judge(m, leg, first, second, against, first_against, decide | is_first, decide, granted)
        self._remember(m, order, first)
        self._keep_orders(m, order, answers, (idle & ~on_offer) | take_order, on_offer | ~idle)
        self._count_executions(m, reply, answers, exposure, apply)
        self._cancel_what_is_stopped(m)
        self._settle(m, reply, answers, exposure, apply)
        self._clear_and_query(m, exposure)
        return m

    def _weigh(self, m, order, leg, first, second, exposure):
        """What the checks compare, as it is when the order is to be decided on."""
        config = self._config
        m.submodules.multiplier = multiplier = self.Multiplier()
        m.submodules.duplicates = duplicates = self._duplicates
        m.d.comb += [
            multiplier.a.eq(self.orders.payload.shares),
            multiplier.b.eq(self.orders.payload.price),
            leg.order.eq(order),
            leg.notional.eq(multiplier.product),
            leg.after.eq(exposure.after),
            leg.no_room.eq(exposure.no_room), leg.crosses.eq(self._table.crosses),
            duplicates.order.eq(order),
        ]
        cancel, unknown, no_order, no_leg = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            cancel.eq(order.kind == OrderKind.CANCEL),
            unknown.eq((order.venue >= config.venues) | (order.symbol >= config.symbols)
                       | ~Cat(order.kind == kind for kind in OrderKind).any()),
            no_order.eq((order.shares == 0) | (order.price == 0) | (order.price > MAX_PRICE)),
            no_leg.eq(order.pair | (order.kind != OrderKind.NEW) | (order.strategy != first.order.strategy)
                      | (order.venue == first.order.venue)
                      | ((order.symbol == first.order.symbol) & (order.side == first.order.side))),
        ]
        m.d.sync += [
            leg.bad.eq(unknown | ~cancel & (no_order | second & no_leg) | (order.pair & (order.kind == OrderKind.REPLACE))),
            leg.unknown.eq((order.kind == OrderKind.REPLACE) & ~self._table.known),
            leg.duplicate.eq(duplicates.found),
        ]

    def _warn_of_cancels(self, m):
        m.submodules.cancel_watch = watch = CancelWatch()
        m.d.comb += [
            watch.leaves.eq(self.accepted & (self.passed.payload.kind == OrderKind.CANCEL)), watch.burst.eq(self.limits.cancel_burst),
            watch.interval.eq(self.limits.cancel_interval), self.fast_cancel.eq(watch.fast), self.fast_cancels.eq(watch.fast_lately),
        ]

    def _look_up_limits(self, m, order, leg, look, is_first, reserve_first, clear):
        """Those of the order's symbol and strategy. An order spends when it passes, the first leg of a pair after the second."""
        m.submodules.by_key = by_key = self._by_key
        connect(m, flipped(self.symbol_limits), by_key.symbol_limits)
        m.d.comb += [
            by_key.limits.eq(self.limits), by_key.look.eq(look), by_key.asked.eq(self.orders.payload), by_key.order.eq(order),
            by_key.second.eq(self._second), by_key.keep.eq(is_first), by_key.spend.eq(self._booked), by_key.spend_kept.eq(reserve_first),
            by_key.short.eq(self._short), by_key.kept_short.eq(self._first_short),
            by_key.clear.eq(clear), by_key.shown_symbol.eq(self.query_symbol), self.shown_limits.eq(by_key.shown),
            leg.own.eq(by_key.found),
        ]

    def _hear_the_market(self, m, leg, look):
        """What venues say of the symbol, and how far from its price there the order's is."""
        m.submodules.reference = reference = self._reference
        m.submodules.deviation = deviation = self.Multiplier()
        connect(m, flipped(self.tops), reference.tops)
        m.d.comb += [
            reference.stale.eq(self.stale), reference.restart.eq(self.restart),
            reference.look.eq(look), reference.asked.eq(self.orders.payload), leg.distance.eq(reference.distance),
            leg.no_reference.eq(reference.no_reference), leg.at_bid.eq(reference.at_bid),
            deviation.a.eq(self.orders.payload.price), deviation.b.eq(self.limits.max_deviation),
            leg.deviation.eq(deviation.product[len(self.limits.max_deviation):]),
        ]

    def _watch_the_host(self, m):
        m.submodules.dead_man = dead_man = DeadMan(self.HEARTBEAT_BITS)
        m.d.comb += [
            dead_man.heartbeat.eq(self.heartbeat),
            dead_man.interval.eq(self.limits.heartbeat_interval),
            self.expired.eq(dead_man.expired & self.limits_valid & ~self.limits.waived[RejectReason.DEAD_MAN]),
        ]

    def _count_the_day(self, m, first, reserve_first, clear):
        """Of a pair the second leg is counted first."""
        m.submodules.day = day = self._day
        m.d.comb += [
            day.limit.eq(self.limits.max_day_notional), day.ahead.eq(Mux(self._second, first.notional, 0)),
            day.spend.eq(self._booked | reserve_first), day.amount.eq(Mux(self._back, first.notional, self._notional)),
            day.clear.eq(clear), self.day_notional.eq(day.used), self.day_level.eq(day.level),
        ]

    def _count_the_account(self, m, order, leg, first, reserve_first, answers, exposure):
        """Its sums count the legs of a pair as the day does."""
        m.submodules.account = account = self._account
        m.d.comb += [
            account.max_gross.eq(self.limits.max_gross), account.max_net.eq(self.limits.max_net),
            account.side.eq(order.side), account.notional.eq(leg.notional),
            account.pair.eq(self._second), account.first_side.eq(first.order.side), account.first_notional.eq(first.notional),
            account.spend.eq(self._booked | reserve_first), account.spent_side.eq(exposure.side),
            account.spent.eq(Mux(self._back, first.notional, self._notional)),
            account.free.eq(answers.free), account.freed.eq(answers.freed), account.clear.eq(exposure.clear),
            self.gross_notional.eq(account.shown_gross), self.net_buy.eq(account.shown_buy), self.net_sell.eq(account.shown_sell),
        ]

    def _remember(self, m, order, first):
        """For the search for duplicates, one cycle after the decision."""
        duplicates = self._duplicates
        m.d.sync += [duplicates.double.eq(self._second), duplicates.window.eq(self.limits.duplicate_window)]
        m.d.comb += [duplicates.record.eq(self._booked), duplicates.left_first.eq(first.order), duplicates.left_last.eq(order)]

    def _measure(self, m, leg, first, second):
        """One cycle before the decision; returns what has been found against the order and against the first leg, in registers."""
        room, account = self._day.room, self._account
        against = checks.measured(self, leg, day=leg.notional > room, gross=account.gross, net=account.net, ahead=second)
        first_against = checks.measured(self, first, day=room[-1], gross=account.first_gross, net=account.first_net)
        m.d.sync += [self._short.eq(checks.is_short(leg)), self._first_short.eq(checks.is_short(first))]
        return registered(m, against, "found"), registered(m, first_against, "first_found")

    def _judge(self, m, leg, first, second, against, first_against, examined, decide, granted):
        """Puts the order on offer at ``passed`` or, with the first reason that applies, at ``rejected``; a first leg before it."""
        m.submodules.bucket = bucket = TokenBucket()
        cancel, paired, alone, halted = Signal(), Signal(), Signal(), Signal()
        sound, first_sound, orphan = Signal(), Signal(), self._orphan
        m.d.comb += halted.eq(~self.armed | ~self.limits_valid | self.fault | self.clearing | self._broken)
        breaches = checks.breaches(self, leg.order, against, halted=halted)
        first_breaches = checks.breaches(self, first.order, first_against, halted=halted)
        m.d.comb += [
            leg.stray.eq(orphan & ~second),
            cancel.eq(leg.order.kind == OrderKind.CANCEL),
            paired.eq(second & ~cancel),
            alone.eq(leg.stray | (leg.order.pair & ~second)),
            sound.eq(~Cat(breaches.values(), alone).any()),
            first_sound.eq(~Cat(first_breaches.values(), first.stray).any()),
            bucket.burst.eq(self.limits.rate_burst),
            bucket.interval.eq(self.limits.rate_interval),
            bucket.request.eq(decide & ~cancel & sound & (first_sound | ~paired)),
            bucket.double.eq(paired),
            granted.eq(bucket.grant),
        ]
        breaches[RejectReason.PAIR] = alone | (paired & ~first_sound)
        first_breaches[RejectReason.PAIR] = first.stray | cancel | ~sound
        with m.If(examined & ~cancel):
            m.d.sync += orphan.eq(decide & leg.order.pair)  # and refused: the next order is its other leg

        passes, reason = Signal(), primary(m, breaches)
        m.d.comb += passes.eq(Mux(cancel, ~leg.bad & ~checks.cut_off(self, leg.order), granted))
        with m.If(cancel):
            m.d.comb += reason.eq(Mux(leg.bad, RejectReason.BAD_ORDER, RejectReason.NO_SESSION))
        first_reason = primary(m, first_breaches)

        leads, last_passes, last_reason = self._leads, self._last_passes, self._last_reason
        m.d.comb += [
            self.passed.payload.eq(Mux(leads, first.order.as_value(), leg.order.as_value())),
            self.rejected.payload.order.eq(self.passed.payload),
            self.accepted.eq(self.passed.valid & self.passed.ready),
        ]
        with m.If(self.accepted | (self.rejected.valid & self.rejected.ready)):
            m.d.sync += [
                leads.eq(0),
                self.passed.valid.eq(leads & last_passes),
                self.rejected.valid.eq(leads & ~last_passes),
                self.rejected.payload.reason.eq(last_reason),
            ]
        with m.If(decide):
            m.d.sync += [
                leads.eq(second),
                last_passes.eq(passes),
                last_reason.eq(reason),
                self.passed.valid.eq(Mux(second, paired & granted, passes)),
                self.rejected.valid.eq(~Mux(second, paired & granted, passes)),
                self.rejected.payload.reason.eq(Mux(second, first_reason, reason)),
            ]

    def _keep_orders(self, m, order, answers, look, in_hand):
        """What leaves stands in the table of open orders from then on; what venues say of it goes there first."""
        table, leaves, known = self._table, self.passed.payload, Signal()
        connect(m, answers.table, table.answers)
        connect(m, flipped(self.replies), answers.input)
        m.d.sync += known.eq(table.known)
        m.d.comb += [
            table.look.eq(look), table.asked.eq(self.orders.payload), table.order.eq(leaves),
            table.next_user_ref.eq(self.next_user_ref), self.skip.eq(table.skip), self.open_orders.eq(table.count),
            table.opened.eq(self.accepted & (leaves.kind != OrderKind.CANCEL)),
            table.cancelled.eq(self.accepted & (leaves.kind == OrderKind.CANCEL) & known),
            self.unknown_cancel.eq(self.accepted & (leaves.kind == OrderKind.CANCEL) & ~known),
            table.hold.eq(in_hand & (order.kind != OrderKind.NEW)),
            answers.armed.eq(self.armed), self.applied.eq(answers.applied),
            self.late_reply.eq(answers.late), self.bad_reply.eq(answers.bad),
        ]

    def _count_executions(self, m, reply, answers, exposure, apply):
        m.submodules.executions = executions = self._executions
        m.d.comb += [
            executions.limit.eq(self.limits.max_executions), executions.window.eq(self.limits.execution_window),
            executions.look.eq(exposure.look), executions.strategy.eq(answers.settlements.payload.strategy),
            executions.executed.eq(apply & (reply.kind == ReplyKind.FILLED)), executions.clear.eq(exposure.clear),
            executions.rearm.eq(self.rearm_strategies), self.tripped_strategies.eq(executions.tripped),
        ]

    def _cancel_what_is_stopped(self, m):
        m.submodules.cancel_all = cancel_all = CancelAll(self._config)
        table = self._table
        connect(m, cancel_all.orders, flipped(self.cancels))
        m.d.comb += [
            cancel_all.venues.eq((self.cancel_all | self.cancel_on_stop) & ~self.unreachable),
            table.disconnected.eq(self.disconnected), cancel_all.stop.eq(self.kill | self.expired | self.fault),
            cancel_all.stop_venues.eq(self.kill_venues | self.cancel_all),
            cancel_all.stop_strategies.eq(self.kill_strategies | self.tripped_strategies),
            cancel_all.stop_symbols.eq(self.kill_symbols), cancel_all.open.eq(table.places),
            cancel_all.cancelled.eq(table.cancelled_places), table.shown_at.eq(cancel_all.at),
            cancel_all.order.eq(table.shown), cancel_all.odd.eq(table.shown_odd),
            cancel_all.answered.eq(self.accepted | (self.rejected.valid & self.rejected.ready)),
        ]

    def _settle(self, m, reply, answers, exposure, apply):
        """Replies wait their turn; whatever leaves the exposure unsure is a fault."""
        broken = self._broken & ~exposure.clear & ~self.clearing
        m.d.comb += [
            exposure.reply.eq(reply),
            exposure.settle.eq(apply),
            self.settled.eq(apply),
            self.settlement.eq(reply),
            self._table.clear.eq(exposure.clear),
            self._broken.eq(exposure.broken | self._odd.any()),
        ]
        m.d.sync += self._odd.eq(Cat(part.odd for part in (self._table, self._reference, self._by_key, self._executions)))
        with m.If(exposure.clear):
            m.d.sync += self.fault.eq(0)
        with m.If(answers.lost | self._table.missed | exposure.overflow | self._account.overflow | broken):
            m.d.sync += self.fault.eq(1)

    def _clear_and_query(self, m, exposure):
        m.d.comb += [
            exposure.clear.eq(self.clear_positions & ~self.armed), self.clearing.eq(exposure.clearing),
            exposure.query_symbol.eq(self.query_symbol), exposure.second_symbol.eq(self.second_symbol),
            self.position.eq(exposure.position), self.working_buy.eq(exposure.working_buy),
            self.working_sell.eq(exposure.working_sell), self.second_position.eq(exposure.second_position),
        ]

"""What leaves the card keeps the limits, whatever orders, replies, limits and switches do: proved for every reachable state.

The gateway is the real one with two symbols and two venues. Its multiplier is replaced by a free
input, so nothing is said about the notional here (the multiplier and the comparison have tests of their own); all else holds
for every value of the product. Of a price it is proved that it keeps the limits by the distance that is found for it; how that is
found has tests.
"""

from dataclasses import replace
from importlib import import_module

import pytest
from amaranth.hdl import Assert, Cat, Cover, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

import hw.risk.gateway
from hw.config import TINY
from hw.lib.parity import field_parity
from hw.lib.slot_table import SlotSettings
from hw.reasons import RejectReason
from hw.risk.limits_by_key import KeyedLimits
from hw.settings import RiskLimits, SymbolLimits
from hw.types import Order, OrderKind, Side, TopOfBook
from hw.venue_reply import VenueReply
from tests.formal.prove import mutated, prove

CONFIG = replace(TINY, symbols=2, open_orders=2)
DEPTH = 12


class FreeProduct(wiring.Component):
    """In place of the multiplier: any product at any time."""

    a: In(32)
    b: In(32)
    any: In(64)
    product: Out(64)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.product.eq(self.any)
        return m


def freed_of(component, outputs, free):
    """In place of a component: so many of its outputs have any value at any time, its others 0."""
    class Free(component):
        def elaborate(self, platform):
            m = Module()
            m.d.comb += Cat(Value.cast(getattr(self, name)) for name in outputs).eq(free)
            return m

    return Free


def past(m, value, cycles=1):
    """The value of so many cycles ago; a module of its own, so that it runs on whatever the condition around the call."""
    m.submodules += (history := Module())
    for _ in range(cycles):
        before = Signal.like(value)
        history.d.sync += before.eq(value)
        value = before
    return value


class Promise(wiring.Component):
    """The gateway with everything around it free.

    Parameters
    ----------
    obedient : bool
        The stage behind keeps its part of the contract: once ready, it stays ready until it has taken an order.
    by_key : bool
        Only what is limited by symbol and by strategy.
    """

    order: In(Order)
    order_valid: In(1)
    limits: In(RiskLimits)
    symbol_limits: In(SlotSettings(SymbolLimits))
    symbol_limits_valid: In(1)
    limits_valid: In(1)
    lost_bit: In(1)
    armed: In(1)
    kill: In(1)
    kill_venues: In(2)
    kill_strategies: In(16)
    kill_symbols: In(2)
    restricted: In(2)
    reducing: In(1)
    heartbeat: In(1)
    halted: In(4)
    top: In(TopOfBook)
    top_valid: In(1)
    stale: In(2)
    restart: In(2)
    unreachable: In(2)
    disconnected: In(2)
    reply: In(VenueReply)
    next_user_ref: In(data.ArrayLayout(32, 2))
    reply_valid: In(1)
    clear_positions: In(1)
    product: In(64)
    other_product: In(64)
    account_says: In(5)
    tripped: In(16)
    keyed: In(KeyedLimits)
    odd_key: In(1)
    passed_ready: In(1)
    rejected_ready: In(1)

    def __init__(self, *, obedient=False, covers=False, by_key=False, gateway=hw.risk.gateway):
        super().__init__()
        self._by_key = by_key
        self._obedient = obedient
        self._covers = covers
        products = [self.product, self.other_product]  # of shares and price; of price and deviation

        class Gateway(gateway.RiskGateway):
            REPLY_DEPTH = 2
            HEARTBEAT_BITS = 0

            @staticmethod
            def Multiplier():
                free = FreeProduct()
                free.any = products.pop(0)
                return free

        Gateway.AccountNotional = freed_of(
            gateway.AccountNotional, ("gross", "net", "first_gross", "first_net", "overflow"), self.account_says)
        Gateway.Executions = freed_of(gateway.Executions, ("tripped",), self.tripped)
        if not by_key:
            Gateway.LimitsByKey = freed_of(gateway.LimitsByKey, ("found", "odd"), Cat(self.keyed, self.odd_key))
        self._gateway = Gateway(CONFIG)

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        m.submodules.gateway = gateway = self._gateway
        passed, rejected = gateway.passed, gateway.rejected
        opened = Signal()
        m.d.comb += [
            gateway.orders.payload.eq(self.order),
            gateway.orders.valid.eq(self.order_valid),
            gateway.limits.eq(self.limits),
            gateway.symbol_limits.payload.eq(self.symbol_limits), gateway.symbol_limits.valid.eq(self.symbol_limits_valid),
            gateway.limits_parity.eq(field_parity(self.limits) ^ self.lost_bit),
            gateway.replies.payload.eq(self.reply),
            gateway.next_user_ref.eq(self.next_user_ref),
            gateway.replies.valid.eq(self.reply_valid),
            *(getattr(gateway, name).eq(getattr(self, name)) for name in (
                "limits_valid", "armed", "kill", "kill_venues", "kill_strategies", "kill_symbols", "restricted", "reducing", "heartbeat",
                "clear_positions", "unreachable", "disconnected")),
            Value.cast(gateway.halted).eq(self.halted),
            gateway.tops.payload.eq(self.top), gateway.tops.valid.eq(self.top_valid), gateway.stale.eq(self.stale),
            gateway.restart.eq(self.restart),
            passed.ready.eq(opened if self._obedient else self.passed_ready),
            rejected.ready.eq(self.rejected_ready),
        ]
        with m.If(passed.valid & passed.ready):
            m.d.sync += opened.eq(0)
        with m.Elif(self.passed_ready):
            m.d.sync += opened.eq(1)

        started = Signal(range(16))  # cycles since reset, as far as they matter: the past is known
        with m.If(started != 15):
            m.d.sync += started.eq(started + 1)
        self._watch(m, gateway)
        # The order stands there already before it is on offer: so both states, before and after it, can be asked for.
        m.d.comb += gateway.query_symbol.eq(Mux(self.paired_before[5] | self.paired_before[6], gateway._first.order.symbol,
                                                gateway._order.symbol))
        if self._covers:
            m.d.sync += [Cover(self._goal(gateway, reason)) for reason in RejectReason]
        elif self._by_key:
            self._keeps_what_is_limited_by_key(m, gateway, started)
        else:
            self._keeps_its_own_limits(m, gateway, started)
            self._keeps_the_position(m, gateway, started)
            self._keeps_the_day(m, gateway, started)
            self._answers_each_order_once(m, gateway, started)
            self._parts_no_pair(m, gateway, started)
            self._obeys_the_stream_rules(m, gateway, started)
        return m

    def _watch(self, m, gateway):
        """What is taken, and of which kind: a first leg, the second two cycles later, or a single order."""
        self.taken, self.first, self.second = taken, first, second = Signal(), Signal(), Signal()
        first_before = past(m, first, 2)
        m.d.comb += [
            taken.eq(gateway.orders.valid & gateway.orders.ready),
            second.eq(taken & first_before),
            first.eq(taken & ~second & self.order.pair & (self.order.kind != OrderKind.CANCEL)),
        ]
        self.paired_before = {cycles: past(m, second, cycles) for cycles in (3, 5, 6, 8)}
        self.alone = past(m, first, 3) & ~past(m, taken)  # its second leg did not come
        self.single = past(m, taken & ~first & ~second, 3)
        self.last, self.earlier = Signal(Order), Signal(Order)
        with m.If(taken):
            m.d.sync += [self.last.eq(self.order), self.earlier.eq(self.last)]
        answered = (gateway.passed.valid & gateway.passed.ready) | (gateway.rejected.valid & gateway.rejected.ready)
        leads_on, self.leads = Signal(), Signal()  # the first leg is on offer
        m.d.comb += self.leads.eq(self.paired_before[3] | leads_on)
        m.d.sync += leads_on.eq(self.leads & ~answered)
        self.follows = past(m, self.leads & answered)
        self.on_offer = gateway.passed.valid | gateway.rejected.valid
        reached = Signal()  # the venue of the last order could be, when it was decided on
        self.reached = Signal()
        m.d.comb += self.reached.eq(Mux(
            self.single | self.alone | self.paired_before[3], ~past(m, self.unreachable).bit_select(self.last.venue, 1), reached))
        m.d.sync += reached.eq(self.reached)

    def _decided(self, gateway):
        """(order, its product's age, condition): each order that leaves, in the cycle after its decision."""
        passes = gateway.passed.valid
        return [
            (self.last, 1, passes & (self.single | self.alone | self.paired_before[3])),
            (self.earlier, 3, passes & self.paired_before[3]),
        ]

    def _keeps_its_own_limits(self, m, gateway, started):
        limits, reference = past(m, self.limits), gateway._reference
        waived, stale, account = limits.waived, past(m, self.stale, 2), gateway._account
        for order, age, leaves in self._decided(gateway):
            with m.If(leaves & (started >= 3)):
                m.d.sync += Assert((order.venue < CONFIG.venues) & (order.symbol < CONFIG.symbols))
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (started >= 4)):
                m.d.sync += [
                    Assert((order.kind == OrderKind.NEW) | past(m, past(m, gateway._table.known)) & ~order.pair),
                    Assert(past(m, self.armed) & past(m, self.limits_valid) & ~past(m, gateway.fault) & ~past(m, self.lost_bit)),
                    Assert(~past(m, self.kill)),
                    Assert(~past(m, self.kill_venues).bit_select(order.venue, 1)),
                    Assert(~past(m, self.unreachable).bit_select(order.venue, 1)),
                    Assert(~past(m, self.kill_strategies).bit_select(order.strategy, 1)),
                    Assert(~past(m, self.kill_symbols).bit_select(order.symbol, 1)),
                    Assert(~past(m, self.restricted).bit_select(order.symbol, 1)),
                    Assert(~past(m, gateway.expired)),
                    Assert(~past(m, self.halted.bit_select(Cat(order.symbol[0], order.venue[0]), 1), 2)
                           | waived[RejectReason.MARKET_STATE]),
                    Assert(~stale.bit_select(order.venue[0], 1) & past(m, Cat(reference.sure), 2).bit_select(
                        Cat(order.symbol[0], order.venue[0]), 1) | waived[RejectReason.UNSURE_BOOK]),
                    Assert((past(m, reference.distance, age) <= limits.max_distance) | waived[RejectReason.COLLAR]),
                    Assert((past(m, reference.distance, age) <= past(m, self.other_product, age)[16:48]) | waived[RejectReason.FAT_FINGER]),
                    Assert(~self._meets_an_own(m, gateway._table, order, age + 1) | waived[RejectReason.SELF_MATCH]),
                    Assert((order.shares >= 1) & ((order.shares <= limits.max_shares) | waived[RejectReason.MAX_SHARES])),
                    Assert((order.price >= 1) & (order.price <= 0x7FFFFFFF)),
                    Assert((past(m, self.product, age) <= limits.max_notional) | waived[RejectReason.MAX_NOTIONAL]),
                    Assert(limits.rate_burst != 0),
                    Assert(~past(m, self.tripped).bit_select(order.strategy, 1)),
                    Assert(~past(m, account.first_gross if age > 1 else account.gross) | waived[RejectReason.GROSS_NOTIONAL]),
                    Assert(~past(m, account.first_net if age > 1 else account.net) | waived[RejectReason.NET_NOTIONAL]),
                ]

    def _keeps_what_is_limited_by_key(self, m, gateway, started):
        """What the tables of its symbol and its strategy said of it when it was weighed."""
        waived = past(m, self.limits.waived)
        for order, age, leaves in self._decided(gateway):
            limits, after = past(m, gateway._by_key.table.limits, age), past(m, gateway.exposure.after, age)
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (started >= 4)):
                m.d.sync += [
                    Assert((order.shares <= limits.max_shares) | waived[RejectReason.MAX_SHARES]),
                    Assert((past(m, self.product, age) <= limits.max_notional) | waived[RejectReason.MAX_NOTIONAL]),
                    Assert((after <= Mux(order.side == Side.SELL, limits.max_short, limits.max_long)) | waived[RejectReason.POSITION]),
                    *(Assert(~past(m, rate.fast, age)) for rate in gateway._by_key.rates.values()),
                    Assert((order.price >= limits.min_price) & (order.price <= limits.max_price) | waived[RejectReason.PRICE_BAND]),
                ]
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (order.side == Side.SELL) & (after > 0) & (started >= 4)):
                m.d.sync += [
                    Assert(~past(m, gateway._by_key.locates.short, age) | waived[RejectReason.LOCATE]),
                    Assert(~limits.uptick_only | ~past(m, gateway._reference.at_bid, age) | waived[RejectReason.SHORT_SALE]),
                ]

    def _meets_an_own(self, m, table, order, age):
        """An own order of the other side stood so many cycles ago at the venue, at a price at which the two trade."""
        found = []
        for place, entry in enumerate(table.own.entries):
            entry, stood = past(m, entry, age), past(m, table.places[place], age)
            price = Mux(entry.side == Side.SELL, ~entry.key, entry.key)
            trades = Mux(order.side == Side.SELL, price >= order.price, price <= order.price)
            same = (order.venue == place // CONFIG.open_orders) & (order.symbol == entry.symbol) & (order.side != entry.side)
            found.append(stood & entry.rests & same & trades)
        return Cat(found).any()

    def _keeps_the_position(self, m, gateway, started):
        """The state of a symbol two cycles after it was asked for, and one cycle older; the first leg of a pair counts as the last."""
        position, buy, sell = gateway.position, gateway.working_buy, gateway.working_sell
        calm = ~Cat(past(m, gateway.clearing, cycles) for cycles in range(1, 9)).any() & (started >= 9)
        passes = gateway.passed.valid & (self.single | self.alone | self.paired_before[3])
        pair = past(m, gateway.passed.valid & self.paired_before[3], 5)
        for order, moment, age in ((past(m, self.last, 2), past(m, passes, 2), 3), (past(m, self.earlier, 5), pair, 6)):
            most = past(m, self.limits, age)
            free, reducing = most.waived[RejectReason.POSITION], past(m, self.reducing, age)
            new = moment & calm
            with m.If(new):
                m.d.sync += Assert(position == past(m, position))
            with m.If(new & (order.kind == OrderKind.CANCEL)):
                m.d.sync += [Assert(buy == past(m, buy)), Assert(sell == past(m, sell))]
            for side, own, other, held in ((Side.BUY, buy, sell, position), (Side.SELL, sell, buy, -position)):
                with m.If(new & (order.kind == OrderKind.NEW) & (order.side == side)):
                    m.d.sync += [
                        Assert((held + own <= most.max_position) | free), Assert((held + own <= 0) | ~reducing),
                        Assert(own == past(m, own) + order.shares), Assert(other == past(m, other)),
                    ]
                with m.If(new & (order.kind == OrderKind.REPLACE) & (order.side == side)):  # the old order works on
                    m.d.sync += [
                        Assert((held + own <= most.max_position) | free | (own == past(m, own))),
                        Assert((held + own <= 0) | ~reducing | (own == past(m, own))),
                        Assert((own >= past(m, own)) & (own <= past(m, own) + order.shares)), Assert(other == past(m, other)),
                    ]

    def _keeps_the_day(self, m, gateway, started):
        """With the order, and once both legs of a pair are counted; of the limit of three cycles before."""
        used = gateway.day_notional
        calm = ~Cat(past(m, gateway.clearing, cycles) for cycles in range(1, 9)).any() & (started >= 9)
        new = gateway.passed.valid & (self.last.kind != OrderKind.CANCEL)  # a REPLACE counts as a whole
        for moment, since in ((new & self.single, 0), (past(m, new & self.paired_before[3], 3), 3)):
            limit, waived = past(m, self.limits.max_day_notional, since + 3), past(m, self.limits.waived, since + 1)
            with m.If(moment & calm):
                m.d.sync += Assert((used <= limit) | waived[RejectReason.DAY_NOTIONAL])

    def _answers_each_order_once(self, m, gateway, started):
        """The latency is constant, and nothing leaves that was not asked for or was changed on the way."""
        passed, rejected = gateway.passed, gateway.rejected
        new = self.on_offer & ~past(m, (passed.valid & ~passed.ready) | (rejected.valid & ~rejected.ready))
        with m.If(started >= 5):
            m.d.sync += Assert(new == (self.single | self.alone | self.paired_before[3] | self.follows))
        m.d.comb += Assert(~(passed.valid & rejected.valid))
        with m.If(self.on_offer & (started >= 5)):
            m.d.sync += [
                Assert(passed.payload.as_value() == Mux(self.leads, self.earlier.as_value(), self.last.as_value())),
                Assert(rejected.payload.order.as_value() == passed.payload.as_value()),
                Assert(gateway._leads == self.leads),
                Assert(gateway._order.as_value() == self.last.as_value()),
                Assert(~rejected.valid | (rejected.payload.reason != RejectReason.NONE)),
            ]
        known = (self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols)
        with m.If((self.single | self.follows) & (self.last.kind == OrderKind.CANCEL) & (started >= 5)):
            m.d.sync += Assert(passed.valid == (known & self.reached))

    def _parts_no_pair(self, m, gateway, started):
        """Both legs leave or neither, however long the first waits; a leg whose other one has been refused does not leave."""
        both = self.last.kind != OrderKind.CANCEL
        known = (self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols)
        with m.If(started >= 5):
            m.d.sync += [
                Assert(gateway._second == (past(m, self.second, 1) | past(m, self.second, 2))),
                Assert(~gateway._back | past(m, self.second, 3) | past(m, self.second, 4) | past(m, self.second, 5)),
            ]
        with m.If(self.leads & (started >= 5)):
            m.d.sync += [
                Assert(self.on_offer),
                Assert(gateway._last_passes | (gateway._last_reason != RejectReason.NONE)),
                Assert(gateway._last_passes == Mux(both, gateway.passed.valid, known & self.reached)),
            ]
            with m.If(~both):
                m.d.sync += Assert(gateway.rejected.valid)
        with m.If(self.follows & both & (started >= 5)):
            m.d.sync += Assert(gateway.passed.valid == past(m, gateway.passed.valid))
        with m.If(self.alone & (started >= 5)):
            m.d.sync += [Assert(gateway.rejected.valid), Assert(gateway._orphan)]
        with m.If(gateway.passed.valid & (self.single | self.paired_before[3]) & (self.last.kind != OrderKind.CANCEL) & (started >= 5)):
            m.d.sync += Assert(~past(m, gateway._orphan, 1))
        with m.If(gateway.passed.valid & self.paired_before[3] & (started >= 5)):
            m.d.sync += Assert(~past(m, gateway._orphan, 4) & (self.last.strategy == self.earlier.strategy) & ~self.last.pair)

    def _obeys_the_stream_rules(self, m, gateway, started):
        for stream in (gateway.passed, gateway.rejected):
            payload = stream.payload.as_value()
            with m.If(past(m, stream.valid & ~stream.ready) & (started >= 1)):
                m.d.sync += Assert(stream.valid & (payload == past(m, payload)))
        if self._obedient:  # so no order waits behind the door, but the second leg of a pair
            m.d.sync += Assert(~(gateway.passed.valid & (self.single | self.alone | self.paired_before[3])) | gateway.passed.ready)

    def _goal(self, gateway, reason):
        if reason is RejectReason.NONE:
            return gateway.passed.valid & self.follows & (gateway.passed.payload.side == Side.SELL)
        return gateway.rejected.valid & (gateway.rejected.payload.reason == reason)


@pytest.mark.formal
@pytest.mark.parametrize("obedient", [True, False], ids=["obedient", "any-sink"])
def test_what_leaves_keeps_the_limits(tmp_path, obedient):
    promise = Promise(obedient=obedient)
    prove(promise, tmp_path, ports=promise.ports(), depth=DEPTH)


@pytest.mark.formal
def test_what_leaves_keeps_the_limits_of_its_symbol_and_strategy(tmp_path):
    promise = Promise(by_key=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=DEPTH)


@pytest.mark.formal
def test_each_reason_can_be_reached(tmp_path):
    """NONE: both legs of a pair leave."""
    promise = Promise(covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=16, mode="cover")


MUTANTS = {
    "kill comes a cycle late": ("checks", "return (gateway.kill |", "return (gateway.late |"),
    "the switch of a symbol is not looked at": ("checks", "gateway.kill_symbols.bit_select(order.symbol, 1))", "0)"),
    "the dead man is not heard of": ("checks", "RejectReason.DEAD_MAN: gateway.expired,", "RejectReason.DEAD_MAN: 0,"),
    "a limit that has lost a bit counts": ("gateway", "| self._broken | checks.limits_broken(self))", "| self._broken)"),
    "any order may be replaced": ("gateway", "leg.unknown.eq((order.kind == OrderKind.REPLACE) & ~self._table.known)", "leg.unknown.eq(0)"),
    "a venue need not be reached": ("checks", "RejectReason.NO_SESSION: cut_off(gateway, leg.order)", "RejectReason.NO_SESSION: 0"),
    "the market may be anything": ("checks", "RejectReason.UNSURE_BOOK: leg.unsure", "RejectReason.UNSURE_BOOK: 0"),
    "a little further": ("checks", "exceeds(leg.distance, limits.max_distance)", "exceeds(leg.distance, limits.max_distance + 1)"),
    "own orders are overlooked": ("checks", "RejectReason.SELF_MATCH: leg.crosses", "RejectReason.SELF_MATCH: 0"),
    "a strategy that tripped goes on": ("checks", "RejectReason.REPEATED: gateway.tripped_strategies.bit_select(leg.order.strategy, 1)",
                                         "RejectReason.REPEATED: 0"),
    "the gross notional of the account is nothing": ("checks", "RejectReason.GROSS_NOTIONAL: gross", "RejectReason.GROSS_NOTIONAL: 0"),
    "nor that of the first leg": ("gateway", "gross=account.first_gross", "gross=0"),
    "the net notional of the account is nothing": ("checks", "RejectReason.NET_NOTIONAL: net", "RejectReason.NET_NOTIONAL: 0"),
    "one share too many": ("checks", "exceeds(leg.order.shares, limits.max_shares)", "exceeds(leg.order.shares, limits.max_shares + 1)"),
}


MUTANTS_BY_KEY = {
    "a symbol's own limit of shares is not looked at": ("checks", "| exceeds(leg.order.shares, leg.own.shares)", "| 0"),
    "a symbol's own limit of notional is not looked at": ("checks", "| (leg.notional > leg.own.notional)", "| 0"),
    "a symbol's own limit of its position is not looked at": ("checks", "| exceeds(leg.after, leg.own.position)", "| 0"),
    "short is long": ("limits_by_key", "Mux(order.side == Side.SELL", "Mux(order.side == Side.BUY"),
    "a price may be below the band": ("limits_by_key", "| exceeds(table.limits.min_price, order.price)", ""),
    "a price may be above the band": ("checks", "RejectReason.PRICE_BAND: leg.own.outside", "RejectReason.PRICE_BAND: 0"),
    "sold short without locates": ("checks", "is_short(leg) & leg.own.no_locate", "0"),
    "sold short at the bid": ("checks", "is_short(leg) & leg.own.uptick_only & leg.at_bid", "0"),
    "a strategy may be as fast as it likes": ("checks", "STRATEGY_RATE: leg.own.strategy_fast", "STRATEGY_RATE: 0"),
    "a symbol may be as fast as it likes": ("checks", "SYMBOL_RATE: leg.own.symbol_fast", "SYMBOL_RATE: 0"),
}


IMPORTS = {
    "checks": ("checks", "from hw.risk import checks"),
    "limits_by_key": ("LimitsByKey", "from hw.risk.limits_by_key import LimitsByKey"),
}
"""What the gateway takes from modules that have mutants, and how."""


def mutant(where, old, new):
    """The gateway's module, with a piece of its source or of another module's exchanged."""
    if where == "gateway":
        gateway = mutated(hw.risk.gateway, old, new)
    else:
        name, line = IMPORTS[where]
        gateway, other = mutated(hw.risk.gateway, line, f"{name} = None"), mutated(import_module(f"hw.risk.{where}"), old, new)
        for holder in (gateway, gateway.RiskGateway):  # the class keeps what a proof may put something else in the place of
            if hasattr(holder, name):
                setattr(holder, name, getattr(other, name, other))
    gateway.RiskGateway.late = Signal()
    return gateway


@pytest.mark.parametrize("name", [*MUTANTS, *MUTANTS_BY_KEY])
def test_a_mutant_still_fits_the_source(name):
    Promise(gateway=mutant(*(MUTANTS | MUTANTS_BY_KEY)[name]))


@pytest.mark.formal
@pytest.mark.parametrize("name", [*MUTANTS, *MUTANTS_BY_KEY])
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    gateway = mutant(*(MUTANTS | MUTANTS_BY_KEY)[name])
    promise = Promise(obedient=True, by_key=name in MUTANTS_BY_KEY, gateway=gateway)
    with pytest.raises(AssertionError, match="DONE .FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=20, mode="bmc")

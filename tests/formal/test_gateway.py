"""What leaves the card keeps the limits, whatever orders, replies, limits and switches do: proved for every reachable state.

The gateway is the real one with two symbols and two venues; its orders are single ones. Its multiplier is replaced by a free
input, so nothing is said about the notional here (the multiplier and the comparison have tests of their own); all else holds
for every value of the product.
"""

import inspect
import types
from dataclasses import replace

import pytest
from amaranth.hdl import Assert, Cat, Cover, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import hw.risk.exposure
import hw.risk.gateway
from hw.config import TINY
from hw.types import Order, OrderKind, OrderReply, RiskLimits, Side
from tests.formal.prove import prove

CONFIG = replace(TINY, symbols=2)
DEPTH = 10
SINGLE = ~(1 << Order.as_shape()["pair"].offset)
"""All bits of an order but ``pair``."""


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
    """

    order: In(Order)
    order_valid: In(1)
    limits: In(RiskLimits)
    limits_valid: In(1)
    armed: In(1)
    kill: In(1)
    halted: In(4)
    reply: In(OrderReply)
    reply_valid: In(1)
    clear_positions: In(1)
    product: In(64)
    passed_ready: In(1)
    rejected_ready: In(1)

    def __init__(self, *, obedient=False, covers=False, gateway=hw.risk.gateway):
        super().__init__()
        self._obedient = obedient
        self._covers = covers
        product = self.product

        class Gateway(gateway.RiskGateway):
            REPLY_DEPTH = 2

            @staticmethod
            def Multiplier():
                free = FreeProduct()
                free.any = product
                return free

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
            gateway.orders.payload.pair.eq(0),  # single orders
            gateway.orders.valid.eq(self.order_valid),
            gateway.limits.eq(self.limits),
            gateway.limits_valid.eq(self.limits_valid),
            gateway.armed.eq(self.armed),
            gateway.kill.eq(self.kill),
            gateway.halted.eq(self.halted),
            gateway.replies.payload.eq(self.reply),
            gateway.replies.valid.eq(self.reply_valid),
            gateway.clear_positions.eq(self.clear_positions),
            passed.ready.eq(opened if self._obedient else self.passed_ready),
            rejected.ready.eq(self.rejected_ready),
            # Before it is on offer the order stands at the payload already: so both states, before and after it, can be asked for.
            gateway.query_symbol.eq(passed.payload.symbol),
        ]
        with m.If(passed.valid & passed.ready):
            m.d.sync += opened.eq(0)
        with m.Elif(self.passed_ready):
            m.d.sync += opened.eq(1)

        started = Signal(range(8))  # cycles since reset, as far as they matter: the past is known
        with m.If(started != 7):
            m.d.sync += started.eq(started + 1)
        if self._covers:
            self._cover(m, gateway)
        else:
            self._keeps_its_own_limits(m, gateway, started)
            self._keeps_the_position(m, gateway, started)
            self._answers_each_order_once(m, gateway, started)
            self._obeys_the_stream_rules(m, gateway, started)
            pair = gateway._second | gateway._back | gateway._leads | gateway._orphan | gateway._order.pair
            m.d.comb += Assert(~pair)  # there are none
        return m

    def _new(self, m, stream):
        """On offer now, and not before."""
        return stream.valid & ~past(m, stream.valid & ~stream.ready)

    def _keeps_its_own_limits(self, m, gateway, started):
        order, limits = gateway.passed.payload, past(m, self.limits)
        with m.If(self._new(m, gateway.passed) & (started >= 1)):
            m.d.sync += Assert((order.venue < CONFIG.venues) & (order.symbol < CONFIG.symbols))
        with m.If(self._new(m, gateway.passed) & (order.kind != OrderKind.CANCEL) & (started >= 1)):
            m.d.sync += [
                Assert(past(m, self.armed)),
                Assert(past(m, self.limits_valid)),
                Assert(~past(m, self.kill)),
                Assert(~past(m, self.halted.bit_select(Cat(order.symbol[0], order.venue[0]), 1), 2)),
                Assert(~past(m, gateway.fault)),
                Assert((order.shares >= 1) & (order.shares <= limits.max_shares)),
                Assert((order.price >= 1) & (order.price <= 0x7FFFFFFF)),
                Assert(order.kind == OrderKind.NEW),
                Assert(past(m, self.product) <= limits.max_notional),
                Assert(limits.rate_burst != 0),
            ]

    def _keeps_the_position(self, m, gateway, started):
        """Two cycles after the offer: the state of its symbol with the order in it, and one cycle older, without it."""
        order = past(m, gateway.passed.payload, 2)
        most = past(m, self.limits.max_position, 3)
        position, buy, sell = gateway.position, gateway.working_buy, gateway.working_sell
        new = past(m, self._new(m, gateway.passed), 2) & ~past(m, gateway.clearing, 3) & (started >= 3)  # a cancel passes then too
        with m.If(new):
            m.d.sync += Assert(position == past(m, position))
        with m.If(new & (order.kind == OrderKind.CANCEL)):
            m.d.sync += [Assert(buy == past(m, buy)), Assert(sell == past(m, sell))]
        with m.Elif(new):
            with m.If(order.side == Side.BUY):
                m.d.sync += [
                    Assert(position + buy <= most),
                    Assert(buy == past(m, buy) + order.shares),
                    Assert(sell == past(m, sell)),
                ]
            with m.Else():
                m.d.sync += [
                    Assert(sell - position <= most),
                    Assert(sell == past(m, sell) + order.shares),
                    Assert(buy == past(m, buy)),
                ]

    def _answers_each_order_once(self, m, gateway, started):
        """The latency is constant, and nothing leaves that was not asked for or was changed on the way."""
        taken = gateway.orders.valid & gateway.orders.ready
        asked, original = past(m, taken, gateway.LATENCY), past(m, self.order, gateway.LATENCY)
        with m.If(started >= gateway.LATENCY):
            m.d.sync += Assert(asked == (self._new(m, gateway.passed) | self._new(m, gateway.rejected)))
        with m.If(asked & (started >= gateway.LATENCY)):
            m.d.sync += [
                Assert(gateway.passed.valid ^ gateway.rejected.valid),
                Assert(gateway.passed.payload.as_value() == original.as_value() & SINGLE),
                Assert(gateway.rejected.payload.order.as_value() == original.as_value() & SINGLE),
            ]
            known = (original.venue < CONFIG.venues) & (original.symbol < CONFIG.symbols)
            with m.If(original.kind == OrderKind.CANCEL):
                m.d.sync += Assert(gateway.passed.valid == known)

    def _obeys_the_stream_rules(self, m, gateway, started):
        m.d.comb += Assert(~(gateway.passed.valid & gateway.rejected.valid))
        for stream in (gateway.passed, gateway.rejected):
            payload = stream.payload.as_value()
            with m.If(past(m, stream.valid & ~stream.ready) & (started >= 1)):
                m.d.sync += Assert(stream.valid & (payload == past(m, payload)))
        if self._obedient:
            m.d.sync += Assert(~gateway.passed.valid | gateway.passed.ready)  # so no order ever waits behind the door

    def _cover(self, m, gateway):
        with m.If(gateway.passed.valid & (gateway.passed.payload.symbol == 1)):
            m.d.sync += Cover(gateway.passed.payload.side == Side.SELL)
        m.d.sync += Cover(gateway.fault)


@pytest.mark.formal
@pytest.mark.parametrize("obedient", [True, False], ids=["obedient", "any-sink"])
def test_what_leaves_keeps_the_limits(tmp_path, obedient):
    promise = Promise(obedient=obedient)
    prove(promise, tmp_path, ports=promise.ports(), depth=DEPTH)


@pytest.mark.formal
def test_the_proof_is_not_empty(tmp_path):
    promise = Promise(covers=True)
    prove(promise, tmp_path, ports=promise.ports(), depth=DEPTH, mode="cover")


def mutated(module, old, new):
    """The module with a piece of its source exchanged."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
    result = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__file__, "exec"), result.__dict__)
    return result


MUTANTS = {
    "kill comes a cycle late": ("gateway", "RejectReason.KILLED: self.kill", "RejectReason.KILLED: late"),
    "one share too many": ("gateway", "exceeds(leg.order.shares, limits.max_shares)", "exceeds(leg.order.shares, limits.max_shares + 1)"),
    "orders in flight are forgotten": ("exposure", "port.en.eq(self.reserve | self.settle)", "port.en.eq(self.settle)"),
    "a short position counts as long": ("exposure", "Mux(sell, ~state.position, state.position)", "state.position"),
    "working orders wrap": ("gateway", " | leg.no_room,", ","),
    "a cancel is judged like an order": ("gateway", "Mux(cancel, ~leg.bad, granted)", "granted"),
    "an order is taken while one waits": ("gateway", "self.passed.valid | self.rejected.valid)", "self.rejected.valid)"),
}


@pytest.mark.formal
@pytest.mark.parametrize("name", MUTANTS)
def test_the_proof_fails_on_a_mutant(tmp_path, name):
    where, old, new = MUTANTS[name]
    if where == "exposure":
        gateway = mutated(hw.risk.gateway, "from hw.risk.exposure import Exposure, Position", "from hw.risk.exposure import Position")
        gateway.Exposure = mutated(hw.risk.exposure, old, new).Exposure
    else:
        gateway = mutated(hw.risk.gateway, old, new)
        gateway.late = Signal()
    promise = Promise(obedient=True, gateway=gateway)
    with pytest.raises(AssertionError, match="FAIL"):
        prove(promise, tmp_path, ports=promise.ports(), depth=DEPTH)

"""The quoter as a whole: its latency, and every reason for which it must not quote. Prices in full are the bench's (bench_quoter)."""

from dataclasses import replace

import pytest

from hw.config import TINY
from hw.strategy.quote_risk import QuoteRisk
from hw.strategy.quoter import Quoter
from sim.golden.quoter import STRATEGY, Parameters, risk, targets
from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL, Order
from tests.hw.bench import made, simulate

SYMBOLS = TINY.symbols
PARAMETERS = Parameters(
    enable=True, aversion=1 << 30, constant=3 << 12, end=1000, tick=100, reciprocal=-(-2**31 // 100), shares=100, max_position=250,
    threshold=100, interval=0)
VARIANCE = 1 << 27
TERMS = 26 * SYMBOLS
"""Cycles until terms have been worked out."""
TURN = max(SYMBOLS, 5) + Quoter.LATENCY
"""Cycles until whatever has changed has its effect."""
GOOD = {"venue": 1, "symbol": 2, "bid_price": 100_000, "ask_price": 100_200, "bid_shares": 5, "ask_shares": 5, "changed": 1, "sequence": 77}


async def offer(ctx, port, payload):
    ctx.set(port.payload, payload)
    ctx.set(port.valid, 1)
    await ctx.tick()
    ctx.set(port.valid, 0)


async def set_up(ctx, dut, parameters=PARAMETERS, *, variance=VARIANCE):
    """All symbols are ready to be quoted at venue 1; messages are taken as they come."""
    ctx.set(dut.enable, 1)
    ctx.set(dut.venue, 1)
    ctx.set(dut.orders.ready, 1)
    ctx.set(dut.cancels.ready, 1)
    await ctx.tick().repeat(20)
    for symbol in range(SYMBOLS):
        await offer(ctx, dut.parameters, {"symbol": symbol, "values": vars(parameters)})
        if variance is not None:
            await offer(ctx, dut.variances, {"symbol": symbol, "valid": 1, "variance": variance})
    await ctx.tick().repeat(TERMS)


def order_of(ctx, payload):
    return Order(**{name: int(ctx.get(getattr(payload, name).as_value() if name in ("kind", "side") else getattr(payload, name)))
                    for name in Order._fields})


async def messages(ctx, dut, cycles=TURN):
    found = []
    for _ in range(cycles):
        for port in (dut.cancels, dut.orders):
            if ctx.get(port.valid):
                found.append(order_of(ctx, port.payload))
        await ctx.tick()
    return found


async def leave(ctx, dut, orders, first):
    """They leave, under the numbers from ``first`` on."""
    for number, order in enumerate(orders, first):
        await offer(ctx, dut.sent, {"order": order._asdict() | {"ingress": 0}, "user_ref": number, "latency": 0})


async def quote(ctx, dut, top=GOOD):
    """Both quotes, working under the numbers 10 and 11."""
    await offer(ctx, dut.tops, top)
    orders = await messages(ctx, dut)
    assert [order.kind for order in orders] == [NEW, NEW]
    await leave(ctx, dut, orders, 10)
    return orders


def wanted(position=0, *, bid=100_000, ask=100_200, parameters=PARAMETERS, time=1000):
    return targets(parameters, risk(parameters, VARIANCE, time), position, bid, ask)


def test_latency_and_the_orders_of_a_top():
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        for symbol in (2, 0):
            await offer(ctx, dut.tops, GOOD | {"symbol": symbol, "ingress": 5})
            for _ in range(Quoter.LATENCY - 1):
                assert not ctx.get(dut.orders.valid)
                await ctx.tick()
            assert ctx.get(dut.orders.payload.ingress) == 5
            low, high = wanted()
            orders = await messages(ctx, dut)
            assert orders == [
                Order(STRATEGY, 1, symbol, BUY, 100, low, 1, 77, day=1), Order(STRATEGY, 1, symbol, SELL, 100, high, 1, 77, day=1)]
            assert 0 < low < 100_000 < 100_200 < high
        assert Quoter.LATENCY <= 16

    simulate(dut, testbench)


def test_one_that_stands_too_far_away_is_moved():
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await quote(ctx, dut)
        await offer(ctx, dut.tops, GOOD | {"bid_price": 100_100, "ask_price": 100_300})  # by a tick: that is the threshold
        assert await messages(ctx, dut) == []
        await offer(ctx, dut.tops, GOOD | {"bid_price": 100_200, "ask_price": 100_400})
        low, high = wanted(bid=100_200, ask=100_400)
        moved = await messages(ctx, dut)
        assert sorted(moved, key=lambda order: order.side) == [
            Order(STRATEGY, 1, 2, BUY, 100, low, 1, 77, kind=REPLACE_ORDER, reference=10, day=1),
            Order(STRATEGY, 1, 2, SELL, 100, high, 1, 77, kind=REPLACE_ORDER, reference=11, day=1)]
        await leave(ctx, dut, moved, 20)
        ctx.set(dut.enable, 0)
        assert [(order.kind, order.reference) for order in await messages(ctx, dut)] == [(CANCEL_ORDER, 20), (CANCEL_ORDER, 21)]

    simulate(dut, testbench)


@pytest.mark.parametrize("position", [-150, -40, 60, 150])
def test_a_position_moves_both_and_its_limit_ends_one(position):
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        ctx.set(dut.position, position)
        await set_up(ctx, dut, replace(PARAMETERS, max_position=160))
        await offer(ctx, dut.tops, GOOD)
        low, high = wanted(position)
        assert (low, high) != wanted()
        expected = [*([low] if position + 100 <= 160 else []), *([high] if -position + 100 <= 160 else [])]
        assert [order.price for order in await messages(ctx, dut)] == expected

    simulate(dut, testbench)


UNSURE = {
    "stale": {"stale": 1}, "halted": {"halted": 1}, "partial": {"partial": 1}, "crossed": {"crossed": 1, "ask_price": 99_000},
    "locked": {"locked": 1, "ask_price": 100_000}, "no bid": {"bid_price": 0}, "no ask": {"ask_price": 0},
}


@pytest.mark.parametrize("why", UNSURE)
def test_a_top_that_is_not_sure_ends_all_quotes_of_its_symbol(why):
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await quote(ctx, dut)
        await offer(ctx, dut.tops, GOOD | {"symbol": 0} | UNSURE[why])  # another symbol's: never quoted, and nothing to end
        assert await messages(ctx, dut) == []
        await offer(ctx, dut.tops, GOOD | UNSURE[why])
        assert [(order.kind, order.reference, order.shares) for order in await messages(ctx, dut)] == [
            (CANCEL_ORDER, 10, 0), (CANCEL_ORDER, 11, 0)]
        await offer(ctx, dut.tops, GOOD)
        assert await messages(ctx, dut) == []  # the cancels have not left
        await leave(ctx, dut, [Order(STRATEGY, 1, 2, side, 0, 0, kind=CANCEL_ORDER) for side in (BUY, SELL)], 0)
        assert await messages(ctx, dut) == []  # nobody knows what became of the orders
        await offer(ctx, dut.replies, {"kind": 1, "symbol": 2, "side": SELL, "shares": 100, "strategy": STRATEGY})
        assert [(order.kind, order.side) for order in await messages(ctx, dut)] == [(NEW, SELL)]

    simulate(dut, testbench)


SWITCHES = {
    "disabled": lambda ctx, dut: ctx.set(dut.enable, 0),
    "venue stale": lambda ctx, dut: ctx.set(dut.venue_stale, 0b10),
    "another venue": lambda ctx, dut: ctx.set(dut.venue, 0),
    "book begins anew": lambda ctx, dut: ctx.set(dut.clear, 0b10),
    "no time left": lambda ctx, dut: ctx.set(dut.now, 1000 << 16),
    "variances forgotten": lambda ctx, dut: ctx.set(dut.unmeasured, 1),
}


@pytest.mark.parametrize("why", SWITCHES)
def test_a_switch_ends_all_quotes(why):
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await quote(ctx, dut)
        SWITCHES[why](ctx, dut)
        got = await messages(ctx, dut, TURN + TERMS)
        assert [(order.kind, order.reference, order.venue) for order in got] == [(CANCEL_ORDER, 10, 1), (CANCEL_ORDER, 11, 1)]

    simulate(dut, testbench)


COMMITS = {
    "not enabled": replace(PARAMETERS, enable=False), "no shares": replace(PARAMETERS, shares=0),
    "no limit": replace(PARAMETERS, max_position=0),
    "over": replace(PARAMETERS, end=0), "too much risk": replace(PARAMETERS, aversion=2**32 - 1, end=2**32 - 1),
}


@pytest.mark.parametrize("why", COMMITS)
def test_parameters_that_allow_nothing_end_the_quotes(why):
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await quote(ctx, dut)
        await offer(ctx, dut.parameters, {"symbol": 2, "values": vars(COMMITS[why])})
        if why == "too much risk":
            await offer(ctx, dut.variances, {"symbol": 2, "valid": 1, "variance": 2**32 - 1})
        assert [order.kind for order in await messages(ctx, dut, TURN + TERMS)] == [CANCEL_ORDER, CANCEL_ORDER]

    simulate(dut, testbench)


@pytest.mark.parametrize("missing", ["parameters", "variance", "a top of its venue"])
def test_nothing_is_quoted_without(missing):
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut, Parameters() if missing == "parameters" else PARAMETERS,
                     variance=None if missing == "variance" else VARIANCE)
        await offer(ctx, dut.tops, GOOD | ({"venue": 0} if missing == "a top of its venue" else {}))
        assert await messages(ctx, dut, TURN + TERMS) == []

    simulate(dut, testbench)


def test_a_commit_is_one_whole():
    """While other terms are worked out nothing is asked for, and nothing ends; then all is as the new parameters say."""
    dut, other = made(Quoter, TINY), replace(PARAMETERS, shares=50, constant=9 << 12)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await quote(ctx, dut)
        await offer(ctx, dut.parameters, {"symbol": 2, "values": vars(other)})
        moved = await messages(ctx, dut, TURN + TERMS)
        assert [(order.kind, order.price, order.shares) for order in moved] == [
            (REPLACE_ORDER, price, 100) for price in wanted(parameters=other)]
        assert QuoteRisk.STEPS * 2 == 26

    simulate(dut, testbench)


def test_what_the_arbiter_drops_is_asked_for_again():
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        ctx.set(dut.orders.ready, 0)
        await offer(ctx, dut.tops, GOOD)
        await ctx.tick().repeat(TURN)
        ctx.set(dut.enable, 0)
        ctx.set(dut.orders.ready, 1)
        ctx.set(dut.dropped, 1)
        assert [order.kind for order in await messages(ctx, dut, 2)] == [NEW, NEW]
        ctx.set(dut.dropped, 0)
        assert await messages(ctx, dut) == []  # nothing works, so there is nothing to cancel
        ctx.set(dut.enable, 1)
        orders = await messages(ctx, dut)
        assert [order.kind for order in orders] == [NEW, NEW]
        await leave(ctx, dut, orders, 10)
        await offer(ctx, dut.tops, GOOD | {"stale": 1})
        assert [(order.kind, order.reference) for order in await messages(ctx, dut)] == [(CANCEL_ORDER, 10), (CANCEL_ORDER, 11)]

    simulate(dut, testbench)


def test_only_its_own_orders_count():
    dut = made(Quoter, TINY)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await offer(ctx, dut.tops, GOOD)
        bid, ask = await messages(ctx, dut)
        await leave(ctx, dut, [bid._replace(strategy=1), ask._replace(strategy=0)], 10)
        await offer(ctx, dut.rejected, {"order": bid._replace(strategy=3)._asdict() | {"ingress": 0}, "reason": 3})
        await offer(ctx, dut.replies, {"kind": 0, "symbol": 2, "side": BUY, "shares": 100, "strategy": 1})
        ctx.set(dut.enable, 0)
        assert await messages(ctx, dut) == []  # its own are under way still
        await leave(ctx, dut, [bid, ask], 10)
        assert [order.reference for order in await messages(ctx, dut)] == [10, 11]

    simulate(dut, testbench)

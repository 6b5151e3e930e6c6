"""A pair leaves as a whole or not at all; a cancel leaves whatever stands against new orders."""

from dataclasses import replace

import pytest

from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import LIMITS, as_fields, order, run

NONE, PAIR = RejectReason.NONE, RejectReason.PAIR
FIRST = order(shares=10, price=100, pair=1)
SECOND = order(venue=1, shares=20, price=100, side=SELL)


def test_both_legs_leave_one_after_the_other():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert await bench.submit_pair(FIRST, SECOND) == [(10, NONE, RiskGateway.PAIR_LATENCY), (20, NONE, RiskGateway.PAIR_LATENCY + 1)]
        await ctx.tick().repeat(4)
        assert await bench.exposure() == (0, 10, 20)
        assert (await bench.submit(order(shares=5, price=1)))[0] is NONE

    run(scenario)


@pytest.mark.parametrize(("first", "second", "reasons"), [
    ({"shares": 1_001}, {}, (RejectReason.MAX_SHARES, PAIR)),
    ({}, {"shares": 1_001}, (PAIR, RejectReason.MAX_SHARES)),
    ({"price": 0}, {"price": 500_000_000}, (RejectReason.BAD_ORDER, RejectReason.MAX_NOTIONAL)),
    ({}, {"pair": 1}, (PAIR, RejectReason.BAD_ORDER)),
    ({}, {"strategy": 2}, (PAIR, RejectReason.BAD_ORDER)),
    ({}, {"side": BUY}, (PAIR, RejectReason.BAD_ORDER)),
    ({"side": SELL}, {}, (PAIR, RejectReason.BAD_ORDER)),
    ({}, {"side": BUY, "symbol": 1}, (NONE, NONE)),
    ({}, {"venue": 0}, (PAIR, RejectReason.BAD_ORDER)),
    ({"kind": REPLACE_ORDER}, {}, (RejectReason.BAD_ORDER, PAIR)),
    ({}, {"kind": REPLACE_ORDER}, (PAIR, RejectReason.BAD_ORDER)),
    ({}, {"kind": CANCEL_ORDER}, (PAIR, NONE)),
])
def test_one_leg_refused_is_both_refused(first, second, reasons):
    first, second = FIRST._replace(**first), SECOND._replace(**second)

    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        answers = await bench.submit_pair(first, second)
        assert [answer[:2] for answer in answers] == list(zip((first.shares, second.shares), reasons, strict=True))
        await ctx.tick().repeat(4)
        if reasons != (NONE, NONE):
            assert await bench.exposure() == (0, 0, 0)
            assert (await bench.submit(order(price=1)))[0] is (PAIR if second.pair else NONE)

    run(scenario)


def test_a_pair_takes_two_tokens_or_none():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, rate_burst=3, rate_interval=10_000))
        bench.set_limits(replace(LIMITS, rate_burst=3, rate_interval=1))
        await ctx.tick().repeat(10)
        bench.set_limits(replace(LIMITS, rate_burst=3, rate_interval=10_000))
        assert [answer[1] for answer in await bench.submit_pair(FIRST, SECOND)] == [NONE, NONE]
        await ctx.tick().repeat(5)
        assert [answer[1] for answer in await bench.submit_pair(FIRST, SECOND)] == [RejectReason.RATE] * 2
        assert (await bench.submit(order(price=1)))[0] is NONE
        assert (await bench.submit(order(price=1)))[0] is RejectReason.RATE

    run(scenario)


def test_a_leg_that_comes_late_does_not_leave_either():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert [answer[1] for answer in await bench.submit_pair(FIRST, SECOND, late=1)] == [NONE, NONE]
        await ctx.tick().repeat(5)
        assert [answer[1] for answer in await bench.submit_pair(FIRST, SECOND, late=2)] == [PAIR, PAIR]
        assert await bench.exposure() == (0, 10, 20)
        assert (await bench.submit(SECOND))[0] is NONE

    run(scenario)


def test_the_second_leg_follows_its_first_even_after_a_kill():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        orders, left = [FIRST, SECOND, order(shares=30, price=1)], []
        for cycle in range(40):
            ctx.set(dut.orders.valid, bool(orders))
            if orders:
                ctx.set(dut.orders.payload, as_fields(orders[0]))
            ctx.set(dut.passed.ready, not left or cycle > 20)
            ctx.set(dut.kill, bool(left))
            if orders and ctx.get(dut.orders.ready):
                orders.pop(0)
            if ctx.get(dut.passed.valid) and ctx.get(dut.passed.ready):
                left.append((cycle, ctx.get(dut.passed.payload.shares)))
            await ctx.tick()
        assert left == [(6, 10), (21, 20)]

    run(scenario)


def test_a_cancel_leaves_whatever_the_switches_and_limits_say():
    cancel = order(kind=CANCEL_ORDER, reference=77, shares=0, price=0)

    async def scenario(ctx, dut, bench):
        ctx.set(dut.passed.ready, 1)
        ctx.set(dut.rejected.ready, 1)
        ctx.set(dut.kill, 1)
        ctx.set(dut.halted, [0b1111] * 2)
        assert await bench.submit(cancel) == (NONE, RiskGateway.LATENCY)
        assert await bench.submit(cancel._replace(pair=1)) == (NONE, RiskGateway.LATENCY)
        assert (await bench.submit(order()))[0] is RejectReason.HALTED
        assert await bench.exposure() == (0, 0, 0)
        assert (await bench.submit(cancel._replace(venue=2)))[0] is RejectReason.BAD_ORDER
        assert (await bench.submit(cancel._replace(symbol=4)))[0] is RejectReason.BAD_ORDER

    run(scenario)


def test_a_cancel_takes_no_token():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, rate_burst=1))
        await ctx.tick().repeat(5)
        bench.set_limits(replace(LIMITS, rate_burst=1, rate_interval=10_000))
        for _ in range(3):
            assert (await bench.submit(order(kind=CANCEL_ORDER, shares=0)))[0] is NONE
        assert (await bench.submit(order(price=1)))[0] is NONE
        assert (await bench.submit(order(price=1)))[0] is RejectReason.RATE

    run(scenario)

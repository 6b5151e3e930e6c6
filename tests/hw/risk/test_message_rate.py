"""Rates by strategy and by symbol: as so many token buckets, with pairs that need two, and cancels that are only warned of."""

import random
from dataclasses import replace

import pytest

from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from hw.risk.message_rate import MessageRate, Row
from sim.golden.records import CANCEL_ORDER, SELL
from tests.hw.bench import simulate
from tests.hw.risk.gateway_bench import LIMITS, order, run

NONE, HALTED = RejectReason.NONE, RejectReason.HALTED


@pytest.mark.parametrize(("interval", "window"), [(0, 0), (1, 0), (7, 0), (40, 200), (13, 100), (2**32 - 1, 2**32 - 1)])
def test_each_key_has_a_token_bucket(interval, window):
    """Tokens in units of a cycle: each message costs ``interval``, and there is place for ``window`` and one message."""
    dut, rng, passed = MessageRate(3), random.Random(interval + window), []

    async def testbench(ctx):
        ctx.set(dut.interval, interval)
        ctx.set(dut.window, window)
        full, at = window + interval, {}
        for cycle in range(0, 4_000, 4):
            key = rng.randrange(3)
            ctx.set(dut.key, key)
            ctx.set(dut.look, 1)
            await ctx.tick()
            ctx.set(dut.look, 0)
            await ctx.tick()
            tokens, since = at.get(key, (full, 0))
            tokens = min(full, tokens + cycle - since)
            assert ctx.get(dut.fast) == (tokens < interval), cycle
            await ctx.tick()
            if tokens >= interval and rng.random() < 0.9:
                ctx.set(dut.spend, 1)
                at[key] = tokens - interval, cycle
                passed.append(key)
            await ctx.tick()
            ctx.set(dut.spend, 0)

    simulate(dut, testbench)
    assert len(passed) > (5 if interval < 1_000 else 2)


@pytest.mark.parametrize(("which", "other", "reason"), [
    ("strategy", order(strategy=2, symbol=1, price=1), RejectReason.STRATEGY_RATE),
    ("symbol", order(strategy=1, symbol=2, price=1), RejectReason.SYMBOL_RATE),
])
def test_what_comes_too_soon_is_refused_and_others_are_not(which, other, reason):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, **{f"{which}_interval": 100, f"{which}_window": 100}))
        mine = order(strategy=1, symbol=1, price=1)
        assert [(await bench.submit(mine))[0] for _ in range(3)] == [NONE, NONE, reason]
        assert (await bench.submit(mine)) == (reason, RiskGateway.LATENCY)
        assert (await bench.submit(mine._replace(kind=CANCEL_ORDER)))[0] is NONE
        assert (await bench.submit(other))[0] is NONE
        await ctx.tick().repeat(100)
        assert [(await bench.submit(mine))[0] for _ in range(2)] == [NONE, reason]
        await ctx.tick().repeat(300)
        assert [(await bench.submit(mine))[0] for _ in range(3)] == [NONE, NONE, reason]

    run(scenario)


def test_a_pair_needs_room_for_both_of_its_legs():
    """In the strategy's bucket, and in the symbol's where both are for the same one."""
    async def scenario(ctx, dut, bench):
        first, second = order(price=1, pair=1), order(venue=1, symbol=2, side=SELL, price=1)
        for limits, legs, reasons in (
            ({"strategy_interval": 1_000}, (first, second), [RejectReason.PAIR, RejectReason.STRATEGY_RATE]),
            ({"strategy_interval": 1_000, "strategy_window": 1_000}, (first, second), [NONE, NONE]),
            ({"symbol_interval": 1_000}, (first, second._replace(symbol=0)), [RejectReason.PAIR, RejectReason.SYMBOL_RATE]),
            ({"symbol_interval": 1_000}, (first, second), [NONE, NONE]),
            ({"symbol_interval": 1_000, "symbol_window": 1_000}, (first, second._replace(symbol=0)), [NONE, NONE]),
        ):
            await bench.start(ctx, replace(LIMITS, **limits))
            assert [answer[1] for answer in await bench.submit_pair(*legs)] == reasons, limits
            await ctx.tick().repeat(4)
            await bench.forget()

    run(scenario)


def test_both_symbols_of_a_pair_have_used_a_message():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, symbol_interval=10_000))
        legs = order(price=1, symbol=1, pair=1), order(venue=1, symbol=2, side=SELL, price=1)
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == [NONE, NONE]
        await ctx.tick().repeat(4)
        assert [(await bench.submit(order(symbol=symbol, price=2)))[0] for symbol in range(4)] == [
            NONE, RejectReason.SYMBOL_RATE, RejectReason.SYMBOL_RATE, NONE]

    run(scenario)


def test_cancels_that_are_too_fast_leave_with_a_warning():
    async def scenario(ctx, dut, bench):
        told = []

        async def submit():
            ctx.set(dut.orders.valid, 0)
            answer = await bench.submit(order(kind=CANCEL_ORDER))
            told.append(bool(ctx.get(dut.fast_cancels)))
            return answer[0]

        await bench.start(ctx, replace(LIMITS, cancel_burst=2, cancel_interval=60))
        await ctx.tick().repeat(200)
        assert [await submit() for _ in range(4)] == [NONE] * 4
        assert told == [False, False, True, True]
        await ctx.tick().repeat(200)
        assert not ctx.get(dut.fast_cancels), "the burst is whole again"
        bench.set_limits(LIMITS)
        assert [await submit() for _ in range(5)] == [NONE] * 5
        assert told[4:] == [False] * 5, "no burst, no warning"

    run(scenario)


@pytest.mark.parametrize("which", ["strategy", "symbol"])
def test_a_rate_that_has_lost_a_bit_halts(which):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        row, mine = dut._by_key.rates[which].rows[1], order(strategy=1, symbol=1, price=1)
        for bit in range(Row.as_shape().size):
            assert (await bench.submit(mine))[0] is NONE
            ctx.set(row, Row.from_bits(ctx.get(row).as_bits() ^ 1 << bit))
            assert (await bench.submit(mine))[0] is HALTED, bit
            assert ctx.get(dut.fault), bit
            await bench.forget()

    run(scenario)

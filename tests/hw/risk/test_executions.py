"""Repeated executions: more of a strategy in a window than the limit, and it is off until somebody lets it go on."""

from dataclasses import replace

from host.card.replies import FILLED, RELEASED
from hw.reasons import RejectReason
from hw.risk.executions import Row
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, CANCEL_ORDER
from tests.hw.risk.gateway_bench import LIMITS, order, run

NONE, REPEATED = RejectReason.NONE, RejectReason.REPEATED


async def execute(bench, count=1, strategy=1):
    """So many executions of one order."""
    assert (await bench.submit(order(strategy=strategy, shares=100, price=1)))[0] is NONE
    for _ in range(count):
        await bench.reply(FILLED, BUY, 1)
    await bench.reply(RELEASED, BUY, 100 - count)


async def rearm(ctx, dut, strategies):
    ctx.set(dut.rearm_strategies, strategies)
    await ctx.tick()
    ctx.set(dut.rearm_strategies, 0)


def test_a_strategy_with_too_many_executions_is_off_until_somebody_lets_it_go_on():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_executions=3))
        await execute(bench, 3)
        assert ctx.get(dut.tripped_strategies) == 0
        await execute(bench, 1)
        assert ctx.get(dut.tripped_strategies) == 2
        assert (await bench.submit(order(price=1))) == (REPEATED, RiskGateway.LATENCY)
        assert (await bench.submit(order(kind=CANCEL_ORDER)))[0] is NONE
        await execute(bench, 3, strategy=5)
        assert ctx.get(dut.tripped_strategies) == 2, "another strategy has a count of its own"
        bench.set_limits(LIMITS)
        assert (await bench.submit(order(price=1)))[0] is REPEATED, "no limit lets it go on"
        await rearm(ctx, dut, 0b100)
        assert (await bench.submit(order(price=1)))[0] is REPEATED, "somebody let another one go on"
        await rearm(ctx, dut, 0b10)
        assert (await bench.submit(order(price=1)))[0] is NONE

    run(scenario)


def test_the_count_goes_on_until_the_window_ends_or_positions_are_cleared():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_executions=2, execution_window=1))
        await execute(bench, 20)
        assert ctx.get(dut.tripped_strategies) == 0, "windows of a cycle hold no two executions"
        bench.set_limits(replace(LIMITS, max_executions=2, execution_window=100_000))
        await execute(bench, 2)
        await bench.forget()
        await execute(bench, 2)
        await execute(bench, 1)
        assert ctx.get(dut.tripped_strategies) == 2
        await bench.forget()
        assert ctx.get(dut.tripped_strategies) == 2, "that takes a person"
        await rearm(ctx, dut, 2)
        await execute(bench, 2)
        bench.set_limits(replace(LIMITS, max_executions=2, execution_window=1))  # over now
        await ctx.tick()
        bench.set_limits(replace(LIMITS, max_executions=2, execution_window=0))
        await execute(bench, 2)
        assert ctx.get(dut.tripped_strategies) == 0
        await ctx.tick().repeat(1_000)
        await execute(bench, 1)
        assert ctx.get(dut.tripped_strategies) == 2, "without an end"

    run(scenario)


def test_only_executions_count_and_only_with_a_limit():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await execute(bench, 5)
        bench.set_limits(replace(LIMITS, max_executions=1))
        for _ in range(3):
            await execute(bench, 0)
            await bench.move(BUY, 1)
        assert ctx.get(dut.tripped_strategies) == 0
        await execute(bench, 2)
        assert ctx.get(dut.tripped_strategies) == 2

    run(scenario)


def test_the_orders_of_a_strategy_that_has_tripped_are_cancelled():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_executions=1))
        ctx.set(dut.cancel_on_stop, 3)
        assert (await bench.submit(order(strategy=2, symbol=1, price=1)))[0] is NONE
        assert (await bench.submit(order(strategy=1, symbol=2, price=1)))[0] is NONE
        await execute(bench, 2)
        assert [left[:2] for left in await bench.cancels(100)] == [(0, 2)]

    run(scenario)


def test_a_count_that_has_lost_a_bit_halts():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_executions=2**16 - 1))
        for bit in range(Row.as_shape().size):
            await execute(bench, 2)
            row = dut._executions.rows[1]
            ctx.set(row, Row.from_bits(ctx.get(row).as_bits() ^ 1 << bit))
            await bench.submit(order(price=1))
            await bench.reply(FILLED, BUY, 1)
            assert ctx.get(dut.fault), bit
            assert (await bench.submit(order(price=1)))[0] is RejectReason.HALTED, bit
            await bench.forget()

    run(scenario)

"""The day's notional and the dead-man timer by themselves."""

import random

import pytest

from hw.risk.day import LEVELS, DayNotional
from hw.risk.dead_man import DeadMan
from sim.golden.risk import DeadManModel
from tests.hw.bench import made, simulate


@pytest.mark.parametrize("limit", [1, 20, 1_000, 2**64 - 1])
def test_the_levels_of_the_day(limit):
    dut = made(DayNotional)

    async def testbench(ctx):
        ctx.set(dut.limit, limit)
        for percent in LEVELS:
            for used in {limit * percent // 100 - 1, -(-limit * percent // 100)} - {-1}:
                ctx.set(dut.clear, 1)
                await ctx.tick()
                ctx.set(dut.clear, 0)
                ctx.set(dut.spend, 1)
                ctx.set(dut.amount, used)
                await ctx.tick()
                ctx.set(dut.spend, 0)
                await ctx.tick().repeat(14)
                assert ctx.get(dut.used) == used
                assert ctx.get(dut.level) == sum(100 * used >= limit * level for level in LEVELS), (used, limit)

    simulate(dut, testbench)


def test_room_follows_three_cycles_after_and_what_is_used_never_wraps():
    dut = made(DayNotional)

    async def testbench(ctx):
        ctx.set(dut.limit, 1_000)
        await ctx.tick().repeat(3)
        ctx.set(dut.spend, 1)
        ctx.set(dut.amount, 900)
        await ctx.tick()
        ctx.set(dut.spend, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.room) == 100
        ctx.set(dut.ahead, 150)
        await ctx.tick()
        assert ctx.get(dut.room) == -50
        ctx.set(dut.spend, 1)
        ctx.set(dut.amount, 2**64 - 1)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.used) == 2**64 - 1

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(3))
def test_the_dead_man_equals_the_model(seed):
    rng = random.Random(seed)
    dut, model = DeadMan(2), DeadManModel(2)
    seen = set()

    async def testbench(ctx):
        interval = 3
        for _ in range(2_000):
            if rng.random() < 0.01:
                interval = rng.choice([0, 1, 5, 20])
            heartbeat = rng.random() < 0.05
            ctx.set(dut.interval, interval)
            ctx.set(dut.heartbeat, heartbeat)
            expired = model.cycle(interval=interval, heartbeat=heartbeat)
            assert ctx.get(dut.expired) == expired
            seen.add(expired)
            await ctx.tick()

    simulate(dut, testbench)
    assert seen == {False, True}

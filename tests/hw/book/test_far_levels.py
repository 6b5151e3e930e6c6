"""The far levels against a dictionary: what was put in comes out, the best first, and what does not fit is told."""

from collections import Counter
from random import Random

import pytest

from hw.book.far_levels import FarLevels
from hw.config import TINY
from tests.hw.bench import made, simulate

PULSES = ("full", "overflow", "missing")


class Driver:
    """Puts changes in and takes levels out; counts the pulses by region."""

    def __init__(self, ctx, dut):
        self.ctx, self.dut, self.pulses, self.taken = ctx, dut, Counter(), []

    async def tick(self):
        await self.ctx.tick()
        ctx, dut = self.ctx, self.dut
        self.pulses.update((name, ctx.get(dut.doubt_region)) for name in PULSES if ctx.get(getattr(dut, name)))
        if ctx.get(dut.taken):
            level = ctx.get(dut.level)
            self.taken.append((ctx.get(dut.level_region), level.valid, level.rank, level.totals.shares, level.totals.orders))

    async def clear(self):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.clear, 1)
        for row in range(dut.depth):
            ctx.set(dut.row, row)
            await self.tick()
        ctx.set(dut.clear, 0)

    async def change(self, region, rank, shares, orders, *, leave):
        ctx, dut = self.ctx, self.dut
        while not ctx.get(dut.room):
            await self.tick()
        ctx.set(dut.change, {"region": region, "rank": rank, "totals": {"shares": shares, "orders": orders}, "leave": leave})
        ctx.set(dut.valid, 1)
        await self.tick()
        ctx.set(dut.valid, 0)

    async def settle(self):
        for _ in range(2000):
            if self.ctx.get(self.dut.idle):
                return
            await self.tick()
        raise AssertionError("never idle")

    async def take(self, region):
        ctx, dut, count = self.ctx, self.dut, len(self.taken)
        await self.settle()
        ctx.set(dut.take, 1)
        ctx.set(dut.region, region)
        await self.tick()
        ctx.set(dut.take, 0)
        cycles = 1
        while len(self.taken) == count:
            await self.tick()
            cycles += 1
        return self.taken[-1], cycles


@pytest.mark.parametrize("seed", range(3))
def test_equals_a_dictionary(seed):
    rng, dut = Random(seed), made(FarLevels, TINY)

    async def testbench(ctx):
        driver, levels, cycles = Driver(ctx, dut), {}, {0: set(), 1: set()}
        await driver.clear()
        for _ in range(500):
            region, choice = rng.randrange(4), rng.random()
            mine = [rank for there, rank in levels if there == region]
            if choice < 0.2:
                best = max(mine, default=None)
                expected = (region, 0, 0, 0, 0) if best is None else (region, 1, best, *levels.pop((region, best)))
                level, took = await driver.take(region)
                assert level == expected
                cycles[expected[1]].add(took)
            elif mine and choice < 0.5:
                rank = rng.choice(mine)
                shares, orders = levels[region, rank]
                gone = rng.randint(0, shares)
                dies = rng.random() < 0.7
                levels[region, rank] = shares - gone, orders - dies
                if not orders - dies:
                    del levels[region, rank]
                await driver.change(region, rank, gone, int(dies), leave=1)
            elif len(mine) < 20:
                rank = rng.choice((rng.randrange(40), rng.getrandbits(32), (1 << 32) - 1))
                shares, orders = rng.randrange(1, 1000), rng.randint(1, 3)
                before = levels.get((region, rank), (0, 0))
                levels[region, rank] = before[0] + shares, before[1] + orders
                await driver.change(region, rank, shares, orders, leave=0)
        await driver.settle()
        assert not driver.pulses
        assert cycles == {0: {11 + dut.tree_levels}, 1: {18 + dut.tree_levels}}

    simulate(dut, testbench, deadline=30_000)

"""The winner tree against the largest of a list, with one change after the other as soon as it may come."""

import random

import pytest

from hw.book.winner_tree import WinnerTree
from tests.hw.bench import made, simulate

REGIONS = 2


def groups(ranks, leaf):
    """A leaf, four slots at a time."""
    slots = [{"rank": rank or 0, "valid": rank is not None} for rank in ranks[16 * leaf:16 * leaf + 16]]
    return [slots[first:first + 4] for first in range(0, 16, 4)]


class Driver:
    """Changes slots of both regions and asks for their winners; keeps the slots, and what was told when."""

    def __init__(self, dut, leaves):
        self.dut = dut
        self.ranks = [[None] * 16 * leaves for _ in range(REGIONS)]
        self.expected, self.seen, self.cycle = [], [], 0

    async def tick(self, ctx):
        if ctx.get(self.dut.done):
            self.seen.append((self.cycle, ctx.get(self.dut.best_region), ctx.get(self.dut.best)))
        await ctx.tick()
        self.cycle += 1

    async def request(self, ctx, region, leaf, *, ask, gap, shown):
        dut = self.dut
        for port, value in ((dut.start, 1), (dut.region, region), (dut.leaf, leaf), (dut.ask, ask)):
            ctx.set(port, value)
        if ask:
            self.expected.append((self.cycle + dut.latency, region, list(self.ranks[region])))
        await self.tick(ctx)
        ctx.set(dut.start, 0)
        await self.tick(ctx)
        for group in shown:
            ctx.set(dut.group, group)
            await self.tick(ctx)
        for _ in range(gap - 6):
            await self.tick(ctx)

    async def change(self, ctx, region, slot, rank, gap=6):
        self.ranks[region][slot] = rank
        await self.request(ctx, region, slot // 16, ask=0, gap=gap, shown=groups(self.ranks[region], slot // 16))

    async def ask(self, ctx, region, gap=6, leaf=0):
        """With slots on the wires that look like better ones."""
        await self.request(ctx, region, leaf, ask=1, gap=gap, shown=[[{"rank": (1 << 32) - 1, "valid": 1}] * 4] * 4)


@pytest.mark.parametrize(("leaves", "levels"), [(4, 1), (8, 2), (16, 2), (128, 4)])
def test_the_winner_is_the_largest_of_all_slots(leaves, levels):
    dut = made(WinnerTree, leaves=leaves, regions=REGIONS)
    assert (dut.levels, dut.latency, dut.spacing) == (levels, 9 + levels, 6)
    rng, driver = random.Random(leaves), Driver(dut, leaves)

    async def testbench(ctx):
        for _ in range(300):
            region, gap = rng.randrange(REGIONS), rng.choice((6, 6, 9))
            mine = driver.ranks[region]
            full = [slot for slot, rank in enumerate(mine) if rank is not None]
            slot = rng.choice(full) if full and rng.random() < 0.3 else rng.randrange(16 * leaves)
            if full and rng.random() < 0.3:
                slot = max(full, key=mine.__getitem__)
            rank = None if mine[slot] is not None else rng.choice((0, (1 << 32) - 1, rng.getrandbits(32), rng.getrandbits(5)))
            await driver.change(ctx, region, slot, rank, gap)
            if rng.random() < 0.5:
                await driver.ask(ctx, rng.choice((region, region, 1 - region)), rng.choice((6, 6, 9)), rng.randrange(leaves))
        for _ in range(dut.latency):
            await driver.tick(ctx)

    simulate(dut, testbench, deadline=10_000)
    assert len(driver.seen) == len(driver.expected) > 100
    for (at, region, best), (when, where, ranks) in zip(driver.seen, driver.expected, strict=True):
        winner = max((rank for rank in ranks if rank is not None), default=None)
        assert (at, region, best["valid"]) == (when, where, winner is not None)
        if winner is not None:
            assert best["rank"] == ranks[best["slot"]] == winner


def test_clear_forgets_the_winners_and_what_is_under_way():
    dut = made(WinnerTree, leaves=8, regions=REGIONS)
    driver = Driver(dut, 8)

    async def testbench(ctx):
        await driver.change(ctx, 0, 3, 70)
        await ctx.tick().repeat(10)
        await driver.change(ctx, 0, 90, 90)
        await driver.ask(ctx, 0)
        ctx.set(dut.clear, 1)
        for row in range(dut.depth):
            ctx.set(dut.row, row)
            assert not ctx.get(dut.done)
            await ctx.tick()
        ctx.set(dut.clear, 0)
        driver.ranks[0] = [None] * 128
        await driver.change(ctx, 0, 17, 5)
        await driver.ask(ctx, 0, gap=dut.latency)
        assert ctx.get(dut.done)
        assert ctx.get(dut.best.rank) == 5

    simulate(dut, testbench)


@pytest.mark.parametrize("leaves", [2, 12])
def test_refuses_leaves_that_make_no_tree(leaves):
    with pytest.raises(ValueError, match=f"leaves must be a power of two and at least 4, not {leaves}"):
        WinnerTree(leaves=leaves, regions=1)

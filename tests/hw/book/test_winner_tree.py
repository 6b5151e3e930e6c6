"""The winner tree against the largest of a list, with one change after the other as soon as it may come."""

import random

import pytest

from hw.book.winner_tree import WinnerTree
from tests.hw.bench import made, simulate

REGIONS = 2


@pytest.mark.parametrize(("leaves", "levels"), [(4, 1), (8, 2), (16, 2), (64, 3), (512, 5)])
def test_the_winner_is_the_largest_of_all_slots(leaves, levels):
    dut = made(WinnerTree, leaves=leaves, regions=REGIONS)
    assert (dut.levels, dut.latency) == (levels, 5 + levels)
    rng = random.Random(leaves)
    ranks = [[None] * 4 * leaves for _ in range(REGIONS)]
    expected, started, seen = [], [], []

    def change():
        """One slot set, emptied, or left as it is; now and then all on one path, now and then a winner."""
        region = rng.randrange(REGIONS)
        mine = ranks[region]
        full = [slot for slot, rank in enumerate(mine) if rank is not None]
        slot = rng.choice(full) if full and rng.random() < 0.3 else rng.randrange(4 * leaves)
        if full and rng.random() < 0.3:
            slot = max(full, key=mine.__getitem__)
        commit = rng.random() < 0.9
        group = mine[slot & ~3 : (slot & ~3) + 4]
        group[slot & 3] = None if mine[slot] is not None else rng.choice((0, (1 << 32) - 1, rng.getrandbits(32), rng.getrandbits(5)))
        if commit:
            mine[slot] = group[slot & 3]
        return region, slot, group, commit

    async def drive(ctx):
        for number in range(250):
            region, slot, group, commit = change()
            ask = commit and rng.random() < 0.8
            ctx.set(dut.start, 1)
            ctx.set(dut.region, region)
            ctx.set(dut.slot, slot)
            if ask:
                best = max((rank for rank in ranks[region] if rank is not None), default=None)
                expected.append((number, region, best, list(ranks[region])))
            await ctx.tick()
            ctx.set(dut.start, 0)
            await ctx.tick()
            ctx.set(dut.group, [{"rank": rank or 0, "valid": rank is not None} for rank in group])
            ctx.set(dut.commit, commit)
            ctx.set(dut.ask, ask)
            await ctx.tick()
            ctx.set(dut.group, [{"rank": rng.getrandbits(32), "valid": 1}] * 4)
            ctx.set(dut.commit, 0)
            ctx.set(dut.ask, rng.randrange(2))
            await ctx.tick().repeat(rng.choice((dut.spacing - 3, dut.spacing - 3, dut.spacing)))
        await ctx.tick().repeat(dut.latency)

    async def watch(ctx):
        cycle = 0
        while True:
            if ctx.get(dut.start):
                started.append(cycle)
            if ctx.get(dut.done):
                seen.append((cycle, ctx.get(dut.best_region), ctx.get(dut.best)))
            await ctx.tick()
            cycle += 1

    simulate(dut, drive, processes=(watch,))
    assert len(seen) == len(expected) > 100
    for (at, region, best), (number, where, rank, all_ranks) in zip(seen, expected, strict=True):
        assert (at, region, best["valid"]) == (started[number] + dut.latency, where, rank is not None)
        if rank is not None:
            assert best["rank"] == rank
            assert all_ranks[best["slot"]] == rank


def test_clear_forgets_the_winners_and_what_is_under_way():
    dut = made(WinnerTree, leaves=8, regions=REGIONS)

    async def change(ctx, slot, rank):
        ctx.set(dut.start, 1)
        ctx.set(dut.slot, slot)
        await ctx.tick()
        ctx.set(dut.start, 0)
        await ctx.tick()
        ctx.set(dut.group, [{"rank": rank, "valid": slot % 4 == way and rank > 0} for way in range(4)])
        ctx.set(dut.commit, 1)
        ctx.set(dut.ask, 1)
        await ctx.tick()
        ctx.set(dut.commit, 0)
        ctx.set(dut.ask, 0)

    async def testbench(ctx):
        await change(ctx, 3, 70)
        await ctx.tick().repeat(10)
        await change(ctx, 30, 90)
        ctx.set(dut.clear, 1)
        for row in range(dut.depth):
            ctx.set(dut.row, row)
            assert not ctx.get(dut.done)
            await ctx.tick()
        ctx.set(dut.clear, 0)
        await change(ctx, 17, 5)
        await ctx.tick().repeat(dut.latency - 3)
        assert ctx.get(dut.done)
        assert ctx.get(dut.best.rank) == 5

    simulate(dut, testbench)


@pytest.mark.parametrize("leaves", [2, 12])
def test_refuses_leaves_that_make_no_tree(leaves):
    with pytest.raises(ValueError, match=f"leaves must be a power of two and at least 4, not {leaves}"):
        WinnerTree(leaves=leaves, regions=1)

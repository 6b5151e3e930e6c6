"""The levels that the book tells when it is asked: those of the reference book after the event that they name."""

from random import Random

import pytest

from hw.book.book import Book
from hw.book.depth import Depth
from hw.config import TINY
from sim.golden.book import Book as GoldenBook
from tests.hw.bench import made
from tests.hw.book.driver import run_book
from tests.hw.book.model import check, flow

FIELDS = ("venue", "symbol", "side", "number", "price", "shares", "orders", "sequence")


@pytest.mark.parametrize(("seed", "prices"), [
    pytest.param(1, 6, marks=pytest.mark.slow), (2, 25), pytest.param(3, 60, marks=pytest.mark.slow)])
def test_levels_are_those_of_one_moment_in_the_middle_of_a_burst(seed, prices):
    dut, rng, told = made(Book, TINY), Random(seed), []

    async def look(ctx):
        for _ in range(8):
            for _ in range(rng.randrange(150)):
                await ctx.tick()
            ctx.set(dut.look_symbol, rng.randrange(2))
            ctx.set(dut.look, 1)
            await ctx.tick()
            ctx.set(dut.look, 0)
            levels = []
            for _ in range(3000):
                if ctx.get(dut.level_valid):
                    level = ctx.get(dut.level)
                    levels.append([getattr(level, field) if field != "side" else level.side.value for field in FIELDS])
                if not ctx.get(dut.looking | dut.level_valid):
                    break
                await ctx.tick()
            told.append(levels)

    events = list(flow(seed, 800, symbols=2, prices=prices, crowd=70, faults=0))
    run = run_book(dut, events, beside=(look,), deadline=60_000)
    check(events, run)
    golden, after = GoldenBook(), 0
    deepest = 0
    for levels in told:
        assert [(venue, side, number) for venue, _, side, number, *_ in levels] == [
            (0, side, number) for side in (0, 1) for number in range(Depth.LEVELS)]
        ((symbol, sequence),) = {(level[1], level[-1]) for level in levels}
        for event in events[after:sequence]:
            golden.apply(event)
        after = sequence
        sides = golden.depth(symbol, Depth.LEVELS)
        deepest = max(deepest, *map(len, sides))
        assert [tuple(level[4:7]) for level in levels] == [
            level for side in sides for level in [*side, *[(0, 0, 0)] * (Depth.LEVELS - len(side))]]
    assert len(told) == 8
    assert 0 < told[2][0][-1] < told[-3][0][-1] < len(events)
    assert deepest == min(prices, Depth.LEVELS)

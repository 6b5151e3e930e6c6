"""LineOrder: a frame that begins below the end of one before it is late, and what is late moves nothing."""

import random

from hw.feed.line_order import LineOrder
from tests.hw.bench import simulate


def test_late_frames():
    rng = random.Random(1)
    dut, seen = LineOrder(), []

    async def testbench(ctx):
        end, hole, at = None, 0, 1
        for _ in range(600):
            restart = rng.random() < 0.03
            if restart:
                ctx.set(dut.restart, 1)
                await ctx.tick()
                ctx.set(dut.restart, 0)
                end = None
            first = max(0, at + rng.choice([0, 0, 0, -1, -3, 2]))
            count, good = rng.randrange(4), rng.random() < 0.8
            ctx.set(dut.first, first)
            ctx.set(dut.next, first + count)
            await ctx.tick()
            ctx.set(dut.good, good)
            if good:
                late = end is not None and first < end and first + count > hole
                assert bool(ctx.get(dut.late)) == late
                seen.append(late)
                if not late and (end is None or first + count > end):
                    hole = 1 << 64 if end is None else end if first > end else hole
                    end = first + count
                at = first + count
            await ctx.tick()
            ctx.set(dut.good, 0)

    simulate(dut, testbench)
    assert seen.count(True) > 50
    assert seen.count(False) > 200

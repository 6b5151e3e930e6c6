"""32 x 32 in two cycles."""

import random

from hw.lib.multiplier import Multiplier
from tests.hw.bench import made, simulate


def test_products_in_two_cycles_one_each_cycle():
    rng = random.Random(1)
    edges = [0, 1, 0xFFFF, 0x10000, 0xFFFFFFFF]
    pairs = [(a, b) for a in edges for b in edges] + [(rng.getrandbits(32), rng.getrandbits(32)) for _ in range(500)]
    dut = made(Multiplier)
    seen = []

    async def testbench(ctx):
        for a, b in [*pairs, *[(0, 0)] * Multiplier.LATENCY]:
            ctx.set(dut.a, a)
            ctx.set(dut.b, b)
            seen.append(ctx.get(dut.product))
            await ctx.tick()

    simulate(dut, testbench)
    assert seen[Multiplier.LATENCY:] == [a * b for a, b in pairs]

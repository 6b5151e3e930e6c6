"""NameTable: every slot keeps the last name that it was given."""

import random

from hw.feed.name_table import NameTable
from tests.hw.bench import simulate


def test_names_and_pulses():
    rng, dut, names = random.Random(5), NameTable(5), [0] * 5

    async def testbench(ctx):
        for _ in range(300):
            slot, name, valid = rng.randrange(256) if rng.random() < 0.2 else rng.randrange(5), rng.getrandbits(64), rng.random() < 0.5
            ctx.set(dut.input.payload, {"symbol": slot, "name": name})
            ctx.set(dut.input.valid, valid)
            await ctx.tick()
            hit = valid and slot < 5
            if hit:
                names[slot] = name
            assert [ctx.get(one) for one in dut.names] == names
            assert (ctx.get(dut.output.valid), ctx.get(dut.output.payload.name)) == (valid, name)
            assert ctx.get(dut.renamed) == (1 << slot if hit else 0)

    simulate(dut, testbench)

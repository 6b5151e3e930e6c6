"""A slot's settings change as a whole, for that slot alone, and are zero until the host has committed them."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.lib import data

from hw.lib.slot_table import SlotTable
from tests.hw.bench import made, simulate

SETTINGS = data.StructLayout({"low": 7, "high": 20})


@pytest.mark.parametrize(("slots", "seed"), [(1, 1), (4, 2), (17, 3), (64, 4)])
def test_equals_a_dictionary(slots, seed):
    rng, dut, kept = random.Random(seed), made(SlotTable, SETTINGS, slots), {}

    async def testbench(ctx):
        changed = 0
        for _ in range(600):
            symbol, asked = rng.randrange(slots + 2), rng.randrange(slots)
            values = {"low": rng.getrandbits(7), "high": rng.getrandbits(20)}
            commits = rng.random() < 0.5
            ctx.set(dut.symbol, asked)
            ctx.set(dut.input.valid, commits)
            ctx.set(dut.input.payload, {"symbol": symbol, "values": values})
            expected, known = kept.get(asked, {"low": 0, "high": 0}), asked in kept
            if commits and symbol < slots:
                changed += symbol in kept
                kept[symbol] = values
            await ctx.tick()
            assert {name: ctx.get(dut.values[name]) for name in values} == expected
            assert ctx.get(dut.known) == known
            assert not known or {name: ctx.get(dut.kept[name]) for name in values} == expected
        assert changed > 30

    simulate(dut, testbench)


def test_a_reset_forgets_what_the_memory_still_has():
    reset, dut = Signal(), SlotTable(SETTINGS, 4)

    async def testbench(ctx):
        ctx.set(dut.input.valid, 1)
        ctx.set(dut.input.payload, {"symbol": 2, "values": {"low": 1, "high": 2}})
        ctx.set(dut.symbol, 2)
        await ctx.tick()
        ctx.set(dut.input.valid, 0)
        for value in (2, 0):
            await ctx.tick()
            assert ctx.get(dut.values.high) == value
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
        ctx.set(dut.input.valid, 1)
        for value in (0, 2):  # a commit counts from the cycle after it
            await ctx.tick()
            assert ctx.get(dut.values.high) == value

    simulate(ResetInserter(reset)(dut), testbench)

"""The histogram counts what its model counts, in the bins that the register map describes."""

import random

from host.card.latency import BINS, bounds
from hw.telemetry.latency_histogram import LatencyHistogram
from hw.telemetry_types import LatencyBin
from sim.golden.telemetry import STARTS, HistogramModel, widths
from tests.hw.bench import made, simulate


def test_bins_of_the_host_the_card_and_the_model_are_the_same():
    assert BINS == len(LatencyBin) == len(STARTS)
    assert [bounds(number)[0] for number in range(BINS)] == STARTS
    assert [last - first + 1 for first, last in map(bounds, range(BINS - 1))] == widths()
    assert bounds(BINS - 1)[1] == (1 << 32) - 1


async def count(ctx, dut, model, values, rng):
    for value in values:
        ctx.set(dut.latency.payload, value)
        ctx.set(dut.latency.valid, 1)
        await ctx.tick()
        ctx.set(dut.latency.valid, 0)
        ctx.set(dut.latency.payload, rng.getrandbits(32))
        await ctx.tick().repeat(dut.PERIOD - 1 + rng.choice([0, 0, 3]))
        model.add(value)
    await ctx.tick().repeat(dut.PERIOD)


async def check(ctx, dut, model):
    for name in ("count", "sum", "least", "most"):
        assert ctx.get(dut.summary[name]) == getattr(model, name), name
    for number in range(BINS):
        ctx.set(dut.bin, number)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.shown) == model.bins[number], number


async def cleared(ctx, dut):
    cycles = 0
    while ctx.get(dut.clearing):
        await ctx.tick()
        cycles += 1
    assert cycles <= 512


def test_every_bin_its_edges_and_the_same_one_again_and_again():
    rng = random.Random(3)
    edges = [value for start in STARTS for value in (start, start - 1) if value >= 0] + [(1 << 32) - 1]

    async def testbench(ctx):
        model = HistogramModel()
        await cleared(ctx, dut)
        await count(ctx, dut, model, rng.sample(edges, len(edges)) + [25] * 20, rng)
        await check(ctx, dut, model)
        assert set(model.bins) == set(range(BINS))

    dut = made(LatencyHistogram)
    simulate(dut, testbench)


def test_it_begins_anew_when_it_is_cleared_and_after_reset():
    rng = random.Random(4)

    async def testbench(ctx):
        await cleared(ctx, dut)
        await check(ctx, dut, HistogramModel())
        await count(ctx, dut, HistogramModel(), [rng.getrandbits(rng.randrange(33)) for _ in range(50)], rng)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert ctx.get(dut.clearing)
        await count(ctx, dut, HistogramModel(), [7], rng)  # not counted
        await cleared(ctx, dut)
        model = HistogramModel()
        await count(ctx, dut, model, [7, 700], rng)
        await check(ctx, dut, model)

    dut = made(LatencyHistogram)
    simulate(dut, testbench)
    simulate(dut, testbench)

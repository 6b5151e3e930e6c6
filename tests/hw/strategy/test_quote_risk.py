"""Risk and spread of every symbol against the golden formula; nothing is usable that is not sure."""

import random

import pytest

from hw.strategy.quote_risk import QuoteRisk
from sim.golden.quoter import Parameters, Risk, risk
from tests.hw.bench import made, simulate

SYMBOLS = 3
SETTLED = 2 * QuoteRisk.STEPS * SYMBOLS


def parameters(rng):
    def some(bits):
        return rng.getrandbits(rng.randrange(1, bits + 1))

    return Parameters(
        enable=rng.random() < 0.9, aversion=some(32), constant=some(31), end=some(32), tick=some(16), reciprocal=some(32),
        shares=rng.choice([0, some(32), some(10), some(16)]), max_position=some(32), threshold=some(16), interval=some(31))


async def commit(ctx, dut, symbol, one):
    ctx.set(dut.parameters.payload, {"symbol": symbol, "values": vars(one)})
    ctx.set(dut.parameters.valid, 1)
    await ctx.tick()
    ctx.set(dut.parameters.valid, 0)


async def measure(ctx, dut, symbol, variance):
    ctx.set(dut.variances.payload, {"symbol": symbol, "valid": variance is not None, "variance": variance or 0})
    ctx.set(dut.variances.valid, 1)
    await ctx.tick()
    ctx.set(dut.variances.valid, 0)


async def look(ctx, dut, symbol):
    ctx.set(dut.symbol, symbol)
    await ctx.tick()
    terms = dut.terms
    return ctx.get(terms.fresh), ctx.get(terms.usable), Risk(ctx.get(terms.share_risk), ctx.get(terms.half_spread))


@pytest.mark.parametrize("seed", range(2))
def test_equals_the_formula(seed):
    rng = random.Random(seed)
    dut, usable = made(QuoteRisk, SYMBOLS), 0

    async def testbench(ctx):
        nonlocal usable
        variances, committed = [None] * SYMBOLS, [Parameters()] * SYMBOLS
        for _ in range(40):
            for symbol in range(SYMBOLS):
                if rng.random() < 0.7:
                    committed[symbol] = parameters(rng)
                    await commit(ctx, dut, symbol, committed[symbol])
                if rng.random() < 0.7:
                    variances[symbol] = rng.choice([None, *[rng.getrandbits(rng.randrange(1, 33))] * 4])
                    await measure(ctx, dut, symbol, variances[symbol])
            now = rng.choice([rng.getrandbits(rng.randrange(1, 33)), committed[0].end])
            ctx.set(dut.now, now << 16 | rng.getrandbits(16))
            await ctx.tick().repeat(SETTLED)
            for symbol, (one, variance) in enumerate(zip(committed, variances, strict=True)):
                fresh, is_usable, got = await look(ctx, dut, symbol)
                right = risk(one, variance or 0, one.end - now)
                if one != Parameters():
                    assert fresh
                    assert is_usable == (right is not None and one.enable and one.shares > 0 and variance is not None)
                if is_usable:
                    assert got == right
                    usable += 1

    simulate(dut, testbench)
    assert usable > 10


def test_terms_are_never_of_other_parameters():
    """From the cycle after a commit on they are not fresh, and when they are again, then they are of the new ones."""
    dut, one_share = made(QuoteRisk, SYMBOLS), Parameters(enable=True, end=1 << 16, shares=1)

    async def testbench(ctx):
        for symbol in range(SYMBOLS):
            await measure(ctx, dut, symbol, 1 << 12)
            await commit(ctx, dut, symbol, one_share)
        ctx.set(dut.symbol, 1)
        for pause in range(2 * QuoteRisk.STEPS * SYMBOLS):
            await ctx.tick().repeat(SETTLED + pause)
            half = 100 + pause
            await commit(ctx, dut, 1, Parameters(**vars(one_share) | {"constant": 2 * half}))
            await ctx.tick()
            waited = 0
            while not ctx.get(dut.terms.fresh):
                assert not ctx.get(dut.terms.usable)
                await ctx.tick()
                waited += 1
            assert ctx.get(dut.terms.half_spread) == half
            assert 10 <= waited <= QuoteRisk.STEPS * SYMBOLS

    simulate(dut, testbench)


def test_unknown_symbols_change_nothing():
    dut = made(QuoteRisk, SYMBOLS)

    async def testbench(ctx):
        for symbol in (SYMBOLS, 255):
            await measure(ctx, dut, symbol, 1)
            await commit(ctx, dut, symbol, Parameters(enable=True, aversion=1, end=1, shares=1))
        await ctx.tick().repeat(SETTLED)
        for symbol in (*range(SYMBOLS), SYMBOLS, 255):
            assert (await look(ctx, dut, symbol))[1] == 0

    simulate(dut, testbench)

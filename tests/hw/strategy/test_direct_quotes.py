"""Quotes that the host writes: passed on as they are, or refused with a pulse."""

import pytest

from hw.config import TINY
from hw.strategy.direct_quotes import DirectQuotes
from tests.hw.bench import made, simulate
from tests.hw.strategy.arbitrage_bench import WIDE

GOOD = {"venue": 1, "symbol": 3, "bid_price": 2**32 - 2, "bid_shares": 5, "ask_price": 2**32 - 1, "ask_shares": 6, "time": 2**40}
NOW = 2**40


async def write(ctx, dut, quote):
    ctx.set(dut.written.payload, quote)
    ctx.set(dut.written.valid, 1)
    await ctx.tick()
    ctx.set(dut.written.valid, 0)
    await ctx.tick()


def offered(ctx, dut):
    return {name: ctx.get(dut.quotes.payload[name]) for name in GOOD} if ctx.get(dut.quotes.valid) else None


@pytest.mark.parametrize(("change", "passes"), [
    ({}, True), ({"time": 0}, True), ({"bid_price": 0, "ask_price": 7}, True), ({"bid_price": 7, "ask_price": 0}, True),
    ({"bid_price": 2**32 - 1}, True),
    ({"venue": 0}, False), ({"venue": 2}, False), ({"venue": 9}, False), ({"symbol": 4}, False), ({"symbol": 2**15 + 3}, False),
    ({"bid_price": 8, "ask_price": 7}, False),
    ({"time": NOW + 1}, False),
])
def test_what_is_passed_on_and_what_is_refused(change, passes):
    dut = made(DirectQuotes, TINY)

    async def testbench(ctx):
        ctx.set(dut.direct, 0b10)
        ctx.set(dut.now, NOW)
        ctx.set(dut.quotes.ready, 0)
        await write(ctx, dut, GOOD | change)
        assert dut.LATENCY == 2
        assert offered(ctx, dut) == (GOOD | change if passes else None)
        assert ctx.get(dut.refused) == (not passes)
        await ctx.tick()
        assert not ctx.get(dut.refused)
        assert (offered(ctx, dut) is not None) == passes  # waits until it is taken
        ctx.set(dut.quotes.ready, 1)
        await ctx.tick()
        assert offered(ctx, dut) is None

    simulate(dut, testbench)


@pytest.mark.parametrize(("config", "price", "passes"), [
    (TINY, 2**32 - 1, True), (TINY, 2**32, False), (TINY, 2**47, False), (WIDE, 2**32, True), (WIDE, 2**48 - 1, True),
])
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_price_as_wide_as_the_card_s_passes(config, price, passes, side):
    dut = made(DirectQuotes, config)

    async def testbench(ctx):
        ctx.set(dut.direct, 0b10)
        ctx.set(dut.now, NOW)
        ctx.set(dut.quotes.ready, 1)
        quote = GOOD | {"bid_price": 0, "ask_price": 0, f"{side}_price": price}
        await write(ctx, dut, quote)
        assert offered(ctx, dut) == (quote if passes else None)
        assert ctx.get(dut.refused) == (not passes)

    simulate(dut, testbench)


def test_one_that_comes_while_another_waits_is_refused_and_changes_nothing():
    dut = made(DirectQuotes, TINY)

    async def testbench(ctx):
        ctx.set(dut.direct, 0b10)
        ctx.set(dut.now, NOW)
        ctx.set(dut.quotes.ready, 0)
        await write(ctx, dut, GOOD)
        await write(ctx, dut, GOOD | {"symbol": 1})
        assert (offered(ctx, dut), ctx.get(dut.refused)) == (GOOD, 1)
        ctx.set(dut.quotes.ready, 1)
        await write(ctx, dut, GOOD | {"symbol": 2})
        assert (offered(ctx, dut), ctx.get(dut.refused)) == (GOOD | {"symbol": 2}, 0)

    simulate(dut, testbench)

"""Short sales: only as many as have been located, and where it is asked for only above the best bid; what is held is sold freely."""

import pytest

from hw.reasons import RejectReason
from hw.risk import locates, reference
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from sim.golden.risk import Limits
from tests.hw.risk.gateway_bench import order, run

NONE, HALTED, PAIR = RejectReason.NONE, RejectReason.HALTED, RejectReason.PAIR
LOCATE, SHORT_SALE = RejectReason.LOCATE, RejectReason.SHORT_SALE


def sell(shares=100, price=100, **more):
    return order(symbol=1, side=SELL, shares=shares, price=price, **more)


def test_short_sales_use_up_the_locates():
    """Order by order and for good: neither a cancel nor buying back gives one back, only another number of the host."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, locates=150)
        assert (await bench.submit(sell(100))) == (NONE, RiskGateway.LATENCY)
        await bench.reply(1, SELL, 100, symbol=1)  # cancelled
        assert (await bench.submit(sell(51))) == (LOCATE, RiskGateway.LATENCY)
        assert (await bench.submit(sell(50)))[0] is NONE
        assert (await bench.submit(sell(1)))[0] is LOCATE
        assert (await bench.submit(sell(1)._replace(symbol=2)))[0] is NONE, "another symbol has its own"
        assert (await bench.submit(sell(1, kind=CANCEL_ORDER)))[0] is NONE
        await bench.limit_symbol(1, locates=151)
        assert (await bench.submit(sell(1)))[0] is NONE
        await bench.forget()
        assert (await bench.submit(sell(151)))[0] is NONE

    run(scenario)


def test_what_is_held_is_sold_without_locates():
    """An order that is short by one share is a short sale as a whole; working sell orders count as sold, working buy orders not as held."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, locates=40)
        await bench.move(BUY, 100, symbol=1)
        assert (await bench.submit(order(symbol=1, side=BUY, shares=100, price=90)))[0] is NONE
        assert (await bench.submit(sell(60)))[0] is NONE
        assert (await bench.submit(sell(41)))[0] is LOCATE
        assert (await bench.submit(sell(40)))[0] is NONE, "all that is held"
        assert (await bench.submit(sell(40)))[0] is NONE, "all that is located"
        assert (await bench.submit(sell(1)))[0] is LOCATE

    run(scenario)


def test_the_shares_of_a_day_stay_at_the_most_that_can_be_counted():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, Limits(2**32 - 1, 2**64 - 1, 2**32 - 1, 1_000, 1))
        assert (await bench.submit(sell(2**31, price=1)))[0] is NONE
        await bench.limit_symbol(1, locates=2**31 + 1)
        assert (await bench.submit(sell(2, price=1)))[0] is LOCATE
        await bench.limit_symbol(1)
        await bench.reply(1, SELL, 2**31, symbol=1)
        assert (await bench.submit(sell(2**31, price=1)))[0] is LOCATE, "without limits of its own: 2^32 - 1"
        assert (await bench.submit(sell(2**31 - 1, price=1)))[0] is NONE
        assert (await bench.submit(sell(1, price=1)))[0] is LOCATE

    run(scenario)


def test_a_replace_counts_as_a_whole():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, locates=210)
        await bench.submit(sell(100))
        assert (await bench.submit(sell(111, kind=REPLACE_ORDER, reference=1)))[0] is LOCATE
        assert (await bench.submit(sell(110, kind=REPLACE_ORDER, reference=1)))[0] is NONE
        assert (await bench.submit(sell(1)))[0] is LOCATE

    run(scenario)


@pytest.mark.parametrize("first_sells", [True, False])
def test_a_pair_spends_what_its_sale_needs(first_sells):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, locates=150)
        legs = [order(symbol=1, side=SELL if sells else BUY, shares=100, price=price, venue=venue, pair=1 - venue)
                for venue, sells, price in ((0, first_sells, 100), (1, not first_sells, 90))]
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == [NONE, NONE]
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == ([LOCATE, PAIR] if first_sells else [PAIR, LOCATE])
        assert (await bench.submit(sell(50)))[0] is NONE
        assert (await bench.submit(sell(1)))[0] is LOCATE

    run(scenario)


def test_short_only_above_the_best_bid():
    """Of any venue of which one is known: that is as near as the card comes to the national best bid."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, uptick_only=1)
        assert (await bench.submit(sell()))[0] is SHORT_SALE, "no bid is known"
        await bench.top(99, 110, symbol=1)
        assert (await bench.submit(sell(1, price=100))) == (NONE, RiskGateway.LATENCY)
        assert (await bench.submit(sell(1, price=99))) == (SHORT_SALE, RiskGateway.LATENCY)
        assert (await bench.submit(sell(1, price=100, venue=1)))[0] is SHORT_SALE, "none is known at this venue"
        await bench.top(100, 110, venue=1, symbol=1)
        assert (await bench.submit(sell(1, price=100)))[0] is SHORT_SALE, "the other venue's bid"
        assert (await bench.submit(sell(1, price=101)))[0] is NONE
        assert (await bench.submit(sell(1, price=1)._replace(symbol=2)))[0] is NONE, "not asked for"
        assert (await bench.submit(order(symbol=1, side=BUY, shares=1, price=99, venue=1)))[0] is NONE, "a buy order is no sale"
        ctx.set(dut.restart, 2)
        await ctx.tick()
        ctx.set(dut.restart, 0)
        assert (await bench.submit(sell(1, price=100)))[0] is NONE, "forgotten with the venue's book"
        await bench.forget()
        await bench.move(BUY, 100, symbol=1)
        assert (await bench.submit(sell(100, price=50)))[0] is NONE, "what is held"
        assert (await bench.submit(sell(1, price=50)))[0] is SHORT_SALE

    run(scenario)


def test_used_locates_and_bids_that_have_lost_a_bit_halt():
    """Each bit of a row in turn: the next order for the symbol does not pass, and none for any before positions have been cleared."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        for row, shape in ((dut._by_key.locates.rows[1], locates.Row), (dut._reference.bids[0][1], reference.Row)):
            for bit in range(shape.as_shape().size):
                await bench.top(99, 110, symbol=1)
                assert (await bench.submit(sell(10)))[0] is NONE
                ctx.set(row, shape.from_bits(ctx.get(row).as_bits() ^ 1 << bit))
                assert (await bench.submit(sell(1)))[0] is HALTED, bit
                assert ctx.get(dut.fault), bit
                assert (await bench.submit(order(symbol=2, price=1)))[0] is HALTED
                await bench.forget()

    run(scenario)

"""No order trades with an own one: what rests on the other side of its symbol at its venue."""

import pytest

from host.card.replies import ENDED, FILLED, RELEASED, REPLACED
from hw.reasons import RejectReason
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import order, run

NONE, SELF_MATCH = RejectReason.NONE, RejectReason.SELF_MATCH


def resting(**more):
    return order(**{"day": 1, "side": SELL, "price": 1_000, "shares": 10} | more)


@pytest.mark.parametrize(("side", "free", "crossing"), [(BUY, 999, (1_000, 1_001, 2**31 - 1)), (SELL, 1_001, (1_000, 999, 1))])
def test_an_order_that_could_trade_with_an_own_one_is_refused(side, free, crossing):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(resting(side=1 - side)))[0] is NONE
        item = order(side=side, shares=1)
        for price in crossing:
            if price * item.shares < 500_000_000:
                assert (await bench.submit(item._replace(price=price)))[0] is SELF_MATCH, price
        assert (await bench.submit(item._replace(price=free)))[0] is NONE
        for other in (item._replace(venue=1), item._replace(symbol=1), item._replace(side=1 - side), item._replace(kind=CANCEL_ORDER)):
            assert (await bench.submit(other._replace(price=1_000)))[0] is NONE, other

    run(scenario)


@pytest.mark.parametrize("end", [ENDED, FILLED, RELEASED])
def test_an_own_order_counts_from_its_leaving_to_its_end(end):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        item = order(price=1_000, shares=1)
        assert (await bench.submit(resting()))[0] is NONE
        assert (await bench.submit(item))[0] is SELF_MATCH
        await bench.answer(FILLED, 0, 1, 9)
        assert (await bench.submit(item))[0] is SELF_MATCH
        assert (await bench.submit(resting(kind=CANCEL_ORDER, reference=1, shares=0)))[0] is NONE
        assert (await bench.submit(item))[0] is SELF_MATCH
        await bench.answer(end, 0, 1, 1)
        assert (await bench.submit(item))[0] is NONE

    run(scenario)


def test_what_is_immediate_or_cancel_does_not_rest():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(resting(day=0)))[0] is NONE
        assert (await bench.submit(order(price=1_000)))[0] is NONE

    run(scenario)


def test_both_prices_of_a_replaced_order_count_until_the_venue_has_spoken():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(resting()))[0] is NONE
        assert (await bench.submit(resting(kind=REPLACE_ORDER, reference=1, price=2_000)))[0] is NONE
        assert (await bench.submit(order(price=1_000, shares=1)))[0] is SELF_MATCH
        await bench.answer(REPLACED, 0, 2)
        assert (await bench.submit(order(price=1_999, shares=1)))[0] is NONE
        assert (await bench.submit(order(price=2_000, shares=1)))[0] is SELF_MATCH

    run(scenario)


def test_a_replace_into_an_own_price_is_refused():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(resting()))[0] is NONE
        assert (await bench.submit(resting(side=BUY, price=900)))[0] is NONE
        move = resting(kind=REPLACE_ORDER, reference=2, side=BUY)
        assert (await bench.submit(move))[0] is SELF_MATCH
        assert (await bench.submit(move._replace(price=999)))[0] is NONE

    run(scenario)


def test_each_place_of_the_table_is_looked_at():
    """Own orders at rising prices, until the venue's places are full: each stops what would reach it, and nothing less."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        for number in range(16):
            assert (await bench.submit(resting(venue=1, price=2_000 - number, shares=1)))[0] is NONE
            assert (await bench.submit(order(venue=1, price=2_000 - number, shares=1)))[0] is SELF_MATCH
            if number < 15:
                assert (await bench.submit(order(venue=1, price=1_999 - number, shares=1)))[0] is NONE
                await bench.answer(ENDED, 1, bench.sent[-1][1])

    run(scenario)

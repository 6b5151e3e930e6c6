"""Gross and net notional of the account: reserved as an order leaves, given back by a cancel, moved by a fill; exact between two orders."""

from dataclasses import replace

import pytest

from host.card.replies import ENDED, FILLED, RELEASED, REPLACED
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import LIMITS, order, run

NONE, PAIR = RejectReason.NONE, RejectReason.PAIR
GROSS, NET = RejectReason.GROSS_NOTIONAL, RejectReason.NET_NOTIONAL


def shown(ctx, dut):
    return ctx.get(dut.gross_notional), ctx.get(dut.net_buy), ctx.get(dut.net_sell)


def buy(shares=100, price=10, **more):
    return order(shares=shares, price=price, **more)


def sell(shares=100, price=10, **more):
    return order(shares=shares, price=price, side=SELL, **more)


def test_the_gross_notional_counts_what_works_and_what_has_traded_on_both_sides():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_gross=3_000))
        assert (await bench.submit(buy(100))) == (NONE, RiskGateway.LATENCY)
        assert (await bench.submit(sell(200, symbol=1)))[0] is NONE
        assert (await bench.submit(buy(1, price=1, symbol=2))) == (GROSS, RiskGateway.LATENCY)
        assert (await bench.submit(sell(1, kind=CANCEL_ORDER)))[0] is NONE
        await bench.reply(FILLED, BUY, 60)
        assert shown(ctx, dut) == (3_000, 1_000, 1_400)
        assert (await bench.submit(buy(1, price=1)))[0] is GROSS, "a fill frees nothing"
        await bench.reply(RELEASED, BUY, 40)
        assert shown(ctx, dut) == (2_600, 600, 1_400)
        assert (await bench.submit(sell(40)))[0] is NONE
        assert (await bench.submit(sell(1, price=1)))[0] is GROSS
        bench.set_limits(replace(LIMITS, max_gross=3_000, waived=LIMITS.waived | 1 << GROSS))
        assert (await bench.submit(sell(1, price=1)))[0] is NONE
        await bench.forget()
        await ctx.tick()
        assert shown(ctx, dut) == (0, 0, 0)

    run(scenario)


@pytest.mark.parametrize(("side", "other"), [(BUY, SELL), (SELL, BUY)])
def test_the_net_notional_is_that_of_a_side(side, other):
    """Working orders of the other side free nothing before they trade; what only goes back always passes."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_net=1_000))
        assert (await bench.submit(order(side=side, shares=100, price=10)))[0] is NONE
        assert (await bench.submit(order(side=side, shares=1, price=1, symbol=2)))[0] is NET
        assert (await bench.submit(order(side=other, shares=100, price=10, symbol=2)))[0] is NONE
        assert (await bench.submit(order(side=side, shares=1, price=1)))[0] is NET
        await bench.reply(FILLED, side, 100)
        assert (await bench.submit(order(side=side, shares=1, price=1)))[0] is NET
        assert (await bench.submit(order(side=other, shares=100, price=10)))[0] is NONE, "it goes back, and as far again"
        await bench.reply(FILLED, other, 30, symbol=2)
        assert shown(ctx, dut)[0] == 3_000
        assert (await bench.submit(order(side=side, shares=30, price=10)))[0] is NONE
        assert (await bench.submit(order(side=side, shares=1, price=1)))[0] is NET
        bench.set_limits(replace(LIMITS, max_net=0, waived=LIMITS.waived | 1 << NET))
        assert (await bench.submit(order(side=side, shares=1, price=1)))[0] is NONE

    run(scenario)


def test_a_new_limit_counts_one_cycle_later():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_gross=999, max_net=999))
        assert (await bench.submit(buy()))[0] is GROSS
        bench.set_limits(replace(LIMITS, max_net=999))
        assert (await bench.submit(buy()))[0] is NET
        bench.set_limits(LIMITS)
        assert (await bench.submit(buy()))[0] is NONE

    run(scenario)


@pytest.mark.parametrize(("limits", "sides", "reasons"), [
    ({"max_gross": 1_499}, (BUY, SELL), [PAIR, GROSS]), ({"max_gross": 999}, (BUY, SELL), [GROSS, GROSS]),
    ({"max_gross": 1_500}, (BUY, SELL), [NONE, NONE]),
    ({"max_net": 1_499}, (BUY, BUY), [PAIR, NET]), ({"max_net": 1_000}, (BUY, SELL), [NONE, NONE]),
    ({"max_net": 999}, (SELL, BUY), [NET, PAIR]), ({"max_net": 1_500}, (SELL, SELL), [NONE, NONE]),
])
def test_both_legs_of_a_pair_count(limits, sides, reasons):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, **limits))
        legs = (order(side=sides[0], shares=100, price=10, pair=1), order(side=sides[1], shares=50, price=10, venue=1, symbol=1))
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == reasons
        await ctx.tick().repeat(4)
        assert shown(ctx, dut)[0] == (1_500 if reasons == [NONE, NONE] else 0)

    run(scenario)


def test_a_replace_reserves_all_that_it_asks_for_until_the_venue_has_spoken():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_gross=2_000))
        await bench.submit(buy(100))
        await bench.reply(FILLED, BUY, 20)
        assert (await bench.submit(buy(101, kind=REPLACE_ORDER, reference=1)))[0] is GROSS
        assert (await bench.submit(buy(90, price=11, kind=REPLACE_ORDER, reference=1)))[0] is NONE
        await ctx.tick().repeat(4)
        assert shown(ctx, dut) == (1_990, 1_990, -200)
        await bench.answer(REPLACED, 0, 2)
        assert shown(ctx, dut) == (200 + 70 * 11, 200 + 70 * 11, -200)
        assert (await bench.submit(buy(20, price=12, kind=REPLACE_ORDER, reference=2)))[0] is NONE
        await bench.answer(ENDED, 0, 2)
        assert shown(ctx, dut) == (200, 200, -200), "its REPLACE ends with it"

    run(scenario)


def test_what_does_not_fit_the_register_is_a_fault():
    most = 2**32 - 1
    limits = replace(LIMITS, max_shares=most, max_notional=2**64 - 1, max_position=most, waived=LIMITS.waived | 1 << GROSS | 1 << NET
                     | 1 << RejectReason.DAY_NOTIONAL)

    async def scenario(ctx, dut, bench):
        await bench.start(ctx, limits)
        for number in range(33):
            assert not ctx.get(dut.fault)
            side = number % 2
            assert (await bench.submit(order(side=side, shares=most, price=2**31 - 1)))[0] is NONE
            await bench.reply(FILLED, side, most)
        assert ctx.get(dut.fault)
        assert (await bench.submit(buy(1)))[0] is RejectReason.HALTED
        await bench.forget()
        assert (await bench.submit(buy(1)))[0] is NONE

    run(scenario)

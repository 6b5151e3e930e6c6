"""What a stop concerns is cancelled by the gateway itself, each order once."""

import random

import pytest

from host.card.replies import ENDED, NOTED, RELEASED, REPLACED
from hw.reasons import RejectReason
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import FEW, order, run

PLACES = FEW.venues * FEW.open_orders
BOTH = 0b11
ALL = {(0, 1), (0, 2), (1, 1), (1, 2)}
"""Venue and number of what ``four_orders`` opens."""


async def four_orders(ctx, dut, bench, *, on_stop=BOTH):
    """Of two venues, strategies 1 and 3, symbols 0 and 2."""
    await bench.start(ctx)
    ctx.set(dut.cancel_on_stop, on_stop)
    for venue in range(2):
        for strategy, symbol in ((1, 0), (3, 2)):
            item = order(venue=venue, strategy=strategy, symbol=symbol, price=1_000, shares=10, side=SELL if venue else BUY)
            assert (await bench.submit(item))[0] is RejectReason.NONE


async def cancelled(bench, cycles=6 * PLACES):
    left = await bench.cancels(cycles)
    assert len(left) == len({item[:2] for item in left}), "one was cancelled twice"
    return {item[:2] for item in left}


@pytest.mark.parametrize(("switch", "value", "concerned"), [
    ("kill", 1, ALL), ("kill_venues", 0b10, {(1, 1), (1, 2)}), ("kill_strategies", 0b1000, {(0, 2), (1, 2)}),
    ("kill_symbols", 0b0001, {(0, 1), (1, 1)}), ("restricted", 0b1111, set()), ("reducing", 1, set()), ("armed", 0, set()),
])
def test_each_kill_switch_cancels_what_it_stops_once(switch, value, concerned):
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench)
        assert await cancelled(bench) == set()
        ctx.set(getattr(dut, switch), value)
        assert await cancelled(bench) == concerned
        assert await cancelled(bench) == set()
        for venue, number in concerned:
            await bench.answer(RELEASED, venue, number, 10)
        assert ctx.get(dut.open_orders) == 4 - len(concerned)

    run(scenario)


def test_only_at_the_venues_that_were_asked_for():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench, on_stop=0b01)
        ctx.set(dut.kill, 1)
        assert await cancelled(bench) == {(0, 1), (0, 2)}
        ctx.set(dut.cancel_all, 0b10)
        assert await cancelled(bench) == {(1, 1), (1, 2)}

    run(scenario)


def test_at_once_without_a_stop():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench, on_stop=0)
        ctx.set(dut.cancel_all, 0b01)
        assert await cancelled(bench) == {(0, 1), (0, 2)}
        assert (await bench.submit(order(price=1_000, shares=10)))[0] is RejectReason.NONE
        assert await cancelled(bench) == {(0, 3)}

    run(scenario)


def test_a_silent_host_and_a_fault_stop_everything():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench)
        limits = ctx.get(dut.limits)
        ctx.set(dut.limits.waived, 0)
        assert ctx.get(dut.expired)
        assert await cancelled(bench) == ALL
        ctx.set(dut.limits.waived, limits.waived)
        await bench.answer(NOTED, 0, 1)
        await bench.answer(RELEASED, 1, 2, 5)  # of the ten
        assert await cancelled(bench) == set()
        await bench.answer(NOTED, 0, 1, number=9)
        assert ctx.get(dut.fault)
        assert await cancelled(bench) == {(1, 2)}

    run(scenario)


def test_a_venue_that_comes_back_hears_what_it_may_have_missed():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench)
        ctx.set(dut.kill, 1)
        ctx.set(dut.unreachable, 0b10)
        assert await cancelled(bench) == {(0, 1), (0, 2)}
        ctx.set(dut.unreachable, 0)
        assert await cancelled(bench) == {(1, 1), (1, 2)}
        ctx.set(dut.unreachable, 0b10)
        ctx.set(dut.disconnected, 0b10)
        assert await cancelled(bench) == set()
        ctx.set(dut.unreachable, 0)
        ctx.set(dut.disconnected, 0)
        assert await cancelled(bench) == {(1, 1), (1, 2)}

    run(scenario)


def test_an_order_and_its_replace_are_both_cancelled():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.cancel_on_stop, BOTH)
        item = order(price=1_000, shares=10)
        await bench.submit(item)
        await bench.submit(item._replace(kind=REPLACE_ORDER, reference=1))
        ctx.set(dut.kill, 1)
        assert await cancelled(bench) == {(0, 1), (0, 2)}
        await bench.answer(REPLACED, 0, 2)
        await bench.answer(RELEASED, 0, 2, 10)
        assert ctx.get(dut.open_orders) == 0
        assert await cancelled(bench) == set()

    run(scenario)


def test_what_is_being_cancelled_or_has_ended_is_left_alone():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench)
        await bench.submit(order(kind=CANCEL_ORDER, reference=1, shares=0))
        await bench.answer(ENDED, 1, 2)
        ctx.set(dut.kill, 1)
        assert await cancelled(bench) == ALL - {(0, 1), (1, 2)}

    run(scenario)


def test_a_full_table_is_cancelled_in_the_time_that_is_said():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.cancel_on_stop, BOTH)
        for venue in range(2):
            for _ in range(FEW.open_orders):
                assert (await bench.submit(order(venue=venue, price=1_000, shares=1)))[0] is RejectReason.NONE
        await ctx.tick().repeat(random.Random(1).randrange(PLACES))
        ctx.set(dut.kill, 1)
        left = await bench.cancels(10 * PLACES)
        assert {item[:2] for item in left} == {(venue, number + 1) for venue in range(2) for number in range(FEW.open_orders)}
        assert len(left) == PLACES
        assert left[0][2] <= 2 * PLACES + 2 + dut.LATENCY
        assert left[-1][2] <= 2 * PLACES + 6 * PLACES

    run(scenario)


def test_a_row_that_has_lost_a_bit_is_not_cancelled_for_ever():
    async def scenario(ctx, dut, bench):
        await four_orders(ctx, dut, bench)
        row = dut._table.rows[1]
        ctx.set(row.order.user_ref, ctx.get(row.order.user_ref) ^ 4)
        ctx.set(dut.kill, 1)
        assert await cancelled(bench) == ALL - {(0, 1)}

    run(scenario)

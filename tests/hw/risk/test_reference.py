"""The checks that need a market: the state of the book, and how far a price is from what the card itself knows."""

from dataclasses import replace

import pytest

from hw.reasons import RejectReason
from hw.risk.reference import Row
from sim.golden.records import CANCEL_ORDER, SELL
from tests.hw.risk.gateway_bench import LIMITS, order, run, unwaived

NONE, COLLAR, FAT_FINGER, UNSURE = RejectReason.NONE, RejectReason.COLLAR, RejectReason.FAT_FINGER, RejectReason.UNSURE_BOOK
COLLARED = replace(unwaived(LIMITS, COLLAR), max_distance=500)
FINGERED = replace(unwaived(LIMITS, FAT_FINGER), max_deviation=(1 << 16) // 11)  # a tenth above the reference


@pytest.mark.parametrize(("limits", "low", "high", "reason"), [
    (COLLARED, 9_500, 10_500, COLLAR), (FINGERED, 9_167, 10_999, FAT_FINGER),
])
def test_a_price_may_be_so_far_from_the_middle_and_no_further(limits, low, high, reason):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, limits)
        await bench.top(9_990, 10_011)  # the middle is rounded down
        for price, expected in ((low, NONE), (high, NONE), (low - 1, reason), (high + 1, reason), (400_000_000, reason), (1, reason)):
            assert (await bench.submit(order(shares=1, price=price)))[0] is expected, price
            assert (await bench.submit(order(shares=1, price=price, side=SELL)))[0] is expected, price
        assert (await bench.submit(order(price=1, kind=CANCEL_ORDER)))[0] is NONE

    run(scenario)


@pytest.mark.parametrize("limits", [COLLARED, FINGERED])
def test_without_a_reference_nothing_passes(limits):
    """At first, after a restart, and at another venue or of another symbol."""
    async def scenario(ctx, dut, bench):
        reason = COLLAR if limits is COLLARED else FAT_FINGER
        await bench.start(ctx, limits)
        item = order(shares=1, price=10_000, venue=1, symbol=3)
        assert (await bench.submit(item))[0] is reason
        await bench.top(10_000, 10_000, venue=1, symbol=3)
        assert (await bench.submit(item))[0] is NONE
        for other in (item._replace(venue=0), item._replace(symbol=2)):
            assert (await bench.submit(other))[0] is reason
        for venue in range(2):
            ctx.set(dut.restart, 1 << venue)
            await ctx.tick()
            ctx.set(dut.restart, 0)
            assert (await bench.submit(item))[0] is (reason if venue else NONE)

    run(scenario)


@pytest.mark.parametrize("doubt", [{"bid": 0}, {"ask": 0}, {"stale": 1}, {"crossed": 1}, {"partial": 1}])
def test_a_doubtful_book_is_refused_and_leaves_the_reference_as_it_was(doubt):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(unwaived(COLLARED, UNSURE), max_distance=0))
        item = order(shares=1, price=10_000)
        assert (await bench.submit(item))[0] is UNSURE
        await bench.top(9_000, 11_000)
        await ctx.tick()
        assert (await bench.submit(item))[0] is NONE
        await bench.top(**{"bid": 30_000, "ask": 40_000} | doubt)
        await ctx.tick()
        assert (await bench.submit(item))[0] is UNSURE
        bench.set_limits(replace(COLLARED, max_distance=0))
        assert (await bench.submit(item))[0] is NONE

    run(scenario)


def test_a_stale_venue_is_refused_at_once_and_its_tops_are_not_believed():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, unwaived(LIMITS, UNSURE))
        for venue in range(2):
            await bench.top(9_000, 11_000, venue=venue)
        await ctx.tick()
        ctx.set(dut.stale, 0b10)
        assert (await bench.submit(order(venue=1)))[0] is UNSURE
        assert (await bench.submit(order(venue=0)))[0] is NONE
        ctx.set(dut.stale, 0)
        assert (await bench.submit(order(venue=1)))[0] is NONE
        ctx.set(dut.stale, 0b10)
        await bench.top(9_000, 11_000, venue=1)
        ctx.set(dut.stale, 0)
        await ctx.tick()
        assert (await bench.submit(order(venue=1)))[0] is UNSURE

    run(scenario)


def test_the_order_of_the_next_cycle_is_held_against_a_top():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(COLLARED, max_distance=0))
        await bench.top(10_000, 10_000)
        await bench.top(20_000, 20_000)
        assert (await bench.submit(order(shares=1, price=20_000)))[0] is NONE
        await ctx.tick()
        legs = order(shares=1, price=20_000, pair=1), order(shares=1, price=10_000, venue=1, side=SELL)
        await bench.top(10_000, 10_000, venue=1)
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == [NONE, NONE]
        await ctx.tick().repeat(3)
        legs = legs[0]._replace(price=19_999), legs[1]
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == [COLLAR, RejectReason.PAIR]

    run(scenario)


def test_a_reference_that_has_lost_a_bit_halts():
    """Each bit of its row."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(COLLARED, max_distance=2**32 - 1))
        rows = dut._reference.rows
        for bit in range(Row.as_shape().size):
            await bench.top(10_000, 10_000)
            assert (await bench.submit(order(shares=1, price=10_000)))[0] is NONE
            ctx.set(rows[0], Row.from_bits(ctx.get(rows[0]).as_bits() ^ 1 << bit))
            assert (await bench.submit(order(shares=1, price=10_000)))[0] is RejectReason.HALTED, bit
            assert ctx.get(dut.fault)
            await bench.forget()
            assert (await bench.submit(order(shares=1, price=10_000)))[0] is COLLAR

    run(scenario)

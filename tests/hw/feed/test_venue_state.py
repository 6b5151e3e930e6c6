"""A gap makes the venue stale until it is filled or the host starts afresh, and a restart waits for what is under way."""

import pytest

from hw.feed.venue_state import VenueState
from hw.reasons import StaleReason
from tests.hw.bench import made, simulate


async def pulse(ctx, *signals):
    for signal in signals:
        ctx.set(signal, 1)
    await ctx.tick()
    for signal in signals:
        ctx.set(signal, 0)


def test_a_gap_that_was_given_up_lasts_until_the_restart():
    dut = made(VenueState)

    async def testbench(ctx):
        assert not ctx.get(dut.stale)
        await pulse(ctx, dut.gap)
        assert ctx.get(dut.stale)
        assert ctx.get(dut.went_stale)
        await pulse(ctx, dut.gave_up)
        assert not ctx.get(dut.went_stale), "only the first loss is news"
        await pulse(ctx, dut.recovered)
        assert StaleReason(ctx.get(dut.reason)) == StaleReason.GAP
        await pulse(ctx, dut.resync)
        assert ctx.get(dut.restart)
        await ctx.tick()
        assert not ctx.get(dut.restart)
        assert not ctx.get(dut.stale)
        await pulse(ctx, dut.gap)
        await pulse(ctx, dut.recovered)
        assert not ctx.get(dut.stale), "the restart forgot what was given up"

    simulate(dut, testbench)


def test_a_restart_whose_book_the_host_fills_is_stale_until_that_is_done():
    dut = made(VenueState)

    async def testbench(ctx):
        for already in (0, 1):
            if already:
                await pulse(ctx, dut.gap)
            ctx.set(dut.restore, 1)
            await pulse(ctx, dut.resync)
            await ctx.tick()
            assert StaleReason(ctx.get(dut.reason)) == StaleReason.RESTORE
            assert ctx.get(dut.went_stale) == 1 - already
            ctx.set(dut.restore, 0)
            await ctx.tick().repeat(3)
            assert ctx.get(dut.stale)
            assert not ctx.get(dut.went_stale)
            await pulse(ctx, dut.resume)
            assert not ctx.get(dut.stale)
        ctx.set(dut.restore, 1)
        await pulse(ctx, dut.resync)
        await ctx.tick()
        ctx.set(dut.restore, 0)
        await pulse(ctx, dut.resync)
        await ctx.tick()
        assert not ctx.get(dut.stale), "begun anew, without the host's orders"

    simulate(dut, testbench)


def test_a_gap_that_was_filled_ends_by_itself():
    dut = made(VenueState)

    async def testbench(ctx):
        for _ in range(2):
            await pulse(ctx, dut.gap)
            assert ctx.get(dut.went_stale)
            await pulse(ctx, dut.gap)
            assert not ctx.get(dut.went_stale)
            assert ctx.get(dut.stale)
            await pulse(ctx, dut.recovered)
            assert not ctx.get(dut.stale)

    simulate(dut, testbench)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_restart_waits_for_the_fate_of_every_frame_that_was_under_way(line):
    dut = made(VenueState)

    async def testbench(ctx):
        async def word(last, *more):
            ctx.set(dut.frames[line].valid, 1)
            ctx.set(dut.frames[line].payload.last, last)
            await pulse(ctx, *more)
            ctx.set(dut.frames[line].valid, 0)
            assert not ctx.get(dut.restart)

        await word(0)
        await word(1)
        await word(0, dut.resync)  # a second frame, which begins in the very cycle
        await word(1)
        await word(0)  # a third one, which does not matter
        assert ctx.get(dut.pending)
        await pulse(ctx, dut.final[line].valid)
        assert not ctx.get(dut.restart), "the second frame has no verdict yet"
        await pulse(ctx, dut.final[line].valid)
        assert ctx.get(dut.restart)
        ctx.set(dut.settling, 1)
        assert not ctx.get(dut.restart)
        await ctx.tick()
        ctx.set(dut.settling, 0)
        assert ctx.get(dut.restart)
        await ctx.tick()
        assert not ctx.get(dut.restart)

    simulate(dut, testbench)


def test_a_loss_wins_over_a_request_that_waits():
    dut = made(VenueState)

    async def testbench(ctx):
        ctx.set(dut.frames[1].valid, 1)
        await pulse(ctx, dut.resync)
        await pulse(ctx, dut.gap)
        for _ in range(4):
            assert ctx.get(dut.stale)
            await ctx.tick()

    simulate(dut, testbench)

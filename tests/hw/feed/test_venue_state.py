"""A loss latches, the first one names the reason, and a restart waits for the end of the frame."""

import pytest

from hw.feed.venue_state import VenueState
from hw.reasons import StaleReason
from tests.hw.bench import simulate


async def pulse(ctx, signal):
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


@pytest.mark.parametrize(
    ("port", "reason"), [("gap", StaleReason.GAP), ("malformed", StaleReason.MALFORMED), ("dropped", StaleReason.DROPPED)]
)
def test_a_loss_latches_until_the_restart(port, reason):
    dut = VenueState()

    async def testbench(ctx):
        assert not ctx.get(dut.stale)
        await pulse(ctx, getattr(dut, port))
        assert ctx.get(dut.stale)
        assert ctx.get(dut.went_stale)
        await pulse(ctx, dut.gap)
        assert not ctx.get(dut.went_stale), "only the first loss is news"
        assert StaleReason(ctx.get(dut.reason)) == reason
        await pulse(ctx, dut.resync)
        assert ctx.get(dut.restart)
        await ctx.tick()
        assert not ctx.get(dut.restart)
        assert not ctx.get(dut.stale)

    simulate(dut, testbench)


def test_a_restart_waits_for_the_fate_of_every_frame():
    dut = VenueState()

    async def testbench(ctx):
        async def word(last):
            ctx.set(dut.frames.valid, 1)
            ctx.set(dut.frames.payload.last, last)
            assert not ctx.get(dut.restart)
            await ctx.tick()
            ctx.set(dut.frames.valid, 0)

        await word(last=0)
        await pulse(ctx, dut.resync)
        await word(last=1)
        await word(last=1)  # another frame, of one word
        assert not ctx.get(dut.restart)
        await pulse(ctx, dut.final.valid)
        assert not ctx.get(dut.restart), "the second frame has no verdict yet"
        assert ctx.get(dut.pending)
        await pulse(ctx, dut.final.valid)
        assert ctx.get(dut.restart)

    simulate(dut, testbench)


def test_a_loss_wins_over_a_request_that_waits():
    dut = VenueState()

    async def testbench(ctx):
        ctx.set(dut.frames.valid, 1)
        await pulse(ctx, dut.resync)
        await pulse(ctx, dut.gap)
        for _ in range(4):
            assert ctx.get(dut.stale)
            await ctx.tick()

    simulate(dut, testbench)

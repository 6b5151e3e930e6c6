"""Orders of the host reach the book in the place of the feed, and only when it was told to wait for them."""

from types import SimpleNamespace

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import connect

from hw.feed.line_arbiter import LineArbiter
from hw.feed.restore import Restore
from hw.types import BookEventKind
from tests.hw.bench import simulate

NEXT = 5_000
FASTEST = Restore.SETTLE + 5


class Rig:
    """A line arbiter of two lines whose last one goes through a Restore, with a book that takes events when it is told to."""

    def __init__(self):
        m = Module()
        m.submodules.restore = self.restore = Restore()
        m.submodules.arbiter = self.arbiter = LineArbiter(2)
        connect(m, self.restore.frames, self.arbiter.frames[1])
        connect(m, self.restore.events, self.arbiter.events[1])
        m.d.comb += [
            self.restore.expected.eq(self.arbiter.expected), self.restore.busy.eq(self.arbiter.output.valid),
            self.arbiter.restart.eq(self.restore.restart | self.restore.resume), self.arbiter.sequence_in.eq(self.restore.sequence_in),
        ]
        self.module, self.events, self.counts = m, [], SimpleNamespace(refused=0, resume=0, early=0)

    def run(self, testbench):
        async def bench(ctx):
            ctx.set(self.arbiter.output.ready, 1)
            ctx.set(self.restore.sequence_in, NEXT)
            await testbench(ctx, self)

        async def watch(ctx):
            out, restore = self.arbiter.output, self.restore
            stolen = restore.restoring & (restore.recovery_frames.ready | restore.recovery_events.ready)
            signals = (out.valid, out.ready, out.payload, restore.refused, restore.resume, self.arbiter.early, stolen)
            async for _, _, valid, ready, event, refused, resume, early, wrong in ctx.tick().sample(*signals):
                assert not wrong, "something of the recovery line was taken"
                if valid and ready:
                    self.events.append(event)
                self.counts.refused += refused
                self.counts.resume += resume
                self.counts.early += early

        simulate(self.module, bench, processes=[watch])

    async def pulse(self, ctx, signal):
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    async def begin(self, ctx):
        ctx.set(self.restore.enable, 1)
        await self.pulse(ctx, self.restore.restart)
        assert ctx.get(self.restore.restoring)

    async def give(self, ctx, reference):
        """Cycles until the order has been taken."""
        ctx.set(self.restore.orders.payload, {
            "reference": reference, "symbol": reference % 4, "side": reference % 2, "shares": 10 * reference, "price": 100 * reference})
        ctx.set(self.restore.orders.valid, 1)
        cycles, taken = 0, 0
        while not taken:
            _, _, taken = await ctx.tick().sample(self.restore.orders.ready)
            cycles += 1
        ctx.set(self.restore.orders.valid, 0)
        await ctx.tick()
        return cycles


def test_orders_go_to_the_book_one_by_one_and_the_feed_begins_where_it_should():
    async def testbench(ctx, rig):
        await rig.begin(ctx)
        for reference in range(1, 8):
            assert await rig.give(ctx, reference) == FASTEST
        assert not rig.counts.resume
        ctx.set(rig.restore.enable, 0)
        await ctx.tick().repeat(2)
        assert not ctx.get(rig.restore.restoring)
        assert ctx.get(rig.arbiter.expected) == NEXT
        assert rig.counts.resume == 1
        assert [event.reference for event in rig.events] == list(range(1, 8))
        for event in rig.events:
            number = event.reference
            assert (event.kind, event.symbol, event.side.value) == (BookEventKind.ADD, number % 4, number % 2)
            assert (event.shares, event.price, event.sequence, event.partial) == (10 * number, 100 * number, NEXT - 1, 0)
        assert not rig.counts.refused

    Rig().run(testbench)


def test_an_order_waits_for_the_book_and_the_end_waits_for_the_order():
    async def testbench(ctx, rig):
        async def take_late():
            ctx.set(rig.arbiter.output.ready, 0)
            ctx.set(rig.restore.orders.valid, 1)
            await ctx.tick().repeat(100)
            assert ctx.get(rig.arbiter.output.valid)
            assert not ctx.get(rig.restore.orders.ready)
            ctx.set(rig.restore.enable, 0)
            await ctx.tick().repeat(100)
            assert ctx.get(rig.restore.restoring)
            ctx.set(rig.arbiter.output.ready, 1)

        await rig.begin(ctx)
        await take_late()
        assert await rig.give(ctx, 3) == Restore.SETTLE + 2
        await ctx.tick()
        assert len(rig.events) == 1
        assert not ctx.get(rig.restore.restoring)

    Rig().run(testbench)


def test_an_order_that_comes_with_the_end_is_in_the_book_first():
    async def testbench(ctx, rig):
        await rig.begin(ctx)
        ctx.set(rig.restore.enable, 0)
        assert await rig.give(ctx, 3) == FASTEST
        await ctx.tick()
        assert [event.reference for event in rig.events] == [3]
        assert rig.counts.resume == 1
        assert not rig.counts.refused

    Rig().run(testbench)


def test_what_is_not_waited_for_is_refused():
    async def testbench(ctx, rig):
        assert await rig.give(ctx, 1) == 2
        assert rig.counts.refused == 1
        ctx.set(rig.restore.enable, 1)
        assert await rig.give(ctx, 2) == 2, "without a restart it has no effect"
        await rig.begin(ctx)
        await rig.give(ctx, 3)
        ctx.set(rig.restore.enable, 0)
        await ctx.tick().repeat(2)
        await rig.give(ctx, 4)
        assert rig.counts.refused == 3
        assert [event.reference for event in rig.events] == [3]

    Rig().run(testbench)


@pytest.mark.parametrize("cycles", range(12))
def test_a_restart_forgets_the_order_that_is_under_way(cycles):
    """Whatever stage it is in; the next one comes in full."""
    async def testbench(ctx, rig):
        await rig.begin(ctx)
        ctx.set(rig.arbiter.output.ready, 0)
        ctx.set(rig.restore.orders.valid, 1)
        for _ in range(cycles):
            await ctx.tick()
        await rig.pulse(ctx, rig.restore.restart)
        ctx.set(rig.arbiter.output.ready, 1)
        waited = 0
        while not ctx.get(rig.restore.orders.ready):
            await ctx.tick()
            waited += 1
            assert waited < 100
        await ctx.tick()
        before = len(rig.events)
        assert before == (cycles == 0), "an order that comes with the restart comes after it"
        for reference in (5, 6):
            assert await rig.give(ctx, reference) <= FASTEST + 1
        assert [event.reference for event in rig.events[before:]] == [5, 6]
        assert not rig.counts.early
        assert not rig.counts.resume

    Rig().run(testbench)


def test_it_does_not_end_while_a_restart_is_still_to_come():
    async def testbench(ctx, rig):
        await rig.begin(ctx)
        ctx.set(rig.restore.pending, 1)
        ctx.set(rig.restore.enable, 0)
        await ctx.tick().repeat(10)
        assert ctx.get(rig.restore.restoring)
        await rig.pulse(ctx, rig.restore.restart)
        ctx.set(rig.restore.pending, 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(rig.restore.restoring)
        assert not rig.counts.resume

    Rig().run(testbench)


def test_otherwise_the_recovery_line_goes_through():
    async def testbench(ctx, rig):
        frames, events = rig.restore.recovery_frames, rig.restore.recovery_events
        ctx.set(frames.payload, {"first": NEXT, "next": NEXT + 1, "events": 1})
        ctx.set(events.payload, {"reference": 77, "sequence": NEXT})
        await rig.begin(ctx)
        ctx.set(frames.valid, 1)
        ctx.set(events.valid, 1)
        await ctx.tick().repeat(30)
        assert not ctx.get(frames.ready | events.ready)
        assert await rig.give(ctx, 1) == FASTEST
        assert [event.reference for event in rig.events] == [1]
        ctx.set(rig.restore.enable, 0)
        while not ctx.get(events.ready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(events.valid, 0)
        while not ctx.get(frames.ready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(frames.valid, 0)
        await ctx.tick().repeat(5)
        assert [event.reference for event in rig.events] == [1, 77]
        assert ctx.get(rig.arbiter.expected) == NEXT + 1

    Rig().run(testbench)

"""Who speaks next; that nobody can be shut out is proved in tests/formal/test_order_arbiter.py."""

import pytest

from hw.strategy.order_arbiter import OrderArbiter
from hw.types import OrderKind
from tests.hw.bench import made, simulate

STRATEGIES = (1, 3, 2)
NEW, REPLACE, CANCEL = OrderKind.NEW, OrderKind.REPLACE, OrderKind.CANCEL


def set_up(ctx, dut, *, ready=1):
    ctx.set(dut.enable, -1)
    ctx.set(dut.output.ready, ready)


def offer(ctx, dut, source, kind=NEW, *, price=1, pair=0, valid=1):
    ctx.set(dut.inputs[source].payload, {"kind": kind, "price": price, "pair": pair, "shares": 5, "strategy": 9})
    ctx.set(dut.inputs[source].valid, valid)


async def taken(ctx, dut, cycles):
    """(strategy, kind, shares) of what goes, cycle by cycle; None where nothing does. Sources go on offering the same."""
    found = []
    for _ in range(cycles):
        output = dut.output.payload
        found.append((ctx.get(output.strategy), ctx.get(output.kind), ctx.get(output.shares))
                     if ctx.get(dut.output.valid) and ctx.get(dut.output.ready) else None)
        await ctx.tick()
    return found


def test_no_cycle_is_lost_and_each_speaks_in_its_own_name():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        for source, strategy in enumerate(STRATEGIES):
            offer(ctx, dut, source, price=source + 10)
            assert ctx.get(dut.output.valid)
            assert (ctx.get(dut.output.payload.strategy), ctx.get(dut.output.payload.price)) == (strategy, source + 10)
            assert [ctx.get(dut.inputs[number].ready) for number in range(3)] == [number == source for number in range(3)]
            await ctx.tick()
            offer(ctx, dut, source, valid=0)
        assert OrderArbiter.LATENCY == 0

    simulate(dut, testbench)


def test_by_rank_and_each_in_its_turn():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        for source in range(3):
            offer(ctx, dut, source)
        assert [one[0] for one in await taken(ctx, dut, 7)] == [1, 3, 2, 1, 3, 2, 1]
        offer(ctx, dut, 2, valid=0)
        assert [one[0] for one in await taken(ctx, dut, 4)] == [3, 1, 3, 1]
        offer(ctx, dut, 0, valid=0)
        assert [one[0] for one in await taken(ctx, dut, 3)] == [3, 3, 3]  # alone, without a pause

    simulate(dut, testbench)


def test_cancels_before_all_that_is_new_but_not_for_ever():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        offer(ctx, dut, 0)
        offer(ctx, dut, 1, REPLACE)
        offer(ctx, dut, 2, CANCEL)
        assert [one[:2] for one in await taken(ctx, dut, 14)] == [*[(2, CANCEL)] * 6, (1, NEW), *[(2, CANCEL)] * 6, (3, REPLACE)]

    simulate(dut, testbench)


def test_a_cancel_does_not_push_away_what_is_on_offer():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut, ready=0)
        offer(ctx, dut, 1)
        await ctx.tick()
        offer(ctx, dut, 2, CANCEL)
        offer(ctx, dut, 0)
        await ctx.tick().repeat(3)
        ctx.set(dut.output.ready, 1)
        assert [one[:2] for one in await taken(ctx, dut, 2)] == [(3, NEW), (2, CANCEL)]

    simulate(dut, testbench)


def test_a_pair_stays_together():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        offer(ctx, dut, 2, pair=1)
        assert await taken(ctx, dut, 1) == [(2, NEW, 5)]
        offer(ctx, dut, 2, pair=1)  # the other leg; that it begins a pair as well is not believed
        offer(ctx, dut, 0)
        offer(ctx, dut, 1, CANCEL)
        assert ctx.get(dut.output.payload.pair) == 0
        assert await taken(ctx, dut, 3) == [(2, NEW, 5), (3, CANCEL, 5), (3, CANCEL, 5)]

    simulate(dut, testbench)


@pytest.mark.parametrize("why", ["withdrawn", "a cancel in its place", "disabled"])
def test_a_pair_that_is_not_complete_is_spoiled_and_holds_up_nobody(why):
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        offer(ctx, dut, 0, pair=1)
        assert await taken(ctx, dut, 1) == [(1, NEW, 5)]
        if why == "disabled":
            ctx.set(dut.enable, 0b110)
        else:
            offer(ctx, dut, 0, CANCEL, valid=why != "withdrawn")
        offer(ctx, dut, 1)
        expected = [(1, NEW, 0), *([(1, CANCEL, 5)] * (why == "a cancel in its place")), (3, NEW, 5)]
        got = await taken(ctx, dut, 1)
        if why == "a cancel in its place":
            got += await taken(ctx, dut, 1)
            offer(ctx, dut, 0, valid=0)
        got += await taken(ctx, dut, 1)
        assert got == expected
        offer(ctx, dut, 1, valid=0)
        ctx.set(dut.enable, -1)
        if why != "disabled":  # there it has been dropped by now
            offer(ctx, dut, 0)  # the leg comes late: not alone
            assert ctx.get(dut.dropped) == 1
            assert await taken(ctx, dut, 1) == [None]
        offer(ctx, dut, 0)
        assert await taken(ctx, dut, 1) == [(1, NEW, 5)]

    simulate(dut, testbench)


def test_of_one_that_is_not_enabled_only_cancels_go():
    dut = made(OrderArbiter, STRATEGIES)

    async def testbench(ctx):
        set_up(ctx, dut)
        ctx.set(dut.enable, 0b101)
        offer(ctx, dut, 1)
        offer(ctx, dut, 2)
        assert ctx.get(dut.dropped) == 0b010
        assert ctx.get(dut.inputs[1].ready)
        assert [one[0] for one in await taken(ctx, dut, 3)] == [2, 2, 2]
        offer(ctx, dut, 1, CANCEL)
        assert ctx.get(dut.dropped) == 0
        assert [one[0] for one in await taken(ctx, dut, 1)] == [3]

    simulate(dut, testbench)


def test_at_least_one_source():
    with pytest.raises(ValueError, match="at least one source"):
        OrderArbiter(())

"""What the gateway tells a strategy that counts replies: each as it is settled, and from when on a query sees it."""

import pytest

from host.card.replies import FILLED
from hw.types import ReplyKind
from sim.golden.records import BUY, SELL
from tests.hw.risk.gateway_bench import order, run


@pytest.mark.parametrize(("side", "position"), [(BUY, 30), (SELL, -30)])
def test_a_query_of_the_second_cycle_after_a_settlement_sees_it(side, position):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.submit(order(symbol=2, side=side, shares=30, price=1, strategy=2))
        ctx.set(dut.second_symbol, 2)
        await ctx.tick().repeat(4)
        ctx.set(dut.replies.payload, {"kind": FILLED, "venue": 0, "user_ref": 1, "shares": 30})
        ctx.set(dut.replies.valid, 1)
        await ctx.tick()
        ctx.set(dut.replies.valid, 0)
        settled, seen = [], []
        for cycle in range(18):
            if ctx.get(dut.settled):
                reply = dut.settlement
                assert (ctx.get(reply.kind), ctx.get(reply.side).value) == (ReplyKind.FILLED, side)
                assert (ctx.get(reply.symbol), ctx.get(reply.shares), ctx.get(reply.strategy)) == (2, 30, 2)
                settled.append(cycle)
            seen.append(ctx.get(dut.second_position))
            await ctx.tick()
        (cycle,) = settled
        assert seen == [0] * (cycle + 4) + [position] * (len(seen) - cycle - 4)
        ctx.set(dut.second_symbol, 1)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.second_position) == 0
        assert await bench.exposure(2) == (position, 0, 0)

    run(scenario)

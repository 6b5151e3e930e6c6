"""The one door: each reason, the order of the reasons, exact exposures."""

from dataclasses import replace

import pytest

from host.card.replies import FILLED, NOTED, RELEASED
from hw.config import TINY
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, SELL
from sim.golden.risk import Limits
from tests.hw.risk.gateway_bench import as_fields, order, run


def test_latency_is_the_same_for_what_passes_and_what_does_not():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert await bench.submit(order()) == (RejectReason.NONE, RiskGateway.LATENCY)
        assert await bench.submit(order(shares=0)) == (RejectReason.BAD_ORDER, RiskGateway.LATENCY)
        assert await bench.submit(order(venue=1, symbol=3, side=SELL)) == (RejectReason.NONE, RiskGateway.LATENCY)

    run(scenario)
    assert RiskGateway.LATENCY <= 4


@pytest.mark.parametrize(("item", "reason"), [
    (order(shares=0), RejectReason.BAD_ORDER),
    (order(price=0), RejectReason.BAD_ORDER),
    (order(price=0x80000000, shares=1), RejectReason.BAD_ORDER),
    (order(venue=2), RejectReason.BAD_ORDER),
    (order(symbol=4), RejectReason.BAD_ORDER),
    (order(shares=1_000, price=500_000), RejectReason.NONE),
    (order(shares=1_001, price=1), RejectReason.MAX_SHARES),
    (order(shares=500, price=1_000_001), RejectReason.MAX_NOTIONAL),
    (order(shares=500, price=1_000_000), RejectReason.NONE),
    (order(shares=1, price=500_000_001), RejectReason.MAX_NOTIONAL),
    (order(shares=1, price=500_000_000), RejectReason.NONE),
])
def test_one_order_against_its_own_limits(item, reason):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(item))[0] is reason

    run(scenario)


def test_the_first_reason_is_the_reason():
    """An order with everything against it; one obstacle after the other is taken away."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, Limits(max_shares=100, max_notional=1_000, max_position=50, rate_burst=0, rate_interval=1), armed=False)
        ctx.set(dut.kill, 1)
        bad = order(shares=200, price=0)
        assert (await bench.submit(bad))[0] is RejectReason.HALTED
        ctx.set(dut.armed, 1)
        ctx.set(dut.limits_valid, 0)
        assert (await bench.submit(bad))[0] is RejectReason.HALTED
        ctx.set(dut.limits_valid, 1)
        assert (await bench.submit(bad))[0] is RejectReason.KILLED
        ctx.set(dut.kill, 0)
        ctx.set(dut.halted, [0b0001, 0b0000])
        assert (await bench.submit(bad))[0] is RejectReason.BAD_ORDER
        assert (await bench.submit(order(shares=200, price=100)))[0] is RejectReason.MARKET_STATE
        ctx.set(dut.halted, [0b1110, 0b1111])
        assert (await bench.submit(order(shares=200, price=100)))[0] is RejectReason.MAX_SHARES
        assert (await bench.submit(order(shares=100, price=100)))[0] is RejectReason.MAX_NOTIONAL
        assert (await bench.submit(order(shares=100, price=10)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(shares=50, price=10)))[0] is RejectReason.RATE
        bench.set_limits(Limits(100, 1_000, 50, 1, 1))
        assert (await bench.submit(order(shares=50, price=10)))[0] is RejectReason.NONE

    run(scenario)


@pytest.mark.parametrize(("venue", "symbol"), [(0, 0), (0, 3), (1, 0), (1, 2)])
def test_a_halted_symbol_is_refused_at_its_venue_only(venue, symbol):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.halted, [1 << symbol if number == venue else 0 for number in range(2)])
        for other in range(2):
            for slot in range(4):
                reason, _ = await bench.submit(order(venue=other, symbol=slot))
                assert (reason is RejectReason.MARKET_STATE) == ((other, slot) == (venue, symbol))

    run(scenario)


def test_after_reset_nothing_passes_and_limits_of_zero_pass_nothing():
    async def scenario(ctx, dut, bench):
        ctx.set(dut.passed.ready, 1)
        ctx.set(dut.rejected.ready, 1)
        assert (await bench.submit(order()))[0] is RejectReason.HALTED
        ctx.set(dut.limits_valid, 1)
        ctx.set(dut.armed, 1)
        assert (await bench.submit(order(shares=1, price=1)))[0] is RejectReason.DEAD_MAN
        bench.set_limits(Limits(waived=2**32 - 1))
        assert (await bench.submit(order(shares=1, price=1)))[0] is RejectReason.RATE

    run(scenario)


def test_working_orders_count_from_the_moment_of_sending():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        small = dict(price=1, side=BUY)
        assert (await bench.submit(order(shares=1_000, **small)))[0] is RejectReason.NONE
        assert (await bench.submit(order(shares=600, **small)))[0] is RejectReason.NONE
        assert (await bench.submit(order(shares=401, **small)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(shares=400, **small)))[0] is RejectReason.NONE
        assert await bench.exposure() == (0, 2_000, 0)
        assert (await bench.submit(order(shares=1, price=1, symbol=1)))[0] is RejectReason.NONE  # another symbol
        assert (await bench.submit(order(shares=1_000, price=1, side=SELL)))[0] is RejectReason.NONE  # the other side
        assert await bench.exposure() == (0, 2_000, 1_000)

        assert not await bench.reply(FILLED, BUY, 1_500)
        assert await bench.exposure() == (1_500, 500, 1_000)
        assert (await bench.submit(order(shares=1, **small)))[0] is RejectReason.POSITION  # a fill frees nothing on its side
        assert not await bench.reply(RELEASED, BUY, 500)
        assert await bench.exposure() == (1_500, 0, 1_000)
        assert (await bench.submit(order(shares=501, **small)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(shares=500, **small)))[0] is RejectReason.NONE

        assert not await bench.reply(FILLED, SELL, 1_000)
        assert await bench.exposure() == (500, 500, 0)
        for _ in range(2):
            assert (await bench.submit(order(shares=1_000, price=1, side=SELL)))[0] is RejectReason.NONE
        assert (await bench.submit(order(shares=501, price=1, side=SELL)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(shares=500, price=1, side=SELL)))[0] is RejectReason.NONE
        assert not await bench.reply(FILLED, SELL, 2_500)
        assert await bench.exposure() == (-2_000, 500, 0)

    run(scenario)


def test_a_position_past_its_width_is_a_fault_until_cleared():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        for symbol in range(4):
            await bench.move(SELL, 2**32 - 1, symbol)
        await bench.move(SELL, 1)
        assert await bench.exposure() == (-(2**32), 0, 0)
        assert not ctx.get(dut.fault)
        await bench.move(SELL, 1)
        assert ctx.get(dut.fault)
        assert (await bench.submit(order()))[0] is RejectReason.HALTED
        ctx.set(dut.clear_positions, 1)  # armed: without effect
        await ctx.tick().repeat(8)
        assert ctx.get(dut.fault)
        ctx.set(dut.armed, 0)
        await ctx.tick()
        ctx.set(dut.clear_positions, 0)
        assert ctx.get(dut.clearing)
        assert not ctx.get(dut.fault)
        ctx.set(dut.armed, 1)
        assert (await bench.submit(order()))[0] is RejectReason.NONE
        assert [await bench.exposure(symbol) for symbol in range(4)] == [(0, 100, 0)] + [(0, 0, 0)] * 3

    run(scenario)


def test_working_shares_never_wrap():
    async def scenario(ctx, dut, bench):
        top = 2**32 - 1
        await bench.start(ctx, Limits(top, 2**64 - 1, top, 1_000, 1))
        await bench.move(SELL, top)  # so that the position limit alone leaves room for 2 * top
        assert (await bench.submit(order(shares=top, price=1)))[0] is RejectReason.NONE
        assert (await bench.submit(order(shares=1, price=1)))[0] is RejectReason.BAD_ORDER
        assert await bench.exposure() == (-top, top, 0)

    run(scenario)


@pytest.mark.parametrize("kind", ["kill", "disarm", "limits"])
def test_an_order_that_waited_is_judged_by_the_switches_of_the_moment(kind):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.passed.ready, 0)
        ctx.set(dut.orders.payload, as_fields(order()))
        ctx.set(dut.orders.valid, 1)
        for _ in range(20):
            await ctx.tick()
            assert not ctx.get(dut.passed.valid)
            assert not ctx.get(dut.orders.ready)
        if kind == "kill":
            ctx.set(dut.kill, 1)
        elif kind == "disarm":
            ctx.set(dut.armed, 0)
        else:
            bench.set_limits(Limits())
        ctx.set(dut.passed.ready, 1)
        expected = {"kill": RejectReason.KILLED, "disarm": RejectReason.HALTED, "limits": RejectReason.MAX_SHARES}[kind]
        assert (await bench.submit(order()))[0] is expected

    run(scenario)


@pytest.mark.parametrize("when", range(6))
@pytest.mark.parametrize(("switch", "reaction"), [
    ("kill", 0), ("reducing", 0), ("kill_venues", 1), ("kill_strategies", 1), ("kill_symbols", 1), ("restricted", 1)])
def test_from_the_cycle_after_kill_nothing_new_is_offered(when, switch, reaction):
    """By key a cycle later."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.orders.payload, as_fields(order()))
        ctx.set(dut.orders.valid, 1)
        offered = []
        for cycle in range(15):
            ctx.set(getattr(dut, switch), (1 << len(getattr(dut, switch))) - 1 if cycle >= when else 0)
            if ctx.get(dut.passed.valid):
                offered.append(cycle)
            await ctx.tick()
        assert offered == [cycle for cycle in (4, 9, 14) if cycle <= when + reaction]

    run(scenario)


def test_an_order_every_five_cycles_with_exact_state():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.orders.payload, as_fields(order(shares=300, price=1)))
        ctx.set(dut.orders.valid, 1)
        passed, refused = [], []
        for cycle in range(40):
            if ctx.get(dut.passed.valid):
                passed.append(cycle)
            if ctx.get(dut.rejected.valid):
                refused.append(cycle)
            await ctx.tick()
        assert passed == [4, 9, 14, 19, 24, 29]  # 1,800 of 2,000
        assert refused == [34, 39]

    run(scenario)


def test_orders_and_replies_leave_room_for_each_other():
    """Both without a pause: an order in 5 or 6 cycles, an answer in 8, and none is lost."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(order(shares=1_000, price=1)))[0] is RejectReason.NONE
        ctx.set(dut.orders.payload, as_fields(order(shares=0)))
        ctx.set(dut.orders.valid, 1)
        refused = settled = asked = 0
        for cycle in range(640):
            reply = cycle < RiskGateway.REPLY_DEPTH or cycle % 8 == 0
            ctx.set(dut.replies.payload, {"kind": RELEASED, "venue": 0, "user_ref": 1, "shares": 1, "number": asked})
            ctx.set(dut.replies.valid, reply)
            asked += reply
            refused += ctx.get(dut.rejected.valid)
            settled += ctx.get(dut.settled)
            await ctx.tick()
        assert refused >= 106
        assert asked - settled <= 2
        assert not ctx.get(dut.fault)

    run(scenario)


def test_an_order_in_flight_does_not_survive_a_clear():
    """Cleared while disarmed for a cycle, armed again before the decision: what it was weighed against is gone."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.orders.payload, as_fields(order()))
        ctx.set(dut.orders.valid, 1)
        await ctx.tick()
        ctx.set(dut.orders.valid, 0)
        ctx.set(dut.armed, 0)
        ctx.set(dut.clear_positions, 1)
        await ctx.tick()
        ctx.set(dut.armed, 1)
        ctx.set(dut.clear_positions, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.rejected.valid)
        assert ctx.get(dut.rejected.payload.reason) == RejectReason.HALTED
        await ctx.tick().repeat(10)
        assert await bench.exposure() == (0, 0, 0)

    run(scenario)


def test_a_reply_that_finds_no_place_halts():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.replies.payload, {"kind": NOTED, "venue": 1})
        ctx.set(dut.replies.valid, 1)
        cycles = 0
        while not ctx.get(dut.fault):
            await ctx.tick()
            cycles += 1
            assert cycles < 100
        assert cycles > RiskGateway.REPLY_DEPTH
        ctx.set(dut.replies.valid, 0)
        assert (await bench.submit(order()))[0] is RejectReason.HALTED

    run(scenario)


def test_a_refused_order_is_not_lost_while_nobody_takes_it():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        ctx.set(dut.rejected.ready, 0)
        ctx.set(dut.orders.payload, as_fields(order(price=0, shares=7)))
        ctx.set(dut.orders.valid, 1)
        await ctx.tick()
        ctx.set(dut.orders.payload, as_fields(order(price=0, shares=8)))
        await ctx.tick().repeat(20)
        assert ctx.get(dut.rejected.valid)
        assert ctx.get(dut.rejected.payload.order.shares) == 7
        assert not ctx.get(dut.orders.ready)
        ctx.set(dut.rejected.ready, 1)
        await ctx.tick()
        assert (await bench.submit(order(price=0, shares=8)))[0] is RejectReason.BAD_ORDER

    run(scenario)


@pytest.mark.parametrize("symbols", [1, 3])
def test_any_number_of_symbols(symbols):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(order(symbol=symbols - 1, price=1)))[0] is RejectReason.NONE
        assert (await bench.submit(order(symbol=symbols, price=1)))[0] is RejectReason.BAD_ORDER
        assert await bench.exposure(symbols - 1) == (0, 100, 0)
        assert await bench.exposure(symbols) == (0, 0, 0)

    run(scenario, replace(TINY, symbols=symbols))

"""The checks of switches, of the day, of duplicates and of the host's silence; and bits that flip."""

from dataclasses import replace

import pytest

from host.card.replies import ENDED, FILLED, RELEASED
from hw.config import TINY
from hw.reasons import PRIORITY, WAIVABLE, RejectReason
from hw.risk.exposure import Row
from hw.risk.gateway import RiskGateway
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import LIMITS, order, parity, run, unwaived

NONE, HALTED, KILLED = RejectReason.NONE, RejectReason.HALTED, RejectReason.KILLED


@pytest.mark.parametrize(("switch", "value", "stopped", "free"), [
    ("kill", 1, order(price=1), None),
    ("kill_venues", 0b10, order(price=1, venue=1), order(price=1, venue=0)),
    ("kill_strategies", 0b1000, order(price=1, strategy=3), order(price=1, strategy=1)),
    ("kill_symbols", 0b0100, order(price=1, symbol=2), order(price=1, symbol=1)),
    ("restricted", 0b1000, order(price=1, symbol=3), order(price=1, symbol=2)),
])
def test_a_switch_stops_what_it_names_and_no_cancel(switch, value, stopped, free):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        assert (await bench.submit(stopped))[0] is NONE
        ctx.set(getattr(dut, switch), value)
        assert (await bench.submit(stopped))[0] is (RejectReason.RESTRICTED if switch == "restricted" else KILLED)
        assert (await bench.submit(stopped._replace(kind=CANCEL_ORDER)))[0] is NONE
        if free:
            assert (await bench.submit(free))[0] is NONE
        ctx.set(getattr(dut, switch), 0)
        assert (await bench.submit(stopped))[0] is NONE

    run(scenario)


def test_to_a_venue_that_cannot_be_reached_nothing_leaves():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        there, elsewhere = order(price=1, venue=1), order(price=2, venue=0, side=SELL, symbol=1)
        ctx.set(dut.unreachable, 0b10)
        assert (await bench.submit(there))[0] is RejectReason.NO_SESSION
        assert (await bench.submit(there._replace(kind=CANCEL_ORDER)))[0] is RejectReason.NO_SESSION
        assert (await bench.submit(there._replace(kind=CANCEL_ORDER, symbol=200)))[0] is RejectReason.BAD_ORDER
        assert (await bench.submit(elsewhere))[0] is NONE
        pair = await bench.submit_pair(elsewhere._replace(pair=1), there)
        assert {reason for _, reason, _ in pair} == {RejectReason.PAIR, RejectReason.NO_SESSION}
        ctx.set(dut.unreachable, 0)
        assert (await bench.submit(there))[0] is NONE

    run(scenario)


def test_reducing_lets_only_pass_what_stays_within_the_position():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.move(BUY, 100)
        ctx.set(dut.reducing, 1)
        assert (await bench.submit(order(price=1, shares=1)))[0] is RejectReason.REDUCING
        assert (await bench.submit(order(price=1, shares=101, side=SELL)))[0] is RejectReason.REDUCING
        assert (await bench.submit(order(price=1, shares=60, side=SELL)))[0] is NONE
        assert (await bench.submit(order(price=1, shares=41, side=SELL)))[0] is RejectReason.REDUCING
        assert (await bench.submit(order(price=1, shares=40, side=SELL)))[0] is NONE
        assert (await bench.submit(order(price=1, shares=1, side=SELL)))[0] is RejectReason.REDUCING

    run(scenario)


def test_what_reduces_passes_a_position_limit_that_is_passed_already():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_position=1))
        await bench.move(SELL, 500)
        assert (await bench.submit(order(price=1, shares=500)))[0] is NONE
        assert (await bench.submit(order(price=1, shares=1, side=SELL)))[0] is RejectReason.POSITION

    run(scenario)


def test_the_notional_of_the_day():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_day_notional=100_000))
        await ctx.tick().repeat(3)
        assert (await bench.submit(order(shares=100, price=500)))[0] is NONE
        assert (await bench.submit(order(shares=100, price=501)))[0] is RejectReason.DAY_NOTIONAL
        await bench.reply(RELEASED, BUY, 100)  # what is cancelled stays counted
        assert (await bench.submit(order(shares=100, price=501)))[0] is RejectReason.DAY_NOTIONAL
        pair = order(shares=100, price=250, pair=1), order(venue=1, shares=100, price=251, side=SELL)
        assert [answer[1] for answer in await bench.submit_pair(*pair)] == [RejectReason.PAIR, RejectReason.DAY_NOTIONAL]
        await ctx.tick().repeat(5)
        pair = order(shares=100, price=250, pair=1), order(venue=1, shares=100, price=249, side=SELL)
        assert [answer[1] for answer in await bench.submit_pair(*pair)] == [NONE, NONE]
        await ctx.tick().repeat(5)
        assert ctx.get(dut.day_notional) == 99_900
        assert (await bench.submit(order(shares=101, price=1)))[0] is RejectReason.DAY_NOTIONAL
        assert (await bench.submit(order(shares=100, price=1)))[0] is NONE
        await ctx.tick().repeat(20)
        assert ctx.get(dut.day_level) == 5
        await bench.forget()
        assert (await bench.submit(order(shares=100, price=1_000)))[0] is NONE

    run(scenario)


def test_a_duplicate_within_the_window():
    item = order(price=1)

    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, duplicate_window=40))
        assert (await bench.submit(item))[0] is NONE
        for other in (item._replace(venue=1), item._replace(symbol=1), item._replace(shares=99)):
            assert (await bench.submit(other))[0] is NONE
        assert (await bench.submit(item))[0] is RejectReason.DUPLICATE
        assert (await bench.submit(item._replace(strategy=2)))[0] is RejectReason.DUPLICATE
        assert (await bench.submit(item._replace(price=2)))[0] is NONE  # the fifth: the first is forgotten
        assert (await bench.submit(item))[0] is NONE
        await ctx.tick().repeat(40)
        assert (await bench.submit(item))[0] is NONE

    run(scenario)


def test_the_dead_man_stops_new_orders_and_no_cancel():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(unwaived(LIMITS, RejectReason.DEAD_MAN), heartbeat_interval=2))
        assert ctx.get(dut.expired)
        assert (await bench.submit(order(price=1)))[0] is RejectReason.DEAD_MAN
        ctx.set(dut.heartbeat, 1)
        await ctx.tick()
        ctx.set(dut.heartbeat, 0)
        cycles = 0
        assert (await bench.submit(order(price=1)))[0] is NONE
        while not ctx.get(dut.expired):
            await ctx.tick()
            cycles += 1
        assert 2_040 <= cycles <= 2_050
        assert (await bench.submit(order(price=1)))[0] is RejectReason.DEAD_MAN
        assert (await bench.submit(order(kind=CANCEL_ORDER)))[0] is NONE

    run(scenario)


@pytest.mark.parametrize("reason", sorted(set(RejectReason) - {NONE, RejectReason.DEAD_MAN}))
def test_only_the_checks_said_to_be_waivable_can_be_waived(reason):
    """One order that everything stands against; with a check waived the reason is another, if it is waivable."""
    async def scenario(ctx, dut, bench):
        limits = replace(LIMITS, max_shares=1, max_notional=1, max_position=1, max_day_notional=1, rate_burst=0, heartbeat_interval=1,
                         max_distance=0, max_deviation=0, max_gross=1, max_net=1)
        assert set(PRIORITY) == set(RejectReason) - {NONE}
        assert set(PRIORITY) > WAIVABLE
        await bench.start(ctx, replace(limits, waived=sum(1 << other for other in RejectReason if other is not reason)))
        await ctx.tick().repeat(4)
        ctx.set(dut.halted, [0b1111] * 2)
        await bench.limit_symbol(0, locates=0, uptick_only=1, max_price=1)
        answer = (await bench.submit(order(side=SELL)))[0]
        held = {RejectReason.GROSS_NOTIONAL, RejectReason.NET_NOTIONAL, RejectReason.PRICE_BAND, RejectReason.LOCATE,
                RejectReason.SHORT_SALE, RejectReason.MARKET_STATE, RejectReason.MAX_SHARES, RejectReason.MAX_NOTIONAL,
                RejectReason.POSITION, RejectReason.DAY_NOTIONAL, RejectReason.UNSURE_BOOK, RejectReason.COLLAR,
                RejectReason.FAT_FINGER}
        assert answer is (reason if reason in held else RejectReason.RATE)

    run(scenario)


def test_the_reason_told_is_the_first_of_the_order_of_reasons():
    """All at once; one obstacle after the other is taken away."""
    async def scenario(ctx, dut, bench):
        two_at_once = dict.fromkeys(("strategy_interval", "strategy_window", "symbol_interval", "symbol_window"), 1 << 30)
        limits = replace(LIMITS, max_shares=1, max_notional=1, max_position=1, max_day_notional=1, max_gross=1, max_net=1,
                         duplicate_window=10_000, max_distance=3, max_deviation=1, waived=0, **two_at_once)
        await bench.start(ctx, replace(LIMITS, duplicate_window=10_000, max_executions=1, **two_at_once))
        item = order(side=SELL, shares=7, price=5)
        assert (await bench.submit(item))[0] is NONE
        assert (await bench.submit(item._replace(side=BUY, day=1)))[0] is NONE
        for _ in range(2):
            await bench.reply(FILLED, SELL, 1)
        await bench.limit_symbol(0, max_price=4, uptick_only=1, locates=7)
        await bench.top(5, 5, venue=1)
        for name, value in (("armed", 0), ("kill", 1), ("restricted", 1), ("halted", [1, 0]), ("reducing", 1),
                            ("unreachable", 1)):
            ctx.set(getattr(dut, name), value)
        seen = []

        async def ask(what=item, **now):
            nonlocal limits
            limits = replace(limits, **now)
            bench.set_limits(limits)
            await ctx.tick().repeat(4)
            seen.append((await bench.submit(what))[0])

        limits = replace(limits, rate_burst=0)
        await ask()
        await ask(waived=1 << RejectReason.DEAD_MAN)
        ctx.set(dut.armed, 1)
        await ask()
        ctx.set(dut.kill, 0)
        await ask(item._replace(price=0))
        ctx.set(dut.rearm_strategies, 2)
        await ask(item._replace(price=0))
        await ask()
        ctx.set(dut.unreachable, 0)
        await ask(item._replace(kind=REPLACE_ORDER, reference=9))
        await ask()
        ctx.set(dut.restricted, 0)
        await ask()
        ctx.set(dut.halted, [0, 0])
        await ask()
        await bench.top(1, 1)
        await ask()
        await ask(max_shares=7)
        await ask(max_notional=35)
        await ask(max_distance=4)
        await ask(max_deviation=60_000)
        await bench.limit_symbol(0, uptick_only=1, locates=7)
        await ask()
        await ask(waived=1 << RejectReason.DEAD_MAN | 1 << RejectReason.DUPLICATE)
        await ask(waived=limits.waived | 1 << RejectReason.SELF_MATCH)
        await bench.limit_symbol(0, locates=7)
        await ask()
        await bench.limit_symbol(0)
        await ask()
        ctx.set(dut.reducing, 0)
        await ask()
        await ask(max_position=1_000)
        lone = item._replace(pair=1)
        await ask(lone, max_day_notional=1_000, max_open_orders=1)
        await ask(lone, max_gross=1_000)
        await ask(lone, max_net=1_000)
        await ask(lone, strategy_interval=0)
        await ask(lone, symbol_interval=0)
        await bench.answer(ENDED, 0, 1)
        await ask(lone)
        await ask(lone, max_open_orders=2)
        ctx.set(dut.restricted, 0)
        await ask()  # takes the place of the leg that did not come
        await ask()
        assert seen == [*PRIORITY[:-1], RejectReason.PAIR, RejectReason.RATE]

    run(scenario, replace(TINY, open_orders=2))


def test_a_limit_that_has_lost_a_bit_halts():
    """Each bit of the limits in turn: no order passes, however much wider the limit has become."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        passing = order(shares=1, price=1, side=SELL)
        assert (await bench.submit(passing))[0] is NONE
        for name, value in vars(LIMITS).items():
            for bit in range(len(dut.limits[name])):
                ctx.set(dut.limits[name], value ^ 1 << bit)
                assert (await bench.submit(passing))[0] in (HALTED, RejectReason.DEAD_MAN), (name, bit)
            ctx.set(dut.limits[name], value)
        for bit in range(len(dut.limits_parity)):
            ctx.set(dut.limits_parity, parity(LIMITS) ^ 1 << bit)
            assert (await bench.submit(passing))[0] is HALTED
        bench.set_limits(LIMITS)
        assert (await bench.submit(passing))[0] is NONE

    run(scenario)


@pytest.mark.parametrize("noticed_by", ["order", "pair", "reply"])
def test_a_position_that_has_lost_a_bit_halts(noticed_by):
    """Each bit of a symbol's row: the next order for it does not pass, and from then on none for any."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        row = dut.exposure.rows[1]
        await bench.submit(order(symbol=1, price=1))
        await bench.reply(FILLED, BUY, 30, symbol=1)
        for bit in range(Row.as_shape().size):
            ctx.set(row, Row.from_bits(ctx.get(row).as_bits() ^ 1 << bit))
            if noticed_by == "reply":
                await bench.move(BUY, 0, symbol=1)
            elif noticed_by == "pair":
                legs = order(symbol=1, price=1, pair=1), order(venue=1, symbol=2, price=1)
                assert HALTED in [answer[1] for answer in await bench.submit_pair(*legs)], bit
                await ctx.tick().repeat(3)
            else:
                assert (await bench.submit(order(symbol=1, price=1)))[0] is HALTED, bit
            assert ctx.get(dut.fault), bit
            assert (await bench.submit(order(symbol=2, price=1)))[0] is HALTED
            await bench.forget()
        assert (await bench.submit(order(symbol=1, price=1))) == (NONE, RiskGateway.LATENCY)

    run(scenario)

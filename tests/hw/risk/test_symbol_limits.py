"""Limits of single symbols: they hold beside those of all, on the symbol that they are of and no other, and don't survive a lost bit."""

import pytest

from host.card.replies import FILLED
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from hw.risk.symbol_limits import Row
from sim.golden.records import BUY, CANCEL_ORDER, SELL
from sim.golden.risk import NO_OWN
from tests.hw.risk.gateway_bench import LIMITS, order, run

NONE, HALTED = RejectReason.NONE, RejectReason.HALTED


@pytest.mark.parametrize(("limits", "at_limit", "beyond", "reason"), [
    ({"max_shares": 50}, order(symbol=2, shares=50), order(symbol=2, shares=51), RejectReason.MAX_SHARES),
    ({"max_notional": 5_000}, order(symbol=2, shares=50, price=100), order(symbol=2, shares=51, price=100), RejectReason.MAX_NOTIONAL),
    ({"max_long": 50}, order(symbol=2, shares=50), order(symbol=2, shares=1), RejectReason.POSITION),
    ({"max_short": 50}, order(symbol=2, side=SELL, shares=50), order(symbol=2, side=SELL, shares=1), RejectReason.POSITION),
    ({"min_price": 101}, order(symbol=2, shares=50, price=101), order(symbol=2, shares=50, price=100), RejectReason.PRICE_BAND),
    ({"min_price": 101}, order(symbol=2, side=SELL, price=101), order(symbol=2, side=SELL, price=100), RejectReason.PRICE_BAND),
    ({"max_price": 99}, order(symbol=2, shares=50, price=99), order(symbol=2, shares=50, price=100), RejectReason.PRICE_BAND),
])
def test_a_limit_of_a_symbol_holds_for_it_alone(limits, at_limit, beyond, reason):
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(2, **limits)
        await bench.limit_symbol(3, max_shares=1, max_notional=1, max_long=0, max_short=0)
        assert (await bench.submit(at_limit)) == (NONE, RiskGateway.LATENCY)
        assert (await bench.submit(beyond)) == (reason, RiskGateway.LATENCY)
        assert (await bench.submit(beyond._replace(kind=CANCEL_ORDER)))[0] is NONE
        assert (await bench.submit(beyond._replace(symbol=1, shares=51)))[0] is NONE, "another symbol has none of its own"
        other = order(symbol=2, side=1 - beyond.side, shares=50, price=100)
        sides = "max_long" in limits or "max_short" in limits or "max_shares" in limits or "max_notional" in limits
        assert (await bench.submit(other))[0] is (NONE if sides else reason), "the other side has its own limit, but of the band"
        await bench.limit_symbol(2)
        assert (await bench.submit(beyond))[0] is NONE

    run(scenario)


def test_the_limits_of_all_stay_an_upper_bound():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, max_shares=LIMITS.max_shares + 1, max_long=LIMITS.max_position + 1)
        assert (await bench.submit(order(symbol=1, shares=LIMITS.max_shares + 1, price=1)))[0] is RejectReason.MAX_SHARES
        for shares, reason in ((1_000, NONE), (1_000, NONE), (1, RejectReason.POSITION)):
            assert (await bench.submit(order(symbol=1, shares=shares, price=1)))[0] is reason

    run(scenario)


def test_no_short_sale_of_what_is_not_held():
    """A limit of 0 short: what is held may be sold, not a share more, and what is working counts."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, max_short=0)
        assert (await bench.submit(order(symbol=1, side=SELL, shares=1, price=1)))[0] is RejectReason.POSITION
        await bench.submit(order(symbol=1, side=BUY, shares=100, price=1))
        await bench.reply(FILLED, BUY, 100, symbol=1)
        assert (await bench.submit(order(symbol=1, side=SELL, shares=60, price=1)))[0] is NONE
        assert (await bench.submit(order(symbol=1, side=SELL, shares=41, price=1)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(symbol=1, side=SELL, shares=40, price=1)))[0] is NONE

    run(scenario)


def test_both_legs_of_a_pair_keep_their_symbols_limits():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        for symbol, reasons in ((1, [RejectReason.MAX_SHARES, RejectReason.PAIR]), (2, [RejectReason.PAIR, RejectReason.MAX_SHARES])):
            await bench.limit_symbol(symbol, max_shares=9)
            legs = order(symbol=1, shares=10, price=1, pair=1), order(venue=1, symbol=2, side=SELL, shares=10, price=1)
            assert [answer[1] for answer in await bench.submit_pair(*legs)] == reasons
            await bench.limit_symbol(symbol)
        assert [answer[1] for answer in await bench.submit_pair(*legs)] == [NONE, NONE]

    run(scenario)


def test_the_limits_are_shown():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, max_shares=9, max_notional=1 << 60, max_long=7)
        await bench.limit_symbol(4, max_shares=1)  # the card has no such symbol
        for symbol, shown in ((0, NO_OWN), (1, NO_OWN._replace(max_shares=9, max_notional=1 << 60, max_long=7))):
            ctx.set(dut.query_symbol, symbol)
            await ctx.tick()
            assert {name: ctx.get(dut.shown_limits[name]) for name in NO_OWN._fields} == shown._asdict()

    run(scenario)


def test_limits_of_a_symbol_that_have_lost_a_bit_halt():
    """Each bit of a row in turn: the next order for the symbol does not pass, and none for any before positions have been cleared."""
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        await bench.limit_symbol(1, max_shares=10, max_notional=10, max_long=10, max_short=10, min_price=1)
        row, sound = dut._by_key.table.rows[1], order(symbol=1, shares=1, price=1)
        good = ctx.get(row).as_bits()
        assert (await bench.submit(sound))[0] is NONE
        for bit in range(Row.as_shape().size):
            ctx.set(row, Row.from_bits(good ^ 1 << bit))
            assert (await bench.submit(sound))[0] is HALTED, bit
            assert ctx.get(dut.fault), bit
            assert (await bench.submit(order(symbol=2, price=1)))[0] is HALTED
            ctx.set(row, Row.from_bits(good))
            await bench.forget()
        assert (await bench.submit(sound))[0] is NONE

    run(scenario)

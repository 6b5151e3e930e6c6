"""The table of open orders behind the door: what answers may and may not do, and what a REPLACE changes."""

from dataclasses import replace

import pytest

from host.card.replies import ENDED, FILLED, MOVED, NOTED, RELEASED, REPLACED, UNSENT
from hw.config import TINY
from hw.reasons import RejectReason
from hw.risk.gateway import RiskGateway
from hw.risk.open_orders import Row
from sim.golden.records import CANCEL_ORDER, REPLACE_ORDER, SELL
from tests.hw.risk.gateway_bench import LIMITS, order, run

NONE, HALTED, UNKNOWN = RejectReason.NONE, RejectReason.HALTED, RejectReason.UNKNOWN_ORDER
SMALL = replace(TINY, open_orders=4)


def renewed(**more):
    return order(price=1, kind=REPLACE_ORDER, **more)


async def one_order(ctx, dut, bench, **more):
    """100 shares to buy of symbol 0 at venue 0, under number 1."""
    await bench.start(ctx)
    assert (await bench.submit(order(price=1, **more)))[0] is NONE
    assert not await bench.answer(NOTED, 0, 1)
    assert ctx.get(dut.open_orders) == 1


def test_partial_fills_and_what_is_cancelled_of_the_rest():
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        for shares, held, left in ((30, 30, 70), (50, 80, 20)):
            assert not await bench.answer(FILLED, 0, 1, shares)
            assert await bench.exposure() == (held, left, 0)
        assert ctx.get(dut.open_orders) == 1
        assert not await bench.answer(RELEASED, 0, 1, 20)
        assert (await bench.exposure(), ctx.get(dut.open_orders), ctx.get(dut.fault)) == ((80, 0, 0), 0, 0)

    run(scenario, SMALL)


def told(answers, said, exposure, fault):
    """Of the order of 100 shares, with one of 50 beside it: what the card says of the answers, and that it goes on or halts."""
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        assert (await bench.submit(order(shares=50, price=1)))[0] is NONE
        bench.answers[0] += 1
        await bench.answer(NOTED, 0, 2, number=2)
        heard = set()
        for answer in answers:
            heard |= await bench.answer(*answer)
        assert (heard, await bench.exposure(), ctx.get(dut.fault)) == (said, exposure, fault)
        assert (await bench.submit(order(price=1, symbol=1)))[0] is (HALTED if fault else NONE)

    run(scenario, SMALL)


@pytest.mark.parametrize(("answers", "said", "exposure", "fault"), [
    ([(FILLED, 0, 1, 101)], set(), (101, 50, 0), 1),  # the other order's shares stay
    ([(FILLED, 0, 1, 60), (FILLED, 0, 1, 41)], set(), (101, 50, 0), 1),
    ([(FILLED, 0, 1, 100), (FILLED, 0, 1, 1)], {"bad"}, (100, 50, 0), 1),  # of an order that is done
    ([(RELEASED, 0, 1, 101)], {"bad"}, (0, 50, 0), 0),  # more dead than there is makes no more room
])
def test_over_fills_halt(answers, said, exposure, fault):
    told(answers, said, exposure, fault)


@pytest.mark.parametrize(("answers", "said", "exposure", "fault"), [
    ([(FILLED, 0, 77, 1)], {"bad"}, (0, 150, 0), 1),
    ([(FILLED, 1, 1, 1)], {"bad"}, (0, 150, 0), 1),  # at the other venue
    ([(FILLED, 9, 1, 1)], {"bad"}, (0, 150, 0), 1),  # at a venue that is not there
    ([(RELEASED, 0, 5, 1)], {"bad"}, (0, 150, 0), 0),  # the place of order 1, and not it
    ([(ENDED, 0, 1, 0), (ENDED, 0, 1, 0)], {"bad"}, (0, 50, 0), 0),
    ([(REPLACED, 0, 1, 0)], {"bad"}, (0, 150, 0), 0),  # nobody asked for it
])
def test_replies_for_unknown_orders_make_no_room_and_an_execution_halts(answers, said, exposure, fault):
    told(answers, said, exposure, fault)


@pytest.mark.parametrize(("answers", "said", "exposure", "fault"), [
    ([(FILLED, 0, 1, 60, 3), (FILLED, 0, 1, 60, 3)], {"late"}, (60, 90, 0), 0),  # told twice
    ([(FILLED, 0, 1, 60, 3), (ENDED, 0, 1, 0, 2)], {"late"}, (60, 90, 0), 0),
    ([(FILLED, 0, 1, 60, 4)], set(), (60, 90, 0), 1),  # one was not told
    ([(FILLED, 0, 1, 60, 4), (FILLED, 0, 1, 10, 3)], {"late"}, (60, 90, 0), 1),  # it comes after all
])
def test_replies_out_of_order_are_forgotten_and_a_gap_halts(answers, said, exposure, fault):
    told(answers, said, exposure, fault)


def test_an_order_that_never_came_to_its_venue_ends_beside_the_venues_numbers():
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        await bench.answer(NOTED, 0, 1, number=2)
        assert await bench.answer(UNSENT, 0, 1, number=0) == set()
        assert ((await bench.exposure())[1:], ctx.get(dut.open_orders)) == ((0, 0), 0)
        assert await bench.answer(UNSENT, 0, 1, number=0) == {"bad"}
        assert await bench.answer(NOTED, 0, 1, number=3) == set()
        assert not ctx.get(dut.fault)

    run(scenario, SMALL)


def test_position_limits_after_a_restart_hold_for_what_the_host_has_set_while_disarmed():
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        assert await bench.answer(MOVED, 0, 0, 500, symbol=0, side=SELL) == {"bad"}
        ctx.set(dut.armed, 0)
        assert await bench.answer(MOVED, 0, 0, 500, symbol=4, side=SELL) == {"bad"}
        ctx.set(dut.clear_positions, 1)
        await ctx.tick()
        ctx.set(dut.clear_positions, 0)
        while ctx.get(dut.clearing):
            await ctx.tick()
        assert (await bench.exposure(), ctx.get(dut.open_orders)) == ((0, 0, 0), 0)
        await bench.move(SELL, 1_900)
        ctx.set(dut.armed, 1)
        assert (await bench.submit(order(price=1, shares=101, side=SELL)))[0] is RejectReason.POSITION
        assert (await bench.submit(order(price=1, shares=100, side=SELL)))[0] is NONE
        assert await bench.answer(RELEASED, 0, 1, 100, number=900) == {"bad"}  # any number, but the order is forgotten
        assert not ctx.get(dut.fault)
        assert await bench.answer(FILLED, 0, 1, 100, number=901) == {"bad"}
        assert ctx.get(dut.fault)

    run(scenario, SMALL)


def test_a_replace_is_judged_as_what_it_changes():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx, replace(LIMITS, max_position=1_000))
        assert (await bench.submit(order(shares=900, price=1, strategy=2)))[0] is NONE
        about = dict(reference=1, strategy=2)
        assert (await bench.submit(renewed(shares=1_001, **about)))[0] is RejectReason.MAX_SHARES
        assert (await bench.submit(order(price=1, shares=101)))[0] is RejectReason.POSITION
        assert await bench.submit(renewed(shares=1_000, **about)) == (NONE, RiskGateway.LATENCY)
        assert (await bench.exposure(), ctx.get(dut.open_orders)) == ((0, 1_000, 0), 1)
        assert (await bench.submit(order(price=1, shares=1)))[0] is RejectReason.POSITION
        assert not await bench.answer(FILLED, 0, 1, 300)  # it comes before the REPLACE
        assert await bench.exposure() == (300, 700, 0)
        assert not await bench.answer(REPLACED, 0, 2)
        assert await bench.exposure() == (300, 700, 0)
        assert (await bench.submit(renewed(shares=400, reference=2, strategy=2)))[0] is NONE  # 100 more than have traded
        assert await bench.exposure() == (300, 700, 0)  # nothing is free yet
        assert not await bench.answer(REPLACED, 0, 3)
        assert await bench.exposure() == (300, 100, 0)
        assert not await bench.answer(FILLED, 0, 3, 100)
        assert (await bench.exposure(), ctx.get(dut.open_orders), ctx.get(dut.fault)) == ((400, 0, 0), 0, 0)

    run(scenario, SMALL)


@pytest.mark.parametrize("change", [
    {"reference": 2}, {"reference": 5}, {"venue": 1}, {"symbol": 1}, {"side": SELL}, {"strategy": 2},
])
def test_a_replace_of_anything_but_ones_own_open_order_is_refused(change):
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        assert (await bench.submit(renewed(**{"reference": 1} | change)))[0] is UNKNOWN
        assert await bench.exposure() == (0, 100, 0)
        assert (await bench.submit(renewed(reference=1)))[0] is NONE

    run(scenario, SMALL)


@pytest.mark.parametrize("ends", [(FILLED, 100), (RELEASED, 100), (ENDED, 0)])
def test_a_replace_ends_with_its_order(ends):
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        assert (await bench.submit(renewed(reference=1, shares=150)))[0] is NONE
        assert (await bench.submit(renewed(reference=1)))[0] is UNKNOWN  # one at a time
        assert (await bench.submit(renewed(reference=2)))[0] is UNKNOWN  # not in force
        assert await bench.exposure() == (0, 150, 0)
        assert not await bench.answer(ends[0], 0, 1, ends[1])
        assert await bench.exposure() == (100 if ends[0] == FILLED else 0, 0, 0)
        assert ctx.get(dut.open_orders) == 0
        for _ in range(2):  # both places are free
            assert (await bench.submit(order(price=1)))[0] is NONE
        assert not ctx.get(dut.fault)

    run(scenario, replace(TINY, open_orders=2))


def test_a_replace_that_the_venue_refuses_leaves_its_order():
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        assert (await bench.submit(renewed(reference=1, shares=150)))[0] is NONE
        assert await bench.answer(FILLED, 0, 2, 10) == set()  # not in force: it can't have traded, but it has
        assert (await bench.exposure(), ctx.get(dut.fault)) == ((10, 150, 0), 1)
        assert not await bench.answer(ENDED, 0, 2)
        assert (await bench.exposure(), ctx.get(dut.open_orders)) == ((10, 100, 0), 1)

    run(scenario, SMALL)


def test_a_cancel_leaves_whether_its_order_is_known_or_not():
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        counted = []

        async def cancel(reference):
            counted.append(0)
            ctx.set(dut.orders.payload, {"kind": CANCEL_ORDER, "reference": reference})
            ctx.set(dut.orders.valid, 1)
            await ctx.tick()
            ctx.set(dut.orders.valid, 0)
            for _ in range(4):
                counted[-1] += ctx.get(dut.accepted) + 2 * ctx.get(dut.unknown_cancel)
                await ctx.tick()

        for reference in (1, 2, 5):
            await cancel(reference)
        assert counted == [1, 3, 3]
        assert (await bench.submit(renewed(reference=1)))[0] is UNKNOWN  # it is being cancelled
        assert not await bench.answer(RELEASED, 0, 1, 40)
        assert (await bench.submit(renewed(reference=1)))[0] is NONE
        assert await bench.exposure() == (0, 100, 0)  # 60 are left of it, 100 are asked for

    run(scenario, SMALL)


def test_an_order_of_which_two_cancels_were_under_way_is_not_replaced():
    """After the answer to one of them the other one may still take shares away that the REPLACE would be given credit for."""
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        for left in (60, 20):
            assert (await bench.submit(order(price=1, kind=CANCEL_ORDER, reference=1, shares=left)))[0] is NONE
        for dead in (40, 40):
            assert not await bench.answer(RELEASED, 0, 1, dead)
            assert (await bench.submit(renewed(reference=1)))[0] is UNKNOWN
        assert await bench.exposure() == (0, 20, 0)
        assert (await bench.submit(order(price=1, shares=100)))[0] is NONE  # number 2
        assert (await bench.submit(renewed(reference=2)))[0] is NONE
        assert not ctx.get(dut.fault)

    run(scenario, SMALL)


def test_a_full_table_refuses_and_a_number_whose_place_is_taken_is_left_out():
    async def scenario(ctx, dut, bench):
        await bench.start(ctx)
        for number in range(1, 5):
            await ctx.tick().repeat(2)
            assert ctx.get(dut.next_user_ref[0]) == number
            assert (await bench.submit(order(price=1, shares=1)))[0] is NONE
        assert (await bench.submit(order(price=1)))[0] is RejectReason.NO_PLACE
        assert (await bench.submit(order(price=1, venue=1)))[0] is NONE
        assert not await bench.answer(ENDED, 0, 3)
        await ctx.tick().repeat(4)
        assert ctx.get(dut.next_user_ref[0]) == 7
        assert (await bench.submit(order(price=1, shares=1)))[0] is NONE
        bench.set_limits(replace(LIMITS, max_open_orders=5))
        assert not await bench.answer(ENDED, 0, 1)
        assert ctx.get(dut.open_orders) == 4
        assert (await bench.submit(order(price=1, shares=1)))[0] is NONE
        assert (await bench.submit(order(price=1, venue=1)))[0] is RejectReason.OPEN_ORDERS
        assert (await bench.submit(renewed(venue=1, reference=1)))[0] is NONE  # opens none
        assert not ctx.get(dut.fault)

    run(scenario, SMALL)


def test_an_order_under_a_number_whose_place_is_taken_is_a_fault():
    """It has changed while the order was judged."""
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        ctx.set(dut.passed.ready, 1)
        ctx.set(dut.orders.payload, {"shares": 1, "price": 1})
        ctx.set(dut.orders.valid, 1)
        await ctx.tick()
        ctx.set(dut.orders.valid, 0)
        await ctx.tick().repeat(3)
        ctx.set(dut._table._open, 0b110)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.fault)
        assert await bench.exposure() == (0, 101, 0)

    run(scenario, SMALL)


def test_an_order_that_has_lost_a_bit_halts():
    """Each bit of its row: whoever looks at it next, a REPLACE or an answer."""
    async def scenario(ctx, dut, bench):
        await one_order(ctx, dut, bench)
        row = dut._table.rows[1]
        whole = ctx.get(row).as_bits()
        for bit in range(Row.as_shape().size):
            ctx.set(row, Row.from_bits(whole ^ 1 << bit))
            if bit % 2:
                assert (await bench.submit(renewed(reference=1)))[0] is not NONE, bit
            else:
                await bench.answer(RELEASED, 0, 1, 0)
            assert ctx.get(dut.fault), bit
            await bench.forget()
            ctx.set(row, Row.from_bits(whole))
            await bench.submit(order(price=0))
            ctx.set(dut._table._open, 2)  # as it was
            assert not ctx.get(dut.fault)

    run(scenario, SMALL)

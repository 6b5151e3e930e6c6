"""All orders, as the book tells them when it is asked: those of the reference book, each as after the event that it names."""

from dataclasses import replace
from random import Random

import pytest

from hw.book.book import Book
from hw.book.order_store import OrderStore
from hw.book.snapshot import Snapshot
from hw.config import TINY
from sim.golden.book import Book as GoldenBook
from tests.hw.bench import made, simulate
from tests.hw.book.driver import run_book
from tests.hw.book.model import add, check, execute, flow

TWO_WAYS = replace(TINY, name="tiny with two ways", order_ways=2)


class Told:
    """One snapshot: (symbol, side, price, shares, sequence) by reference, what the closing record says, and the cycles that it took."""

    def __init__(self):
        self.orders, self.cycles = {}, 0

    def take(self, ctx, dut):
        if ctx.get(dut.order_valid):
            order = ctx.get(dut.order)
            assert order.reference not in self.orders, "an order was told twice"
            assert order.venue == 0
            self.orders[order.reference] = (order.symbol, order.side.value, order.price, order.shares, order.sequence)
        if ctx.get(dut.orders_valid):
            orders = ctx.get(dut.orders)
            self.count, self.since, self.sequence = orders.count, orders.since, orders.sequence


async def snapshot(ctx, dut, room=lambda: 1):
    told = Told()
    ctx.set(dut.look_orders, 1)
    ctx.set(dut.room, room())
    await ctx.tick()
    ctx.set(dut.look_orders, 0)
    while ctx.get(dut.looking):
        told.take(ctx, dut)
        ctx.set(dut.room, room())
        await ctx.tick()
        told.cycles += 1
    assert told.count == len(told.orders)
    return told


def live(golden):
    return {reference: (order.locate, order.side, order.price, order.shares) for reference, order in golden.orders.items()}


def after(events):
    golden = GoldenBook()
    for event in events:
        golden.apply(event)
    return golden


@pytest.mark.parametrize(("config", "moments"), [(TINY, (0, 1, 299)), (TWO_WAYS, (299,))], ids=["four ways", "two ways"])
def test_at_rest_every_order_is_told_as_it_is_after_the_last_event(config, moments):
    dut, told = made(Book, config), {}

    async def look(ctx, number):
        for _ in range(100):
            await ctx.tick()
        told[number] = await snapshot(ctx, dut)

    events = list(flow(1, 300, symbols=3, prices=40, crowd=60, faults=0))
    acts = {number: lambda ctx, number=number: look(ctx, number) for number in moments}
    check(events, run_book(dut, events, acts=acts, deadline=100_000))
    assert set(told) == set(moments)
    for number, one in told.items():
        wanted = live(after(events[:number]))
        assert one.orders == {reference: (*order, number) for reference, order in wanted.items()}
        assert one.since == one.sequence == number
        sets = 2 * OrderStore(config).table.sets
        assert one.cycles == Snapshot.PACE + sets * (10 + config.order_ways) + Snapshot.PACE * len(wanted)
    assert len(told[299].orders) > 40


def test_while_events_come_every_order_is_as_after_the_event_that_it_names():
    """An order that lives throughout is told; one that is told was live then, with these shares."""
    dut, told = made(Book, TINY), []

    async def look(ctx):
        for _ in range(300):
            await ctx.tick()
        told.append(await snapshot(ctx, dut))

    events = [add(1 << 40 | number, number & 1, 100, 10_000, locate=1) for number in range(20)]  # these stay
    events += flow(3, 900, symbols=2, prices=12, crowd=50, faults=0)  # the last order is told after some 700
    check(events, run_book(dut, events, seed=5, beside=(look,), deadline=100_000))
    (one,) = told
    assert 0 < one.since < one.sequence < len(events)
    assert {order[4] for order in one.orders.values()} <= set(range(one.since, one.sequence + 1))
    assert len({order[4] for order in one.orders.values()}) > 5
    golden = after(events[:one.since])
    throughout, states = set(golden.orders), {one.since: live(golden)}
    for number in range(one.since, one.sequence):
        golden.apply(events[number])
        throughout &= set(golden.orders)
        states[number + 1] = live(golden)
    for reference, (*order, sequence) in one.orders.items():
        assert states[sequence][reference] == tuple(order)
    assert throughout <= set(one.orders)
    assert len(throughout) >= 20


def test_the_feed_goes_on_while_orders_are_told():
    """With the input saturated the book keeps nine of ten cycles, and the walk goes on all the same."""
    dut, seen = made(Book, TINY), {}

    async def look(ctx):
        while not ctx.get(dut.events.ready):
            await ctx.tick()
        seen["told"] = await snapshot(ctx, dut)

    events = [add(1, 0, 1, 1), *[execute(77, 1)] * 1500]  # an order that is not there
    run = run_book(dut, events, beside=(look,), deadline=100_000)
    saturated, told = run.taken[-1] - run.taken[0], seen["told"]
    assert list(told.orders) == [1]
    assert 2.1 < saturated / len(events) < 2.3
    sets_left = (told.cycles - saturated) / (10 + TINY.order_ways)
    assert saturated / (Snapshot.PAUSE + 40) < 2 * OrderStore(TINY).table.sets - sets_left < saturated / Snapshot.PAUSE


def test_it_waits_for_room():
    dut, rng = made(Book, TINY), Random(4)
    gaps = []

    async def bench(ctx):
        ctx.set(dut.tops.ready, 1)
        while ctx.get(dut.busy):
            await ctx.tick()
        room, since = 0, 0

        def some_room():
            nonlocal room, since
            since = since + 1 if room else 0
            if not room and rng.random() < 0.01 or room and rng.random() < 0.3:
                room = 1 - room
            gaps.append(room)
            return room

        told = await snapshot(ctx, dut, some_room)
        assert not told.orders
        assert told.cycles > 2000
        ctx.set(dut.room, 0)
        ctx.set(dut.look_orders, 1)
        await ctx.tick()
        ctx.set(dut.look_orders, 0)
        for _ in range(3000):
            assert ctx.get(dut.looking)
            assert not ctx.get(dut.orders_valid)
            await ctx.tick()

    simulate(dut, bench)


@pytest.mark.parametrize("asks", ["look", "look_orders"])
def test_a_book_that_is_cleared_while_it_is_asked_goes_on(asks):
    """The question waits until what is under way is done, and so does the clearing."""
    dut = made(Book, TINY)

    async def clear(ctx):
        ctx.set(dut.room, 1)
        for asked, cleared in ((0, 1), (1, 0), (0, 0), (0, 3), (0, 5), (0, 9)):
            for cycle in range(12):
                ctx.set(getattr(dut, asks), cycle == asked)
                ctx.set(dut.clear, cycle == cleared)
                await ctx.tick()
            while ctx.get(dut.busy | dut.looking):
                await ctx.tick()

    async def act(ctx):
        await clear(ctx)
        acted.append(True)

    acted = []
    run = run_book(dut, [add(number, 0, 1, number) for number in range(1, 21)], acts={19: act}, deadline=20_000)
    assert acted
    assert run.records[-1].top[0] == 20
    assert run.records[-1].top[2] == 1

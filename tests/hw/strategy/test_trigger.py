"""Pre-armed orders: when they fire, that they do so once, and what keeps them from leaving."""

import random

import pytest

from hw.config import TINY
from hw.strategy.trigger import Trigger
from sim.golden.records import BUY, SELL, Order, TopOfBook
from sim.golden.trigger import ASK_AT_LEAST, ASK_AT_MOST, BID_AT_LEAST, BID_AT_MOST, STRATEGY, Entry, TriggerModel
from tests.hw.bench import made, simulate

ENTRIES = 16
TOP = TopOfBook(bid_price=1000, bid_shares=10, bid_orders=1, ask_price=1010, ask_shares=10, ask_orders=1)
ENTRY = Entry(symbol=2, watch_venue=1, when=BID_AT_LEAST, at=1000, venue=0, side=SELL, shares=300, price=990)


async def commit(ctx, dut, index, entry):
    ctx.set(dut.commits.payload, {"index": index, "entry": {"armed": entry is not None, **(entry or ENTRY)._asdict()}})
    ctx.set(dut.commits.valid, 1)
    await ctx.tick()
    ctx.set(dut.commits.valid, 0)
    await ctx.tick()


async def offer(ctx, dut, top=TOP, *, venue=1, symbol=2, sequence=0, **flags):
    ctx.set(dut.tops.payload, {"venue": venue, "symbol": symbol, "changed": 1, "sequence": sequence, **top._asdict()} | flags)
    ctx.set(dut.tops.valid, 1)
    await ctx.tick()
    ctx.set(dut.tops.valid, 0)


def order_of(ctx, dut):
    payload = dut.orders.payload
    return Order(**{name: int(ctx.get(getattr(payload, name).as_value() if name in ("kind", "side") else getattr(payload, name)))
                    for name in Order._fields})


async def orders(ctx, dut, cycles=60):
    found = []
    ctx.set(dut.orders.ready, 1)
    for _ in range(cycles):
        if ctx.get(dut.orders.valid):
            found.append(order_of(ctx, dut))
        await ctx.tick()
    ctx.set(dut.orders.ready, 0)
    return found


def test_latency_and_the_order():
    dut = made(Trigger, TINY, ENTRIES)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        await commit(ctx, dut, 5, ENTRY)
        assert ctx.get(dut.armed) == 1 << 5
        await offer(ctx, dut, sequence=77, ingress=9)
        for _ in range(Trigger.LATENCY - 1):
            assert not ctx.get(dut.orders.valid)
            await ctx.tick()
        assert ctx.get(dut.orders.valid)
        assert order_of(ctx, dut) == Order(STRATEGY, 0, 2, SELL, 300, 990, 1, 77)
        assert ctx.get(dut.orders.payload.ingress) == 9
        assert (ctx.get(dut.armed), ctx.get(dut.fired)) == (0, 1 << 5)
        assert Trigger.LATENCY <= 4

    simulate(dut, testbench)


CONDITIONS = [
    (BID_AT_LEAST, 1000, True), (BID_AT_LEAST, 1001, False), (BID_AT_MOST, 1000, True), (BID_AT_MOST, 999, False),
    (ASK_AT_LEAST, 1010, True), (ASK_AT_LEAST, 1011, False), (ASK_AT_MOST, 1010, True), (ASK_AT_MOST, 1009, False),
    (BID_AT_MOST, 2**32 - 1, True), (ASK_AT_LEAST, 0, True),
]


@pytest.mark.parametrize(("when", "at", "met"), CONDITIONS)
def test_conditions(when, at, met):
    dut, entry = made(Trigger, TINY, ENTRIES), ENTRY._replace(when=when, at=at)
    assert entry.met_by(TOP) == met

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        await commit(ctx, dut, 0, entry)
        await offer(ctx, dut)
        assert len(await orders(ctx, dut)) == met
        assert ctx.get(dut.armed) == (not met)
        await commit(ctx, dut, 1, ENTRY._replace(when=when, at=2**32 - 1 if when in (BID_AT_MOST, ASK_AT_MOST) else 0))
        await commit(ctx, dut, 0, None)
        await offer(ctx, dut, TOP._replace(bid_price=0, ask_price=0))  # no price meets nothing
        assert await orders(ctx, dut) == []

    simulate(dut, testbench)


NOTHING = {
    "stale": {"stale": 1}, "halted": {"halted": 1}, "partial": {"partial": 1}, "crossed": {"crossed": 1}, "unchanged": {"changed": 0},
    "another symbol": {"symbol": 1}, "another venue": {"venue": 0}, "a venue that is not there": {"venue": 3},
}


@pytest.mark.parametrize("why", [*NOTHING, "disabled", "venue stale", "disarmed"])
def test_nothing_fires(why):
    dut = made(Trigger, TINY, ENTRIES)

    async def testbench(ctx):
        ctx.set(dut.enable, why != "disabled")
        ctx.set(dut.venue_stale, 0b10 if why == "venue stale" else 0)
        await commit(ctx, dut, 3, ENTRY)
        if why == "disarmed":
            await commit(ctx, dut, 3, None)
        await offer(ctx, dut, **NOTHING.get(why, {}))
        assert await orders(ctx, dut) == []
        assert ctx.get(dut.fired) == 0
        assert ctx.get(dut.armed) == (why != "disarmed") << 3

    simulate(dut, testbench)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_records_from_the_cycle_after_a_commit_on_are_compared_with_it(late):
    """And with what was there before until then."""
    dut, other = made(Trigger, TINY, ENTRIES), ENTRY._replace(at=1, shares=7)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        for first, second in ((None, ENTRY), (other, ENTRY._replace(at=2000)), (other, ENTRY)):
            await commit(ctx, dut, 5, first)
            for cycle in range(-1, 2):
                ctx.set(dut.commits.valid, cycle == 0)
                ctx.set(dut.commits.payload, {"index": 5, "entry": {"armed": 1, **second._asdict()}})
                ctx.set(dut.tops.valid, cycle == late)
                ctx.set(dut.tops.payload, {"venue": 1, "symbol": 2, "changed": 1, **TOP._asdict()})
                await ctx.tick()
            ctx.set(dut.tops.valid, 0)
            left = [order.shares for order in await orders(ctx, dut)]
            assert left == ([ENTRY.shares] if late > 0 and second == ENTRY else [])  # what had fired is spent by the commit

    simulate(dut, testbench)


def test_once_for_each_time_that_it_is_armed():
    dut = made(Trigger, TINY, ENTRIES)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        for _ in range(3):
            await commit(ctx, dut, 15, ENTRY)
            await offer(ctx, dut)
            await offer(ctx, dut)
            await offer(ctx, dut)
            assert len(await orders(ctx, dut)) == 1
        await commit(ctx, dut, 16, ENTRY)  # of no entry
        await offer(ctx, dut)
        assert await orders(ctx, dut) == []

    simulate(dut, testbench)


WAITING = {
    "stale": lambda ctx, dut: offer(ctx, dut, stale=1), "crossed": lambda ctx, dut: offer(ctx, dut, crossed=1),
    "committed anew": lambda ctx, dut: commit(ctx, dut, 1, ENTRY), "disarmed": lambda ctx, dut: commit(ctx, dut, 1, None),
}


@pytest.mark.parametrize("why", [*WAITING, "disabled", "venue stale"])
def test_what_waits_is_spent(why):
    """The one on offer stays so; the one behind it does not leave any more."""
    dut = made(Trigger, TINY, ENTRIES)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        await commit(ctx, dut, 0, ENTRY)
        await commit(ctx, dut, 1, ENTRY)
        await offer(ctx, dut)
        await ctx.tick().repeat(5)
        if why in WAITING:
            await WAITING[why](ctx, dut)
        else:
            ctx.set(dut.enable, why != "disabled")
            ctx.set(dut.venue_stale, 0b10 if why == "venue stale" else 0)
        await ctx.tick().repeat(2)
        assert len(await orders(ctx, dut)) == 1

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(2))
def test_equals_the_model(seed):
    """Commits, records and switches at random, orders that wait: the same orders, and the same entries armed and fired."""
    rng = random.Random(seed)
    dut, model, left = made(Trigger, TINY, ENTRIES), TriggerModel(ENTRIES), 0

    async def testbench(ctx):
        nonlocal left
        for step in range(900):
            what = rng.random()
            if what < 0.3:
                entry = Entry(rng.randrange(2), rng.randrange(2), rng.randrange(4), 1000 + rng.randrange(-8, 20), rng.randrange(2),
                              rng.choice([BUY, SELL]), rng.getrandbits(32), rng.getrandbits(32))
                index, one = rng.randrange(ENTRIES + 1), rng.choice([entry, entry, entry, None])
                model.commit(index, one)
                await commit(ctx, dut, index, one)
            elif what < 0.9:
                middle, gap = 1000 + rng.randrange(-5, 15), rng.randrange(1, 5)
                top = TopOfBook(rng.choice([0, *[middle] * 5]), 1, 1, rng.choice([0, *[middle + gap] * 5]), 1, 1)
                venue, symbol, sure = rng.randrange(2), rng.randrange(3), rng.random() < 0.9
                model.top(venue, symbol, top, sure=sure, sequence=step)
                await offer(ctx, dut, top, venue=venue, symbol=symbol, sequence=step, stale=not sure)
            else:
                if rng.random() < 0.2:
                    model.disable()
                    ctx.set(dut.enable, 0)
                    await ctx.tick().repeat(3)
                model.enabled = True
                ctx.set(dut.enable, 1)
            await ctx.tick().repeat(4)
            got = await orders(ctx, dut, 40)
            expected = []
            while (order := model.next()) is not None:
                expected.append(order)
            assert got == expected
            left += len(got)
            assert ctx.get(dut.armed) == sum(1 << index for index in model.armed)
            assert ctx.get(dut.fired) == sum(1 << index for index in model.fired)

    simulate(dut, testbench)
    assert left > 50


def test_every_cycle_and_nobody_waits_for_nothing():
    """Records in every cycle while orders wait: each entry leaves once, with the record that it fired on."""
    dut = made(Trigger, TINY, ENTRIES)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        for index in range(ENTRIES):
            await commit(ctx, dut, index, ENTRY._replace(at=1000 + index, shares=index + 1))
        for index in range(ENTRIES):
            await offer(ctx, dut, TOP._replace(bid_price=1000 + index, ask_price=2000), sequence=100 + index)
        got = await orders(ctx, dut, 80)
        assert [(order.shares, order.trigger_sequence) for order in got] == [(index + 1, 100 + index) for index in range(ENTRIES)]

    simulate(dut, testbench)

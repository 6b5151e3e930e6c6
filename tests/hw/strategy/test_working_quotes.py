"""Messages of the quoter against the golden model, and what must hold whatever comes and however fast."""

import random
from collections import Counter

import pytest

from hw.strategy.working_quotes import NewsKind, WorkingQuotes
from sim.golden.quoter import Judgement, Parameters, QuotesModel, Targets
from sim.golden.records import CANCEL_ORDER, NEW, REPLACE_ORDER, Order
from tests.hw.bench import made, simulate

SYMBOLS = 3
QUIET = 14
"""Cycles after which a judgement or news has had its effect."""


def record(judgement, parameters, *, epoch=0):
    return {
        "low": judgement.targets.bid, "high": judgement.targets.ask, "position": judgement.position, "shares": parameters.shares,
        "max_position": parameters.max_position, "threshold": parameters.threshold, "interval": parameters.interval,
        "unsure": not judgement.sure, "stale_terms": judgement.hold, "epoch": epoch, "sequence": judgement.sequence, "ingress": 0,
    }


def quotes(rng):
    middle = rng.randrange(50, 60)
    return Targets(rng.choice([0, *[middle - rng.randrange(1, 5)] * 6]), rng.choice([0, *[middle + rng.randrange(5)] * 6]))


def parameters(rng):
    return Parameters(shares=rng.choice([1, 100, 300]), max_position=rng.choice([0, 100, 400, 2**32 - 1]),
                      threshold=rng.randrange(4), interval=rng.choice([0, 0, 30, 60]))


async def set_up(ctx, dut):
    ctx.set(dut.enable, 1)
    ctx.set(dut.sure, -1)
    ctx.set(dut.orders.ready, 1)
    ctx.set(dut.cancels.ready, 1)
    await ctx.tick().repeat(20)


async def judge(ctx, dut, symbol, one):
    """``valid``, and in the next cycle what it is about."""
    ctx.set(dut.valid, 1)
    ctx.set(dut.symbol, symbol)
    await ctx.tick()
    ctx.set(dut.valid, 0)
    ctx.set(dut.judgement, one)
    await ctx.tick()


async def tell(ctx, dut, port, **news):
    ctx.set(dut.news[port].payload, {"kind": NewsKind.SENT, "symbol": 0, "side": 0, "message": 0, "user_ref": 0, "shares": 0} | news)
    ctx.set(dut.news[port].valid, 1)
    await ctx.tick()
    ctx.set(dut.news[port].valid, 0)


def taken(ctx, dut):
    return [_order(ctx, port.payload) for port in (dut.cancels, dut.orders) if ctx.get(port.valid) and ctx.get(port.ready)]


def _order(ctx, payload):
    return Order(**{name: int(ctx.get(getattr(payload, name).as_value() if name in ("kind", "side") else getattr(payload, name)))
                    for name in Order._fields})


async def messages(ctx, dut, cycles=QUIET):
    """All that comes in so many cycles, the cancels first."""
    found = []
    for _ in range(cycles):
        found += taken(ctx, dut)
        await ctx.tick()
    return sorted(found, key=lambda order: (order.kind != CANCEL_ORDER, order.side))


@pytest.mark.parametrize("seed", range(2))
def test_equals_the_model(seed):
    rng = random.Random(seed)
    dut, model, kinds = made(WorkingQuotes, SYMBOLS), QuotesModel(SYMBOLS), Counter()

    async def testbench(ctx):
        await set_up(ctx, dut)
        under_way, number = [], 0
        for cycle in range(1, 801):
            ctx.set(dut.now, 64 * cycle)
            what, symbol, side = rng.random(), rng.randrange(SYMBOLS), rng.randrange(2)
            if what < 0.5:
                mine = parameters(rng)
                one = Judgement(rng.choice([1, 1, 1, 1, 0]), quotes(rng), rng.choice([0, 0, 100, -100, 300, -400, -2**32, 2**32 - 1]),
                                rng.random() < 0.9, rng.random() < 0.1, rng.getrandbits(64))
                ctx.set(dut.venue, one.venue)
                unsure_by = rng.choice(["record", "enable", "sure"]) if not one.sure else ""
                ctx.set(dut.enable, unsure_by != "enable")
                ctx.set(dut.sure, ~(1 << symbol) if unsure_by == "sure" else -1)
                epoch = rng.random() < 0.5 and one.hold
                shown = one._replace(sure=unsure_by != "record", hold=one.hold and not epoch)
                await judge(ctx, dut, symbol, record(shown, mine, epoch=epoch))
                expected = model.judge(symbol, mine, one, 64 * cycle)
                under_way += expected
                assert await messages(ctx, dut) == expected
                kinds.update(order.kind for order in expected)
            elif what < 0.8 and under_way:
                order = under_way.pop(rng.randrange(len(under_way)))
                number += 1
                refused = rng.random() < 0.25
                await tell(ctx, dut, refused, kind=NewsKind.REFUSED if refused else NewsKind.SENT, symbol=order.symbol, side=order.side,
                           message=order.kind, user_ref=number)
                if refused:
                    model.refused(order.symbol, order.side, order.kind)
                else:
                    model.sent(order.symbol, order.side, order.kind, number)
                assert await messages(ctx, dut) == []
            else:
                shares = rng.choice([1, 50, 100, 300, 2**32 - 1])
                await tell(ctx, dut, 2, kind=NewsKind.DONE, symbol=symbol, side=side, shares=shares)
                model.reply(symbol, side, shares)
                assert await messages(ctx, dut) == []
        assert not ctx.get(dut.fault)

    simulate(dut, testbench)
    assert kinds[NEW] > 50
    assert kinds[REPLACE_ORDER] > 10
    assert kinds[CANCEL_ORDER] > 50


GOOD = Parameters(shares=100, max_position=100)


def test_latency():
    dut = made(WorkingQuotes, SYMBOLS)

    async def testbench(ctx):
        await set_up(ctx, dut)
        await judge(ctx, dut, 1, record(Judgement(0, Targets(10, 20)), GOOD))
        waited = 2
        while not ctx.get(dut.orders.valid):
            await ctx.tick()
            waited += 1
        assert waited == WorkingQuotes.LATENCY
        assert _order(ctx, dut.orders.payload).side == 0
        await ctx.tick()
        assert ctx.get(dut.orders.valid)
        assert _order(ctx, dut.orders.payload).side == 1

    simulate(dut, testbench)


def test_lost_news_are_a_fault_and_everything_goes():
    dut = made(WorkingQuotes, SYMBOLS)

    async def testbench(ctx):
        await set_up(ctx, dut)
        for symbol in (0, 1):
            await judge(ctx, dut, symbol, record(Judgement(0, Targets(10, 0)), GOOD))
            await messages(ctx, dut)
        await tell(ctx, dut, 0, symbol=0, user_ref=7)
        await messages(ctx, dut)
        for _ in range(30):
            await tell(ctx, dut, 1, symbol=2, kind=NewsKind.REFUSED)
        await messages(ctx, dut)
        assert ctx.get(dut.fault)
        cancelled = []
        for symbol in range(SYMBOLS):
            await judge(ctx, dut, symbol, record(Judgement(0, Targets(10, 20)), GOOD))
            cancelled += await messages(ctx, dut)
        assert [(order.symbol, order.kind, order.reference) for order in cancelled] == [(0, CANCEL_ORDER, 7)]
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        await ctx.tick().repeat(20)
        assert not ctx.get(dut.fault)
        await judge(ctx, dut, 1, record(Judgement(0, Targets(10, 20)), GOOD))
        assert [order.kind for order in await messages(ctx, dut)] == [NEW, NEW]

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_comes_however_fast(seed):
    """A judgement every cycle, news as they come, messages that wait: at most one message a side is under way, a NEW only where
    nothing is left, a REPLACE or CANCEL of what has left, nothing on what is unsure, nothing above the limit, and cancels get out."""
    rng = random.Random(seed)
    dut, kinds = made(WorkingQuotes, SYMBOLS), Counter()
    sides = {(symbol, side): {"left": 0, "reference": 0, "under_way": False, "cancelled": False, "doomed": False, "done": -100}
             for symbol in range(SYMBOLS) for side in range(2)}
    sure_before = [(1 << SYMBOLS) - 1] * 3
    pending = []  # news, and what they make known

    async def drive(ctx):
        await set_up(ctx, dut)
        following, news_at = None, [0] * len(dut.news)
        offered, busy = {"orders": None, "cancels": None}, {"orders": False, "cancels": False}
        for cycle in range(2500):
            ctx.set(dut.now, cycle)
            draining = cycle > 2200  # nothing is sure any more: all has to go
            symbol = rng.randrange(SYMBOLS)
            sure = 0 if draining else rng.choice([7, 7, 7, 7, 7, rng.randrange(8)])
            ctx.set(dut.sure, sure)
            ctx.set(dut.valid, 1)
            ctx.set(dut.symbol, symbol)
            if following is not None:
                ctx.set(dut.judgement, record(Judgement(0, quotes(rng), rng.choice([-100, 0, 0, 100])),
                                              Parameters(shares=100, max_position=150, threshold=1)))
            following = symbol
            for port in ("orders", "cancels"):
                ctx.set(getattr(dut, port).ready, rng.random() < 0.4)
            for number, port in enumerate(dut.news):
                ctx.set(port.valid, 0)
                if cycle >= news_at[number] and pending and rng.random() < 0.4:
                    news_at[number] = cycle + rng.choice([1, 30])
                    news, known = pending.pop(rng.randrange(len(pending)))
                    sides[news["symbol"], news["side"]].update(known | ({"done": cycle} if news["kind"] == NewsKind.DONE else {}))
                    ctx.set(port.payload, news)
                    ctx.set(port.valid, 1)
                    order = sides[news["symbol"], news["side"]]
                    if news["kind"] == NewsKind.SENT and not order["doomed"] and (news["message"] == CANCEL_ORDER or rng.random() < 0.05):
                        order["doomed"] = True
                        pending.append((news | {"kind": NewsKind.DONE, "shares": 100}, {"left": 0}))  # it has traded, or is dead
            for port in ("cancels", "orders"):
                stream = getattr(dut, port)
                now = _order(ctx, stream.payload) if ctx.get(stream.valid) else None
                if offered[port] is not None:
                    assert now == offered[port], "what was on offer has changed"
                elif now is not None:
                    check(now, cycle, just_judged=not busy[port])
                    kinds[now.kind] += 1
                busy[port] = now is not None
                offered[port] = now if now is not None and not ctx.get(stream.ready) else None
                if now is not None and ctx.get(stream.ready):
                    answer(now, cycle)
            sure_before[:] = *sure_before[1:], sure
            await ctx.tick()
        assert not ctx.get(dut.fault)
        assert all(one["left"] == 0 or one["cancelled"] for one in sides.values())

    def check(order, cycle, *, just_judged):
        state = sides[order.symbol, order.side]
        assert not state["under_way"], "two messages of a side under way"
        state["under_way"] = True
        if order.kind != CANCEL_ORDER and just_judged:  # else it stood behind the bid
            assert sure_before[0] >> order.symbol & 1, "based on what was not sure"
        if order.kind == NEW:
            assert state["left"] == 0
            state.update(left=order.shares, cancelled=False, doomed=False, reference=0)
        else:
            assert state["left"] > 0 or cycle - state["done"] < 40, "about an order that is gone"
            assert order.reference == state["reference"]
            assert not state["cancelled"] or cycle - state["done"] < 40

    def answer(order, cycle):
        """What becomes of it: it leaves, or it is refused."""
        base = {"symbol": order.symbol, "side": order.side, "message": order.kind, "user_ref": cycle, "shares": 0}
        if rng.random() < 0.1 and order.kind == NEW:
            pending.append((base | {"kind": NewsKind.REFUSED}, {"under_way": False, "left": 0}))
        else:
            known = {"cancelled": True} if order.kind == CANCEL_ORDER else {"reference": cycle}
            pending.append((base | {"kind": NewsKind.SENT}, {"under_way": False} | known))

    simulate(dut, drive)
    assert kinds[NEW] > 50
    assert kinds[REPLACE_ORDER] > 50
    assert kinds[CANCEL_ORDER] > 30

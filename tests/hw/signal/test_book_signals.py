"""The signals of the top of book and of trades against their golden models, bit for bit and in their cycle."""

import random

import pytest

from hw.config import CardConfig
from hw.signal.order_flow import OrderFlow
from hw.signal.ratio import Ratio
from hw.signal.traded_volume import TradedVolume
from hw.signal.weighted_mid import WeightedMid
from hw.types import Side
from sim.golden import signals as golden
from sim.golden.signals import smoothing
from tests.hw.bench import made, simulate
from tests.hw.signal.driver import rows, times

CONFIG = CardConfig("few", venues=2, symbols=3, orders=256, levels=64, backlog=128, events=64)


def updates(rng, count, *, dense):
    """Tops of random symbols that move a little, and at times a lot."""
    sent, symbol = [], 0
    for cycle in times(rng, count, dense=dense):
        symbol = symbol if rng.random() < 0.6 else rng.randrange(CONFIG.symbols)
        bid = rng.choice([100, 101, 102, rng.randint(1, 2**31)])
        top = {"bid_price": bid, "ask_price": bid + rng.choice([0, 1, 1, 2, rng.randint(0, 2**31 - 1)]),
               "bid_shares": rng.choice([1, rng.randint(1, 500), 2**32 - 1]), "ask_shares": rng.choice([1, rng.randint(1, 500), 2**32 - 1])}
        sent.append((cycle, "tops", {"symbol": symbol, "usable": rng.random() < 0.93, **top}))
    return sent


def top_of(record):
    return golden.Top(*(record[name] for name in golden.Top._fields)) if record["usable"] else None


@pytest.mark.parametrize("seed", range(3))
def test_order_flow(seed):
    rng = random.Random(seed)
    factor = smoothing(rng.choice([2, 5, 50, 1023])).factor
    sent = updates(rng, 500, dense=(1.0, 0.7)[seed % 2])
    restarts = {sent[150][0], sent[300][0] + 1, sent[400][0] - 1}
    got = rows(made(OrderFlow, CONFIG), "values", sent, ("symbol", "valid", "change", "total"),
               settings={"factor": factor}, restarts=restarts)
    models, valid = {}, 0
    assert len(got) == len(sent)
    for (cycle, _, record), (out, symbol, seen_valid, *seen) in zip(sent, got, strict=True):
        assert (out, symbol) == (cycle + OrderFlow.LATENCY, record["symbol"])
        if cycle - 1 in restarts:
            models = {}
        value = models.setdefault(symbol, golden.OrderFlow(factor)).update(top_of(record))
        if cycle in restarts:  # it is lost, and what was there before it
            models, value = {}, None
        elif cycle + 1 in restarts:
            models = {}
            if seen_valid:
                continue
            value = None
        assert seen_valid == (value is not None)
        if value is not None:
            valid += 1
            assert tuple(seen) == value
    assert valid > 200


def test_weighted_mid():
    sent = updates(random.Random(1), 600, dense=0.9)
    got = rows(made(WeightedMid), "values", sent, ("symbol", "valid", "value"))
    assert len(got) == len(sent)
    for (cycle, _, record), (out, symbol, valid, value) in zip(sent, got, strict=True):
        assert (out, symbol, valid) == (cycle + WeightedMid.LATENCY, record["symbol"], record["usable"])
        if valid:
            assert value == golden.weighted_mid(top_of(record))


def test_traded_volume():
    rng = random.Random(2)
    sent = [(cycle, "trades", {
        "symbol": rng.randrange(CONFIG.symbols), "usable": rng.random() < 0.9, "side": rng.choice(list(Side)),
        "shares": rng.choice([rng.randint(1, 1_000), 2**32 - 1])}) for cycle in times(rng, 300, dense=0.8)]
    restarts = {sent[100][0], sent[200][0] + 1}
    got = rows(made(TradedVolume, CONFIG), "values", sent, ("symbol", "valid", "bought", "sold"), restarts=restarts)
    got = {row[0]: row[1:] for row in got}
    models, compared = {}, 0
    for cycle, _, trade in sent:
        if {cycle, cycle - 1} & restarts:
            models = {}
        if cycle in restarts:
            assert cycle + TradedVolume.LATENCY not in got
            continue
        symbol, model = trade["symbol"], models.setdefault(trade["symbol"], golden.TradedVolume())
        if trade["usable"]:
            model.update(trade["shares"], resting_sell=trade["side"] == Side.SELL)
        seen = got[cycle + TradedVolume.LATENCY]
        assert seen[:2] == (symbol, trade["usable"])
        if trade["usable"]:
            compared += 1
            assert seen[2:] == (model.bought, model.sold)
        if cycle + 1 in restarts:
            models = {}
    assert compared > 200


@pytest.mark.parametrize(("width", "scale"), [(50, 100 / 128), (33, 1.0)])
def test_ratio_in_every_cycle(width, scale):
    rng = random.Random(width)
    operands = [(0, 0), (1, 1), (2**width - 1, 2**width - 1), (0, 2**width - 1)]
    for _ in range(1_500):
        whole = rng.getrandbits(rng.randint(1, width))
        operands.append((whole if rng.random() < 0.05 else rng.randint(0, whole), whole))
    dut = made(Ratio, width, scale)

    async def testbench(ctx):
        for cycle, (part, whole) in enumerate(operands + [(0, 0)] * dut.LATENCY):
            if cycle >= dut.LATENCY:
                assert ctx.get(dut.quotient) == golden.ratio(*operands[cycle - dut.LATENCY], scale)
            ctx.set(dut.part, part)
            ctx.set(dut.whole, whole)
            await ctx.tick()

    simulate(dut, testbench)


def test_latencies_are_those_that_are_documented():
    assert (OrderFlow.LATENCY, WeightedMid.LATENCY, TradedVolume.LATENCY, Ratio.LATENCY) == (8, 8, 2, 5)

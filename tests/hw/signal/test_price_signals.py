"""The signals of prices against their golden models, bit for bit and in their cycle, also with one update in two cycles on one symbol."""

import random

import pytest

from hw.config import CardConfig
from hw.signal.ema import Ema
from hw.signal.macd import Macd
from hw.signal.rsi import Rsi
from hw.signal.sampler import Sampler
from hw.signal.volatility import Volatility
from hw.types import SignalSource
from sim.golden import signals as golden
from sim.golden.signals import smoothing
from tests.hw.bench import made
from tests.hw.signal.driver import rows, sampled, times

CONFIG = CardConfig("few", venues=2, symbols=3, orders=256, levels=64, backlog=128, events=64)


def wilder(period):
    return smoothing(period, wilder=True)


CASES = {
    "ema": (Ema, golden.Ema, {"setting": smoothing}, ("value",)),
    "rsi": (Rsi, golden.Rsi, {"setting": wilder}, ("value",)),
    "macd": (Macd, golden.Macd, {"fast": smoothing, "slow": smoothing, "signal": smoothing}, ("macd", "signal")),
    "volatility": (Volatility, golden.Volatility, {"setting": smoothing}, ("variance",)),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CASES)
def test_equals_the_golden_model(name, seed):
    component, model, kinds, fields = CASES[name]
    rng = random.Random(f"{name} {seed}")
    periods = sorted(rng.sample(range(2, 12), len(kinds)))
    settings = {port: kind(period) for (port, kind), period in zip(kinds.items(), periods, strict=True)}
    sent, told = sampled(seed, CONFIG.symbols, 400, dense=(1.0, 0.7)[seed % 2], restarts=0.01)
    dut = made(component, CONFIG)
    got = rows(dut, "values", sent, ("symbol", "valid", *fields),
               settings={port: setting._asdict() for port, setting in settings.items()})

    models, valid = {}, 0
    assert len(got) == len(sent)
    for (cycle, _, _), (symbol, price, first), (out, *seen) in zip(sent, told, got, strict=True):
        assert out == cycle + component.LATENCY
        if first:
            models[symbol] = model(**settings)
        value = None if price is None else models[symbol].update(price)
        assert seen[:2] == [symbol, value is not None]
        if value is not None:
            valid += 1
            assert tuple(seen[2:]) == (value if isinstance(value, tuple) else (value,))
    assert valid > 60


def test_latencies_are_those_that_are_documented():
    assert (Sampler.LATENCY, Ema.LATENCY, Rsi.LATENCY, Macd.LATENCY, Volatility.LATENCY) == (2, 4, 8, 8, 8)


@pytest.mark.parametrize("source", list(SignalSource))
def test_sampler(source):
    rng = random.Random(source.name)
    sent = []
    for cycle in times(rng, 300, dense=0.6):
        symbol = rng.randrange(CONFIG.symbols)
        top = {"symbol": symbol, "usable": rng.random() < 0.9, "bid_price": rng.getrandbits(32), "ask_price": rng.getrandbits(32) or 1}
        trade = {"symbol": symbol, "usable": rng.random() < 0.9, "price": rng.getrandbits(32) or 1}
        sent += [(cycle, "tops", top), (cycle, "trades", trade)]
    restarts = {sent[200][0], sent[300][0] + 1, sent[400][0] - 1}
    fields = ("symbol", "usable", "first", "second", "price", "exponent", "base", "deviation", "rises", "change")
    got = rows(made(Sampler, CONFIG), "samples", sent, fields, settings={"source": source}, restarts=restarts)

    port = {SignalSource.NONE: None, SignalSource.TOPS: "tops", SignalSource.TRADES: "trades"}[source]
    expected, state = [], {}
    for cycle, lane, record in sent:
        if lane != port:
            continue
        if {cycle, cycle - 1} & restarts:
            state = {}
        if cycle in restarts:
            continue
        symbol = record["symbol"]
        if not record["usable"]:
            expected.append((cycle + 2, symbol, 0))
            continue
        price = record["bid_price"] + record["ask_price"] if lane == "tops" else 2 * record["price"]
        number, base, last = state.get(symbol, (0, price, price))
        expected.append((cycle + 2, symbol, 1, number == 0, number == 1, price, price.bit_length() - 1, base, price - base,
                         price > last, abs(price - last)))
        state[symbol] = (number + 1, base, price)
        if cycle + 1 in restarts:
            state = {}
    assert len(got) == len(expected)
    assert [row[:len(want)] for row, want in zip(got, expected, strict=True)] == expected

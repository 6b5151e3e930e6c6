"""The signals' arithmetic against TA-Lib and against floating point, within the bounds of docs/signals.md."""

import math
import random

import pytest

from sim.golden.signals import (
    MAX_PERIOD,
    DecayedSum,
    Ema,
    Macd,
    OrderFlow,
    Rsi,
    Top,
    TradedVolume,
    Volatility,
    logarithm,
    ratio,
    smoothing,
    weighted_mid,
)

talib = pytest.importorskip("talib")
import numpy as np  # noqa: E402

UNIT = 2**17
"""Of a price sample (half a unit of price) with its bits behind the point."""


def walk(seed, length=3_000, start=1_500_000, step=40):
    """Mid prices of a random walk, in half a unit of price."""
    rng = random.Random(seed)
    price, prices = 2 * start, []
    for _ in range(length):
        price = max(2, price + rng.choice([0, 0, 0, 100, -100, 200, -200, rng.randint(-step, step)]))
        prices.append(price)
    return prices


def ema_bound(period, prices):
    """In half a unit of price: the seed's share of the early spread, the coefficient's of the lag, and the roundings."""
    early = max(abs(price - prices[0]) for price in prices[:period])
    exact = talib.EMA(np.array(prices, dtype=float), timeperiod=period)
    lag = max(abs(price - mean) for price, mean in zip(prices, exact, strict=True) if not math.isnan(mean))
    return (period * (early + 1) + (period + 1) / 2 * (lag + 2)) / UNIT


def compare(got, exact, bound):
    """Values are there exactly where TA-Lib has some, and within the bound; returns the largest difference."""
    worst = 0
    for mine, theirs, room in zip(got, exact, bound, strict=True):
        assert (mine is None) == math.isnan(theirs)
        if mine is not None:
            assert abs(mine - theirs) <= room
            worst = max(worst, abs(mine - theirs))
    return worst


@pytest.mark.parametrize("period", [2, 3, 12, 26, 200, MAX_PERIOD])
@pytest.mark.parametrize("seed", [1, 2])
def test_ema_is_ta_lib_s(period, seed):
    prices = walk(seed)
    model = Ema(smoothing(period))
    got = [value if (value := model.update(price)) is None else value / UNIT for price in prices]
    bound = ema_bound(period, prices)
    worst = compare(got, talib.EMA(np.array(prices, dtype=float), timeperiod=period), [bound] * len(prices))
    assert worst > bound / 1_000, "the bound says nothing"


@pytest.mark.parametrize("periods", [(12, 26, 9), (5, 35, 5), (2, 3, 2), (100, 300, 50)])
def test_macd_is_ta_lib_s(periods):
    prices = walk(3)
    fast, slow, signal = periods
    model = Macd(smoothing(fast), smoothing(slow), smoothing(signal))
    got = [model.update(price) for price in prices]
    lines, signals, _ = talib.MACD(np.array(prices, dtype=float), fastperiod=fast, slowperiod=slow, signalperiod=signal)
    known = [line for line in lines if not math.isnan(line)]
    of_line = ema_bound(fast, prices[slow - fast:]) + ema_bound(slow, prices) + fast * abs(prices[slow - fast] - prices[0]) / UNIT
    of_signal = of_line + (signal * 2 * max(map(abs, known)) + (signal + 1) / 2 * (2 * max(map(abs, known)) + 2)) / UNIT
    compare([line if line is None else line[0] / UNIT for line in got], lines, [of_line] * len(prices))
    compare([line if line is None else line[1] / UNIT for line in got], signals, [of_signal] * len(prices))
    assert of_signal < 2 or slow > 100


@pytest.mark.parametrize("period", [2, 7, 14, 100])
def test_rsi_is_ta_lib_s(period):
    prices = walk(4)
    model = Rsi(smoothing(period, wilder=True))
    got, bound = [], []
    largest = max(abs(b - a) for a, b in zip(prices, prices[1:], strict=False))
    for price in prices:
        value = model.update(price)
        got.append(value if value is None else value / 1024)
        mean = model.changes.value / UNIT
        bound.append(2**-8 + 200 * period * (largest + 1) / UNIT / mean if mean else 100)
    worst = compare(got, talib.RSI(np.array(prices, dtype=float), timeperiod=period), bound)
    assert worst < 0.1


def test_rsi_of_what_only_rises_falls_or_stands():
    def last(*prices):
        model = Rsi(smoothing(2, wilder=True))
        return [model.update(price) for price in prices][-1]

    assert 100 * 1024 - 2 <= last(10, 20, 30, 50) <= 100 * 1024
    assert last(50, 30, 20, 10) == 0
    assert last(10, 10, 10, 10) == 0
    assert last(10, 20) is None


def test_volatility_against_floating_point():
    rng = random.Random(5)
    price, prices = 2_000_000.0, []
    for _ in range(5_000):
        price *= math.exp(rng.gauss(0, 3e-4))
        prices.append(round(price))
    period = 60
    model = Volatility(smoothing(period))
    got = [model.update(price) for price in prices]
    returns = [math.log(b / a) for a, b in zip(prices, prices[1:], strict=False)]
    mean, seen = sum(one * one for one in returns[:period]) / period, 0
    for index, one in enumerate(returns):
        if index >= period:
            mean += 2 / (period + 1) * (one * one - mean)
        if index >= period - 1:
            volatility, exact = math.sqrt(got[index + 1] / 2**60), math.sqrt(mean)
            assert abs(volatility - exact) <= 2**-21 + 1e-3 * exact
            seen += 1
    assert seen > 4_900


def test_a_jump_is_no_return():
    model = Volatility(smoothing(2))
    assert [model.update(price) for price in (1_000_000, 1_010_000, 1_000_000)][-1]
    assert model.update(1_040_000) is None
    assert model.update(1_040_000)  # and goes on from there


def test_logarithm_is_within_its_bound():
    rng = random.Random(6)
    every = [*range(1, 3_000), *(1 << bit for bit in range(33)), *((1 << bit) - 1 for bit in range(1, 34))]
    every += [rng.getrandbits(rng.randint(1, 33)) or 1 for _ in range(50_000)]
    worst = max(abs(logarithm(x) / 2**26 - math.log(x)) for x in every)
    assert 2**-26 < worst < 2**-23


@pytest.mark.parametrize("scale", [1.0, 100 / 128])
def test_ratio_is_within_its_bound(scale):
    rng = random.Random(7)
    worst = 0.0
    for _ in range(100_000):
        b = rng.getrandbits(rng.randint(1, 51)) or 1
        a = b if rng.random() < 0.05 else rng.randint(0, b)
        worst = max(worst, abs(ratio(a, b, scale) / 2**17 - scale * a / b))
        assert ratio(a, b, scale) <= scale * 2**17
    assert 2**-18 < worst < 2**-15
    assert ratio(0, 0, scale) == 0


def test_weighted_mid_against_fractions():
    rng = random.Random(8)
    for _ in range(20_000):
        bid = rng.randint(1, 2**rng.randint(1, 31))
        top = Top(bid, rng.randint(1, 2**rng.randint(0, 32) - 1 or 1), bid + rng.randint(0, 2**rng.randint(0, 31)), rng.randint(1, 2**20))
        exact = (top.bid_price * top.ask_shares + top.ask_price * top.bid_shares) / (top.ask_shares + top.bid_shares)
        assert abs(weighted_mid(top) / 2**18 - exact) <= (top.ask_price - top.bid_price) * 2**-15 + 1e-6


def test_the_raw_imbalance_is_that_of_the_paper():
    model = OrderFlow(1 << 16)
    book = [
        (Top(100, 5, 102, 7), None),
        (Top(100, 8, 102, 7), 3),  # more wanted at the same bid
        (Top(101, 2, 102, 7), 2),  # a better bid counts in full
        (Top(99, 4, 102, 7), -2),  # and is gone in full
        (Top(99, 4, 101, 6), -6),
        (Top(99, 4, 103, 9), 6),
        (Top(99, 4, 103, 4), 5),
        (None, None),
        (Top(100, 4, 103, 4), None),  # nothing is known of what happened between
        (Top(100, 4, 103, 4), 0),
    ]
    total = 0.0
    for top, change in book:
        result = model.update(top)
        assert (result if result is None else result[0]) == change
        if change is not None:
            total = total / 2 + change
            assert abs(result[1] / 2**7 - total) < 2 * 2**-7


def test_a_decayed_sum_stays_within_its_bound():
    rng = random.Random(9)
    factor = smoothing(50).factor
    model, exact = DecayedSum(factor), 0.0
    for _ in range(10_000):
        x = rng.randint(-1_000, 1_000)
        exact += x - factor / 2**17 * exact
        assert abs(model.update(x << 7) / 2**7 - exact) <= 2**17 / factor * 2**-7


def test_volume_wraps_and_knows_the_aggressor():
    model = TradedVolume()
    assert model.update(100, resting_sell=True) == (100, 0)
    assert model.update(30, resting_sell=False) == (100, 30)
    model.bought = 2**48 - 1
    assert model.update(2, resting_sell=True) == (1, 30)


@pytest.mark.parametrize("period", [-1, 0, 1, MAX_PERIOD + 1])
def test_a_period_out_of_range_is_refused(period):
    with pytest.raises(ValueError, match="a period must be 2 to 1023"):
        smoothing(period)

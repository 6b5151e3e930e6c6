"""Reference models of the signals: the arithmetic of hw/signal, bit for bit, in plain integers.

A value has ``FRACTION`` bits behind the point where nothing else is said; ``>>`` rounds down. How far this arithmetic may be from the
exact one says docs/signals.md, and tests/sim/golden/test_signals.py holds it against TA-Lib and against floating point.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

FRACTION = 17
"""Bits of a coefficient, and bits behind the point of what is smoothed."""

MAX_PERIOD = 1023


class Smoothing(NamedTuple):
    """How a mean is seeded and goes on; coefficients in units of 2^-17."""

    period: int
    """Updates whose plain mean is the first value."""
    seed: int
    """1 / period, rounded down."""
    factor: int
    """Weight of an update after that."""


def smoothing(period: int, *, wilder: bool = False) -> Smoothing:
    """Of an EMA, 2 / (period + 1), or of Wilder's mean, 1 / period."""
    if not 2 <= period <= MAX_PERIOD:
        raise ValueError(f"a period must be 2 to {MAX_PERIOD}, not {period}")
    seed = (1 << FRACTION) // period
    return Smoothing(period, seed, seed if wilder else ((4 << FRACTION) // (period + 1) + 1) // 2)


@dataclass
class Smoother:
    """A mean that forgets; its state is a signed number of 51 bits."""

    setting: Smoothing
    value: int = 0
    count: int = 0

    @property
    def valid(self) -> bool:
        return self.count >= self.setting.period

    def update(self, x: int) -> int:
        """One more value of at most 51 bits."""
        if self.valid:
            self.value += (self.setting.factor * x >> FRACTION) - (self.setting.factor * self.value >> FRACTION)
        else:
            self.value += self.setting.seed * x >> FRACTION
            self.count += 1
        return self.value


@dataclass
class DecayedSum:
    """A sum of which each update takes ``factor`` away first."""

    factor: int
    value: int = 0

    def update(self, x: int) -> int:
        self.value += x - (self.factor * self.value >> FRACTION)
        return self.value


INDEX = 10
"""Bits of a number behind its leading one that choose a row of a table."""


@cache
def reciprocals(scale: float) -> tuple[tuple[int, int], ...]:
    """For each row the tangent of ``scale / m`` in the row's middle, m from 1/2 to 1: its value at the row's start, its slope."""
    rows = []
    for row in range(1 << INDEX):
        middle = 0.5 + (row + 0.5) / (2 << INDEX)
        rows.append((math.floor(scale * (1 / middle + 0.5 / (2 << INDEX) / middle**2) * 2**17), round(scale / middle**2 * 2**16)))
    return tuple(rows)


def ratio(a: int, b: int, scale: float = 1.0) -> int:
    """``scale * a / b`` in units of 2^-17, for 0 <= a <= b, with an error below 2^-15; 0 for b = 0."""
    if not b:
        return 0
    bits = b.bit_length()
    m, part = (b << 52 - bits) >> 33, (a << 52 - bits) >> 34  # 19 bits from the leading one on, and 18 of the numerator
    base, slope = reciprocals(scale)[m >> 8 & 1023]
    return part * base - ((part * (m & 255) >> 8) * slope >> 10) >> 18


LN_FRACTION = 26


@cache
def logarithms() -> tuple[tuple[int, int], ...]:
    """For each row the logarithm's chord, m from 1 to 2, moved by half its largest error: its value at the row's start, its rise."""
    rows = []
    for row in range(1 << INDEX):
        low, high = 1 + row / (1 << INDEX), 1 + (row + 1) / (1 << INDEX)
        rise = math.log(high / low)
        touch = (high - low) / rise  # there the logarithm is farthest above the chord
        away = math.log(touch / low) - rise * (touch - low) / (high - low)
        rows.append((round((math.log(low) + away / 2) * (1 << LN_FRACTION)), round(rise * (1 << LN_FRACTION))))
    return tuple(rows)


LN_2 = tuple(round(exponent * math.log(2) * (1 << LN_FRACTION)) for exponent in range(33))


def logarithm(x: int) -> int:
    """ln x in units of 2^-26, for 1 <= x < 2^33, with an error below 2^-23."""
    exponent = x.bit_length() - 1
    m = (x << 32 - exponent) >> 5  # 28 bits from the leading one on
    base, rise = logarithms()[m >> 17 & 1023]
    return base + LN_2[exponent] + (rise * (m & 0x1FFFF) >> 17)


class Top(NamedTuple):
    """A top of book that signals may be made of: both sides there, nothing stale, halted, in the middle of a change or crossed."""

    bid_price: int
    bid_shares: int
    ask_price: int
    ask_shares: int

    @property
    def mid(self) -> int:
        """Twice the price: in half a unit of price, as every price sample is."""
        return self.bid_price + self.ask_price


@dataclass
class Ema:
    """Of the price; in 1/10000 of the currency unit with 18 bits behind the point."""

    setting: Smoothing
    base: int = 0

    def __post_init__(self) -> None:
        self._mean = Smoother(self.setting)

    def update(self, price: int) -> int | None:
        """The value after one more price sample, None before ``period`` of them."""
        if not self._mean.count:
            self.base = price
        self._mean.update((price - self.base) << FRACTION)
        return (self.base << FRACTION) + self._mean.value if self._mean.valid else None


@dataclass
class Macd:
    """Fast less slow mean, and the mean of that; prices with 18 bits behind the point."""

    fast: Smoothing
    slow: Smoothing
    signal: Smoothing

    def __post_init__(self) -> None:
        self._fast, self._slow, self._signal = map(Smoother, (self.fast, self.slow, self.signal))
        self._base, self._count = 0, 0

    def update(self, price: int) -> tuple[int, int] | None:
        """MACD and signal line, None until both are there."""
        if not self._count:
            self._base = price
        self._count += 1
        x = (price - self._base) << FRACTION
        if self._count > self.slow.period - self.fast.period:  # so that both means are seeded by the same price
            self._fast.update(x)
        self._slow.update(x)
        if not self._slow.valid:
            return None
        macd = self._fast.value - self._slow.value
        signal = self._signal.update(macd)
        return (macd, signal) if self._signal.valid else None


@dataclass
class Rsi:
    """0 to 100, with 10 bits behind the point."""

    setting: Smoothing

    def __post_init__(self) -> None:
        self.rises, self.changes = Smoother(self.setting), Smoother(self.setting)
        self._last: int | None = None

    def update(self, price: int) -> int | None:
        last, self._last = self._last, price
        if last is None:
            return None
        self.rises.update(max(price - last, 0) << FRACTION)
        self.changes.update(abs(price - last) << FRACTION)
        return ratio(self.rises.value, self.changes.value, 100 / 128) if self.changes.valid else None


RETURN_FRACTION = 22
MAX_RETURN = 1 << 17
"""In units of 2^-22, 3.1 %: what is not below it is no return."""


@dataclass
class Volatility:
    """Mean square of the log returns, in units of 2^-60."""

    setting: Smoothing

    def __post_init__(self) -> None:
        self._mean = Smoother(self.setting)
        self._last: int | None = None

    def update(self, price: int) -> int | None:
        last, self._last = self._last, logarithm(price)
        if last is None:
            return None
        change = self._last - last + 8 >> LN_FRACTION - RETURN_FRACTION
        if abs(change) >= MAX_RETURN:
            return None
        self._mean.update(change * change << 16)
        return self._mean.value if self._mean.valid else None


FLOW_FRACTION = 7


@dataclass
class OrderFlow:
    """Order-flow imbalance: of the last change in shares, and its decayed sum with 7 bits behind the point."""

    factor: int

    def __post_init__(self) -> None:
        self._sum = DecayedSum(self.factor)
        self._last: Top | None = None

    def update(self, top: Top | None) -> tuple[int, int] | None:
        """None for a top that can't be relied on, which makes the next one a first one."""
        last, self._last = self._last, top
        if top is None or last is None:
            return None
        change = (
            (top.bid_price >= last.bid_price) * top.bid_shares - (top.bid_price <= last.bid_price) * last.bid_shares
            - (top.ask_price <= last.ask_price) * top.ask_shares + (top.ask_price >= last.ask_price) * last.ask_shares)
        return change, self._sum.update(change << FLOW_FRACTION)


def weighted_mid(top: Top) -> int:
    """Bid and ask weighted by the size on the other side, with 18 bits behind the point."""
    share = ratio(top.bid_shares, top.bid_shares + top.ask_shares)
    return (top.bid_price << 18) + ((top.ask_price - top.bid_price) * share << 1)


@dataclass
class TradedVolume:
    """Shares bought and sold by those who came to trade, modulo 2^48."""

    bought: int = 0
    sold: int = 0

    def update(self, shares: int, *, resting_sell: bool) -> tuple[int, int]:
        """An execution of a resting order: the other side was the aggressor."""
        if resting_sell:
            self.bought = (self.bought + shares) % (1 << 48)
        else:
            self.sold = (self.sold + shares) % (1 << 48)
        return self.bought, self.sold



class Settings(NamedTuple):
    """How the signals are made, of all symbols."""

    ema: Smoothing
    rsi: Smoothing
    macd_fast: Smoothing
    macd_slow: Smoothing
    macd_signal: Smoothing
    volatility: Smoothing
    order_flow: int


class SymbolSignals:
    """All signals of one symbol. What an update leaves without a value is None."""

    def __init__(self, settings: Settings) -> None:
        self.ema, self.rsi, self.volatility = Ema(settings.ema), Rsi(settings.rsi), Volatility(settings.volatility)
        self.macd = Macd(settings.macd_fast, settings.macd_slow, settings.macd_signal)
        self.order_flow, self.volume = OrderFlow(settings.order_flow), TradedVolume()

    def price(self, price: int | None) -> dict[str, int | tuple[int, int] | None]:
        """A price sample, in half a unit; None: there is none that can be relied on."""
        if price is None:
            return dict.fromkeys(("ema", "rsi", "macd", "volatility"))
        return {"ema": self.ema.update(price), "rsi": self.rsi.update(price), "macd": self.macd.update(price),
                "volatility": self.volatility.update(price)}

    def top(self, top: Top | None) -> dict[str, int | tuple[int, int] | None]:
        """A change of the top of book; None: it can't be relied on."""
        return {"order_flow": self.order_flow.update(top), "weighted_mid": None if top is None else weighted_mid(top)}

    def trade(self, shares: int, *, resting_sell: bool, usable: bool) -> dict[str, int | tuple[int, int] | None]:
        """An execution of a resting order."""
        return {"traded_volume": self.volume.update(shares, resting_sell=resting_sell) if usable else None}

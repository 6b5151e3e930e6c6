"""The card's signals, as the host sets them up and looks at them (docs/signals.md)."""

from typing import NamedTuple

from host.card.control import Control
from host.card.limit_writer import POLLS
from host.card.protocol import CardError
from host.card.registers import REGISTERS

SCALE = 17
"""Coefficients are in units of 2^-17."""

LONGEST = 1023

SOURCES = {"off": 0, "tops": 1, "trades": 2}
"""What the signals of a price are made of."""


class Periods(NamedTuple):
    """Updates that the signals look back, in the way of each."""

    ema: int = 20
    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    volatility: int = 60
    order_flow: int = 50
    """The sum loses 2 / (period + 1) each update."""

    def check(self) -> None:
        for name, period in self._asdict().items():
            if not 2 <= period <= LONGEST:
                raise ValueError(f"the period of {name} must be 2 to {LONGEST}, not {period}")
        if self.macd_fast >= self.macd_slow:
            raise ValueError(f"the fast period of MACD must be below the slow one: {self.macd_fast}, {self.macd_slow}")


class SymbolSignals(NamedTuple):
    """The last values of a symbol; None where there is none that can be relied on."""

    ema: float | None
    """Prices are in the currency unit."""
    rsi: float | None
    macd: float | None
    macd_line: float | None
    volatility: float | None
    """Standard deviation of the log return from one update to the next."""
    flow_change: int | None
    """Order-flow imbalance of the last update, in shares."""
    flow_sum: float | None
    weighted_mid: float | None
    bought: int | None
    """Shares of executed sell orders since the settings."""
    sold: int | None


def factor(period: int) -> int:
    """2 / (period + 1)."""
    return ((4 << SCALE) // (period + 1) + 1) // 2


def set_signals(control: Control, periods: Periods, *, venue: int, source: str = "tops") -> None:
    """Has the card make all signals anew, of one venue's book; the source "off" leaves those that are not of a price."""
    if not control.read("CONFIG_SIGNALS"):
        raise CardError(f"the card {control.identity.configuration} makes no signals")
    if not 0 <= venue < control.sizes.venues:
        raise ValueError(f"this card has venues 0 to {control.sizes.venues - 1}, not {venue}")
    if source not in SOURCES:
        raise ValueError(f"signals are made of {', '.join(SOURCES)}, not {source!r}")
    periods.check()
    control.write("SIGNAL_SOURCE", REGISTERS["SIGNAL_SOURCE"].pack(venue=venue))
    for name, period in periods._asdict().items():
        if name == "order_flow":
            control.write("SIGNAL_FLOW_FACTOR", factor(period))
            continue
        register, seed = f"SIGNAL_{name.upper()}", (1 << SCALE) // period
        weight = seed if name == "rsi" else factor(period)
        control.write(register, REGISTERS[register].pack(seed=seed, period=period, factor=weight))
    control.write("SIGNAL_SOURCE", REGISTERS["SIGNAL_SOURCE"].pack(source=SOURCES[source], venue=venue))


def signals(control: Control, symbol: int) -> SymbolSignals:
    """The last values of a symbol; what belongs to one signal is of one update."""
    if not 0 <= symbol < control.sizes.symbols:
        raise ValueError(f"this card has symbol slots 0 to {control.sizes.symbols - 1}, not {symbol}")
    control.write("SIGNAL_SYMBOL", symbol)
    for _ in range(POLLS):
        if not REGISTERS["SIGNAL_SYMBOL"].unpack(control.read("SIGNAL_SYMBOL"))["busy"]:
            break
    else:
        raise CardError(f"the card does not show the signals of symbol {symbol}")
    valid = REGISTERS["SIGNAL_VALID"].unpack(control.read("SIGNAL_VALID"))
    price = 1 / (10_000 << 18)

    def value(register: str, signal: str) -> int | None:
        return control.read(register) if valid[signal] else None

    def scaled(register: str, signal: str, unit: float) -> float | None:
        number = value(register, signal)
        return None if number is None else number * unit

    variance = scaled("VARIANCE", "volatility", 2.0**-60)
    return SymbolSignals(
        ema=scaled("EMA_VALUE", "ema", price), rsi=scaled("RSI_VALUE", "rsi", 2.0**-10),
        macd=scaled("MACD_VALUE", "macd", price), macd_line=scaled("MACD_LINE", "macd", price),
        volatility=None if variance is None else variance**0.5,
        flow_change=value("FLOW_CHANGE", "order_flow"), flow_sum=scaled("FLOW_SUM", "order_flow", 2.0**-7),
        weighted_mid=scaled("WEIGHTED_MID", "weighted_mid", price),
        bought=value("VOLUME_BOUGHT", "traded_volume"), sold=value("VOLUME_SOLD", "traded_volume"))

"""What the host works out for the quoter on the card: a market maker's figures in the card's fixed point (docs/strategies.md)."""

import math
from typing import NamedTuple

TICK_BITS = 16
FRACTION = 12
"""Bits behind the point of a distance in ticks."""
RISK_FRACTION = 24
"""Bits behind the point of the risk of one share, in ticks."""
TIME_UNIT_BITS = 16
"""The card counts the time left in 2^16 of its cycles."""
VARIANCE_FRACTION = 48
"""The card's variance of a log return is in units of 2^-48."""

_SHIFTS = 32 + 16
"""What the card drops of the product of aversion, variance and time."""
_BITS = {"aversion": 32, "constant": 31, "end": 32, "tick": 16, "reciprocal": 32, "shares": 32, "max_position": 32, "threshold": 16,
         "interval": 31}


class QuoterParameters(NamedTuple):
    """Of one symbol, as they are committed."""

    enable: int
    aversion: int
    constant: int
    end: int
    tick: int
    reciprocal: int
    shares: int
    max_position: int
    threshold: int
    interval: int

    def check(self) -> None:
        """ValueError for what does not fit its field, or would be too coarse to mean anything."""
        for name, bits in _BITS.items():
            value = getattr(self, name)
            if not 0 <= value < 1 << bits:
                raise ValueError(f"quoter: {name} must be 0 to {(1 << bits) - 1}, not {value}")
        if self.aversion < 1024:
            raise ValueError(f"quoter: aversion must be at least 1024 in the card's unit, not {self.aversion}")


def variance_unit(price: float, samples_per_second: float) -> float:
    """What 1 of the card's variance stands for, in currency units squared per second: it is of log returns from sample to sample."""
    return price * price * samples_per_second / (1 << VARIANCE_FRACTION)


def time_unit(clock_hz: int) -> float:
    """What 1 of the card's time left stands for, in seconds."""
    return (1 << TIME_UNIT_BITS) / clock_hz


def quoter_parameters(
    gamma: float, k: float, *, tick: int, shares: int, max_position: int, end: int, variance_unit: float, time_unit: float,
    threshold: int = 0, interval: int = 0,
) -> QuoterParameters:
    """The parameters for a market maker of Avellaneda and Stoikov's model.

    Parameters
    ----------
    gamma : float
        Risk aversion, in 1 / currency unit, for an inventory counted in quotes.
    k : float
        How fast the rate of trades falls with the distance from the middle, in 1 / currency unit.
    tick : int
        In 1/10000 of the currency unit.
    shares : int
        Of one quote.
    end : int
        In units of ``time_unit`` since the card's reset.
    variance_unit, time_unit : float
        What 1 of the card's variance (currency unit squared per second) and time left (seconds) stand for.

    Raises
    ------
    ValueError
        What does not fit its field; an aversion below 1024 would lose more than a thousandth to rounding.
    """
    if gamma <= 0 or k <= 0 or not 1 <= tick < 1 << TICK_BITS:
        raise ValueError(f"expected gamma and k above 0 and a tick of 1 to {(1 << TICK_BITS) - 1}, not {gamma}, {k}, {tick}")
    if shares < 1:
        raise ValueError(f"expected at least 1 share a quote, not {shares}")
    size = tick / 10_000
    result = QuoterParameters(
        enable=1,
        aversion=round(gamma * variance_unit * time_unit / (size * shares) * 2.0 ** (RISK_FRACTION + _SHIFTS)),
        constant=round(2 / gamma * math.log(1 + gamma / k) / size * (1 << FRACTION)),
        end=end, tick=tick, reciprocal=-(-(1 << 31) // tick), shares=shares, max_position=max_position, threshold=threshold,
        interval=interval,
    )
    result.check()
    return result

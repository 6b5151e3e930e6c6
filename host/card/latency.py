"""The card's own tick-to-trade histogram (docs/telemetry.md)."""

from typing import NamedTuple

from host.card.control import Control
from host.card.limit_writer import POLLS
from host.card.protocol import CardError
from host.card.registers import REGISTERS

FINE = 16
"""Parts into which a doubling of the latency is divided, from twice as many cycles on."""

BINS = 464


class Bin(NamedTuple):
    """Latencies from ``first`` to ``last`` cycles, and how many orders had one of them."""

    first: int
    last: int
    orders: int


class Latencies(NamedTuple):
    """Cycles from the last byte of a feed message in to the first word out of the frame of an order that it led to."""

    bins: tuple[Bin, ...]
    """Those that are not empty."""
    orders: int
    total: int
    """Sum of all latencies."""
    least: int | None
    most: int | None

    def percentile(self, share: float) -> int | None:
        """The latency that this share of the orders, 0 to 1, did not pass: the last cycle of its bin, at most ``most``."""
        if not 0 <= share <= 1:
            raise ValueError(f"a share is 0 to 1, not {share}")
        seen, counted = 0, sum(one.orders for one in self.bins)
        for one in self.bins:
            seen += one.orders
            if seen >= share * counted:
                return one.last if self.most is None else min(one.last, self.most)
        return None


def bounds(number: int) -> tuple[int, int]:
    """First and last latency of a bin."""
    if number < 2 * FINE:
        return number, number
    width = 1 << number // FINE - 1
    first = (FINE + number % FINE) * width
    return first, first + width - 1


def latencies(control: Control) -> Latencies:
    """Reads the histogram. Orders that leave meanwhile may be in a bin and not in the sum, or the reverse."""
    count, total, least, most = (control.read(f"LATENCY_{name}") for name in ("COUNT", "SUM", "LEAST", "MOST"))
    last = 0 if not count else next(number for number in range(BINS) if bounds(number)[1] >= most)
    bins = (Bin(*bounds(number), _orders(control, number)) for number in range(last + 1)) if count else ()
    return Latencies(tuple(one for one in bins if one.orders), count, total, least if count else None, most if count else None)


def clear_latencies(control: Control) -> None:
    """Begins the histogram anew."""
    control.write("LATENCY_CLEAR", 1)
    _wait(control, "clearing")


def _orders(control: Control, number: int) -> int:
    control.write("LATENCY_BIN", number)
    _wait(control, "busy")
    return control.read("LATENCY_BIN_COUNT")


def _wait(control: Control, flag: str) -> None:
    for _ in range(POLLS):
        if not REGISTERS["LATENCY_BIN"].unpack(control.read("LATENCY_BIN"))[flag]:
            return
    raise CardError(f"the card's latency histogram stays {flag}")

"""The card's time of day, set and kept right by the host, and the time of every event in it (docs/telemetry.md)."""

from collections import deque
from typing import Final

from host.card.control import Control
from host.card.events import ClockReading, Event, OrderSent

FRACTION: Final = 32
"""Bits behind the point of a clock's increment."""

WORD: Final = 1 << 32

MOST_RATE: Final = 100_000_000
"""Parts in 10^9 that a rate may differ from the nominal one: a tenth, far more than any oscillator."""


def set_clock(control: Control, time: int) -> None:
    """Sets the card's clock to ``time`` (ns since the epoch, TAI), at its nominal rate; it runs from then on."""
    if not 0 < time < 1 << 64:
        raise ValueError(f"a time is 1 to {(1 << 64) - 1} ns since the epoch (TAI), not {time}")
    set_rate(control, 0)
    control.write("TAI_SET", time)


def adjust_clock(control: Control, offset: int) -> None:
    """Moves the card's clock by ``offset`` ns at once, either way."""
    if not -(1 << 31) <= offset < 1 << 31:
        raise ValueError(f"a clock is moved by at most 2^31 ns (2.1 s) at a time, not by {offset}: set it")
    control.write("TAI_ADJUST", offset % WORD)


def set_rate(control: Control, faster: int) -> None:
    """Has the card's clock run faster than its oscillator tells by so many parts in 10^9, or slower if negative."""
    if not -MOST_RATE <= faster <= MOST_RATE:
        raise ValueError(f"a clock's rate differs by at most {MOST_RATE} parts in 10^9, not by {faster}")
    hertz = control.sizes.clock_hz
    control.write("TAI_INCREMENT", (((10**9 + faster) << FRACTION) + hertz // 2) // hertz)


def clock_time(control: Control) -> int:
    """What the card's clock shows, in ns since the epoch (TAI); 0: it has never been set."""
    return control.read("TAI_TIME")


class Timestamps:
    """Tells the TAI time of the card's events, from the readings of its clock among them.

    Give it every event in the order in which the card told them. A time is exact to the nanosecond below, by the last reading at or
    before its cycle.
    """

    def __init__(self) -> None:
        self._readings: deque[ClockReading] = deque(maxlen=16)

    def hear(self, event: Event) -> None:
        if isinstance(event, ClockReading):
            self._readings.append(event)

    def of(self, event: Event) -> int | None:
        """When the record was made; of an order sent that is when the first word of its frame left. None: the clock has not been set."""
        return self._at(event.card_time)

    def of_trigger(self, event: OrderSent) -> int | None:
        """When the last byte of the message came that caused the order."""
        return self._at((event.card_time - event.latency) % WORD)

    def _at(self, cycle: int) -> int | None:
        """TAI time of a cycle, given by its low 32 bits: within 13 s of the reading at 156.25 MHz."""
        if not self._readings:
            return None
        for reading in reversed(self._readings):
            since = (cycle - reading.cycles + WORD // 2) % WORD - WORD // 2
            if since >= 0:
                break
        return reading.time + (since * reading.increment >> FRACTION)

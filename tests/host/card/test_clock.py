"""The card's clock as the host sets it, and the times of events."""

import pytest

from host.card.clock import Timestamps, adjust_clock, clock_time, set_clock, set_rate
from host.card.control import Control
from host.card.events import ClockReading, OrderSent
from host.card.registers import REGISTERS
from tests.host.card.model_card import ModelCard

NOMINAL = 27_487_790_694
"""6.4 ns in 2^-32 ns."""


@pytest.fixture
def card():
    return ModelCard("tiny")


def test_it_is_set_after_its_rate(card):
    set_clock(Control(card), 1_900_000_000 * 10**9)
    assert card.get("TAI_SET") == 1_900_000_000 * 10**9
    assert card.get("TAI_INCREMENT") == NOMINAL
    assert [offset for offset, _ in card.writes] == [
        REGISTERS[name].address() + 4 * word for name in ("TAI_INCREMENT", "TAI_SET") for word in range(2)]


def test_rate_and_offset(card):
    control = Control(card)
    set_rate(control, 1_000)  # one part in a million
    assert card.get("TAI_INCREMENT") == NOMINAL + 27_488
    set_rate(control, -100_000_000)
    assert card.get("TAI_INCREMENT") == round(5.76 * 2**32)
    adjust_clock(control, -3)
    assert card.get("TAI_ADJUST") == (1 << 32) - 3
    card.put("TAI_TIME", 77)
    assert clock_time(control) == 77


@pytest.mark.parametrize(("act", "value", "complaint"), [
    (set_clock, 0, "a time is 1 to 18446744073709551615 ns since the epoch"),
    (set_clock, 1 << 64, "a time is"),
    (adjust_clock, 1 << 31, "at most 2.31 ns"),
    (set_rate, 100_000_001, "differs by at most 100000000 parts"),
])
def test_what_makes_no_sense_is_refused(card, act, value, complaint):
    with pytest.raises(ValueError, match=complaint):
        act(Control(card), value)
    assert card.writes == []


def reading(cycles, time, increment=NOMINAL):
    return ClockReading(cycles % (1 << 32), False, cycles, time, increment)


def sent(cycle, latency=0):
    return OrderSent(cycle % (1 << 32), False, 0, 0, 0, 1, 1, 1, 0, 1, 1, latency)


def test_without_a_reading_there_is_no_time():
    assert Timestamps().of(sent(5)) is None


def test_times_before_and_after_a_reading_and_over_the_end_of_the_count():
    times, start = Timestamps(), (1 << 40) - 100
    times.hear(sent(7))
    times.hear(reading(start, 10**18))
    assert times.of(sent(start + 250, latency=25)) == 10**18 + 1_600 - 1  # the increment is a little below 6.4 ns
    assert times.of_trigger(sent(start + 250, latency=25)) == 10**18 + 1_440 - 1
    assert times.of(sent(start - 100)) == 10**18 - 640


def test_the_last_reading_at_or_before_the_event_counts():
    times = Timestamps()
    for cycles, time in ((1_000, 10_000), (2_000, 50_000), (3_000, 90_000)):
        times.hear(reading(cycles, time, 5 << 32))
    assert [times.of(sent(cycle)) for cycle in (999, 1_001, 1_999, 2_000, 2_999, 3_002)] == [9_995, 10_005, 14_995, 50_000, 54_995, 90_010]

"""Tick-to-trade of the whole card, as make bench measures it."""

import pytest

from hw.card import STAGES
from sim.perf import latency


@pytest.fixture(scope="module")
def measured():
    return latency.measure()


def test_every_trigger_is_measured(measured):
    assert measured["triggers"] == 3 * 2 * 2 * 8  # kinds, venues, sides, byte lanes
    assert [stage["name"] for stage in measured["stages"]] == [name for name, _, _ in STAGES]
    assert all(stage["cycles"] >= 0 for stage in measured["stages"])


@pytest.mark.slow
def test_over_tcp_it_is_the_same(measured):
    """The header leaves while the order's checksum is being made, as in a datagram."""
    over_tcp = latency.measure(over_tcp=True)
    for definition in ("end_of_trigger_to_first_byte_out", "start_of_message_to_start_of_frame"):
        assert over_tcp[definition] == measured[definition]


@pytest.mark.parametrize("kind", ["A", "F", "U"])
def test_constant_for_a_kind_of_message_on_every_byte_lane(measured, kind):
    found = measured["end_of_trigger_to_first_byte_out"][kind]
    assert found["min"] == found["max"]


def test_start_of_message_is_as_much_earlier_as_the_message_is_long(measured):
    ends, starts = measured["end_of_trigger_to_first_byte_out"], measured["start_of_message_to_start_of_frame"]
    for kind, length in (("A", 36), ("F", 40), ("U", 35)):
        assert starts[kind]["min"] - ends[kind]["min"] == (length - 1) // 8
        assert starts[kind]["max"] - ends[kind]["max"] == (length + 6) // 8


def test_a_latency_that_the_card_reports_otherwise_is_refused():
    frame = next(latency.frames(latency._Script().messages, latency.feed_addresses(2)))
    last = frame.places[-1].last_word
    assert latency._first("A", frame, 100, 100 + last + 24, 24).from_end == 24
    with pytest.raises(latency.MeasurementError, match="says that an order took 23 cycles, at its ports it took 24"):
        latency._first("A", frame, 100, 100 + last + 24, 23)

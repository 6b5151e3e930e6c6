"""Exchange time to card cycles."""

import pytest

from sim.session.timeline import Timeline


def test_frames_come_at_their_own_times():
    timeline = Timeline(156_250_000, idle_limit=1_000, origin=500)
    times = [10_000_000, 10_000_064, 10_000_640, 10_000_640, 10_001_000]
    assert [timeline.arrival(time) for time in times] == [500, 510, 600, 600, 656]
    assert timeline.cut == 0


def test_a_long_pause_is_cut_and_counted():
    timeline = Timeline(156_250_000, idle_limit=100, origin=0)
    assert [timeline.arrival(time) for time in (6_400, 6_400 + 64_000, 6_400 + 64_640)] == [0, 100, 200]
    assert timeline.cut == 10_000 - 100


def test_rounding_never_adds_up():
    timeline = Timeline(156_250_000, idle_limit=1_000, origin=0)
    last = 0
    for step in range(1, 100_001):
        last = timeline.arrival(step * 7)
    assert last == 100_000 * 7 * 156_250_000 // 10**9 - 7 * 156_250_000 // 10**9


def test_time_never_goes_back():
    timeline = Timeline(156_250_000, idle_limit=1_000, origin=0)
    timeline.arrival(2_000)
    with pytest.raises(ValueError, match="came after"):
        timeline.arrival(1_000)

"""What the clock and the latency histogram tell, and the bank asks for."""

from amaranth.hdl import unsigned
from amaranth.lib import data

from hw.types import Cycles

ClockIncrement = unsigned(40)
"""What the time grows by each cycle, in 2^-32 ns: up to 256 ns."""


class ClockReading(data.Struct):
    """What the clock showed in one cycle, from which the time of every other cycle follows until the next reading."""

    cycles: 64
    time: 64
    increment: ClockIncrement


FINE = 4
"""Bits behind the leading one of a latency that choose its bin: a doubling has 2^4 bins, each at most a sixteenth of its latency wide."""

LatencyBin = range((Cycles.width - FINE + 1) << FINE)
"""The bins that a latency may fall into."""

LatencyCount = unsigned(48)


class LatencySummary(data.Struct):
    """What has been counted since it was cleared."""

    count: LatencyCount
    sum: 64
    least: Cycles
    """All ones while nothing has been counted."""
    most: Cycles

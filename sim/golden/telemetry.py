"""Reference models of the card's clock and of its latency histogram."""

from bisect import bisect_right
from collections import Counter
from itertools import pairwise

POINT = 1 << 32
"""The clock counts in 2^-32 ns."""


class ClockModel:
    """Nanoseconds TAI, one cycle after another; what is asked for has its effect at once."""

    def __init__(self) -> None:
        self.running = False
        self.increment = 0
        self._fine = 0

    def set(self, time: int) -> None:
        self._fine, self.running = time * POINT, True

    def adjust(self, offset: int) -> None:
        if self.running:
            self._fine += offset * POINT

    def tick(self) -> None:
        if self.running:
            self._fine += self.increment

    @property
    def time(self) -> int:
        return self._fine // POINT % (1 << 64)


def _starts() -> list[int]:
    """The first latency of each bin: 32 bins of one cycle, then 16 bins each of 2, 4, 8 ... cycles, up to 2^32."""
    starts = list(range(32))
    width = 2
    while starts[-1] + width // 2 < 1 << 32:
        starts += [starts[-1] + width // 2 + width * number for number in range(16)]
        width *= 2
    return starts


STARTS = _starts()


class HistogramModel:
    """Latencies in cycles."""

    def __init__(self) -> None:
        self.bins: Counter[int] = Counter()
        self.count = self.sum = self.most = 0
        self.least = (1 << 32) - 1

    def add(self, latency: int) -> None:
        self.bins[bisect_right(STARTS, latency) - 1] += 1
        self.count += 1
        self.sum += latency
        self.least, self.most = min(self.least, latency), max(self.most, latency)


def widths() -> list[int]:
    """Latencies in each bin but the last."""
    return [after - before for before, after in pairwise(STARTS)]

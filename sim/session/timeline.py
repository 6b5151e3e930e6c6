"""When a frame arrives at the card, given when the venue sent it."""

NANOSECONDS = 1_000_000_000


class Timeline:
    """Open loop: frames come at their own times, whatever the card does; only long quiet times are cut.

    Parameters
    ----------
    clock_hz : int
        Of the card.
    idle_limit : int
        Cycles to which a longer pause is cut.
    origin : int
        Cycle of the first frame.
    """

    def __init__(self, clock_hz: int, idle_limit: int, origin: int):
        self._clock_hz, self._idle_limit = clock_hz, idle_limit
        self._cycle, self._time = origin, 0
        self.cut = 0
        """Cycles left out so far."""

    def arrival(self, time: int) -> int:
        """Cycle at which a frame of this exchange time arrives; times never fall."""
        if self._time:
            gap = time * self._clock_hz // NANOSECONDS - self._time * self._clock_hz // NANOSECONDS
            if gap < 0:
                raise ValueError(f"a frame of time {time} came after one of {self._time}")
            self.cut += max(gap - self._idle_limit, 0)
            self._cycle += min(gap, self._idle_limit)
        self._time = time
        return self._cycle

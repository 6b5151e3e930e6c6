"""A/B line arbitration: every message of a venue once and in order, whichever line brings it first.

The model has no time: whoever drives it says when a hole has been open too long.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from sim.golden.moldudp64 import Gap

LINE_A, LINE_B, RECOVERY = range(3)
RECOVERED = 4
"""Queue of the recovery line; before it two for each other line, of frames in order and of those overtaken."""

Event = TypeVar("Event")


class LineFrame(NamedTuple, Generic[Event]):
    """A good frame of a line: the numbers of its messages, and its events with theirs."""

    first: int
    next: int
    events: tuple[tuple[int, Event], ...] = ()


class LineArbiterModel(Generic[Event]):
    """What reaches the book.

    Parameters
    ----------
    expected : int
        Number of the next message.

    Attributes
    ----------
    until : int
        Where the gap told last ends; 0: there is none, or all is well again.
    counts : Counter
        MESSAGES, DUPLICATES, RESTORED and EARLY.
    """

    def __init__(self, expected: int = 1):
        self.expected = expected
        self.until = 0
        self.counts: Counter[str] = Counter()
        self._lines: list[deque[LineFrame[Event]]] = [deque() for _ in range(5)]
        self._order: list[tuple[int | None, int]] = [(None, 1 << 64)] * 2

    def restart(self, expected: int) -> None:
        """The host names the next message; what the lines hold is thrown away."""
        self.expected, self.until = expected, 0
        self._order = [(None, 1 << 64)] * 2
        for line in self._lines:
            line.clear()

    def frame(self, line: int, first: int, following: int, events: Iterable[tuple[int, Event]] = ()) -> list[tuple[int, Event]]:
        """A line has a good frame. Returns all events whose turn has come, with their numbers."""
        queue = self._lines[RECOVERED]
        if line != RECOVERY:
            end, hole = self._order[line]
            late = end is not None and first < end and following > hole  # overtaken on its way: those ahead may be waiting for it
            queue = self._lines[2 * line + late]
            if not late and (end is None or following > end):
                self._order[line] = following, hole if end is None or first <= end else end
        queue.append(LineFrame(first, following, tuple(events)))
        return self._deliver()

    def gap(self) -> Gap | None:
        """The hole has been open too long: what is missing, unless it was told before. The session is the caller's to fill in."""
        if not self.hole or self.expected < self.until:
            return None
        self.until = self._lowest
        return Gap(b"", self.expected, self.until - self.expected)

    def give_up(self) -> list[tuple[int, Event]]:
        """Nobody will bring what is missing in front of the first frame that waits."""
        if self.hole:
            self.expected = self._lowest
        return self._deliver()

    @property
    def hole(self) -> bool:
        """Frames wait, and something is missing in front of all of them."""
        return any(self._lines)

    @property
    def recovered(self) -> bool:
        """What was missing has come or was given up, and nothing waits."""
        return self.expected >= self.until and not self.hole

    @property
    def _lowest(self) -> int:
        return min(line[0].first for line in self._lines if line)

    def _deliver(self) -> list[tuple[int, Event]]:
        """Takes frames while there is one whose turn it is; lines keep their own order."""
        out: list[tuple[int, Event]] = []
        while (line := next((line for line in self._lines if line and line[0].first <= self.expected), None)) is not None:
            frame = line.popleft()
            out += [(sequence, event) for sequence, event in frame.events if sequence >= self.expected]
            new = max(frame.next - self.expected, 0)
            self.counts["MESSAGES"] += new
            self.counts["DUPLICATES"] += frame.next - frame.first - new
            self.counts["RESTORED"] += new if line is self._lines[RECOVERED] else 0
            self.expected += new
        self.counts["EARLY"] += len(self._lines[RECOVERED])  # these can be asked for again
        self._lines[RECOVERED].clear()
        return out

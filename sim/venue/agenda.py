"""What is to happen, in the order of its time: the clock of an exchange is wherever this stands."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any


class Agenda:
    """Actions by time; at one time in the order in which they were asked for.

    Attributes
    ----------
    now : int
        Nanoseconds since midnight.
    """

    def __init__(self, now: int):
        self.now = now
        self._turn = count()
        self._actions: list[tuple[int, int, Callable[..., Any], tuple[Any, ...]]] = []

    def at(self, time: int, action: Callable[..., Any], *arguments: Any) -> None:
        """Later, or next of all if the time is past."""
        heapq.heappush(self._actions, (max(time, self.now), next(self._turn), action, arguments))

    def advance(self, until: int) -> None:
        """Does all that is due, and what comes of it, until then."""
        while self._actions and self._actions[0][0] <= until:
            self.now, _, action, arguments = heapq.heappop(self._actions)
            action(*arguments)
        self.now = max(self.now, until)

"""Reference model of the breaker for repeated executions: so many of a strategy in a window, and it is off."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Executions:
    """:meth:`cycle` begins a clock cycle."""

    counts: Counter[int] = field(default_factory=Counter)
    tripped: set[int] = field(default_factory=set)
    _passed: int = 0
    _over: bool = False

    def cycle(self, window: int) -> None:
        """A window of so many cycles; none if 0. Its last cycle still counts."""
        if self._over:
            self.counts.clear()
        self._passed += 1
        self._over = bool(window) and self._passed >= window
        if self._over:
            self._passed = 0

    def executed(self, strategy: int, limit: int) -> None:
        if limit:
            self.counts[strategy] += 1
            if self.counts[strategy] > limit:
                self.tripped.add(strategy)

    def rearm(self, strategies: set[int]) -> None:
        self.tripped -= strategies

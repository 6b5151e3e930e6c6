"""When the hardware's book must answer an event, by the table of its docstring."""


class BookTiming:
    """Told of every event when it was taken, says after how many cycles its record must be there."""

    AT_ONCE, WAITED, SECOND = 3, 6, 2
    """What names no order; what names one, or is too close behind such an operation; two more for the second operation of an event."""

    def __init__(self) -> None:
        self._waiting: tuple[int, ...] = ()

    def cycles(self, taken: int, *, names_an_order: bool, operations: int = 1) -> int:
        """``taken``: the cycle. ``operations``: 2 where an order goes and another one comes, even if the first is unknown."""
        if not names_an_order and not {taken - 2, taken - 4} & set(self._waiting):
            return self.AT_ONCE
        last = taken + self.SECOND * (operations - 1)
        self._waiting = (taken, last) if operations == 2 else (*self._waiting[-1:], taken)
        return self.WAITED + self.SECOND * (operations - 1)

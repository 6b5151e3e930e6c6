"""Where the fields of a venue's message are."""

from typing import NamedTuple

from hw.reasons import AnswerKind


class Layout(NamedTuple):
    """A message: its bytes without appendage, whether there may be one, what it does, and (offset, bytes) of its fields."""

    length: int
    appendage: bool
    answer: AnswerKind
    fields: dict[str, tuple[int, int]]
    unsure: bool = False
    """It does not say by how much the position, or an order, is another than the card thinks."""

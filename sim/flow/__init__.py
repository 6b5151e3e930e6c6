"""Order flow to trade against: seeded markets, and real files brought to the same form.

Everything here yields :class:`Message`: one ITCH 5.0 message of one venue with its exchange time.
"""

from typing import NamedTuple

__all__ = ["Message"]


class Message(NamedTuple):
    """One ITCH 5.0 message as a venue sends it."""

    time: int
    """Nanoseconds since midnight, as in the message."""
    venue: int
    data: bytes
    """From the type byte on, without a length."""

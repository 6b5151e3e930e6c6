"""IEX DEEP 1.0: which messages change a book, and how. A book of DEEP is made of levels, not of orders."""

from typing import NamedTuple

from sim.golden.itch50 import HIGHEST_PRICE, MalformedMessage
from sim.golden.records import BUY, SELL, SET, BookEvent

MESSAGE_LENGTHS: dict[str, int] = {
    "S": 10, "D": 31, "H": 22, "I": 18, "O": 18, "P": 19, "E": 18, "8": 30, "5": 30, "T": 38, "B": 38, "X": 26, "A": 80,
}  # fmt: skip
"""Bytes of each message, its type included."""

NAMES = {
    "S": "system event", "D": "directory", "H": "trading status", "I": "retail liquidity", "O": "operational halt",
    "P": "short sale test", "E": "security event", "8": "buy level", "5": "sell level", "T": "trade", "B": "trade break",
    "X": "official price", "A": "auction",
}  # fmt: skip

COMPLETE = 0x01
"""Event flag: the levels are whole again after this message."""


class Change(NamedTuple):
    """What a message means to a book."""

    event: BookEvent
    name: str


def decode(message: bytes) -> Change | None:
    """The change to a book that a message means, or None if it means none.

    The event's reference is that of slot 0: whoever knows the symbol's slot uses :func:`level_reference`.
    """
    kind = chr(message[0]) if message else ""
    if not kind or kind not in "85":
        return None
    if len(message) != MESSAGE_LENGTHS[kind]:
        raise MalformedMessage(f"a '{kind}' message has {MESSAGE_LENGTHS[kind]} bytes, not {len(message)}")
    side = BUY if kind == "8" else SELL
    price = int.from_bytes(message[22:30], "little")
    if price > HIGHEST_PRICE:
        raise MalformedMessage(f"price of a '{kind}' message is {price}, more than {HIGHEST_PRICE}")
    shares = int.from_bytes(message[18:22], "little")
    event = BookEvent(
        SET, side, 0, level_reference(0, side, price), 0, shares, price, time_of(message) & (1 << 48) - 1,
        partial=0 if message[1] & COMPLETE else 1,
    )  # fmt: skip
    return Change(event, name_of(message))


def level_reference(slot: int, side: int, price: int) -> int:
    """The number under which a book keeps a level: no two levels of a venue have the same."""
    return price | side << 32 | slot << 33


def time_of(message: bytes) -> int:
    """Nanoseconds since the Unix epoch; an event holds the lower 48 bits of it."""
    return int.from_bytes(message[2:10], "little")


def name_of(message: bytes) -> str:
    """The symbol, padded to eight characters; empty where the message is about none."""
    return message[10:18].decode("latin-1")

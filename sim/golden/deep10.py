"""IEX DEEP 1.0: which messages change a book, and how; what others say of trading and of trades.

A book of DEEP is made of levels, not of orders.
"""

from typing import NamedTuple

from sim.golden.itch50 import MalformedMessage
from sim.golden.records import BUY, SELL, SET, BookEvent, MarketState, Trade

MESSAGE_LENGTHS: dict[str, int] = {
    "S": 10, "D": 31, "H": 22, "I": 18, "O": 18, "P": 19, "E": 18, "8": 30, "5": 30, "T": 38, "B": 38, "X": 26, "A": 80,
}  # fmt: skip
"""Bytes of each message, its type included."""

NAMES = {
    "S": "system event", "D": "directory", "H": "trading status", "I": "retail liquidity", "O": "operational halt",
    "P": "short sale test", "E": "security event", "8": "buy level", "5": "sell level", "T": "trade", "B": "trade break",
    "X": "official price", "A": "auction",
}  # fmt: skip

STATE_TYPES = "SHOP"
CHECKED_TYPES = "85T" + STATE_TYPES
"""Those that are looked at; the others only pass by."""

COMPLETE = 0x01
"""Event flag: the levels are whole again after this message."""


UNKNOWN_PRICE = 0xFFFFFFFF
"""Of a trade at more than a price holds; an order may have it."""


class Change(NamedTuple):
    """What a message means to a book."""

    event: BookEvent
    name: str


def decode(message: bytes) -> Change | None:
    """The change to a book that a message means, or None if it means none.

    The event's reference is that of slot 0: whoever knows the symbol's slot uses :func:`level_reference`.
    """
    kind = _type_of(message)
    if not kind or kind not in "85":
        return None
    side = BUY if kind == "8" else SELL
    price = int.from_bytes(message[22:30], "little")
    if price > UNKNOWN_PRICE:
        price = 0  # at which no level can be
    shares = int.from_bytes(message[18:22], "little")
    event = BookEvent(
        SET, side, 0, level_reference(0, side, price), 0, shares, price, _timestamp(message),
        partial=0 if message[1] & COMPLETE else 1,
    )  # fmt: skip
    return Change(event, name_of(message))


def trade(message: bytes) -> tuple[Trade, str] | None:
    """The trade that a message tells, or None, and its symbol."""
    if _type_of(message) != "T":
        return None
    price = min(int.from_bytes(message[22:30], "little"), UNKNOWN_PRICE)
    shares, match = int.from_bytes(message[18:22], "little"), int.from_bytes(message[30:38], "little")
    return Trade("T", 0, shares, price, match, message[1], _timestamp(message)), name_of(message)


def market_state(message: bytes) -> tuple[MarketState, str | None] | None:
    """What a message says of trading, in the words of ITCH, or None; and the symbol, None where it is about all of them."""
    kind = _type_of(message)
    if not kind or kind not in STATE_TYPES:
        return None
    state = MarketState(kind, 0, message[1], 0, 0, 0, 0, _timestamp(message))
    match kind:
        case "S":
            return state._replace(code=ord("Q") if message[1:2] == b"R" else message[1]), None
        case "H":
            state = state._replace(detail=int.from_bytes(message[18:22], "big"))
        case "O":
            state = state._replace(kind="h", code=ord("T" if message[1:2] == b"N" else "H"))
        case "P":
            state = state._replace(kind="Y", detail=message[18])
    return state, name_of(message)


def _type_of(message: bytes) -> str:
    """A message's type; one that is looked at must have its length."""
    kind = chr(message[0]) if message else ""
    if kind and kind in CHECKED_TYPES and len(message) != MESSAGE_LENGTHS[kind]:
        raise MalformedMessage(f"a '{kind}' message has {MESSAGE_LENGTHS[kind]} bytes, not {len(message)}")
    return kind


def _timestamp(message: bytes) -> int:
    return time_of(message) & (1 << 48) - 1


def level_reference(slot: int, side: int, price: int) -> int:
    """The number under which a book keeps a level: no two levels of a venue have the same."""
    return price | side << 32 | slot << 33


def time_of(message: bytes) -> int:
    """Nanoseconds since the Unix epoch; an event holds the lower 48 bits of it."""
    return int.from_bytes(message[2:10], "little")


def name_of(message: bytes) -> str:
    """The symbol, padded to eight characters; empty where the message is about none."""
    return message[10:18].decode("latin-1")

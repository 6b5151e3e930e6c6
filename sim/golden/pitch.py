"""Cboe multicast PITCH: which messages change a book, and how; what others say of trading and of trades."""

from typing import NamedTuple

from sim.golden.itch50 import MalformedMessage
from sim.golden.pitch_unit import END_OF_SESSION, TIME, UNIT_CLEAR
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent, MarketState, Trade

ADD_LONG, ADD_SHORT, ADD_EXPANDED = 0x21, 0x22, 0x2F
EXECUTED, EXECUTED_AT_PRICE = 0x23, 0x24
REDUCE_LONG, REDUCE_SHORT = 0x25, 0x26
MODIFY_LONG, MODIFY_SHORT = 0x27, 0x28
DELETE_ORDER = 0x29
TRADE_LONG, TRADE_SHORT, TRADE_EXPANDED = 0x2A, 0x2B, 0x30
TRADING_STATUS = 0x31

NAMES = {
    TIME: "time", UNIT_CLEAR: "unit clear", END_OF_SESSION: "end of session",
    ADD_LONG: "add long", ADD_SHORT: "add short", ADD_EXPANDED: "add expanded",
    EXECUTED: "executed", EXECUTED_AT_PRICE: "executed at price", REDUCE_LONG: "reduce long", REDUCE_SHORT: "reduce short",
    MODIFY_LONG: "modify long", MODIFY_SHORT: "modify short", DELETE_ORDER: "delete",
    TRADE_LONG: "trade long", TRADE_SHORT: "trade short", TRADE_EXPANDED: "trade expanded", 0x2C: "trade break",
    TRADING_STATUS: "trading status", 0x95: "auction update", 0x96: "auction summary",
    0x01: "login", 0x02: "login response", 0x03: "gap request", 0x04: "gap response",
    0x80: "spin image available", 0x81: "spin request", 0x82: "spin response", 0x83: "spin finished",
}  # fmt: skip

LENGTHS = {
    TIME: 6, UNIT_CLEAR: 6, ADD_LONG: 34, ADD_SHORT: 26, ADD_EXPANDED: 41, EXECUTED: 26, EXECUTED_AT_PRICE: 38, REDUCE_LONG: 18,
    REDUCE_SHORT: 16, MODIFY_LONG: 27, MODIFY_SHORT: 19, DELETE_ORDER: 14, TRADE_LONG: 41, TRADE_SHORT: 33, TRADE_EXPANDED: 43,
    0x2C: 14, END_OF_SESSION: 6, TRADING_STATUS: 18, 0x95: 47, 0x96: 27,
}  # fmt: skip
"""Bytes of each message of the US equities feed, its length and type included. Any may have grown at its end."""

NEEDED = {
    ADD_LONG: 33, ADD_SHORT: 25, ADD_EXPANDED: 35, EXECUTED: 26, EXECUTED_AT_PRICE: 38, REDUCE_LONG: 18, REDUCE_SHORT: 16,
    MODIFY_LONG: 26, MODIFY_SHORT: 18, DELETE_ORDER: 14, TRADE_LONG: 41, TRADE_SHORT: 33, TRADE_EXPANDED: 43, TRADING_STATUS: 16,
}  # fmt: skip
"""Bytes that a message which is looked at must have: up to where only flags or reserved bytes follow, which some of the exchange's
markets do not send."""

BOOK_TYPES = (
    ADD_LONG, ADD_SHORT, ADD_EXPANDED, EXECUTED, EXECUTED_AT_PRICE, REDUCE_LONG, REDUCE_SHORT, MODIFY_LONG, MODIFY_SHORT, DELETE_ORDER,
)
TRADE_TYPES = (EXECUTED, EXECUTED_AT_PRICE, TRADE_LONG, TRADE_SHORT, TRADE_EXPANDED)
UNKNOWN_PRICE = 0xFFFFFFFF
"""Of a trade at more than a price holds; an order may have it."""


class Change(NamedTuple):
    """What a message means to a book."""

    event: BookEvent
    name: str | None
    """The symbol, where the message tells it: later events of an order do not."""


def _number(message: bytes, at: int, length: int) -> int:
    return int.from_bytes(message[at:at + length], "little")


def _any_price(message: bytes, at: int, length: int) -> int:
    return _number(message, at, length) * (100 if length == 2 else 1)


def _name(message: bytes, at: int, length: int) -> str:
    return message[at:at + length].decode("latin-1").ljust(8)


def _price(message: bytes, at: int, length: int) -> int:
    """Of an order; 0, at which none can be, for one that does not fit."""
    price = _any_price(message, at, length)
    return price if price <= UNKNOWN_PRICE else 0


class PitchModel:
    """Decodes the messages of one unit.

    Attributes
    ----------
    second : int
        Of the last time message, since midnight: the other messages tell only the nanoseconds within it. It serves nothing but
        timestamps.
    """

    def __init__(self) -> None:
        self.second = 0

    def time_of(self, message: bytes) -> int:
        """Nanoseconds since midnight; of a time message, its second."""
        offset = 0 if message[1] == TIME else _number(message, 2, 4)
        return self.second * 1_000_000_000 + offset & (1 << 48) - 1

    def decode(self, message: bytes) -> Change | None:
        """The change to a book that a message means, or None if it means none.

        'Executed at price' tells what remains of the order as well: with nothing left the order is deleted, otherwise it shrinks by
        what was executed, at its own price. A unit clear means that the book is void, which is no change that could be told: it
        raises :exc:`MalformedMessage`, because nothing may be traded on until the book has been loaded anew.
        """
        kind = message[1]
        if kind == TIME:
            self.second = _number(message, 2, 4) & 0x1FFFF
        if kind == UNIT_CLEAR:
            raise MalformedMessage("unit clear: the book is void")
        self._check_length(message)
        if kind not in BOOK_TYPES:
            return None
        reference = _number(message, 6, 8)
        event = BookEvent(DELETE, 0, 0, reference, 0, 0, 0, self.time_of(message))
        match kind:
            case 0x21:
                return self._add(event, message, shares=(15, 4), symbol=(19, 6), price=(25, 8))
            case 0x22:
                return self._add(event, message, shares=(15, 2), symbol=(17, 6), price=(23, 2))
            case 0x2F:
                return self._add(event, message, shares=(15, 4), symbol=(19, 8), price=(27, 8))
            case 0x23:
                event = event._replace(kind=EXECUTE, shares=_number(message, 14, 4))
            case 0x24 if _number(message, 18, 4):
                event = event._replace(kind=EXECUTE, shares=_number(message, 14, 4))
            case 0x25 | 0x26:
                event = event._replace(kind=CANCEL, shares=_number(message, 14, 4 if kind == REDUCE_LONG else 2))
            case 0x27:
                event = event._replace(
                    kind=REPLACE, new_reference=reference, shares=_number(message, 14, 4), price=_price(message, 18, 8))
            case 0x28:
                event = event._replace(
                    kind=REPLACE, new_reference=reference, shares=_number(message, 14, 2), price=_price(message, 16, 2))
        return Change(event, None)

    def trade(self, message: bytes) -> tuple[Trade, str | None] | None:
        """The trade that a message tells, or None, and its symbol: that of an order which was executed is told with the order only."""
        self._check_length(message)
        if message[1] not in TRADE_TYPES:
            return None
        done = Trade("P", 0, 0, 0, 0, 0, self.time_of(message))
        match message[1]:
            case 0x23:
                return done._replace(kind="E", shares=_number(message, 14, 4), match=_number(message, 18, 8)), None
            case 0x24:
                done = done._replace(kind="C", shares=_number(message, 14, 4), match=_number(message, 22, 8))
                return done._replace(price=min(_any_price(message, 30, 8), UNKNOWN_PRICE)), None
            case 0x2A:
                shares, name, price, match = (15, 4), (19, 6), (25, 8), (33, 8)
            case 0x2B:
                shares, name, price, match = (15, 2), (17, 6), (23, 2), (25, 8)
            case _:
                shares, name, price, match = (15, 4), (19, 8), (27, 8), (35, 8)
        done = done._replace(
            shares=_number(message, *shares), price=min(_any_price(message, *price), UNKNOWN_PRICE), match=_number(message, *match))
        return done, _name(message, *name)

    def market_state(self, message: bytes) -> tuple[MarketState, str] | None:
        """What a message says of a symbol's trading, or None, and the symbol."""
        self._check_length(message)
        if message[1] != TRADING_STATUS:
            return None
        return MarketState("H", 0, message[14], message[15], 0, 0, 0, self.time_of(message)), _name(message, 6, 8)

    def _check_length(self, message: bytes) -> None:
        needed = NEEDED.get(message[1], 0)
        if len(message) < needed:
            raise MalformedMessage(f"a 0x{message[1]:02x} message has at least {needed} bytes, not {len(message)}")

    def _add(self, event: BookEvent, message: bytes, *, shares: tuple[int, int], symbol: tuple[int, int], price: tuple[int, int]) -> Change:
        side = message[14:15]
        if side not in (b"B", b"S"):
            raise MalformedMessage(f"side of a 0x{message[1]:02x} message is {side!r}, not B or S")
        event = event._replace(
            kind=ADD, side=BUY if side == b"B" else SELL, shares=_number(message, *shares), price=_price(message, *price))
        return Change(event, _name(message, *symbol))

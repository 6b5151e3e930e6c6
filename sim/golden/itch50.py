"""ITCH 5.0: which messages change a book, and how; what the others say of trading, trades and symbols."""

from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent, DirectoryEntry, MarketState, Trade

MESSAGE_LENGTHS: dict[str, int] = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21,
    "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35,
    "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}  # fmt: skip
"""Bytes of each message, its type included."""

BOOK_TYPES = "AFECXDU"
"""The types that change a book."""

STATE_TYPES, TRADE_TYPES, DIRECTORY_TYPES = "SHYJhWKV", "PQEC", "R"
"""Those that say what may be traded, that something was, and what a symbol is called. The others only pass by."""

CHECKED_TYPES = "".join(dict.fromkeys(BOOK_TYPES + STATE_TYPES + TRADE_TYPES + DIRECTORY_TYPES))

HIGHEST_PRICE = 0x7FFFFFFF
"""In 1/10000; the protocol's own ceiling is lower still."""


class MalformedMessage(ValueError):  # noqa: N818 (the fault, not the handling of it)
    """A message that can't be what it says it is."""


def _number(message: bytes, at: int, length: int) -> int:
    return int.from_bytes(message[at : at + length], "big")


def _price(message: bytes, at: int) -> int:
    price = _number(message, at, 4)
    if price > HIGHEST_PRICE:
        raise MalformedMessage(f"price of a '{chr(message[0])}' message is {price}, more than {HIGHEST_PRICE}")
    return price


def _type_of(message: bytes) -> str:
    """A message's type; one that is looked at must have its length."""
    kind = chr(message[0]) if message else ""
    if kind and kind in CHECKED_TYPES and len(message) != MESSAGE_LENGTHS[kind]:
        raise MalformedMessage(f"a '{kind}' message has {MESSAGE_LENGTHS[kind]} bytes, not {len(message)}")
    return kind


def decode(message: bytes) -> BookEvent | None:
    """The change to a book that a message means, or None if it means none.

    The price at which a 'C' executes is not looked at: the book shrinks at the order's own price.
    """
    kind = _type_of(message)
    if not kind or kind not in BOOK_TYPES:
        return None
    event = BookEvent(
        kind=DELETE,
        side=0,
        locate=_number(message, 1, 2),
        reference=_number(message, 11, 8),
        new_reference=0,
        shares=0,
        price=0,
        timestamp=_number(message, 5, 6),
    )
    match kind:
        case "A" | "F":
            if message[19:20] not in (b"B", b"S"):
                raise MalformedMessage(f"side of an '{kind}' message is {message[19:20]!r}, not B or S")
            side = BUY if message[19:20] == b"B" else SELL
            return event._replace(kind=ADD, side=side, shares=_number(message, 20, 4), price=_price(message, 32))
        case "E" | "C":
            return event._replace(kind=EXECUTE, shares=_number(message, 19, 4))
        case "X":
            return event._replace(kind=CANCEL, shares=_number(message, 19, 4))
        case "U":
            return event._replace(
                kind=REPLACE, new_reference=_number(message, 19, 8), shares=_number(message, 27, 4), price=_price(message, 31)
            )
    return event


def market_state(message: bytes) -> MarketState | None:
    """What a message says of trading, or None."""
    kind = _type_of(message)
    if not kind or kind not in STATE_TYPES:
        return None
    state = MarketState(kind, _number(message, 1, 2), 0, 0, 0, 0, 0, timestamp=_number(message, 5, 6))
    match kind:
        case "S" | "W":
            return state._replace(code=message[11])
        case "H":
            return state._replace(code=message[19], detail=_number(message, 21, 4))
        case "Y":
            return state._replace(code=message[19])
        case "h":
            return state._replace(code=message[20], detail=message[19])
        case "K":
            return state._replace(code=message[23], detail=_number(message, 19, 4), reference=_number(message, 24, 4))
        case "J":
            reference, upper, lower, extension = (_number(message, at, 4) for at in (19, 23, 27, 31))
            return state._replace(reference=reference, upper=upper, lower=lower, detail=extension)
    return state


def trade(message: bytes) -> Trade | None:
    """The trade that a message tells, or None."""
    kind = _type_of(message)
    if not kind or kind not in TRADE_TYPES:
        return None
    done = Trade(kind, _number(message, 1, 2), 0, 0, 0, 0, timestamp=_number(message, 5, 6))
    match kind:
        case "P":
            return done._replace(shares=_number(message, 20, 4), price=_number(message, 32, 4), match=_number(message, 36, 8))
        case "Q":
            return done._replace(
                shares=_number(message, 11, 8), price=_number(message, 27, 4), match=_number(message, 31, 8), code=message[39]
            )
        case "C":
            return done._replace(
                shares=_number(message, 19, 4), match=_number(message, 23, 8), code=message[31], price=_number(message, 32, 4)
            )
    return done._replace(shares=_number(message, 19, 4), match=_number(message, 23, 8))


def directory(message: bytes) -> DirectoryEntry | None:
    """The symbol that a message introduces, or None."""
    return DirectoryEntry(_number(message, 1, 2), message[11:19]) if _type_of(message) in ("R",) else None

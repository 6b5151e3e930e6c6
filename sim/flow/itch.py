"""Writes ITCH 5.0 messages (PROTOCOLS section 3). The golden decoder is written apart from this, so that one tests the other."""

import struct

_HEAD = struct.Struct(">cHHHI")


def _head(kind: bytes, locate: int, time: int) -> bytes:
    return _HEAD.pack(kind, locate, 0, time >> 32, time & 0xFFFF_FFFF)


def _stock(name: str) -> bytes:
    data = name.encode("ascii").ljust(8)
    if len(data) != 8:
        raise ValueError(f"a stock name has at most 8 characters, not {name!r}")
    return data


def system_event(time: int, event: str) -> bytes:
    return _head(b"S", 0, time) + event.encode("ascii")


def stock_directory(time: int, locate: int, name: str) -> bytes:
    return _head(b"R", locate, time) + _stock(name) + b"QN" + struct.pack(">I", 100) + b"NCZ PNN1N" + bytes(4) + b"N"


def trading_action(time: int, locate: int, name: str, state: str) -> bytes:
    return _head(b"H", locate, time) + _stock(name) + state.encode("ascii") + b" " * 5


def operational_halt(time: int, locate: int, name: str, state: str) -> bytes:
    return _head(b"h", locate, time) + _stock(name) + b"Q" + state.encode("ascii")


def add(time: int, locate: int, name: str, reference: int, side: str, shares: int, price: int, participant: str = "") -> bytes:
    """A, or F where a market participant is named."""
    body = struct.pack(">QcI", reference, side.encode("ascii"), shares) + _stock(name) + struct.pack(">I", price)
    if participant:
        return _head(b"F", locate, time) + body + participant.encode("ascii").ljust(4)
    return _head(b"A", locate, time) + body


def executed(time: int, locate: int, reference: int, shares: int, match: int) -> bytes:
    return _head(b"E", locate, time) + struct.pack(">QIQ", reference, shares, match)


def executed_with_price(time: int, locate: int, reference: int, shares: int, match: int, price: int, printable: str = "Y") -> bytes:
    return _head(b"C", locate, time) + struct.pack(">QIQcI", reference, shares, match, printable.encode("ascii"), price)


def cancel(time: int, locate: int, reference: int, shares: int) -> bytes:
    return _head(b"X", locate, time) + struct.pack(">QI", reference, shares)


def delete(time: int, locate: int, reference: int) -> bytes:
    return _head(b"D", locate, time) + struct.pack(">Q", reference)


def replace(time: int, locate: int, reference: int, new_reference: int, shares: int, price: int) -> bytes:
    return _head(b"U", locate, time) + struct.pack(">QQII", reference, new_reference, shares, price)


def trade(time: int, locate: int, name: str, shares: int, price: int, match: int) -> bytes:
    """P: a trade against a hidden order. It touches no book."""
    return _head(b"P", locate, time) + struct.pack(">QcI", 0, b"B", shares) + _stock(name) + struct.pack(">IQ", price, match)


def cross_trade(time: int, locate: int, name: str, shares: int, price: int, match: int, kind: str) -> bytes:
    """Q: all that traded in a cross. It touches no book."""
    return _head(b"Q", locate, time) + struct.pack(">Q", shares) + _stock(name) + struct.pack(">IQ", price, match) + kind.encode("ascii")


def broken_trade(time: int, locate: int, match: int) -> bytes:
    return _head(b"B", locate, time) + struct.pack(">Q", match)

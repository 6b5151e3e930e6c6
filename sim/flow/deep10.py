"""Writes DEEP 1.0 messages (PROTOCOLS section 8). The golden decoder is written apart from this, so that one tests the other."""

import struct


def _head(kind: str, flags: int, time: int, name: str) -> bytes:
    return struct.pack("<cBq8s", kind.encode(), flags, time, _symbol(name))


def _symbol(name: str) -> bytes:
    data = name.encode("ascii").ljust(8)
    if len(data) != 8:
        raise ValueError(f"a symbol has at most 8 characters, not {name!r}")
    return data


def system_event(time: int, event: str) -> bytes:
    return struct.pack("<ccq", b"S", event.encode(), time)


def directory(time: int, name: str) -> bytes:
    return _head("D", 0, time, name) + struct.pack("<IqB", 100, 1_000_000, 1)


def trading_status(time: int, name: str, status: str) -> bytes:
    return _head("H", ord(status), time, name) + b"    "


def level(time: int, name: str, side: str, shares: int, price: int, *, complete: bool = True) -> bytes:
    """The size of a price level as it is now; 0: gone. ``side`` is B or S, ``price`` in 1/10000."""
    return _head({"B": "8", "S": "5"}[side], int(complete), time, name) + struct.pack("<Iq", shares, price)


def trade(time: int, name: str, shares: int, price: int, trade_id: int) -> bytes:
    return _head("T", 0, time, name) + struct.pack("<Iqq", shares, price, trade_id)


def security_event(time: int, name: str, event: str) -> bytes:
    return _head("E", ord(event), time, name)


def operational_halt(time: int, name: str, state: str) -> bytes:
    return _head("O", ord(state), time, name)


def official_price(time: int, name: str, kind: str, price: int) -> bytes:
    return _head("X", ord(kind), time, name) + struct.pack("<q", price)

"""Writes multicast PITCH messages (PROTOCOLS section 7). The golden decoder is written apart from this, so that one tests the other."""

import struct


def _message(kind: int, body: bytes) -> bytes:
    return bytes([2 + len(body), kind]) + body


def _symbol(name: str, length: int) -> bytes:
    data = name.encode("ascii").ljust(length)
    if len(data) != length:
        raise ValueError(f"a symbol has at most {length} characters here, not {name!r}")
    return data


def time(seconds: int) -> bytes:
    """Seconds since midnight: what the offsets of the messages that follow count from."""
    return _message(0x20, struct.pack("<I", seconds))


def unit_clear(offset: int) -> bytes:
    return _message(0x97, struct.pack("<I", offset))


def end_of_session(offset: int) -> bytes:
    return _message(0x2D, struct.pack("<I", offset))


def add_long(offset: int, order: int, side: str, shares: int, name: str, price: int, flags: int = 1) -> bytes:
    """``price`` in 1/10000."""
    return _message(0x21, struct.pack("<IQcI6sQB", offset, order, side.encode(), shares, _symbol(name, 6), price, flags))


def add_short(offset: int, order: int, side: str, shares: int, name: str, cents: int, flags: int = 1) -> bytes:
    return _message(0x22, struct.pack("<IQcH6sHB", offset, order, side.encode(), shares, _symbol(name, 6), cents, flags))


def add_expanded(offset: int, order: int, side: str, shares: int, name: str, price: int, participant: str = "") -> bytes:
    body = struct.pack("<IQcI8sQB4sc", offset, order, side.encode(), shares, _symbol(name, 8), price, 1, _symbol(participant, 4), b"N")
    return _message(0x2F, body)


def executed(offset: int, order: int, shares: int, execution: int) -> bytes:
    return _message(0x23, struct.pack("<IQIQ", offset, order, shares, execution))


def executed_at_price(offset: int, order: int, shares: int, remaining: int, execution: int, price: int) -> bytes:
    return _message(0x24, struct.pack("<IQIIQQ", offset, order, shares, remaining, execution, price))


def reduce_long(offset: int, order: int, shares: int) -> bytes:
    return _message(0x25, struct.pack("<IQI", offset, order, shares))


def reduce_short(offset: int, order: int, shares: int) -> bytes:
    return _message(0x26, struct.pack("<IQH", offset, order, shares))


def modify_long(offset: int, order: int, shares: int, price: int, flags: int = 1) -> bytes:
    return _message(0x27, struct.pack("<IQIQB", offset, order, shares, price, flags))


def modify_short(offset: int, order: int, shares: int, cents: int, flags: int = 1) -> bytes:
    return _message(0x28, struct.pack("<IQHHB", offset, order, shares, cents, flags))


def delete(offset: int, order: int) -> bytes:
    return _message(0x29, struct.pack("<IQ", offset, order))


def trade_long(offset: int, side: str, shares: int, name: str, price: int, execution: int) -> bytes:
    return _message(0x2A, struct.pack("<IQcI6sQQ", offset, 0, side.encode(), shares, _symbol(name, 6), price, execution))


def trade_short(offset: int, side: str, shares: int, name: str, cents: int, execution: int) -> bytes:
    return _message(0x2B, struct.pack("<IQcH6sHQ", offset, 0, side.encode(), shares, _symbol(name, 6), cents, execution))


def trade_expanded(offset: int, side: str, shares: int, name: str, price: int, execution: int) -> bytes:
    return _message(0x30, struct.pack("<IQcI8sQQ", offset, 0, side.encode(), shares, _symbol(name, 8), price, execution))


def trade_break(offset: int, execution: int) -> bytes:
    return _message(0x2C, struct.pack("<IQ", offset, execution))


def trading_status(offset: int, name: str, status: str) -> bytes:
    return _message(0x31, struct.pack("<I8sc3s", offset, _symbol(name, 8), status.encode(), b"0  "))

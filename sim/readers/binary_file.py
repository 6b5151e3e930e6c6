"""Nasdaq's BinaryFILE: a two-byte length (big endian) before every message. Message n of the file has sequence number n, from 1."""

from collections.abc import Iterator
from pathlib import Path

from sim.readers.content import Content
from sim.readers.errors import BadInput
from sim.readers.itch50 import IS_BOOK, LENGTH_OF, check_book_message, check_message, show_type


def read_binary_file(path: Path) -> Iterator[bytes]:
    """Every message of a file, checked.

    A zero length is the end-of-file mark of some feeds: it is taken as that after the last byte of the last message, and refused
    anywhere else.
    """
    with Content(path) as content:
        yield from _messages(path, content)


def _messages(path: Path, content: Content) -> Iterator[bytes]:
    held, base, count = b"", 0, 0  # bytes not taken yet, the offset of the first of them, messages so far
    for chunk in content.chunks():
        data = held + chunk
        at, end = 0, len(data)
        while at + 2 < end:  # one byte of the message at least
            length = data[at] << 8 | data[at + 1]
            kind = data[at + 2]
            if length != LENGTH_OF[kind] or not length:
                _refuse(path, base + at, length, kind)
            if at + 2 + length > end:
                break
            message = data[at + 2:at + 2 + length]
            if IS_BOOK[kind]:
                check_book_message(path, base + at + 2, message)
            yield message
            count += 1
            at += 2 + length
        held, base = data[at:], base + at
    if held == b"\0\0" and count:
        return
    if len(held) >= 2:
        length = held[0] << 8 | held[1]
        if not length:
            _refuse(path, base, 0, None)
        raise BadInput(path, base + 2, f"a message of {length} bytes", f"the end of the file after {len(held) - 2}")
    if held:
        raise BadInput(path, base, "a length field of 2 bytes", "the end of the file after 1")


def _refuse(path: Path, offset: int, length: int, kind: int | None) -> None:
    if not length:
        raise BadInput(path, offset, "a length field of at least 1", "0")
    assert kind is not None
    if not LENGTH_OF[kind]:
        raise BadInput(path, offset + 2, "a message type of ITCH 5.0", f"{show_type(kind)} (the length field before it says {length})")
    check_message(path, offset + 2, bytes([kind]) + bytes(length - 1))

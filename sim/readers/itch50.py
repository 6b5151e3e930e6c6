"""ITCH 5.0 messages as files hold them: which are well formed, and the few fields that a reader needs."""

from pathlib import Path

from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS
from sim.readers.errors import BadInput

LENGTH_OF = [0] * 256
"""Length of a message by its first byte; 0: there is no such type."""
for _type, _length in MESSAGE_LENGTHS.items():
    LENGTH_OF[ord(_type)] = _length

IS_BOOK = bytes(chr(code) in BOOK_TYPES for code in range(256))
"""1 for the types that change a book."""

HIGHEST_PRICE = 0x7FFFFFFF
DIRECTORY = ord("R")


def check_message(path: Path, offset: int, message: bytes) -> None:
    """Raises :exc:`BadInput` unless the message has a known type and the length that goes with it."""
    kind = message[0]
    length = LENGTH_OF[kind]
    if not length:
        raise BadInput(path, offset, "a message type of ITCH 5.0", show_type(kind))
    if length != len(message):
        raise BadInput(path, offset, f"{length} bytes for a message of type {show_type(kind)}", f"{len(message)}")
    if IS_BOOK[kind]:
        check_book_message(path, offset, message)


def check_book_message(path: Path, offset: int, message: bytes) -> None:
    """The side must be one and the price a price."""
    kind = message[0]
    if kind in b"AF":
        if message[19] not in b"BS":
            raise BadInput(path, offset + 19, "side B or S", show_type(message[19]))
        price_at = 32
    elif kind == 0x55:  # U
        price_at = 31
    else:
        return
    price = int.from_bytes(message[price_at:price_at + 4], "big")
    if price > HIGHEST_PRICE:
        raise BadInput(path, offset + price_at, f"a price of at most {HIGHEST_PRICE}", str(price))


def show_type(code: int) -> str:
    """A byte as a person reads it."""
    return f"'{chr(code)}'" if 0x20 < code < 0x7F else f"0x{code:02x}"


def locate_of(message: bytes) -> int:
    return message[1] << 8 | message[2]


def timestamp_of(message: bytes) -> int:
    return int.from_bytes(message[5:11], "big")


def directory_entry(message: bytes) -> tuple[str, int]:
    """Name and locate of a stock directory message ('R')."""
    return message[11:19].decode("latin-1").rstrip(" "), locate_of(message)

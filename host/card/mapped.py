"""A card's window mapped into this process: what all back ends for real boards share."""

import mmap
import os
import sys
from pathlib import Path

from host.card.protocol import CardError, check_value, check_words
from host.card.registers import BAR_SIZE


class MappedCard:
    """The window as words of the machine: every access is one load or one store of 32 bits.

    An item of a ``memoryview`` of format "I" is read and written by one aligned machine access. Slices, ``struct`` and ``ctypes`` take
    several, which a register with side effects or a limit must never see; they have no place in this class.

    Parameters
    ----------
    path : Path
        What to map.
    offset : int
        Where in it the window begins, a multiple of the page size.
    size : int
        Bytes that are there from ``offset`` on; fewer than the window has are refused.
    """

    def __init__(self, path: Path, *, offset: int = 0, size: int):
        if sys.byteorder != "little":
            raise CardError(f"the card's registers are little-endian, this machine is {sys.byteorder}-endian")
        if size < BAR_SIZE:
            raise CardError(f"{path}: the window should have {BAR_SIZE:#x} bytes, not {size:#x}: this is not a Trapjaw card")
        self._path = path
        self._map = _map(path, offset)
        self._words = memoryview(self._map).cast("I")

    def read32(self, offset: int) -> int:
        check_words(offset)
        return self._open_words()[offset >> 2]

    def write32(self, offset: int, value: int) -> None:
        check_words(offset)
        check_value(value)
        self._open_words()[offset >> 2] = value

    def read_words(self, offset: int, count: int) -> list[int]:
        check_words(offset, count)
        words = self._open_words()
        return [words[index] for index in range(offset >> 2, (offset >> 2) + count)]

    def close(self) -> None:
        self._words.release()
        self._map.close()

    def _open_words(self) -> "memoryview[int]":
        if self._map.closed:
            raise CardError(f"{self._path}: the card has been closed")
        return self._words


def _map(path: Path, offset: int) -> mmap.mmap:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    except OSError as error:
        raise explained(path, error) from None
    try:
        return mmap.mmap(descriptor, BAR_SIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset)
    except (OSError, ValueError) as error:
        raise CardError(f"{path}: could not be mapped: {error}") from None
    finally:
        os.close(descriptor)


def explained(path: Path, error: OSError) -> CardError:
    """What an error of the operating system means for somebody who wants to use the card."""
    if isinstance(error, FileNotFoundError):
        return CardError(f"{path}: no such device: is the card there and its driver bound?")
    if isinstance(error, PermissionError):
        return CardError(f"{path}: permission denied: this needs read and write access to the device")
    return CardError(f"{path}: {error.strerror}")

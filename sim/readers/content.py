"""The bytes of a file, plain or gzip, told apart by their content."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sim.readers.errors import BadInput

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20


class Content:
    """A file's decompressed bytes, read in order; every way to fail is a :exc:`BadInput`.

    Attributes
    ----------
    offset : int
        Bytes handed out so far.
    """

    def __init__(self, path: Path):
        self.path = path
        self.offset = 0
        self._held = b""
        self._file, self._stream = _open(path)
        try:
            if not self.peek(1):
                raise BadInput(path, 0, "market data", "an empty file")
        except BadInput:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def peek(self, size: int) -> bytes:
        """The next bytes without taking them; fewer at the end."""
        if len(self._held) < size:
            self._held += self._read(size - len(self._held))
        return self._held[:size]

    def read(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        data, self._held = self._held[:size], self._held[size:]
        if len(data) < size:
            data += self._read(size - len(data))
        self.offset += len(data)
        return data

    def take(self, size: int, what: str) -> bytes:
        """Exactly this many bytes, which are ``what`` to a person."""
        start = self.offset
        data = self.read(size)
        if len(data) != size:
            raise BadInput(self.path, start, f"{what} of {size} bytes", f"the end of the file after {len(data)}")
        return data

    def chunks(self) -> Iterator[bytes]:
        while data := self.read(CHUNK):
            yield data

    def _close(self) -> None:
        self._stream.close()
        self._file.close()

    def _read(self, size: int) -> bytes:
        place = self.offset + len(self._held)
        try:
            parts = []
            while size and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
                place += len(part)
            return b"".join(parts)
        except EOFError:
            raise BadInput(self.path, place, "more of the gzip stream", "the end of the file: it is cut short") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(self.path, place, "a sound gzip stream", str(error)) from None
        except OSError as error:
            raise BadInput(self.path, place, "readable bytes", error.strerror or str(error)) from None


def _open(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """The file and the stream of its content."""
    if path.is_dir():
        raise BadInput(path, None, "a file", "a directory")
    if path.exists() and not path.is_file():
        raise BadInput(path, None, "a file, which can be read more than once", "a pipe or device")
    try:
        file = path.open("rb")
        magic = file.peek(2)[:2]
    except FileNotFoundError:
        raise BadInput(path, None, "a file", "no such file") from None
    except OSError as error:
        raise BadInput(path, None, "a readable file", error.strerror or str(error)) from None
    return file, gzip.GzipFile(fileobj=file) if magic == GZIP_MAGIC else file

"""The top of book after every book message, as CSV. A file is there when it is whole, or not at all."""

import gzip
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from sim.replay.errors import ReplayError

HEADER = "msg_index,ts_ns,{},type,bid_px,bid_sz,ask_px,ask_sz\n"
"""The third column is what the feed's messages call a symbol by."""


def venue_paths(path: Path, venues: int) -> list[Path]:
    """With more than one venue: F.venue0.csv.gz and so on."""
    if venues == 1:
        return [path]
    first, *rest = path.name.split(".")
    return [path.with_name(".".join([first, f"venue{venue}", *rest])) for venue in range(venues)]


class BboFiles:
    """One CSV file a venue (gzip where the name says .gz), or none at all where there is no path.

    Used as a context: the files take their names in :meth:`keep`; without it nothing stays behind.

    Parameters
    ----------
    keys : sequence of str
        For each venue, what the column of the symbol is called.
    """

    def __init__(self, path: Path | None, keys: Sequence[str]):
        self.paths = venue_paths(path, len(keys)) if path else []
        self._keys = keys
        self._files: list[_Temporary] = []

    def __enter__(self) -> Self:
        try:
            for path, key in zip(self.paths, self._keys, strict=False):
                self._files.append(_Temporary(path, HEADER.format(key)))
        except OSError as error:
            self._discard()
            raise ReplayError(f"can't write {self.paths[len(self._files)]}: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._discard()

    def write(self, venue: int, lines: Sequence[str]) -> None:
        if self._files:
            self._files[venue].text.write("".join(lines))

    def keep(self) -> None:
        """All rows are written and right."""
        for file in self._files:
            file.close()
        for file in self._files:
            file.keep()
        self._files = []

    def _discard(self) -> None:
        for file in self._files:
            file.discard()
        self._files = []


class _Temporary:
    def __init__(self, path: Path, header: str):
        self._path = path
        if path.is_dir():
            raise IsADirectoryError(21, "it is a directory")
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        self._name = Path(name)
        self._raw: BinaryIO = os.fdopen(descriptor, "wb")
        # no name and no time in the gzip header: the same input gives the same bytes
        self._packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if path.suffix == ".gz" else None
        self.text: TextIO = io.TextIOWrapper(self._packed or self._raw, encoding="ascii", newline="")
        self.text.write(header)

    def close(self) -> None:
        self.text.close()
        if self._packed:
            self._raw.close()

    def keep(self) -> None:
        umask = os.umask(0)
        os.umask(umask)
        self._name.chmod(0o666 & ~umask)
        self._name.replace(self._path)

    def discard(self) -> None:
        self._name.unlink(missing_ok=True)
        self._raw.close()

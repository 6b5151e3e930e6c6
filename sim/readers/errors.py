"""The one thing that a reader does with what it can't take."""

from pathlib import Path


class BadInput(Exception):  # noqa: N818 (what came, not the handling of it)
    """A file is not what it should be. The message is one line that names file, offset, what was expected and what came.

    Parameters
    ----------
    path : Path
    offset : int or None
        Byte of the (decompressed) content at which it shows; None where the file as a whole is meant.
    expected, came : str
    """

    def __init__(self, path: Path, offset: int | None, expected: str, came: str):
        self.path, self.offset, self.expected, self.came = path, offset, expected, came
        place = f"{path}" if offset is None else f"{path}, offset {offset}"
        super().__init__(f"{place}: expected {expected}, came {came}")

"""A board behind the kernel's userspace I/O driver: /dev/uioN."""

import mmap
from pathlib import Path

from host.card.mapped import MappedCard, explained
from host.card.protocol import CardError


class UioCard(MappedCard):
    """The register window of a board that a UIO driver shows.

    Parameters
    ----------
    number : int
        N of /dev/uioN.
    region : int
        Which of the device's memory regions is the window.
    devices, classes : Path
        Where the device file and the kernel's description of it are.
    """

    def __init__(self, number: int, *, region: int = 0, devices: Path = Path("/dev"), classes: Path = Path("/sys/class/uio")):
        path = devices / f"uio{number}"
        if not path.exists():
            raise explained(path, FileNotFoundError())
        # The driver finds a region by the page number of the mapping's offset.
        super().__init__(path, offset=region * mmap.PAGESIZE, size=_region_size(classes / f"uio{number}/maps/map{region}/size"))


def _region_size(path: Path) -> int:
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        raise CardError(f"{path}: the device has no such memory region") from None
    except OSError as error:
        raise explained(path, error) from None
    try:
        return int(text, 16)
    except ValueError:
        raise CardError(f"{path}: should hold a size like 0x100000, not {text!r}") from None

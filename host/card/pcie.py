"""A board on PCI Express without a driver of its own: the BAR as sysfs shows it."""

from pathlib import Path

from host.card.mapped import MappedCard, explained
from host.card.protocol import CardError


class PcieCard(MappedCard):
    """The register window in a BAR of a PCI device.

    Parameters
    ----------
    address : str
        The device as ``lspci -D`` prints it, for instance 0000:01:00.0.
    bar : int
        Number of the BAR that is the window.
    devices : Path
        Where the kernel lists PCI devices.
    """

    def __init__(self, address: str, *, bar: int = 0, devices: Path = Path("/sys/bus/pci/devices")):
        path = devices / address / f"resource{bar}"
        try:
            size = path.stat().st_size
            enabled = (devices / address / "enable").read_text().strip()
        except OSError as error:
            raise explained(path, error) from None
        if enabled == "0":
            raise CardError(f"{path}: the device is off: write 1 to {devices / address / 'enable'}")
        super().__init__(path, size=size)

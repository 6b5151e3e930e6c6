"""A TAP device of Linux: Ethernet frames between the kernel and a program."""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

TUN_DEVICE = Path("/dev/net/tun")
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
"""Linux, include/uapi/linux/if_tun.h."""

LONGEST_FRAME = 1522


class Tap:
    """A TAP device that lives as long as this object.

    Parameters
    ----------
    name : str

    Raises
    ------
    OSError
        There is no such device here, or no privilege to make one.
    """

    def __init__(self, name: str):
        self.descriptor = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(self.descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        except OSError:
            os.close(self.descriptor)
            raise

    def close(self) -> None:
        os.close(self.descriptor)

    def receive(self) -> bytes | None:
        """A frame that the kernel sends; None: there is none."""
        try:
            return os.read(self.descriptor, LONGEST_FRAME)
        except BlockingIOError:
            return None

    def send(self, frame: bytes) -> None:
        """A frame for the kernel; one that finds no room is lost, as on a wire."""
        with suppress(BlockingIOError):
            os.write(self.descriptor, frame)

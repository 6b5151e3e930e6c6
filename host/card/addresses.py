"""Network addresses as people write them, and as registers hold them: the first octet in the top bits."""

import ipaddress
import re
from typing import NamedTuple


class OrderAddress(NamedTuple):
    """Where a venue takes orders, and as whom the card sends them."""

    destination_mac: str
    source_mac: str
    destination_ip: str
    source_ip: str
    destination_port: int
    source_port: int


def ip_number(text: str) -> int:
    """An IPv4 address like 233.54.12.111."""
    try:
        return int(ipaddress.IPv4Address(text))
    except ipaddress.AddressValueError:
        raise ValueError(f"an IPv4 address looks like 233.54.12.111, not {text!r}") from None


def multicast_number(text: str) -> int:
    """An IPv4 multicast group."""
    number = ip_number(text)
    if number >> 28 != 0xE:
        raise ValueError(f"a multicast group is 224.0.0.0 to 239.255.255.255, not {text}")
    return number


def mac_number(text: str) -> int:
    """An Ethernet address like 02:00:00:00:00:01."""
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text):
        raise ValueError(f"an Ethernet address looks like 02:00:00:00:00:01, not {text!r}")
    return int(text.replace(":", ""), 16)


def port_number(number: int) -> int:
    """A UDP port."""
    if not 1 <= number <= 0xFFFF:
        raise ValueError(f"a UDP port is 1 to 65535, not {number}")
    return number


def symbol_number(name: str) -> int:
    """A symbol's name as the card's registers have it."""
    if not 1 <= len(name) <= 8 or not name.isascii() or not name.isprintable() or " " in name:
        raise ValueError(f"a symbol is one to eight printable ASCII characters, not {name!r}")
    return int.from_bytes(name.ljust(8).encode("ascii"), "little")

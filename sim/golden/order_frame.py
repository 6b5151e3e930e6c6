"""The Ethernet frame in which an order packet leaves, until orders travel in TCP (RFC 791, RFC 768)."""

from typing import NamedTuple


class Address(NamedTuple):
    """Of a venue's order session; numbers as written on paper, the first octet in the top bits."""

    destination_mac: int
    source_mac: int
    destination_ip: int
    source_ip: int
    destination_port: int
    source_port: int


def internet_checksum(data: bytes) -> int:
    """RFC 1071: the complement of the ones' complement sum of 16-bit words."""
    total = sum(int.from_bytes(data[index:index + 2].ljust(2, b"\0"), "big") for index in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def order_frame(address: Address, payload: bytes) -> bytes:
    """Ethernet II, IPv4 without options or fragments, UDP without checksum, zeros up to 60 bytes; no FCS."""
    ethernet = address.destination_mac.to_bytes(6, "big") + address.source_mac.to_bytes(6, "big") + b"\x08\x00"
    ip = bytearray(20)
    ip[0] = 0x45
    ip[2:4] = (20 + 8 + len(payload)).to_bytes(2, "big")
    ip[6] = 0x40  # don't fragment
    ip[8:10] = bytes([64, 17])  # time to live, UDP
    ip[12:16] = address.source_ip.to_bytes(4, "big")
    ip[16:20] = address.destination_ip.to_bytes(4, "big")
    ip[10:12] = internet_checksum(bytes(ip)).to_bytes(2, "big")
    udp = (address.source_port.to_bytes(2, "big") + address.destination_port.to_bytes(2, "big")
           + (8 + len(payload)).to_bytes(2, "big") + b"\0\0")
    return (ethernet + bytes(ip) + udp + payload).ljust(60, b"\0")

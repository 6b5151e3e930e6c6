"""Address resolution (RFC 826) in bytes: IPv4 over Ethernet; numbers as written on paper."""

from typing import NamedTuple

ETHERTYPE_ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = (1 << 48) - 1
FIXED = bytes.fromhex("0001080006 04")
"""Ethernet, IPv4, and the lengths of their addresses."""
LENGTH = 28


class Arp(NamedTuple):
    """One packet."""

    operation: int
    sender_mac: int
    sender_ip: int
    target_mac: int
    target_ip: int


def arp_frame(packet: Arp) -> bytes:
    """The shortest frame with it; a request goes to everybody."""
    destination = BROADCAST if packet.operation == REQUEST else packet.target_mac
    header = destination.to_bytes(6, "big") + packet.sender_mac.to_bytes(6, "big") + ETHERTYPE_ARP.to_bytes(2, "big")
    ends = ((packet.sender_mac, packet.sender_ip), (packet.target_mac, packet.target_ip))
    body = b"".join(mac.to_bytes(6, "big") + ip.to_bytes(4, "big") for mac, ip in ends)
    return (header + FIXED + packet.operation.to_bytes(2, "big") + body).ljust(60, b"\0")


def parse_arp(frame: bytes) -> Arp | None:
    """None for anything else."""
    body = frame[14:14 + LENGTH]
    if frame[12:14] != ETHERTYPE_ARP.to_bytes(2, "big") or len(body) != LENGTH or body[:6] != FIXED:
        return None
    numbers = [int.from_bytes(body[begin:end], "big") for begin, end in ((6, 8), (8, 14), (14, 18), (18, 24), (24, 28))]
    return Arp(*numbers)

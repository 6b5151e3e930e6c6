"""Ethernet, IPv4 and UDP as a feed port sees them: framing for stimulus, and the reference of the receiver.

Addresses are numbers as written on paper: the first octet in the top bits. Frames run from the destination
address to the last byte before the FCS.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from hw.reasons import DropReason

ETHERNET_HEADER, IP_HEADER, UDP_HEADER = 14, 20, 8
HEADERS = ETHERNET_HEADER + IP_HEADER + UDP_HEADER
SHORTEST_FRAME = 60
"""Bytes without the FCS; shorter ones are padded."""

ETHERTYPE_IPV4 = 0x0800
TAG_TYPES = (b"\x81\x00", b"\x88\xa8")
"""Ethernet types of a VLAN tag (IEEE 802.1Q): four bytes in front of the frame's own type."""
PROTOCOL_UDP = 17
MORE_FRAGMENTS_OR_OFFSET = 0x3FFF


class Received(NamedTuple):
    """What became of a frame. ``payload`` and the number of the address that matched only with the reason NONE."""

    reason: DropReason
    payload: bytes | None = None
    entry: int = 0


class Datagram(NamedTuple):
    """Addresses and payload of one UDP datagram."""

    destination_mac: int
    source_mac: int
    source_ip: int
    destination_ip: int
    source_port: int
    destination_port: int
    payload: bytes


def multicast_mac(ip: int) -> int:
    """Ethernet address of an IPv4 multicast group (RFC 1112, 6.4): its low 23 bits under 01:00:5e."""
    return 0x01005E000000 | ip & 0x7FFFFF


def with_tag(frame: bytes, tag: bytes = b"\x81\x00\x00\x01") -> bytes:
    """The frame with a VLAN tag in it."""
    return frame[:12] + tag + frame[12:]


def without_tag(frame: bytes) -> bytes:
    """The frame without its first VLAN tag, if it has any."""
    return frame[:12] + frame[16:] if frame[12:14] in TAG_TYPES else frame


def ones_complement_sum(data: bytes) -> int:
    """Sum of the big-endian 16-bit words with end-around carry (RFC 1071); an odd byte is padded with zero."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data: bytes) -> int:
    """The Internet checksum of ``data``; 0 over data that holds its own right checksum."""
    return 0xFFFF - ones_complement_sum(data)


def _pseudo_header(source_ip: int, destination_ip: int, udp_length: int) -> bytes:
    return source_ip.to_bytes(4, "big") + destination_ip.to_bytes(4, "big") + bytes([0, PROTOCOL_UDP]) + udp_length.to_bytes(2, "big")


def build_udp(
    payload: bytes,
    *,
    destination_ip: int,
    destination_port: int,
    source_ip: int = 0x0A000001,
    source_port: int = 26_400,
    source_mac: int = 0x020000000001,
    destination_mac: int | None = None,
    identification: int = 0,
    time_to_live: int = 16,
    udp_checksum: bool = True,
    pad: bool = True,
) -> bytes:
    """One frame with right checksums.

    ``destination_mac`` None means the group's multicast address; without ``udp_checksum`` the field is zero (none);
    ``pad`` fills with zeros up to the shortest frame of Ethernet.
    """
    udp_length = UDP_HEADER + len(payload)
    total_length = IP_HEADER + udp_length
    if total_length > 0xFFFF:
        raise ValueError(f"a UDP payload has at most {0xFFFF - IP_HEADER - UDP_HEADER} bytes, not {len(payload)}")
    mac = multicast_mac(destination_ip) if destination_mac is None else destination_mac
    ethernet = mac.to_bytes(6, "big") + source_mac.to_bytes(6, "big") + ETHERTYPE_IPV4.to_bytes(2, "big")

    ip = bytearray([0x45, 0])
    ip += total_length.to_bytes(2, "big") + identification.to_bytes(2, "big") + b"\x40\x00"
    ip += bytes([time_to_live, PROTOCOL_UDP, 0, 0]) + source_ip.to_bytes(4, "big") + destination_ip.to_bytes(4, "big")
    ip[10:12] = checksum(bytes(ip)).to_bytes(2, "big")

    udp = bytearray(source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big") + udp_length.to_bytes(2, "big") + bytes(2))
    if udp_checksum:
        value = checksum(_pseudo_header(source_ip, destination_ip, udp_length) + bytes(udp) + payload)
        udp[6:8] = (value or 0xFFFF).to_bytes(2, "big")  # a sum of zero is sent as ffff: zero says that there is none

    frame = ethernet + bytes(ip) + bytes(udp) + payload
    return frame.ljust(SHORTEST_FRAME, b"\0") if pad else frame


def parse_udp(frame: bytes) -> Datagram | None:
    """Addresses and payload of a whole, unfragmented UDP datagram, whoever it is for, a VLAN tag passed over; None for anything else."""
    frame = without_tag(frame)
    if len(frame) < HEADERS or frame[12:14] != ETHERTYPE_IPV4.to_bytes(2, "big"):
        return None
    ip, udp = frame[14:34], frame[34:42]
    total_length, udp_length = int.from_bytes(ip[2:4], "big"), int.from_bytes(udp[4:6], "big")
    if ip[0] != 0x45 or ip[9] != PROTOCOL_UDP or int.from_bytes(ip[6:8], "big") & MORE_FRAGMENTS_OR_OFFSET:
        return None
    if udp_length < UDP_HEADER or total_length != IP_HEADER + udp_length or len(frame) < ETHERNET_HEADER + total_length:
        return None
    return Datagram(
        destination_mac=int.from_bytes(frame[0:6], "big"),
        source_mac=int.from_bytes(frame[6:12], "big"),
        source_ip=int.from_bytes(ip[12:16], "big"),
        destination_ip=int.from_bytes(ip[16:20], "big"),
        source_port=int.from_bytes(udp[0:2], "big"),
        destination_port=int.from_bytes(udp[2:4], "big"),
        payload=frame[HEADERS : ETHERNET_HEADER + total_length],
    )


def receive(frame: bytes, ip: int, port: int, *, error: bool = False) -> Received:
    """What a feed port that listens to ``ip`` and ``port`` does with a frame; ``error`` is the MAC's flag."""
    return receive_any(frame, [(ip, port)], error=error)


def receive_any(frame: bytes, addresses: Sequence[tuple[int, int]], *, error: bool = False) -> Received:
    """What a feed port that listens to several addresses (IP, UDP port; port 0 is none) does with a frame.

    The first that applies is the reason. A frame is somebody else's only where its address can be trusted:
    the IP checksum covers the IP address, the UDP checksum the port.
    """
    if error:
        return Received(DropReason.MAC_ERROR)
    frame = without_tag(frame)
    if len(frame) < ETHERNET_HEADER:
        return Received(DropReason.TRUNCATED)
    matching = [number for number, (ip, port) in enumerate(addresses) if port and _leads_to(frame[0:6], ip)]
    if not matching or frame[12:14] != ETHERTYPE_IPV4.to_bytes(2, "big"):
        return Received(DropReason.NOT_MATCHED)
    if len(frame) < ETHERNET_HEADER + IP_HEADER:
        return Received(DropReason.TRUNCATED)

    header, udp = frame[14:34], frame[34:42]
    options = header[0] & 0xF != 5
    if not options and checksum(header) != 0:
        return Received(DropReason.IP_CHECKSUM)
    matching = [number for number in matching if header[16:20] == addresses[number][0].to_bytes(4, "big")]
    if header[0] >> 4 != 4 or header[9] != PROTOCOL_UDP or not matching:
        return Received(DropReason.NOT_MATCHED)
    if options or int.from_bytes(header[6:8], "big") & MORE_FRAGMENTS_OR_OFFSET:
        return Received(DropReason.FRAGMENT_OR_OPTIONS)

    total_length, udp_length = int.from_bytes(header[2:4], "big"), int.from_bytes(udp[4:6], "big")
    short = len(frame) < HEADERS or len(frame) < ETHERNET_HEADER + total_length
    if short or udp_length < UDP_HEADER or total_length != IP_HEADER + udp_length:
        return Received(DropReason.TRUNCATED)
    datagram = frame[34 : 34 + udp_length]
    pseudo = header[12:20] + bytes([0, PROTOCOL_UDP]) + udp[4:6]
    if udp[6:8] != b"\0\0" and checksum(pseudo + datagram) != 0:
        return Received(DropReason.UDP_CHECKSUM)
    matching = [number for number in matching if udp[2:4] == addresses[number][1].to_bytes(2, "big")]
    if not matching:
        return Received(DropReason.NOT_MATCHED)
    return Received(DropReason.NONE, datagram[UDP_HEADER:], matching[0])


def _leads_to(destination: bytes, ip: int) -> bool:
    """An Ethernet address that frames for an IP address may have: a group's own, or any unicast one for a unicast address."""
    if ip >> 28 == 0xE:
        return destination == multicast_mac(ip).to_bytes(6, "big")
    return not destination[0] & 1

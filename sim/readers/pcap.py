"""The feed packets in a capture."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sim.golden.ethernet import PROTOCOL_UDP
from sim.golden.moldudp64 import MalformedPacket
from sim.readers.errors import BadInput
from sim.readers.frames import CapturedFrame, read_frames
from sim.readers.protocols import WIRES, Unpacked, Wire

ETHERTYPE_IPV4, VLAN_TAGS = 0x0800, (0x8100, 0x88A8)


class FeedLine(NamedTuple):
    """Where packets go: what tells the lines of a feed apart."""

    mac: int
    ip: int
    port: int

    def __str__(self) -> str:
        octets = ".".join(str(octet) for octet in self.ip.to_bytes(4, "big"))
        return f"{octets}:{self.port}"


class FeedPacket(NamedTuple):
    """One packet of a feed in a capture."""

    time_ns: int
    offset: int
    """Of the UDP payload in the file."""
    line: FeedLine
    session: bytes
    sequence: int
    payload: bytes
    wire: Wire


class Datagram(NamedTuple):
    line: FeedLine
    start: int
    """Of the payload within the frame."""
    payload: bytes
    whole: bool
    header_sound: bool
    """The IPv4 checksum is."""
    sound: bool
    """Its checksums are right, zero (not computed), or still to be computed by the sender's hardware."""


def read_packets(path: Path, protocol: str = "auto", drops: Counter[str] | None = None) -> Iterator[FeedPacket]:
    """Every packet of a feed protocol; whatever else there is beside it is passed over.

    ``protocol`` is a name of ``WIRES``; with auto the first datagram that fits one decides. A datagram of a line on which the protocol
    was seen must be of it as well. One whose checksum is wrong is left out, as a card would do; what it held is then missing. What is
    left out is counted in ``drops``, by the reason that a card would give.
    """
    wires = list(WIRES.values()) if protocol == "auto" else [WIRES[protocol]]
    drops = Counter() if drops is None else drops
    lines: set[FeedLine] = set()
    first_other: tuple[int, str] | None = None
    frames = 0
    for frame in read_frames(path):
        frames += 1
        found = parse_datagram(frame.data)
        offset = frame.offset + (found.start if isinstance(found, Datagram) else 0)
        problem = _problem(frame, found)
        if problem is None:
            assert isinstance(found, Datagram)
            try:
                wire, unpacked = _unpack(wires, found.payload)
            except MalformedPacket as error:
                problem = f"a packet that contradicts itself ({error})"
        if problem is not None:
            line = found.line if isinstance(found, Datagram) else None
            if line in lines:
                raise BadInput(path, offset, f"a {wires[0].framing} packet like the others to {line}", problem)
            first_other = first_other or (offset, problem)
            drops[_reason(found)] += 1
            continue
        assert isinstance(found, Datagram)
        lines.add(found.line)
        wires = [wire]
        place = offset + len(found.payload) - sum(wire.between + len(message) for message in unpacked.messages)
        for message in unpacked.messages:
            place += wire.between
            if message:
                wire.check(path, place, message)
            place += len(message)
        if found.sound:
            yield FeedPacket(frame.time_ns, offset, found.line, unpacked.session, unpacked.sequence, found.payload, wire)
        else:
            drops["UDP_CHECKSUM" if found.header_sound else "IP_CHECKSUM"] += 1
    if not lines:
        if first_other is None:
            raise BadInput(path, 24, "a frame", "the end of the file")
        wanted = wires[0].framing if len(wires) == 1 else "feed"
        raise BadInput(path, first_other[0], f"{wanted} packets", f"none in {frames} frames; the first is {first_other[1]}")


def _unpack(wires: list[Wire], payload: bytes) -> tuple[Wire, Unpacked]:
    """By the first protocol that fits; the complaint is that of the first."""
    first: MalformedPacket | None = None
    for wire in wires:
        try:
            return wire, wire.unpack(payload)
        except MalformedPacket as error:
            first = first or error
    assert first is not None
    raise first


def _reason(found: "Datagram | str") -> str:
    """Why a card would drop what is no packet of the feed."""
    if isinstance(found, Datagram):
        return "NOT_MATCHED" if found.whole else "TRUNCATED"
    if "fragment" in found:
        return "FRAGMENT_OR_OPTIONS"
    return "TRUNCATED" if "broken" in found or "frame of" in found or "length" in found else "NOT_MATCHED"


def _problem(frame: CapturedFrame, found: "Datagram | str") -> str | None:
    """Why a frame holds no packet to be looked into."""
    if isinstance(found, str):
        return found
    if not found.whole:
        return f"a datagram cut to {len(frame.data)} of {frame.length_on_wire} bytes"
    return None


def parse_datagram(frame: bytes) -> Datagram | str:
    """The UDP datagram in a frame, behind any VLAN tags; otherwise what the frame is instead, for a person."""
    if len(frame) < 14:
        return f"a frame of {len(frame)} bytes"
    at = 12
    kind = int.from_bytes(frame[at:at + 2], "big")
    while kind in VLAN_TAGS:
        at += 4
        kind = int.from_bytes(frame[at:at + 2], "big")
    at += 2
    if kind != ETHERTYPE_IPV4:
        return f"Ethernet type 0x{kind:04x}"
    header_length = (frame[at] & 0xF) * 4 if at < len(frame) else 0
    if len(frame) < at + max(header_length, 20) or header_length < 20 or frame[at] >> 4 != 4:
        return "a broken IPv4 header"
    header = frame[at:at + header_length]
    if header[9] != PROTOCOL_UDP:
        return f"IP protocol {header[9]}"
    if int.from_bytes(header[6:8], "big") & 0x3FFF:
        return "an IP fragment"
    udp = at + header_length
    if len(frame) < udp + 8:
        return "a broken UDP header"
    length = int.from_bytes(frame[udp + 4:udp + 6], "big")
    if length < 8:
        return f"a UDP length of {length}"
    line = FeedLine(int.from_bytes(frame[0:6], "big"), int.from_bytes(header[16:20], "big"), int.from_bytes(frame[udp + 2:udp + 4], "big"))
    datagram = frame[udp:udp + length]
    whole = len(datagram) == length
    return Datagram(line, udp + 8, datagram[8:], whole, _header_sound(header), whole and _sound(header, datagram))


def _sound(header: bytes, datagram: bytes) -> bool:
    return _header_sound(header) and (datagram[6:8] == b"\0\0" or _datagram_sound(header, datagram))


def _header_sound(header: bytes) -> bool:
    return header[10:12] == b"\0\0" or _adds_up(header)


def _datagram_sound(header: bytes, datagram: bytes) -> bool:
    """Right, or the sum of the pseudo header alone: what a sender leaves for its hardware to complete, seen in captures on the sender."""
    pseudo = header[12:20] + bytes([0, PROTOCOL_UDP]) + datagram[4:6]
    return _adds_up(pseudo + datagram) or _adds_up(pseudo + bytes(byte ^ 0xFF for byte in datagram[6:8]))


def _adds_up(data: bytes) -> bool:
    """Whether data that holds its Internet checksum is right: the end-around sum of its 16-bit words is the rest modulo 2^16 - 1."""
    return int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF == 0

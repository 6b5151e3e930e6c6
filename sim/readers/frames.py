"""The frames of a capture: pcap (microseconds or nanoseconds) and pcapng, in either byte order."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sim.readers.content import Content
from sim.readers.errors import BadInput

MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000), b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\x3c\x4d": (">", 1), b"\x4d\x3c\xb2\xa1": ("<", 1),
}  # fmt: skip
"""First bytes of pcap: byte order and nanoseconds per unit of the fraction."""

LINK_ETHERNET = 1
LARGEST_FRAME = 1 << 18

# pcapng, as in draft-ietf-opsawg-pcapng
SECTION, INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = b"\x0a\x0d\x0d\x0a", 1, 3, 6
BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
LARGEST_BLOCK = 1 << 24
OPTION_END, OPTION_RESOLUTION, OPTION_OFFSET = 0, 9, 14
NANOSECONDS = 1_000_000_000


class CapturedFrame(NamedTuple):
    time_ns: int
    offset: int
    """Of the frame's first byte in the file."""
    data: bytes
    length_on_wire: int


class Interface(NamedTuple):
    """What the packets of a pcapng interface are to be read with."""

    link: int
    snap: int
    """Bytes that a packet is cut to; 0: no limit."""
    ticks: int
    """Of its time stamps, a second."""
    offset: int
    """Seconds to be added to them."""


def is_capture(start: bytes) -> bool:
    """By the first bytes of the content."""
    return start[:4] in MAGICS or start[:4] == SECTION


def read_frames(path: Path) -> Iterator[CapturedFrame]:
    """Every frame of a capture."""
    with Content(path) as content:
        yield from (_pcapng if content.peek(4) == SECTION else _pcap)(path, content)


def _pcap(path: Path, content: Content) -> Iterator[CapturedFrame]:
    order, unit = _pcap_header(path, content)
    record = struct.Struct(order + "4I")
    while header := content.read(record.size):
        start = content.offset - len(header)
        if len(header) < record.size:
            raise BadInput(path, start, f"a record header of {record.size} bytes", f"the end of the file after {len(header)}")
        seconds, fraction, captured, on_wire = record.unpack(header)
        if captured > LARGEST_FRAME:
            raise BadInput(path, start + 8, f"a captured length of at most {LARGEST_FRAME}", str(captured))
        yield CapturedFrame(seconds * NANOSECONDS + fraction * unit, content.offset, content.take(captured, "a frame"), on_wire)


def _pcap_header(path: Path, content: Content) -> tuple[str, int]:
    magic = content.peek(4)
    if magic not in MAGICS:
        raise BadInput(path, 0, "the magic number of a pcap file", magic.hex() or "nothing")
    order, unit = MAGICS[magic]
    header = content.take(24, "a pcap file header")
    version, _, _, _, _, link = struct.unpack(order + "HHiIII", header[4:])
    if version != 2:
        raise BadInput(path, 4, "pcap version 2", str(version))
    if link & 0xFFFFFFF != LINK_ETHERNET:
        raise BadInput(path, 20, "link type 1 (Ethernet)", str(link & 0xFFFFFFF))
    return order, unit


def _pcapng(path: Path, content: Content) -> Iterator[CapturedFrame]:
    """Packets of all sections and interfaces in the order of the file; blocks of other types are passed over."""
    order, interfaces = "<", list[Interface]()
    while content.peek(1):
        start = content.offset
        if content.peek(4) == SECTION:
            order, interfaces = _byte_order(path, start, content.peek(12)), []
        kind, body = _block(path, content, order)
        if kind == INTERFACE:
            interfaces.append(_interface(path, start + 8, body, order))
        elif kind in (ENHANCED_PACKET, SIMPLE_PACKET):
            yield _packet(path, start + 8, kind, body, order, interfaces)


def _byte_order(path: Path, start: int, header: bytes) -> str:
    if header[8:12] not in BYTE_ORDERS:
        raise BadInput(path, start + 8, "the byte-order magic of a pcapng section", header[8:12].hex() or "the end of the file")
    return BYTE_ORDERS[header[8:12]]


def _block(path: Path, content: Content, order: str) -> tuple[int, bytes]:
    """Type and body of the next block: its length stands in front of it and behind."""
    start = content.offset
    kind, length = struct.unpack(order + "II", content.take(8, "the header of a pcapng block"))
    if length < 12 or length % 4 or length > LARGEST_BLOCK:
        raise BadInput(path, start + 4, f"a block length from 12 to {LARGEST_BLOCK}, a multiple of 4", str(length))
    body = content.take(length - 12, "the body of a pcapng block")
    (again,) = struct.unpack(order + "I", content.take(4, "the end of a pcapng block"))
    if again != length:
        raise BadInput(path, content.offset - 4, f"the block length {length} again", str(again))
    return kind, body


def _interface(path: Path, at: int, body: bytes, order: str) -> Interface:
    if len(body) < 8:
        raise BadInput(path, at, "an interface description of at least 8 bytes", str(len(body)))
    link, _, snap = struct.unpack_from(order + "HHI", body)
    ticks, offset, place = 1_000_000, 0, 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, place)
        value = body[place + 4:place + 4 + length]
        if code == OPTION_END:
            break
        if code == OPTION_RESOLUTION and len(value) == 1:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == OPTION_OFFSET and len(value) == 8:
            (offset,) = struct.unpack(order + "q", value)
        place += 4 + (length + 3) // 4 * 4
    return Interface(link, snap, ticks, offset)


def _packet(path: Path, at: int, kind: int, body: bytes, order: str, interfaces: list[Interface]) -> CapturedFrame:
    fixed = struct.Struct(order + ("5I" if kind == ENHANCED_PACKET else "I"))
    if len(body) < fixed.size:
        raise BadInput(path, at, f"a packet block of at least {fixed.size} bytes", str(len(body)))
    fields = fixed.unpack_from(body)
    number = fields[0] if kind == ENHANCED_PACKET else 0
    if number >= len(interfaces):
        raise BadInput(path, at, f"one of the section's {len(interfaces)} interfaces", str(number))
    interface, on_wire = interfaces[number], fields[-1]
    if interface.link != LINK_ETHERNET:
        raise BadInput(path, at, "a packet of link type 1 (Ethernet)", str(interface.link))
    if kind == ENHANCED_PACKET:
        stamp, captured = fields[1] << 32 | fields[2], fields[3]
    else:  # it has no time
        stamp, captured = 0, min(on_wire, interface.snap or on_wire)
    if captured > min(LARGEST_FRAME, len(body) - fixed.size):
        raise BadInput(path, at, f"a captured length of at most {min(LARGEST_FRAME, len(body) - fixed.size)}", str(captured))
    time = interface.offset * NANOSECONDS + stamp * NANOSECONDS // interface.ticks
    return CapturedFrame(time, at + fixed.size, body[fixed.size:fixed.size + captured], on_wire)

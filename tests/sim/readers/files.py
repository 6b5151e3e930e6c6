"""Small files made on the spot for the readers' tests."""

import re
import struct
from collections.abc import Iterable

from sim.golden.ethernet import build_udp
from sim.golden.itch50 import MESSAGE_LENGTHS
from sim.golden.moldudp64 import pack_packet
from sim.readers.errors import BadInput

SESSION = b"TEST000001"
GROUP_A, GROUP_B, PORT = 0xE9360C6F, 0xE9360C70, 26477

ONE_LINE = re.compile(r"[^\n]+: expected [^\n]+, came [^\n]+")


def outcome(items: Iterable) -> tuple[list, str]:
    """What a reader gives, or the line with which it refuses."""
    try:
        return list(items), ""
    except BadInput as error:
        return [], str(error)


def message(kind: str, locate: int = 1, **fields: int) -> bytes:
    """A well-formed message of a type; fields that are not named are zero, sides are B and prices 1.0000."""
    body = bytearray(MESSAGE_LENGTHS[kind])
    body[0] = ord(kind)
    body[1:3] = locate.to_bytes(2, "big")
    body[5:11] = fields.get("time", 34_200_000_000_000).to_bytes(6, "big")
    if kind in "AFECXDU":
        body[11:19] = fields.get("reference", 1).to_bytes(8, "big")
    match kind:
        case "A" | "F":
            body[19] = fields.get("side", ord("B"))
            body[20:24] = fields.get("shares", 100).to_bytes(4, "big")
            body[32:36] = fields.get("price", 10_000).to_bytes(4, "big")
        case "E" | "C" | "X":
            body[19:23] = fields.get("shares", 100).to_bytes(4, "big")
        case "U":
            body[19:27] = fields.get("new_reference", 2).to_bytes(8, "big")
            body[27:31] = fields.get("shares", 100).to_bytes(4, "big")
            body[31:35] = fields.get("price", 10_000).to_bytes(4, "big")
    return bytes(body)


def directory(name: str, locate: int) -> bytes:
    body = bytearray(message("R", locate))
    body[11:19] = name.encode().ljust(8)
    return bytes(body)


def binary_file(messages) -> bytes:
    return b"".join(len(body).to_bytes(2, "big") + body for body in messages)


def pcap(frames, *, magic=0xA1B23C4D, order="<", link=1, snap=1 << 16) -> bytes:
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for number, frame in enumerate(frames):
        kept = frame[:snap]
        parts.append(struct.pack(order + "4I", number, 500, len(kept), len(frame)) + kept)
    return b"".join(parts)


def pcapng_block(kind: int, body: bytes, order="<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(frames, *, order="<", link=1, options=b"", stamps=None, interface=0) -> bytes:
    """One section with one interface; ``stamps`` of the frames in its units, by default a second apart in microseconds."""
    section = pcapng_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    parts = [section, pcapng_block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)]
    for number, frame in enumerate(frames):
        stamp = stamps[number] if stamps else 1_000_000 * number
        head = struct.pack(order + "5I", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
        parts.append(pcapng_block(6, head + frame, order))
    return b"".join(parts)


def packet_frame(sequence, messages, *, session=SESSION, group=GROUP_A, port=PORT, **options) -> bytes:
    return build_udp(pack_packet(session, sequence, messages), destination_ip=group, destination_port=port, **options)

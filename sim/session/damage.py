"""Damaged copies of good frames, one for every reason that a receiver may have to drop a frame."""

import random
from typing import NamedTuple

from hw.reasons import DropReason
from sim.flow.framing import FeedAddressing, Frame
from sim.golden.ethernet import HEADERS, build_udp, checksum, receive
from sim.golden.moldudp64 import MoldUdp64Model


class Damaged(NamedTuple):
    data: bytes
    error: bool
    """The MAC flags it."""
    reason: DropReason
    """Why it must be dropped, by the golden receiver."""


def damaged(frame: Frame, address: FeedAddressing, chance: random.Random) -> Damaged:
    """A copy of a frame with one fault. It precedes the frame itself, so nothing is lost by dropping it."""
    make = chance.choice((_flagged, _flip_header, _flip_payload, _cut, _foreign, _fragment, _miscounted, _other_session))
    data, error = make(bytearray(frame.data), address, chance)
    return Damaged(data, error, _reason(data, error, address))


def _reason(data: bytes, error: bool, address: FeedAddressing) -> DropReason:
    received = receive(data, address.ip, address.port, error=error)
    if received.payload is None:
        return received.reason
    follower = MoldUdp64Model()
    follower.session = address.session
    return follower.packet(received.payload).reason


def _flagged(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    return bytes(data), True


def _flip_header(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    data[22] ^= 1 << chance.randrange(8)  # time to live: only the checksum notices
    return bytes(data), False


def _flip_payload(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    data[HEADERS + chance.randrange(10)] ^= 1 << chance.randrange(8)
    return bytes(data), False


def _cut(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    return bytes(data[: chance.randrange(HEADERS, len(data))]), False


def _foreign(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    return build_udp(bytes(data[HEADERS:]), destination_ip=address.ip ^ 0x80, destination_port=address.port), False


def _fragment(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    data[20:22] = b"\x20\x00"  # more fragments follow
    data[24:26] = bytes(2)
    data[24:26] = checksum(bytes(data[14:34])).to_bytes(2, "big")
    return bytes(data), False


def _miscounted(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    payload = data[HEADERS:]
    payload[18:20] = (int.from_bytes(payload[18:20], "big") + 1).to_bytes(2, "big")
    return build_udp(bytes(payload), destination_ip=address.ip, destination_port=address.port), False


def _other_session(data: bytearray, address: FeedAddressing, chance: random.Random) -> tuple[bytes, bool]:
    payload = b"YESTERDAY " + bytes(data[HEADERS + 10 :])
    return build_udp(payload, destination_ip=address.ip, destination_port=address.port), False

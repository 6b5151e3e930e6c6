"""Messages of any protocol in the fullest frames."""

import random
from typing import NamedTuple

from sim.flow import deep10 as deep
from sim.flow import pitch
from sim.golden import deep10, iex_tp
from sim.golden.ethernet import build_udp, with_tag
from sim.golden.moldudp64 import pack_packet
from sim.golden.pitch_unit import pack_unit
from tests.hw.feed import test_deep10, test_pitch

LONGEST_FRAME = 1514
"""Bytes without FCS."""


class Filling(NamedTuple):
    """How a protocol fills its packets."""

    pack: object
    """A packet of a sequence number and messages."""
    header: int
    between: int
    """Bytes in front of each message."""
    most: int
    """Messages in a packet."""


FILLINGS = {
    "itch50": Filling(lambda sequence, messages: pack_packet(b"LINE  RATE", sequence, messages), 20, 2, 0xFFFE),
    "pitch": Filling(lambda sequence, messages: pack_unit(1, sequence, messages), 8, 0, 255),
    "deep10": Filling(lambda sequence, messages: iex_tp.pack_segment(1, sequence, messages), 40, 2, 0xFFFF),
}


def full_frames(protocol, messages, address, *, tag=False, longest=LONGEST_FRAME):
    """All messages, in the fullest frames to an address (IP, port) that are no longer than ``longest`` bytes."""
    filling, frames, held, sequence = FILLINGS[protocol], [], [], 1
    size = room = longest - 42 - filling.header - 4 * tag

    def close():
        frame = build_udp(filling.pack(sequence, held), destination_ip=address[0], destination_port=address[1])
        frames.append(with_tag(frame) if tag else frame)

    for body in messages:
        if held and (filling.between + len(body) > size or len(held) == filling.most):
            close()
            sequence, held, size = sequence + len(held), [], room
        held.append(body)
        size -= filling.between + len(body)
    close()
    return frames


def message_bytes(protocol, messages):
    """What they take in packets, without the headers."""
    return sum(FILLINGS[protocol].between + len(body) for body in messages)


def mixes(name, seed=0):
    """Of the protocols that call symbols by their names, blocks of messages that may be repeated: the shortest first."""
    rng = random.Random(seed)
    every = [test_pitch.random_message(kind, rng) for kind in test_pitch.KINDS]
    return {
        "pitch": {
            "shortest": [pitch.time(1)],
            "deletes": [pitch.delete(1, 2)],
            "adds": [pitch.add_short(1, 2, "B", 3, name, 4)],
            "trades": [pitch.trade_short(1, "B", 3, name, 4, 5), pitch.trading_status(1, name, "T")],
            "all": [body for body in every if body[1] != 0x2D],
        },
        "deep10": {
            "shortest": [deep.system_event(1, "O")],
            "levels": [deep.level(1, name, "B", 2, 3)],
            "states": [deep.trading_status(1, name, "T"), deep.operational_halt(1, name, "N")],
            "all": [test_deep10.message(kind, rng) for kind in deep10.MESSAGE_LENGTHS],
        },
    }

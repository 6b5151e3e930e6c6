"""From the port to the events in order at line rate: the fullest and the smallest frames without a pause, and nothing is lost.

What follows here takes an event in every cycle; what a book makes of it that takes longer is in tests/end_to_end/test_line_rate.py.
"""

import random

import pytest

from hw.reasons import DropReason
from sim.flow import deep10, pitch
from sim.golden.itch50 import BOOK_TYPES
from tests.hw.feed.full_frames import full_frames
from tests.hw.feed.test_chain import IP, PORT, SYMBOLS, check, message

NAMES = ("A", "SPY", "ABCDEF", "ZVZZT")
SMALLEST_FRAME, LONGEST_FRAME = 60, 1514
CYCLES = 1_600
"""Words that go in, one in every cycle."""


def blocks():
    rng = random.Random(0)
    orders = [pitch.add_short(1, 2, "B", 3, "SPY", 4), pitch.add_expanded(1, 2, "S", 3, "ABCDEF", 4), pitch.executed(1, 2, 3, 4),
              pitch.executed_at_price(1, 2, 3, 4, 5, 6), pitch.reduce_short(1, 2, 3), pitch.modify_long(1, 2, 3, 4), pitch.delete(1, 2)]
    return {
        ("itch50", "deletes"): [message("D", rng)],
        ("itch50", "book"): [message(kind, rng) for kind in BOOK_TYPES],
        ("pitch", "deletes"): [pitch.delete(1, 2)],
        ("pitch", "deletes and times"): [pitch.delete(1, 2), pitch.time(3), pitch.time(4)],
        ("pitch", "book"): orders,
        ("deep10", "levels"): [deep10.level(1, "SPY", "B", 2, 3)],
        ("deep10", "levels and states"): [deep10.level(1, "A", "S", 2, 3), deep10.system_event(1, "S"), deep10.level(1, "SPY", "B", 2, 3)],
    }


BLOCKS = blocks()


@pytest.mark.parametrize("longest", [SMALLEST_FRAME, LONGEST_FRAME], ids=["smallest", "fullest"])
@pytest.mark.parametrize(("protocol", "kinds"), BLOCKS)
def test_every_event_comes_once_and_in_order(protocol, kinds, longest):
    block, symbols = BLOCKS[protocol, kinds], SYMBOLS if protocol == "itch50" else NAMES
    stream = block * (8 * CYCLES // (sum(map(len, block))))
    frames, words = [], 0
    for frame in full_frames(protocol, stream, (IP, PORT), longest=longest):
        frames.append(frame)
        words += -(-len(frame) // 8)
        if words >= CYCLES:
            break
    reasons, events = check(frames, symbols, address=(IP, PORT), protocol=protocol, backlog=1024)
    assert reasons == [DropReason.NONE] * len(frames)
    assert events >= (CYCLES // 24 if longest == SMALLEST_FRAME else CYCLES // 6)

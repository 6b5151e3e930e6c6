"""Line rate through the compiled card: one millisecond of the fullest frames on every port, and not a word or message is lost unseen."""

import random

import pytest

from host.card.control import Control
from host.card.registers import DropReason, StaleReason
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.golden.ethernet import build_udp, with_tag
from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS
from sim.golden.moldudp64 import pack_packet
from sim.verilated.build import library

MILLISECOND = 156_250
"""Cycles; one word of eight bytes in each is 10 Gbit/s."""
LONGEST_FRAME = 1514
"""Bytes without FCS."""
FULLEST = 69
"""Deletes, the shortest book messages, in the longest frame: 56.2 million messages a second with the wire's gaps, more here without."""
BOUND = 4_711
LINES = ("FEED", "FEED_B")
"""Of each venue, by the names of their registers."""
RECOVERY_PORT = 30_000
"""UDP port; the IP address is the same as the lines'."""
SETTLED = 2_000


@pytest.fixture(scope="module")
def built():
    return library(TINY)


@pytest.fixture
def control(built):
    with SimulatedCard(built) as card:
        control = Control(card, "tiny")
        for venue in range(TINY.venues):
            control.set_feed(venue, f"233.54.12.{111 + venue}", 26_477 + venue)
            control.bind_symbol(venue, 0, BOUND, "AMZN")
            for name in LINES:
                control.write(f"{name}_IP", 0xE9360C6F + venue, venue)
                control.write(f"{name}_PORT", 26_477 + venue, venue)
            control.write("RECOVERY_IP", 0xE9360C6F + venue, venue)
            control.write("RECOVERY_PORT", RECOVERY_PORT + venue, venue)
        assert card.feeds == len(LINES) * TINY.venues
        card.drain_events(TINY.events)
        card.run(16)  # what was written has reached the ports
        yield control


def message(kind, locate, rng):
    body = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    body[1:3] = locate.to_bytes(2, "big")
    if kind in "AF":
        body[19:20] = rng.choice([b"B", b"S"])
    if kind in "AFU":
        body[31 + (kind != "U")] = 0
    return bytes(body)


def frames_of(venue, messages, *, tag=False, port=26_477):
    """All messages in the fullest frames; returns the frames and how many messages are in them."""
    frames, held, sequence = [], [], 1
    size = room = LONGEST_FRAME - 42 - 20 - 4 * tag

    def close():
        frame = build_udp(
            pack_packet(b"LINE  RATE", sequence, held), destination_ip=0xE9360C6F + venue, destination_port=port + venue
        )
        frames.append(with_tag(frame) if tag else frame)

    for body in messages:
        if 2 + len(body) > size:
            close()
            sequence, held, size = sequence + len(held), [], room
        held.append(body)
        size -= 2 + len(body)
    close()
    return frames


def millisecond(venue, kinds, locate, *, tag=False, port=26_477):
    """Frames that take a port at least a millisecond, back to back, and the number of their messages."""
    rng = random.Random(venue)
    block = [message(kind, locate, rng) for kind in kinds]
    count = -(-8 * MILLISECOND // sum(2 + len(body) for body in block)) * len(block)
    return frames_of(venue, [block[number % len(block)] for number in range(count)], tag=tag, port=port), count


def run(control, traffic):
    """Sends all frames of all ports back to back and says how many cycles the longest took."""
    card = control.card
    for venue, (frames, _) in enumerate(traffic):
        card.queue(venue, frames)
    begin = card.cycle
    while any(card.waiting(venue) for venue in range(len(traffic))):
        card.run(1_000)
    cycles = card.cycle - begin
    card.run(SETTLED)
    return cycles


def words(frames):
    return sum(-(-len(frame) // 8) for frame in frames)


def test_sixty_nine_deletes_fill_a_frame():
    frames, count = millisecond(0, "D", 1)
    assert {len(frame) for frame in frames[:-1]} == {42 + 20 + FULLEST * 21}
    assert len(frames[0]) + 21 > LONGEST_FRAME
    assert count >= 56_200


@pytest.mark.parametrize("tag", [False, True])
@pytest.mark.parametrize("kinds", ["D", "S", "DX", "".join(MESSAGE_LENGTHS), BOOK_TYPES], ids=["deletes", "shortest", "two", "all", "book"])
def test_nothing_is_lost_before_the_book(control, kinds, tag):
    """Symbols of no interest: MAC-side words, frames, messages are all counted, on every port at once, and none is lost."""
    traffic = [millisecond(venue, kinds, BOUND + 1, tag=tag) for venue in range(TINY.venues)]
    cycles = run(control, traffic)
    assert MILLISECOND <= cycles <= max(words(frames) for frames, _ in traffic) + 1_000, "the ports were not kept busy"
    for venue, (frames, count) in enumerate(traffic):
        counters = {name: control.counter(name, venue) for name in ("FRAMES", "MESSAGES", "DUPLICATES", "GAPS", "STALE", "BOOK_EVENTS")}
        assert counters == {"FRAMES": len(frames), "MESSAGES": count, "DUPLICATES": 0, "GAPS": 0, "STALE": 0, "BOOK_EVENTS": 0}
        assert {reason.name: control.counter(f"DROP_{reason.name}", venue) for reason in DropReason if reason} == {
            reason.name: 0 for reason in DropReason if reason
        }
        assert control.read("FEED_EXPECTED", venue) == count + 1
    assert control.counter("EVENTS_LOST") == 0
    assert not control.card.take_frames()
    assert not control.card.violations()


@pytest.mark.parametrize("kinds", ["D", "".join(MESSAGE_LENGTHS)], ids=["deletes", "all"])
def test_nothing_is_lost_on_any_line(control, kinds):
    """Both lines of every venue at once, each at line rate, the same messages in other frames on line B; every frame of line A comes a
    second time as a retransmitted one."""
    traffic, cycles = [], control.card.cycle
    for venue in range(TINY.venues):
        (live, count), (again, _), (other, _) = (
            millisecond(venue, kinds, BOUND + 1, tag=tag, port=port) for tag, port in ((0, 26_477), (0, RECOVERY_PORT), (1, 26_477)))
        ports = [frame for pair in zip(live, again, strict=True) for frame in pair], other
        for line, frames in enumerate(ports):
            control.card.queue(line * TINY.venues + venue, frames)
        traffic.append((ports, count))
    control.card.run(max(words(frames) for ports, _ in traffic for frames in ports))
    assert not any(control.card.waiting(port) for port in range(control.card.feeds))
    assert control.card.cycle - cycles >= MILLISECOND
    control.card.run(SETTLED)
    for venue, (ports, count) in enumerate(traffic):
        counters = {name: control.counter(name, venue) for name in ("FRAMES", "MESSAGES", "DUPLICATES", "GAPS", "STALE", "BOOK_EVENTS")}
        assert counters == {
            "FRAMES": sum(len(frames) for frames in ports), "MESSAGES": count, "DUPLICATES": 2 * count, "GAPS": 0,
            "STALE": 0, "BOOK_EVENTS": 0,
        }
        assert not any(control.counter(f"DROP_{reason.name}", venue) for reason in DropReason if reason)
        assert control.counter("RESTORED", venue) == 0


def test_what_the_book_cannot_take_is_counted_and_told(control):
    """Every message is of a followed symbol. A book takes some cycles an event, so its buffer must overflow; each frame is either
    in the book or counted, the venue is stale, and a fresh start makes it good."""
    traffic = [millisecond(venue, "D", BOUND) for venue in range(TINY.venues)]
    run(control, traffic)
    for venue, (frames, count) in enumerate(traffic):
        lost = control.counter("DROP_OVERFLOW", venue)
        assert 0 < lost < len(frames)
        assert control.counter("FRAMES", venue) == len(frames)
        assert control.counter("BOOK_EVENTS", venue) in (count - FULLEST * lost, count - FULLEST * (lost - 1) - count % FULLEST)
        assert control.counter("UNKNOWN_REFERENCES", venue) == control.counter("BOOK_EVENTS", venue)
        assert control.counter("STALE", venue) == 1
        assert control.state().stale[venue]
        assert control.read("STALE_REASON", venue) == StaleReason.GAP
        assert control.read("BACKLOG", venue) == 0
        control.resync(venue, 1)
        assert not control.state().stale[venue]
        before = control.counter("BOOK_EVENTS", venue)
        control.card.queue(venue, frames[:1])
        control.card.run(SETTLED)
        assert control.counter("BOOK_EVENTS", venue) == before + FULLEST
        assert not control.state().stale[venue]

"""Line rate through the compiled card: one millisecond of the fullest frames on every port, and not a word or message is lost unseen."""

import random

import pytest

from host.card.control import Control
from host.card.registers import DropReason, StaleReason
from host.card.simulated import SimulatedCard
from hw.book.near_levels import NearLevels
from hw.config import TINY
from sim.flow import itch
from sim.fuzz.__main__ import speaking
from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS
from sim.verilated.build import library, sizes_of
from tests.hw.feed.full_frames import LONGEST_FRAME, full_frames, message_bytes, mixes

MILLISECOND = 156_250
"""Cycles; one word of eight bytes in each is 10 Gbit/s."""
SMALLEST_FRAME = 60
"""Bytes without FCS."""
ON_THE_WIRE = 24
"""Bytes that the wire needs for a frame beside it: preamble, FCS, the gap."""
NAMED = speaking(TINY, "pitch", "deep10")
"""With the two protocols that call symbols by their names."""
FULLEST = 69
"""Deletes, the shortest book messages, in the longest frame: 56.2 million messages a second with the wire's gaps, more here without."""
BOUND = 4_711
LINES = ("FEED", "FEED_B")
"""Of each venue, by the names of their registers."""
PORT, RECOVERY_PORT = 26_477, 30_000
"""UDP ports of the first venue's lines and of what is retransmitted to it; the IP address is the same."""
SETTLED = 2_000


@pytest.fixture(scope="module")
def built():
    return library(TINY)


@pytest.fixture(scope="module")
def built_named():
    return library(NAMED)


def prepared(card, config):
    """Every line of every venue listens, and AMZN is followed on all of them."""
    control = Control(card, config.name, {config.name: sizes_of(config)})
    for venue in range(config.venues):
        control.bind_symbol(venue, 0, BOUND, "AMZN")
        for name, port in (*((line, PORT) for line in LINES), ("RECOVERY", RECOVERY_PORT)):
            control.write(f"{name}_IP", address(venue, port)[0], venue)
            control.write(f"{name}_PORT", address(venue, port)[1], venue)
    assert card.feeds == len(LINES) * config.venues
    card.drain_events(config.events)
    card.run(16)  # what was written has reached the ports
    return control


@pytest.fixture
def control(built):
    with SimulatedCard(built) as card:
        yield prepared(card, TINY)


@pytest.fixture
def named(built_named):
    with SimulatedCard(built_named) as card:
        yield prepared(card, NAMED)


def message(kind, locate, rng):
    body = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    body[1:3] = locate.to_bytes(2, "big")
    if kind in "AF":
        body[19:20] = rng.choice([b"B", b"S"])
    if kind in "AFU":
        body[31 + (kind != "U")] = 0
    return bytes(body)


def address(venue, port=PORT):
    return 0xE9360C6F + venue, port + venue


def millisecond(venue, kinds, locate, *, tag=False, port=PORT):
    """Frames that take a port at least a millisecond, back to back, and the number of their messages."""
    rng = random.Random(venue)
    return repeated("itch50", venue, [message(kind, locate, rng) for kind in kinds], tag=tag, port=port)


def repeated(protocol, venue, block, *, tag=False, port=PORT):
    """The same, of a block of messages over and over."""
    count = -(-8 * MILLISECOND // message_bytes(protocol, block)) * len(block)
    return full_frames(protocol, [block[number % len(block)] for number in range(count)], address(venue, port), tag=tag), count


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


def check_lines(control, traffic, *, starts=lambda frames: None):
    """Sends the frames of both lines of all venues at once; every message must be taken once, and again as a duplicate.

    ``traffic``: of each venue the frames of its lines, how many messages there are, and how often each of them comes.
    """
    card, begin, cycles = control.card, control.card.cycle, 0
    for venue, (lines, _, _) in enumerate(traffic):
        for line, frames in enumerate(lines):
            when = starts(frames)
            cycles = max(cycles, when[-1] - begin + 16 if when else words(frames))
            card.queue(line * len(traffic) + venue, frames, starts=when)
    card.run(cycles)
    assert not any(card.waiting(port) for port in range(card.feeds)), "a port was not ready for a word"
    assert cycles >= MILLISECOND
    card.run(SETTLED)
    for venue, (lines, count, times) in enumerate(traffic):
        counters = {name: control.counter(name, venue) for name in ("FRAMES", "MESSAGES", "DUPLICATES", "GAPS", "STALE", "BOOK_EVENTS")}
        assert counters == {
            "FRAMES": sum(len(frames) for frames in lines), "MESSAGES": count, "DUPLICATES": (times - 1) * count, "GAPS": 0,
            "STALE": 0, "BOOK_EVENTS": 0,
        }
        assert control.counter("MALFORMED_MESSAGES", venue) == 0
        assert not any(control.counter(f"DROP_{reason.name}", venue) for reason in DropReason if reason)
        assert control.counter("RESTORED", venue) == 0
        assert control.read("FEED_EXPECTED", venue) == count + 1
    assert not card.violations()


def on_all_lines(protocol, venue, block):
    """Both lines at line rate, the same messages in other frames on line B; every frame of line A comes a second time as a retransmitted
    one."""
    (live, count), (again, _), (other, _) = (
        repeated(protocol, venue, block, tag=tag, port=port) for tag, port in ((0, PORT), (0, RECOVERY_PORT), (1, PORT)))
    return ([frame for pair in zip(live, again, strict=True) for frame in pair], other), count, 3


@pytest.mark.parametrize("kinds", ["D", "".join(MESSAGE_LENGTHS)], ids=["deletes", "all"])
def test_nothing_is_lost_on_any_line(control, kinds):
    rng = random.Random(0)
    block = [message(kind, BOUND + 1, rng) for kind in kinds]
    check_lines(control, [on_all_lines("itch50", venue, block) for venue in range(TINY.venues)])


def at_the_wires_pace(card):
    """Starts of frames that follow each other as close as the wire lets them."""
    def starts(frames):
        begins, at = [], 8 * card.cycle
        for frame in frames:
            begins.append(-(-at // 8))
            at += max(len(frame), SMALLEST_FRAME) + ON_THE_WIRE
        return begins

    return starts


def smallest(protocol, venue, body):
    """A millisecond of frames with one message each, the same on both lines."""
    size = max(len(full_frames(protocol, [body], address(venue))[0]), SMALLEST_FRAME) + ON_THE_WIRE
    count = 8 * MILLISECOND // size + 2
    return (full_frames(protocol, [body] * count, address(venue), longest=SMALLEST_FRAME),) * 2, count, 2


def test_the_smallest_frames_on_both_lines(control):
    """One delete a frame, 11.7 million frames a second on each of lines A and B."""
    body = message("D", BOUND + 1, random.Random(0))
    traffic = [smallest("itch50", venue, body) for venue in range(TINY.venues)]
    assert {len(frame) for frame in traffic[0][0][0]} == {42 + 20 + 21}
    check_lines(control, traffic, starts=at_the_wires_pace(control.card))


@pytest.mark.slow
@pytest.mark.parametrize(("pitch", "deep"), [("shortest", "shortest"), ("adds", "levels"), ("trades", "states"), ("trades", "all")])
def test_nothing_is_lost_of_the_other_protocols(named, pitch, deep):
    """All lines of a PITCH and a DEEP venue at once. Only what names its symbol, for all else goes to the book."""
    blocks = mixes("OTHER")["pitch"][pitch], mixes("OTHER")["deep10"][deep]
    check_lines(named, [on_all_lines(NAMED.protocol(venue), venue, block) for venue, block in enumerate(blocks)])


@pytest.mark.slow
def test_the_smallest_frames_of_the_other_protocols(named):
    bodies = mixes("OTHER")["pitch"]["adds"][0], mixes("OTHER")["deep10"]["shortest"][0]
    traffic = [smallest(NAMED.protocol(venue), venue, body) for venue, body in enumerate(bodies)]
    check_lines(named, traffic, starts=at_the_wires_pace(named.card))


@pytest.mark.parametrize("kinds", ["D", "DX", BOOK_TYPES], ids=["deletes", "two", "book"])
def test_the_book_keeps_up_with_the_line(control, kinds):
    """Every message is of a followed symbol."""
    traffic = [millisecond(venue, kinds, BOUND) for venue in range(TINY.venues)]
    run(control, traffic)
    for venue, (frames, count) in enumerate(traffic):
        assert control.counter("DROP_OVERFLOW", venue) == 0
        assert control.counter("FRAMES", venue) == len(frames)
        assert control.counter("BOOK_EVENTS", venue) == control.counter("TOPS", venue) == count
        assert control.counter("STALE", venue) == 0


def far_levels_come_and_go():
    """A block of messages that leaves nothing behind: behind sixteen better levels others come and go, which costs the book most."""
    near = [itch.add(0, BOUND, "AMZN", 1 + number, "B", 100, 5_000 + number) for number in range(NearLevels.LEVELS)]
    far = [message for number in range(24)
           for message in (itch.add(0, BOUND, "AMZN", 100 + number, "B", 100, 1 + number), itch.delete(0, BOUND, 100 + number))]
    return [*near, *far, *(itch.delete(0, BOUND, 1 + number) for number in range(NearLevels.LEVELS))]


def messages_in(frame):
    return int.from_bytes(frame[60:62], "big")


def test_what_the_book_cannot_take_is_counted_and_told(control):
    """Nothing but far levels, for a millisecond, and its buffer overflows: each frame is either in the book or counted, the venue is
    stale, and a fresh start makes it good."""
    traffic = [repeated("itch50", venue, far_levels_come_and_go()) for venue in range(TINY.venues)]
    run(control, traffic)
    for venue, (frames, count) in enumerate(traffic):
        lost, sizes = control.counter("DROP_OVERFLOW", venue), [messages_in(frame) for frame in frames[:-1]]
        assert 0 < lost < len(frames)
        assert control.counter("FRAMES", venue) == len(frames)
        missing = count - control.counter("BOOK_EVENTS", venue)
        assert (lost - 1) * min(sizes) < missing <= lost * max(sizes)
        assert control.counter("STALE", venue) == 1
        assert control.state().stale[venue]
        assert control.read("STALE_REASON", venue) == StaleReason.GAP
        assert control.read("BACKLOG", venue) == 0
        control.resync(venue, 1)
        assert not control.state().stale[venue]
        before = control.counter("BOOK_EVENTS", venue)
        control.card.queue(venue, frames[:1])
        control.card.run(SETTLED)
        assert control.counter("BOOK_EVENTS", venue) == before + messages_in(frames[0])
        assert not control.state().stale[venue]

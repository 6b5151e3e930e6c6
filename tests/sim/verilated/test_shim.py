"""The C shim and its Python side on a stand-in component: what a card would see of its surroundings."""

import random
import struct

import pytest

from host.card.protocol import CardError
from host.card.simulated import SimulatedCard
from sim.verilated.build import library_of
from tests.sim.verilated import standin
from tests.sim.verilated.standin import StandIn


@pytest.fixture(scope="module")
def library():
    return library_of(StandIn(), "standin", standin.FEEDS)


@pytest.fixture
def card(library):
    with SimulatedCard(library) as card:
        yield card


def drain(card, records=standin.RING_RECORDS):
    card.drain_events(records, ring=standin.RING_ADDRESS, write_index=standin.WRITE_INDEX, read_index=standin.READ_INDEX)


def frames_of(rng, count, longest=100):
    return [rng.randbytes(rng.randrange(1, longest)) for _ in range(count)]


def test_a_read_is_one_access_and_returns_what_was_written(card):
    assert card.read32(standin.MAGIC_ADDRESS) == standin.MAGIC
    for value in (0, 1, 0xFFFFFFFF, 0x12345678):
        card.write32(standin.SCRATCH, value)
        assert card.read32(standin.SCRATCH) == value
    assert card.read32(standin.WRITES) == 4
    assert card.read32(standin.READS) == 6


def test_frames_come_back_byte_for_byte(card):
    rng = random.Random(1)
    frames = frames_of(rng, 200)
    errors = [rng.random() < 0.1 for _ in frames]
    card.queue(0, frames, errors=errors)
    assert card.run_until_idle()
    taken = card.take_frames()
    assert [frame.data for frame in taken] == frames
    assert [frame.error for frame in taken] == errors
    assert not card.take_frames()
    assert not card.violations()


def test_frames_go_back_to_back_at_their_cycle(card):
    """One word a cycle without a gap, and none before its time."""
    start = card.cycle + 50
    card.queue(0, [bytes(64), bytes(9), bytes(8)], starts=[start, 0, start + 500])
    card.run(600)
    first, second, third = card.take_frames()
    # the stand-in echoes a frame one cycle after its last word
    assert first.first_cycle == start + 8
    assert (first.last_cycle, second.first_cycle) == (start + 15, start + 16)
    assert third.first_cycle == start + 501
    card.queue(0, frames := [bytes([i]) for i in range(100)])
    begin = card.cycle
    card.run(102)
    taken = card.take_frames()
    assert [frame.first_cycle for frame in taken] == [begin + 1 + i for i in range(100)]
    assert [frame.data for frame in taken] == frames


def test_accesses_cost_cycles_while_frames_move(card):
    card.queue(1, [bytes(80)])
    begin = card.cycle
    card.read32(standin.MAGIC_ADDRESS)
    assert 2 <= card.cycle - begin <= 8
    card.write32(standin.SCRATCH, 1)
    card.run(20)
    assert card.read32(standin.WORDS_SEEN) == 10


@pytest.mark.parametrize("seed", range(3))
def test_back_pressure_changes_nothing_but_time(card, seed):
    frames = frames_of(random.Random(seed), 100)
    card.refuse_orders(50, seed)
    card.queue(0, frames)
    assert card.run_until_idle()
    assert [frame.data for frame in card.take_frames()] == frames
    assert not card.violations()


def test_every_record_is_drained_once_and_in_order(card):
    """Frames far enough apart that nothing is lost; the ring wraps many times."""
    drain(card)
    rng = random.Random(2)
    frames = frames_of(rng, 300, 40)
    card.queue(1, frames, starts=[60 * (i + 1) for i in range(len(frames))])
    assert card.run_until_idle(100_000)
    records = [record.words for record in card.take_events()]
    assert len(records) == len(frames)
    assert [record[4] for record in records] == list(range(300))
    for number, record in enumerate(records):
        last = frames[number][(len(frames[number]) - 1) // 8 * 8:]
        assert record[0] == 1
        assert struct.pack("<I", record[2])[:len(last)] == last[:4]
        assert record[3] & 0xF == len(last)
        assert record[5:] == (0xA5, 0xB6, 0xC7)
    assert card.read32(standin.LOST) == 0
    assert card.read32(standin.READ_INDEX) == 300


def test_a_driver_that_drains_can_share_the_bus(card):
    """Host accesses go between those of the drain and disturb nothing."""
    drain(card)
    card.queue(0, [bytes([i % 251] * 16) for i in range(200)], starts=[40 * i for i in range(200)])
    rng, value = random.Random(3), 0
    card.write32(standin.SCRATCH, value)
    for _ in range(400):
        card.run(rng.randrange(30))
        if rng.random() < 0.5:
            value = rng.randrange(1 << 32)
            card.write32(standin.SCRATCH, value)
        assert card.read32(standin.SCRATCH) == value
    assert card.run_until_idle()
    assert [record.words[4] for record in card.take_events()] == list(range(200))


def test_nobody_drains_unless_told(card):
    card.queue(1, [bytes(8)] * 20)
    assert card.run_until_idle()
    assert not card.take_events()
    assert card.read32(standin.WRITE_INDEX) == standin.RING_RECORDS
    assert card.read32(standin.LOST) == 20 - standin.RING_RECORDS
    drain(card)
    assert card.run_until_idle()
    assert len(card.take_events()) == standin.RING_RECORDS


def test_urgent_frames_go_before_the_others_but_never_within_one(card):
    waiting, urgent = [bytes([1] * 40), bytes([2] * 40), bytes([3] * 16)], [bytes([8] * 16), bytes([9] * 24)]
    card.queue(0, waiting)
    card.run(2)
    card.queue(0, urgent, urgent=True)
    assert card.waiting(0) == 5
    assert card.run_until_idle()
    taken = card.take_frames()
    assert [frame.data for frame in taken] == [waiting[0], *urgent, *waiting[1:]]
    assert card.waiting(0) == 0
    assert not card.violations()


def test_urgent_frames_do_not_wait_for_the_pace_of_the_others(card):
    drain(card)
    card.write32(standin.BURST, 16)
    card.pace(1_000, settle=32)
    card.queue(0, [bytes([1] * 8)] * 3, weights=[16] * 3)
    card.run(4)
    card.queue(0, [bytes([9] * 8)], weights=[0], urgent=True)
    card.run(8)
    assert [frame.data[0] for frame in card.take_frames()] == [1, 9]
    assert card.run_until_idle(100_000)
    assert [frame.data[0] for frame in card.take_frames()] == [1, 1]


@pytest.mark.parametrize("burst", [1, 3, 8, 12, 16])
def test_a_paced_card_overflows_nothing(card, burst):
    """Both ports as fast as they may; the ring takes everything and nothing waits for ever."""
    drain(card)
    card.write32(standin.BURST, burst)
    card.pace(1_000, settle=32)
    for port in (0, 1):
        card.queue(port, [bytes(8 * (port + 2))] * 200, weights=[burst] * 200)
    assert card.run_until_idle(2_000_000)
    assert len(card.take_events()) == 400 * burst
    assert card.read32(standin.LOST) == 0


@pytest.mark.parametrize("limit", [4, 7, 12])
def test_a_paced_card_keeps_the_backlog_below_its_limit(card, limit):
    drain(card)
    card.write32(standin.BURST, 2)
    card.pace(limit, settle=32)
    card.queue(1, [bytes(8)] * 200, weights=[2] * 200)
    assert card.run_until_idle(2_000_000)
    assert len(card.take_events()) == 400
    assert limit - 2 <= card.read32(standin.PEAK) <= limit


def test_an_unpaced_card_does_overflow(card):
    """The control of the test above."""
    drain(card)
    card.write32(standin.BURST, 8)
    card.queue(0, [bytes(8)] * 50)
    assert card.run_until_idle(100_000)
    assert card.read32(standin.LOST) > 0


def test_reset_forgets_everything(card):
    drain(card)
    card.queue(0, [bytes(100)] * 10)
    card.run(40)
    card.reset()
    assert card.cycle == 0
    assert card.run_until_idle()
    assert not card.take_frames()
    assert not card.take_events()
    assert card.read32(standin.WORDS_SEEN) == 0


@pytest.mark.parametrize(("fault", "field"), [
    (standin.FAULT_PAUSE, "paused_within_frame"),
    (standin.FAULT_CHANGE, "changed_while_refused"),
    (standin.FAULT_COUNT, "wrong_byte_count"),
])
def test_a_broken_stream_is_noticed(fault, field):
    with SimulatedCard(library_of(StandIn(fault), "standin", standin.FEEDS)) as card:
        card.refuse_orders(30, seed=1)
        card.queue(0, [bytes(200)] * 10)
        card.run_until_idle()
        assert card.violations()
        assert getattr(card.violations(), field) > 0


def test_wrong_use_is_refused(card):
    for call, message in (
        (lambda: card.queue(2, [b"x"]), "feed ports 0 to 1, not 2"),
        (lambda: card.queue(0, [b""]), "at least one byte"),
        (lambda: card.queue(0, [b"x"], starts=[1, 2]), "2 starts for 1 frames"),
        (lambda: card.read32(2), "multiple of 4"),
        (lambda: card.read32(0x100000), "not within"),
        (lambda: card.write32(0, -1), "does not fit"),
        (lambda: card.refuse_orders(100, 1), "not 100"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    card.close()
    with pytest.raises(CardError, match="closed"):
        card.run(1)


def test_two_builds_are_one(library):
    assert library_of(StandIn(), "standin", standin.FEEDS) == library

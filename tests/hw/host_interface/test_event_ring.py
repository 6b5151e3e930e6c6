"""The event ring: order, loss that says so, and room that is never taken twice."""

import random

import pytest

from hw.host_interface.event_ring import READ_LATENCY, EventRing
from hw.host_interface.events import LOST_BIT
from tests.hw.bench import simulate

EVENTS = 16


def made(source, number):
    """A record that says where it comes from; the lost bit is the ring's."""
    return (number << 32 | source << 16) | number << 224


def source_of(record):
    return record >> 16 & 0xFF


def number_of(record):
    return record >> 224


def lost_before(record):
    return record >> LOST_BIT & 1


class Reader:
    """Takes records out of the ring as a host does."""

    def __init__(self, dut):
        self.dut = dut
        self.index = 0
        self.taken = []

    async def take(self, ctx, most):
        available = (ctx.get(self.dut.write_index) - self.index) % (1 << 32)
        for _ in range(min(most, available)):
            self.taken.append(await self.record(ctx, self.index % EVENTS))
            self.index = (self.index + 1) % (1 << 32)
        ctx.set(self.dut.read_index, self.index)

    async def record(self, ctx, place):
        words = []
        for cycle in range(8 + READ_LATENCY):
            ctx.set(self.dut.read_address, 8 * place + min(cycle, 7))
            if cycle >= READ_LATENCY:
                words.append(ctx.get(self.dut.read_data))
            await ctx.tick()
        return sum(word << 32 * i for i, word in enumerate(words))


def test_one_record_shows_after_the_latency():
    dut = EventRing(EVENTS, [2, 2])

    async def testbench(ctx):
        ctx.set(dut.records[1].payload, made(1, 5))
        ctx.set(dut.records[1].valid, 1)
        await ctx.tick()
        ctx.set(dut.records[1].valid, 0)
        for _ in range(EventRing.LATENCY - 1):
            assert ctx.get(dut.write_index) == 0
            await ctx.tick()
        assert ctx.get(dut.write_index) == 1
        reader = Reader(dut)
        await reader.take(ctx, 1)
        assert reader.taken == [made(1, 5)]

    simulate(dut, testbench)


def test_it_has_room_while_less_than_half_is_full():
    dut = EventRing(EVENTS, [2])

    async def testbench(ctx):
        for number in range(3 * EVENTS):
            await ctx.tick().repeat(10)
            waiting = (ctx.get(dut.write_index) - ctx.get(dut.read_index)) % (1 << 32)
            assert ctx.get(dut.room) == (waiting < EVENTS // 2), waiting
            if number > EVENTS:
                ctx.set(dut.read_index, ctx.get(dut.read_index) + 1 + number % 2)
            ctx.set(dut.records[0].valid, number < EVENTS - 1)
            await ctx.tick()
            ctx.set(dut.records[0].valid, 0)
        assert ctx.get(dut.write_index) == EVENTS - 1

    simulate(dut, testbench)


@pytest.mark.parametrize(("seed", "rate", "pause"), [(1, 0.01, 0), (2, 0.1, 30), (3, 0.6, 5), (4, 0.3, 100)])
def test_nothing_is_lost_without_a_word(seed, rate, pause):
    """Whatever arrives is in the ring in its source's order, or was counted as lost and the source's next record says so."""
    rng = random.Random(seed)
    depths = [1, 2, 8]
    dut = EventRing(EVENTS, depths)
    sent = [0] * len(depths)
    reader = Reader(dut)
    lost = 0
    done = False

    async def sources(ctx):
        nonlocal lost, done
        for cycle in range(1_500):
            for source, port in enumerate(dut.records):
                happens = rng.random() < rate and cycle < 1_400
                ctx.set(port.valid, happens)
                ctx.set(port.payload, made(source, sent[source]))
                sent[source] += happens
            await ctx.tick()
            lost += ctx.get(dut.lost)
        for number, port in enumerate(dut.records):  # one more each, so that a loss at the very end is announced too
            await ctx.tick().repeat(1_000)
            ctx.set(port.valid, 1)
            ctx.set(port.payload, made(number, sent[number]))
            sent[number] += 1
            await ctx.tick()
            ctx.set(port.valid, 0)
        await ctx.tick().repeat(100)
        done = True

    async def host(ctx):
        while not done:
            if pause:
                await ctx.tick().repeat(rng.randint(1, pause))
            await reader.take(ctx, rng.randint(1, EVENTS))
            await ctx.tick()
        await reader.take(ctx, EVENTS)

    simulate(dut, sources, host)
    assert len(reader.taken) + lost == sum(sent)
    assert len(reader.taken) > 30
    assert (lost > 0) == (rate > 0.05), f"seed {seed}: {lost} lost"
    for source in range(len(depths)):
        records = [record for record in reader.taken if source_of(record) == source]
        expected = 0
        for record in records:
            assert bool(lost_before(record)) == (number_of(record) != expected)
            assert record & ~(1 << LOST_BIT) == made(source, number_of(record))
            assert number_of(record) >= expected
            expected = number_of(record) + 1
        assert expected == sent[source]


def test_a_full_ring_keeps_the_oldest_and_goes_on_when_there_is_room():
    dut = EventRing(EVENTS, [1])

    async def testbench(ctx):
        for number in range(40):
            ctx.set(dut.records[0].payload, made(0, number))
            ctx.set(dut.records[0].valid, 1)
            await ctx.tick()
            ctx.set(dut.records[0].valid, 0)
            await ctx.tick().repeat(4)
        held = ctx.get(dut.write_index)
        assert EVENTS - 1 <= held <= EVENTS
        reader = Reader(dut)
        await reader.take(ctx, held)
        assert [number_of(record) for record in reader.taken] == list(range(held))
        await ctx.tick().repeat(5)
        await reader.take(ctx, EVENTS)
        assert number_of(reader.taken[-1]) == held, "the one that waited in the queue"

    simulate(dut, testbench)


def test_indices_wrap_and_a_nonsensical_read_index_only_fills_the_ring():
    dut = EventRing(EVENTS, [1])

    async def testbench(ctx):
        ctx.set(dut.read_index, 5)  # ahead of the write index
        await ctx.tick()
        ctx.set(dut.records[0].valid, 1)
        await ctx.tick().repeat(10)
        assert ctx.get(dut.write_index) <= 1
        ctx.set(dut.read_index, 0)
        await ctx.tick().repeat(100)
        assert EVENTS - 1 <= ctx.get(dut.write_index) <= EVENTS

    simulate(dut, testbench)


def test_lost_counts_every_source_of_a_cycle():
    dut = EventRing(EVENTS, [1, 1, 1, 1])

    async def testbench(ctx):
        for port in dut.records:
            ctx.set(port.valid, 1)
        sent, lost = 0, 0
        for _ in range(60):
            await ctx.tick()
            sent += 4
            lost += ctx.get(dut.lost)
        for port in dut.records:
            ctx.set(port.valid, 0)
        await ctx.tick().repeat(10)
        queued = 4
        assert sent == lost + ctx.get(dut.lost) + ctx.get(dut.write_index) + queued

    simulate(dut, testbench)


@pytest.mark.parametrize(("events", "depths", "complaint"), [
    (15, [1], "power of two"), (8, [1], "power of two"), (1 << 15, [1], "power of two"), (16, [], "queue"), (16, [1, 0], "queue"),
])
def test_wrong_sizes_are_refused(events, depths, complaint):
    with pytest.raises(ValueError, match=complaint):
        EventRing(events, depths)

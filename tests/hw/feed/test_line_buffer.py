"""LineBuffer: good frames and their events in order, lost ones as a span without messages, and nothing of the others."""

import random
from collections import deque

import pytest

from hw.feed.line_buffer import LineBuffer
from tests.hw.bench import made, simulate


def event(number):
    return {"sequence": number, "reference": number ^ 0x55, "ingress": number & 0xFF, "price": number & 0xFFFF, "locate": 7}


@pytest.mark.parametrize("block_ram", [False, True])
def test_latency(block_ram):
    """The frame shows one cycle after its commit, and is told with it; its event ``LATENCY`` cycles after it."""
    dut = made(LineBuffer, 8, 4, block_ram=block_ram)

    async def testbench(ctx):
        ctx.set(dut.input.valid, 1)
        ctx.set(dut.input.payload, event(9))
        await ctx.tick()
        ctx.set(dut.input.valid, 0)
        ctx.set(dut.commit, 1)
        ctx.set(dut.first, 9)
        ctx.set(dut.next, 10)
        coming = ctx.get(dut.coming.payload)
        assert (ctx.get(dut.coming.valid), coming.first, coming.next, coming.events) == (1, 9, 10, 1)
        for cycle in range(1, LineBuffer.LATENCY + 1):
            await ctx.tick()
            ctx.set(dut.commit, 0)
            assert ctx.get(dut.frame.valid)
            assert ctx.get(dut.events.valid) == (cycle == LineBuffer.LATENCY)
        frame, held = ctx.get(dut.frame.payload), ctx.get(dut.events.payload)
        assert (frame.first, frame.next, frame.events) == (9, 10, 1)
        assert (held.sequence, held.reference, held.price, held.locate) == (9, 9 ^ 0x55, 9, 0)

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))])
def test_random_frames(seed):
    rng = random.Random(seed)
    depth, places = rng.choice([(8, 2), (16, 4), (64, 16)])
    dut = made(LineBuffer, depth, places)
    slow = 0.95 if depth == 64 else rng.choice([0.7, 0.8, 0.9])  # so that the largest overflows too
    fates = {"commit": 0, "lose": 0, "discard": 0, "dropped": 0, "clear": 0}
    told_ahead = 0  # times a frame was coming

    async def testbench(ctx):
        frames, events, pending, number = deque(), deque(), [], 1
        level = 0  # events in the device
        nonlocal told_ahead
        ahead = None  # the frame that was coming in the cycle before
        for cycle in range(6_000):
            put = rng.random() < 0.4
            fate = rng.choices(["", "commit", "lose", "discard"], (12, 4, 1, 1))[0]
            clear = rng.random() < 0.004
            count = rng.randrange(3)
            ctx.set(dut.input.valid, put)
            if put:
                ctx.set(dut.input.payload, event(number))
            for name in ("commit", "lose", "discard"):
                ctx.set(getattr(dut, name), name == fate)
            ctx.set(dut.clear, clear)
            ctx.set(dut.first, 10 * cycle)
            ctx.set(dut.next, 10 * cycle + count)
            take_frame, take_event = rng.random() > slow, rng.random() > slow
            ctx.set(dut.frame.ready, take_frame)
            ctx.set(dut.events.ready, take_event)

            assert ctx.get(dut.level) == level
            assert bool(ctx.get(dut.frame.valid)) == bool(frames)
            assert ctx.get(dut.waiting) == len(frames)
            if ahead is not None:
                shown = ctx.get(dut.frame.payload)
                assert (shown.first, shown.next, shown.events) == ahead == frames[0]
            ahead, told_ahead = None, told_ahead + bool(ctx.get(dut.coming.valid))
            if ctx.get(dut.coming.valid):
                assert not frames or (take_frame and len(frames) == 1)
                coming = ctx.get(dut.coming.payload)
                ahead = (coming.first, coming.next, coming.events)
            full = len(frames) - 1 == places
            event_taken = take_event and bool(ctx.get(dut.events.valid))
            overflow = any(item is None for item in pending) or (put and level == depth)
            if put:
                pending.append(None if level == depth or overflow else number)
                level += pending[-1] is not None
                number += 1
            if take_frame and frames:
                frame = ctx.get(dut.frame.payload)
                assert (frame.first, frame.next, frame.events) == frames.popleft()
            if event_taken:
                held = ctx.get(dut.events.payload)
                wanted = events.popleft()
                assert (held.sequence, held.reference) == (wanted, wanted ^ 0x55)
                level -= 1
            if clear:
                level -= len(events)
                frames.clear()
                events.clear()
                fates["clear"] += 1
            dropped, told = False, ctx.get(dut.dropped)
            if fate:
                kept = [item for item in pending if item is not None]
                fates[fate] += 1
                if fate == "commit" and not overflow and not full:
                    frames.append((10 * cycle, 10 * cycle + count, len(pending)))
                    events.extend(pending)
                else:
                    level -= len(kept)
                    if fate in ("commit", "lose") and not full:
                        frames.append((10 * cycle + count, 10 * cycle + count, 0))
                    dropped = fate == "commit"
                    fates["dropped"] += dropped
                pending = []
            assert told == dropped
            await ctx.tick()

    simulate(dut, testbench)
    assert min(fates.values()) > 2, fates
    assert told_ahead > 2


@pytest.mark.parametrize(("depth", "frames"), [(3, 4), (8, 3), (8, 1)])
def test_sizes_are_checked(depth, frames):
    with pytest.raises(ValueError, match="must be a power of two and at least 2"):
        LineBuffer(depth, frames)

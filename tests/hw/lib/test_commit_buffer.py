"""CommitBuffer: what is committed comes out in order, what is discarded never does."""

import random
from collections import deque

import pytest

from hw.lib.commit_buffer import CommitBuffer
from tests.hw.bench import made, simulate


class Model:
    """The contract as a deque: one call a cycle."""

    def __init__(self, depth):
        self.depth, self.committed, self.pending, self.lost = depth, deque(), [], False
        self.dropped = 0

    @property
    def level(self):
        return len(self.committed) + len(self.pending)

    def cycle(self, entry, commit, discard, taken):
        """Returns ``overflow`` of this cycle; ``taken``: an entry is taken from the output in this cycle."""
        if entry is not None:
            if self.level == self.depth:
                self.lost = True
            elif not self.lost:
                self.pending.append(entry)
        overflow = self.lost
        if taken:
            self.committed.popleft()
        if commit or discard:
            if commit and not discard and not overflow:
                self.committed.extend(self.pending)
            self.dropped += commit and not discard and overflow
            self.pending, self.lost = [], False
        return overflow


async def cycle(ctx, dut, entry=None, *, commit=0, discard=0, ready=1):
    """Sets the inputs of one cycle; returns what is taken from the output in it."""
    ctx.set(dut.input.valid, entry is not None)
    ctx.set(dut.input.payload, entry or 0)
    ctx.set(dut.commit, commit)
    ctx.set(dut.discard, discard)
    ctx.set(dut.output.ready, ready)
    return ctx.get(dut.output.payload) if ready and ctx.get(dut.output.valid) else None


def test_latency():
    dut = made(CommitBuffer, 16, 4)

    async def testbench(ctx):
        assert await cycle(ctx, dut, 0x1234, commit=1) is None
        for _ in range(CommitBuffer.LATENCY - 1):
            await ctx.tick()
            assert await cycle(ctx, dut) is None
        await ctx.tick()
        assert await cycle(ctx, dut) == 0x1234
        await ctx.tick()
        assert await cycle(ctx, dut) is None

    simulate(dut, testbench)


def test_full_rate():
    dut = made(CommitBuffer, 16, 4)
    out = []

    async def testbench(ctx):
        for number in range(1, 50):
            out.append(await cycle(ctx, dut, number, commit=1))
            await ctx.tick()

    simulate(dut, testbench)
    assert out == [None] * CommitBuffer.LATENCY + list(range(1, 50 - CommitBuffer.LATENCY))


@pytest.mark.parametrize("depth", [2, 4, 16])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_model(depth, seed):
    rng = random.Random(seed)
    dut, model = CommitBuffer(32, depth), Model(depth)
    taken, discarded, held = 0, 0, None

    async def testbench(ctx):
        nonlocal taken, discarded, held
        dropped = 0
        for number in range(3_000):
            eager = rng.random() < 0.5 if number % 100 == 0 else number // 100 % 2
            entry = number + 1 if rng.random() < 0.5 else None
            commit, discard = rng.random() < 0.2, rng.random() < 0.08
            ready = rng.random() < (0.9 if eager else 0.2)
            assert ctx.get(dut.level) == model.level
            assert ctx.get(dut.dropped) == model.dropped - dropped
            dropped = model.dropped
            out = await cycle(ctx, dut, entry, commit=commit, discard=discard, ready=ready)
            if ctx.get(dut.output.valid):
                assert ctx.get(dut.output.payload) == model.committed[0]
                assert held in (None, model.committed[0]), "the payload changed while it waited"
                held = None if ready else model.committed[0]
            else:
                assert held is None, "valid was taken back"
            if out is not None:
                taken += 1
            discarded += discard and len(model.pending) > 0
            overflow = model.cycle(entry, commit, discard, out is not None)
            assert ctx.get(dut.overflow) == overflow
            await ctx.tick()
        for _ in range(depth + 4):
            out = await cycle(ctx, dut, discard=1)
            model.cycle(None, 0, 1, out is not None)
            await ctx.tick()
        assert ctx.get(dut.level) == 0
        assert not model.committed, "something remained"

    simulate(dut, testbench)
    assert taken > 250
    assert discarded > 50
    assert model.dropped > (20 if depth < 16 else 0)


@pytest.mark.parametrize("depth", [0, 1, 3, 100])
def test_depth_is_checked(depth):
    with pytest.raises(ValueError, match="power of two"):
        CommitBuffer(8, depth)

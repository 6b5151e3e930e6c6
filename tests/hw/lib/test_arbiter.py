"""Each in its turn, nothing lost, nothing exchanged for another while it waits."""

import random

import pytest

from hw.lib.arbiter import StreamArbiter
from tests.hw.bench import made, simulate


@pytest.mark.parametrize("inputs", [1, 2, 3, 8])
def test_everybody_gets_an_equal_share(inputs):
    dut = made(StreamArbiter, 8, inputs)
    order = []

    async def testbench(ctx):
        for index, source in enumerate(dut.inputs):
            ctx.set(source.valid, 1)
            ctx.set(source.payload, index)
        ctx.set(dut.output.ready, 1)
        for _ in range(4 * inputs):
            assert ctx.get(dut.output.valid)
            order.append(ctx.get(dut.output.payload))
            await ctx.tick()

    simulate(dut, testbench)
    assert order == list(range(inputs)) * 4


@pytest.mark.parametrize(("inputs", "seed"), [(2, 1), (3, 2), (5, 3)])
def test_random_traffic(inputs, seed):
    rng = random.Random(seed)
    dut = made(StreamArbiter, 16, inputs)
    sent, received, waits = [[] for _ in range(inputs)], [], []

    async def testbench(ctx):
        offered = [None] * inputs
        on_offer, waiting = None, [0] * inputs
        for number in range(3_000):
            for index, source in enumerate(dut.inputs):
                if offered[index] is None and rng.random() < 0.6:
                    offered[index] = index << 12 | len(sent[index])
                    ctx.set(source.payload, offered[index])
                ctx.set(source.valid, offered[index] is not None)
            ctx.set(dut.output.ready, rng.random() < 0.7)
            valid, payload, ready = ctx.get(dut.output.valid), ctx.get(dut.output.payload), ctx.get(dut.output.ready)
            assert valid == any(item is not None for item in offered)
            assert on_offer is None or (valid and payload == on_offer), f"cycle {number}: the item on offer was exchanged"
            on_offer = payload if valid and not ready else None
            for index, source in enumerate(dut.inputs):
                taken = ctx.get(source.ready) and offered[index] is not None
                assert taken == bool(valid and ready and payload >> 12 == index)
                if valid and ready:
                    waiting[index] += 0 if offered[index] is None else 1
                if taken:
                    sent[index].append(offered[index])
                    received.append(offered[index])
                    waits.append(waiting[index] - 1)
                    offered[index], waiting[index] = None, 0
            await ctx.tick()

    simulate(dut, testbench)
    assert len(received) > 1_000
    for index in range(inputs):
        assert [item for item in received if item >> 12 == index] == sent[index]
    assert max(waits) < inputs, "somebody waited for more than a round"


def test_needs_an_input():
    with pytest.raises(ValueError, match="at least 1 input, not 0"):
        StreamArbiter(8, 0)


def test_what_stays_together_is_not_parted():
    """The second input waits while the first takes its time between two items that belong together."""
    dut = made(StreamArbiter, 8, 2, together=lambda payload: payload[0])
    taken = []

    async def testbench(ctx):
        ctx.set(dut.output.ready, 1)
        ctx.set(dut.inputs[1].valid, 1)
        ctx.set(dut.inputs[1].payload, 0xF0)
        for first in (0x11, None, None, 0x13, None, 0x14, None):
            ctx.set(dut.inputs[0].valid, first is not None)
            ctx.set(dut.inputs[0].payload, first or 0)
            taken.append(ctx.get(dut.output.payload) if ctx.get(dut.output.valid) else None)
            await ctx.tick()

    simulate(dut, testbench)
    assert taken == [0x11, None, None, 0x13, None, 0x14, 0xF0]

"""Nothing lost, nothing changed, one cycle later."""

import random

from hw.lib.register_slice import RegisterSlice
from tests.hw.bench import simulate


def test_latency_and_an_item_every_two_cycles():
    dut = RegisterSlice(8)

    async def testbench(ctx):
        ctx.set(dut.input.valid, 1)
        ctx.set(dut.output.ready, 1)
        seen = []
        for number in range(8):
            ctx.set(dut.input.payload, number)
            seen.append((ctx.get(dut.output.valid), ctx.get(dut.output.payload)))
            await ctx.tick()
        assert [payload for valid, payload in seen if valid] == [0, 2, 4, 6]
        assert [number for number, (valid, _) in enumerate(seen) if valid] == [RegisterSlice.LATENCY + step for step in (0, 2, 4, 6)]

    simulate(dut, testbench)


def test_random_traffic():
    rng = random.Random(3)
    dut = RegisterSlice(16)
    sent, received = [], []

    async def testbench(ctx):
        offered = on_offer = None
        for _ in range(2_000):
            if offered is None and rng.random() < 0.7:
                offered = rng.getrandbits(16)
                ctx.set(dut.input.payload, offered)
            ctx.set(dut.input.valid, offered is not None)
            ctx.set(dut.output.ready, rng.random() < 0.5)
            valid, payload, ready = ctx.get(dut.output.valid), ctx.get(dut.output.payload), ctx.get(dut.output.ready)
            assert on_offer is None or (valid and payload == on_offer)
            on_offer = payload if valid and not ready else None
            if offered is not None and ctx.get(dut.input.ready):
                sent.append(offered)
                offered = None
            if valid and ready:
                received.append(payload)
            await ctx.tick()

    simulate(dut, testbench)
    assert len(received) > 400
    assert received == sent[:len(received)]
    assert len(sent) - len(received) <= 1

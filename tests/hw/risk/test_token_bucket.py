"""The message-rate limit: directed by the contract, random against the model."""

import random

import pytest

from hw.risk.token_bucket import TokenBucket
from sim.golden.risk import TokenBucketModel
from tests.hw.bench import made, simulate


def test_empty_after_reset_then_one_token_per_interval():
    dut = made(TokenBucket)

    async def testbench(ctx):
        ctx.set(dut.burst, 4)
        ctx.set(dut.interval, 10)
        ctx.set(dut.request, 1)
        grants = []
        for cycle in range(100):
            grants += [cycle] * ctx.get(dut.grant)
            await ctx.tick()
        assert grants == list(range(10, 100, 10))

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_model(seed):
    rng = random.Random(seed)
    dut, model = TokenBucket(burst_width=4, interval_width=4), TokenBucketModel()
    granted = 0

    async def testbench(ctx):
        nonlocal granted
        for _ in range(2_000):
            if rng.random() < 0.02:
                ctx.set(dut.burst, rng.randrange(16))
                ctx.set(dut.interval, rng.randrange(16))
            request = rng.choice([0, 0, 1, 1, 2])
            ctx.set(dut.request, request > 0)
            ctx.set(dut.double, request > 1)
            expected = model.cycle(burst=ctx.get(dut.burst), interval=ctx.get(dut.interval), request=request)
            assert ctx.get(dut.grant) == expected
            assert ctx.get(dut.available) or not expected
            granted += expected
            await ctx.tick()

    simulate(dut, testbench)
    assert granted > 100, f"seed {seed} hardly exercised the grant: {granted}"


def test_widths_are_checked():
    with pytest.raises(ValueError, match="at least 1 bit"):
        TokenBucket(burst_width=0)

"""The two quotes against the golden formula, bit for bit, one touch a cycle."""

import random

import pytest

from hw.strategy.quote_prices import QuotePrices
from sim.golden.quoter import Parameters, Risk, Targets, targets
from tests.hw.bench import made, simulate


def reciprocal(tick):
    return -(-2**31 // tick)


def case(rng):
    """Sizes of all magnitudes, so that every bound is met from both sides."""
    def some(bits):
        return rng.getrandbits(rng.randrange(1, bits + 1))

    tick = rng.choice([1, 5, 10, 100, 100, 100, 10_000, rng.randrange(1, 1 << 16)])
    bid = 1 + rng.choice([some(31), some(24), tick * some(14)]) % 0x7FFFFFFE
    ask = min(bid + max(1, rng.choice([tick, 2 * tick, tick * some(8), some(31)])), 0x7FFFFFFF)
    ask = max(ask, bid + 1)
    position = rng.choice([0, some(10), some(20), some(32), 1 << 32]) * rng.choice([1, -1])
    position = min(position, (1 << 32) - 1)
    return bid, ask, tick, rng.choice([0, some(32), some(24)]), rng.choice([0, some(31), some(20)]), position


def expected(bid, ask, tick, share, half, position):
    return targets(Parameters(tick=tick, reciprocal=reciprocal(tick)), Risk(share, half), position, bid, ask)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_model_every_cycle(seed):
    rng = random.Random(seed)
    cases = [case(rng) for _ in range(1500)]
    dut, got = made(QuotePrices), []

    async def testbench(ctx):
        for cycle in range(len(cases) + QuotePrices.LATENCY):
            bid, ask, tick, share, half, _ = cases[min(cycle, len(cases) - 1)]
            position = cases[min(max(cycle - 1, 0), len(cases) - 1)][-1]
            for name, value in {"bid": bid, "ask": ask, "tick": tick, "reciprocal": reciprocal(tick), "share_risk": share,
                                "half_spread": half, "position": position}.items():
                ctx.set(getattr(dut, name), value)
            if cycle >= QuotePrices.LATENCY:
                got.append(Targets(ctx.get(dut.low), ctx.get(dut.high)))
            await ctx.tick()

    simulate(dut, testbench)
    wanted = [expected(*one) for one in cases]
    for one, mine, right in zip(cases, got, wanted, strict=True):
        assert mine == right, one
    both, one_side = sum(1 for low, high in wanted if low and high), sum(1 for low, high in wanted if bool(low) != bool(high))
    assert both > 300
    assert one_side > 20
    assert sum(1 for low, high in wanted if not low and not high) > 100


@pytest.mark.parametrize(("position", "half", "quotes"), [
    (0, 1.0, (10_000, 10_200)),  # a tick to either side of the middle: the touch itself
    (0, 1.5, (9_900, 10_300)),  # rounded away from the middle
    (0, 0.25, (10_000, 10_200)),
    (100, 1.0, (9_900, 10_100)),  # long: both lower
    (-100, 1.0, (10_100, 10_300)),
    (300, 1.0, (9_700, 10_100)),  # the ask would stand on the bid of the touch: a tick above it instead
    (-300, 1.0, (10_100, 10_500)),
])
def test_the_rule_in_whole_numbers(position, half, quotes):
    """A touch of 1.00 to 1.02, a tick of a cent, one tick of skew for 100 shares."""
    one_tick = -(-(1 << 24) // 100)
    assert expected(10_000, 10_200, 100, one_tick, int(half * 4096), position) == quotes

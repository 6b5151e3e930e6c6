"""The verdict arrives with the frame's last event, and one unreadable message condemns its whole frame, and only that."""

import random

import pytest

from hw.feed.frame_gate import FrameGate
from hw.reasons import DropReason
from tests.hw.bench import simulate


@pytest.mark.parametrize("delay", [1, 3])
def test_every_frame_has_its_fate_after_the_delay(delay):
    rng = random.Random(delay)
    frames = [(rng.choice([DropReason.NONE, DropReason.NONE, DropReason.UDP_CHECKSUM]), rng.random() < 0.3) for _ in range(200)]
    dut = FrameGate(delay)
    seen = []

    async def testbench(ctx):
        for reason, malformed in frames:
            at = rng.randrange(delay + 2)  # from one cycle before the verdict to the cycle of the fate
            for cycle in range(delay + 6):
                ctx.set(dut.verdict.valid, cycle == 1)
                ctx.set(dut.verdict.payload.reason, reason)
                ctx.set(dut.malformed, malformed and cycle == at)
                fate = ctx.get(dut.commit), ctx.get(dut.discard), ctx.get(dut.lost)
                assert (cycle == delay + 1) == ctx.get(dut.final.valid) == any(fate)
                if any(fate):
                    seen.append((*fate, DropReason(ctx.get(dut.final.payload.reason))))
                await ctx.tick()

    simulate(dut, testbench)
    expected = []
    for reason, malformed in frames:
        lost = malformed and reason == DropReason.NONE
        good = reason == DropReason.NONE and not malformed
        expected.append((good, not good, lost, DropReason.MALFORMED if lost else reason))
    assert seen == expected


def test_a_delay_of_nothing_is_refused():
    with pytest.raises(ValueError, match="delay must be at least 1 cycle, not 0"):
        FrameGate(0)

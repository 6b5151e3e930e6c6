"""The verdict arrives with the frame's last event, and one unreadable message condemns its whole frame, and only that."""

import random

import pytest

from hw.feed.frame_gate import FrameGate
from hw.reasons import DropReason
from tests.hw.bench import simulate


@pytest.mark.parametrize("delay", [2, 3])
def test_every_frame_has_its_fate_after_the_delay(delay):
    rng = random.Random(delay)
    frames = [
        (rng.choice([DropReason.NONE, DropReason.NONE, DropReason.UDP_CHECKSUM]), rng.random() < 0.3, rng.random() < 0.2,
         rng.random() < 0.3, rng.random() < 0.3, rng.randrange(1 << 64), rng.choice([0, rng.randrange(9)]))
        for _ in range(200)
    ]
    dut = FrameGate(delay)
    seen = []

    async def testbench(ctx):
        for reason, malformed, other, end, again, first, count in frames:
            at = rng.randrange(delay + 2)  # from one cycle before the verdict to the cycle of the fate
            for cycle in range(delay + 6):
                now = cycle == 1
                ctx.set(dut.verdict.valid, now)
                ctx.set(dut.verdict.payload.reason, reason)
                ctx.set(dut.span, {"first": first, "next": first + count} if now else {"first": rng.getrandbits(64)})
                ctx.set(dut.end_of_session, end and now)
                ctx.set(dut.retransmitted_in, again if now else rng.getrandbits(1))
                ctx.set(dut.malformed, malformed and cycle == at)
                ctx.set(dut.other_session, other if cycle == delay + 1 else rng.getrandbits(1))
                fate = ctx.get(dut.commit), ctx.get(dut.lose), ctx.get(dut.discard)
                assert (cycle == delay + 1) == ctx.get(dut.final.valid) == any(fate)
                assert ctx.get(dut.busy) == (1 <= cycle <= delay + 1)
                flags = ctx.get(dut.heartbeat), ctx.get(dut.session_end)
                if any(fate):
                    span = (ctx.get(dut.first), ctx.get(dut.next), ctx.get(dut.retransmitted)) if not fate[2] else None
                    seen.append((*fate, DropReason(ctx.get(dut.final.payload.reason)), span, *flags))
                else:
                    assert not any(flags)
                await ctx.tick()

    simulate(dut, testbench)
    expected = []
    for reason, malformed, other, end, again, first, count in frames:
        good = reason == DropReason.NONE and not other
        final = reason if reason != DropReason.NONE else DropReason.SESSION if other else DropReason.MALFORMED if malformed else reason
        commit = good and not malformed
        span = (first, (first + count) % (1 << 64), again) if good else None
        expected.append((commit, good and malformed, not good, final, span, commit and not count and not end, commit and end))
    assert seen == expected


def test_a_delay_too_short_is_refused():
    with pytest.raises(ValueError, match="delay must be at least 2 cycles, not 1"):
        FrameGate(1)

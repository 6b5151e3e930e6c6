"""The first good packet names the session, on whichever line it comes, and the check is right in time."""

import random

from hw.feed.feed_session import FeedSession
from tests.hw.bench import simulate


def test_the_first_names_it():
    rng = random.Random(1)
    dut, checked = FeedSession(2), []

    async def testbench(ctx):
        follows, due = None, {}
        idle = [0, 0]
        for cycle in range(3_000):
            restart = rng.random() < 0.02 and min(idle) > 3
            good = [not restart and idle[line] > 3 and rng.random() < 0.4 for line in range(2)]
            sessions = [rng.choice([5, 6, 1 << 79 | 5]) for _ in range(2)]
            for line in range(2):
                ctx.set(dut.good[line], good[line])
                ctx.set(dut.session[line], sessions[line])
                idle[line] = 0 if good[line] else idle[line] + 1
                if good[line]:
                    follows = sessions[line] if follows is None else follows
                    due[cycle + 2 + rng.randrange(2), line] = sessions[line] != follows
                if (cycle, line) in due:
                    assert bool(ctx.get(dut.other[line])) == due[cycle, line], cycle
                    checked.append(due[cycle, line])
            ctx.set(dut.restart, restart)
            if restart:
                follows = None
            await ctx.tick()

    simulate(dut, testbench)
    assert checked.count(True) > 50
    assert checked.count(False) > 50

"""What the bank makes of limits and of arming: as a whole or not at all, and never by one stray write."""

import pytest

from hw.host_interface.arming import Arming
from hw.host_interface.limits import SYMBOL_LIMITS
from hw.reasons import LimitRefusal, RejectReason
from tests.hw.bench import simulate
from tests.hw.host_interface.host import LIMITS, WRITE_LATENCY, commit, run

# Arming


def test_arming_needs_limits_no_kill_and_no_fault():
    async def testbench(ctx, bank, host, errors):
        async def arm():
            await host.arm()
            assert await host.read("ARM") == ctx.get(bank.armed) == await host.read("STATE") & 1
            return ctx.get(bank.armed)

        assert not await arm(), "no limits"
        await commit(host)
        assert await host.read("STATE") == 0b0010
        assert not ctx.get(bank.armed), "a commit does not arm"
        assert await arm()
        await host.write("ARM", 0)
        assert await host.read("ARM") == 0
        assert not ctx.get(bank.armed)
        assert await arm()

        await host.write("KILL", 1)
        await ctx.tick().repeat(WRITE_LATENCY - 1)
        assert ctx.get(bank.kill)
        await ctx.tick()
        assert not ctx.get(bank.armed), "one cycle after the kill"
        assert not await arm(), "killed"
        assert await host.read("STATE") == 0b0110
        await host.write("KILL", 0)
        await ctx.tick().repeat(5)
        assert not ctx.get(bank.armed), "the end of a kill does not arm"
        assert await arm()

        ctx.set(bank.fault, 1)
        await ctx.tick()
        assert not ctx.get(bank.armed)
        assert not await arm(), "fault"
        ctx.set(bank.fault, 0)
        await ctx.tick().repeat(5)
        assert not ctx.get(bank.armed)

    run(testbench)


def test_no_stray_write_arms_the_card():
    """Not ARM alone, not with a number that was right once, not later than the window."""
    async def testbench(ctx, bank, host, errors):
        await commit(host)

        async def armed(*writes):
            for name, value in writes:
                await host.write(name, value)
            await ctx.tick().repeat(WRITE_LATENCY + 1)
            return ctx.get(bank.armed)

        assert not await armed(("ARM", 1))
        right = await host.read("ARM_CHALLENGE") ^ 0xFFFFFFFF
        assert not await armed(("ARM_UNLOCK", right)), "the first step is not enough"
        assert not await armed(("ARM_UNLOCK", right), ("ARM", 1)), "the same number again"
        for wrong in (0, 1, 0xFFFFFFFF, await host.read("ARM_CHALLENGE")):
            assert not await armed(("ARM_UNLOCK", wrong), ("ARM", 1))
        right = await host.read("ARM_CHALLENGE") ^ 0xFFFFFFFF
        assert not await armed(("ARM", 1), ("ARM_UNLOCK", right), ("ARM", 1)), "a step in between changes the number"
        right = await host.read("ARM_CHALLENGE") ^ 0xFFFFFFFF
        assert await armed(("ARM_UNLOCK", right), ("SCRATCH", 5), ("ARM", 1)), "other registers may be written in between"
        assert await armed(("ARM", 1)), "it is armed already"
        assert not await armed(("ARM", 0), ("ARM", 1))
        assert errors == [0]

    run(testbench)


def test_the_window_of_the_first_step_ends():
    async def testbench(ctx):
        dut, open_for = arming, 0
        ctx.set(dut.may_arm, 1)
        for wait in (14, 15):
            ctx.set(dut.unlock, ~ctx.get(dut.challenge) & 0xFFFFFFFF)
            for name, cycles in (("unlock_written", wait), ("arm_written", 1)):
                ctx.set(dut.arm, 1)
                ctx.set(getattr(dut, name), 1)
                await ctx.tick()
                ctx.set(getattr(dut, name), 0)
                await ctx.tick().repeat(cycles)
            open_for += ctx.get(dut.armed)
            ctx.set(dut.arm, 0)
            ctx.set(dut.arm_written, 1)
            await ctx.tick()
            ctx.set(dut.arm_written, 0)
        assert open_for == 1

    arming = Arming()
    arming.WINDOW = 16
    simulate(arming, testbench)


def test_a_trip_must_be_acknowledged():
    async def testbench(ctx, bank, host, errors):
        await commit(host)
        for name, bit in (("expired", 1), ("fault", 2)):
            ctx.set(getattr(bank, name), 1)
            await ctx.tick().repeat(3)
            assert await host.read("TRIP") == 0, "it was not armed"
            ctx.set(getattr(bank, name), 0)
            await host.arm()
            ctx.set(getattr(bank, name), 1)
            await ctx.tick().repeat(3)
            ctx.set(getattr(bank, name), 0)
            await ctx.tick()
            assert await host.read("TRIP") == bit
            assert await host.read("STATE") >> 24 == 1
            await host.arm()
            assert not ctx.get(bank.armed)
            await host.write("TRIP", 3 ^ bit)
            await host.arm()
            assert not ctx.get(bank.armed), "another bit acknowledged"
            await host.write("TRIP", bit)
            assert (await host.read("TRIP"), await host.read("STATE") >> 24) == (0, 0)
            assert not ctx.get(bank.armed), "that alone does not arm"
            await host.arm()
            assert ctx.get(bank.armed)
            await host.write("ARM", 0)
            await ctx.tick().repeat(4)

    run(testbench)


# Limits


def test_limits_change_in_one_cycle_and_only_by_the_next_generation():
    seen = []

    async def watch(ctx, bank):
        names = [name.lower() for name in LIMITS]
        async for _, _, limits, valid, refused in ctx.tick().sample(bank.limits, bank.limits_valid, bank.limits_refused):
            now = tuple(getattr(limits, name) for name in names), valid
            if not seen or seen[-1] != now:
                seen.append(now)
            refusals.append(refused)

    refusals = []

    async def testbench(ctx, bank, host, errors):
        await commit(host, generation=2)
        assert await host.read("LIMITS_GENERATION") == 0
        await host.write("LIMITS_COMMIT", 0)
        await host.write("LIMITS_COMMIT", 1)
        assert await host.read("LIMITS_GENERATION") == 1
        for name, value in LIMITS.items():
            assert await host.read(f"ACTIVE_{name}") == value
        await commit(host, generation=1, MAX_SHARES=1)
        assert await host.read("ACTIVE_MAX_SHARES") == LIMITS["MAX_SHARES"]
        await commit(host, generation=2, MAX_SHARES=1, MAX_NOTIONAL=2, RATE_BURST=3)
        await host.write("LIMITS_COMMIT", 3)
        assert await host.read("LIMITS_GENERATION") == 3
        await ctx.tick().repeat(5)
        assert sum(refusals) == 3

    run(testbench, watch)
    first = tuple(LIMITS.values())
    second = tuple((LIMITS | {"MAX_SHARES": 1, "MAX_NOTIONAL": 2, "RATE_BURST": 3}).values())
    assert seen == [((0,) * 5, 0), (first, 1), (second, 1)]


@pytest.mark.parametrize(("changes", "refusal"), [
    *(({name: 0}, LimitRefusal.RANGE) for name in ("RATE_BURST", "RATE_INTERVAL", "MAX_OPEN_ORDERS")),
    ({"MAX_SHARES": 0}, LimitRefusal.RANGE), ({"MAX_POSITION": 499}, LimitRefusal.POSITION),
    ({"WAIVED": 1 << RejectReason.DEAD_MAN | 1 << RejectReason.RATE}, LimitRefusal.WAIVED),
    ({"WAIVED": 1 << RejectReason.DEAD_MAN | 1 << 31}, LimitRefusal.WAIVED), ({"WAIVED": 0}, LimitRefusal.HEARTBEAT),
    ({"MAX_DAY_NOTIONAL": LIMITS["MAX_NOTIONAL"] - 1}, LimitRefusal.DAY), ({"MAX_NOTIONAL": 499}, LimitRefusal.NOTIONAL),
    *(({name: LIMITS["MAX_NOTIONAL"] - 1}, LimitRefusal.ACCOUNT) for name in ("MAX_GROSS", "MAX_NET")),
])
def test_limits_that_make_no_sense_are_refused_as_a_whole(changes, refusal):
    async def testbench(ctx, bank, host, errors):
        await commit(host, 1)
        await commit(host, 2, **{"RATE_BURST": 8} | changes)
        assert await host.read("LIMITS_STATUS") & 0xFFFF == 1 << refusal
        assert (await host.read("LIMITS_GENERATION"), await host.read("ACTIVE_RATE_BURST")) == (1, LIMITS["RATE_BURST"])
        assert ctx.get(bank.limits.waived) == 1 << RejectReason.DEAD_MAN
        await commit(host, 2, RATE_BURST=8)
        assert await host.read("LIMITS_STATUS") & 0xFFFF == 0
        assert await host.read("ACTIVE_RATE_BURST") == 8

    run(testbench)


def test_limits_at_the_edge_are_taken():
    async def testbench(ctx, bank, host, errors):
        await commit(host, 1, MAX_POSITION=500, MAX_NOTIONAL=500, MAX_DAY_NOTIONAL=500, MAX_GROSS=500, MAX_NET=500, WAIVED=0,
                     HEARTBEAT_INTERVAL=1, RATE_BURST=1)
        assert await host.read("LIMITS_GENERATION") == 1
        await commit(host, 7, MAX_NOTIONAL=0)
        wrong = LimitRefusal.GENERATION, LimitRefusal.RANGE, LimitRefusal.NOTIONAL
        assert await host.read("LIMITS_STATUS") & 0xFFFF == sum(1 << refusal for refusal in wrong)

    run(testbench)


def test_limits_of_a_symbol_go_out_as_a_whole_or_not_at_all():
    seen, refused = [], []

    async def watch(ctx, bank):
        async for _, _, valid, given, refusal in ctx.tick().sample(
                bank.symbol_limits.valid, bank.symbol_limits.payload, bank.limits_refused):
            refused.append(refusal)
            if valid:
                seen.append((given["symbol"], *(given["values"][name] for name in SYMBOL_LIMITS)))

    async def testbench(ctx, bank, host, errors):
        async def commit(slot, **values):
            for name, value in values.items():
                await host.write(f"SYMBOL_{name.upper()}", value)
            await host.write("SYMBOL_COMMIT", slot)
            return await host.read("SYMBOL_STATUS"), await host.read("SYMBOL_GENERATION")

        assert await commit(2) == (1 << LimitRefusal.RANGE, 0), "nothing has been written"
        assert await commit(2, max_shares=5, max_notional=1 << 40, max_long=7, max_short=0) == (1 << LimitRefusal.RANGE, 0), "no price"
        assert await commit(2, max_price=9, locates=8, min_price=9, uptick_only=1) == (0, 1)
        assert await commit(2, min_price=10) == (1 << LimitRefusal.BAND, 1)
        await host.write("SYMBOL_MIN_PRICE", 1)
        assert await commit(3, max_notional=4) == (1 << LimitRefusal.NOTIONAL, 1)
        assert await commit(3, max_notional=5) == (0, 2)
        assert await commit(4) == (1 << LimitRefusal.RANGE, 2), "there is no slot 4"
        assert await commit(0, max_shares=0) == (1 << LimitRefusal.RANGE, 2)
        await ctx.tick().repeat(4)

    run(testbench, watch)
    assert seen == [(2, 5, 1 << 40, 7, 0, 8, 9, 9, 1), (3, 5, 5, 7, 0, 8, 1, 9, 1)]
    assert sum(refused) == 6

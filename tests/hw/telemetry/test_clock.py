from hw.telemetry.clock import Clock
from tests.hw.bench import made, simulate


def test_counts_cycles_from_zero():
    dut = made(Clock)

    async def testbench(ctx):
        for cycle in range(10):
            assert ctx.get(dut.now) == cycle
            await ctx.tick()

    simulate(dut, testbench)

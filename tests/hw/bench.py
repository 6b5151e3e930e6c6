"""Runs a testbench on a component in Amaranth's own simulator."""

from amaranth.sim import Simulator

PERIOD = 6.4e-9


def simulate(dut, *testbenches, processes=(), deadline=100_000):
    """Simulates until every testbench has returned; one that hangs fails.

    Parameters
    ----------
    dut : Elaboratable
    testbenches : async functions of the simulator context
        All must return within ``deadline`` cycles.
    processes : async functions of the simulator context
        Run beside them and may go on for ever (monitors, checkers).
    """
    finished = []

    def watched(testbench):
        async def run(ctx):
            await testbench(ctx)
            finished.append(testbench)

        return run

    async def wait_for_all(ctx):
        for _ in range(deadline):
            if len(finished) == len(testbenches):
                return
            await ctx.tick()
        raise AssertionError(f"{len(testbenches) - len(finished)} testbench(es) did not finish within {deadline} cycles")

    sim = Simulator(dut)
    sim.add_clock(PERIOD)
    for testbench in testbenches:
        sim.add_testbench(watched(testbench))
    for process in processes:
        sim.add_testbench(process, background=True)
    sim.add_testbench(wait_for_all)
    sim.run()
    assert len(finished) == len(testbenches)

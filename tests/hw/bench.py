"""Runs a testbench on a component in Amaranth's own simulator."""

from unittest.mock import patch

from amaranth.sim import Simulator

from hw.lib.exclusive_memory import ExclusiveMemory

PERIOD = 6.4e-9


def watch(memory):
    """Fails where a row of an exclusive memory is read and written at once."""
    collides = [read.en & write.en.any() & (read.addr == write.addr) for read in memory.read_ports for write in memory.write_ports]

    async def run(ctx):
        async for _, _, *collisions in ctx.tick().sample(*collides):
            assert not any(collisions), "an exclusive memory was read where it was written"

    return run


def simulator(dut):
    """A simulator with a clock, which fails where an exclusive memory is read and written at once."""
    memories = []
    elaborate = ExclusiveMemory.elaborate
    with patch.object(ExclusiveMemory, "elaborate", lambda memory, platform: (memories.append(memory), elaborate(memory, platform))[1]):
        sim = Simulator(dut)
    sim.add_clock(PERIOD)
    for memory in memories:
        sim.add_testbench(watch(memory), background=True)
    return sim


def simulate(dut, *testbenches, processes=(), deadline=100_000):
    """Simulates until every testbench has returned; one that hangs fails, and so does a memory that is read where it is written.

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

    sim = simulator(dut)
    for testbench in testbenches:
        sim.add_testbench(watched(testbench))
    for process in processes:
        sim.add_testbench(process, background=True)
    sim.add_testbench(wait_for_all)
    sim.run()
    assert len(finished) == len(testbenches)

"""Runs a testbench on a component in Amaranth's own simulator."""

import sys
from functools import cache
from unittest.mock import patch

from amaranth.hdl._ast import Concat, Operator
from amaranth.sim import Simulator

from hw.lib.exclusive_memory import ExclusiveMemory

PERIOD = 6.4e-9

sys.setrecursionlimit(5_000)  # the simulator walks down expressions as long as the register map has registers


def _shape_is_kept(cls):
    """Amaranth works out an expression's shape whenever it is asked, from all that it is made of: most of the time of a small test."""
    work_out = cls.shape

    def shape(self):
        if "kept_shape" not in vars(self):
            self.kept_shape = work_out(self)
        return self.kept_shape

    cls.shape = shape


for expression in (Concat, Operator):
    _shape_is_kept(expression)


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


@cache
def made(component, *arguments, **named):
    """The same component for the same arguments, so that :func:`simulate` makes its simulator once."""
    return component(*arguments, **named)


def simulate(dut, *testbenches, processes=(), deadline=100_000):
    """Simulates until every testbench has returned; one that hangs fails, and so does a memory that is read where it is written.

    What is made of a device is kept with it: to simulate the same again, from reset, is much faster than to make another one.

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

    if not hasattr(dut, "kept_rig"):
        dut.kept_rig = _Rig(dut)
    dut.kept_rig.run([*map(watched, testbenches), wait_for_all], processes)
    assert len(finished) == len(testbenches)


class _Rig:
    """A device in a simulator with empty places for testbenches."""

    PLACES = 8

    def __init__(self, dut):
        self._sim, self._fresh = simulator(dut), True
        self._benches, self._processes = [], []
        for among, background in (("_benches", False), ("_processes", True)):
            for place in range(self.PLACES):
                self._sim.add_testbench(self._whoever_is(among, place), background=background)

    def _whoever_is(self, among, place):
        async def run(ctx):
            there = getattr(self, among)[place:place + 1]
            for testbench in there:
                await testbench(ctx)

        return run

    def run(self, testbenches, processes):
        assert max(len(testbenches), len(processes)) <= self.PLACES
        self._benches, self._processes = list(testbenches), list(processes)
        if not self._fresh:
            self._sim.reset()
        self._fresh = False
        self._sim.run()

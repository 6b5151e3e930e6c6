"""The pyuvm environment on the whole card: market days, faults, host acts."""

import os
from pathlib import Path

import cocotb
from cocotb.triggers import gather
from pyuvm import ConfigDB, uvm_root, uvm_test

from sim.bench.card_bench import CardBench
from sim.bench.testbench import RESULTS, record_result, share, start
from sim.bench.uvm.coverage import Coverage
from sim.bench.uvm.env import CardEnv
from sim.bench.uvm.sequences import Caretaker, Faults, Flood, HostActs, MarketDay

COVERAGE = Coverage()
"""Of all tests of this run together."""


class CardTest(uvm_test):
    """The frame of the tests: sets the card up, runs the sequences of :meth:`play`, and lets the card come to rest.

    Attributes
    ----------
    minimum : int
        Transactions that a full run must compare.
    """

    minimum = 1_000

    def build_phase(self):
        self.tb = start(cocotb.top)
        self.card = CardBench(self.tb, rates=(1.0, 0.9, 0.5))
        for name, value in (("CARD", self.card), ("MINIMUM", share(self.minimum)), ("COVERAGE", COVERAGE)):
            ConfigDB().set(None, "*", name, value)
        self.env = CardEnv("env", self)

    async def run_phase(self):
        self.raise_objection()
        await self.tb.reset()
        self.tb.run_in_background()
        await self.card.set_up()
        await self.play()
        await self.card.finish()
        self.drop_objection()

    async def play(self):
        raise NotImplementedError

    async def feeds(self, sequence, count: int, *others):
        """Runs a feed sequence on every venue, and other sequences on the host, all side by side."""
        mine = [sequence(self.card.feeds[agent.number], count).start(agent.sequencer) for agent in self.env.feeds]
        await gather(*mine, *(other.start(self.env.host.sequencer) for other in others))

    def report_phase(self):
        record_result(type(self).__name__, self.tb.transactions, self.tb.now)
        COVERAGE.write(Path(os.environ[RESULTS]).with_name("coverage.json"))


class MarketDayTest(CardTest):
    """Two venues, nothing in the way."""

    minimum = 2_000

    async def play(self):
        await self.feeds(MarketDay, share(500))


class FaultsTest(CardTest):
    """Everything that can happen on a line, and a host that starts stale venues afresh; a flood at the end."""

    minimum = 2_000

    async def play(self):
        await self.feeds(Faults, share(400), Caretaker(self.card, share(250)))
        for _ in range(share(5)):
            await self.card.quiet()
            await self.card.resync()
            await self.feeds(Flood, 6)


class HostActsTest(CardTest):
    """The host does everything that it can do while the market goes on."""

    minimum = 2_000

    async def play(self):
        await self.feeds(MarketDay, share(400), HostActs(self.card, share(250)))


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def market_day(_):
    await uvm_root().run_test(MarketDayTest)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def faults(_):
    await uvm_root().run_test(FaultsTest)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def host_acts(_):
    await uvm_root().run_test(HostActsTest)


@cocotb.test()
async def the_coverage(dut):
    """What all tests together have met."""
    dut._log.info("\n" + COVERAGE.report())
    if share(100) == 100:
        assert COVERAGE.share >= 0.95, f"coverage is {COVERAGE.share:.1%}, meant to be 95 %"
    record_result("the_coverage", 0, 0)

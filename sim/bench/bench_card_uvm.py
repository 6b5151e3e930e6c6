"""The pyuvm environment on the whole card: market days, faults, host acts."""

import os
from pathlib import Path

import cocotb
from cocotb.triggers import gather
from pyuvm import ConfigDB, uvm_root, uvm_test

from sim.bench.card_bench import HOLE, CardBench
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
    hole : int
        Cycles until a hole is a gap.
    """

    minimum, hole = 1_000, HOLE

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
        await self.card.listen_to_both_lines(hole=self.hole)
        await self.play()
        await self.card.quiet()
        await self.tb.cycles(self.hole + 200)
        await self.card.finish()
        self.drop_objection()

    async def play(self):
        raise NotImplementedError

    async def feeds(self, sequence, count: int, *others, lines: int = 2):
        """Runs a feed sequence on the lines of every venue, and other sequences on the host, all side by side."""
        mine = [
            sequence(self.card, feed, [agent.sequencer for agent in agents[:lines]], count).start()
            for feed, agents in zip(self.card.feeds, self.env.feeds, strict=True)]
        await gather(*mine, *(other.start(self.env.host.sequencer) for other in others))

    def report_phase(self):
        record_result(type(self).__name__, self.tb.transactions, self.tb.now)
        COVERAGE.write(Path(os.environ[RESULTS]).with_name("coverage.json"))


class MarketDayTest(CardTest):
    """Two venues, and one line or the other loses a frame: nobody misses anything."""

    minimum = 2_000

    async def play(self):
        await self.feeds(MarketDay, share(500))

    def check_phase(self):
        missed = [(venue.gaps, venue.model.counts["DROP_OVERFLOW"]) for venue in self.card.board.venues]
        assert not any(gaps for gaps, _ in missed), f"gaps, and frames for which there was no room: {missed}"


class FaultsTest(CardTest):
    """Everything that can happen on two lines, and a host that starts stale venues afresh; a flood at the end."""

    minimum, hole = 2_000, 100

    async def play(self):
        await self.feeds(Faults, share(400), Caretaker(self.card, share(250)))
        for _ in range(share(5)):
            await self.card.quiet()
            await self.card.resync()
            await self.feeds(Flood, 6, lines=1)


class HostActsTest(CardTest):
    """The host does everything that it can do while the market goes on."""

    minimum = 2_000

    async def play(self):
        await self.feeds(MarketDay, share(400), HostActs(self.card, share(250)), lines=1)


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

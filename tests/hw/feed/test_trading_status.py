"""TradingStatus: which states stop or start a symbol's trading, and that events pass as they are."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from hw.feed.trading_status import TradingStatus
from sim.golden.records import HALT, RESUME
from tests.hw.bench import simulate


class Clocked(wiring.Elaboratable):
    """The device has no clock of its own."""

    def __init__(self):
        self.dut = TradingStatus()

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = self.dut
        m.d.sync += Signal(name="beat").eq(1)
        return m


@pytest.mark.parametrize(("kind", "code", "wanted"), [
    ("H", "T", (RESUME, 0)), *(("H", code, (HALT, 0)) for code in "HPQt\0"),
    ("h", "T", (RESUME, 1)), ("h", "H", (HALT, 1)), *((kind, "T", None) for kind in "SYJKWV"),
])
def test_states(kind, code, wanted):
    rng, bench = random.Random(1), Clocked()
    dut = bench.dut

    async def testbench(ctx):
        for _ in range(20):
            stamps = {name: rng.getrandbits(16) for name in ("locate", "sequence", "timestamp", "ingress")}
            ctx.set(dut.state.payload, {"kind": ord(kind), "code": ord(code), "detail": rng.getrandbits(32), **stamps})
            ctx.set(dut.events.payload, {"locate": rng.getrandbits(16), "partial": 1, "sequence": 5})
            ctx.set(dut.state.valid, 1)
            await ctx.delay(1e-9)
            assert ctx.get(dut.output.valid) == (wanted is not None)
            if wanted:
                event = ctx.get(dut.output.payload)
                assert (event.kind.value, event.side.value, event.partial) == (*wanted, 0)
                assert {name: getattr(event, name) for name in stamps} == stamps
            await ctx.tick()

    simulate(bench, testbench)


def test_events_pass():
    rng, bench = random.Random(2), Clocked()
    dut = bench.dut

    async def testbench(ctx):
        for _ in range(50):
            event = {"kind": rng.randrange(6), "side": rng.randrange(2), "reference": rng.getrandbits(64), "partial": rng.randrange(2)}
            ctx.set(dut.events.payload, event)
            ctx.set(dut.events.valid, 1)
            ctx.set(dut.state.payload, {"kind": ord("H"), "code": ord("H")})
            await ctx.delay(1e-9)
            assert ctx.get(dut.output.valid)
            got = ctx.get(dut.output.payload)
            assert (got.kind.value, got.side.value, got.reference, got.partial) == tuple(event.values())
            await ctx.tick()
        ctx.set(dut.events.valid, 0)
        await ctx.delay(1e-9)
        assert not ctx.get(dut.output.valid)

    simulate(bench, testbench)

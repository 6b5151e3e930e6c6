"""Gateway, order entry and transmit together: what the three promise to each other."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.config import TINY
from hw.net.udp_transmit import UdpTransmit
from hw.order_entry.ouch50 import OuchOrders
from hw.risk.gateway import RiskGateway
from sim.golden.risk import Limits
from tests.hw.bench import simulate
from tests.hw.risk.gateway_bench import parity

LIMITS = Limits(max_shares=1_000, max_notional=2**40, max_position=2**31, rate_burst=100, rate_interval=1)


class OrderPath(wiring.Elaboratable):
    def __init__(self):
        self.gateway, self.entry, self.transmit = RiskGateway(TINY), OuchOrders(TINY), UdpTransmit(TINY)

    def elaborate(self, platform):
        m = Module()
        m.submodules += [self.gateway, self.entry, self.transmit]
        connect(m, self.gateway.passed, self.entry.orders)
        connect(m, self.entry.packet, self.transmit.packet)
        m.d.comb += [
            self.entry.link_free.eq(self.transmit.free),
            self.gateway.next_user_ref.eq(self.entry.next_user_ref), self.entry.skip.eq(self.gateway.skip),
        ]
        return m


async def arm(ctx, path):
    gateway = path.gateway
    ctx.set(gateway.limits, vars(LIMITS))
    ctx.set(gateway.limits_parity, parity(LIMITS))
    ctx.set(gateway.limits_valid, 1)
    ctx.set(gateway.armed, 1)
    ctx.set(gateway.rejected.ready, 1)
    ctx.set(gateway.orders.payload, {"shares": 1, "price": 1})
    await ctx.tick().repeat(20)
    ctx.set(gateway.orders.valid, 1)


async def watch(ctx, path, cycles, *, each=lambda cycle: None):
    """Cycles in which orders passed the door, first words left, and last words left."""
    passed, first, last = [], [], []
    inside = False
    for cycle in range(cycles):
        each(cycle)
        if ctx.get(path.gateway.accepted):
            passed.append(cycle)
        frames = path.transmit.frames
        if ctx.get(frames.valid) and ctx.get(frames.ready):
            if not inside:
                first.append(cycle)
            inside = not ctx.get(frames.payload.last)
            if not inside:
                last.append(cycle)
        await ctx.tick()
    return passed, first, last


def test_an_order_every_sixteen_cycles_and_two_from_the_door_to_the_first_word():
    path = OrderPath()

    async def testbench(ctx):
        ctx.set(path.transmit.frames.ready, 1)
        await arm(ctx, path)
        passed, first, last = await watch(ctx, path, 99)
        assert passed == [3, 19, 35, 51, 67, 83]
        assert first == [cycle + 2 for cycle in passed]
        assert last == [cycle + 11 for cycle in first]

    simulate(path, testbench)
    assert OuchOrders.LATENCY + UdpTransmit.LATENCY == 2


@pytest.mark.parametrize("when", range(10, 34, 3))
def test_after_a_kill_the_frame_begun_ends_and_no_other_begins(when):
    path = OrderPath()

    async def testbench(ctx):
        ctx.set(path.transmit.frames.ready, 1)
        await arm(ctx, path)
        passed, first, last = await watch(ctx, path, 80, each=lambda cycle: ctx.set(path.gateway.kill, cycle >= when))
        assert all(cycle <= when for cycle in passed)
        assert len(passed) == len(first) == len(last) == len(range(3, when + 1, 16))
        assert all(cycle <= when + 2 for cycle in first)

    simulate(path, testbench)


@pytest.mark.parametrize("seed", range(3))
def test_behind_the_door_never_waits_more_than_what_the_wire_has_begun(seed):
    """The MAC stops and goes; orders that have passed and have not begun to leave are never more than one."""
    rng = random.Random(seed)
    path = OrderPath()

    async def testbench(ctx):
        await arm(ctx, path)
        passed, first, last = await watch(ctx, path, 800, each=lambda cycle: ctx.set(path.transmit.frames.ready, rng.random() < 0.4))
        assert len(first) > 15
        for order, begun in enumerate(first):
            assert len([cycle for cycle in passed if cycle <= begun]) == order + 1
            if order:
                assert passed[order] > last[order - 1], "an order passed while a frame was still leaving"

    simulate(path, testbench)

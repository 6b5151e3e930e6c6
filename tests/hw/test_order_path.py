"""Gateway, order entry and transmit together: what the three promise to each other."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.config import TINY
from hw.net.udp_transmit import UdpTransmit
from hw.order_entry.order_stop import OrderStop
from hw.order_entry.ouch50 import OuchOrders
from hw.reasons import Fate
from hw.risk.gateway import RiskGateway
from sim.golden.risk import Limits
from tests.hw.bench import made, simulate
from tests.hw.risk.gateway_bench import parity

LIMITS = Limits(max_shares=1_000, max_notional=2**40, max_position=2**31, rate_burst=100, rate_interval=1)


class OrderPath(wiring.Elaboratable):
    def __init__(self):
        self.gateway, self.entry, self.transmit, self.stop = RiskGateway(TINY), OuchOrders(TINY), UdpTransmit(TINY), OrderStop(TINY)
        self.kill = Signal()

    def elaborate(self, platform):
        m = Module()
        stop, packet = self.stop, self.entry.packet
        m.submodules += [self.gateway, self.entry, self.transmit, stop]
        connect(m, self.gateway.passed, self.entry.orders)
        connect(m, self.entry.packet, self.transmit.packet)
        m.d.comb += [
            self.entry.link_free.eq(self.transmit.free),
            self.gateway.kill.eq(self.kill), stop.switches.kill.eq(self.kill), stop.order.eq(packet.payload.order),
            stop.valid.eq(packet.valid), stop.ends.eq(packet.ready & packet.payload.last),
            self.transmit.abort.eq(stop.abort),
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


def test_an_order_every_seventeen_cycles_and_two_from_the_door_to_the_first_word():
    path = OrderPath()

    async def testbench(ctx):
        ctx.set(path.transmit.frames.ready, 1)
        await arm(ctx, path)
        passed, first, last = await watch(ctx, path, 105)
        assert passed == [4, 21, 38, 55, 72, 89]
        assert first == [cycle + 2 for cycle in passed]
        assert last == [cycle + 11 for cycle in first]

    simulate(path, testbench)
    assert OuchOrders.LATENCY + UdpTransmit.LATENCY == 2


WORDS, LEAST_WORDS = 12, 3
"""Of an order's frame; of one that is aborted, at least."""


def killed(when, *, aborts, busy=0.0, seed=0):
    """An order whenever one may, KILL from cycle ``when`` on: the orders that passed, what was told of them, and the frames' words."""
    path, rng, told, frames = made(OrderPath), random.Random(seed), [], [[]]

    async def testbench(ctx):
        ctx.set(path.stop.aborts, (1 << TINY.venues) - 1 if aborts else 0)
        await arm(ctx, path)

        def each(cycle):
            ctx.set(path.kill, cycle >= when)
            ctx.set(path.transmit.frames.ready, rng.random() >= busy)

        passed.extend((await watch(ctx, path, when + 90, each=each))[0])

    async def monitor(ctx):
        transmit, start = path.transmit, 0
        async for cycle, (_, _, valid, ready, word, sent, record, frame, valid_orders) in enumerate_async(ctx.tick().sample(
                transmit.frames.valid, transmit.frames.ready, transmit.frames.payload, transmit.sent.valid, transmit.sent.payload,
                transmit.frame, path.gateway.orders.valid)):
            start = start or valid_orders * cycle
            if sent:
                told.append((Fate(record.fate), record.user_ref))
                assert frame == (Fate(record.fate) == Fate.SENT)
            if valid and ready:
                frames[-1].append((cycle - start, word.error))
                if word.last:
                    frames.append([])

    passed = []
    simulate(path, testbench, processes=[monitor])
    assert frames.pop() == []  # a frame always ends
    return passed, told, frames


async def enumerate_async(items):
    number = 0
    async for item in items:
        yield number, item
        number += 1


@pytest.mark.parametrize("aborts", [False, True])
def test_kill_at_every_cycle_of_a_frame(aborts):
    """With a MAC that takes every word: the frame on its way ends, whole or cut, and no other begins. Cycles from KILL at the gateway."""
    cut = 0
    for when in range(20, 36):
        passed, told, frames = killed(when, aborts=aborts)
        assert all(cycle <= when for cycle in passed)
        assert len(passed) == len(frames)
        assert [(fate, number) for fate, number in told if fate == Fate.SENT] == [(Fate.SENT, 1 + at) for at in range(len(frames))]
        *whole, last = frames
        assert all(len(frame) == WORDS and not any(error for _, error in frame) for frame in whole)
        begins, ends, error = last[0][0], last[-1][0], last[-1][1]
        assert begins <= when + 2
        if aborts and when + 2 <= begins + WORDS - 1:
            assert error
            assert ends == max(when + 2, begins + LEAST_WORDS - 1)
            assert told[-1] == (Fate.ABORTED, len(frames))
            cut += 1
        else:
            assert len(last) == WORDS
            assert not error
            assert ends <= when + 2 + WORDS - 1
    assert cut == (12 if aborts else 0)


@pytest.mark.parametrize("aborts", [False, True])
def test_kill_with_a_mac_that_stops_and_goes(aborts):
    """Every order that passed has a frame, and is told; the one on its way ends, whole or cut."""
    fates = set()
    for seed in range(30):
        passed, told, frames = killed(20 + seed, aborts=aborts, busy=0.6, seed=seed)
        assert len(passed) == len(frames)
        assert [number for fate, number in told if fate == Fate.SENT] == [1 + at for at in range(len(frames))]
        errors = [frame[-1][1] for frame in frames]
        assert all(len(frame) == WORDS or error for frame, error in zip(frames, errors, strict=True))
        assert not any(errors[:-1])
        assert told[len(frames):] == ([(Fate.ABORTED, len(frames))] if errors[-1] else [])
        fates |= {fate for fate, _ in told}
    assert fates == ({Fate.SENT, Fate.ABORTED} if aborts else {Fate.SENT})


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

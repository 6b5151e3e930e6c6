"""Counters: nothing that was reported is ever lost, whatever comes when."""

import random

import pytest
from amaranth.hdl import Module, ResetInserter, Signal

from hw.config import TINY
from hw.host_interface.counter_table import COUNTERS, counter_elements
from hw.telemetry.counters import Counters, port_name
from tests.hw.bench import simulate

ELEMENTS = counter_elements(TINY)
FIRST, LAST = 0, len(ELEMENTS) - 1


async def read(ctx, dut, number):
    ctx.set(dut.index, number)
    await ctx.tick().repeat(2)
    return ctx.get(dut.value)


async def read_all(ctx, dut):
    return [await read(ctx, dut, number) for number in range(dut.count)]


def test_zero_after_reset():
    dut = Counters(ELEMENTS)

    async def testbench(ctx):
        for _ in range(3):
            assert not any(await read_all(ctx, dut))

    simulate(dut, testbench)


@pytest.mark.parametrize(("seed", "busy"), [(1, 0.05), (2, 0.5), (3, 1.0)])
def test_counts_everything_that_is_reported(seed, busy):
    rng = random.Random(seed)
    dut = Counters(ELEMENTS)
    expected = [0] * dut.count

    async def testbench(ctx):
        for _ in range(900):
            for name in dict.fromkeys(counter.family or counter.name for counter in COUNTERS):
                drive(ctx, name)
            await ctx.tick()
        for name in dict.fromkeys(counter.family or counter.name for counter in COUNTERS):
            drive(ctx, name, quiet=True)
        await ctx.tick().repeat(dut.VISIBLE)
        assert await read_all(ctx, dut) == expected

    def drive(ctx, name, *, quiet=False):
        members = [(number, c, venue) for number, (c, venue, _) in enumerate(ELEMENTS) if name in (c.family, c.name)]
        for venue in {venue for _, _, venue in members}:
            here = [(number, c) for number, c, v in members if v == venue]
            port = getattr(dut, name.lower())
            port = port[venue] if here[0][1].per_venue else port
            happens = not quiet and rng.random() < busy
            if here[0][1].family:
                for source in port if here[0][1].sources > 1 else [port]:
                    happens = not quiet and rng.random() < busy
                    number, counter = rng.choice([member for member in here if not expected[member[0]]] or here)
                    ctx.set(source.valid, happens)
                    ctx.set(source.reason, counter.reason)
                    expected[number] += happens
            else:
                number, counter = here[0]
                amount = rng.getrandbits(rng.randint(1, min(56, counter.amount_bits))) if happens and counter.amount_bits > 1 else happens
                ctx.set(port, amount)
                expected[number] += amount

    simulate(dut, testbench)
    assert sum(map(bool, expected)) == dut.count, f"seed {seed}: a counter was never used"


def test_reasons_of_no_counter_count_nowhere():
    dut = Counters(ELEMENTS)

    async def testbench(ctx):
        ctx.set(dut.drops[0][1].valid, 1)
        ctx.set(dut.drops[0][1].reason, 0)
        ctx.set(dut.rejects.valid, 1)
        ctx.set(dut.rejects.reason, 0)
        await ctx.tick().repeat(2 * dut.VISIBLE)
        assert not any(await read_all(ctx, dut))

    simulate(dut, testbench)


def test_carries_into_the_high_word_and_shows_a_value_within_visible_cycles():
    dut = Counters(ELEMENTS)
    (number,) = (n for n, (c, venue, _) in enumerate(ELEMENTS) if c.name == "MISSING_MESSAGES" and venue == 1)

    async def testbench(ctx):
        await ctx.tick().repeat(2 * dut.count)
        for delay in range(1, dut.count, 7):
            await ctx.tick().repeat(delay)
            before = await read(ctx, dut, number)
            ctx.set(dut.missing_messages[1], 0xFFFFFFFF)
            await ctx.tick()
            ctx.set(dut.missing_messages[1], 0)
            await ctx.tick().repeat(dut.VISIBLE - 3)
            assert await read(ctx, dut, number) == before + 0xFFFFFFFF

    simulate(dut, testbench)


def pulse(dut, element):
    """The input of a counter that is of no family."""
    counter, venue, _ = element
    assert not counter.family
    port = getattr(dut, port_name(counter))
    return port[venue] if counter.per_venue else port


@pytest.mark.parametrize("number", [FIRST, LAST])
def test_a_reset_clears_what_the_ram_still_holds(number):
    m = Module()
    reset = Signal()
    dut = Counters(ELEMENTS)
    m.submodules.dut = ResetInserter(reset)(dut)

    async def testbench(ctx):
        counting = [pulse(dut, ELEMENTS[number]) for number in (FIRST, LAST)]
        for value in (1, 0):
            for port in counting:
                ctx.set(port, value)
            await ctx.tick().repeat(3 * dut.count)
        assert await read(ctx, dut, FIRST)
        assert await read(ctx, dut, LAST)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        ctx.set(dut.index, number)
        await ctx.tick()
        for _ in range(2 * dut.VISIBLE):
            await ctx.tick()
            assert not ctx.get(dut.value)
        assert not any(await read_all(ctx, dut))

    simulate(m, testbench)


def test_a_walk_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="more than 4 counters"):
        Counters(ELEMENTS[:4])

"""The clock of the card keeps the time that its model keeps, and tells readings from which that time follows."""

import random

from hw.telemetry.tai_clock import TaiClock
from sim.golden.telemetry import ClockModel
from tests.hw.bench import made, simulate

NOMINAL = round(6.4 * 2**32)
SET, CHANGE = 2, 3
"""Cycles from the request to its effect."""


class Bench:
    """Asks the clock and, later, the model, whose effects are immediate; compares the time of every cycle."""

    def __init__(self, ctx, dut):
        self.ctx, self.dut, self.model, self.cycle = ctx, dut, ClockModel(), 0
        self.due, self.readings, self.times = {}, [], []

    async def step(self, *, value=None, offset=None, increment=None):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.set, value is not None)
        ctx.set(dut.value, value or 0)
        ctx.set(dut.adjust, offset is not None)
        ctx.set(dut.offset, offset or 0)
        ctx.set(dut.now, self.cycle)
        if value is not None:
            self.due.setdefault(self.cycle + SET, []).append(lambda: self.model.set(value))
        if offset is not None:
            self.due.setdefault(self.cycle + CHANGE, []).append(lambda: self.model.adjust(offset))
        if increment is not None:
            ctx.set(dut.increment, increment)
            self.due.setdefault(self.cycle + CHANGE - 1, []).append(lambda: setattr(self.model, "increment", increment))
        for effect in self.due.pop(self.cycle, []):
            effect()
        assert ctx.get(dut.time) == self.model.time, self.cycle
        self.times.append(self.model.time)
        if ctx.get(dut.reading.valid):
            reading = dut.reading.payload
            self.readings.append(tuple(ctx.get(reading[name]) for name in ("cycles", "time", "increment")))
        await ctx.tick()
        self.cycle += 1
        self.model.tick()


def run(scenario):
    benches = []

    async def testbench(ctx):
        benches.append(Bench(ctx, dut))
        await scenario(benches[0])

    dut = made(TaiClock)
    simulate(dut, testbench)
    return benches[0]


def test_it_stands_at_zero_until_it_is_set():
    async def scenario(bench):
        for _ in range(20):
            await bench.step(increment=NOMINAL, offset=bench.cycle)

    bench = run(scenario)
    assert not any(bench.times)
    assert not bench.readings


def test_it_is_set_moved_and_made_faster_over_every_carry():
    rng = random.Random(7)

    async def scenario(bench):
        await bench.step(increment=NOMINAL)
        for start in (1, 0xFFFF, (1 << 32) - 20, (1 << 48) - 50, (1 << 63) - 30, (1 << 64) - 40, 1_900_000_000 * 10**9):
            await bench.step(value=start)
            for _ in range(40):
                odd = rng.random()
                await bench.step(
                    offset=rng.choice([-(1 << 31), (1 << 31) - 1, -1, 1, rng.randrange(-(1 << 31), 1 << 31)]) if odd < 0.1 else None,
                    increment=rng.choice([0, (1 << 40) - 1, NOMINAL, rng.getrandbits(40)]) if odd > 0.9 else None)

    assert len(run(scenario).readings) > 30


def test_a_second_of_card_time_is_a_second():
    async def scenario(bench):
        await bench.step(increment=NOMINAL)
        await bench.step(value=10**18)
        for _ in range(2_000):
            await bench.step()

    times = run(scenario).times
    assert times[-1] - times[3] == (len(times) - 4) * 32 // 5


def test_the_time_of_every_cycle_follows_from_the_reading_before_it():
    async def scenario(bench):
        for _ in range(1 + CHANGE):
            await bench.step(increment=NOMINAL)
        await bench.step(value=1 << 60)
        for number in range(60):
            await bench.step(offset=-5_000 if number == 20 else None, increment=NOMINAL + 99_999 if number == 40 else None)

    bench = run(scenario)
    starts = [cycles for cycles, _, _ in bench.readings]
    assert starts == [CHANGE + at for at in (1 + CHANGE, 22 + CHANGE, 42 + CHANGE)]
    for (cycles, time, increment), end in zip(bench.readings, [*starts[1:], bench.cycle], strict=True):
        for cycle in range(cycles, end - CHANGE):
            exact = bench.times[cycle]
            assert exact - 1 <= time + ((cycle - cycles) * increment >> 32) <= exact


def test_of_changes_that_follow_each_other_the_last_is_told():
    async def scenario(bench):
        await bench.step(increment=NOMINAL)
        await bench.step(value=1 << 50)
        await bench.step(offset=7)
        await bench.step(increment=NOMINAL + 1)
        for _ in range(8):
            await bench.step()

    bench = run(scenario)
    ((cycles, time, increment),) = bench.readings
    assert (cycles, time, increment) == (3 + CHANGE, bench.times[3 + CHANGE], NOMINAL + 1)

"""Which orders a switch stops, and when: the rule as docs/order_entry.md has it."""

import random

from hw.config import TINY
from hw.order_entry.order_stop import OrderStop
from sim.golden.records import CANCEL_ORDER
from tests.hw.bench import made, simulate


def stops(switches, order):
    killed = (switches["kill"] or switches["kill_venues"] >> order["venue"] & 1 or switches["kill_strategies"] >> order["strategy"] & 1
              or switches["kill_symbols"] >> order["symbol"] & 1)
    return bool(killed) and order["kind"] != CANCEL_ORDER


def test_every_level_stops_its_orders_from_the_second_cycle_of_their_offer_on_and_cancels_never():
    dut, rng, seen = made(OrderStop, TINY), random.Random(1), set()

    async def testbench(ctx):
        for _ in range(600):
            order = {"kind": rng.randrange(3), "venue": rng.randrange(TINY.venues), "strategy": rng.randrange(5),
                     "symbol": rng.randrange(TINY.symbols)}
            level = rng.choice(["kill", "kill_venues", "kill_strategies", "kill_symbols", "nothing"])
            widths = {"kill": 1, "kill_venues": TINY.venues, "kill_strategies": 16, "kill_symbols": TINY.symbols}
            switches = {name: rng.getrandbits(width) if name == level else 0 for name, width in widths.items()}
            aborts = rng.getrandbits(TINY.venues)
            ctx.set(dut.switches, switches)
            ctx.set(dut.aborts, aborts)
            ctx.set(dut.order, order)
            ctx.set(dut.valid, 1)
            for cycle in range(3):
                expected = bool(cycle) and stops(switches, order)
                assert ctx.get(dut.stop) == expected
                assert ctx.get(dut.abort) == (expected and aborts >> order["venue"] & 1)
                ctx.set(dut.ends, cycle == 2)
                await ctx.tick()
            ctx.set(dut.ends, 0)
            seen.add((level, order["kind"], stops(switches, order)))
        assert len([what for what in seen if what[2]]) == 8  # four levels, two kinds

    simulate(dut, testbench)

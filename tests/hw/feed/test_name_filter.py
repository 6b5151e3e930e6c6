"""NameFilter: events of followed names with their slots, events without a name with slot 0."""

import random

import pytest

from hw.feed.name_filter import NameFilter
from hw.types import BookEventKind
from sim.golden.deep10 import level_reference
from tests.hw.bench import simulate


def number(name):
    return int.from_bytes(name.encode().ljust(8), "little")


def run(symbols, bindings, names, events):
    """Sends an event a cycle: (name or None, kind, reference); returns (cycle, slot, reference) of those that pass."""
    dut, passed = NameFilter(symbols), []

    async def testbench(ctx):
        for slot, (enable, name) in enumerate(zip(bindings, names, strict=True)):
            ctx.set(dut.bindings[slot], {"enable": enable, "locate": 0})
            ctx.set(dut.names[slot], number(name) if name else 0)
        for cycle, (name, kind, reference) in enumerate([*events, ("", BookEventKind.ADD, 0)]):
            ctx.set(dut.input.valid, cycle < len(events))
            ctx.set(dut.input.payload.kind, kind)
            ctx.set(dut.input.payload.reference, reference)
            ctx.set(dut.input.payload.symbol, 0xAA)
            ctx.set(dut.named, name is not None)
            ctx.set(dut.name, number(name or ("A", "SPY", "NONE")[cycle % 3]))  # what is not a name may look like one
            if ctx.get(dut.output.valid):
                payload = ctx.get(dut.output.payload)
                assert payload.kind == events[cycle - NameFilter.LATENCY][1]
                passed.append((cycle - NameFilter.LATENCY, payload.symbol, payload.reference))
            await ctx.tick()

    simulate(dut, testbench)
    return passed


@pytest.mark.parametrize("symbols", [1, 3, 4, 7])
def test_slots(symbols):
    rng = random.Random(symbols)
    names = ["SPY", "A", "ABCDEFGH", "SPYG", "SP", "BRK.B", "QQQ"]
    chosen, bindings = names[:symbols], [rng.random() < 0.8 for _ in range(symbols)]
    events, expected = [], []
    for cycle in range(200):
        name, kind = rng.choice([*names, "SPYY", " SPY", None]), rng.choice([kind for kind in BookEventKind if kind != BookEventKind.SET])
        reference = rng.getrandbits(64)
        events.append((name, kind, reference))
        if name is None:
            expected.append((cycle, 0, reference))
        elif name in chosen and bindings[chosen.index(name)]:
            expected.append((cycle, chosen.index(name), reference))
    assert run(symbols, bindings, chosen, events) == expected


def test_the_lower_slot_counts_and_an_empty_name_is_none():
    events = [("A", BookEventKind.ADD, 1), ("", BookEventKind.ADD, 2)]
    assert run(4, [False, True, True, True], ["A", "", "A", "A"], events) == [(0, 2, 1)]


def test_a_level_is_named_by_its_slot_too():
    events = [("A", BookEventKind.SET, level_reference(0, side, price)) for side in (0, 1) for price in (0, 1, 0x7FFFFFFF)]
    passed = run(4, [True] * 4, ["X", "Y", "Z", "A"], events)
    assert [reference for _, _, reference in passed] == [level_reference(3, side, price) for side in (0, 1) for price in (0, 1, 0x7FFFFFFF)]

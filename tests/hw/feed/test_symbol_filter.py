"""SymbolFilter: bound symbols pass with their slot, all others do not."""

import random

import pytest

from hw.feed.symbol_filter import SymbolFilter
from hw.types import BookEventKind
from tests.hw.bench import made, simulate
from tests.hw.feed.words import IDLE, put


def run(symbols, bindings, locates):
    """Sends one event per locate (IDLE: none); returns (cycle, slot, locate, reference) of those that come out."""
    dut = made(SymbolFilter, symbols)
    passed = []

    async def testbench(ctx):
        for slot, (enable, locate) in enumerate(bindings):
            ctx.set(dut.bindings[slot].enable, enable)
            ctx.set(dut.bindings[slot].locate, locate)
        for cycle, locate in enumerate([*locates, IDLE, IDLE]):
            event = IDLE if locate is IDLE else {"kind": BookEventKind.DELETE, "locate": locate, "symbol": 0xFF, "reference": cycle}
            await put(ctx, dut.input, event)
            if ctx.get(dut.output.valid):
                out = ctx.get(dut.output.payload)
                assert out.kind == BookEventKind.DELETE
                passed.append((cycle, out.symbol, out.locate, out.reference))
            await ctx.tick()

    simulate(dut, testbench)
    return passed


@pytest.mark.parametrize("symbols", [1, 4, 5, 64, 256])
def test_events_of_bound_symbols_pass_one_cycle_later(symbols):
    rng = random.Random(symbols)
    bindings = [(rng.random() < 0.8, rng.randrange(2 * symbols)) for _ in range(symbols)]
    bindings[0] = (1, 7)
    locates = [rng.choice([IDLE, 7, *range(2 * symbols)]) for _ in range(400)] + [0xFFFF]
    slots = {}
    for slot, (enable, locate) in enumerate(bindings):
        if enable:
            slots.setdefault(locate, slot)  # the lower of two counts
    expected = [
        (cycle + SymbolFilter.LATENCY, slots[locate], locate, cycle) for cycle, locate in enumerate(locates) if locate in slots
    ]
    passed = run(symbols, bindings, locates)
    assert passed == expected
    assert len(passed) >= 1


def test_nothing_passes_unbound():
    assert run(4, [(0, locate) for locate in range(4)], list(range(8))) == []


@pytest.mark.parametrize("symbols", [0, 257])
def test_number_of_symbols_is_checked(symbols):
    with pytest.raises(ValueError, match="1 to 256"):
        SymbolFilter(symbols)

"""Three real venues in the order of their arrivals: the device's edges are the oracle's, its signals the golden model's."""

import csv
import gzip
from collections import deque
from itertools import islice

import pytest

from hw.config import TINY
from sim.golden.arbitrage import ArbitrageModel, Limits
from tests.data import market_data
from tests.hw.bench import simulate
from tests.hw.strategy.arbitrage_bench import OPEN, THREE, Bench
from tests.hw.strategy.compiled_detector import CompiledBench
from tests.sim.golden.test_arbitrage import VENUES, edge_of, top_of

THRESHOLDS = (0, 100_000, 150_000, 200_000)
"""Smallest profits, each for a symbol of its own: all have the same quotes."""

EDGES = [(buy, sell) for low in range(3) for high in range(low + 1, 3) for buy, sell in ((low, high), (high, low))]


def arrivals(first, count):
    """Rows of the oracle; the first comes with the quotes that all venues have by then."""
    with gzip.open(market_data("cross_venue/20240808_BTC.arrivals_edges.csv.gz"), "rt", newline="") as file:
        for place, row in enumerate(islice(csv.DictReader(file), first, first + count if count else None)):
            venue = VENUES.index(row["venue"])
            for one in [*(other for other in range(3) if place == 0 and other != venue), venue]:
                yield one, top_of(row, one), row if one == venue else None


def check(bench, first, count, cooldown, least):
    """Returns the testbench; at least so many edges are to be compared."""
    limits = {symbol: Limits(profit, 20, 1_000) for symbol, profit in enumerate(THRESHOLDS)}
    model = ArbitrageModel(3, TINY.symbols, [OPEN] * 3, limits, cooldown, enabled={0, 1, 2, 3})
    seen, expected, counts = deque(), deque(), dict.fromkeys(range(4), 0)
    edges, last_taken = [0], [-1]

    def judge():
        """What was sent two cycles ago is compared; what is old enough is decided, with the orders that were taken by then."""
        while seen and seen[0][0] < bench.cycle:
            cycle, row = seen.popleft()
            assert cycle == bench.cycle - 1
            if row:
                for way, (buy, sell) in zip(bench.last_edges, EDGES, strict=True):
                    if (edge := edge_of(row, buy, sell)) is not None:
                        assert way == edge, (row["seq"], buy, sell)
                        edges[0] += 1
        while expected and expected[0][0] + 8 <= bench.cycle:
            sent, symbol, venue, top, now = expected.popleft()
            decided = sent + bench.dut.LATENCY
            outcome = model.update(venue, symbol, top, cycle=decided, waiting=decided <= last_taken[0], time=now)
            if outcome.orders:
                got = bench.orders[:2]
                del bench.orders[:2]
                assert [order for _, order, _ in got] == list(outcome.orders)
                assert bench.signals.pop(0) == (decided, outcome.signal._asdict() | {"symbol": symbol, "time": now})
                last_taken[0] = got[1][0]
                counts[symbol] += 1
            assert (decided in bench.missed) == outcome.missed
            bench.missed = [cycle for cycle in bench.missed if cycle > decided]

    async def testbench(ctx):
        await bench.start(ctx, cooldown=cooldown)
        for symbol, of in limits.items():
            await bench.limit(symbol, of)
        for venue, top, row in arrivals(first, count):
            for symbol in range(4):
                now = bench.now
                judge()
                sent = await bench.send(venue, symbol, top)
                seen.append((sent + 2, row))
                expected.append((sent, symbol, venue, top, now))
        for _ in range(12):
            judge()
            await bench.idle(1)
        assert not expected
        assert not bench.orders
        assert not bench.signals
        assert edges[0] >= least
        assert all(counts.values()), counts
        print(f"{edges[0]:,} edges, signals by threshold: {list(counts.values())}")

    return testbench


def test_a_part_of_the_day():
    bench = Bench(THREE, watches=True)
    simulate(bench.dut, check(bench, 74_000, 450, cooldown=0, least=4 * 6 * 400))


@pytest.mark.slow
def test_the_whole_day():
    """On the compiled detector."""
    with pytest.raises(StopIteration):
        check(CompiledBench(THREE), 0, None, cooldown=20, least=4 * 6 * 100_000)(None).send(None)

"""The detector against the rule: random quotes, cycle by cycle, with and without back-pressure, in both widths of prices."""

import random
from dataclasses import replace

import pytest

from hw.config import TINY
from sim.golden.arbitrage import ArbitrageModel, Limits, Venue
from sim.golden.records import TopOfBook
from tests.hw.bench import simulate
from tests.hw.strategy.arbitrage_bench import EVER, Bench


def random_side(rng):
    if rng.random() < 0.1:
        return rng.choice([0, 0, 1, 2**30, 2**32 - 1]), rng.choice([0, 7])
    return 10_000 + rng.randrange(-40, 40), rng.choice([0, 2**32 - 1]) if rng.random() < 0.15 else rng.randrange(1, 20)


def widened(side, symbol, direct):
    """The same at prices of up to 48 bits, for each symbol others and as far apart as its fees: where an order's end, or far above."""
    (price, shares), (base, scale) = side, ((2**32, 511), (2**40, 2**18 - 1), (2**47, 2**24 - 3), (10_000, 1))[symbol]
    return min(base + (price - 10_000) * scale, 2**48 - 1 if direct else 2**32 - 1) if price else 0, shares


def random_terms(rng, venues, wide):
    """Rates are small where prices are wide: a fee would else be more than any profit may be."""
    return [Venue(
        enable=rng.random() < 0.95, direct=rng.random() < (0.7 if wide else 0.15), share_fee=rng.randrange(-3_000, 3_000),
        fee_rate=rng.randrange(-6, 8) if wide else rng.randrange(-2_000, 4_000), max_age=rng.choice([EVER, EVER, 0, 3, 40, 200]),
    ) for _ in range(venues)]


@pytest.mark.parametrize(("venues", "seed", "rate", "ready", "price_bits"), [
    (2, 1, 1.0, 0.3, 32), (2, 2, 0.3, 1.0, 32), (2, 3, 0.8, 0.6, 32), (3, 4, 0.5, 0.8, 32), (4, 5, 1.0, 0.9, 32), (4, 7, 0.6, 1.0, 32),
    (8, 6, 0.9, 0.7, 32), (2, 22, 0.9, 0.7, 48), (4, 30, 0.9, 0.7, 48),
])
def test_equals_the_rule(venues, seed, rate, ready, price_bits):
    rng, wide = random.Random(seed), price_bits > 32
    bench = Bench(replace(TINY, venues=venues, price_bits=price_bits))
    limits = {symbol: Limits(rng.randrange(0, 20), rng.randrange(3), rng.choice([5, 15, 2**18 - 1])) for symbol in range(4)}
    terms, cooldown = random_terms(rng, venues, wide), rng.choice([0, 1, 3, 40])
    for one in rng.sample(terms, 2):
        one.enable, one.max_age = True, EVER
    records = []

    async def testbench(ctx):
        await bench.start(ctx, enabled=0b0111, cooldown=cooldown)
        bench.set_terms(*terms)
        for symbol, of in limits.items():
            await bench.limit(symbol, of)
        await bench.idle(3)
        bench.now = 2**33 - 500
        ctx.set(bench.dut.now, bench.now)
        for number in range(800 if wide else {2: 2_000, 8: 400}.get(venues, 1_200)):
            ctx.set(bench.dut.orders.ready, rng.random() < ready)
            if rng.random() >= rate:
                await bench.idle(1)
                continue
            (bid, bid_shares), (ask, ask_shares) = random_side(rng), random_side(rng)
            if bid > ask > 0 and rng.random() < 0.8:  # a book is seldom crossed in itself
                bid, ask = ask, bid
            venue, symbol = rng.randrange(venues), 3 - min(rng.randrange(5), 3)
            told = terms[venue].direct and rng.random() < 0.9
            if wide:
                (bid, bid_shares), (ask, ask_shares) = (widened(of, symbol, told) for of in ((bid, bid_shares), (ask, ask_shares)))
            record, now = (venue, symbol, TopOfBook(bid, bid_shares, 1, ask, ask_shares, 1)), bench.now
            if told:
                time = now - rng.choice([0, 1, 39, 40, 41, 300])
                taken = await bench.tell(*record, time)
                records.append((taken, record, {"time": time, "now": bench.now - 1, "direct": True}))
                continue
            kind = rng.choice(["stale", "partial", "crossed"]) if rng.random() < 0.05 else None
            options = {"changed": rng.random() < 0.9, "sequence": number}
            records.append((await bench.send(*record, **options, **({kind: True} if kind else {})), record,
                            options | {"stale": kind is not None, "time": now}))
        ctx.set(bench.dut.orders.ready, 1)
        await bench.idle(20)

    simulate(bench.dut, testbench)
    model = ArbitrageModel(venues, 4, terms, limits, cooldown, enabled={0, 1, 2})
    expected, signals, unsent, missed, implausible, last_taken = [], [], [], [], [], -1
    for cycle, record, options in records:
        decided = cycle + bench.dut.LATENCY
        outcome = model.update(*record, **options, cycle=decided, waiting=decided <= last_taken)
        if outcome.orders:
            taken = bench.orders[len(expected):len(expected) + 2]
            assert len(taken) == 2
            last_taken = taken[1][0]
            expected += outcome.orders
        elif outcome.signal:  # as if its orders had been taken at once
            unsent.append(decided)
            last_taken = decided + 1
        if outcome.signal:
            found = outcome.signal._asdict()
            signals.append((decided, found | {"symbol": record[1], "time": options.get("now", options["time"])}))
        if outcome.missed:
            missed.append(decided)
        if outcome.implausible:
            implausible.append(cycle + 4)
    assert [order for _, order, _ in bench.orders] == expected
    assert bench.signals == signals
    assert bench.unsent == unsent
    assert bench.missed == missed
    assert bench.implausible == implausible
    assert len(expected) > (20 if wide else 40), f"seed {seed} gave only {len(expected)} orders"
    assert (len(unsent) > 10) == wide, f"seed {seed} gave {len(unsent)} signals without orders"

"""Feeds a signal with random records, as fast as it takes them or slower, and tells what came out and when."""

import random

from tests.hw.bench import simulate


def rows(dut, values, sent, fields, *, settings=(), restarts=()):
    """Sends ``sent`` ((cycle, port, record) in the order of the cycles); returns (cycle, field, ...) of each result."""
    got = []

    async def testbench(ctx):
        for name, value in dict(settings).items():
            ctx.set(getattr(dut, name), value)
        todo, last = list(sent), sent[-1][0]
        for cycle in range(last + 16):
            for port in {port for _, port, _ in sent}:
                ctx.set(getattr(dut, port).valid, 0)
            while todo and todo[0][0] == cycle:
                _, port, record = todo.pop(0)
                ctx.set(getattr(dut, port).payload, record)
                ctx.set(getattr(dut, port).valid, 1)
            if hasattr(dut, "restart"):
                ctx.set(dut.restart, cycle in restarts)
            result = getattr(dut, values)
            if ctx.get(result.valid):
                got.append((cycle, *(ctx.get(result.payload[field]) for field in fields)))
            await ctx.tick()

    simulate(dut, testbench)
    return got


def times(rng, count, *, dense):
    """Cycles of records, at least two apart."""
    cycle, result = 0, []
    for _ in range(count):
        cycle += 2 if rng.random() < dense else rng.randint(2, 12)
        result.append(cycle)
    return result


def prices(rng, count):
    """Prices of a symbol in half a unit, with ticks, jumps and extremes."""
    price = rng.choice([2_000_000, 50, 2**32])
    for _ in range(count):
        price += rng.choice([0, 0, 1, -1, 100, -100, rng.randint(-5_000, 5_000)])
        if rng.random() < 0.01:
            price = rng.choice([1, 2**33 - 1, rng.getrandbits(33), 3_000_000])
        price = min(max(price, 1), 2**33 - 1)
        yield price


def sampled(seed, symbols, count, *, dense=0.7, restarts=0.0):
    """Samples of random symbols: (cycle, "samples", record), and beside each its symbol, its price or None, and whether the symbol begins
    anew."""
    rng = random.Random(seed)
    walks = [prices(rng, count) for _ in range(symbols)]
    state: dict[int, tuple] = {}
    sent, told, symbol = [], [], 0
    for cycle in times(rng, count, dense=dense):
        symbol = symbol if rng.random() < 0.6 else rng.randrange(symbols)
        if rng.random() < restarts:
            state.clear()
        if rng.random() < 0.05:
            sent.append((cycle, "samples", {"symbol": symbol, "usable": 0, "first": rng.getrandbits(1), "price": rng.getrandbits(33)}))
            told.append((symbol, None, False))
            continue
        price = next(walks[symbol])
        number, base, last = state.get(symbol, (0, price, price))
        sent.append((cycle, "samples", {
            "symbol": symbol, "usable": 1, "first": number == 0, "second": number == 1, "price": price, "base": base,
            "exponent": price.bit_length() - 1, "deviation": price - base, "rises": price > last, "change": abs(price - last),
        }))
        told.append((symbol, price, number == 0))
        state[symbol] = (number + 1, base, price)
    return sent, told

"""What must hold of every pair of orders, whatever the quotes: told from the quotes alone, without the model."""

import random

from sim.golden.arbitrage import Limits, Venue
from sim.golden.records import BUY, SELL, TopOfBook
from tests.hw.bench import simulate
from tests.hw.strategy.arbitrage_bench import FOUR, Bench

AGE, LEAST = 60, 4


def test_properties_of_every_pair_under_back_pressure():
    rng, bench = random.Random(11), Bench(FOUR)
    terms = [Venue(enable=True, max_age=AGE, share_fee=rng.randrange(0, 600)) for _ in range(4)]
    quotes, sent = {}, {}

    async def testbench(ctx):
        await bench.start(ctx, limits=Limits(LEAST, 1, 100))
        bench.set_terms(*terms)
        await bench.idle(3)
        for _ in range(1_500):
            ctx.set(bench.dut.orders.ready, rng.random() < 0.6)
            if rng.random() < 0.2:
                await bench.idle(rng.choice([1, 1, 1, 30]))
                continue
            bid = 10_000 + rng.randrange(-20, 20)
            top = TopOfBook(bid, rng.randrange(1, 150), 1, bid + rng.randrange(0, 12), rng.randrange(1, 150), 1)
            venue, symbol = rng.randrange(4), rng.randrange(2)
            cycle = await bench.send(venue, symbol, top, sequence=len(sent) + 1)
            quotes[venue, symbol] = top, cycle
            sent[len(sent) + 1] = cycle, symbol, dict(quotes)
        ctx.set(bench.dut.orders.ready, 1)
        await bench.idle(12)

    simulate(bench.dut, testbench)

    def gain(number, symbol, buy, sell):
        """What a share brings by the quotes as of a record; None with one that is too old."""
        cycle, _, state = sent[number]
        (there, bought_at), (here, sold_at) = state[buy, symbol], state[sell, symbol]
        if cycle - min(bought_at, sold_at) > AGE:
            return None
        return here.bid_price - there.ask_price - terms[sell].fee(here.bid_price) - terms[buy].fee(there.ask_price)

    orders, signalled = [order for _, order, _ in bench.orders], {}
    assert len(orders) > 60
    for buy, sell in zip(orders[::2], orders[1::2], strict=True):
        # both legs, one after the other: the same trigger, symbol and shares
        assert (buy.side, sell.side, buy.pair, sell.pair) == (BUY, SELL, 1, 0)
        assert (buy.trigger_sequence, buy.symbol, buy.shares) == (sell.trigger_sequence, sell.symbol, sell.shares)
        assert buy.venue != sell.venue, "both legs from one venue"
        number, symbol = buy.trigger_sequence, buy.symbol
        there, here = (sent[number][2][venue, symbol][0] for venue in (buy.venue, sell.venue))
        assert (buy.price, sell.price) == (there.ask_price, here.bid_price)
        assert buy.shares == min(there.ask_shares, here.bid_shares, 100)
        profit = gain(number, symbol, buy.venue, sell.venue)
        assert profit is not None, "a stale quote"
        assert profit >= LEAST
        signalled.setdefault((symbol, buy.venue, sell.venue), []).append(number)
    for (symbol, buy, sell), numbers in signalled.items():
        for one, again in zip(numbers, numbers[1:], strict=False):
            between = (gain(number, symbol, buy, sell) for number in range(one + 1, again) if sent[number][1] == symbol)
            assert any(profit is None or profit < LEAST for profit in between), "signalled twice though it had never gone"

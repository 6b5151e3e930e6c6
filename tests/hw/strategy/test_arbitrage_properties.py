"""What must hold of every signal and its orders, whatever the quotes: told from the quotes alone, without the model."""

import random
from dataclasses import replace

import pytest

from sim.golden.arbitrage import Limits, Venue
from sim.golden.records import BUY, SELL, TopOfBook
from tests.hw.bench import simulate
from tests.hw.strategy.arbitrage_bench import FOUR, Bench

AGE, LEAST = 60, 4


@pytest.mark.parametrize(("price_bits", "middle", "records"), [(32, 10_000, 1_500), (48, 2**32, 700)])
def test_properties_of_every_signal_under_back_pressure(price_bits, middle, records):
    """With wide prices all quotes are the host's, and about half of them fit an order."""
    rng, bench, wide = random.Random(11), Bench(replace(FOUR, price_bits=price_bits)), price_bits > 32
    terms = [Venue(enable=True, direct=wide, max_age=AGE, share_fee=rng.randrange(0, 600)) for _ in range(4)]
    quotes, sent = {}, {}

    async def testbench(ctx):
        await bench.start(ctx, limits=Limits(LEAST, 1, 100))
        bench.set_terms(*terms)
        await bench.idle(3)
        for _ in range(records):
            ctx.set(bench.dut.orders.ready, rng.random() < 0.6)
            if rng.random() < 0.2:
                await bench.idle(rng.choice([1, 1, 1, 30]))
                continue
            bid = middle + rng.randrange(-20, 20)
            top = TopOfBook(bid, rng.randrange(1, 150), 1, bid + rng.randrange(0, 12), rng.randrange(1, 150), 1)
            venue, symbol = rng.randrange(4), rng.randrange(2)
            cycle = time = bench.now
            if wide:
                cycle = await bench.tell(venue, symbol, top, time)
            else:
                await bench.send(venue, symbol, top, sequence=cycle)
            quotes[venue, symbol] = top, time
            sent[cycle] = symbol, dict(quotes)
        ctx.set(bench.dut.orders.ready, 1)
        await bench.idle(12)

    simulate(bench.dut, testbench)

    def gain(cycle, buy, sell):
        """What a share brings by the quotes as of a record; None with one that is too old."""
        symbol, state = sent[cycle]
        (there, bought_at), (here, sold_at) = state[buy, symbol], state[sell, symbol]
        if cycle - min(bought_at, sold_at) > AGE:
            return None
        return here.bid_price - there.ask_price - terms[sell].fee(here.bid_price) - terms[buy].fee(there.ask_price)

    orders, signalled = [order for _, order, _ in bench.orders], {}
    assert len(orders) > 40
    assert (len(bench.unsent) > 30) == wide
    for decided, signal in bench.signals:
        buy, sell, cycle = signal["buy_venue"], signal["sell_venue"], decided - bench.dut.LATENCY
        symbol, state = sent[cycle]
        assert (signal["symbol"], signal["time"]) == (symbol, cycle)
        assert buy != sell, "both legs from one venue"
        there, here = (state[venue, symbol][0] for venue in (buy, sell))
        prices, shares = (there.ask_price, here.bid_price), min(there.ask_shares, here.bid_shares, 100)
        assert (signal["buy_price"], signal["sell_price"], signal["shares"]) == (*prices, shares)
        profit = gain(cycle, buy, sell)
        assert profit is not None, "a stale quote"
        assert profit >= LEAST
        assert signal["profit"] == profit * shares
        signalled.setdefault((symbol, buy, sell), []).append(cycle)
        assert (decided in bench.unsent) == (max(prices) >= 2**32)
        if decided not in bench.unsent:  # both legs, one after the other
            legs, orders = orders[:2], orders[2:]
            assert [(leg.side, leg.venue, leg.price, leg.pair) for leg in legs] == [(BUY, buy, prices[0], 1), (SELL, sell, prices[1], 0)]
            assert [(leg.symbol, leg.shares, leg.trigger_sequence) for leg in legs] == [(symbol, shares, 0 if wide else cycle)] * 2
    assert not orders
    for (symbol, buy, sell), cycles in signalled.items():
        for one, again in zip(cycles, cycles[1:], strict=False):
            between = (gain(cycle, buy, sell) for cycle in range(one + 1, again) if cycle in sent and sent[cycle][0] == symbol)
            assert any(profit is None or profit < LEAST for profit in between), "signalled twice though it had never gone"

"""The detector against the rule: directed by the contract, then random quotes, cycle by cycle, with and without back-pressure."""

import random
from dataclasses import replace

import pytest

from hw.config import TINY
from hw.strategy.arbitrage import Arbitrage
from sim.golden.arbitrage import ArbitrageModel, Settings
from sim.golden.records import BUY, SELL, Order, TopOfBook
from tests.hw.bench import simulate

SETTINGS = Settings(min_profit=100, max_shares=500, cooldown=0)


def quote(bid=0, ask=0, bid_shares=300, ask_shares=200):
    return TopOfBook(bid, bid_shares if bid else 0, 1, ask, ask_shares if ask else 0, 1)


class Bench:
    """Feeds records one a cycle, takes the orders, and remembers when each came."""

    def __init__(self, config=TINY):
        self.dut = Arbitrage(config)
        self.cycle = 0
        self.orders, self.signals, self.missed = [], [], []

    async def start(self, ctx, settings=SETTINGS, enabled=-1):
        self.ctx = ctx
        ctx.set(self.dut.settings, vars(settings))
        ctx.set(self.dut.enable, enabled & ((1 << len(self.dut.enable)) - 1))
        ctx.set(self.dut.orders.ready, 1)
        await self.idle(16)

    async def step(self):
        ctx, dut = self.ctx, self.dut
        assert ctx.get(dut.tops.ready)
        if ctx.get(dut.orders.valid) and ctx.get(dut.orders.ready):
            record = dut.orders.payload
            values = (ctx.get(record[name]) for name in Order._fields)
            order = Order(*(getattr(value, "value", value) for value in values))
            self.orders.append((self.cycle, order, ctx.get(record.ingress)))
        self.signals += [self.cycle] * ctx.get(dut.signals)
        self.missed += [self.cycle] * ctx.get(dut.missed)
        await ctx.tick()
        self.cycle += 1

    async def idle(self, cycles):
        self.ctx.set(self.dut.tops.valid, 0)
        for _ in range(cycles):
            await self.step()

    async def send(self, venue, symbol, top, *, stale=False, partial=False, changed=True, sequence=0, ingress=0):
        """Returns the cycle of the transfer."""
        self.ctx.set(self.dut.tops.payload, top._asdict() | {
            "venue": venue, "symbol": symbol, "stale": stale, "partial": partial, "changed": changed,
            "sequence": sequence, "ingress": ingress,
        })
        self.ctx.set(self.dut.tops.valid, 1)
        await self.step()
        self.ctx.set(self.dut.tops.valid, 0)
        return self.cycle - 1

    async def send_and_wait(self, *args, **options):
        """The orders that a record leads to."""
        before = len(self.orders)
        await self.send(*args, **options)
        await self.idle(12)
        return [order for _, order, _ in self.orders[before:]]


def run(scenario, config=TINY, **start):
    bench = Bench(config)

    async def testbench(ctx):
        await bench.start(ctx, **start)
        await scenario(bench)

    simulate(bench.dut, testbench)
    return bench


def test_a_pair_of_orders_the_buy_first_and_the_latency():
    async def scenario(bench):
        assert await bench.send_and_wait(0, 2, quote(bid=9_900, ask=10_000), sequence=7) == []
        sent = await bench.send(1, 2, quote(bid=10_100, ask=10_200, bid_shares=150), sequence=8, ingress=77)
        await bench.idle(10)
        assert [order for _, order, _ in bench.orders] == [
            Order(1, 0, 2, BUY, 150, 10_000, 1, 8, pair=1),
            Order(1, 1, 2, SELL, 150, 10_100, 1, 8),
        ]
        assert [cycle - sent for cycle, _, _ in bench.orders] == [bench.dut.LATENCY, bench.dut.LATENCY + 1]
        assert [ingress for _, _, ingress in bench.orders] == [77, 77]
        assert len(bench.signals) == 1
        assert not bench.missed

    assert run(scenario).dut.LATENCY <= 5


def test_more_venues_take_three_cycles_more():
    async def scenario(bench):
        await bench.send(3, 0, quote(ask=10_000))
        sent = await bench.send(1, 0, quote(bid=10_100))
        await bench.idle(12)
        assert [(order.venue, order.side) for _, order, _ in bench.orders] == [(3, BUY), (1, SELL)]
        assert bench.orders[0][0] - sent == bench.dut.LATENCY == 7

    run(scenario, replace(TINY, venues=4))


@pytest.mark.parametrize(("ask", "bid", "shares"), [
    (10_000, 10_100, 200), (10_000, 10_099, 0), (10_000, 10_000, 0), (10_100, 10_000, 0), (0, 10_000, 0), (10_000, 0, 0),
    (0xFFFFFF00, 0xFFFFFFFF, 200), (1, 0xFFFFFFFF, 200),
])
@pytest.mark.parametrize("ask_comes_first", [True, False])
def test_profit_is_at_least_the_setting(ask, bid, shares, ask_comes_first):
    async def scenario(bench):
        records = [(1, 0, quote(ask=ask)), (0, 0, quote(bid=bid))]
        first, second = records if ask_comes_first else records[::-1]
        assert await bench.send_and_wait(*first) == []
        orders = await bench.send_and_wait(*second)
        assert [(order.venue, order.price, order.shares) for order in orders] == ([(1, ask, shares), (0, bid, shares)] if shares else [])

    run(scenario)


def test_without_a_profit_there_is_no_trade_even_at_a_minimum_of_zero():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=10_000)) == []
        assert len(await bench.send_and_wait(1, 0, quote(bid=10_001))) == 2

    run(scenario, settings=Settings(min_profit=0, max_shares=10))


@pytest.mark.parametrize(("ask_shares", "bid_shares", "cap", "expected"), [
    (200, 300, 500, 200), (300, 200, 500, 200), (300, 300, 100, 100), (2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1), (300, 300, 0, 0),
])
def test_quantity_is_the_smaller_size_and_capped(ask_shares, bid_shares, cap, expected):
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000, ask_shares=ask_shares))
        orders = await bench.send_and_wait(1, 0, quote(bid=20_000, bid_shares=bid_shares))
        assert [order.shares for order in orders] == ([expected] * 2 if expected else [])

    run(scenario, settings=Settings(min_profit=100, max_shares=cap))


def test_a_venue_in_the_middle_of_a_change_is_not_traded():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000), partial=True)
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []
        assert await bench.send_and_wait(0, 0, quote(ask=10_000), partial=True) == []
        assert len(await bench.send_and_wait(0, 0, quote(ask=10_000))) == 2

    run(scenario)


def test_what_is_not_sure_is_not_traded():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000), stale=True)
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []
        await bench.send(0, 1, quote(ask=10_000))
        assert await bench.send_and_wait(1, 1, quote(bid=20_000), stale=True) == []
        bench.ctx.set(bench.dut.venue_stale, 0b01)
        assert await bench.send_and_wait(1, 1, quote(bid=20_000)) == []
        bench.ctx.set(bench.dut.venue_stale, 0b10)
        assert await bench.send_and_wait(1, 1, quote(bid=20_000)) == []
        bench.ctx.set(bench.dut.venue_stale, 0)
        assert await bench.send_and_wait(1, 1, quote(bid=20_000), changed=False) == []
        assert len(await bench.send_and_wait(1, 1, quote(bid=20_000))) == 2

    run(scenario)


def test_a_book_that_is_crossed_in_itself_is_not_believed():
    async def scenario(bench):
        await bench.send(0, 0, quote(bid=9_900, ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=10_500, ask=9_500)) == []
        assert len(await bench.send_and_wait(1, 0, quote(bid=10_500, ask=10_600))) == 2

    run(scenario)


def test_only_enabled_symbols_that_the_card_has():
    async def scenario(bench):
        for symbol in (0, 1, 2, 3, 4, 200):
            await bench.send(0, symbol, quote(ask=10_000))
            assert len(await bench.send_and_wait(1, symbol, quote(bid=20_000))) == (2 if symbol in (1, 3) else 0)
        await bench.send(0, 1, quote())
        assert await bench.send_and_wait(2, 1, quote(ask=10)) == []  # no such venue
        await bench.send(1, 1, quote(bid=8_000))
        for symbol in (5, 129):  # no such symbol, and no other takes its quote
            await bench.send(0, symbol, quote(ask=7_000))
        assert await bench.send_and_wait(1, 1, quote(bid=8_001)) == []

    run(scenario, enabled=0b1010)


@pytest.mark.parametrize("symbols", [1, 3])
def test_any_number_of_symbols(symbols):
    async def scenario(bench):
        for _ in range(2):
            await bench.send(0, symbols - 1, quote(ask=10_000))
            assert len(await bench.send_and_wait(1, symbols - 1, quote(bid=20_000))) == 2
            assert await bench.send_and_wait(1, symbols - 1, quote()) == []

    run(scenario, replace(TINY, symbols=symbols))


def test_one_signal_for_an_opportunity_until_it_has_gone():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000))
        assert len(await bench.send_and_wait(1, 0, quote(bid=20_000))) == 2
        assert await bench.send_and_wait(1, 0, quote(bid=21_000)) == []
        assert await bench.send_and_wait(0, 0, quote(ask=9_000)) == []
        assert await bench.send_and_wait(0, 0, quote(ask=21_001)) == []
        assert len(await bench.send_and_wait(0, 0, quote(ask=9_000))) == 2
        # turned round: another opportunity, and the first is gone
        await bench.send(0, 0, quote(bid=15_000))
        assert len(await bench.send_and_wait(1, 0, quote(ask=11_000))) == 2
        assert len(bench.signals) == 3

    run(scenario)


@pytest.mark.parametrize("cooldown", [0, 1, 30])
def test_cooldown_to_the_cycle(cooldown):
    """The symbol's opportunity goes and comes again; the first record after the cooldown signals it."""
    async def scenario(bench):
        bench.ctx.set(bench.dut.settings.cooldown, cooldown)
        await bench.send(0, 0, quote(ask=10_000))
        first = await bench.send(1, 0, quote(bid=20_000))
        await bench.idle(1)
        await bench.send(1, 0, quote())
        expected = first + max(cooldown + 1, 3)  # before that the orders still wait
        while bench.cycle <= expected + 2:
            await bench.send(1, 0, quote(bid=20_000 + bench.cycle % 2))
            if bench.cycle == first + 10:
                await bench.idle(8)  # a gap, in which a cooldown that was over would end
        await bench.idle(10)
        assert bench.signals == [first + 3, expected + 3]

    run(scenario)


@pytest.mark.parametrize(("cooldown", "symbol", "missed"), [(0, 0, 1), (1, 0, 0), (0, 1, 1), (1, 1, 1)])
@pytest.mark.parametrize("gap", [0, 1])
def test_records_right_behind_a_signal(cooldown, symbol, missed, gap):
    """The next record shows another opportunity while the orders still wait: missed, unless its own symbol cools down."""
    async def scenario(bench):
        bench.ctx.set(bench.dut.settings.cooldown, cooldown + gap if cooldown else 0)
        await bench.send(0, symbol, quote(bid=9_000, ask=15_000))
        await bench.send(0, 0, quote(bid=9_000, ask=10_000))
        await bench.send(1, 0, quote(bid=20_000))
        await bench.idle(gap)
        await bench.send(1, symbol, quote(ask=8_000))
        await bench.idle(10)
        assert (len(bench.signals), len(bench.missed)) == (1, missed)

    run(scenario)


def test_another_symbol_does_not_cool_down():
    async def scenario(bench):
        bench.ctx.set(bench.dut.settings.cooldown, 1_000)
        for symbol in (0, 1):
            await bench.send(0, symbol, quote(ask=10_000))
            assert len(await bench.send_and_wait(1, symbol, quote(bid=20_000))) == 2
        await bench.send(1, 0, quote())
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []

    run(scenario)


def test_missed_while_orders_wait_and_tried_again():
    async def scenario(bench):
        ctx, dut = bench.ctx, bench.dut
        ctx.set(dut.orders.ready, 0)
        await bench.send(0, 0, quote(ask=10_000))
        await bench.send(0, 1, quote(ask=10_000))
        await bench.send(1, 0, quote(bid=20_000))
        assert await bench.send_and_wait(1, 1, quote(bid=20_000)) == []
        assert (len(bench.signals), len(bench.missed)) == (1, 1)
        assert await bench.send_and_wait(1, 1, quote(bid=20_001)) == []
        assert (len(bench.signals), len(bench.missed)) == (1, 2)
        ctx.set(dut.orders.ready, 1)
        await bench.idle(5)
        assert [order.symbol for _, order, _ in bench.orders] == [0, 0]
        assert len(await bench.send_and_wait(1, 1, quote(bid=20_002))) == 2

    run(scenario)


def test_a_venue_that_begins_anew_is_forgotten():
    async def scenario(bench):
        for symbol in range(4):
            await bench.send(0, symbol, quote(ask=10_000))
        bench.ctx.set(bench.dut.clear, 0b01)
        await bench.step()
        bench.ctx.set(bench.dut.clear, 0)
        for symbol in range(4):  # while the walk goes on, and after it
            assert await bench.send_and_wait(1, symbol, quote(bid=20_000)) == []
        assert len(await bench.send_and_wait(0, 2, quote(ask=10_000))) == 2

    run(scenario)


@pytest.mark.parametrize("moment", range(-3, 9))
def test_no_quote_from_before_the_clear_is_traded_after_it(moment):
    """A change of the other venue at every distance from the clear."""
    async def scenario(bench):
        ctx, dut = bench.ctx, bench.dut
        for symbol in range(4):
            await bench.send(0, symbol, quote(ask=10_000))
        start = bench.cycle + 4
        ctx.set(dut.tops.payload, quote(bid=20_000)._asdict() | {"venue": 1, "symbol": 3, "changed": 1})
        while bench.cycle < start + 20:
            ctx.set(dut.clear, bench.cycle == start)
            ctx.set(dut.tops.valid, bench.cycle == start + moment)
            await bench.step()
        # Compared in the cycle after its transfer: before the clear it is a trade, from then on it is none.
        assert len(bench.orders) == (2 if moment < -1 else 0)

    run(scenario)


def test_the_highest_total_profit_wins_and_the_lowest_venue_of_equals():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000, ask_shares=10))  # 1,000 x 10
        await bench.send(1, 0, quote(ask=10_600, ask_shares=300))  # 400 x 300
        await bench.send(3, 0, quote(ask=10_000, ask_shares=120))  # 1,000 x 120: the same
        orders = await bench.send_and_wait(2, 0, quote(bid=11_000, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(1, 300), (2, 300)]
        # the others are opportunities of their own: the next change that shows them signals them, one at a time
        orders = await bench.send_and_wait(2, 0, quote(bid=11_001, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(3, 120), (2, 120)]
        orders = await bench.send_and_wait(2, 0, quote(bid=11_000, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(0, 10), (2, 10)]
        assert await bench.send_and_wait(2, 0, quote(bid=11_001, bid_shares=400)) == []

    run(scenario, replace(TINY, venues=4))


def random_side(rng):
    if rng.random() < 0.1:
        return 0, 0
    return 10_000 + rng.randrange(-40, 40), rng.choice([0, rng.randrange(1, 20), 2**32 - 1]) if rng.random() < 0.2 else rng.randrange(1, 20)


@pytest.mark.parametrize(("venues", "seed", "rate", "ready"), [
    (2, 1, 1.0, 0.3), (2, 2, 0.3, 1.0), (2, 3, 0.8, 0.6), (3, 4, 0.5, 0.8), (4, 5, 0.9, 0.9), (8, 6, 0.9, 0.7),
])
def test_equals_the_rule(venues, seed, rate, ready):
    rng = random.Random(seed)
    bench = Bench(replace(TINY, venues=venues))
    settings = Settings(min_profit=rng.randrange(5, 20), max_shares=15, cooldown=rng.choice([0, 5, 40]))
    records = []

    async def testbench(ctx):
        await bench.start(ctx, settings, enabled=0b0111)
        for number in range(3_000 if venues < 4 else 1_500):
            ctx.set(bench.dut.orders.ready, rng.random() < ready)
            if rng.random() >= rate:
                await bench.idle(1)
                continue
            (bid, bid_shares), (ask, ask_shares) = random_side(rng), random_side(rng)
            if bid > ask > 0 and rng.random() < 0.8:  # a book is seldom crossed in itself
                bid, ask = ask, bid
            record = (rng.randrange(venues), rng.randrange(4), TopOfBook(bid, bid_shares, 1, ask, ask_shares, 1))
            options = {"stale": rng.random() < 0.05, "changed": rng.random() < 0.9, "sequence": number}
            records.append((await bench.send(*record, **options), record, options))
        ctx.set(bench.dut.orders.ready, 1)
        await bench.idle(20)

    simulate(bench.dut, testbench)
    model = ArbitrageModel(venues, 4, settings, enabled={0, 1, 2})
    expected, missed, last_taken = [], [], -1
    for cycle, record, options in records:
        decided = cycle + bench.dut.LATENCY - 1
        outcome = model.update(*record, **options, cycle=cycle, waiting=decided <= last_taken)
        if outcome.orders:
            taken = bench.orders[len(expected):len(expected) + 2]
            assert len(taken) == 2
            last_taken = taken[1][0]
            expected += outcome.orders
        if outcome.missed:
            missed.append(decided)
    assert [order for _, order, _ in bench.orders] == expected
    assert bench.missed == missed
    assert len(expected) > 80, f"seed {seed} gave only {len(expected)} orders"

"""The detector by the contract: what is an opportunity, which one wins, when it is signalled, and in which cycle."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from amaranth.hdl import ResetInserter, Signal

from hw.arbitrage_types import ArbitrageSignal
from hw.config import TINY
from hw.strategy.arbitrage import Arbitrage
from sim.golden.arbitrage import Limits, Venue
from sim.golden.records import BUY, SELL, Order
from tests.hw.bench import simulate
from tests.hw.strategy.arbitrage_bench import EVER, FOUR, OPEN, THREE, WIDE, Bench, quote, run


def test_a_pair_of_orders_the_buy_first_and_the_signal():
    async def scenario(bench):
        assert await bench.send_and_wait(0, 2, quote(bid=9_900, ask=10_000), sequence=7) == []
        now = bench.now
        sent = await bench.send(1, 2, quote(bid=10_100, ask=10_200, bid_shares=150), sequence=8, ingress=77)
        await bench.idle(10)
        assert [order for _, order, _ in bench.orders] == [
            Order(1, 0, 2, BUY, 150, 10_000, 1, 8, pair=1),
            Order(1, 1, 2, SELL, 150, 10_100, 1, 8),
        ]
        assert [ingress for _, _, ingress in bench.orders] == [77, 77]
        assert bench.signals == [(sent + bench.dut.LATENCY, {
            "symbol": 2, "buy_venue": 0, "sell_venue": 1, "profit": 15_000, "time": now, "buy_price": 10_000, "sell_price": 10_100,
            "shares": 150})]
        assert not bench.missed

    run(scenario)


def test_the_first_128_bits_of_a_signal_are_its_word():
    layout = ArbitrageSignal(32)
    assert [(name, layout[name].offset, layout[name].width) for name in ("symbol", "buy_venue", "sell_venue", "profit", "time")] == [
        ("symbol", 0, 16), ("buy_venue", 16, 8), ("sell_venue", 24, 8), ("profit", 32, 48), ("time", 80, 48)]


@pytest.mark.parametrize(("venues", "latency"), [(2, 4), (3, 5), (4, 5), (5, 6), (8, 6)])
def test_latency_in_cycles(venues, latency):
    """From the record to the first order on offer, the second right behind it."""
    async def scenario(bench):
        await bench.send(venues - 1, 0, quote(ask=10_000))
        sent = await bench.send(0, 0, quote(bid=10_100))
        await bench.idle(12)
        assert [(order.venue, order.side) for _, order, _ in bench.orders] == [(venues - 1, BUY), (0, SELL)]
        assert [cycle - sent for cycle, _, _ in bench.orders] == [latency, latency + 1]

    assert latency == run(scenario, replace(TINY, venues=venues)).dut.LATENCY


@pytest.mark.parametrize(("ask", "bid", "shares"), [
    (10_000, 10_100, 200), (10_000, 10_099, 0), (10_000, 10_000, 0), (10_100, 10_000, 0), (0, 10_000, 0), (10_000, 0, 0),
    (0xFFFFFF00, 0xFFFFFFFF, 200), (1, 2**30, 200), (1, 2**30 + 1, 0), (1, 0xFFFFFFFF, 0),
])
@pytest.mark.parametrize("ask_comes_first", [True, False])
def test_profit_is_at_least_the_setting_and_can_be(ask, bid, shares, ask_comes_first):
    async def scenario(bench):
        records = [(1, 0, quote(ask=ask)), (0, 0, quote(bid=bid))]
        first, second = records if ask_comes_first else records[::-1]
        assert await bench.send_and_wait(*first) == []
        orders = await bench.send_and_wait(*second)
        assert [(order.venue, order.price, order.shares) for order in orders] == ([(1, ask, shares), (0, bid, shares)] if shares else [])
        assert len(bench.implausible) == (ask and bid - ask >= 2**30)

    run(scenario)


def test_without_a_profit_there_is_no_trade_even_at_a_minimum_of_zero():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=10_000)) == []
        assert len(await bench.send_and_wait(1, 0, quote(bid=10_001))) == 2

    run(scenario, limits=Limits(max_shares=10))


@pytest.mark.parametrize(("buys", "sells", "profit"), [
    (Venue(), Venue(), 1_000),
    (Venue(share_fee=30 << 8), Venue(share_fee=-20 << 8), 990),  # 0.0030 and a rebate of 0.0020
    (Venue(share_fee=1), Venue(), 999),  # what is less than a unit is a unit, for whoever pays
    (Venue(), Venue(share_fee=-1), 1_000),
    (Venue(fee_rate=4195), Venue(), 1_000 - 1_001),  # 10 basis points of 1,000,000, rounded up twice
    (Venue(), Venue(fee_rate=2097), 1_000 - 501),
    (Venue(fee_rate=-4194), Venue(fee_rate=420), 1_000 + 999 - 101),
    (Venue(fee_rate=-(2**17)), Venue(share_fee=2**23 - 1), 1_000 + 31_250 - 32_768),
])
def test_fees_of_both_legs(buys, sells, profit):
    async def scenario(bench):
        bench.set_terms(*(replace(of, enable=True, max_age=EVER) for of in (buys, sells)))
        await bench.idle(2)
        await bench.send(0, 0, quote(ask=1_000_000, ask_shares=1))
        orders = await bench.send_and_wait(1, 0, quote(bid=1_001_000))
        assert [order.price for order in orders] == ([1_000_000, 1_001_000] if profit > 0 else [])
        assert [signal["profit"] for _, signal in bench.signals] == ([profit] if profit > 0 else [])

    run(scenario, limits=Limits(max_shares=10))


@pytest.mark.parametrize(("price", "rate", "fee"), [(2**22 - 1, -1, 0), (2**22, -1, -1), (2**22, 1, 1), (2**22 + 1, 1, 2)])
@pytest.mark.parametrize("seller", [True, False])
def test_fees_to_the_last_bit(price, rate, fee, seller):
    async def scenario(bench):
        charged = replace(OPEN, fee_rate=rate)
        bench.set_terms(*((OPEN, charged) if seller else (charged, OPEN)))
        await bench.idle(2)
        await bench.send(0, 0, quote(ask=price - 500 * seller, ask_shares=1))
        await bench.send_and_wait(1, 0, quote(bid=price + 500 * (not seller)))
        assert [signal["profit"] for _, signal in bench.signals] == [500 - fee]

    run(scenario)


@pytest.mark.parametrize(("ask_shares", "bid_shares", "cap", "least", "expected"), [
    (200, 300, 500, 0, 200), (300, 200, 500, 0, 200), (300, 300, 100, 0, 100), (300, 300, 0, 0, 0), (200, 300, 500, 200, 200),
    (200, 300, 500, 201, 0), (300, 300, 100, 101, 0), (2**32 - 1, 2**18, 2**18 - 1, 2**18 - 1, 2**18 - 1), (2**18 + 5, 2**18 + 3, 9, 0, 9),
])
def test_quantity_is_the_smaller_size_capped_and_enough(ask_shares, bid_shares, cap, least, expected):
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000, ask_shares=ask_shares))
        orders = await bench.send_and_wait(1, 0, quote(bid=20_000, bid_shares=bid_shares))
        assert [order.shares for order in orders] == ([expected] * 2 if expected else [])

    run(scenario, limits=Limits(100, least, cap))


def test_limits_are_a_symbol_s_own():
    async def scenario(bench):
        await bench.limit(1, Limits(101, 0, 500))
        for symbol, count in ((0, 2), (1, 0)):
            await bench.send(0, symbol, quote(ask=10_000))
            assert len(await bench.send_and_wait(1, symbol, quote(bid=10_100))) == count

    run(scenario)


@pytest.mark.parametrize("doubt", ["stale", "partial", "crossed"])
def test_what_is_not_sure_is_not_traded(doubt):
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000), **{doubt: True})
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []
        assert await bench.send_and_wait(0, 0, quote(ask=10_000), **{doubt: True}) == []
        assert len(await bench.send_and_wait(0, 0, quote(ask=10_000))) == 2

    run(scenario)


def test_venues_that_take_no_part():
    async def scenario(bench):
        await bench.send(0, 1, quote(ask=10_000))
        for stale in (0b01, 0b10):
            bench.ctx.set(bench.dut.venue_stale, stale)
            assert await bench.send_and_wait(1, 1, quote(bid=20_000)) == []
        bench.ctx.set(bench.dut.venue_stale, 0)
        for off in (0, 1):
            bench.set_terms(*(replace(OPEN, enable=venue != off) for venue in range(2)))
            assert await bench.send_and_wait(1, 1, quote(bid=20_000)) == []
        bench.set_terms(OPEN, OPEN)
        assert await bench.send_and_wait(1, 1, quote(bid=20_000), changed=False) == []
        assert len(await bench.send_and_wait(1, 1, quote(bid=20_000))) == 2

    run(scenario)


@pytest.mark.parametrize(("age", "count"), [(20, 2), (21, 0)])
def test_an_old_quote_is_none(age, count):
    async def scenario(bench):
        bench.set_terms(replace(OPEN, max_age=20), replace(OPEN, max_age=0))
        sent = await bench.send(0, 0, quote(ask=10_000))
        await bench.idle(sent + age - bench.cycle)
        assert len(await bench.send_and_wait(1, 0, quote(bid=20_000))) == count

    run(scenario)


def test_a_venue_that_pays_against_itself_is_not_believed():
    async def scenario(bench):
        bench.set_terms(OPEN, replace(OPEN, share_fee=-51 << 8))
        await bench.idle(2)
        await bench.send(0, 0, quote(bid=9_900, ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=10_500, ask=10_600)) == []
        assert len(await bench.send_and_wait(1, 0, quote(bid=10_500, ask=10_602))) == 2

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
        await bench.send(0, 0, quote(ask=10_000))
        first = await bench.send(1, 0, quote(bid=20_000))
        await bench.send(1, 0, quote())
        expected = first + max(cooldown + 1, 2)  # before that the orders still wait
        while bench.cycle <= expected + 2:
            await bench.send(1, 0, quote(bid=20_000 + bench.cycle % 2))
            if bench.cycle == first + 10:
                await bench.idle(8)  # a gap, in which a cooldown that was over would end
        await bench.idle(10)
        assert [cycle - bench.dut.LATENCY for cycle, _ in bench.signals] == [first, expected]

    run(scenario, cooldown=cooldown)


@pytest.mark.parametrize(("cooldown", "symbol", "missed"), [(0, 0, 1), (1, 0, 0), (0, 1, 1), (1, 1, 1)])
def test_a_record_right_behind_a_signal(cooldown, symbol, missed):
    """The next record shows another opportunity while the sell still waits: missed, unless its own symbol cools down."""
    async def scenario(bench):
        await bench.send(0, symbol, quote(bid=9_000, ask=15_000))
        await bench.send(0, 0, quote(bid=9_000, ask=10_000))
        await bench.send(1, 0, quote(bid=20_000))
        await bench.send(1, symbol, quote(ask=8_000))
        await bench.idle(10)
        assert (len(bench.signals), len(bench.missed)) == (1, missed)

    run(scenario, cooldown=cooldown)


def test_another_symbol_does_not_cool_down():
    async def scenario(bench):
        for symbol in (0, 1):
            await bench.send(0, symbol, quote(ask=10_000))
            assert len(await bench.send_and_wait(1, symbol, quote(bid=20_000))) == 2
        await bench.send(1, 0, quote())
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []

    run(scenario, cooldown=1_000)


def test_a_reset_forgets_the_cooldown_of_every_symbol():
    bench, reset = Bench(), Signal()
    bench.dut = Arbitrage(TINY)  # of its own: the others' is not in a ResetInserter

    async def testbench(ctx):
        for _ in range(2):
            await bench.start(ctx, cooldown=10_000)
            for symbol in range(4):
                await bench.send(0, symbol, quote(ask=10_000))
                assert len(await bench.send_and_wait(1, symbol, quote(bid=20_000))) == 2
            ctx.set(reset, 1)
            await bench.step()
            ctx.set(reset, 0)

    simulate(ResetInserter(reset)(bench.dut), testbench)


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
        # Looked at in the cycle after its transfer: before the clear it is a trade, from then on it is none.
        assert len(bench.orders) == (2 if moment < -1 else 0)

    run(scenario)


def test_the_highest_total_profit_wins_then_the_lowest_buy_venue():
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000, ask_shares=10))  # 1,000 x 10
        await bench.send(1, 0, quote(ask=10_600, ask_shares=300))  # 400 x 300
        await bench.send(3, 0, quote(ask=10_000, ask_shares=120))  # 1,000 x 120: the same
        orders = await bench.send_and_wait(2, 0, quote(bid=11_000, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(1, 300), (2, 300)]
        # the others are opportunities of their own: the next change that finds them signals them, one at a time
        orders = await bench.send_and_wait(2, 0, quote(bid=11_001, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(3, 120), (2, 120)]
        orders = await bench.send_and_wait(2, 0, quote(bid=11_000, bid_shares=400))
        assert [(order.venue, order.shares) for order in orders] == [(0, 10), (2, 10)]
        assert await bench.send_and_wait(2, 0, quote(bid=11_001, bid_shares=400)) == []

    run(scenario, FOUR)


def test_of_equal_ones_with_one_buy_venue_the_lowest_sell_venue():
    async def scenario(bench):
        for venue in (3, 1, 0):
            await bench.send(venue, 0, quote(bid=11_000, bid_shares=100))
        orders = await bench.send_and_wait(2, 0, quote(ask=10_000))
        assert [order.venue for order in orders] == [2, 0]

    run(scenario, FOUR)


def test_a_change_elsewhere_signals_what_was_left_between_two_others():
    async def scenario(bench):
        bench.ctx.set(bench.dut.enable, 0)
        await bench.send(0, 0, quote(ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=10_100)) == []
        bench.ctx.set(bench.dut.enable, 1)
        orders = await bench.send_and_wait(2, 0, quote(bid=1, ask=90_000))
        assert [(order.venue, order.trigger_venue) for order in orders] == [(0, 2), (1, 2)]

    run(scenario, THREE)


def test_quotes_of_the_host_for_a_venue_that_the_card_does_not_hear():
    async def scenario(bench):
        bench.set_terms(OPEN, replace(OPEN, direct=True, max_age=100))
        bench.now = 1_000
        await bench.idle(2)
        await bench.send(0, 0, quote(ask=10_000))
        assert await bench.send_and_wait(1, 0, quote(bid=20_000)) == []  # its feed is not heard
        # It is taken in the cycle after the one in which it is offered first.
        await bench.tell(1, 0, quote(bid=20_000), bench.now + 1 - 101)
        await bench.idle(10)
        assert not bench.orders  # too old
        await bench.tell(0, 0, quote(ask=30_000), bench.now)  # not a direct one
        sent = await bench.tell(1, 0, quote(bid=20_000), bench.now + 1 - 100)
        await bench.idle(10)
        assert [(cycle - sent, order.venue) for cycle, order, _ in bench.orders] == [(bench.dut.LATENCY, 0), (bench.dut.LATENCY + 1, 1)]

    run(scenario)


@pytest.mark.parametrize(("ask", "bid", "sent"), [
    (2**32 - 200, 2**32 - 1, True), (2**32 - 200, 2**32, False), (2**32, 2**32 + 200, False), (2**48 - 2**30, 2**48 - 1, False),
    (2**40, 2**40 + 2**30, None),
])
def test_wide_prices_lead_to_a_signal_and_to_orders_where_both_fit(ask, bid, sent):
    """``sent`` None: a profit that is not believed. Another signal may come as soon as if the orders had been taken at once."""
    async def scenario(bench):
        bench.set_terms(*[replace(OPEN, direct=True)] * 2)
        await bench.idle(2)
        told = [await bench.tell(0, 0, quote(ask=ask), 0), await bench.tell(1, 0, quote(bid=bid), 0),
                await bench.tell(1, 0, quote(), 0), await bench.tell(1, 0, quote(bid=bid), 0)]
        await bench.idle(10)
        assert [(cycle - bench.dut.LATENCY, signal["buy_price"], signal["sell_price"], signal["profit"])
                for cycle, signal in bench.signals] == [(cycle, ask, bid, 200 * (bid - ask)) for cycle in told[1::2] if sent is not None]
        assert bench.unsent == [cycle for cycle, _ in bench.signals if not sent]
        assert [order.price for _, order, _ in bench.orders] == ([ask, bid] * 2 if sent else [])
        assert len(bench.implausible) == (2 if sent is None else 0)

    run(scenario, WIDE)


@pytest.mark.parametrize(("price", "rate"), [
    (2**47 + 2**22 - 1, -1), (2**47 + 2**22, -1), (2**47, 31), (2**47 + 1, 1), (2**47 - 1, 3), (0x800100010001, -7),
])
@pytest.mark.parametrize("seller", [True, False])
def test_fees_of_wide_prices_to_the_last_bit(price, rate, seller):
    fee = ceil(Fraction(price * rate, 2**22))

    async def scenario(bench):
        charged = replace(OPEN, fee_rate=rate)
        bench.set_terms(*(replace(of, direct=True) for of in ((OPEN, charged) if seller else (charged, OPEN))))
        await bench.idle(2)
        gain = max(fee, 0) + 500
        await bench.tell(0, 0, quote(ask=price - gain * seller, ask_shares=1), 0)
        await bench.tell(1, 0, quote(bid=price + gain * (not seller)), 0)
        await bench.idle(10)
        assert [signal["profit"] for _, signal in bench.signals] == [gain - fee]

    run(scenario, WIDE)


def test_a_record_in_every_cycle():
    """The quotes of the host wait meanwhile; every record is looked at."""
    async def scenario(bench):
        await bench.send(0, 0, quote(ask=10_000))
        bench.ctx.set(bench.dut.orders.ready, 1)
        for number in range(400):
            await bench.send(1, 0, quote(bid=20_000 if number % 2 else 5_000))
            assert not bench.ctx.get(bench.dut.quotes.ready) or not bench.ctx.get(bench.dut.tops.valid)
        await bench.idle(12)
        assert len(bench.signals) == 200  # each time it is there again
        assert not bench.missed

    run(scenario, FOUR)

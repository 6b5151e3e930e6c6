"""Quotes of the host with prices of up to 48 bits, through a whole card that compares such prices."""

import random

import pytest

from host.card.addresses import OrderAddress
from host.card.control import Control
from host.card.events import ArbitrageSignal, OrderRejected, OrderSent, WideSignal
from host.card.limits import Limits
from host.card.simulated import SimulatedCard
from hw.config import CardConfig
from sim.golden.arbitrage import ArbitrageModel, Venue
from sim.golden.arbitrage import Limits as ArbitrageLimits
from sim.golden.records import TopOfBook
from sim.verilated.build import library, sizes_of

WIDE = CardConfig("wide", venues=2, symbols=4, orders=64, levels=64, backlog=128, events=64, lines=1, price_bits=48)
ORDERS = OrderSent | OrderRejected
SETTLED = 300
"""Cycles after which everything that a quote causes has shown itself."""


def set_up(control):
    for venue in range(2):
        control.set_order_address(venue, OrderAddress(
            f"02:00:00:00:00:{1 + venue:02x}", "02:00:00:00:00:02", f"10.0.0.{1 + venue}", "10.0.0.2", 30_001, 40_001 + venue))
        control.set_user_ref(venue, 1)
        control.bind_symbol(venue, 1, 70 + venue, "BTC")
        control.assume_trading(venue, [1])
        control.set_arbitrage_venue(venue, direct=True)
    control.set_arbitrage(min_profit=3, max_shares=100, cooldown=0, symbols=[1])
    control.set_limits(Limits(1_000, 1 << 60, 1_000_000, rate_burst=1_000, rate_interval=1))
    control.arm()


@pytest.mark.slow
def test_a_wide_signal_is_told_in_full_and_sends_nothing():
    rng, wide, sent = random.Random(48), 0, 0
    model = ArbitrageModel(2, 4, [Venue(enable=True, direct=True, max_age=1 << 48)] * 2, {1: ArbitrageLimits(3, 0, 100)}, enabled={1})
    with SimulatedCard(library(WIDE)) as card:
        control = Control(card, WIDE.name, {WIDE.name: sizes_of(WIDE)})
        set_up(control)
        control.drain_events()
        for number in range(120):
            venue, middle = number % 2, (1_900_000_000 if number < 60 else 2**48 - 100)
            bid = middle + rng.randrange(-20, 20)
            top = TopOfBook(bid, rng.randrange(1, 90), 1, bid + rng.randrange(1, 9), rng.randrange(1, 90), 1)
            time = control.time()
            control.quote(venue, 1, bid=(top.bid_price, top.bid_shares), ask=(top.ask_price, top.ask_shares), time=time)
            card.run(SETTLED)
            outcome = model.update(venue, 1, top, time=time, direct=True)
            events = [event for event in control.drain_events() if isinstance(event, ArbitrageSignal | WideSignal | ORDERS)]
            orders = [(event.venue, event.side, event.shares, event.price) for event in events if isinstance(event, ORDERS)]
            assert orders == [(order.venue, order.side, order.shares, order.price) for order in outcome.orders]
            told = [event for event in events if not isinstance(event, ORDERS)]
            if (found := outcome.signal) is None:
                assert not told
                continue
            signal, *more = told
            assert (signal.symbol, signal.buy_venue, signal.sell_venue, signal.shares, signal.profit) == (
                1, found.buy_venue, found.sell_venue, found.shares, found.profit)
            assert (signal.buy_price, signal.sell_price) == tuple(min(price, 2**32 - 1) for price in (found.buy_price, found.sell_price))
            in_full = [WideSignal(more[0].card_time, False, 1, found.buy_price, found.sell_price, signal.time)] if more else []
            assert more == in_full
            assert bool(more) == (not orders)
            wide, sent = wide + bool(more), sent + len(orders)
        assert [control.counter(name) for name in ("SIGNALS", "UNSENT_SIGNALS", "QUOTES_REFUSED")] == [wide + sent // 2, wide, 0]
        assert control.counter("ORDERS_PASSED") > 0
    assert min(wide, sent) > 10

"""The signals that the compiled card shows the host after ITCH messages, against the golden models of decoder, book and signals."""

import random

import pytest

from host.card.control import Control
from host.card.signals import Periods, set_signals, signals
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.flow import itch
from sim.golden.book import Book
from sim.golden.ethernet import build_udp
from sim.golden.itch50 import decode
from sim.golden.moldudp64 import pack_packet
from sim.golden.records import EXECUTE
from sim.golden.signals import Settings, SymbolSignals, Top, smoothing
from sim.verilated.build import library

LOCATE, SLOT, VENUE = 77, 2, 1
PERIODS = Periods(ema=8, rsi=5, macd_fast=3, macd_slow=6, macd_signal=4, volatility=10, order_flow=12)
SETTINGS = Settings(
    smoothing(8), smoothing(5, wilder=True), smoothing(3), smoothing(6), smoothing(4), smoothing(10), smoothing(12).factor)


class Market:
    """Messages that keep both sides of a book filled and never cross it."""

    def __init__(self, seed):
        self.rng, self.mid, self.live, self.number = random.Random(seed), 1_000_000, {}, 0

    def message(self) -> bytes:
        rng = self.rng
        best = [reference for side in "BS" for reference in sorted(
            (one for one, (its, _, _) in self.live.items() if its == side),
            key=lambda one: self.live[one][1] * (1 if side == "S" else -1))[:2]]
        self.number += 1
        if len(self.live) < 12 or rng.random() < 0.4:
            side = "B" if sum(its == "B" for its, _, _ in self.live.values()) * 2 < len(self.live) else "S"
            best_other = [price for its, price, _ in self.live.values() if its != side]
            price = self.mid + rng.randrange(100, 900, 100) * (1 if side == "S" else -1)
            if best_other:
                price = max(price, max(best_other) + 100) if side == "S" else min(price, min(best_other) - 100)
            self.live[self.number] = (side, price, shares := rng.randint(1, 900))
            self.mid += rng.choice([-100, 0, 100])
            return itch.add(self.number, LOCATE, "AMZN", self.number, side, shares, price)
        reference = rng.choice(best)
        side, price, shares = self.live.pop(reference)
        taken = rng.randint(1, shares)
        if taken < shares:
            self.live[reference] = (side, price, shares - taken)
        if rng.random() < 0.6:
            return itch.executed(self.number, LOCATE, reference, taken, self.number)
        return itch.cancel(self.number, LOCATE, reference, taken)


def expected(model_values):
    """As the host shows them."""
    def price(value):
        return None if value is None else value / 2**18 / 10_000

    macd, flow, volume = (model_values.get(name) or (None, None) for name in ("macd", "order_flow", "traded_volume"))
    rsi, variance = model_values.get("rsi"), model_values.get("volatility")
    return (
        price(model_values.get("ema")), None if rsi is None else rsi / 1024, price(macd[0]), price(macd[1]),
        None if variance is None else (variance / 2**60) ** 0.5, flow[0], None if flow[1] is None else flow[1] / 2**7,
        price(model_values.get("weighted_mid")), *volume)


@pytest.mark.parametrize("source", ["tops", "trades"])
def test_the_host_sees_the_golden_models_values(source):
    market, book, model, last, shown = Market(source), Book(), SymbolSignals(SETTINGS), None, 0
    values = {}
    with SimulatedCard(library(TINY)) as card:
        control = Control(card, TINY.name)
        control.bind_symbol(VENUE, SLOT, LOCATE, "AMZN")
        control.assume_trading(VENUE, [SLOT])
        control.set_feed(VENUE, "233.54.12.111", 26_477, 1)
        set_signals(control, PERIODS, venue=VENUE, source=source)
        assert set(signals(control, SLOT)) == {None}
        for sequence in range(1, 161):
            message = market.message()
            card.queue(VENUE, [build_udp(pack_packet(b"SIGNALS   ", sequence, [message]), destination_ip=0xE9360C6F,
                                         destination_port=26_477)])
            assert card.run_until_idle(10_000)
            event = decode(message)
            order = book.orders.get(event.reference)
            resting = order and (order.side, order.price)
            book.apply(event)
            top = book.top(LOCATE)
            if top != last:
                usable = Top(top.bid_price, top.bid_shares, top.ask_price, top.ask_shares)
                usable = None if 0 in usable else usable
                values |= model.top(usable)
                if source == "tops":
                    values |= model.price(usable and usable.mid)
            last = top
            if event.kind == EXECUTE:
                values |= model.trade(event.shares, resting_sell=bool(resting[0]), usable=True)
                if source == "trades":
                    values |= model.price(2 * resting[1])
            if sequence % 8 == 0:
                seen = signals(control, SLOT)
                wanted = expected(values)
                assert [one is None for one in seen] == [one is None for one in wanted], sequence
                assert [one or 0 for one in seen] == pytest.approx([one or 0 for one in wanted], rel=1e-12, abs=0), sequence
                shown += None not in seen
        assert shown > 5
        assert set(signals(control, SLOT - 1)) == {None}
        assert control.counter("SIGNAL_UPDATES_LOST") == 0

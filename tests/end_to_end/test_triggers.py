"""Prepared orders on the compiled card: what the market's messages make leave, against the golden chain."""

import random

from host.card.events import OrderRejected, OrderSent, TriggerFired
from host.card.registers import RejectReason
from host.card.triggers import WHEN, Trigger, Triggers, clear_trigger, enable_triggers, set_trigger, triggers
from sim.golden.records import BUY, SELL
from sim.golden.trigger import STRATEGY, Entry
from tests.end_to_end.trading import SETTLED, trading

BUYS = Trigger(symbol=2, watch_venue=1, when="ask at most", at=1_000_000, venue=0, side=BUY, shares=300, price=1_001_000)


def prepare(desk, entry, trigger):
    """On both sides; None takes it back."""
    if trigger is None:
        clear_trigger(desk.control, entry)
    else:
        set_trigger(desk.control, entry, trigger)
    desk.model.trigger.commit(entry, trigger and Entry(**trigger._asdict() | {"when": WHEN[trigger.when]}))


def enable(desk, on=True):
    enable_triggers(desk.control, on)
    desk.model.trigger.enabled = on


def orders_after(desk, record):
    """What has left since the last call, which is what the golden models say."""
    orders = desk.model.trigger_orders(record)
    assert desk.frames() == desk.sent(orders)
    return len(orders)


def test_one_order_where_it_is_enabled_and_armed():
    with trading() as desk:
        enable(desk)
        assert orders_after(desk, desk.add(1, 2, SELL, 50, 1_000_000)[1]) == 0  # nothing is armed
        enable(desk, False)
        prepare(desk, 1, BUYS)
        assert orders_after(desk, desk.add(1, 2, SELL, 50, 999_900)[1]) == 0
        enable(desk)
        assert triggers(desk.control) == Triggers(frozenset({1}), frozenset())
        assert orders_after(desk, desk.add(0, 2, SELL, 50, 999_000)[1]) == 0  # another venue
        assert orders_after(desk, desk.add(1, 0, SELL, 50, 999_000)[1]) == 0  # another symbol
        assert desk.heard(TriggerFired, OrderSent, OrderRejected) == []

        assert orders_after(desk, desk.add(1, 2, SELL, 10, 999_800)[1]) == 1
        fired, sent = desk.heard(TriggerFired, OrderSent)
        assert (fired.venue, fired.symbol, fired.entries, fired.ask_price) == (1, 2, (1,), 999_800)
        assert (sent.strategy, sent.venue, sent.symbol, sent.side, sent.shares, sent.price) == (STRATEGY, 0, 2, BUY, 300, 1_001_000)
        assert (sent.trigger_venue, sent.trigger_sequence) == (1, fired.sequence)
        assert triggers(desk.control) == Triggers(frozenset(), frozenset({1}))
        assert orders_after(desk, desk.add(1, 2, SELL, 10, 999_700)[1]) == 0  # it has fired

        prepare(desk, 1, BUYS._replace(shares=20_000))
        desk.add(1, 2, SELL, 10, 999_600)
        assert [event.reason for event in desk.heard(OrderRejected)] == [RejectReason.MAX_SHARES]
        assert (desk.frames(), desk.control.counter("TRIGGERS_FIRED"), desk.control.counter("ORDERS_DROPPED")) == ([], 2, 0)


def test_random_entries_and_a_random_market():
    rng, left, told = random.Random(8), 0, 0
    with trading() as desk:
        enable(desk)
        live = {}
        for _ in range(180):
            if rng.random() < 0.5:
                trigger = Trigger(rng.choice([0, 2]), rng.randrange(2), rng.choice(list(WHEN)), 1_000_000 + 100 * rng.randrange(-4, 5),
                                  rng.randrange(2), rng.randrange(2), rng.randrange(1, 500), rng.randrange(1, 2_000_000))
                prepare(desk, rng.randrange(4), rng.choice([trigger, trigger, trigger, None]))
            if len(live) > 6:
                reference = rng.choice(list(live))
                record = desk.delete(*live.pop(reference), reference)
            else:
                venue, slot, side = rng.randrange(2), rng.choice([0, 2]), rng.randrange(2)
                price = 1_000_000 + 100 * rng.randrange(1, 6) * (1 if side else -1)
                reference, record = desk.add(venue, slot, side, rng.randrange(1, 900), price)
                live[reference] = venue, slot
            left += orders_after(desk, record)
            assert triggers(desk.control) == Triggers(frozenset(desk.model.trigger.armed), frozenset(desk.model.trigger.fired))
            told += sum(len(event.entries) for event in desk.heard(TriggerFired))
        desk.card.run(SETTLED)
        assert desk.frames() == []
        assert desk.control.counter("TRIGGERS_FIRED") == desk.model.counts["TRIGGERS_FIRED"] == told == left > 15

"""A strategy that is disabled, stale or misconfigured does not change what another one sends, nor, but for a few cycles, when."""

import pytest

from host.card.events import OrderRejected, OrderSent
from host.card.quotes import set_quoter_venue
from host.card.registers import REGISTERS, RejectReason
from host.card.signals import Periods, set_signals
from host.card.triggers import Trigger, enable_triggers, set_trigger
from sim.golden.records import BUY, SELL
from tests.end_to_end.trading import LIMITS, SETTLED, trading

ARBITRAGE, QUOTER, TRIGGER = 1, 2, 3
MOST = 8
"""Cycles that an order waits for what came to the gateway just before it and is refused."""
BUYS = Trigger(symbol=2, watch_venue=1, when="bid at least", at=1_000_000, venue=0, side=BUY, shares=300, price=1_001_000)
QUOTING = {"aversion": 4_800_000, "constant": 6 << 12, "end": 1 << 20, "tick": 100, "reciprocal": -(-(1 << 31) // 100), "shares": 100,
           "max_position": 1_000_000, "threshold": 0, "interval": 0, "enable": 1}
BOTH = REGISTERS["STRATEGY_ENABLE"].pack(quoter=1, trigger=1)


def write_quoter(control, **changes):
    for name, value in (QUOTING | changes).items():
        control.write(f"QUOTER_{name.upper()}", value)
    control.write("QUOTER_COMMIT", 0)


def write_trigger(control, **changes):
    """Past the host's checks."""
    fields = {"venue": 15, "side": 0, "shares": 0, "price": 0, "at": 1} | changes
    for entry in range(4):
        control.write("TRIGGER_WATCH", REGISTERS["TRIGGER_WATCH"].pack(symbol=2, venue=1, when=0))
        control.write("TRIGGER_ORDER", REGISTERS["TRIGGER_ORDER"].pack(venue=fields["venue"], side=fields["side"]))
        for name in ("shares", "price", "at"):
            control.write(f"TRIGGER_{name.upper()}", fields[name])
        control.write("TRIGGER_COMMIT", REGISTERS["TRIGGER_COMMIT"].pack(index=entry, armed=1))


def nothing(control):
    pass


def disabled(control):
    write_quoter(control)
    set_trigger(control, 0, BUYS)


def misconfigured(control):
    control.write("STRATEGY_ENABLE", BOTH)
    control.write("QUOTER_VENUE", 15)
    write_quoter(control, tick=0, reciprocal=0, shares=0, max_position=0)
    write_trigger(control)


def without_measure(control):
    control.write("STRATEGY_ENABLE", BOTH)
    set_signals(control, Periods(), venue=1, source="off")
    write_quoter(control)


def refused_all_the_time(control):
    control.write("STRATEGY_ENABLE", BOTH)
    write_quoter(control, shares=LIMITS.max_shares + 1)
    write_trigger(control, shares=LIMITS.max_shares + 1, price=1_000, venue=1)


def killed(control):
    control.write("STRATEGY_ENABLE", BOTH)
    write_quoter(control)
    set_trigger(control, 0, BUYS)
    control.switches.kill_only(strategies=[QUOTER, TRIGGER])


def arbitrage(disturb):
    """Frames, latencies and other reasons of a card on which an opportunity comes, and something else is wrong."""
    with trading() as desk:
        control = desk.control
        control.disarm()
        for venue in range(2):
            control.set_arbitrage_venue(venue)
        control.set_arbitrage(min_profit=1, max_shares=100, cooldown=0, symbols=[2])
        control.arm()
        set_signals(control, Periods(volatility=2), venue=1, source="tops")
        set_quoter_venue(control, 1)
        for level in range(4):
            for side in (SELL, BUY):
                desk.add(1, 0, side, 100, 1_000_000 + (1_000 - 100 * level) * (1 if side == SELL else -1))
        desk.add(0, 2, SELL, 100, 999_000)
        disturb(control)
        desk.card.run(SETTLED)
        desk.heard()
        desk.add(1, 2, BUY, 70, 1_000_000)
        events = desk.heard(OrderSent, OrderRejected)
        sent = [event for event in events if isinstance(event, OrderSent)]
        assert {event.strategy for event in sent} == {ARBITRAGE}
        return desk.frames(), [event.latency for event in sent], {
            (event.strategy, event.reason) for event in events if isinstance(event, OrderRejected)}


@pytest.fixture(scope="module")
def alone():
    return arbitrage(nothing)


@pytest.mark.parametrize(("disturb", "reasons"), [
    (disabled, set()), (without_measure, set()), (misconfigured, {(TRIGGER, RejectReason.BAD_ORDER)}),
    (refused_all_the_time, {(QUOTER, RejectReason.MAX_SHARES), (TRIGGER, RejectReason.MAX_SHARES)}),
    (killed, {(QUOTER, RejectReason.KILLED), (TRIGGER, RejectReason.KILLED)}),
])
def test_arbitrage_goes_on_beside_the_others(alone, disturb, reasons):
    frames, latencies, others = arbitrage(disturb)
    assert len(frames) == 2
    assert frames == alone[0]
    assert others == reasons
    waited = [latency - before for latency, before in zip(latencies, alone[1], strict=True)]
    assert all(0 <= cycles <= (MOST if reasons else 0) for cycles in waited), waited


def test_the_trigger_goes_on_beside_a_detector_that_is_set_up_wrongly():
    with trading() as desk:
        desk.control.write("ARB_MIN_PROFIT", 0)
        desk.control.write("ARB_MAX_SHARES", (1 << 18) - 1)
        for slot in range(4):
            desk.control.write("ARB_COMMIT", slot)
        desk.control.write("ARB_VENUES", 0xFF)
        desk.control.write("ARB_ENABLE", 0xFFFFFFFF, 0)
        set_trigger(desk.control, 3, BUYS)
        enable_triggers(desk.control)
        desk.add(1, 2, BUY, 70, 1_000_000)
        assert [(event.strategy, event.shares) for event in desk.heard(OrderSent)] == [(TRIGGER, 300)]
        assert len(desk.frames()) == 1

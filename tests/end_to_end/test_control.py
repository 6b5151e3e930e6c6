"""The host's control on the compiled card: registers, limits, the kill switch and the one door, through the same calls as on a board."""

import pytest

from host.card.addresses import OrderAddress
from host.card.control import BUY, SELL, Control, Position
from host.card.events import OrderRejected, OrderSent, StateChange
from host.card.limits import WITHOUT_MARKET, Limits, SymbolLimits
from host.card.protocol import CardError
from host.card.registers import COUNTERS, RejectReason
from host.card.replies import FILLED, RELEASED
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.verilated.build import library

LIMITS = Limits(max_shares=500, max_notional=500_000_000, max_position=800, rate_burst=8, rate_interval=1)
SETTLED = 400
"""Cycles after which everything that an order causes has shown itself."""


@pytest.fixture(scope="module")
def built():
    return library(TINY)


@pytest.fixture
def card(built):
    with SimulatedCard(built) as simulated:
        yield simulated


@pytest.fixture
def control(card):
    control = Control(card, "tiny")
    control.set_order_address(1, OrderAddress("02:00:00:00:00:01", "02:00:00:00:00:02", "10.0.0.1", "10.0.0.2", 30_001, 40_001))
    control.bind_symbol(1, 2, 4711, "AMZN")
    control.assume_trading(1, [2])
    control.set_user_ref(1, 41)
    return control


def order(control, card, *, shares=100, price=990_000, side=BUY):
    """Sends one and returns what became of it."""
    control.send_order(venue=1, symbol=2, side=side, shares=shares, price=price)
    card.run(SETTLED)
    (event,) = [event for event in control.drain_events() if not isinstance(event, StateChange)]
    return event


def test_another_configuration_is_refused(card):
    with pytest.raises(CardError, match="should be ecp5"):
        Control(card, "ecp5")


def test_an_order_of_the_host_needs_limits_arming_and_no_kill(card, control):
    assert order(control, card).reason == RejectReason.HALTED
    control.set_limits(LIMITS)
    assert order(control, card).reason == RejectReason.HALTED
    control.arm()
    card.run(100)
    sent = order(control, card)
    assert isinstance(sent, OrderSent)
    assert (sent.venue, sent.symbol, sent.side, sent.shares, sent.price, sent.user_ref) == (1, 2, BUY, 100, 990_000, 41)
    control.kill()
    rejected = order(control, card)
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason in (RejectReason.HALTED, RejectReason.KILLED)
    control.release()
    assert order(control, card).reason == RejectReason.HALTED
    control.arm()
    assert order(control, card).user_ref == 42
    counters = control.counters()
    assert counters["ORDERS_PASSED"] == (2,)
    assert counters["ORDER_FRAMES"] == (0, 2)
    assert sum(counters[f"REJECT_{reason.name}"][0] for reason in RejectReason if reason) == 4
    assert counters["BUS_ERRORS"] == counters["EVENTS_LOST"] == (0,)


def test_what_a_venue_does_not_trade_is_refused(card, control):
    control.set_limits(LIMITS)
    control.arm()
    card.run(100)
    assert control.halted(1) == {0, 1, 3}
    assert control.halted(0) == {0, 1, 2, 3}
    assert isinstance(order(control, card), OrderSent)
    control.assume_trading(1, [0])
    assert control.halted(1) == {1, 2, 3}
    assert order(control, card).reason == RejectReason.MARKET_STATE


def test_limits_are_what_the_gateway_keeps_to(card, control):
    control.set_limits(LIMITS)
    control.arm()
    card.run(100)
    assert order(control, card, shares=501).reason == RejectReason.MAX_SHARES
    assert order(control, card, shares=500, price=1_000_001).reason == RejectReason.MAX_NOTIONAL
    assert isinstance(order(control, card, shares=500), OrderSent)
    assert order(control, card, shares=301).reason == RejectReason.POSITION
    assert control.set_limits(LIMITS._replace(max_position=801)) == 2
    assert isinstance(order(control, card, shares=301), OrderSent)


def test_rates_of_a_symbol_and_of_cancels(card, control):
    control.set_limits(LIMITS._replace(symbol_interval=1 << 31, cancel_burst=1, cancel_interval=1 << 20))
    control.arm()
    card.run(100)
    sent = order(control, card)
    assert order(control, card).reason == RejectReason.SYMBOL_RATE
    assert not control.state().fast_cancels
    control.switches.cancel_all([1])
    card.run(SETTLED)
    assert control.counter("FAST_CANCELS") == 1, "no time to fill the bucket"
    assert control.state().fast_cancels
    assert [event.user_ref for event in control.drain_events() if isinstance(event, OrderSent)] == [sent.user_ref]


def test_limits_of_one_symbol(card, control):
    control.set_limits(LIMITS)
    control.arm()
    card.run(100)
    assert control.symbol_limits(2) == SymbolLimits()
    control.set_symbol_limits(2, SymbolLimits(max_shares=50, max_short=60))
    assert order(control, card, shares=51).reason == RejectReason.MAX_SHARES
    assert isinstance(order(control, card, shares=50), OrderSent)
    assert isinstance(order(control, card, shares=50, side=SELL), OrderSent)
    assert order(control, card, shares=11, side=SELL).reason == RejectReason.POSITION
    assert control.symbol_limits(1) == SymbolLimits()
    control.set_symbol_limits(2, SymbolLimits(locates=60, max_price=989_999))
    assert order(control, card, shares=1, side=SELL).reason == RejectReason.PRICE_BAND
    control.set_symbol_limits(2, SymbolLimits(locates=60))
    assert order(control, card, shares=11, side=SELL).reason == RejectReason.LOCATE
    assert isinstance(order(control, card, shares=10, side=SELL), OrderSent)
    control.set_symbol_limits(2, SymbolLimits(uptick_only=1))
    assert order(control, card, shares=10, side=SELL).reason == RejectReason.SHORT_SALE, "no bid is known"


def test_positions_follow_the_replies(card, control):
    control.set_limits(LIMITS)
    control.arm()
    card.run(100)
    assert control.position(2) == Position(0, 0, 0)
    sent = order(control, card, shares=100, side=SELL)
    assert control.position(2) == Position(0, 0, 100)
    for number, kind, shares in ((7, FILLED, 60), (8, RELEASED, 10), (8, RELEASED, 10)):
        control.replies.tell(venue=sent.venue, user_ref=sent.user_ref, kind=kind, shares=shares, number=number)
    card.run(SETTLED)
    assert control.position(2) == Position(-60, 0, 30)
    assert (control.counter("LATE_REPLIES"), control.read("OPEN_ORDERS")) == (1, 1)
    assert control.position(1) == Position(0, 0, 0)
    control.disarm()
    control.replies.move_position(symbol=2, side=BUY, shares=1_000)
    card.run(SETTLED)
    assert control.position(2) == Position(940, 0, 30)
    control.clear_positions()
    card.run(SETTLED)
    assert control.position(2) == Position(0, 0, 0)
    assert control.read("OPEN_ORDERS") == 0


def test_every_change_of_state_is_told(card, control):
    control.drain_events()
    control.set_limits(LIMITS)
    control.arm()
    control.kill()
    control.release()
    card.run(SETTLED)
    changes = [(event.state & 0b111, event.changed & 0b111) for event in control.drain_events() if isinstance(event, StateChange)]
    assert [state for state, _ in changes] == [0b010, 0b011, 0b111, 0b110, 0b010]


def test_wrong_accesses_are_counted_on_the_card(card, control):
    card.read32(0xFFC)
    card.write32(0x0, 1)
    card.read32(COUNTERS["FRAMES"].offset + 8 * TINY.venues)
    card.run(SETTLED)
    assert control.counter("BUS_ERRORS") == 3
    assert control.limits() is None


def test_a_feed_is_ready_when_its_book_is_empty(card, control):
    before = control.time()
    control.set_feed(0, "233.54.12.111", 26_477, 5)
    assert control.time() > before
    assert control.read("FEED_EXPECTED", 0) == 5
    assert control.state().busy == (False, False)


def test_switches_of_one_symbol_venue_and_strategy(card, control):
    control.set_limits(LIMITS)
    control.arm()
    for names in ({"symbols": [2]}, {"venues": [1]}, {"strategies": [0]}):
        control.switches.kill_only(**names)
        assert order(control, card).reason == RejectReason.KILLED
        assert control.state().armed
    control.switches.kill_only(symbols=[0], venues=[0], strategies=[1])
    assert isinstance(order(control, card), OrderSent)
    control.switches.restrict([2])
    assert order(control, card).reason == RejectReason.RESTRICTED
    control.switches.restrict([])
    control.switches.reduce_only()
    assert order(control, card).reason == RejectReason.REDUCING
    control.switches.reduce_only(False)
    assert isinstance(order(control, card), OrderSent)
    assert control.counter("REJECT_KILLED") == 3


def test_the_card_cancels_by_itself_what_the_kill_switch_stops(card, control):
    control.set_limits(LIMITS)
    control.arm()
    control.switches.cancel_on_stop([1])
    sent = order(control, card)
    control.kill()
    card.run(SETTLED)
    (cancel,) = [event for event in control.drain_events() if isinstance(event, OrderSent)]
    assert (cancel.order_kind, cancel.user_ref, cancel.symbol, cancel.strategy, cancel.shares) == (2, sent.user_ref, 2, 4, 0)
    control.replies.tell(venue=1, user_ref=sent.user_ref, kind=RELEASED, shares=100, number=1)
    card.run(SETTLED)
    assert control.drain_events() == []
    assert control.read("OPEN_ORDERS") == 0


def test_without_a_book_no_price_is_near_enough(card, control):
    for reason in (RejectReason.UNSURE_BOOK, RejectReason.COLLAR, RejectReason.FAT_FINGER):
        control.set_limits(LIMITS._replace(waived=LIMITS.waived & ~(1 << reason)))
        control.arm()
        assert order(control, card).reason == reason


def test_the_day_and_duplicates(card, control):
    control.set_limits(LIMITS._replace(max_notional=100 * 990_000, max_day_notional=200 * 990_000, duplicate_window=10_000))
    control.arm()
    assert isinstance(order(control, card), OrderSent)
    assert order(control, card).reason == RejectReason.DUPLICATE
    assert control.state().day_level == 1
    assert isinstance(order(control, card, price=989_999), OrderSent)
    assert order(control, card, shares=1).reason == RejectReason.DAY_NOTIONAL
    assert control.switches.day_notional() == 100 * 990_000 + 100 * 989_999
    assert control.state().day_level == 5
    assert control.switches.account() == (100 * 1_979_999, 100 * 1_979_999, 0)
    control.disarm()
    control.clear_positions()
    card.run(SETTLED)
    assert control.switches.day_notional() == 0


def test_the_account_as_a_whole(card, control):
    control.set_limits(LIMITS._replace(max_notional=1_000_000, max_gross=3_000_000, max_net=2_000_000))
    control.arm()
    assert isinstance(order(control, card, shares=1, price=1_000_000), OrderSent)
    assert isinstance(order(control, card, shares=1, price=999_999), OrderSent)
    assert order(control, card, shares=2, price=1).reason == RejectReason.NET_NOTIONAL
    assert isinstance(order(control, card, shares=1, price=1_000_000, side=SELL), OrderSent)
    assert order(control, card, shares=2, price=1, side=SELL).reason == RejectReason.GROSS_NOTIONAL
    assert control.switches.account() == (2_999_999, 1_999_999, 1_000_000)


def test_a_strategy_with_too_many_executions_is_off(card, control):
    control.set_limits(LIMITS._replace(max_executions=1))
    control.arm()
    sent = order(control, card)
    assert control.switches.repeated() == set()
    for number in (1, 2):
        control.replies.tell(venue=1, user_ref=sent.user_ref, kind=FILLED, number=number, shares=1)
    card.run(SETTLED)
    assert control.switches.repeated() == {0}
    assert control.state().repeated
    assert order(control, card).reason == RejectReason.REPEATED
    control.switches.let_go_on({0})
    card.run(SETTLED)
    assert not control.state().repeated
    assert isinstance(order(control, card), OrderSent)


def test_a_silent_host_disarms_the_card(card, control):
    control.set_limits(LIMITS._replace(waived=WITHOUT_MARKET, heartbeat_interval=2))
    with pytest.raises(CardError, match="heartbeat"):
        control.arm()
    control.switches.heartbeat()
    control.arm()
    assert isinstance(order(control, card), OrderSent)
    card.run(2_048)
    assert not control.state().armed
    assert control.state().expired
    assert order(control, card).reason == RejectReason.DEAD_MAN
    control.switches.heartbeat()
    assert order(control, card).reason == RejectReason.HALTED  # a heartbeat alone does not arm
    control.switches.heartbeat()
    with pytest.raises(CardError, match="it has tripped, which a person has to acknowledge"):
        control.arm()
    assert control.tripped() == {"dead_man"}
    control.acknowledge(control.tripped())
    control.switches.heartbeat()
    control.arm()
    assert isinstance(order(control, card), OrderSent)

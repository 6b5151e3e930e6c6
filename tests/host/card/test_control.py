"""Typed control: what it writes, what it refuses, and that it believes nothing that it has not read back."""

from fractions import Fraction

import pytest

from host.card import control as control_module
from host.card.addresses import OrderAddress
from host.card.control import SELL, Control, Position
from host.card.definition import UnknownRegisterError
from host.card.events import Gap, TopOfBook
from host.card.fees import Fee, VenueFees
from host.card.limits import WAIVABLE, Limits, SymbolLimits, deviation
from host.card.protocol import CardError
from host.card.registers import COUNTERS, REGISTERS, EventKind, RejectReason
from host.card.replies import ENDED
from host.card.snapshot import LiveOrder
from hw.reasons import WAIVABLE as RISK_WAIVABLE
from tests.host.card.model_card import ModelCard

LIMITS = Limits(max_shares=500, max_notional=0x1_0000_0005, max_position=10_000, rate_burst=4, rate_interval=1_000)
ADDRESS = OrderAddress("02:00:00:00:00:01", "02:00:00:00:00:02", "10.0.0.1", "10.0.0.2", 30_001, 40_001)


@pytest.fixture
def card():
    return ModelCard("tiny")


@pytest.fixture
def control(card):
    return Control(card)


# Limits


def test_limits_are_committed_as_a_whole_with_the_next_generation(card, control):
    assert control.limits() is None
    assert control.set_limits(LIMITS) == 1
    assert control.limits() == LIMITS
    commits = [i for i, (offset, _) in enumerate(card.writes) if offset == REGISTERS["LIMITS_COMMIT"].address()]
    assert commits == [len(card.writes) - 1], "the commit is one write, and the last"
    assert len(card.writes) == 27, "each word of the shadow once"
    tighter = LIMITS._replace(max_shares=100)
    assert control.set_limits(tighter) == 2
    assert control.limits() == tighter


@pytest.mark.parametrize(("changes", "complaint"), [
    ({"max_shares": 0}, "max_shares must be 1 to 4294967295, not 0"),
    ({"max_shares": -5}, "max_shares must be"),
    ({"max_shares": 1 << 32}, "max_shares must be"),
    ({"max_notional": 1 << 64}, "max_notional must be"),
    ({"max_position": 0}, "max_position must be"),
    ({"rate_burst": 1 << 16}, "rate_burst must be 1 to 65535, not 65536"),
    ({"rate_interval": 0}, "rate_interval must be"),
    ({"max_shares": 10_001}, "contradict: max_shares 10001 is above max_position 10000"),
    ({"max_notional": 499}, "contradict: max_notional 499 is below max_shares 500"),
    ({"max_gross": LIMITS.max_notional - 1}, "contradict: .* above max_gross or max_net"), ({"max_net": 0}, "above max_gross or max_net"),
])
def test_limits_that_make_no_sense_are_refused_as_a_whole(card, control, changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        control.set_limits(LIMITS._replace(**changes))
    assert card.writes == []


def test_a_shadow_that_does_not_take_is_not_committed():
    card = ModelCard(stuck=["SHADOW_RATE_BURST"])
    with pytest.raises(CardError, match="nothing was committed"):
        Control(card).set_limits(LIMITS)
    assert REGISTERS["LIMITS_COMMIT"].address() not in [offset for offset, _ in card.writes]


def test_a_refused_commit_is_told():
    with pytest.raises(CardError, match=r"refused limits 1 \(\): it has generation 0"):
        Control(ModelCard(stuck=["LIMITS_COMMIT"])).set_limits(LIMITS)


def test_other_limits_in_force_than_committed_kill_the_card():
    card = ModelCard(stuck=["ACTIVE_MAX_NOTIONAL"])
    with pytest.raises(CardError, match="it has been killed"):
        Control(card).set_limits(LIMITS)
    assert card.killed


def test_a_checksum_that_is_not_that_of_the_limits_kills():
    card = ModelCard(stuck=["checksum"])
    with pytest.raises(CardError, match="by their checksum 0x[0-9a-f]+ not those that it shows: it has been killed"):
        Control(card).set_limits(LIMITS)
    assert card.killed


def test_what_the_card_has_against_limits_is_told():
    card = ModelCard(stuck=["LIMITS_COMMIT"])
    card.put("LIMITS_STATUS", 0b10010)
    with pytest.raises(CardError, match=r"refused limits 1 \(RANGE, DAY\)"):
        Control(card).set_limits(LIMITS)


def test_limits_of_a_symbol(card, control):
    limits = SymbolLimits(max_shares=7, max_notional=1 << 40, max_long=9, max_short=0, locates=5, min_price=2, max_price=3, uptick_only=1)
    card.own[3] = SymbolLimits()
    control.set_symbol_limits(3, limits)
    assert card.own == {3: limits}
    assert control.symbol_limits(3) == limits
    card.stuck.add("symbol 3")
    with pytest.raises(CardError, match="limits of slot 3 are .*max_long=9, .*, not .*max_long=8, .*: it has been killed"):
        control.set_symbol_limits(3, limits._replace(max_long=8))
    assert card.killed
    card.stuck.add("SYMBOL_COMMIT")
    card.put("SYMBOL_STATUS", 2)
    with pytest.raises(CardError, match=r"the card refused limits of slot 3 \(RANGE\)"):
        control.set_symbol_limits(3, limits)


@pytest.mark.parametrize(("changes", "complaint"), [
    ({"max_shares": 0}, "max_shares of a symbol must be 1 to"), ({"max_long": 1 << 32}, "max_long of a symbol must be 0 to"),
    ({"max_short": -1}, "max_short of a symbol"), ({"max_notional": 6, "max_shares": 7}, "max_notional 6 is below max_shares 7"),
    ({"max_price": 0}, "max_price of a symbol must be 1 to"), ({"uptick_only": 2}, "uptick_only of a symbol must be 0 to 1"),
    ({"min_price": 8, "max_price": 7}, "min_price 8 is above max_price 7"), ({"locates": 1 << 32}, "locates of a symbol"),
])
def test_limits_of_a_symbol_that_make_no_sense(card, control, changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        control.set_symbol_limits(3, SymbolLimits(**changes))
    assert card.writes == []


# Arming


def test_after_a_trip_a_person_has_to_acknowledge_it(card, control):
    control.set_limits(LIMITS)
    card.trip = 1
    assert control.state().tripped
    with pytest.raises(CardError, match="did not arm: it has tripped, which a person has to acknowledge$"):
        control.arm()
    assert control.tripped() == {"dead_man"}
    control.acknowledge(control.tripped())
    assert control.tripped() == set()
    control.arm()


def test_arm_disarm_kill_release(card, control):
    with pytest.raises(CardError, match="did not arm: no limits are committed$"):
        control.arm()
    control.set_limits(LIMITS)
    control.arm()
    assert control.state().armed
    control.kill()
    assert card.killed
    assert not control.state().armed
    with pytest.raises(CardError, match="did not arm: the kill switch is on$"):
        control.arm()
    control.release()
    assert not control.state().armed
    control.arm()
    control.disarm()
    assert not card.armed
    card.fault = True
    with pytest.raises(CardError, match="did not arm: it is faulty$"):
        control.arm()


def test_an_order_that_is_not_obeyed_is_told(card, control):
    control.set_limits(LIMITS)
    control.arm()
    card.stuck |= {"ARM", "KILL"}
    with pytest.raises(CardError, match="did not disarm"):
        control.disarm()
    with pytest.raises(CardError, match="kill switch did not take effect"):
        control.kill()


# Venues and symbols


def test_a_feed_is_set_and_restarted(card, control):
    card.stale = 0b11
    control.set_feed(1, "233.54.12.111", 26_477, 0x1_0000_0007)
    assert [card.get(name, 1) for name in ("FEED_IP", "FEED_PORT", "FEED_SEQUENCE")] == [0xE9360C6F, 26_477, 0x1_0000_0007]
    assert card.writes[-1] == (REGISTERS["RESYNC"].address(), 0b10)
    assert control.state().stale == (True, False)
    assert control.state().busy == (False, False), "it waited for the book"


def test_a_book_that_is_never_cleared_is_told(card, control, monkeypatch):
    monkeypatch.setattr(control_module, "POLLS", 50)
    card.stuck.add("clearing")
    with pytest.raises(CardError, match="venue 0 is still busy clearing its book after 50 looks"):
        control.resync(0, 1)


def test_a_symbol_is_named_and_bound(card, control):
    control.bind_symbol(1, 3, 4711, "AMZN")
    assert card.get("NAME", 3).to_bytes(8, "little") == b"AMZN    "
    assert REGISTERS["BINDING"].unpack(card.get("BINDING", 1, 3)) == {"locate": 4711, "enable": 1}
    assert card.get("BINDING", 0, 3) == 0
    control.bind_symbol(1, 3, 4711, "AMZN")
    with pytest.raises(ValueError, match="locate 4711 of venue 1 is bound to slot 3 already"):
        control.bind_symbol(1, 2, 4711, "MSFT")
    control.unbind_symbol(1, 3)
    assert card.get("BINDING", 1, 3) == 0


def test_what_trades(card, control):
    control.assume_trading(1, [0, 2])
    assert [card.get("ASSUME_TRADING", 1, 0), card.get("ASSUME_TRADING", 0, 0)] == [0b101, 0]
    with pytest.raises(ValueError, match="symbol slots 0 to"):
        control.assume_trading(1, [0, 256])
    assert card.get("ASSUME_TRADING", 1, 0) == 0b101
    control.assume_trading(1, [])
    assert card.get("ASSUME_TRADING", 1, 0) == 0


def test_an_order_address_and_a_user_ref(card, control):
    control.set_order_address(0, ADDRESS)
    assert card.get("ORDER_DESTINATION_MAC", 0) == 0x020000000001
    assert card.get("ORDER_SOURCE_MAC", 0) == 0x020000000002
    assert card.get("ORDER_DESTINATION_IP", 0) == 0x0A000001
    assert card.get("ORDER_SOURCE_PORT", 0) == 40_001
    control.set_user_ref(1, 77)
    assert card.get("USER_REF", 1) == 77


@pytest.mark.parametrize(("act", "complaint"), [
    (lambda c: c.set_feed(2, "233.54.12.111", 1), r"\(tiny\) has venues 0 to 1, not 2"),
    (lambda c: c.set_feed(0, "10.0.0.1", 1), "multicast group is"),
    (lambda c: c.set_feed(0, "233.54.12", 1), "looks like 233.54.12.111, not '233.54.12'"),
    (lambda c: c.set_feed(0, "233.54.12.111", 0), "UDP port is 1 to 65535, not 0"),
    (lambda c: c.set_feed(0, "233.54.12.111", 1, 0), "sequence numbers are 1"),
    (lambda c: c.bind_symbol(0, 4, 1, "A"), "symbol slots 0 to 3, not 4"),
    (lambda c: c.bind_symbol(0, 0, 65_536, "A"), "locate is 0 to 65535"),
    (lambda c: c.bind_symbol(0, 0, 1, "TOOLONGNAME"), "one to eight printable ASCII"),
    (lambda c: c.bind_symbol(0, 0, 1, ""), "one to eight printable ASCII"),
    (lambda c: c.bind_symbol(0, 0, 1, "A B"), "one to eight printable ASCII"),
    (lambda c: c.set_order_address(0, ADDRESS._replace(source_mac="2:0:0:0:0:1")), "Ethernet address looks like"),
    (lambda c: c.set_arbitrage(min_profit=1, max_shares=1, cooldown=0, symbols=[4]), "symbol slots"),
    (lambda c: c.set_arbitrage(min_profit=-1, max_shares=1, cooldown=0, symbols=[0]), "takes 0 to"),
    (lambda c: c.set_arbitrage(min_profit=1, max_shares=1 << 18, cooldown=0, symbols=[0]), "takes 0 to 262143"),
    (lambda c: c.set_arbitrage_venue(2), "venues 0 to 1"),
    (lambda c: c.set_arbitrage_venue(0, max_age=1 << 48), "takes 0 to"),
    (lambda c: c.set_arbitrage_venue(0, fees=VenueFees(Fee(40_000))), "a fee per share is"),
    (lambda c: c.set_arbitrage_venue(0, fees=VenueFees(Fee(0, 313))), "312.49 basis points"),
    (lambda c: c.quote(0, 4, bid=(0, 0), ask=(0, 0)), "symbol slots"),
    (lambda c: c.quote(0, 0, bid=(1 << 32, 1), ask=(0, 0)), "price and shares of a quote are 0 to 4294967295"),
    (lambda c: c.quote(0, 0, bid=(1, 1 << 32), ask=(0, 0)), "price and shares of a quote"),
    (lambda c: c.quote(0, 0, bid=(11, 1), ask=(10, 1)), "the bid 11 is above the ask 10"),
    (lambda c: c.send_order(venue=0, symbol=0, side=2, shares=1, price=1), "side must be 0 to 1"),
    (lambda c: c.replies.tell(venue=9, user_ref=1, kind=0, number=1), "venues"),
    (lambda c: c.replies.move_position(symbol=9, side=0, shares=1), "symbol slots"),
    (lambda c: c.write("SCRATCH", 1 << 32), "SCRATCH takes 0 to 4294967295"),
])
def test_arguments_that_can_not_be_meant(card, control, act, complaint):
    with pytest.raises(ValueError, match=complaint):
        act(control)
    doorbells = {REGISTERS[name].address() for name in ("RESYNC", "HOST_ORDER_DOORBELL", "REPLY_DOORBELL")}
    assert not doorbells & {offset for offset, _ in card.writes}


@pytest.mark.parametrize("act", [
    lambda c: c.set_feed(0, "233.54.12.111", 1), lambda c: c.bind_symbol(0, 0, 1, "A"), lambda c: c.unbind_symbol(0, 0),
    lambda c: c.set_order_address(0, ADDRESS), lambda c: c.clear_positions(),
])
def test_what_may_not_change_under_an_armed_card(card, control, act):
    control.set_limits(LIMITS)
    control.arm()
    written = len(card.writes)
    with pytest.raises(CardError, match="the card is armed: disarm it to"):
        act(control)
    assert len(card.writes) == written


def test_names_that_the_map_does_not_have(control):
    for act in (
        lambda: control.read("NONSENSE"), lambda: control.write("MAGIC", 1), lambda: control.read("RESYNC"),
        lambda: control.read("FEED_IP"), lambda: control.read("FEED_IP", 8), lambda: control.counter("NONSENSE"),
        lambda: control.counter("FRAMES", 2),
        lambda: control.counter("SIGNALS", 1), lambda: REGISTERS["BINDING"].pack(nonsense=1),
    ):
        with pytest.raises(UnknownRegisterError):
            act()


# Trading


def test_arbitrage_settings_enable_last(card):
    card = ModelCard("alveo")
    Control(card).set_arbitrage(min_profit=100, max_shares=200, cooldown=300, symbols=[0, 33, 63])
    assert [card.get(name) for name in ("ARB_MIN_PROFIT", "ARB_MAX_SHARES", "ARB_COOLDOWN")] == [100, 200, 300]
    assert (card.get("ARB_ENABLE", 0), card.get("ARB_ENABLE", 1)) == (1, 1 << 31 | 1 << 1)
    enables = [value for offset, value in card.writes if offset in {REGISTERS["ARB_ENABLE"].address(word) for word in range(2)}]
    assert enables == [0, 0, 1, 1 << 31 | 1 << 1], "off while the settings change"
    assert [value for offset, value in card.writes if offset == REGISTERS["ARB_COMMIT"].address()] == [0, 33, 63]


def test_a_venue_of_the_arbitrage():
    card = ModelCard("alveo")
    control = Control(card)
    fees = VenueFees(taker=Fee(Fraction(295, 10), Fraction(-1, 4)), maker=Fee(-20))
    control.set_arbitrage_venue(1, fees=fees, max_age=1 << 33, direct=True)
    control.set_arbitrage_venue(0)
    assert (card.get("ARB_SHARE_FEE", 1), card.get("ARB_FEE_RATE", 1)) == (7552, 2**18 - 104), "29.5 units; -104.86 units rounded up"
    assert (control.read("ARB_MAX_AGE", 1), control.read("ARB_MAX_AGE", 0)) == (1 << 33, (1 << 48) - 1)
    assert (card.get("ARB_VENUES"), card.get("ARB_DIRECT")) == (0b11, 0b10)


def test_a_quote_of_the_host_rings_last(card):
    control = Control(card)
    control.quote(1, 2, bid=(100, 5), ask=(101, 6), time=77)
    names = ("QUOTE", "QUOTE_BID_PRICE", "QUOTE_BID_SHARES", "QUOTE_ASK_PRICE", "QUOTE_ASK_SHARES", "QUOTE_TIME")
    assert [control.read(name) for name in names] == [2 << 16 | 1, 100, 5, 101, 6, 77]
    assert card.writes[-1] == (REGISTERS["QUOTE_DOORBELL"].address(), 1)


def test_a_quote_may_be_as_wide_as_the_card_s_prices(card):
    card.put("CONFIG_PRICE_BITS", 48)
    control = Control(card, "wide", {"wide": card.sizes._replace(price_bits=48)})
    control.quote(1, 2, bid=(2**48 - 2, 5), ask=(2**48 - 1, 6), time=77)
    assert (control.read("QUOTE_BID_PRICE"), control.read("QUOTE_ASK_PRICE")) == (2**48 - 2, 2**48 - 1)
    with pytest.raises(ValueError, match="0 to 281474976710655 and to 4294967295, not 281474976710656 and 6"):
        control.quote(1, 2, bid=(0, 0), ask=(2**48, 6))


def test_an_order_and_a_reply_end_with_their_doorbell(card, control):
    control.send_order(venue=1, symbol=3, side=SELL, shares=100, price=990_000)
    assert card.get("HOST_ORDER") == 1 | 1 << 8 | 3 << 16
    assert card.writes[-1] == (REGISTERS["HOST_ORDER_DOORBELL"].address(), 1)
    control.send_order(venue=1, symbol=3, side=SELL, shares=100, price=990_000, day=True)
    assert card.get("HOST_ORDER") == 1 | 1 << 8 | 3 << 16 | 1 << 26
    control.orders.cancel(venue=1, symbol=3, user_ref=77, shares=5)
    assert [card.get(name) for name in ("HOST_ORDER", "HOST_ORDER_REFERENCE", "HOST_ORDER_SHARES")] == [1 | 3 << 16 | 2 << 24, 77, 5]
    assert card.writes[-1] == (REGISTERS["HOST_ORDER_DOORBELL"].address(), 1)
    control.orders.replace(venue=1, symbol=3, side=SELL, user_ref=78, shares=60, price=9)
    assert [card.get(f"HOST_ORDER{name}") for name in ("", "_REFERENCE", "_SHARES", "_PRICE")] == [0x5000000 | 3 << 16 | 257, 78, 60, 9]
    assert card.writes[-1] == (REGISTERS["HOST_ORDER_DOORBELL"].address(), 1)
    for bad in ({"venue": 2, "symbol": 3}, {"venue": 1, "symbol": 4}):
        with pytest.raises(ValueError, match="not"):
            control.orders.cancel(user_ref=1, **bad)
    control.replies.tell(venue=1, user_ref=77, kind=ENDED, number=5)
    assert [card.get(name) for name in ("REPLY", "REPLY_USER_REF", "REPLY_NUMBER", "REPLY_SHARES")] == [1 << 12 | 2 << 9, 77, 5, 0]
    assert card.writes[-1] == (REGISTERS["REPLY_DOORBELL"].address(), 1)
    control.replies.move_position(symbol=3, side=SELL, shares=50)
    assert (card.get("REPLY"), card.get("REPLY_SHARES")) == (3 | 1 << 8 | 5 << 9, 50)
    assert card.writes[-1] == (REGISTERS["REPLY_DOORBELL"].address(), 1)
    card.put("HOST_ORDER_BUSY", 1)
    with pytest.raises(CardError, match="still waits"):
        control.send_order(venue=1, symbol=3, side=SELL, shares=100, price=990_000)


def test_a_short_position_is_negative(card, control):
    card.put("POSITION", (1 << 64) - 300)
    card.put("WORKING_BUY", 10)
    card.put("WORKING_SELL", 20)
    assert control.position(2) == Position(-300, 10, 20)
    assert card.get("POSITION_SYMBOL") == 2


# What happened


def test_counters(card, control):
    card.count("FRAMES", 0x5_0000_0001, venue=1)
    card.count("SIGNALS", 9)
    counters = control.counters()
    assert counters["FRAMES"] == (0, 0x5_0000_0001)
    assert counters["SIGNALS"] == (9,)
    assert counters.keys() == COUNTERS.keys()
    assert control.counter("FRAMES", 1) == 0x5_0000_0001


def test_events_are_drained_in_order_across_the_end_of_the_ring(card, control):
    events = card.sizes.events
    for first in range(0, 3 * events, 10):
        for number in range(first, first + 10):
            card.record(EventKind.GAP | 1 << 8, number, 0, 1, 0, 0, 0, number)
        assert control.drain_events(4) == [Gap(number, False, 1, number, 1, bytes(10)) for number in range(first, first + 4)]
        assert control.drain_events() == [Gap(number, False, 1, number, 1, bytes(10)) for number in range(first + 4, first + 10)]
        assert control.drain_events() == []
        assert card.get("EVENT_READ_INDEX") == first + 10


def test_draining_begins_where_the_last_host_ended(card):
    for number in range(5):
        card.record(EventKind.TOP_OF_BOOK | 1 << 5 | 2 << 16, number)
    card.put("EVENT_READ_INDEX", 3)
    assert [event.bid_price for event in Control(card).drain_events()] == [3, 4]
    assert Control(card).drain_events() == []


def test_indices_wrap_at_2_to_the_32(card):
    card.put("EVENT_READ_INDEX", 0xFFFFFFFE)
    card.put("EVENT_WRITE_INDEX", 0xFFFFFFFE)
    control = Control(card)
    for number in range(4):
        card.record(EventKind.TOP_OF_BOOK, number)
    assert [event.bid_price for event in control.drain_events() if isinstance(event, TopOfBook)] == [0, 1, 2, 3]
    assert card.get("EVENT_READ_INDEX") == 2


def test_a_card_that_was_reset_is_noticed(card, control):
    for _ in range(5):
        card.record(EventKind.TOP_OF_BOOK)
    control.drain_events()
    card.put("EVENT_WRITE_INDEX", 0)
    with pytest.raises(CardError, match="has the card been reset"):
        control.drain_events()


def test_a_with_block_closes_the_card(card):
    with Control(card):
        assert not card.closed
    assert card.closed


# Snapshots


def order_words(reference, *, shares=7):
    return EventKind.ORDER | 1 << 5 | 1 << 8 | 3 << 16, 10_000, shares, reference, 0, 50 + reference


def tell(card, orders, count):
    """The card's answer to a question for all orders of venue 1, with a gap in between."""
    for number, reference in enumerate(orders):
        if number == 1:
            card.record(EventKind.GAP, 9)
        card.record(*order_words(reference))
    card.record(EventKind.ORDERS | 1 << 8, count, 0, 51, 0, 54)


def test_a_snapshot_leaves_other_events_to_be_drained(card, control):
    card.record(EventKind.TOP_OF_BOOK, 1)
    tell(card, [1, 4], 2)
    taken = control.snapshot(1)
    assert card.get("LOOK") == 1 << 12 | 1 << 8
    assert taken.orders == (LiveOrder(1, 3, 1, 10_000, 7), LiveOrder(4, 3, 1, 10_000, 7))
    assert taken.sequences == (51, 54)
    assert (taken.since, taken.sequence, taken.exact) == (51, 54, False)
    card.record(EventKind.TOP_OF_BOOK, 2)
    assert [type(event) for event in control.drain_events(1)] == [TopOfBook]
    assert [type(event) for event in control.drain_events()] == [Gap, TopOfBook]
    assert control.drain_events() == []


def test_a_snapshot_that_lost_an_order_is_none(card, control, monkeypatch):
    tell(card, [1, 4], 3)
    with pytest.raises(CardError, match="of 3 orders of venue 1 2 have come"):
        control.snapshot(1)
    monkeypatch.setattr(control_module, "POLLS", 10)
    with pytest.raises(CardError, match="does not tell the orders"):
        control.snapshot(1)
    card.put("LOOK", 1 << 31)
    with pytest.raises(CardError, match="still telling"):
        control.snapshot(1)


def test_switches_of_the_gateway(card, control):
    control.switches.kill_only(venues=[1], strategies=[0, 3], symbols=[2])
    assert [card.get("KILL_VENUES"), card.get("KILL_STRATEGIES"), card.get("KILL_SYMBOLS", 0)] == [0b10, 0b1001, 0b100]
    control.switches.restrict([0, 3])
    control.switches.reduce_only()
    assert (card.get("RESTRICTED", 0), card.get("REDUCING")) == (0b1001, 1)
    control.switches.kill_only()
    assert [card.get("KILL_VENUES"), card.get("KILL_STRATEGIES"), card.get("KILL_SYMBOLS", 0)] == [0, 0, 0]
    control.switches.abort_on_kill([1])
    assert card.get("KILL_ABORTS") == 0b10
    control.switches.cancel_on_stop([0, 1])
    control.switches.cancel_all([1])
    assert card.get("CANCEL_ALL") == 0b11_0000_0010
    control.switches.cancel_all([])
    assert card.get("CANCEL_ALL") == 0b11_0000_0000
    with pytest.raises(ValueError, match="venues 0 to 1"):
        control.switches.cancel_on_stop([2])
    with pytest.raises(ValueError, match="venues 0 to 1"):
        control.switches.abort_on_kill([2])
    for bad in ({"venues": [2]}, {"strategies": [16]}, {"symbols": [4]}):
        with pytest.raises(ValueError, match="not"):
            control.switches.kill_only(**bad)
    assert set(WAIVABLE) == set(RISK_WAIVABLE)


@pytest.mark.parametrize("limits", [
    {"waived": 1 << RejectReason.RATE}, {"waived": 0}, {"max_day_notional": LIMITS.max_notional - 1}, {"duplicate_window": 1 << 32},
])
def test_further_limits_that_make_no_sense(card, control, limits):
    with pytest.raises(ValueError, match="limit"):
        control.set_limits(LIMITS._replace(**limits))
    assert card.writes == []


@pytest.mark.parametrize("basis_points", [0, 1, 500, 10_000])
def test_basis_points_are_upwards_and_never_more_than_asked_for(basis_points):
    reference, most = 1_000_000, deviation(basis_points)
    highest = max(price for price in range(reference, 2 * reference + 200, 100) if price - reference <= price * most >> 16)
    wanted = reference * (10_000 + basis_points) // 10_000
    assert wanted - 200 <= highest <= wanted
    with pytest.raises(ValueError, match="basis points"):
        deviation(-1)

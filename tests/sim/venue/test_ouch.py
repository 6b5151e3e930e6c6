"""OUCH 5.0 at the venue: each message in and what comes back, UserRefNums, checks; and the real packets."""

from dataclasses import replace

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.golden.ouch50 import INBOUND, OPTIONS, Message, ProtocolError, decode, encode, order_packet, packets
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, Order
from sim.venue.exchange import Exchange
from sim.venue.settings import SECOND, Login
from tests.data import market_data
from tests.sim.venue.clients import QUIET, Client, brief

MARKET = 2_000_000_000


@pytest.fixture
def client():
    exchange = Exchange(replace(QUIET, logins=(Login("TJ", "TRAPJAW"), Login("EVE", "E"))))
    client = Client(exchange)
    exchange.advance(exchange.settings.start)
    client.pump()
    return client


@pytest.fixture
def other(client):
    return Client(client.exchange, "EVE", "E")


def published(client):
    return "".join(chr(message[0]) for message in client.exchange.feed.messages if chr(message[0]) not in "SRHQ")


def test_the_day_begins_with_a_system_event(client):
    assert brief(client.told) == [("system_event", {"event": "S"})]


def test_an_order_is_repeated_in_its_accept(client):
    accepted, = client.enter("T", 250, 24_1300, display="A", capacity="A", sweep="Y", appendage=((2, b"LIME"), (14, b"SCAN")))
    assert accepted.fields == {
        "timestamp": client.exchange.now, "user_ref": 1, "side": "T", "quantity": 250, "symbol": "ANTS    ", "price": 24_1300,
        "time_in_force": "0", "display": "A", "order_reference": 1, "capacity": "A", "intermarket_sweep": "Y", "cross_type": "N",
        "state": "L", "client_order_id": "ORDER000000001"}
    assert accepted.appendage == ((2, b"LIME"), (14, b"SCAN"))
    assert client.exchange.feed.messages[-1][36:] == b"LIME"


def test_a_trade_is_told_to_both_sides(client, other):
    client.enter("B", 100, 24_0000)
    assert brief(other.enter("S", 30, 23_0000, time_in_force="3"))[1] == (
        "executed", {"user_ref": 1, "quantity": 30, "price": 24_0000, "liquidity": "R"})
    assert brief(client.pump()) == [("executed", {"user_ref": 1, "quantity": 30, "price": 24_0000, "liquidity": "A"})]
    assert published(client) == "AE"


def test_a_hidden_order_is_traded_and_not_shown(client, other):
    client.enter("B", 100, 24_0000, display="N")
    other.enter("S", 30, 24_0000)
    assert brief(client.pump())[0][1]["liquidity"] == "J"
    assert published(client) == "P"


@pytest.mark.parametrize(("order", "left"), [
    ({"time_in_force": "3", "price": 24_0000}, "I"), ({"price": MARKET}, "I"), ({"price": 24_0000, "appendage": ((12, b"P"),)}, "G")])
def test_what_is_not_to_stand_is_canceled(client, other, order, left):
    client.enter("S", 60, 24_0000)
    told = brief(other.enter("B", 100, **order))
    filled = 0 if left == "G" else 60
    assert [name for name, _ in told] == ["accepted", *(["executed"] if filled else []), "canceled"]
    assert told[-1][1] == {"user_ref": 1, "quantity": 100 - filled, "reason": left}
    assert not other.exchange.ports["EVE"].orders


def test_a_cancel_says_what_is_to_be_left_of_all(client, other):
    client.enter("B", 100, 24_0000)
    other.enter("S", 30, 24_0000)
    client.pump()
    assert brief(client.cancel(1, 80)) == [("canceled", {"user_ref": 1, "quantity": 20, "reason": "U"})]
    assert client.cancel(1, 80) == []
    assert client.cancel(1, 500) == []
    assert brief(client.cancel(1)) == [("canceled", {"user_ref": 1, "quantity": 50, "reason": "U"})]
    assert client.cancel(1) == []
    assert published(client) == "AEXD"


def test_a_replace_is_of_all_shares_and_begins_a_new_number(client, other):
    client.enter("B", 100, 24_0000, appendage=((2, b"LIME"),))
    other.enter("S", 30, 24_0000)
    client.pump()
    replaced, = client.replace(1, 120, 24_0100)
    assert replaced.fields["quantity"] == 90
    assert (replaced.fields["side"], replaced.fields["symbol"], replaced.fields["order_reference"]) == ("B", "ANTS    ", 3)
    assert replaced.appendage == ((2, b"LIME"),)
    assert published(client) == "AEU"
    assert client.replace(1, 120, 24_0200) == [], "that order is gone"
    assert client.exchange.ports["TJ"].last_user_ref == 2, "its number is not used up"
    client.user_ref = 2
    assert brief(client.replace(2, 30, 24_0100)) == [("canceled", {"user_ref": 2, "quantity": 90, "reason": "U"})], "nothing was left"
    assert client.exchange.ports["TJ"].last_user_ref == 3


def test_a_replace_may_trade(client, other):
    client.enter("B", 100, 24_0000)
    other.enter("S", 40, 24_0100)
    told = brief(client.replace(1, 100, 24_0100))
    assert [name for name, _ in told] == ["replaced", "executed"]
    assert published(client) == "AADEA"


def test_a_replace_with_wrong_details_cancels(client):
    client.enter("B", 100, 24_0000)
    assert brief(client.replace(1, 100, 24_0050)) == [("canceled", {"user_ref": 1, "quantity": 100, "reason": "U"})]


def test_numbers_must_increase(client):
    client.enter(user_ref=5)
    for user_ref in (5, 4):
        assert client.enter(user_ref=user_ref) == []
        assert client.replace(5, user_ref=user_ref) == []
    assert client.exchange.ports["TJ"].ignored == 4
    assert brief(client.say("account_query", {})) == [("query_response", {"user_ref": 6})]
    assert brief(client.enter(quantity=0, user_ref=6))[0][0] == "rejected"
    assert client.enter(user_ref=6) == [], "a rejected order has used its number"


@pytest.mark.parametrize(("before", "side", "quantity", "told"), [
    ("S", "T", 100, ("modified", {"user_ref": 1, "side": "T", "quantity": 100})),
    ("T", "E", 60, ("modified", {"user_ref": 1, "side": "E", "quantity": 60})),
    ("S", "S", 160, ("modified", {"user_ref": 1, "side": "S", "quantity": 100})),
    ("S", "T", 0, ("canceled", {"user_ref": 1, "quantity": 100, "reason": "U"})),
    ("S", "B", 100, None), ("B", "S", 100, None), ("S", "x", 100, None)])
def test_a_modify_changes_the_kind_of_sale_or_takes_shares(client, before, side, quantity, told):
    client.enter(before, 100)
    assert brief(client.modify(1, side, quantity)) == ([told] if told else [])
    assert published(client) == "A" + {60: "X", 0: "D"}.get(quantity, "")


def test_an_order_for_a_time_dies_then(client):
    end = client.exchange.now // SECOND + 2
    client.enter(time_in_force="6", appendage=((15, end.to_bytes(4, "big")),))
    client.exchange.advance(end * SECOND - 1)
    assert client.pump() == []
    client.exchange.advance(end * SECOND)
    assert brief(client.pump()) == [("canceled", {"user_ref": 1, "quantity": 100, "reason": "T"})]


def test_orders_of_one_port_and_group_do_not_trade(client):
    client.enter("S", 50, 24_0000, appendage=((24, b"\0\1"),))
    told = client.enter("B", 30, 24_0000, appendage=((24, b"\0\1"),))
    fields = told[1].fields
    assert (told[1].name, fields["quantity"], fields["prevented_quantity"], fields["price"]) == ("aiq_canceled", 30, 30, 24_0000)
    assert (fields["reason"], fields["strategy"], fields["liquidity"]) == ("Q", "W", "R")
    assert [name for name, _ in brief(client.enter("B", 30, 24_0000))] == ["accepted", "executed", "executed"], "another group"


@pytest.mark.parametrize(("order", "reason"), [
    ({"symbol": "NONE"}, 0x17), ({"side": "X"}, 9), ({"quantity": 0}, 0x13), ({"quantity": 1_000_000}, 0x13), ({"price": 0}, 0x1D),
    ({"price": 24_0050}, 0x1D), ({"price": 1_999_999_901}, 0x1D), ({"display": "Z"}, 3), ({"time_in_force": "9"}, 0xF),
    ({"cross_type": "S"}, 0xF), ({"cross_type": "O"}, 2), ({"capacity": "?"}, 0xF), ({"sweep": "?"}, 0xF), ({"time_in_force": "6"}, 0xF),
    ({"appendage": ((15, bytes(4)),)}, 0xF), ({"time_in_force": "6", "appendage": ((15, b"\0\0\0\1"),)}, 0xF),
    ({"appendage": ((3, b"\0\0\0\1"),)}, 0xF), ({"appendage": ((12, b"PP"),)}, 0xF), ({"appendage": ((77, b"P"),)}, 0xF),
    ({"appendage": ((12, b"P"), (12, b"P"))}, 0xF), ({"appendage": ((2, b"\xff\xff\xff\xff"),)}, 0xF),
])
def test_what_is_rejected_and_why(client, order, reason):
    before = len(client.exchange.feed.messages)
    assert brief(client.enter(**order)) == [("rejected", {"user_ref": 1, "reason": reason})]
    assert len(client.exchange.feed.messages) == before
    assert brief(client.enter(price=1_999_999_900))[0][0] == "accepted"


@pytest.mark.parametrize(("name", "fields"), [
    ("cancel_pending", {"user_ref": 1}), ("restated", {"user_ref": 1, "reason": "R"}),
    ("priority_updated", {"user_ref": 1, "price": 24_0000, "display": "Y", "order_reference": 9})])
def test_what_the_venue_never_says_by_itself(client, name, fields):
    client.exchange.ports["TJ"].tell(name, fields)
    told, = client.pump()
    assert (told.name, told.fields) == (name, {"timestamp": client.exchange.now, **fields})


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_message_is_answered_or_refused_whole(data):
    exchange = Exchange(QUIET)
    exchange.advance(exchange.settings.start)
    port = exchange.ports["TJ"]
    for _ in range(data.draw(st.integers(1, 5))):
        kind = data.draw(st.sampled_from((*INBOUND, "?")))
        length = INBOUND[kind].length if kind in INBOUND else 5
        body = data.draw(st.one_of(st.binary(max_size=70), st.binary(min_size=length - 1, max_size=length - 1)))
        before = len(exchange.feed.messages), port.last_user_ref, len(port.orders), port.ignored
        try:
            port.receive(kind.encode() + body)
        except ProtocolError:
            assert before == (len(exchange.feed.messages), port.last_user_ref, len(port.orders), port.ignored)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(OPTIONS)), st.binary(max_size=8)), max_size=4), st.binary(min_size=14, max_size=14))
def test_any_option_is_carried_or_rejected(options, identity):
    exchange = Exchange(QUIET)
    client = Client(exchange)
    identity = identity.decode("latin-1").encode("ascii", "replace").decode()
    order = Message("enter_order", {
        "user_ref": 1, "side": "B", "quantity": 1, "symbol": "ANTS    ", "price": 24_0000, "time_in_force": "0", "display": "A",
        "capacity": "P", "intermarket_sweep": "N", "cross_type": "N", "client_order_id": identity}, tuple(options))
    client.wire.send(encode(order))
    answer = client.pump()[-1]
    assert answer.fields["client_order_id"] == identity
    assert answer.name == "rejected" or answer.appendage == order.appendage


def test_the_cards_own_packets(client, other):
    """As the card's order entry makes them: enter, replace, cancel, immediate or cancel."""
    card = Order(strategy=0, venue=0, symbol=0, side=BUY, shares=100, price=24_0000, day=1)
    for order, user_ref in ((card, 1), (card._replace(kind=REPLACE_ORDER, reference=1, price=24_0100), 2),
                            (card._replace(kind=CANCEL_ORDER, reference=2, shares=30), 0), (card._replace(day=0, price=1_0000), 3)):
        client.server.receive(order_packet(order, name="ANTS", user_ref=user_ref), client.exchange.now)
    assert [(name, fields.get("user_ref"), fields["quantity"]) for name, fields in brief(client.pump())] == [
        ("accepted", 1, 100), ("replaced", 2, 100), ("canceled", 2, 70), ("accepted", 3, 100), ("canceled", 3, 100)]
    assert brief(other.enter("S", 100, 24_0100))[1][1]["quantity"] == 30


@pytest.mark.parametrize("name", ["EnterOrderMessage", "OrderAcceptedMessage", "CancelOrderMessage", "CanceledMessage"])
def test_a_port_reads_what_a_real_client_sent(client, name):
    with market_data(f"packets/Nasdaq.Nsm.Ouch.v5.0/{name}.pcap").open("rb") as file:
        found = [packet for _, data in dpkt.pcap.Reader(file)
                 for packet in packets([bytes(dpkt.ethernet.Ethernet(data).data.data.data)]) if packet.type in "US"]
    assert found
    for packet in found:
        inbound = packet.type == "U"
        message = decode(packet.payload, inbound=inbound)
        assert encode(message) == packet.payload
        if inbound:
            client.wire.send(packet.payload)
            told = client.pump()
            assert not client.server.closed
            assert [each.name for each in told] == (["rejected"] if message.name == "enter_order" else [])

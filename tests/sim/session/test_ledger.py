"""The host's own account: what it takes down, and what it notices."""

from dataclasses import replace

import pytest

from sim.golden.order_frame import order_frame
from sim.golden.ouch50 import order_packet
from sim.golden.records import BUY, SELL, Order
from sim.session.desk import order_addresses
from sim.session.ledger import Ledger

ORDERS = [
    (Order(strategy=1, venue=0, symbol=0, side=BUY, shares=100, price=10_0100), 1),
    (Order(strategy=1, venue=1, symbol=0, side=SELL, shares=100, price=10_0300), 1),
    (Order(strategy=1, venue=0, symbol=1, side=SELL, shares=40, price=20_0000), 2),
]


def wire(order, user_ref, name=None):
    name = ["ANTS", "BEES"][order.symbol] if name is None else name
    return order_frame(order_addresses(2)[order.venue], order_packet(order, name=name, user_ref=user_ref))


def ledger():
    ports = {(address.destination_ip, address.destination_port): venue for venue, address in enumerate(order_addresses(2))}
    return Ledger(["ANTS", "BEES"], ports)


def played():
    """Three orders, all seen, the first traded in part, the second in full."""
    book = ledger()
    for order, user_ref in ORDERS:
        book.sent(venue=order.venue, user_ref=user_ref, side=order.side, symbol=order.symbol, shares=order.shares, price=order.price)
        book.frame(wire(order, user_ref), error=False)
    for number, filled in enumerate((30, 100, 0)):
        book.answer(number, filled)
    book.rejects["RATE"] += 1
    return book


TRUTH = {"card_positions": [-70, 0], "card_working": 0, "passed": 3, "rejected": {"RATE": 1, "POSITION": 0}}


def differences(book, **changes):
    return [check.name for check in book.checks(**{**TRUTH, **changes}) if not check.ok]


def test_accounts_that_agree():
    assert differences(played()) == []
    assert played().positions == [-70, 0]


@pytest.mark.parametrize(("changes", "name"), [
    ({"card_positions": [-69, 0]}, "position of ANTS"),
    ({"card_working": 1}, "shares still working"),
    ({"passed": 4}, "orders that passed the gateway"),
    ({"rejected": {"RATE": 2}}, "orders refused: RATE"),
    ({"rejected": {"RATE": 1, "KILLED": 1}}, "orders refused: KILLED"),
])
def test_what_the_card_counts_otherwise_is_noticed(changes, name):
    assert differences(played(), **changes) == [name]


def one_changed(change):
    book = ledger()
    for order, user_ref in ORDERS:
        book.sent(venue=order.venue, user_ref=user_ref, side=order.side, symbol=order.symbol, shares=order.shares, price=order.price)
    for number, (order, user_ref) in enumerate(ORDERS):
        data = wire(order, user_ref)
        for frame in change(order, user_ref, data) if number == 1 else [data]:
            book.frame(frame, error=False)
    for number, filled in enumerate((30, 100, 0)):
        book.answer(number, filled)
    book.rejects["RATE"] += 1
    return differences(book)


REPORTED, UNREPORTED = "orders reported by the card, found on the wire with the same fields", "orders on the wire that nobody reported"
UNREADABLE, SEQUENCE = "order frames that could not be read", "UserRefNums in rising order, by venue"


@pytest.mark.parametrize(("change", "names"), [
    (lambda order, ref, data: [], [REPORTED, SEQUENCE]),
    (lambda order, ref, data: [data, data], [UNREPORTED]),
    (lambda order, ref, data: [wire(order._replace(shares=101), ref)], [REPORTED, UNREPORTED]),
    (lambda order, ref, data: [wire(order._replace(price=10_0299), ref)], [REPORTED, UNREPORTED]),
    (lambda order, ref, data: [wire(order._replace(side=BUY), ref)], [REPORTED, UNREPORTED]),
    (lambda order, ref, data: [wire(order, ref, name="BEES")], [REPORTED, UNREPORTED]),
    (lambda order, ref, data: [wire(order, 0)], [REPORTED, UNREPORTED, SEQUENCE]),
    (lambda order, ref, data: [data[:-1]], [REPORTED, UNREADABLE, SEQUENCE]),
    (lambda order, ref, data: [data[:44] + b"S" + data[45:]], [REPORTED, UNREADABLE, SEQUENCE]),
    (lambda order, ref, data: [order_frame(replace_ip(order), data[42:])], [REPORTED, UNREADABLE, SEQUENCE]),
])
def test_what_stands_otherwise_on_the_wire_is_noticed(change, names):
    assert one_changed(change) == names


def replace_ip(order):
    return order_addresses(2)[order.venue]._replace(destination_ip=0x0A0A0A0A)


def test_a_frame_that_the_mac_spoiled_is_no_order():
    book = ledger()
    book.frame(wire(*ORDERS[0]), error=True)
    assert book.unreadable == 1


def test_an_order_without_an_answer_is_noticed():
    book = played()
    book.orders[2] = replace(book.orders[2], answered=False)
    assert differences(book) == ["orders answered by a venue"]

"""OUCH 4.2: bytes written down by hand from the specification, and everything there and back."""

import random

import pytest

from sim.golden.ouch42 import INBOUND, OUTBOUND, Message, ProtocolError, decode, encode, order_packet, token, user_ref_of
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL, Order


def test_orders_of_the_card():
    order = Order(1, 0, 3, BUY, 100, 12_3400)
    assert order_packet(order, name="ACME", user_ref=0xBEEF) == (
        b"\x00\x32UO" + b"TJ0000BEEF    " + b"B" + b"\0\0\0\x64" + b"ACME    " + b"\0\x01\xe2\x08" + b"\0\0\0\0" + b"    " + b"YPN"
        + b"\0\0\0\0" + b"NN")
    sell = order_packet(order._replace(side=SELL, day=1), name="ACME", user_ref=1)
    assert sell[18:19] == b"S"
    assert sell[35:39] == (99_998).to_bytes(4, "big")
    replaced = order_packet(order._replace(kind=REPLACE_ORDER, reference=7), name="ACME", user_ref=8)
    assert replaced == (
        b"\x00\x30UU" + b"TJ00000007    " + b"TJ00000008    " + b"\0\0\0\x64" + b"\0\x01\xe2\x08" + b"\0\0\0\0" + b"YN" + b"\0\0\0\0")
    canceled = order_packet(order._replace(kind=CANCEL_ORDER, reference=7, shares=5), name="ACME", user_ref=0)
    assert canceled == b"\x00\x14UX" + b"TJ00000007    " + b"\0\0\0\x05"


def test_lengths_of_the_specification():
    assert {kind: layout.length for kind, layout in INBOUND.items()} == {"O": 49, "U": 47, "X": 19, "M": 20, "N": 15}
    assert {kind: layout.length for kind, layout in OUTBOUND.items()} == {
        "S": 10, "A": 66, "U": 80, "C": 28, "D": 37, "E": 40, "G": 45, "F": 41, "B": 32, "J": 24, "P": 23, "I": 23, "N": 23, "T": 36,
        "M": 28}


@pytest.mark.parametrize("inbound", [True, False])
def test_every_byte_of_every_message_is_a_field_once(inbound):
    for layout in (INBOUND if inbound else OUTBOUND).values():
        places = [at for field in layout.fields for at in range(field.offset, field.offset + field.length)]
        assert sorted(places) == list(range(1, layout.length)), layout.name


def test_there_and_back():
    rng = random.Random(1)
    for inbound, layouts in ((True, INBOUND), (False, OUTBOUND)):
        for layout in layouts.values():
            message = Message(layout.name, {
                field.name: "".join(rng.choices("ABC 019", k=field.length)) if field.text else rng.getrandbits(8 * field.length)
                for field in layout.fields})
            data = encode(message)
            assert decode(data, inbound=inbound) == message
            for wrong in (data[:-1], data + b"\0"):
                with pytest.raises(ProtocolError):
                    decode(wrong, inbound=inbound)


def test_tokens():
    for number in (0, 1, 0xDEADBEEF):
        assert user_ref_of(token(number)) == number
    for wrong in ("TJdeadbeef    ", "TJ0000000     ", "XX00000000    ", "TJ00000000   X", "TJ+0000001    "):
        with pytest.raises(ProtocolError):
            user_ref_of(wrong)

"""Real OUCH 5.0 and SoupBinTCP packets decode and encode to the same bytes; what is broken is refused."""

import dpkt
import pytest

from sim.golden.ouch50 import INBOUND, OUTBOUND, Message, Packet, ProtocolError, decode, encode, frame, order_packet, packets
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL, Order
from tests.data import market_data

FOLDER = "packets/Nasdaq.Nsm.Ouch.v5.0/"


def soup_packets(name):
    """All SoupBinTCP packets of a capture, with whether they went to the venue."""
    with market_data(FOLDER + name).open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            tcp = dpkt.ethernet.Ethernet(data).data.data
            yield from packets([bytes(tcp.data)])


def message(name, *, inbound):
    found = [packet for packet in soup_packets(name) if packet.type == ("U" if inbound else "S")]
    assert found
    assert all(encode(decode(packet.payload, inbound=inbound)) == packet.payload for packet in found)
    return decode(found[0].payload, inbound=inbound)


def test_a_real_enter_order():
    order = message("EnterOrderMessage.pcap", inbound=True)
    assert order.name == "enter_order"
    assert order.fields["side"] in {"B", "S", "T", "E"}
    assert 1 <= order.fields["quantity"] <= 999_999
    assert len(order.fields["symbol"]) == 8


def test_a_real_accept():
    accepted = message("OrderAcceptedMessage.pcap", inbound=False)
    assert accepted.name == "accepted"
    assert accepted.fields["state"] in {"L", "D"}
    assert accepted.fields["timestamp"] < 86_400 * 10**9


def test_a_real_cancel_and_its_answer():
    assert message("CancelOrderMessage.pcap", inbound=True).name == "cancel_order"
    canceled = message("CanceledMessage.pcap", inbound=False)
    assert canceled.name == "canceled"
    assert canceled.fields["reason"] in set("DEFGHIKQSTUXZe")


@pytest.mark.parametrize(("name", "type_"), [("ClientHeartbeatPacket.pcap", "R"), ("ServerHeartbeatPacket.pcap", "H")])
def test_real_heartbeats(name, type_):
    found = list(soup_packets(name))
    assert found == [Packet(type_)]
    assert frame(found[0]) == b"\x00\x01" + type_.encode()


def test_the_firm_tag_of_a_real_order():
    """`05 02 4C494D45` is Firm "LIME"."""
    order = decode(order_packet(Order(0, 0, 0, BUY, 1, 1), name="X", user_ref=1)[3:], inbound=True)
    tagged = order._replace(appendage=((2, b"LIME"), (3, (100).to_bytes(4, "big"))))
    data = encode(tagged)
    assert data[45:] == bytes.fromhex("000c 05024c494d45 050300000064")
    assert decode(data, inbound=True) == tagged


def test_the_packet_of_an_order_byte_by_byte():
    order = Order(strategy=1, venue=2, symbol=0xAB, side=SELL, shares=0x01020304, price=0x11223344)
    data = order_packet(order, name="ACME", user_ref=0xDEADBEEF)
    assert data == (
        b"\x00\x30U" b"O\xde\xad\xbe\xef" b"S\x01\x02\x03\x04" b"ACME    " b"\0\0\0\0\x11\x22\x33\x44" b"3YPNN"
        b"TJ21ABDEADBEEF" b"\0\0"
    )
    assert len(data) == 50
    replace = order_packet(order._replace(kind=REPLACE_ORDER, reference=0x0A0B0C0D, day=1), name="ACME", user_ref=0xDEADBEEF)
    assert replace == (
        b"\x00\x29U" b"U\x0a\x0b\x0c\x0d\xde\xad\xbe\xef" b"\x01\x02\x03\x04" b"\0\0\0\0\x11\x22\x33\x44" b"0YN"
        b"TJ21ABDEADBEEF" b"\0\0"
    )
    cancel = order_packet(order._replace(kind=CANCEL_ORDER, reference=0x0A0B0C0D, shares=5), name="ACME", user_ref=0)
    assert cancel == b"\x00\x0aUX\x0a\x0b\x0c\x0d\0\0\0\5"


@pytest.mark.parametrize(("layout", "inbound"), [(layout, table is INBOUND) for table in (INBOUND, OUTBOUND) for layout in table.values()])
def test_every_message_there_and_back(layout, inbound):
    covered = set()
    fields = {}
    for number, field in enumerate(layout.fields):
        places = set(range(field.offset, field.offset + field.length))
        assert not covered & places, f"{field.name} overlaps another field"
        covered |= places
        fields[field.name] = chr(65 + number) * field.length if field.text else (number + 1) << (8 * field.length - 8)
    covered |= {0} | ({layout.length - 2, layout.length - 1} if layout.appendage else set())
    assert covered == set(range(layout.length)), "bytes of no field"
    original = Message(layout.name, fields, ((2, b"LIME"), (12, b"P")) if layout.appendage else ())
    data = encode(original)
    assert decode(data, inbound=inbound) == original
    with pytest.raises(ProtocolError):
        decode(data[:-1], inbound=inbound)
    with pytest.raises(ProtocolError, match="bytes after the fixed part, got"):
        decode(data + b"\0", inbound=inbound)


def test_a_stream_in_any_pieces():
    stream = frame(Packet("R")) + order_packet(Order(0, 0, 0, BUY, 5, 6), name="A", user_ref=1) + frame(Packet("S", b"abc"))
    for size in (1, 2, 3, 7, 60):
        pieces = [stream[index:index + size] for index in range(0, len(stream), size)]
        assert [packet.type for packet in packets(pieces)] == ["R", "U", "S"]
    with pytest.raises(ProtocolError, match="ends 4 bytes into a packet"):
        list(packets([stream[:7]]))
    with pytest.raises(ProtocolError, match="packet of length 0"):
        list(packets([b"\0\0x"]))


@pytest.mark.parametrize(("data", "message"), [
    (b"", "expected a message type"),
    (b"z" * 10, "expected a message type"),
    (b"X" + bytes(7), "cancel_order: expected 9 bytes, got 8"),
    (b"M" + bytes(4) + b"\xe9" + bytes(4), "modify_order: side is no ASCII text"),
    (b"O" + bytes(44) + b"\0\2" + b"\0\0", "expected a tag value"),
    (b"O" + bytes(44) + b"\0\2" + b"\5\2", "expected a tag value"),
])
def test_what_is_broken_is_refused(data, message):
    with pytest.raises(ProtocolError, match=message):
        decode(data, inbound=True)


def test_what_does_not_fit_is_not_encoded():
    with pytest.raises(ProtocolError, match="missing or unknown"):
        encode(Message("cancel_order", {"user_ref": 1}))
    with pytest.raises(ProtocolError, match="text of 8 bytes"):
        order_packet(Order(0, 0, 0, BUY, 1, 1), name="TOOLONGNAME", user_ref=1)
    with pytest.raises(ProtocolError, match="number of 4 bytes"):
        encode(Message("cancel_order", {"user_ref": 1, "quantity": 1 << 32}))
    with pytest.raises(ProtocolError, match="text of 1 bytes"):
        encode(Message("modify_order", {"user_ref": 1, "quantity": 1, "side": "é"}))
    with pytest.raises(ProtocolError, match="no appendage"):
        encode(Message("cancel_order", {"user_ref": 1, "quantity": 0}, ((1, b"x"),)))

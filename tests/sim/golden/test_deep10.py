"""DEEP 1.0 over IEX-TP: messages written out byte by byte, segments, and a real day's begin."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.flow import deep10 as write
from sim.golden.deep10 import MESSAGE_LENGTHS, UNKNOWN_PRICE, Change, decode, level_reference, market_state, trade
from sim.golden.iex_tp import HEADER_LENGTH, pack_segment, packets, unpack_header, unpack_messages
from sim.golden.itch50 import MalformedMessage
from sim.golden.moldudp64 import MalformedPacket
from sim.golden.records import BUY, SELL, SET, BookEvent, MarketState, Trade
from sim.readers.pcap import read_packets
from tests.data import market_data
from tests.streams import deep_messages, deep_packets, mutated, numbers

TIME = 1_696_248_000_183_276_417
HEAD = TIME.to_bytes(8, "little") + b"ZIEXT   "


@pytest.mark.parametrize(("kind", "flags", "side", "partial"), [
    ("8", 1, BUY, 0), ("5", 1, SELL, 0), ("8", 0, BUY, 1), ("5", 0xFE, SELL, 1),
])
def test_price_levels(kind, flags, side, partial):
    message = kind.encode() + bytes([flags]) + HEAD + bytes.fromhex("e4250000" "241d0f0000000000")
    event = BookEvent(SET, side, 0, 990_500 | side << 32, 0, 9_700, 990_500, TIME & (1 << 48) - 1, partial)
    assert decode(message) == Change(event, "ZIEXT   ")
    for wrong in (message[:-1], message + b"\0"):
        with pytest.raises(MalformedMessage, match=f"30 bytes, not {len(wrong)}"):
            decode(wrong)
    for price, held in ((UNKNOWN_PRICE, UNKNOWN_PRICE), (UNKNOWN_PRICE + 1, 0), ((1 << 64) - 1, 0)):
        wanted = event._replace(price=held, reference=held | side << 32)
        assert decode(message[:22] + price.to_bytes(8, "little")) == Change(wanted, "ZIEXT   ")


def test_trades():
    message = b"T\x48" + HEAD + bytes.fromhex("e4250000" "241d0f0000000000" "1817161514131211")
    done = Trade("T", 0, 9_700, 990_500, 0x1112131415161718, 0x48, TIME & (1 << 48) - 1)
    assert trade(message) == (done, "ZIEXT   ")
    assert decode(message) is market_state(message) is None
    assert trade(message[:22] + b"\0\0\0\0\1\0\0\0" + message[30:])[0].price == 0xFFFFFFFF


@pytest.mark.parametrize(("message", "kind", "code", "detail", "name"), [
    (b"HH" + HEAD + b"T1  ", "H", "H", int.from_bytes(b"T1  ", "big"), "ZIEXT   "),
    (b"HT" + HEAD + b"    ", "H", "T", int.from_bytes(b"    ", "big"), "ZIEXT   "),
    (b"OO" + HEAD, "h", "H", 0, "ZIEXT   "), (b"ON" + HEAD, "h", "T", 0, "ZIEXT   "), (b"O?" + HEAD, "h", "H", 0, "ZIEXT   "),
    (b"P1" + HEAD + b"A", "Y", "1", ord("A"), "ZIEXT   "), (b"P0" + HEAD + b" ", "Y", "0", ord(" "), "ZIEXT   "),
    (b"SO" + HEAD[:8], "S", "O", 0, None), (b"SR" + HEAD[:8], "S", "Q", 0, None), (b"SM" + HEAD[:8], "S", "M", 0, None),
])  # fmt: skip
def test_states_in_the_words_of_itch(message, kind, code, detail, name):
    assert len(message) == MESSAGE_LENGTHS[chr(message[0])]
    assert market_state(message) == (MarketState(kind, 0, ord(code), detail, 0, 0, 0, TIME & (1 << 48) - 1), name)
    assert decode(message) is trade(message) is None
    for wrong in (message[:-1], message + b" "):
        with pytest.raises(MalformedMessage, match=f"bytes, not {len(wrong)}"):
            market_state(wrong)


@given(deep_messages())
def test_the_writer_and_the_decoder_agree(message):
    assert len(message) == MESSAGE_LENGTHS[chr(message[0])]
    assert (decode(message) is not None) == (message[0] in b"85")


@given(*[st.tuples(st.integers(0, 255), st.integers(0, 1), st.integers(0, UNKNOWN_PRICE))] * 2)
def test_no_two_levels_have_the_same_reference(one, other):
    assert (level_reference(*one) == level_reference(*other)) == (one == other)


@given(numbers(32), numbers(63), st.lists(deep_messages(), max_size=20))
def test_segments_hold_what_was_put_in(session, sequence, messages):
    segment = pack_segment(session, sequence, messages, channel=1, offset=5, time=TIME)
    assert unpack_header(segment) == (1, session, len(segment) - HEADER_LENGTH, len(messages), 5, sequence, TIME)
    assert unpack_messages(segment) == messages


@given(st.lists(deep_messages(), max_size=100))
def test_packing_loses_nothing(messages):
    found, sequence = [], 7
    for segment in packets(1, sequence, messages):
        assert len(segment) <= 1_400
        assert unpack_header(segment).sequence == sequence
        found += unpack_messages(segment)
        sequence = 7 + len(found)
    assert found == messages


def test_segments_that_contradict_themselves():
    good = pack_segment(3, 9, [write.system_event(1, "O"), write.trade(1, "A", 1, 1, 1)])
    assert len(unpack_messages(good)) == 2
    changed = [(0, 2), (2, 3), (14, 1), (14, 3), (12, 0), (40, 11), (40, 0), (41, 1)]
    bad = [good[:at] + bytes([byte]) + good[at + 1:] for at, byte in changed]
    for segment in (good[:39], good[:-1], good + b"\0", pack_segment(3, 9, [bytes(8)]), *bad):
        with pytest.raises(MalformedPacket):
            unpack_messages(segment)
    assert unpack_messages(pack_segment(3, 9, [bytes(9)]))


@given(mutated(deep_packets()))
def test_whatever_comes_is_taken_whole_or_refused(segment):
    try:
        messages = unpack_messages(segment)
    except MalformedPacket:
        return
    assert segment[HEADER_LENGTH:] == b"".join(len(message).to_bytes(2, "little") + message for message in messages)


def test_a_real_day_begins():
    """Every segment whole, in order and without a gap, and every message of its length."""
    types, sequence, offset = Counter(), 1, 0
    for packet in read_packets(market_data("iex/20231002_DEEP10_test.pcap.gz")):
        header = unpack_header(packet.payload)
        assert (header.channel, header.session, header.sequence, header.offset) == (1, 1_286_602_752, sequence, offset)
        for message in unpack_messages(packet.payload):
            types[chr(message[0])] += 1
            assert len(message) == MESSAGE_LENGTHS[chr(message[0])]
            decode(message)
        sequence += header.messages
        offset += header.length
    assert types == {"S": 2, "P": 11_594, "O": 11_317, "H": 11_311, "I": 11_309, "D": 3, "8": 1_526, "5": 1_226, "T": 37}

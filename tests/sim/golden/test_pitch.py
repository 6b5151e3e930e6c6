"""Multicast PITCH: messages written out byte by byte, packets, and real captures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.flow import pitch as write
from sim.golden.itch50 import MalformedMessage
from sim.golden.moldudp64 import MalformedPacket
from sim.golden.pitch import LENGTHS, NAMES, NEEDED, UNKNOWN_PRICE, Change, PitchModel
from sim.golden.pitch_unit import LAST_SEQUENCE, has_last_number, pack_unit, packets, unpack_header, unpack_messages
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent, MarketState, Trade
from sim.readers.pcap import read_packets
from sim.readers.tcp import read_units
from tests.data import market_data
from tests.streams import mutated, pitch_messages, pitch_packets

ORDER = 0x0102030405060708
HEAD = bytes.fromhex("15cd5b07" "0807060504030201")  # 123,456,789 ns, order
TIME = 34_200 * 10**9 + 123_456_789


def change(kind, name=None, **fields):
    return Change(BookEvent(kind, 0, 0, ORDER, 0, 0, 0, TIME)._replace(**fields), name)


def model():
    model = PitchModel()
    assert model.decode(bytes.fromhex("0620" "98850000")) is None
    return model


@pytest.mark.parametrize(("message", "expected"), [
    (b"\x22\x21" + HEAD + b"B" + bytes.fromhex("40e20100") + b"ZVZZT " + bytes.fromhex("5a23000000000000") + b"\x01",
     change(ADD, "ZVZZT   ", side=BUY, shares=123_456, price=9_050)),
    (b"\x1a\x22" + HEAD + b"S" + bytes.fromhex("204e") + b"ZVZZT " + bytes.fromhex("0a28") + b"\x01",
     change(ADD, "ZVZZT   ", side=SELL, shares=20_000, price=1_025_000)),
    (b"\x29\x2f" + HEAD + b"B" + bytes.fromhex("40e20100") + b"ZVZZTABC" + bytes.fromhex("5a23000000000000") + b"\x00ABCDN",
     change(ADD, "ZVZZTABC", side=BUY, shares=123_456, price=9_050)),
    (b"\x1a\x23" + HEAD + bytes.fromhex("64000000") + bytes(8), change(EXECUTE, shares=100)),
    (b"\x26\x24" + HEAD + bytes.fromhex("64000000" "244d0000") + bytes(16), change(EXECUTE, shares=100)),
    (b"\x26\x24" + HEAD + bytes.fromhex("64000000" "00000000") + bytes(16), change(DELETE)),
    (b"\x12\x25" + HEAD + bytes.fromhex("64000100"), change(CANCEL, shares=65_636)),
    (b"\x10\x26" + HEAD + bytes.fromhex("6400"), change(CANCEL, shares=100)),
    (b"\x1b\x27" + HEAD + bytes.fromhex("f8240100" "e8a3120000000000" "01"),
     change(REPLACE, new_reference=ORDER, shares=75_000, price=1_221_608)),
    (b"\x13\x28" + HEAD + bytes.fromhex("f824" "4c2c" "01"), change(REPLACE, new_reference=ORDER, shares=9_464, price=1_134_000)),
    (b"\x0e\x29" + HEAD, change(DELETE)),
])  # fmt: skip
def test_book_messages(message, expected):
    kind = message[1]
    assert message[0] == len(message) == LENGTHS[kind]
    assert model().decode(message) == expected
    assert model().decode(message + b"new") == expected, "a message may grow at its end"
    assert model().decode(message[:NEEDED[kind]]) == expected
    with pytest.raises(MalformedMessage, match=f"at least {NEEDED[kind]} bytes, not {NEEDED[kind] - 1}"):
        model().decode(message[:NEEDED[kind] - 1])


@given(pitch_messages())
def test_the_writer_and_the_decoder_agree_on_lengths(message):
    assert message[0] == len(message)
    if message[1] in LENGTHS:
        assert len(message) >= LENGTHS[message[1]]
    PitchModel().decode(message)


@given(st.integers(0, 86_399), st.integers(0, 999_999_999))
def test_the_second_is_that_of_the_last_time_message(seconds, offset):
    model = PitchModel()
    model.decode(write.time(5))
    model.decode(write.time(seconds))
    assert model.decode(write.delete(offset, 1)).event.timestamp == seconds * 10**9 + offset
    assert model.time_of(write.time(seconds)) == seconds * 10**9


def test_what_changes_no_book_and_what_ends_it():
    others = [write.trade_long(1, "B", 1, "A", 1, 1), write.trade_short(1, "B", 1, "A", 1, 1), write.trade_expanded(1, "B", 1, "A", 1, 1),
              write.trade_break(1, 1), write.trading_status(1, "A", "H"), write.end_of_session(1), b"\x07\xee12345"]
    assert [PitchModel().decode(message) for message in others] == [None] * len(others)
    with pytest.raises(MalformedMessage, match="unit clear"):
        PitchModel().decode(write.unit_clear(0))


MATCH = 0x1112131415161718
TRADED = bytes.fromhex("1817161514131211")


@pytest.mark.parametrize(("message", "expected", "name"), [
    (b"\x1a\x23" + HEAD + bytes.fromhex("64000000") + TRADED, Trade("E", 0, 100, 0, MATCH, 0, TIME), None),
    (b"\x26\x24" + HEAD + bytes.fromhex("64000000" "244d0000") + TRADED + bytes.fromhex("e8a3120000000000"),
     Trade("C", 0, 100, 1_221_608, MATCH, 0, TIME), None),
    (b"\x26\x24" + HEAD + bytes.fromhex("64000000" "00000000") + TRADED + bytes.fromhex("0000000001000000"),
     Trade("C", 0, 100, 0xFFFFFFFF, MATCH, 0, TIME), None),
    (b"\x29\x2a" + HEAD + b"B" + bytes.fromhex("40e20100") + b"ZVZZT " + bytes.fromhex("5a23000000000000") + TRADED,
     Trade("P", 0, 123_456, 9_050, MATCH, 0, TIME), "ZVZZT   "),
    (b"\x21\x2b" + HEAD + b"S" + bytes.fromhex("204e") + b"ZVZZT " + bytes.fromhex("0a28") + TRADED,
     Trade("P", 0, 20_000, 1_025_000, MATCH, 0, TIME), "ZVZZT   "),
    (b"\x2b\x30" + HEAD + b"B" + bytes.fromhex("40e20100") + b"ZVZZTABC" + bytes.fromhex("5a23000000000000") + TRADED,
     Trade("P", 0, 123_456, 9_050, MATCH, 0, TIME), "ZVZZTABC"),
    (b"\x12\x31" + HEAD[:4] + b"ZVZZT   " + b"H1" + b"  ", MarketState("H", 0, ord("H"), ord("1"), 0, 0, 0, TIME), "ZVZZT   "),
])  # fmt: skip
def test_trades_and_states(message, expected, name):
    kind = message[1]
    assert message[0] == len(message) == LENGTHS[kind]
    told = {Trade: PitchModel.trade, MarketState: PitchModel.market_state}
    tell, other = told.pop(type(expected)), next(iter(told.values()))
    for cut in (message, message + b"new", message[:NEEDED[kind]]):
        assert tell(model(), cut) == (expected, name)
        assert other(model(), cut) is None
    with pytest.raises(MalformedMessage, match=f"at least {NEEDED[kind]} bytes, not {NEEDED[kind] - 1}"):
        model().decode(message[:NEEDED[kind] - 1])


def test_sides_and_prices():
    for side in set(map(chr, range(128))) - set("BS"):
        for add in (write.add_long, write.add_short, write.add_expanded):
            message = add(0, 1, side, 1, "A", 1)
            with pytest.raises(MalformedMessage, match="not B or S"):
                PitchModel().decode(message)
    assert PitchModel().decode(write.modify_long(0, 1, 1, UNKNOWN_PRICE)).event.price == UNKNOWN_PRICE
    for price in (UNKNOWN_PRICE + 1, 1 << 63):
        adds = [add(0, 1, "B", 1, "A", price) for add in (write.add_long, write.add_expanded)]
        for message in (*adds, write.modify_long(0, 1, 1, price)):
            assert PitchModel().decode(message).event.price == 0
    assert PitchModel().decode(write.add_short(0, 1, "B", 1, "A", 0xFFFF)).event.price == 6_553_500


@given(st.integers(0, 255), st.integers(0, (1 << 32) - 256), st.lists(pitch_messages(), max_size=20))
def test_packets_hold_what_was_put_in(unit, sequence, messages):
    packet = pack_unit(unit, sequence, messages)
    assert unpack_header(packet) == (len(packet), len(messages), unit, sequence)
    assert unpack_messages(packet) == messages


@given(st.lists(pitch_messages(), max_size=600))
def test_packing_loses_nothing(messages):
    found, sequence = [], 7
    for packet in packets(1, sequence, messages):
        assert len(packet) <= 1_400
        header = unpack_header(packet)
        assert (header.sequence, header.unit) == (sequence, 1)
        found += unpack_messages(packet)
        sequence += header.messages
    assert found == messages


@pytest.mark.parametrize(("sequence", "count", "last"), [
    (LAST_SEQUENCE - 1, 1, False), (LAST_SEQUENCE, 0, False), (LAST_SEQUENCE, 1, True), (LAST_SEQUENCE, 3, True),
    (LAST_SEQUENCE - 1, 2, True), (0, 2, False), (1, 2, False),
])  # fmt: skip
def test_the_last_number(sequence, count, last):
    assert has_last_number(unpack_header(pack_unit(3, sequence, [write.time(1)] * count))) == last


def test_packets_that_contradict_themselves():
    good = pack_unit(3, 9, [write.delete(1, 1), write.time(1)])
    assert len(unpack_messages(good)) == 2
    short = pack_unit(3, 9, [b"\x05\xee123"])
    changed = [good[:at] + bytes([byte]) + good[at + 1:] for at, byte in [(2, 1), (2, 3), (8, 15), (8, 0)]]
    for bad in (good[:7], good[:-1], good + b"\0", *changed, short):
        with pytest.raises(MalformedPacket):
            unpack_messages(bad)
    assert unpack_messages(short, shortest=5)


@given(mutated(pitch_packets()))
def test_whatever_comes_is_taken_whole_or_refused(packet):
    try:
        messages = unpack_messages(packet)
    except MalformedPacket:
        return
    assert packet[8:] == b"".join(messages)


@pytest.mark.parametrize(("name", "expected"), [
    ("AddOrderShortMessage", {(17, 14_003): [0x22], (15, 47_690): [0x20, 0x22], (15, 47_692): [0x22], (15, 47_693): [0x22] * 2,
                              (31, 35_742): [0x20, 0x22, 0x22]}),
    ("ModifyOrderShortMessage", {(11, 121_843): [0x28]}),
    ("MultipleMessages", {(31, 35_742): [0x20, 0x22, 0x22]}),
])  # fmt: skip
def test_real_packets(name, expected):
    found = {}
    for packet in read_packets(market_data(f"cboe/{name}.pcap")):
        messages = unpack_messages(packet.payload)
        found[unpack_header(packet.payload)[2:]] = [message[1] for message in messages]
        assert all(len(message) == LENGTHS[message[1]] for message in messages)
        for message in messages:
            PitchModel().decode(message)
    assert found == expected


def test_the_real_time_sample():
    """Unit 1 on one line, and heartbeats without numbers on the other. The numbers jump from 1 to 3 where the sample begins."""
    orders, sequence, lines = {}, 1, set()
    model = PitchModel()
    for packet in read_packets(market_data("cboe/bats_mcastpitch_realtime_useq.pcap")):
        header = unpack_header(packet.payload)
        lines.add((packet.line.ip & 0xFF, bool(header.sequence)))
        if not header.sequence or header.sequence < sequence:
            continue
        assert header.sequence in (sequence, 3)
        sequence = header.sequence + header.messages
        for message in unpack_messages(packet.payload):
            assert len(message) == LENGTHS[message[1]]
            if (found := model.decode(message)) is None:
                continue
            if found.event.kind == ADD:
                assert found.name == "A       "
                orders[found.event.reference] = found.event.shares
            elif found.event.kind == DELETE:
                del orders[found.event.reference]
            elif found.event.kind == REPLACE:
                orders[found.event.reference] = found.event.shares
            else:
                orders[found.event.reference] -= found.event.shares
                assert orders[found.event.reference] >= 0
    assert lines == {(190, True), (191, False)}
    assert sequence == 43


@pytest.mark.parametrize(("name", "expected"), [
    ("grp", {0x01: 1, 0x02: 1, 0x03: 1, 0x04: 1}),
    ("spin", {0x01: 1, 0x02: 1, 0x80: 4, 0x81: 2, 0x82: 2, 0x83: 1, 0x20: 1}),
])
def test_the_servers_samples(name, expected):
    found = {}
    for unit in read_units(market_data(f"cboe/bats_mcastpitch_{name}_useq.pcap")):
        for message in unit.messages:
            assert message[1] in NAMES
            found[message[1]] = found.get(message[1], 0) + 1
    assert found == expected

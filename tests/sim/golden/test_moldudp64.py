"""MoldUDP64: the bytes of a packet, and what a receiver may deliver."""

import pytest

from hw.reasons import DropReason
from sim.golden.moldudp64 import (
    Gap,
    Header,
    MalformedPacket,
    MoldUdp64Model,
    pack_end_of_session,
    pack_packet,
    packets,
    unpack_blocks,
    unpack_header,
)  # fmt: skip
from sim.readers.frames import read_frames
from tests.data import market_data

SESSION = b"000010059B"
A, B, C, D = (bytes([letter]) * 20 for letter in b"ABCD")


def numbers(outcome):
    return [message.sequence for message in outcome.messages]


def test_bytes_of_a_packet():
    packet = pack_packet(SESSION, 258, [b"xyz", b"", b"q" * 300])
    assert packet[:20] == b"000010059B" + bytes([0, 0, 0, 0, 0, 0, 1, 2]) + bytes([0, 3])
    assert packet[20:] == b"\x00\x03xyz" + b"\x00\x00" + b"\x01\x2c" + b"q" * 300
    assert unpack_header(packet) == Header(SESSION, 258, 3)
    assert list(unpack_blocks(packet)) == [b"xyz", b"", b"q" * 300]


def test_heartbeat_and_end_of_session_have_no_blocks():
    assert pack_packet(SESSION, 7, [])[18:] == b"\0\0"
    assert pack_end_of_session(SESSION, 7)[18:] == b"\xff\xff"
    assert list(unpack_blocks(pack_end_of_session(SESSION, 7))) == []


def test_packets_are_filled_in_order():
    made = list(packets(SESSION, 5, [A, B, C, D], limit=20 + 2 * 22))
    assert [unpack_header(packet) for packet in made] == [Header(SESSION, 5, 2), Header(SESSION, 7, 2)]
    assert [list(unpack_blocks(packet)) for packet in made] == [[A, B], [C, D]]
    assert len(list(packets(SESSION, 1, [A, B], limit=21))) == 2  # one that does not fit still goes, alone


@pytest.mark.parametrize("damage", [
    lambda p: p[:19], lambda p: p[:-1], lambda p: p + b"\0", lambda p: p[:18] + b"\0\3" + p[20:], lambda p: p[:18] + b"\0\1" + p[20:],
    lambda p: p[:18] + b"\0\0" + p[20:], lambda p: p[:18] + b"\xff\xff" + p[20:], lambda p: p[:20] + b"\xff" + p[21:], lambda p: b"",
])  # fmt: skip
def test_malformed(damage):
    packet = damage(pack_packet(SESSION, 1, [A, B]))
    with pytest.raises(MalformedPacket):
        list(unpack_blocks(packet))
    model = MoldUdp64Model()
    assert model.packet(packet).reason == DropReason.MALFORMED
    assert model.expected == 1


def test_session_must_have_ten_characters():
    with pytest.raises(ValueError, match="10 characters"):
        pack_packet(b"short", 1, [])


def test_every_message_once_and_in_order():
    model = MoldUdp64Model()
    assert numbers(model.packet(pack_packet(SESSION, 1, [A, B]))) == [1, 2]
    again = model.packet(pack_packet(SESSION, 1, [A, B]))
    assert (numbers(again), again.duplicates, again.gap) == ([], 2, None)
    assert numbers(model.packet(pack_packet(SESSION, 2, [B, C, D]))) == [3, 4]
    assert model.expected == 5


def test_gap_is_named_once():
    model = MoldUdp64Model()
    outcome = model.packet(pack_packet(SESSION, 4, [D]))
    assert (numbers(outcome), outcome.gap) == ([4], Gap(SESSION, 1, 3))
    assert model.packet(pack_packet(SESSION, 5, [])).gap is None
    heartbeat = model.packet(pack_packet(SESSION, 9, []))
    assert (heartbeat.heartbeat, heartbeat.gap, model.expected) == (True, Gap(SESSION, 5, 4), 9)
    assert model.packet(pack_packet(SESSION, 2, [])).gap is None
    end = model.packet(pack_end_of_session(SESSION, 10))
    assert (end.end_of_session, end.heartbeat, end.gap) == (True, False, Gap(SESSION, 9, 1))


def test_empty_and_short_blocks_are_counted_and_not_delivered():
    model = MoldUdp64Model()
    assert numbers(model.packet(pack_packet(SESSION, 1, [b"", A, b"12345678", b"123456789"]))) == [2, 4]
    assert model.expected == 5


def test_another_session_and_bad_frames_change_nothing():
    model = MoldUdp64Model()
    assert model.packet(pack_packet(b"B" * 10, 1, [A]), DropReason.UDP_CHECKSUM).reason == DropReason.UDP_CHECKSUM
    assert numbers(model.packet(pack_packet(SESSION, 1, [A]))) == [1]
    assert model.packet(pack_packet(b"B" * 10, 2, [A])).reason == DropReason.SESSION
    model.set_sequence(10)
    assert numbers(model.packet(pack_packet(b"B" * 10, 10, [A]))) == [10]


def test_one_line_of_a_real_day_has_no_gap():
    frames = [frame.data[42:] for frame in read_frames(market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz"))]
    model = MoldUdp64Model(unpack_header(frames[0]).sequence)
    outcomes = [model.packet(payload[: _length(payload)]) for payload in frames]
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE}
    assert not any(outcome.gap for outcome in outcomes)
    assert sum(len(outcome.messages) for outcome in outcomes) == 10_837
    assert sum(outcome.duplicates for outcome in outcomes) == 10_837  # the other line


def _length(payload):
    """Without Ethernet padding."""
    at, count = 20, unpack_header(payload).count
    for _ in range(0 if count == 0xFFFF else count):
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return at

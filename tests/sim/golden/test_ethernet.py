"""Ethernet, IPv4 and UDP against published examples and captured frames."""

from ipaddress import IPv4Address

import pytest

from hw.reasons import DropReason
from sim.golden.ethernet import (
    SHORTEST_FRAME,
    build_udp,
    checksum,
    multicast_mac,
    ones_complement_sum,
    parse_udp,
    receive,
    receive_any,
    with_tag,
)
from sim.readers.frames import read_frames
from tests.data import market_data

IP, PORT = int(IPv4Address("239.1.2.3")), 5_000


def frame_of(payload, **changes):
    return build_udp(payload, **{"destination_ip": IP, "destination_port": PORT, **changes})


def test_checksum_of_the_example_of_rfc_1071():
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert ones_complement_sum(data) == 0xDDF2
    assert checksum(data) == 0x220D


def test_checksum_of_a_known_header():
    assert checksum(bytes.fromhex("4500007300004000401100" "00c0a80001c0a800c7")) == 0xB861
    assert checksum(bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")) == 0


def test_odd_byte_counts_as_the_high_one():
    assert ones_complement_sum(b"\x01") == 0x0100
    assert ones_complement_sum(b"\xff\xff\x01") == 0x0100


@pytest.mark.parametrize(("group", "mac"), [
    ("224.0.0.1", 0x01005E000001), ("239.255.255.250", 0x01005E7FFFFA),
    ("224.128.64.32", 0x01005E004020), ("225.0.64.32", 0x01005E004020),
])  # fmt: skip
def test_multicast_address(group, mac):
    assert multicast_mac(int(IPv4Address(group))) == mac


def test_frame_is_read_back():
    for length in range(60):
        payload = bytes(range(length))
        for udp_checksum in (True, False):
            frame = frame_of(payload, udp_checksum=udp_checksum)
            assert len(frame) == max(SHORTEST_FRAME, 42 + length)
            assert receive(frame, IP, PORT) == (DropReason.NONE, payload, 0)
            assert parse_udp(frame).payload == payload


def test_bytes_of_a_whole_frame():
    frame = frame_of(b"hi", source_ip=int(IPv4Address("10.0.0.1")), source_port=26_400, pad=False)
    ethernet, ip, udp = frame[:14].hex(), frame[14:34].hex(), frame[34:].hex()
    # 4500+001e+4000+1011+0a00+0001+ef01+0203 = 19034: with the carry 9035, its complement 6fca
    assert ethernet == "01005e010203" "020000000001" "0800"
    assert ip == "4500001e0000400010116fca" "0a000001" "ef010203"
    # 0a00+0001+ef01+0203+0011+000a+6720+1388+000a+6869 = 1de3b: with the carry de3c, its complement 21c3
    assert udp == "67201388000a21c3" "6869"


@pytest.mark.parametrize(("frame", "reason"), [
    (b"", DropReason.TRUNCATED),
    (frame_of(b"x")[:41], DropReason.TRUNCATED),
    (frame_of(b"x", destination_ip=IP ^ 1), DropReason.NOT_MATCHED),
    (frame_of(b"x", destination_port=PORT ^ 1), DropReason.NOT_MATCHED),
    (frame_of(b"x")[:24] + b"\0\0" + frame_of(b"x")[26:], DropReason.IP_CHECKSUM),
    (frame_of(b"x")[:42] + b"y" + frame_of(b"x")[43:], DropReason.UDP_CHECKSUM),
    (frame_of(b"x" * 100)[:-1], DropReason.TRUNCATED),
])  # fmt: skip
def test_reasons(frame, reason):
    assert receive(frame, IP, PORT) == (reason, None, 0)


def test_error_of_the_mac_wins():
    assert receive(frame_of(b"x"), IP, PORT, error=True) == (DropReason.MAC_ERROR, None, 0)
    assert receive(b"", IP, PORT, error=True) == (DropReason.MAC_ERROR, None, 0)


@pytest.mark.parametrize("tag", ["81000001", "8100e064", "88a80fff"])
def test_one_tag_is_passed_over(tag):
    """Priority and network of the tag don't matter; a second one is another type of frame."""
    plain, tag = frame_of(b"tagged"), bytes.fromhex(tag)
    frame = with_tag(plain, tag)
    assert frame[:12] + frame[16:] == plain
    assert frame[12:16] == tag
    assert receive(frame, IP, PORT) == (DropReason.NONE, b"tagged", 0)
    assert parse_udp(frame) == parse_udp(plain)
    assert receive(with_tag(frame, tag), IP, PORT).reason == DropReason.NOT_MATCHED
    assert receive(frame[:16], IP, PORT).reason == DropReason.TRUNCATED


def test_table_of_addresses():
    """The lowest entry that fits counts; one with port 0 is off; a unicast address may have any unicast Ethernet address."""
    own = int(IPv4Address("10.1.2.3"))
    table = [(IP, 0), (own, PORT), (IP, PORT + 1), (IP, PORT), (IP, PORT)]
    assert receive_any(frame_of(b"x"), table) == (DropReason.NONE, b"x", 3)
    assert receive_any(frame_of(b"x", destination_port=0), table).reason == DropReason.NOT_MATCHED
    assert receive_any(frame_of(b"x", destination_ip=own, destination_mac=0x02AABBCCDDEE), table) == (DropReason.NONE, b"x", 1)
    for mac in (0xFFFFFFFFFFFF, multicast_mac(IP)):
        assert receive_any(frame_of(b"x", destination_ip=own, destination_mac=mac), table).reason == DropReason.NOT_MATCHED


def test_too_much_payload_is_refused():
    with pytest.raises(ValueError, match="at most 65507"):
        frame_of(bytes(65_508))


def test_captured_frames_are_built_again_byte_by_byte():
    frames = [frame.data for frame in read_frames(market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz"))][:200]
    for frame in frames:
        datagram = parse_udp(frame)
        again = build_udp(
            datagram.payload,
            destination_ip=datagram.destination_ip, destination_port=datagram.destination_port, source_ip=datagram.source_ip,
            source_port=datagram.source_port, source_mac=datagram.source_mac, identification=int.from_bytes(frame[18:20], "big"),
            time_to_live=frame[22], udp_checksum=frame[40:42] != b"\0\0", pad=len(frame) >= SHORTEST_FRAME,
        )  # fmt: skip
        assert again[:20] + again[22:24] + again[26:] == frame[:20] + frame[22:24] + frame[26:]
        assert receive(frame, datagram.destination_ip, datagram.destination_port) == (DropReason.NONE, datagram.payload, 0)

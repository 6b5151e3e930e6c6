"""Captures: framing of the format, what is found in it, and every way in which one can be wrong."""

import gzip
from collections import Counter
from pathlib import Path

import dpkt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.golden.ethernet import build_udp
from sim.golden.moldudp64 import unpack_blocks
from sim.readers.errors import BadInput
from sim.readers.frames import read_frames
from sim.readers.pcap import read_packets
from tests.data import market_data
from tests.sim.readers.files import GROUP_A, GROUP_B, ONE_LINE, PORT, SESSION, message, outcome, packet_frame, pcap, pcapng, pcapng_block

MESSAGES = [message(kind) for kind in "AFECXDU"]


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.pcap"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1_000), (0xA1B23C4D, 1)])
def test_every_dialect(tmp_path, order, magic, unit):
    path = write(tmp_path, pcap([b"first frame", b"second"], magic=magic, order=order))
    frames = list(read_frames(path))
    assert [frame.data for frame in frames] == [b"first frame", b"second"]
    assert [frame.time_ns for frame in frames] == [500 * unit, 1_000_000_000 + 500 * unit]
    data = path.read_bytes()
    assert [data[frame.offset:frame.offset + len(frame.data)] for frame in frames] == [frame.data for frame in frames]


RESOLUTIONS = {
    b"": 1_000_000, b"\x09\0\x01\0\x09\0\0\0": 1_000_000_000, b"\x09\0\x01\0\x8a\0\0\0\0\0\0\0": 1 << 10,
    b"\x02\0\x03\0eth\0\x09\0\x01\0\x03\0\0\0": 1_000,
}  # fmt: skip
"""Options of a pcapng interface, and the ticks of a second that they tell."""


@pytest.mark.parametrize("options", RESOLUTIONS)
def test_every_resolution_of_pcapng(tmp_path, options):
    ticks = RESOLUTIONS[options]
    path = write(tmp_path, pcapng([b"first frame", b"second"], options=options, stamps=[3 * ticks // 2, 5 << 32]))
    frames = list(read_frames(path))
    assert [frame.data for frame in frames] == [b"first frame", b"second"]
    assert [frame.time_ns for frame in frames] == [1_500_000_000, (5 << 32) * 1_000_000_000 // ticks]
    data = path.read_bytes()
    assert [data[frame.offset:frame.offset + len(frame.data)] for frame in frames] == [frame.data for frame in frames]


def test_sections_interfaces_and_other_blocks_of_pcapng(tmp_path):
    """A second section has its own byte order and interfaces; a time offset counts; a packet may come without a time; names are passed
    over."""
    offset = b"\x0e\0\x08\0" + (7).to_bytes(8, "little")
    simple = pcapng_block(3, (6).to_bytes(4, "little") + b"simple")
    first = pcapng([b"a"], options=offset) + pcapng_block(4, b"names") + simple
    path = write(tmp_path, first + pcapng([b"bb"], order=">", stamps=[1]))
    read = [(frame.data, frame.time_ns) for frame in read_frames(path)]
    assert read == [(b"a", 7_000_000_000), (b"simple", 7_000_000_000), (b"bb", 1_000)]


def test_pcapng_of_an_independent_writer(tmp_path):
    frames = [packet_frame(1, MESSAGES), packet_frame(8, MESSAGES[:3])]
    with (tmp_path / "other.pcapng").open("wb") as file:
        writer = dpkt.pcapng.Writer(file)
        for number, frame in enumerate(frames):
            writer.writepkt(frame, ts=1_000 + number)
    read = list(read_frames(tmp_path / "other.pcapng"))
    assert [(frame.data, frame.time_ns) for frame in read] == [(frame, (1_000 + n) * 1_000_000_000) for n, frame in enumerate(frames)]
    assert [packet.sequence for packet in read_packets(tmp_path / "other.pcapng")] == [1, 8]


def vlan(frame: bytes, *tags: int) -> bytes:
    return frame[:12] + b"".join(tag.to_bytes(2, "big") + b"\0\x05" for tag in tags) + frame[12:]


@pytest.mark.parametrize("wrap", [
    lambda frame: frame, lambda frame: vlan(frame, 0x8100), lambda frame: vlan(frame, 0x88A8, 0x8100), lambda frame: frame + bytes(10),
], ids=["plain", "tagged", "two tags", "padded"])
def test_packets_of_two_lines(tmp_path, wrap):
    frames = [wrap(packet_frame(5, MESSAGES[:3])), wrap(packet_frame(5, MESSAGES[:3], group=GROUP_B)), wrap(packet_frame(8, MESSAGES[3:]))]
    packets = list(read_packets(write(tmp_path, gzip.compress(pcap(frames)))))
    assert [(packet.sequence, packet.line.ip) for packet in packets] == [(5, GROUP_A), (5, GROUP_B), (8, GROUP_A)]
    assert {packet.line.port for packet in packets} == {PORT}
    assert [list(unpack_blocks(packet.payload)) for packet in packets] == [MESSAGES[:3], MESSAGES[:3], MESSAGES[3:]]
    assert {packet.session for packet in packets} == {SESSION}


def test_other_protocols_beside_the_feed_are_passed_over(tmp_path):
    other = build_udp(b"something else entirely", destination_ip=0xE0000001, destination_port=1)
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    frames = [arp, other, packet_frame(1, MESSAGES), arp]
    assert len(list(read_packets(write(tmp_path, pcap(frames))))) == 1


def test_a_packet_with_a_wrong_checksum_is_left_out(tmp_path):
    """As a card does: what it held is missing, which the sequence shows."""
    good, bad = packet_frame(1, MESSAGES), bytearray(packet_frame(8, MESSAGES))
    bad[-3] ^= 0x40  # an order's price
    assert [packet.sequence for packet in read_packets(write(tmp_path, pcap([good, bytes(bad)])))] == [1]


def broken_packet(**options) -> bytes:
    """The count of messages is one too high."""
    frame = packet_frame(1, MESSAGES, udp_checksum=False, **options)
    return frame[:61] + bytes([frame[61] + 1]) + frame[62:]


FRAME = packet_frame(1, MESSAGES)
BAD_CAPTURES = {
    "cut header": (pcap([])[:20], "offset 0: expected a pcap file header of 24 bytes, came the end of the file after 20"),
    "no frame": (pcap([]), "offset 24: expected a frame, came the end of the file"),
    "wrong link": (pcap([FRAME], link=113), "offset 20: expected link type 1 (Ethernet), came 113"),
    "not a pcap": (b"hello there", "offset 0: expected the magic number of a pcap file, came 68656c6c"),
    "pcapng without its order": (b"\x0a\x0d\x0d\x0a" + bytes(40),
                                 "offset 8: expected the byte-order magic of a pcapng section, came 00000000"),
    "pcapng of one section header": (pcapng([])[:28], "offset 24: expected a frame, came the end of the file"),
    "pcapng of another link": (pcapng([FRAME], link=113), "offset 56: expected a packet of link type 1 (Ethernet), came 113"),
    "pcapng of no interface": (pcapng([FRAME], interface=1), "offset 56: expected one of the section's 1 interfaces, came 1"),
    "pcapng cut short": (pcapng([FRAME])[:-1], f"offset {len(pcapng([FRAME])) - 4}: expected the end of a pcapng block of 4 bytes, "
                                               "came the end of the file after 3"),
    "pcapng with two lengths": (pcapng([FRAME])[:-4] + bytes(4), f"offset {len(pcapng([FRAME])) - 4}: expected the block length "
                                                                 f"{len(FRAME) + 32} again, came 0"),
    "pcapng with an odd length": (pcapng([])[:32] + b"\x15" + pcapng([])[33:],
                                  "offset 32: expected a block length from 12 to 16777216, a multiple of 4, came 21"),
    "cut record": (pcap([FRAME]) + bytes(5),
                   f"offset {40 + len(FRAME)}: expected a record header of 16 bytes, came the end of the file after 5"),
    "cut frame": (pcap([FRAME])[:-1],
                  f"offset 40: expected a frame of {len(FRAME)} bytes, came the end of the file after {len(FRAME) - 1}"),
    "monstrous frame": (pcap([]) + bytes(8) + b"\xff" * 8, "offset 32: expected a captured length of at most 262144, came 4294967295"),
    "something else": (pcap([bytes(12) + b"\x86\xdd" + bytes(40)] * 3),
                       "offset 40: expected feed packets, came none in 3 frames; the first is Ethernet type 0x86dd"),
    "another protocol": (pcap([build_udp(bytes(19), destination_ip=GROUP_A, destination_port=PORT)]),
                         "offset 82: expected feed packets, came none in 1 frames; the first is a packet that contradicts itself "
                         "(a packet has at least 20 bytes, not 19)"),
    "another protocol inside": (pcap([packet_frame(1, [b"Z" + bytes(18)])]), "offset 104: expected a message type of ITCH 5.0, came 'Z'"),
    "wrong length inside": (pcap([packet_frame(1, [MESSAGES[0], MESSAGES[5] + b"x"])]),
                            "offset 142: expected 19 bytes for a message of type 'D', came 20"),
    "broken later": (pcap([FRAME, broken_packet()]),
                     f"offset {98 + len(FRAME)}: expected a MoldUDP64 packet like the others to 233.54.12.111:26477, "
                     "came a packet that contradicts itself (block 7 of 8 at byte 254 ends after the packet's 254 bytes)"),
    "snapped": (pcap([FRAME], snap=100),
                "offset 82: expected feed packets, came none in 1 frames; the first is a datagram cut to 100 of 296 bytes"),
}


@pytest.mark.parametrize("name", BAD_CAPTURES)
def test_a_bad_capture_is_one_line(tmp_path, name):
    data, line = BAD_CAPTURES[name]
    path = write(tmp_path, data)
    with pytest.raises(BadInput) as caught:
        list(read_packets(path))
    assert str(caught.value) == f"{path}, {line}"


def survives(path: Path) -> None:
    """Either packets or one line; a capture whose every checksum is wrong gives neither."""
    packets, line = outcome(read_packets(path))
    assert not (packets and line)
    assert not line or ONE_LINE.fullmatch(line)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(st.binary(max_size=120), max_size=4), tail=st.binary(max_size=30))
def test_any_frames_at_all(tmp_path, frames, tail):
    survives(write(tmp_path, pcap(frames) + tail))
    survives(write(tmp_path, pcapng(frames) + tail))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=4), cut=st.integers(0, 60),
       tags=st.lists(st.sampled_from([0x8100, 0x88A8]), max_size=2), capture=st.sampled_from([pcap, pcapng]))
def test_a_good_capture_with_wrong_bytes(tmp_path, changes, cut, tags, capture):
    frames = [vlan(packet_frame(1 + 7 * i, MESSAGES, udp_checksum=False), *tags) for i in range(2)]
    data = bytearray(capture(frames))
    for place, value in changes:
        data[place % len(data)] = value
    survives(write(tmp_path, bytes(data[:len(data) - cut])))


def test_market_data_both_lines():
    packets = list(read_packets(market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz")))
    lines = Counter(str(packet.line) for packet in packets)
    assert set(lines) == {"233.54.12.111:26477", "233.54.12.112:26477"}
    for line in lines:
        numbers = [
            packet.sequence + i for packet in packets if str(packet.line) == line for i, _ in enumerate(unpack_blocks(packet.payload))
        ]
        assert numbers == list(range(241_001, 241_001 + 10_837))


@pytest.mark.parametrize(("folder", "count"), [
    ("Nasdaq.Equities.TotalView.Itch.v5.0.20230822", 15), ("Bx.Equities.TotalView.Itch.v5.0.20230822", 12),
])
def test_packets_of_the_exchanges(folder, count):
    """VLAN tags, addresses blanked by their source, one type of message a file."""
    files = sorted(market_data(f"packets/{folder}").glob("*.pcap"))
    assert len(files) == count
    for path in files:
        assert sum(1 for packet in read_packets(path) for _ in unpack_blocks(packet.payload)) >= 1


@pytest.mark.parametrize("name", [
    "packets/Nasdaq.Nsm.Ouch.v5.0/EnterOrderMessage.pcap", "cboe/bats_mcastpitch_grp_useq.pcap", "cboe/bats_mcastpitch_spin_useq.pcap",
])
def test_captures_of_something_else(name):
    path = market_data(name)
    with pytest.raises(BadInput, match=r"expected feed packets, came none in \d+ frames; the first is"):
        list(read_packets(path))

"""Our reading of captures beside tshark's: addresses, lengths, and MoldUDP64's sessions, numbers and counts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sim.golden.moldudp64 import unpack_header
from sim.readers.frames import read_frames
from sim.readers.pcap import Datagram, parse_datagram, read_packets
from tests.data import market_data

CAPTURES = [
    "nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz", "nasdaq_itch50/20191230_premarket_AB_lossy.pcap.gz",
    "packets/Nasdaq.Equities.TotalView.Itch.v5.0.20230822/AddOrderNoMPID.pcap",
    "packets/Bx.Equities.TotalView.Itch.v5.0.20230822/OrderDeleteMessage.pcap",
    "cboe/AddOrderShortMessage.pcap", "cboe/ModifyOrderShortMessage.pcap", "cboe/MultipleMessages.pcap",
    "cboe/bats_mcastpitch_realtime_useq.pcap", "cboe/bats_mcastpitch_grp_useq.pcap", "iex/20231002_DEEP10_test.pcap.gz",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed, so there is nothing to compare our reading with"),
]


def tshark(path: Path, *fields: str, mold_ports: frozenset[int] = frozenset()) -> list[list[str]]:
    """These fields of every frame; empty where a frame has none."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    command += [argument for port in sorted(mold_ports) for argument in ("-d", f"udp.port=={port},moldudp64")]
    command += [argument for field in fields for argument in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", CAPTURES)
def test_headers(name):
    path = market_data(name)
    found = tshark(path, "eth.dst", "ip.dst", "udp.dstport", "udp.length")
    frames = list(read_frames(path))
    assert len(found) == len(frames)
    for frame, (mac, ip, port, length) in zip(frames, found, strict=True):
        datagram = parse_datagram(frame.data)
        if not isinstance(datagram, Datagram):
            assert not port
            continue
        assert int(mac.replace(":", ""), 16) == datagram.line.mac
        assert f"{ip}:{port}" == str(datagram.line)
        assert int(length) == 8 + len(datagram.payload)


@pytest.mark.parametrize("name", [name for name in CAPTURES if "itch" in name.lower()])
def test_sessions_numbers_and_counts_of_moldudp64(name):
    path = market_data(name)
    packets = list(read_packets(path))
    ports = frozenset(packet.line.port for packet in packets)
    rows = tshark(path, "udp.dstport", "moldudp64.session", "moldudp64.sequence", "moldudp64.count", mold_ports=ports)
    rows = [row[1:] for row in rows if row[0] and int(row[0]) in ports]
    assert len(rows) == len(packets) > 0
    for packet, (session, sequence, count) in zip(packets, rows, strict=True):
        header = unpack_header(packet.payload)
        assert (int(sequence), int(count, 0)) == (header.sequence, header.count)
        assert session.strip("\0\\ ") == header.session.decode("latin-1").strip("\0 ")

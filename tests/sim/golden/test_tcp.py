"""Segments are read and written as independent decoders and real captures have them."""

import random

import dpkt
import pytest

from sim.golden.tcp import ACK, FIN, MODULUS, PSH, RST, SYN, Endpoints, Peer, Segment, ahead, options, parse_tcp, tcp_frame
from tests.data import market_data

ENDS = Endpoints(0x020000000001, 0x020000000002, 0x0A000001, 0x0A000002, 40_000, 26_477)


@pytest.mark.parametrize("name", ["CancelOrderMessage", "CanceledMessage", "ClientHeartbeatPacket", "EnterOrderMessage"])
def test_real_segments(name):
    path = market_data(f"packets/Nasdaq.Nsm.Ouch.v5.0/{name}.pcap")
    with path.open("rb") as file:
        frames = [data for _, data in dpkt.pcap.Reader(file)]
    assert frames
    for data in frames:
        decoded = dpkt.ethernet.Ethernet(data)
        ip, tcp = decoded.data, decoded.data.data
        ends = Endpoints(*(int.from_bytes(field, "big") for field in (decoded.dst, decoded.src, ip.dst, ip.src)), tcp.dport, tcp.sport)
        segment = Segment(tcp.seq, tcp.ack, tcp.flags & 0x1F, tcp.win, tcp.data, tcp.opts)
        made = dpkt.ethernet.Ethernet(tcp_frame(ends, segment))
        assert bytes(made.data.data) == bytes(tcp)
        assert parse_tcp(bytes(made), ends) == segment


def test_frames_by_an_independent_decoder():
    rng = random.Random(1)
    for _ in range(50):
        segment = Segment(rng.getrandbits(32), rng.getrandbits(32), rng.choice([SYN, ACK, PSH | ACK, FIN | ACK, RST]), rng.getrandbits(16),
                          rng.randbytes(rng.randrange(60)), rng.randbytes(4 * rng.randrange(11)))
        data = tcp_frame(ENDS, segment)
        ip = dpkt.ethernet.Ethernet(data).data
        tcp, told = ip.data, ip.data.sum
        assert (tcp.seq, tcp.ack, tcp.flags, tcp.win, tcp.data, tcp.opts) == tuple(segment)
        assert dpkt.in_cksum(bytes(ip)[:20]) == 0
        tcp.sum = ip.sum = 0
        assert dpkt.ip.IP(bytes(ip)).data.sum == told  # dpkt computes it anew
        assert parse_tcp(data, ENDS) == segment
        broken = bytearray(data)
        broken[rng.randrange(26, 54)] ^= 1 << rng.randrange(8)
        assert parse_tcp(bytes(broken), ENDS) is None


def test_numbers_wrap():
    assert [ahead(a, b) for a, b in ((5, 3), (3, 5), (1, MODULUS - 1), (MODULUS - 1, 1), (1 << 31, 0))] == [2, -2, 2, -2, -(1 << 31)]
    assert options(bytes([1, 2, 4, 5, 180, 3, 3, 7, 0, 9])) == {2: b"\x05\xb4", 3: b"\7"}
    assert options(bytes([3, 3, 7, 2, 9, 1])) == {3: b"\7"}


def test_two_ends_of_the_model_would_understand_each_other():
    """A conversation by hand: what is kept out of order, what comes twice, what closes."""
    said = []
    peer = Peer(said.append, initial=100, window=50)
    peer.receive(Segment(MODULUS - 3, 0, SYN, 1000))
    assert (said.pop().flags, peer.state) == (SYN | ACK, "SYN-RECEIVED")
    peer.receive(Segment(MODULUS - 2, 101, ACK, 1000))
    assert peer.state == "ESTABLISHED"
    peer.receive(Segment(1, 101, ACK, 1000, b"def"))
    assert (said.pop().acknowledgment, bytes(peer.received)) == (MODULUS - 2, b"")
    peer.receive(Segment(MODULUS - 2, 101, ACK, 1000, b"abc"))
    assert (said.pop().acknowledgment, bytes(peer.received)) == (4, b"abcdef")
    peer.receive(Segment(1, 101, ACK, 1000, b"dXf"))
    assert (said.pop().window, peer.error) == (44, "")  # wholly old: not looked at
    peer.receive(Segment(1, 101, ACK, 1000, b"dXfg"))
    assert peer.error == "byte 3: sent again, and not the same"
    peer.receive(Segment(5, 101, FIN | ACK, 1000))
    assert peer.state == "CLOSE-WAIT"

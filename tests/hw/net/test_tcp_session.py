"""A TCP session of the card, compiled, against a peer written from RFC 9293: one thing at a time, and everything at once."""

import dpkt
import pytest

from hw.net.tcp_session import COUNTED, TcpSession
from hw.reasons import DownReason
from sim.golden.tcp import ACK, PSH, RST, SYN, Peer, Segment, parse_tcp, tcp_frame
from sim.verilated.tcp import CLOSE, OPEN, PULSES, STATES, CompiledTcp
from tests.hw.net.tcp_torture import ENDS, Torture

SHORT, LONG = 32, 10_000
"""Seeds of the torture."""


@pytest.fixture(scope="module")
def compiled():
    return CompiledTcp()


class Pair:
    """A card and a peer, with a wire of no length."""

    def __init__(self, card, *, initial=1000, peer_initial=5000, **settings):
        self.card, self.now, self.frames, self.deaf = card, 0, [], False
        self.peer = Peer(self.answer, initial=peer_initial, **{"scale": 3, "timeout": 100_000, **settings})
        card.reset()
        card.configure(ENDS, initial=initial, timeout=64, tries=5, tick_every=16, keep_alive=1000)
        card.run(10)

    def answer(self, segment):
        self.card.frame(tcp_frame(ENDS.turned(), segment))

    def run(self, cycles=500):
        """The segments that left in so many cycles."""
        end, segments = self.card.now + cycles, []
        while self.card.now < end:
            for frame in self.card.run(end - self.card.now):
                self.frames.append(frame)
                segments.append(parse_tcp(frame.data, ENDS))
                if not self.deaf:
                    self.peer.receive(segments[-1])
                    self.peer.work(self.card.now)
        return segments

    def connect(self):
        self.card.pulse(OPEN)
        segments = self.run()
        assert (self.card.state, self.peer.state) == ("ESTABLISHED", "ESTABLISHED")
        return segments


def test_names_of_the_shim_are_those_of_the_rtl():
    assert PULSES == COUNTED
    assert [name.replace("-", "_") for name in STATES] == [
        "CLOSED", "SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "LAST_ACK", "TIME_WAIT"]


def test_three_segments_open_and_an_independent_decoder_reads_them(compiled):
    pair = Pair(compiled)
    pair.connect()
    compiled.packet(bytes(range(50)))
    pair.run()
    syn, ack, order = (dpkt.ethernet.Ethernet(frame.data) for frame in pair.frames)
    for frame in (syn, ack, order):
        ip, tcp = frame.data, frame.data.data
        assert (ip.df, ip.mf, ip.offset, ip.p, ip.ttl) == (1, 0, 0, 6, 64)
        assert dpkt.in_cksum(bytes(ip)[:20]) == 0
        kept, tcp.sum = tcp.sum, 0
        pseudo = dpkt.struct.pack(">4s4sBBH", ip.src, ip.dst, 0, 6, len(tcp))
        assert dpkt.in_cksum(pseudo + bytes(tcp)) == kept
    assert dpkt.tcp.parse_opts(syn.data.data.opts) == [(2, b"\x05\xb4"), (3, b"\x00"), (1, b"")]
    assert (syn.data.data.flags, syn.data.data.seq, syn.data.data.win) == (SYN, 1000, 4096)
    assert (ack.data.data.flags, ack.data.data.seq, ack.data.data.ack, ack.data.data.opts) == (ACK, 1001, 5001, b"")
    assert (order.data.data.flags, order.data.data.data) == (PSH | ACK, bytes(range(50)))
    assert order.data.len == 90


def test_latency_and_an_order_every_sixteen_cycles(compiled):
    pair = Pair(compiled, window=1 << 20)
    pair.connect()
    compiled.packet(bytes(50))
    offered = compiled.now
    frame, = compiled.run(100)
    assert frame.cycle - offered == TcpSession.LATENCY == 1
    pair.peer.receive(parse_tcp(frame.data, ENDS))
    for _ in range(200):
        compiled.packet(bytes(50))
    pair.run(200 * 16)
    cycles = [frame.cycle for frame in pair.frames[-200:]]
    assert len(pair.peer.received) == 201 * 50
    assert max(b - a for a, b in zip(cycles, cycles[1:], strict=False)) <= 16


def test_the_window_is_never_exceeded_and_is_asked_for(compiled):
    pair = Pair(compiled, window=200, scale=None)
    pair.connect()
    for _ in range(4):
        compiled.packet(bytes(56))
    segments = pair.run(64 * 16 - 200)
    assert [len(segment.payload) for segment in segments] == [56, 56, 56]
    assert len(pair.peer.received) == 168
    probes = [segment for segment in pair.run(64 * 16 * 8) if not segment.payload]
    assert len(probes) >= 3
    assert {(segment.sequence, segment.flags) for segment in probes} == {(1001 + 167, ACK)}
    pair.peer.read(1000)
    assert [len(segment.payload) for segment in pair.run(100)] == [56]
    assert compiled.state == "ESTABLISHED"


def test_three_duplicates_bring_the_lost_packet_at_once_and_two_do_not(compiled):
    pair = Pair(compiled)
    pair.connect()
    compiled.packet(b"so that the window is known")
    pair.run(100)
    start = compiled.next
    pair.deaf = True
    for number in range(5):
        compiled.packet(bytes([number] * 50))
    first, *others = pair.run(120)
    for count, segment in enumerate(others, 1):
        pair.peer.receive(segment)
        again = pair.run(40)
        assert again == ([first] if count == 3 else []), count
    assert compiled.pulses["fast_retransmit"] == compiled.pulses["retransmitted"] == 1
    pair.peer.receive(first)
    assert pair.run(64 * 16 * 2) == []
    assert compiled.unacknowledged == compiled.next == start + 250


def test_the_timeout_doubles_and_the_session_is_given_up(compiled):
    pair = Pair(compiled)
    pair.connect()
    pair.deaf = True
    compiled.packet(b"only this one")
    pair.run(64 * 16 * 40)
    *sent, reset = pair.frames[2:]
    waits = [(b.cycle - a.cycle) / (64 * 16) for a, b in zip(sent, sent[1:], strict=False)]
    assert [round(wait) for wait in waits] == [1, 2, 4, 8]
    assert {frame.data for frame in sent} == {sent[0].data}
    assert parse_tcp(reset.data, ENDS).flags == RST
    assert (compiled.state, compiled.downs, compiled.reason) == ("CLOSED", 1, DownReason.TIMEOUT)


def test_keep_alive_asks_and_an_answer_calms_it(compiled):
    pair = Pair(compiled)
    pair.connect()
    assert pair.run(900 * 16) == []
    assert [(segment.sequence, segment.payload) for segment in pair.run(200 * 16)] == [(1000, b"")]
    assert compiled.state == "ESTABLISHED"
    pair.deaf = True
    assert len(pair.run(930 * 16)) == 1
    pair.run(64 * 16 * 40)
    assert compiled.reason == DownReason.TIMEOUT


@pytest.mark.parametrize(("offset", "state"), [(0, "CLOSED"), (1, "ESTABLISHED"), (4000, "ESTABLISHED"), (-1, "ESTABLISHED")])
def test_a_reset_counts_where_it_names_the_expected_byte(compiled, offset, state):
    pair = Pair(compiled)
    pair.connect()
    pair.answer(Segment(5001 + offset, 1001, RST, 0))
    segments = pair.run(50)
    assert compiled.state == state
    assert compiled.reason == (DownReason.RESET if offset == 0 else DownReason.NONE)
    assert len(segments) == (offset > 0)  # one in the window is answered


@pytest.mark.parametrize(("mss", "state"), [(63, "CLOSED"), (64, "ESTABLISHED"), (None, "ESTABLISHED")])
def test_who_takes_no_whole_packet_is_left(compiled, mss, state):
    pair = Pair(compiled, mss=mss)
    compiled.pulse(OPEN)
    pair.run()
    assert compiled.state == state
    assert compiled.reason == (DownReason.SMALL_MSS if state == "CLOSED" else DownReason.NONE)


def test_a_half_open_connection_is_cleared_up(compiled):
    """The other side still has the connection of before a restart: its answer to the SYN is one of that connection."""
    pair = Pair(compiled)
    pair.peer.state, pair.peer.expected = "ESTABLISHED", 77
    pair.peer.edge = 77 + 5000
    compiled.pulse(OPEN)
    pair.run(200)
    assert pair.peer.state == "CLOSED"
    pair.peer.__init__(pair.answer, initial=9000)
    pair.run(64 * 16 * 2)
    assert (compiled.state, pair.peer.state) == ("ESTABLISHED", "ESTABLISHED")


def test_one_session_after_the_other(compiled):
    """What the first left unread and unacknowledged is no part of the second."""
    pair = Pair(compiled)
    pair.connect()
    compiled.stall(read=100)
    pair.deaf = True
    compiled.packet(b"of the first")
    pair.peer.send(b"never read")
    pair.peer.work(0)
    pair.run(100)
    pair.answer(Segment(5011, 1001, RST, 0))
    pair.run(100)
    assert compiled.state == "CLOSED"
    pair.deaf = False
    pair.peer.__init__(pair.answer, initial=9000)
    compiled.configure(ENDS, initial=70_000)
    compiled.pulse(OPEN)
    pair.run()
    compiled.stall()
    pair.peer.send(b"of the second")
    pair.peer.work(compiled.now)
    pair.run()
    assert compiled.bytes() == b"of the second"
    assert not pair.peer.received


def test_what_finds_no_room_is_not_taken_and_comes_again(compiled):
    """More segments than the buffer can keep apart, from a peer that does not ask whether it may."""
    pair = Pair(compiled)
    pair.connect()
    compiled.stall(read=100)
    data = bytes(range(100))
    for at in range(100):
        pair.answer(Segment(5001 + at, 1001, PSH | ACK, 100, data[at:at + 1]))
    pair.run(3000)
    taken = compiled.expected - 5001
    assert 60 <= taken < 100
    assert compiled.pulses["out_of_order"] == 100 - taken
    compiled.stall()
    pair.run(2000)
    for at in range(taken, 100):
        pair.answer(Segment(5001 + at, 1001, PSH | ACK, 100, data[at:at + 1]))
    pair.run(3000)
    assert compiled.bytes() == data


def test_packets_without_a_connection_are_thrown_away(compiled):
    pair = Pair(compiled)
    compiled.packet(bytes(50))
    pair.run(100)
    assert (compiled.packets_left, compiled.pulses["refused"], pair.frames) == (0, 1, [])
    pair.connect()
    compiled.pulse(CLOSE)
    pair.run(20)
    compiled.packet(bytes(50))
    pair.run(100)
    assert (compiled.packets_left, compiled.pulses["refused"]) == (0, 2)
    assert pair.peer.state == "CLOSE-WAIT"
    assert not pair.peer.received


def torture(compiled, seeds):
    counts = dict.fromkeys(PULSES, 0)
    for seed in seeds:
        for name, count in Torture(compiled, seed).run().pulses.items():
            counts[name] += count
    return counts


def test_torture(compiled):
    """A failure tells its seed: python -m tests.hw.net.tcp_torture SEED shows every segment. Everything that is counted comes up."""
    assert all(torture(compiled, range(SHORT)).values())


@pytest.mark.slow
def test_long_torture(compiled):
    torture(compiled, range(LONG))

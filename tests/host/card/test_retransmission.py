"""Requests as the format has them, and all of what is missing from a server that answers in pieces, late, or not at all."""

import socket
import threading

import pytest

from host.card.retransmission import ATTEMPTS, NoReplyError, replies, request
from sim.golden.moldudp64 import pack_packet, pack_request, packets, read_packet, unpack_header
from sim.readers.pcap import read_packets
from tests.data import market_data

SESSION = b"000010059B"


class Server:
    """Answers on the loopback from messages by their number, as many as fit a packet; ``deaf`` requests stay without an answer."""

    def __init__(self, session, messages, *, deaf=(), noise=b""):
        self.session, self.messages, self.deaf, self.noise, self.asked = session, messages, deaf, noise, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self.socket.close()

    def client(self, timeout=0.3):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect(self.socket.getsockname())
        client.settimeout(timeout)
        return client

    def _serve(self):
        while not self._over.is_set():
            try:
                data, sender = self.socket.recvfrom(100)
            except TimeoutError:
                continue
            asked = unpack_header(data)
            self.asked.append((asked.sequence, asked.count))
            if len(self.asked) - 1 in self.deaf or asked.session != self.session:
                continue
            wanted = [self.messages[number] for number in range(asked.sequence, asked.sequence + asked.count) if number in self.messages]
            if self.noise:
                self.socket.sendto(self.noise, sender)
            if wanted:
                self.socket.sendto(next(packets(asked.session, asked.sequence, wanted)), sender)


def test_a_request_has_the_format():
    assert request(SESSION, 0x0102030405060708, 0x1112) == SESSION + bytes([1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12])
    assert request(SESSION, 246_016, 1) == pack_request(SESSION, 246_016, 1)


@pytest.mark.parametrize(("arguments", "line"), [
    ((b"SHORT", 1, 1), "10 characters, not 5"),
    ((SESSION, 0, 1), "sequence numbers are 1"), ((SESSION, 1 << 64, 1), "sequence numbers are 1"),
    ((SESSION, 1, 0), "1 to 65534 messages, not 0"), ((SESSION, 1, 0xFFFF), "1 to 65534 messages, not 65535"),
])  # fmt: skip
def test_what_can_not_be_asked_for(arguments, line):
    with pytest.raises(ValueError, match=line):
        request(*arguments)


def collect(server, first, count, most):
    with server.client() as client:
        found = [read_packet(packet) for packet in replies(client, SESSION, first, count, most=most)]
    assert all(len(packet.messages) <= most for packet in found)
    return [delivered for packet in found for delivered in packet.messages]


def test_all_of_a_gap_comes_in_pieces():
    """By the card's measure, and by what fits a packet."""
    messages = {number: bytes([number % 256]) * 300 for number in range(1, 60)}
    for most, requests in ((16, 10), (2, 20), (1, 40)):
        with Server(SESSION, messages) as server:
            assert collect(server, 10, 40, most) == [(number, messages[number]) for number in range(10, 50)]
            assert len(server.asked) == requests
            assert server.asked[0] == (10, most)


def test_a_lost_request_is_sent_again_and_foreign_packets_are_passed_over():
    messages = {number: b"M" * 20 for number in range(1, 9)}
    for noise in (b"?", pack_packet(b"ANOTHER001", 3, [b"X" * 20]), pack_packet(SESSION, 4, [b"X" * 20]), pack_packet(SESSION, 3, [])):
        with Server(SESSION, messages, deaf={0, 2}, noise=noise) as server:
            assert [number for number, _ in collect(server, 3, 4, 3)] == [3, 4, 5, 6]
            assert server.asked == [(3, 3), (3, 3), (6, 1), (6, 1)]


def test_a_server_that_has_nothing_is_given_up():
    with Server(SESSION, {}) as server, pytest.raises(NoReplyError, match=f"no reply to {ATTEMPTS} requests for message 5 of session"):
        collect(server, 5, 2, 4)


def test_a_capture_answers_for_what_both_lines_lost():
    """The gap of the lossy capture from the clean one."""
    path = market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz")
    messages, session = {}, b""
    for packet in read_packets(path, "itch50"):
        session = packet.session
        for number, message in enumerate(packet.wire.unpack(packet.payload).messages, packet.sequence):
            messages[number] = message
    with Server(session, messages) as server, server.client() as client:
        (reply,) = replies(client, session, 246_016, 1, most=16)
    assert read_packet(reply).messages == [(246_016, messages[246_016])]

"""SoupBinTCP at both ends: logins, replay, heartbeats, ends; and bytes that nobody should send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.golden.ouch50 import Packet, ProtocolError, frame, packets
from sim.venue.soupbin import SECOND, Account, ClientConnection, ServerConnection


class Desk:
    """An account and what came for it."""

    def __init__(self, *, messages=()):
        self.received, self.losses = [], 0
        self.account = Account("Tj", "Secret", "DAY1", receive=self.received.append, disconnected=self.lost)
        for message in messages:
            self.account.send(message)

    def lost(self):
        self.losses += 1

    def open(self, now=0):
        return ServerConnection({"TJ": self.account}, now)

    def login(self, now=0, **more):
        server, client = self.open(now), ClientConnection(**{"user": "TJ", "password": "SECRET", "now": now, **more})
        carry(client, server, now)
        return server, client


def carry(client, server, now=0):
    server.receive(client.take(), now)
    client.receive(server.take(), now)


def raw_login(user="TJ", password="SECRET", session="", sequence="1"):
    return frame(Packet("L", f"{user:<6}{password:<10}{session:>10}{sequence:>20}".encode()))


def test_a_login_and_its_answer_byte_by_byte():
    desk = Desk(messages=(b"one",))
    server, client = desk.open(), ClientConnection("TJ", "SECRET", 0, session="DAY1", sequence=1)
    sent = client.take()
    assert sent == b"\x00\x2fLTJ    SECRET          DAY1                   1"
    server.receive(sent, 0)
    assert server.take() == b"\x00\x1fA      DAY1                   1" b"\x00\x04Sone"


def test_messages_both_ways_and_heartbeats_in_between():
    desk = Desk()
    server, client = desk.login()
    desk.account.send(b"first")
    client.send(b"order")
    carry(client, server)
    assert (client.messages(), client.sequence, desk.received) == ([b"first"], 2, [b"order"])
    server.tick(SECOND - 1)
    client.tick(SECOND - 1)
    assert (server.take(), client.take()) == (b"", b"")
    server.tick(SECOND)
    client.tick(SECOND)
    assert (server.take(), client.take()) == (b"\0\1H", b"\0\1R")
    server.tick(SECOND + 1)
    assert server.take() == b"", "it has just said something"


def test_after_a_loss_what_was_missed_comes_again():
    desk = Desk()
    server, client = desk.login()
    for message in (b"1", b"2"):
        desk.account.send(message)
    carry(client, server)
    desk.account.send(b"3")
    server.close("cut")
    assert desk.losses == 1
    desk.account.send(b"4")
    server, again = desk.login(session=client.session, sequence=client.sequence)
    assert (again.messages(), again.sequence) == ([b"3", b"4"], 5)
    server.close("cut")
    _, newest = desk.login(sequence=0)
    desk.account.send(b"5")
    assert (newest.messages(), newest.sequence) == ([], 5)


@pytest.mark.parametrize(("login", "reason"), [
    ({"user": "ME"}, "A"), ({"password": "WRONG"}, "A"), ({"session": "DAY2"}, "S"), ({"sequence": 3}, "S"), ({"sequence": 2}, ""),
    ({"session": "DAY1", "password": "secret", "user": "tj"}, ""),
])
def test_logins_that_are_rejected(login, reason):
    server, client = Desk(messages=(b"one",)).login(**login)
    assert client.closed == (f"login rejected: {reason}" if reason else "")
    assert bool(server.closed) == bool(reason)
    assert client.logged_in != bool(reason)


def test_only_one_connection_at_a_time_and_none_after_the_end():
    desk = Desk()
    server, client = desk.login()
    assert desk.login()[1].closed == "login rejected: S"
    assert not server.closed
    desk.account.end()
    client.receive(server.take(), 0)
    assert client.ended
    client.logout()
    carry(client, server)
    assert (server.closed, desk.losses) == ("logout", 1)
    assert desk.login()[1].closed == "login rejected: S"


def test_who_says_nothing_is_given_up():
    desk = Desk()
    server, client = desk.login()
    silent = desk.open()
    for end in (server, client):
        end.tick(15 * SECOND - 1)
        assert not end.closed
        end.tick(15 * SECOND)
        assert end.closed == "the other side is silent"
    assert desk.losses == 1
    silent.tick(30 * SECOND - 1)
    assert not silent.closed
    silent.tick(30 * SECOND)
    assert silent.closed == "no login"


def test_debug_packets_are_passed_over():
    desk = Desk()
    server, client = desk.open(), ClientConnection("TJ", "SECRET", 0)
    server.receive(frame(Packet("+", b"hello")) + client.take() + frame(Packet("+")), 0)
    client.receive(frame(Packet("+", b"hello")) + server.take(), 0)
    assert client.logged_in
    assert not server.closed


@pytest.mark.parametrize(("data", "message"), [
    (frame(Packet("U", b"order")), "expected a login"),
    (raw_login(sequence="1x"), "a sequence number has digits alone"),
    (raw_login(sequence=""), "a sequence number has digits alone"),
    (raw_login()[:-1].replace(b"\x2f", b"\x2e"), "a login has 46 ASCII bytes"),
    (b"\0\0", "packet of length 0"),
    (raw_login() + raw_login(), "expected a packet of type U, R or O, got 'L'"),
    (raw_login() + frame(Packet("S", b"x")), "expected a packet of type U, R or O, got 'S'"),
])
def test_what_is_broken_closes_the_connection(data, message):
    desk = Desk()
    server = desk.open()
    server.receive(data, 0)
    assert message in server.closed
    assert desk.received == []
    server.receive(raw_login(), 0)
    answered = [packet.type for packet in packets([server.take()])]
    assert answered == (["A"] if data.startswith(raw_login()) else [])
    assert desk.account.connection is None


def delivered(stream):
    """What the server must take out of a stream: unsequenced data between a good login and the first thing that ends it."""
    received, logged_in = [], False
    try:
        for packet in packets([stream]):
            if packet.type == "+":
                continue
            if logged_in and packet.type == "U":
                received.append(packet.payload)
            elif not logged_in and frame(packet) == raw_login():
                logged_in = True
            elif not (logged_in and packet.type == "R"):
                break
    except ProtocolError:
        pass
    return received


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(st.one_of(
    st.binary(max_size=60),
    st.builds(lambda kind, body: frame(Packet(kind, body)), st.sampled_from("UUUR+AJSHZLO?"), st.binary(max_size=50)),
    st.just(raw_login())), max_size=6), st.integers(1, 80))
def test_any_bytes_at_either_end(login, chunks, size):
    desk = Desk(messages=(b"one",))
    server, client = desk.open(), ClientConnection("TJ", "SECRET", 0)
    stream = raw_login() * login + b"".join(chunks)
    for at in range(0, len(stream), size):
        server.receive(stream[at:at + size], 0)
        client.receive(stream[at:at + size], 0)
    assert desk.received == delivered(stream)
    assert (desk.account.connection is server) == (server.account is not None)
    assert not (server.closed and server.account)

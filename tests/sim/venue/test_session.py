"""The exchange on the kernel's own TCP and UDP, on the loopback."""

import asyncio
import contextlib
import socket
from dataclasses import replace

import pytest

from host.card.retransmission import replies
from sim.golden import itch50
from sim.golden.book import Book
from sim.golden.moldudp64 import MoldUdp64Model, read_packet
from sim.golden.ouch50 import Packet, decode, frame
from sim.venue.exchange import Exchange
from sim.venue.session import Addresses, VenueServer, WallClock
from sim.venue.settings import Login
from sim.venue.soupbin import ClientConnection
from tests.sim.venue.clients import QUIET, brief, enter_order

HOST = "127.0.0.1"
PATIENCE = 120
"""Seconds after which something that should come is taken not to."""


def listener(host=HOST):
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((host, 0))
    line.setblocking(False)
    return line


class Trader:
    """A client on a TCP connection. ``piece``: bytes that it sends at a time."""

    def __init__(self, reader, writer, wire, piece):
        self.reader, self.writer, self.wire, self.piece = reader, writer, wire, piece

    @classmethod
    async def login(cls, server, user="TJ", password="TRAPJAW", *, piece=1_000, **more):
        reader, writer = await asyncio.open_connection(*server.addresses.orders)
        trader = cls(reader, writer, ClientConnection(user, password, 0, **more), piece)
        await trader.flush()
        await trader.wait_for(lambda: trader.wire.logged_in or trader.wire.closed)
        return trader

    async def flush(self):
        data = self.wire.take()
        for at in range(0, len(data), self.piece):
            self.writer.write(data[at:at + self.piece])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def send(self, message):
        self.wire.send(message)
        await self.flush()

    async def wait_for(self, done):
        """Takes what comes until ``done``, or the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            while not done() and (data := await self.reader.read(4096)):
                self.wire.receive(data, 0)

    async def messages(self, number):
        told = []

        def enough():
            told.extend(decode(message, inbound=False) for message in self.wire.messages())
            return len(told) >= number

        await self.wait_for(enough)
        return told


def play(scenario, settings=QUIET, lines=None):
    """Runs a scenario with a venue whose day begins at once; the venue listens on ports of the system's choice."""
    async def run():
        exchange = Exchange(replace(settings, before=1))
        where = lines or [(HOST, 9), (HOST, 9)]
        server = VenueServer(exchange, Addresses((HOST, 0), (HOST, 0), tuple(where)), WallClock(exchange.now))
        await server.start()
        running = asyncio.create_task(server.run())
        try:
            async with asyncio.timeout(3 * PATIENCE):
                await scenario(server)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await server.stop()

    asyncio.run(run())


def test_orders_in_feed_out_and_lost_messages_again():
    sockets = [listener(), listener()]

    async def scenario(server):
        loop, models, books = asyncio.get_running_loop(), [MoldUdp64Model(), MoldUdp64Model()], [Book(), Book()]
        trader = await Trader.login(server, piece=7)
        for user_ref, side in ((1, "B"), (2, "S")):
            await trader.send(enter_order(user_ref=user_ref, side=side, price=24_0000 if side == "B" else 24_0100))
        told = await trader.messages(3)
        assert [name for name, _ in brief(told)] == ["system_event", "accepted", "accepted"]
        locate = server.exchange.locates["ANTS    "]
        for line, model, book in zip(sockets, models, books, strict=True):
            async with asyncio.timeout(PATIENCE):
                while not book.top(locate).ask_shares:
                    for _, message in model.packet(await loop.sock_recv(line, 2_000)).messages:
                        if event := itch50.decode(message):
                            book.apply(event)
            top = book.top(locate)
            assert (top.bid_price, top.bid_shares, top.ask_price, top.ask_shares) == (24_0000, 100, 24_0100, 100)

        def ask_again():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(server.addresses.requests)
                client.settimeout(PATIENCE)
                return list(replies(client, server.exchange.feed.session, 2, models[0].expected - 2, most=4))

        again = [got for packet in await asyncio.to_thread(ask_again) for got in read_packet(packet).messages]
        assert [(number, message) for number, message in again] == [
            (number, server.exchange.feed.messages[number - 1]) for number in range(2, models[0].expected)]

    play(scenario, lines=[line.getsockname() for line in sockets])
    for line in sockets:
        line.close()


def test_several_clients_trade_and_a_cut_one_comes_back():
    async def scenario(server):
        first, second = [await Trader.login(server, user, user) for user in ("ONE", "TWO")]
        await first.send(enter_order(user_ref=1, side="B"))
        assert (await first.messages(2))[-1].name == "accepted"
        await second.send(enter_order(user_ref=1, side="S", quantity=40))
        assert brief(await second.messages(3))[-1][1]["quantity"] == 40
        assert brief(await first.messages(1)) == [("executed", {"user_ref": 1, "quantity": 40, "price": 24_0000, "liquidity": "A"})]
        server.exchange.disconnect("ONE")
        await first.wait_for(lambda: False)
        assert first.reader.at_eof()
        again = await Trader.login(server, "ONE", "ONE", session=first.wire.session, sequence=first.wire.sequence)
        assert brief(await again.messages(1)) == [("canceled", {"user_ref": 1, "quantity": 60, "reason": "S"})]

    play(scenario, replace(QUIET, logins=(Login("ONE", "ONE"), Login("TWO", "TWO"))))


def test_a_client_that_goes_is_canceled():
    async def scenario(server):
        trader = await Trader.login(server)
        await trader.send(enter_order(user_ref=1))
        await trader.messages(2)
        assert server.exchange.engine.orders
        trader.writer.transport.abort()
        async with asyncio.timeout(PATIENCE):
            while server.exchange.engine.orders:
                await asyncio.sleep(0.001)
        assert not server.clients

    play(scenario)


def test_wrong_bytes_end_one_connection_alone():
    async def scenario(server):
        good = await Trader.login(server)
        reader, bad = await asyncio.open_connection(*server.addresses.orders)
        bad.write(frame(Packet("Q", b"nonsense")))
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        await good.send(enter_order(user_ref=1))
        assert (await good.messages(2))[-1].name == "accepted"

    play(scenario)


def test_a_client_that_does_not_read_is_cut(monkeypatch):
    monkeypatch.setattr("sim.venue.session.MOST_UNREAD", 100_000)

    async def scenario(server):
        trader = await Trader.login(server)
        client, = server.clients
        async with asyncio.timeout(PATIENCE):
            while server.clients:
                client.connection.put("S", bytes(60_000))
                await asyncio.sleep(0)
        assert not trader.writer.is_closing()

    play(scenario)


def test_multicast_lines():
    group = "239.192.74.250"
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((group, 0))
    try:
        line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(HOST))
    except OSError as error:
        pytest.skip(f"no multicast on the loopback here: {error}")
    line.setblocking(False)

    async def scenario(server):
        loop = asyncio.get_running_loop()
        packet = await asyncio.wait_for(loop.sock_recv(line, 2_000), PATIENCE)
        assert read_packet(packet).span.session == server.exchange.feed.session

    play(scenario, lines=[line.getsockname(), (HOST, 9)])
    line.close()


def test_an_address_that_is_taken_is_an_error_and_leaves_nothing_bound():
    async def scenario(server):
        taken = server.addresses
        other = VenueServer(Exchange(QUIET), Addresses((HOST, 0), taken.requests, taken.lines), WallClock(0))
        with pytest.raises(OSError, match="in use"):
            await other.start()
        assert not other._listener.is_serving()
        with pytest.raises(OSError, match="in use"):
            await VenueServer(Exchange(QUIET), Addresses(taken.orders, (HOST, 0), taken.lines), WallClock(0)).start()

    play(scenario)

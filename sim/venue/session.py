"""An exchange on sockets and on the clock of the wall: TCP for orders, UDP for the feed's two lines and for requests to send again."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import cast

from sim.venue.exchange import Exchange
from sim.venue.soupbin import ServerConnection

STEP = 0.0005
"""Seconds between two looks at the clock."""

MOST_UNREAD = 8_000_000
"""Bytes that may wait for a client that does not read; then it is cut."""

Address = tuple[str, int]


@dataclass(frozen=True)
class Addresses:
    """Where one venue is. Ports that are 0 are chosen by the system, where the venue listens.

    Attributes
    ----------
    orders, requests : (host, port)
        Where it listens: TCP for OUCH, UDP for MoldUDP64 requests.
    lines : pair of (host, port)
        Where lines A and B go: multicast groups, or hosts.
    """

    orders: Address
    requests: Address
    lines: tuple[Address, Address]


class WallClock:
    """Nanoseconds since midnight, of a midnight of its own: it stands at ``begin`` when it is made."""

    def __init__(self, begin: int):
        self._offset = begin - time.monotonic_ns()

    def __call__(self) -> int:
        return time.monotonic_ns() + self._offset


class VenueServer:
    """One exchange on its sockets.

    Parameters
    ----------
    exchange : Exchange
    addresses : Addresses
    clock : callable
        Nanoseconds since midnight; the exchange is where this is.

    Attributes
    ----------
    addresses : Addresses
        Once started, with the ports that it has.
    counts : Counter
        ``lost``: packets that the system did not take.
    """

    def __init__(self, exchange: Exchange, addresses: Addresses, clock: Callable[[], int]):
        self.exchange, self.addresses = exchange, addresses
        self.counts: Counter[str] = Counter()
        self.clients: set[_Client] = set()
        self._clock = clock

    async def start(self) -> None:
        """Binds. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._feed = _sender(self.addresses.orders[0])
        try:
            self._listener = await loop.create_server(lambda: _Client(self), *self.addresses.orders)
        except OSError:
            self._feed.close()
            raise
        try:
            self._requests, _ = await loop.create_datagram_endpoint(lambda: _Requests(self), local_addr=self.addresses.requests)
        except OSError:
            self._listener.close()
            self._feed.close()
            raise
        self.addresses = Addresses(self._listener.sockets[0].getsockname(), self._requests.get_extra_info("sockname"), self.addresses.lines)

    async def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Until told otherwise."""
        while not until():
            self.step()
            await asyncio.sleep(STEP)

    async def stop(self) -> None:
        self._listener.close()
        for client in list(self.clients):
            client.transport.close()
        self._requests.close()
        await asyncio.sleep(0)  # what is closed is closed in the loop's next turn
        self._feed.close()

    def step(self) -> None:
        """Brings the exchange to now, and sends what it has to say."""
        self.exchange.advance(self._clock())
        for sent in self.exchange.packets():
            try:
                self._feed.sendto(sent.packet, self.addresses.lines[sent.line])
            except OSError:
                self.counts["lost"] += 1
        for client in list(self.clients):
            client.flush()


class _Client(asyncio.Protocol):
    """A client's TCP connection."""

    transport: asyncio.Transport
    connection: ServerConnection

    def __init__(self, server: VenueServer):
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._server.step()
        self.connection = self._server.exchange.connect()
        self._server.clients.add(self)

    def data_received(self, data: bytes) -> None:
        self._server.step()
        self.connection.receive(data, self._server.exchange.now)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.close("the connection is lost")
        self._server.clients.discard(self)

    def flush(self) -> None:
        if data := self.connection.take():
            self.transport.write(data)
        if self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.connection.close("it does not read")
            self.transport.abort()
        elif self.connection.closed:
            self.transport.close()


class _Requests(asyncio.DatagramProtocol):
    """Requests for messages that were lost."""

    def __init__(self, server: VenueServer):
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._server.step()
        if packet := self._server.exchange.retransmission.answer(data, addr):
            self._transport.sendto(packet, addr)


def _sender(interface: str) -> socket.socket:
    """Sends the feed. Multicast goes out of the interface at which orders come in, and stays on this machine's networks."""
    feed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    feed.setblocking(False)
    if interface != "0.0.0.0":
        feed.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, IPv4Address(interface).packed)
    feed.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    feed.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    return feed

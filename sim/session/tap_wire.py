"""The wires between a simulated card and venues behind the Linux kernel: frames go over a TAP device, the venues stand on sockets."""

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from host.card.simulated import SimulatedCard
from sim.session.market_wire import FeedFrame, MarketWire
from sim.session.venue_end import VenueEnd
from sim.venue.session import Addresses, VenueServer
from sim.verilated.tap import Tap

MULTICAST = b"\x01\x00\x5e"


class TapWire(MarketWire):
    """As ``MarketWire``, with the kernel's TCP, ARP and multicast in between. Time goes on with the card's.

    It wants a network that is its own, as in a namespace: it gives the device the venues' addresses and a route for multicast.

    Parameters
    ----------
    name : str
        Of the TAP device, which lives as long as this object.
    card, venues, clock_hz, feed
        As of ``MarketWire``; of each VenueEnd only the exchange and the addresses are used, and all have one Ethernet address.

    Raises
    ------
    OSError
        There is no such device here, or no privilege to make one.
    """

    def __init__(self, name: str, card: SimulatedCard, venues: Sequence[VenueEnd], clock_hz: int,
                 feed: Callable[[FeedFrame], None] | None = None):
        super().__init__(card, venues, clock_hz, feed)
        self._tap, self._loop = Tap(name), asyncio.new_event_loop()
        self._ports: dict[int, tuple[int, int]] = {}
        self._servers = []
        self._give_addresses(name)
        for number, venue in enumerate(venues):
            host = str(IPv4Address(venue.ends.destination_ip))
            assert venue.lines is not None
            lines = (str(IPv4Address(line.ip)) for line in venue.lines)
            first, second = ((group, line.port) for group, line in zip(lines, venue.lines, strict=True))
            self._servers.append(VenueServer(
                venue.exchange, Addresses((host, venue.ends.destination_port), (host, 0), (first, second)),
                lambda exchange=venue.exchange: max(self.now, exchange.now)))
            self._ports.update({line.ip: (number, place) for place, line in enumerate(venue.lines)})
        for server in self._servers:
            self._loop.run_until_complete(server.start())

    def close(self) -> None:
        for server in self._servers:
            self._loop.run_until_complete(server.stop())
        self._loop.close()
        self._tap.close()

    def _give_addresses(self, name: str) -> None:
        mac = self._venues[0].ends.destination_mac.to_bytes(6, "big").hex(":")
        hosts = [IPv4Address(venue.ends.destination_ip) for venue in self._venues]
        for command in ("link set lo up", f"link set {name} address {mac} mtu 1500", *(f"addr add {host}/24 dev {name}" for host in hosts),
                        f"link set {name} up", f"route add {IPv4Address(self._any_group())}/8 dev {name}"):
            result = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
            if result.returncode:
                raise OSError(f"ip {command}: {result.stderr.strip()}")

    def _any_group(self) -> int:
        lines = self._venues[0].lines
        assert lines is not None
        return lines[0].ip & 0xFF000000

    def carry(self) -> None:
        """What has left goes to the kernel, and what the kernel sends to the card."""
        for frame in self._card.take_frames():
            self.frames.append(frame)
            self._tap.send(frame.data)
        for server in self._servers:
            server.step()
        for _ in range(3):  # connections are looked at, bytes are read, answers are written
            self._loop.run_until_complete(asyncio.sleep(0))
        while frame := self._tap.receive():
            if not frame.startswith(MULTICAST):
                if self._card.reply_port is not None:
                    self._card.queue(self._card.reply_port, [frame])
            elif (place := self._ports.get(int.from_bytes(frame[30:34], "big"))) is not None and frame[23] == 17:
                self._send(*place, frame)

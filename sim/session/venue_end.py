"""A venue at the other end of the card's wires, without sockets: the exchange simulator behind a TCP and an ARP of its own."""

from sim.flow.framing import FeedAddressing
from sim.golden.arp import REPLY, REQUEST, Arp, arp_frame, parse_arp
from sim.golden.ethernet import build_udp
from sim.golden.tcp import SYN, Endpoints, Peer, Segment, parse_tcp, tcp_frame
from sim.venue.exchange import Exchange
from sim.venue.soupbin import ServerConnection

TIMEOUT = 1_000_000
"""Nanoseconds until the venue's TCP sends again."""
ISSUE_STEP = 64_000
"""Between the first sequence numbers of two connections."""


class VenueEnd:
    """Takes the card's frames, and gives those for it.

    Parameters
    ----------
    exchange : Exchange
    ends : Endpoints
        Of the card's segments to this venue.
    lines : pair of FeedAddressing or None
        Where its feed's lines go; None: nowhere.

    Attributes
    ----------
    deaf, mute : bool
        Frames of the card are lost on their way; those for the card are.
    card_mac : int or None
        Ethernet address that the card has answered.
    connection : ServerConnection or None
        The exchange's side of the connection there is.
    """

    def __init__(self, exchange: Exchange, ends: Endpoints, lines: tuple[FeedAddressing, FeedAddressing] | None):
        self.exchange, self.ends, self.lines = exchange, ends, lines
        self.deaf = self.mute = False
        self.card_mac: int | None = None
        self.connection: ServerConnection | None = None
        self._tcp: Peer | None = None
        self._out: list[bytes] = []
        self._heard, self._connections = 0, 0

    def take(self, frame: bytes) -> bool:
        """A frame of the card; whether it was for this venue."""
        if (question := parse_arp(frame)) is not None:
            return self._resolve(question)
        segment = parse_tcp(frame, self.ends)
        if segment is None:
            return False
        if self.deaf:
            return True
        if segment.flags & SYN and (self._tcp is None or self._tcp.state in ("CLOSED", "TIME-WAIT")):
            self._connections += 1
            self._tcp = Peer(self._send, initial=self._connections * ISSUE_STEP, timeout=TIMEOUT)
            self.connection, self._heard = self.exchange.connect(), 0
        if self._tcp is not None:
            self._tcp.receive(segment)
            self._pass_on(self._tcp)
        return True

    def work(self) -> None:
        """Lets the exchange and its TCP say what they have to say, at the exchange's time."""
        if self._tcp is not None:
            self._pass_on(self._tcp)

    def frames(self) -> list[bytes]:
        """Those for the card's order port since the last call."""
        frames, self._out = self._out, []
        return [] if self.mute else frames

    def feed(self) -> list[tuple[int, int, bytes]]:
        """Time, line and frame of each packet of the feed since the last call."""
        if self.lines is None:
            return []
        return [
            (sent.time, sent.line, build_udp(sent.packet, destination_ip=self.lines[sent.line].ip,
                                             destination_port=self.lines[sent.line].port))
            for sent in self.exchange.packets()]

    def ask(self) -> None:
        """Asks for the card's Ethernet address, as a venue does that has forgotten it."""
        self._out.append(arp_frame(Arp(REQUEST, self.ends.destination_mac, self.ends.destination_ip, 0, self.ends.source_ip)))

    def _pass_on(self, tcp: Peer) -> None:
        """Bytes both ways between TCP and exchange, and the end of either."""
        connection = self.connection
        if connection is None:
            return
        connection.receive(bytes(tcp.received[self._heard:]), self.exchange.now)
        tcp.read(len(tcp.received) - self._heard)
        self._heard = len(tcp.received)
        if tcp.state in ("CLOSE-WAIT", "CLOSED") and not connection.closed:
            connection.close("the connection is lost")
        tcp.send(connection.take())
        if connection.closed:
            tcp.close()
        tcp.work(self.exchange.now)

    def _send(self, segment: Segment) -> None:
        self._out.append(tcp_frame(self.ends.turned(), segment))

    def _resolve(self, packet: Arp) -> bool:
        if packet.target_ip != self.ends.destination_ip:
            return False
        if packet.operation == REQUEST:
            self._out.append(arp_frame(Arp(
                REPLY, self.ends.destination_mac, self.ends.destination_ip, packet.sender_mac, packet.sender_ip)))
        else:
            self.card_mac = packet.sender_mac
        return True

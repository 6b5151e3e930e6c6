"""TCP in bytes, and the other side of a connection: the one that listens, written from RFC 9293 (section 3.10.7) on plain integers.

The peer keeps what comes out of order, sends again from where it likes and in pieces of any size, and offers what window it is told to.
"""

from collections.abc import Callable
from typing import NamedTuple

from sim.golden.ethernet import ETHERTYPE_IPV4, SHORTEST_FRAME, checksum

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PROTOCOL_TCP = 6
MODULUS = 1 << 32


class Endpoints(NamedTuple):
    """Of a segment that is sent; numbers as written on paper."""

    destination_mac: int
    source_mac: int
    destination_ip: int
    source_ip: int
    destination_port: int
    source_port: int

    def turned(self) -> "Endpoints":
        """Of the answer."""
        return Endpoints(self.source_mac, self.destination_mac, self.source_ip, self.destination_ip,
                         self.source_port, self.destination_port)


class Segment(NamedTuple):
    sequence: int
    acknowledgment: int
    flags: int
    window: int
    payload: bytes = b""
    options: bytes = b""

    @property
    def end(self) -> int:
        """Sequence number behind it; SYN and FIN take one."""
        return (self.sequence + len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)) % MODULUS


def ahead(a: int, b: int) -> int:
    """How far ``a`` is ahead of ``b``; negative if it is behind (RFC 9293, 3.4)."""
    return (a - b + MODULUS // 2) % MODULUS - MODULUS // 2


def tcp_frame(endpoints: Endpoints, segment: Segment) -> bytes:
    """Ethernet II, IPv4 without options, TCP; zeros up to 60 bytes; no FCS."""
    options = segment.options.ljust(-(-len(segment.options) // 4) * 4, b"\0")
    addresses = endpoints.source_ip.to_bytes(4, "big") + endpoints.destination_ip.to_bytes(4, "big")
    tcp = bytearray(endpoints.source_port.to_bytes(2, "big") + endpoints.destination_port.to_bytes(2, "big"))
    tcp += segment.sequence.to_bytes(4, "big") + segment.acknowledgment.to_bytes(4, "big")
    tcp += bytes([(5 + len(options) // 4) << 4, segment.flags]) + segment.window.to_bytes(2, "big") + bytes(4) + options + segment.payload
    pseudo = addresses + bytes([0, PROTOCOL_TCP]) + len(tcp).to_bytes(2, "big")
    tcp[16:18] = checksum(pseudo + bytes(tcp)).to_bytes(2, "big")
    ip = bytearray(b"\x45\0" + (20 + len(tcp)).to_bytes(2, "big") + b"\0\0\x40\0" + bytes([64, PROTOCOL_TCP, 0, 0]) + addresses)
    ip[10:12] = checksum(bytes(ip)).to_bytes(2, "big")
    ethernet = endpoints.destination_mac.to_bytes(6, "big") + endpoints.source_mac.to_bytes(6, "big") + ETHERTYPE_IPV4.to_bytes(2, "big")
    return (ethernet + bytes(ip) + bytes(tcp)).ljust(SHORTEST_FRAME, b"\0")


def parse_tcp(frame: bytes, endpoints: Endpoints) -> Segment | None:
    """The segment in a frame from these endpoints; None for anything else, and for whatever is broken."""
    wanted = endpoints.destination_mac.to_bytes(6, "big"), ETHERTYPE_IPV4.to_bytes(2, "big")
    ip = frame[14:34]
    if (frame[:6], frame[12:14]) != wanted or len(ip) < 20 or ip[0] != 0x45 or checksum(ip) or ip[9] != PROTOCOL_TCP:
        return None
    if int.from_bytes(ip[6:8], "big") & 0x3FFF or ip[12:20] != (
            endpoints.source_ip.to_bytes(4, "big") + endpoints.destination_ip.to_bytes(4, "big")):
        return None
    length = int.from_bytes(ip[2:4], "big") - 20
    tcp = frame[34:34 + length]
    if len(tcp) != length or length < 20 or checksum(ip[12:20] + bytes([0, PROTOCOL_TCP]) + length.to_bytes(2, "big") + tcp):
        return None
    offset = tcp[12] >> 4
    ports = endpoints.source_port.to_bytes(2, "big") + endpoints.destination_port.to_bytes(2, "big")
    if tcp[:4] != ports or offset < 5 or 4 * offset > length:
        return None
    sequence, acknowledgment = int.from_bytes(tcp[4:8], "big"), int.from_bytes(tcp[8:12], "big")
    return Segment(sequence, acknowledgment, tcp[13] & 0x1F, int.from_bytes(tcp[14:16], "big"), tcp[4 * offset:], tcp[20:4 * offset])


class Peer:
    """The listening side of one connection.

    Parameters
    ----------
    transmit : callable
        Takes each Segment that it sends.
    initial : int
        Its first sequence number.
    window : int
        Bytes of its receive buffer.
    scale : int or None
        Window scale of its SYN; None: the option is not there.
    mss : int or None
        The same of the largest segment that it takes.
    timeout : int
        Between two tries, in the units of ``now``.

    Attributes
    ----------
    state : str
        The names of RFC 9293, 3.3.2.
    received : bytearray
        All that came, in order.
    piece, flight : int
        Bytes of the longest segment that it sends, and how many of these may be under way.
    expected, edge : int
        Sequence numbers: the next byte of the card's; behind what it was ever told that it may send.
    error : str
        What the card did that it must not do; "" as long as there is nothing.
    """

    def __init__(self, transmit: Callable[[Segment], object], *, initial: int, window: int = 65_535, scale: int | None = 0,
                 mss: int | None = 1460, timeout: int = 1000):
        self.state = "LISTEN"
        self.received, self.error = bytearray(), ""
        self.window = window
        self.unread = 0
        self.piece, self.flight = 1460, 16
        self._transmit, self._mss, self._timeout = transmit, mss, timeout
        self._scale = scale
        self._initial = self._una = self._next = initial
        self.expected = self.edge = self._first = 0
        self._pending = bytearray()  # from _una on, but for SYN and FIN
        self._their_window = 0
        self._later: dict[int, bytes] = {}
        self._fin_wanted = self._fin_sent = False
        self._their_fin: int | None = None
        self._deadline: int | None = None
        self._fin_ever, self._most = False, 0

    # What the application does

    def send(self, data: bytes) -> None:
        self._pending += data

    def close(self) -> None:
        self._fin_wanted = True

    def reset(self, offset: int = 0) -> None:
        """Sends a RST ``offset`` beyond the number that the card expects; with 0 the connection is gone."""
        self._transmit(Segment((self._next + offset) % MODULUS, self.expected, RST | ACK, 0))
        if not offset:
            self.state = "CLOSED"

    def read(self, count: int) -> None:
        """The application takes bytes out of the receive buffer."""
        was, self.unread = self.unread, max(0, self.unread - count)
        if was != self.unread and self.state not in ("LISTEN", "SYN-RECEIVED", "CLOSED"):
            self._acknowledge()

    @property
    def unacknowledged(self) -> int:
        """Bytes that the card has not acknowledged."""
        return len(self._pending)

    # What the network does

    def work(self, now: int) -> None:
        """Sends what may be sent, and again what was not acknowledged for long."""
        if self.state in ("LISTEN", "CLOSED"):
            return
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            if self.state == "SYN-RECEIVED":
                self._answer_syn()
            else:
                self._next, self._fin_sent = self._una, False
        if self.state != "SYN-RECEIVED":
            self._send_pending()
        if self._una != self._next or self._pending or self._fin_wanted and not self._fin_sent:
            if self._deadline is None:
                self._deadline = now + self._timeout
        else:
            self._deadline = None

    def receive(self, segment: Segment) -> None:
        """RFC 9293, 3.10.7.2 to 3.10.7.4."""
        if self.state == "CLOSED":
            if not segment.flags & RST:
                self._transmit(Segment(segment.acknowledgment, 0, RST, 0) if segment.flags & ACK
                               else Segment(0, segment.end, RST | ACK, 0))
        elif self.state == "LISTEN":
            self._listen(segment)
        elif self._acceptable(segment):
            self._process(segment)
        elif not segment.flags & RST:
            if self.state == "SYN-RECEIVED" and segment.flags & SYN:
                self._answer_syn()
            else:
                self._acknowledge()

    def _listen(self, segment: Segment) -> None:
        if segment.flags & RST:
            return
        if segment.flags & ACK:
            self._transmit(Segment(segment.acknowledgment, 0, RST, 0))
        elif segment.flags & SYN:
            self._first = self.expected = (segment.sequence + 1) % MODULUS
            kinds = options(segment.options)
            if 3 not in kinds:
                self._scale = None
            self.state = "SYN-RECEIVED"
            self._answer_syn()
            self._next = (self._initial + 1) % MODULUS

    def _answer_syn(self) -> None:
        chosen = b"" if self._mss is None else b"\2\4" + self._mss.to_bytes(2, "big")
        if self._scale is not None:
            chosen += bytes([1, 3, 3, self._scale])
        self.edge = (self.expected + min(self.window, 65_535)) % MODULUS
        self._transmit(Segment(self._initial, self.expected, SYN | ACK, min(self.window, 65_535), options=chosen))

    def _room(self) -> int:
        """What is offered: in the units of the scale, and never less than was."""
        shift = self._scale or 0
        free = max(0, self.window - self.unread)
        offered = max(free >> shift << shift, ahead(self.edge, self.expected))
        return min(-(-offered >> shift), 65_535)

    def _acknowledge(self, payload: bytes = b"", flags: int = 0, sequence: int | None = None) -> None:
        room = self._room()
        edge = (self.expected + (room << (self._scale or 0))) % MODULUS
        if ahead(edge, self.edge) > 0:
            self.edge = edge
        self._transmit(Segment(self._next if sequence is None else sequence, self.expected, ACK | flags, room, payload))

    def _acceptable(self, segment: Segment) -> bool:
        window = ahead(self.edge, self.expected)
        length = ahead(segment.end, segment.sequence)
        begin, last = ahead(segment.sequence, self.expected), ahead(segment.sequence + length - 1, self.expected)
        if length == 0:
            return begin == 0 if window == 0 else 0 <= begin < window
        return window > 0 and (0 <= begin < window or 0 <= last < window)

    def _process(self, segment: Segment) -> None:
        if segment.flags & RST:
            if segment.sequence == self.expected:
                self.state = "CLOSED"
            else:
                self._acknowledge()
            return
        if segment.flags & SYN:
            self._acknowledge()
            return
        if not segment.flags & ACK:
            return
        acked = ahead(segment.acknowledgment, self._una)
        if ahead(segment.acknowledgment, self.highest) > 0:
            self.error = self.error or "it acknowledges what was never sent"
            return
        if self.state == "SYN-RECEIVED":
            if acked < 1:
                return
            self.state, self._una, acked = "ESTABLISHED", (self._initial + 1) % MODULUS, acked - 1
        if acked > 0:
            fin = self._fin_ever and segment.acknowledgment == self.highest
            del self._pending[:acked - fin]
            self._una = segment.acknowledgment
            if ahead(self._next, self._una) < 0:
                self._next = self._una
            self._deadline = None
            if fin:
                self._fin_sent = True
                self.state = {"FIN-WAIT-1": "FIN-WAIT-2", "CLOSING": "TIME-WAIT", "LAST-ACK": "CLOSED"}.get(self.state, self.state)
        if acked >= 0:
            self._their_window = segment.window
        self._take(segment)

    @property
    def highest(self) -> int:
        """Sequence number behind all that was ever sent."""
        return (self._initial + max(self._most, ahead(self._next, self._initial))) % MODULUS

    def _take(self, segment: Segment) -> None:
        """Payload and FIN, in whatever order they come."""
        payload, sequence = segment.payload, segment.sequence
        if segment.flags & FIN:
            self._their_fin = (sequence + len(payload)) % MODULUS
        if not payload and not segment.flags & FIN:
            return
        room = ahead(self.edge, sequence)
        if len(payload) > room:
            self.error = self.error or f"{len(payload) - room} bytes beyond the window"
        if payload:
            self._later[ahead(sequence, self._first)] = payload
        self._assemble()
        if self._their_fin is not None and self._their_fin == self.expected:
            self.expected, self._their_fin = (self.expected + 1) % MODULUS, None
            self.edge = max(self.edge, self.expected, key=lambda edge: ahead(edge, self.expected))
            self.state = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT"}.get(self.state, self.state)
        self._acknowledge()

    def _assemble(self) -> None:
        """What is there from the expected byte on. A byte that comes again must be the byte that it was."""
        for begin in sorted(self._later):
            payload, have = self._later[begin], len(self.received)
            if begin > have:
                break
            overlap = self.received[begin:begin + len(payload)]
            if bytes(overlap) != payload[:len(overlap)]:
                self.error = self.error or f"byte {begin}: sent again, and not the same"
            fresh = payload[have - begin:]
            self.received += fresh
            self.unread += len(fresh)
            self.expected = (self.expected + len(fresh)) % MODULUS
            del self._later[begin]

    def _send_pending(self) -> None:
        closing = self.state in ("FIN-WAIT-1", "CLOSING", "LAST-ACK")
        while self.state in ("ESTABLISHED", "CLOSE-WAIT") or closing:
            at = ahead(self._next, self._una)
            size = min(self.piece, len(self._pending) - at, min(self._their_window, self.flight * self.piece) - at)
            if size > 0:
                payload = bytes(self._pending[at:at + size])
                self._acknowledge(payload, PSH)
                self._advance(size)
                continue
            if self._fin_wanted and not self._fin_sent and at == len(self._pending):
                self._acknowledge(flags=FIN)
                self._fin_sent = self._fin_ever = True
                self._advance(1)
                self.state = {"ESTABLISHED": "FIN-WAIT-1", "CLOSE-WAIT": "LAST-ACK"}.get(self.state, self.state)
            elif self._pending and at == 0 and self._their_window == 0 and self._deadline is None:
                self._acknowledge(sequence=(self._una - 1) % MODULUS)  # asks for the window
            break

    def _advance(self, count: int) -> None:
        self._next = (self._next + count) % MODULUS
        self._most = max(self._most, ahead(self._next, self._initial))


def options(data: bytes) -> dict[int, bytes]:
    """Values of the options, by kind."""
    found: dict[int, bytes] = {}
    while data and data[0]:
        if data[0] == 1:
            data = data[1:]
            continue
        if len(data) < 2 or not 2 <= data[1] <= len(data):
            break
        found[data[0]] = data[2:data[1]]
        data = data[data[1]:]
    return found

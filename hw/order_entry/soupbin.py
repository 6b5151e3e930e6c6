"""The client's end of SoupBinTCP 3.00 (PROTOCOLS: section 4)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.lib.wire import big_endian, characters
from hw.order_entry.packet_sum import balanced
from hw.reasons import DownReason
from hw.session_types import Login
from hw.tcp_types import Bytes, SessionPacket
from hw.types import OrderWord

LOGIN_BYTES = 46
LENGTHS = {"A": 31, "J": 2, "H": 1, "Z": 1}
"""What the venue sends, but for packets of any length: type and payload."""
NUMBER_BYTES = 20
"""At the end of a login accepted."""


class VenueByte(data.Struct):
    """A byte of a message from the venue."""

    value: 8
    last: 1
    number: 32
    """Of the message, in the session; modulo 2^32."""


class SoupBinReceive(wiring.Component):
    """Takes the venue's packets apart; to be reset for each connection. After a fault it looks at nothing.

    Ports
    -----
    bytes : In(Bytes)
    messages : Out(stream of VenueByte, always ready)
    accepted : Out(1)
        The login is; ``session`` : Out(80) and ``number`` : Out(32) are as the client's.
    fault : Out(DownReason)
        LOGIN_REJECTED with its ``reason`` : Out(8), ENDED, PROTOCOL or NONE.

    Notes
    -----
    A byte a cycle. Latency 1 cycle from a message's byte to the same.
    """

    bytes: In(Bytes)
    messages: Out(stream.Signature(VenueByte, always_ready=True))
    accepted: Out(1)
    session: Out(80)
    number: Out(32)
    fault: Out(DownReason)
    reason: Out(8)

    def elaborate(self, platform):
        m = Module()
        byte, left, message = self.bytes.payload, Signal(16), self.messages
        arrives = Signal()
        m.d.comb += [self.bytes.ready.eq(1), arrives.eq(self.bytes.valid & (self.fault == DownReason.NONE))]
        m.d.sync += [message.valid.eq(0), message.payload.value.eq(byte), message.payload.number.eq(self.number)]
        with m.FSM():
            with m.State("HIGH"), m.If(arrives):
                m.d.sync += left[8:].eq(byte)
                m.next = "LOW"
            with m.State("LOW"), m.If(arrives):
                m.d.sync += left[:8].eq(byte)
                m.next = "TYPE"
            with m.State("TYPE"), m.If(arrives):
                m.d.sync += left.eq(left - 1)
                self._judge(m, byte, left)
            with m.State("SKIP"), m.If(arrives):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 1):
                    m.next = "HIGH"
            with m.State("MESSAGE"), m.If(arrives):
                m.d.sync += [left.eq(left - 1), message.valid.eq(1), message.payload.last.eq(left == 1)]
                with m.If(left == 1):
                    m.d.sync += self.number.eq(self.number + 1)
                    m.next = "HIGH"
            with m.State("ACCEPTED"), m.If(arrives):
                m.d.sync += left.eq(left - 1)
                self._read_answer(m, byte, left)
            with m.State("REJECTED"), m.If(arrives):
                m.d.sync += [self.reason.eq(byte), self.fault.eq(DownReason.LOGIN_REJECTED)]
        return m

    def _judge(self, m, byte, left):
        """The type of a packet: what may come before the login is accepted, and what after it."""

        def is_(letter):
            return (byte == ord(letter)) & (left == LENGTHS[letter])

        with m.If((byte == ord("+")) & (left != 0)):
            m.next = "SKIP"
            with m.If(left == 1):
                m.next = "HIGH"
        with m.Elif(~self.accepted & is_("A")):
            m.next = "ACCEPTED"
        with m.Elif(~self.accepted & is_("J")):
            m.next = "REJECTED"
        with m.Elif(self.accepted & (byte == ord("S")) & (left > 1)):
            m.next = "MESSAGE"
        with m.Elif(self.accepted & is_("H")):
            m.next = "HIGH"
        with m.Else():
            m.d.sync += self.fault.eq(Mux(self.accepted & is_("Z"), DownReason.ENDED, DownReason.PROTOCOL))

    def _read_answer(self, m, byte, left):
        """The session's name, then a number in digits with blanks in front of it."""
        digit, blank, begun = Signal(4), Signal(), Signal()
        is_digit = (byte[4:] == 3) & (digit < 10)
        m.d.comb += [digit.eq(byte), blank.eq(byte == ord(" "))]
        with m.If(left > NUMBER_BYTES):
            m.d.sync += self.session.eq(Cat(self.session[8:], byte))
        with m.Elif(is_digit):
            m.d.sync += [self.number.eq((self.number << 3) + (self.number << 1) + digit), begun.eq(1)]
        with m.If((left <= NUMBER_BYTES) & ~is_digit & (~blank | begun | (left == 1))):
            m.d.sync += self.fault.eq(DownReason.PROTOCOL)
        with m.Elif(left == 1):
            m.d.sync += self.accepted.eq(1)
            m.next = "HIGH"


class SoupBinClient(wiring.Component):
    """Logs in, lets orders through while logged in, sends heartbeats, and hands on the venue's messages with their numbers.

    What can't be (a packet of a type or a length that does not belong there, a number that is none) is a fault: nothing that comes after it
    is looked at, and no order leaves, until the next connection.

    Ports
    -----
    connected : In(1)
        There is a connection. A login goes out when it comes to be; without one nothing is taken.
    login : In(Login)
        Does not change from the connection to the login.
    logout : In(1)
        Pulse: ask the venue for the end. No order leaves from then on, but for one that was on offer.
    bytes : In(Bytes)
    packet : Out(stream of SessionPacket), packet_sum : Out(24)
        As of the TCP session.
    orders : In(stream of OrderWord)
        Words of a packet follow without a pause. What comes while nobody is logged in is thrown away.
    orders_sum : In(24)
        Of the bytes of the packet that ``orders`` offers as 16-bit numbers, not folded; right from the fourth cycle of its offer on.
    refused : Out(1)
        Pulse: an order was.
    passing : Out(1)
        What is on offer at ``packet`` is an order.
    messages : Out(stream of VenueByte, always ready)
    tick : In(1), heartbeat, silence : In(16)
        Unit of the two; ticks after which something is sent if nothing was, and after which a venue that said nothing is gone.
    logged_in : Out(1)
        Registered: orders may leave.
    session : Out(80)
        That the venue told, as it stands there; as long as there is a connection.
    number : Out(32)
        Of the next message, modulo 2^32; from the login on, stays after the connection.
    fault : Out(DownReason)
        LOGIN_REJECTED, ENDED, PROTOCOL, SILENT; stays until the next connection. This one should be closed.
    reason : Out(8)
        With LOGIN_REJECTED: the venue's, ASCII.

    Notes
    -----
    Latency 0 from an order's first word to the packet's, but for a heartbeat that is on its way. A byte a cycle comes in; it goes out as
    a message's in the next.
    """

    LATENCY = 0

    def __init__(self):
        super().__init__({
            "connected": In(1), "login": In(Login), "logout": In(1), "bytes": In(Bytes), "packet": Out(stream.Signature(SessionPacket)),
            "packet_sum": Out(24), "orders": In(stream.Signature(OrderWord)), "orders_sum": In(24), "refused": Out(1), "passing": Out(1),
            "messages": Out(stream.Signature(VenueByte, always_ready=True)),
            "tick": In(1), "heartbeat": In(16), "silence": In(16),
            "logged_in": Out(1), "session": Out(80), "number": Out(32), "fault": Out(DownReason), "reason": Out(8),
        })

    def elaborate(self, platform):
        m = Module()
        begins, was, leaving = Signal(), Signal(), Signal()
        receive = SoupBinReceive()
        m.submodules.receive = ResetInserter(begins)(receive)
        m.d.sync += was.eq(self.connected)
        m.d.comb += begins.eq(self.connected & ~was)
        self._begins, self._sent, self._beat_due = begins, Signal(), Signal()
        connect(m, flipped(self.bytes), receive.bytes)
        m.d.comb += [
            self.messages.valid.eq(receive.messages.valid), self.messages.payload.eq(receive.messages.payload),
            self.session.eq(receive.session), self.number.eq(receive.number), self.reason.eq(receive.reason),
        ]
        silent = self._watch(m)
        m.d.comb += self.fault.eq(Mux(silent, DownReason.SILENT, receive.fault))
        with m.If(begins):
            m.d.sync += leaving.eq(0)
        with m.Elif(self.logout):
            m.d.sync += leaving.eq(1)
        m.d.sync += self.logged_in.eq(
            self.connected & ~begins & receive.accepted & (self.fault == DownReason.NONE) & ~leaving & ~self.logout)
        self._send(m)
        return m

    def _watch(self, m):
        """Says when nothing was sent for long; returns that nothing came for too long."""
        unsent, unheard, silent = Signal(16), Signal(16), Signal()
        with m.If(self.tick):
            m.d.sync += [unsent.eq(unsent + 1), unheard.eq(unheard + 1)]
            with m.If(unsent + 1 == self.heartbeat):
                m.d.sync += [unsent.eq(0), self._beat_due.eq(self.logged_in)]
            with m.If(unheard + 1 == self.silence):
                m.d.sync += silent.eq(self.connected)
        with m.If(self._sent):
            m.d.sync += [unsent.eq(0), self._beat_due.eq(0)]
        with m.If(self.bytes.valid | ~self.connected):
            m.d.sync += unheard.eq(0)
        with m.If(self._begins):
            m.d.sync += [silent.eq(0), unheard.eq(0), self._beat_due.eq(0)]
        return silent

    def _send(self, m):
        """Orders first; the session's own packets between them."""
        out, word = self.packet, self.orders.payload
        own, login_due, logout_due = (Signal(name=name) for name in ("own", "login_due", "logout_due"))
        beat_due = self._beat_due
        request = Cat(big_endian(Const(1 + LOGIN_BYTES, 16)), characters("L"), self.login)
        words = Array(request[at:at + 64] for at in range(0, len(request), 64))
        index, kind, total = Signal(3), Signal(2), Signal(24)
        is_login, is_logout, _ = range(3)
        row = Signal(64)
        m.d.comb += [row.eq(words[index])]
        inside, throwing, held, passing = Signal(), Signal(), Signal(), self.passing  # of an order's packet; thrown away; was on offer
        m.d.comb += [
            passing.eq(self.orders.valid & (held | Mux(inside, ~throwing, self.logged_in)) & ~own),
            self.refused.eq(self.orders.valid & ~inside & ~held & ~self.logged_in & ~own),
        ]
        m.d.sync += held.eq(passing & ~(self.orders.ready & word.last))  # its frame may have begun: it is the TCP session's to throw away
        with m.If(self.orders.valid & self.orders.ready):
            m.d.sync += inside.eq(~word.last)
            with m.If(~inside):
                m.d.sync += throwing.eq(~passing)
        with m.If(passing):
            m.d.comb += [
                out.valid.eq(1), self.orders.ready.eq(out.ready),
                *(out.payload.word[name].eq(word[name]) for name in ("data", "count", "last")),
                out.payload.length.eq(word.length), self.packet_sum.eq(self.orders_sum),
            ]
        with m.Elif(~own):
            m.d.comb += self.orders.ready.eq(Mux(inside, throwing, ~self.logged_in))
        m.d.comb += self._sent.eq(out.valid & out.ready & out.payload.word.last)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [index.eq(0), total.eq(0)]
                with m.If(~self.connected):
                    m.d.sync += [login_due.eq(0), logout_due.eq(0)]
                with m.Elif(login_due):
                    m.d.sync += kind.eq(is_login)
                    m.next = "SUM"
                with m.Elif((logout_due | beat_due) & ~self.orders.valid & ~inside):
                    m.d.sync += [kind.eq(Mux(logout_due, is_logout, 2)), own.eq(1)]
                    m.next = "SHORT"
            with m.State("SUM"):  # the login's checksum, word by word
                halves = [big_endian(row[at:at + 16]) for at in range(0, 64, 16)]
                m.d.sync += [total.eq(total + balanced(halves)), index.eq(index + 1)]
                with m.If(index == len(words) - 1):
                    m.d.sync += [index.eq(0), own.eq(1)]
                    m.next = "LOGIN"
            with m.State("LOGIN"):
                last = index == len(words) - 1
                m.d.comb += [
                    out.valid.eq(1), out.payload.word.data.eq(row), out.payload.word.last.eq(last),
                    out.payload.word.count.eq(Mux(last, len(request) // 8 - 8 * (len(words) - 1), 8)),
                    out.payload.length.eq(len(request) // 8), self.packet_sum.eq(total),
                ]
                with m.If(out.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(last):
                        m.d.sync += [own.eq(0), login_due.eq(0)]
                        m.next = "IDLE"
            with m.State("SHORT"):
                letter = Mux(kind == is_logout, ord("O"), ord("R"))
                m.d.comb += [
                    out.valid.eq(1), out.payload.word.data.eq(Cat(big_endian(Const(1, 16)), letter)),
                    out.payload.word.last.eq(1), out.payload.word.count.eq(6), out.payload.length.eq(3),
                    self.packet_sum.eq(1 + (letter << 8)),
                ]
                with m.If(out.ready):
                    m.d.sync += own.eq(0)
                    with m.If(kind == is_logout):
                        m.d.sync += logout_due.eq(0)
                    m.next = "IDLE"
        with m.If(self._begins):
            m.d.sync += login_due.eq(1)
        with m.If(self.logout & self.connected):
            m.d.sync += logout_due.eq(1)

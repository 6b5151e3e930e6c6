"""A venue's order session, whole: TCP, SoupBinTCP in it, and what the venue says in OUCH."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.tcp_session import COUNTED, TcpSession
from hw.order_entry.ouch_replies import OuchReplies
from hw.order_entry.soupbin import Login, SoupBinClient
from hw.reasons import DownReason
from hw.tcp_types import TcpState
from hw.types import FrameReceive, FrameTransmit, OrderAddress, OrderWord, Verdict
from hw.venue_reply import VenueMessage, VenueReply


class OrderSession(wiring.Component):
    """Connects and logs in when told to, sends orders while logged in, and tells what the venue answers.

    What the venue must not say, or its silence, closes the connection. No session comes back by itself: the host opens it again.

    Parameters
    ----------
    venue : int
    protocol : str
        As of :class:`OuchReplies`.

    Ports
    -----
    frames, transmit, address, open, close, cut, initial_sequence, timeout, keep_alive, tries, tick, state, unacknowledged, next, expected,
    verdict, pulses for counters
        As of :class:`TcpSession`.
    login, heartbeat, silence, session, number
        As of :class:`SoupBinClient`; so is ``login_reason`` its ``reason``.
    logout : In(1)
        Pulse: ask the venue for the end, which it answers by closing the connection.
    orders : In(stream of OrderWord)
        What comes while ``up`` is low is thrown away (``refused``).
    orders_sum : In(24)
        As of :class:`SoupBinClient`.
    hold : In(1)
        No byte of the venue is looked at.
    stop, abort : In(1)
        As of :class:`TcpSession`, of the order on offer.
    begins, lost, aborts : Out(1)
        Pulses: in the next cycle the first word of an order's frame is on offer; an order was thrown away; its frame is aborted.
    room, free : Out(1)
        As of :class:`TcpSession`.
    up : Out(1)
        Logged in.
    replies : Out(stream of VenueReply, always ready), told : Out(VenueMessage), unsure : Out(1)
        As of :class:`OuchReplies`.
    down : Out(1), reason : Out(DownReason)
        Pulse: an opened session is over, or did not come to be; why, until the next one. The first reason counts.

    Notes
    -----
    Latency 1 cycle from an order's first word on offer to its frame's first word, if nothing else is leaving.
    """

    LATENCY = SoupBinClient.LATENCY + TcpSession.LATENCY

    def __init__(self, venue: int, protocol: str = "ouch50"):
        self._venue, self._protocol = venue, protocol
        super().__init__({
            "frames": In(FrameReceive), "transmit": Out(FrameTransmit), "address": In(OrderAddress),
            "open": In(1), "close": In(1), "cut": In(1), "logout": In(1), "initial_sequence": In(32),
            "timeout": In(16), "keep_alive": In(16), "tries": In(4), "tick": In(1),
            "login": In(Login), "heartbeat": In(16), "silence": In(16),
            "orders": In(stream.Signature(OrderWord)), "orders_sum": In(24), "up": Out(1), "hold": In(1),
            "stop": In(1), "abort": In(1), "begins": Out(1), "lost": Out(1), "aborts": Out(1), "room": Out(1), "free": Out(1),
            "login_reason": Out(8),
            "unacknowledged": Out(32), "next": Out(32), "expected": Out(32),
            "replies": Out(stream.Signature(VenueReply, always_ready=True)), "told": Out(VenueMessage), "unsure": Out(1),
            "state": Out(TcpState), "session": Out(80), "number": Out(32), "down": Out(1), "reason": Out(DownReason),
            "verdict": Out(stream.Signature(Verdict, always_ready=True)), **{name: Out(1) for name in COUNTED},
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.tcp = tcp = TcpSession()
        m.submodules.soup = soup = SoupBinClient()
        m.submodules.ouch = ouch = OuchReplies(self._venue, self._protocol)
        connect(m, flipped(self.frames), tcp.frames)
        connect(m, tcp.transmit, flipped(self.transmit))
        connect(m, soup.packet, tcp.packet)
        connect(m, soup.messages, ouch.messages)
        connect(m, flipped(self.orders), soup.orders)
        connect(m, tcp.verdict, flipped(self.verdict))
        m.d.comb += [
            soup.bytes.valid.eq(tcp.bytes.valid & ~self.hold), soup.bytes.payload.eq(tcp.bytes.payload),
            tcp.bytes.ready.eq(soup.bytes.ready & ~self.hold), tcp.packet_sum.eq(soup.packet_sum),
            self.begins.eq(tcp.packet_begins & soup.passing), self.lost.eq(soup.refused | tcp.refused & soup.passing),
            tcp.stop.eq(self.stop & soup.passing), tcp.abort.eq(self.abort & soup.passing), self.aborts.eq(tcp.aborts),
            self.login_reason.eq(soup.reason),
            self.replies.valid.eq(ouch.replies.valid), self.replies.payload.eq(ouch.replies.payload),
            self.told.eq(ouch.told), self.unsure.eq(ouch.unsure), self.up.eq(soup.logged_in),
            soup.connected.eq(tcp.state == TcpState.ESTABLISHED), self.refused.eq(tcp.refused | soup.refused),
        ]
        for name in ("address", "open", "cut", "initial_sequence", "timeout", "keep_alive", "tries", "tick"):
            m.d.comb += getattr(tcp, name).eq(getattr(self, name))
        for name in ("login", "logout", "heartbeat", "silence", "tick"):
            m.d.comb += getattr(soup, name).eq(getattr(self, name))
        for name in ("state", "unacknowledged", "next", "expected", "room", "free", *(name for name in COUNTED if name != "refused")):
            m.d.comb += getattr(self, name).eq(getattr(tcp, name))
        m.d.comb += [self.session.eq(soup.session), self.number.eq(soup.number), soup.orders_sum.eq(self.orders_sum)]
        self._end(m, tcp, soup, ouch)
        return m

    def _end(self, m, tcp, soup, ouch):
        """A fault is seen once, and closes the connection."""
        fails, was, over = Signal(), Signal(), Signal(init=1)
        m.d.comb += [fails.eq((soup.fault != DownReason.NONE) & ~was | ouch.malformed), tcp.close.eq(self.close | fails)]
        m.d.sync += [was.eq(soup.fault != DownReason.NONE), self.down.eq(0)]
        with m.If(tcp.begun):
            m.d.sync += [over.eq(0), self.reason.eq(DownReason.NONE)]
        with m.Elif(~over & fails):
            m.d.sync += [over.eq(1), self.down.eq(1), self.reason.eq(Mux(ouch.malformed, DownReason.PROTOCOL, soup.fault))]
        with m.Elif(~over & tcp.down):
            m.d.sync += [over.eq(1), self.down.eq(1), self.reason.eq(tcp.reason)]

"""The card's port for order entry: a session over TCP for each venue, datagrams for those that have none, and ARP."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.config import CardConfig
from hw.lib.arbiter import StreamArbiter
from hw.lib.choice import any_of
from hw.net.arp import Arp
from hw.net.tcp_session import COUNTED
from hw.net.udp_transmit import UdpTransmit
from hw.order_session import OrderSession
from hw.reasons import DropReason, Fate
from hw.session_types import SessionControl, ToldReply
from hw.types import Cycles, FrameReceive, FrameTransmit, FrameWord, OrderAddress, OrderWord, SentOrder
from hw.venue_reply import VenueReply

SETTINGS = ("open", "close", "cut", "logout", "initial_sequence", "timeout", "keep_alive", "tries", "login", "heartbeat", "silence")
SHOWN = ("state", "up", "reason", "login_reason", "number", "unacknowledged", "next", "expected")


class OrderSessions(wiring.Component):
    """Sends each order's packet by the session of its venue, or in a datagram, over one Ethernet port.

    Frames of all sources leave one after the other, each source in its turn; an order waits at most for one frame of each.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    frames : In(FrameReceive)
        Of the port, with two cycles at least between them.
    transmit : Out(FrameTransmit)
    control : In(SessionControl).array(venues)
    addresses : In(array of OrderAddress, one a venue)
        Of a session: does not change unless its state is CLOSED.
    tick_cycles : In(24)
        Cycles of a tick, less one; 0: none ever.
    now : In(Cycles)
    packet : In(stream of OrderWord), packet_sum : In(24)
        As ``OuchOrders`` gives them.
    free : Out(1)
        An order that is taken now would begin its frame at once, as far as is known: whatever a session sends of its own meanwhile goes
        first.
    sent : Out(stream of SentOrder, always ready)
        In the cycle in which the first word of an order's frame is transferred. So are orders told that were thrown away: because their
        session went down in the cycles since the gateway, or by ``stop``. One whose frame is aborted is told a second time.
    frame : Out(1)
        Pulse with ``sent``: it tells of a frame that begins.
    stop, abort : In(1)
        From the second cycle of a packet's offer on: it must not begin any more (a datagram has by then); its frame ends at once, with an
        error, and with it the session.
    unreachable, disconnected : Out(venues)
        For the gateway: the venue's session takes no order; is down. Both 0 where orders go in datagrams.
    host_replies : In(stream of VenueReply, always ready)
        Passed on at once.
    replies : Out(stream of VenueReply, always ready)
        The venues' follow ``PACE`` cycles after each other at least. What is not taken waits in the sessions, and then at the venues.
    told : Out(stream of ToldReply, always ready)
        Of each reply of a venue.
    rises, falls : Out(venues)
        Pulses: a session is logged in; is down, or did not come to be, as its ``reason`` tells.
    pulses : Out(venues) for each of ``COUNTED``, and ``bad_frames``
        For counters.

    Notes
    -----
    Latency 1 cycle from a packet's first word on offer to its frame's first word, if nothing else is leaving.
    """

    LATENCY = OrderSession.LATENCY
    PACE = 12

    def __init__(self, config: CardConfig):
        self._config, venues = config, config.venues
        super().__init__({
            "frames": In(FrameReceive), "transmit": Out(FrameTransmit), "control": In(SessionControl()).array(venues),
            "addresses": In(data.ArrayLayout(OrderAddress, venues)), "tick_cycles": In(24), "now": In(Cycles),
            "packet": In(stream.Signature(OrderWord)), "packet_sum": In(24), "free": Out(1),
            "sent": Out(stream.Signature(SentOrder, always_ready=True)), "frame": Out(1), "stop": In(1), "abort": In(1),
            "unreachable": Out(venues), "disconnected": Out(venues),
            "host_replies": In(stream.Signature(VenueReply, always_ready=True)),
            "replies": Out(stream.Signature(VenueReply, always_ready=True)),
            "told": Out(stream.Signature(ToldReply, always_ready=True)), "rises": Out(venues), "falls": Out(venues),
            **{name: Out(venues) for name in (*COUNTED, "bad_frames")},
        })

    def elaborate(self, platform):
        m = Module()
        venues = range(self._config.venues)
        m.submodules.datagrams = datagrams = UdpTransmit(self._config)
        sessions, arps = [OrderSession(venue, self._config.order_protocol(venue)) for venue in venues], [Arp() for _ in venues]
        m.submodules.port = port = StreamArbiter(FrameWord, 1 + 2 * len(venues), together=lambda word: ~word.last)
        for source, place in zip((datagrams.frames, *(each.transmit for each in (*sessions, *arps))), port.inputs, strict=True):
            connect(m, source, place)
        connect(m, port.output, flipped(self.transmit))
        tick = self._tick(m)
        by_session, mine = self._route(m, datagrams, sessions)
        for venue in venues:
            m.submodules[f"session_{venue}"], m.submodules[f"arp_{venue}"] = sessions[venue], arps[venue]
            self._control(m, venue, sessions[venue], arps[venue], tick)
            session, was_up = sessions[venue], Signal(name=f"was_up_{venue}")
            m.d.sync += [
                self.unreachable[venue].eq(by_session[venue] & ~(session.up & session.room)),
                self.disconnected[venue].eq(by_session[venue] & ~session.up), was_up.eq(session.up),
            ]
            m.d.comb += [
                self.rises[venue].eq(session.up & ~was_up), self.falls[venue].eq(session.down),
                *(getattr(self, name)[venue].eq(getattr(session, name)) for name in COUNTED),
                self.bad_frames[venue].eq(session.verdict.valid & (session.verdict.payload.reason != DropReason.NONE)
                                          & (session.verdict.payload.reason != DropReason.NOT_MATCHED)),
            ]
        quiet = ~Cat(arp.transmit.valid for arp in arps).any()
        m.d.comb += self.free.eq(datagrams.free & Cat(session.free for session in sessions).all() & quiet)
        self._tell_sent(m, datagrams, sessions, mine)
        self._pass_replies(m, sessions)
        return m

    def _tick(self, m):
        count, tick = Signal(24), Signal()
        m.d.sync += [count.eq(count + 1), tick.eq(0)]
        with m.If(count >= self.tick_cycles):
            m.d.sync += [count.eq(0), tick.eq(self.tick_cycles != 0)]
        return tick

    def _control(self, m, venue, session, arp, tick):
        control, address = self.control[venue], self.addresses[venue]
        m.d.comb += [
            session.frames.valid.eq(self.frames.valid), session.frames.payload.eq(self.frames.payload),
            arp.frames.valid.eq(self.frames.valid), arp.frames.payload.eq(self.frames.payload),
            session.address.eq(address), session.tick.eq(tick),
            *(getattr(session, name).eq(getattr(control, name)) for name in SETTINGS),
            *(getattr(control, name).eq(getattr(session, name)) for name in SHOWN), control.name.eq(session.session),
            arp.mac.eq(address.source_mac), arp.ip.eq(Mux(control.enable, address.source_ip, 0)),
            arp.ask.eq(control.ask), arp.target.eq(control.next_hop), control.known.eq(arp.known), control.hop_mac.eq(arp.address),
        ]

    def _route(self, m, datagrams, sessions):
        """Each packet to where its venue takes orders; how that is does not change within a packet."""
        packet, venues = self.packet, len(sessions)
        by_session, mine, away = Signal(venues), Signal(venues), Signal()
        with m.If(~packet.valid):
            m.d.sync += by_session.eq(Cat(control.enable for control in self.control))
        m.d.comb += [
            mine.eq(Cat(by_session[venue] & (packet.payload.order.venue == venue) for venue in range(venues))), away.eq(~mine.any()),
            datagrams.packet.valid.eq(packet.valid & away), datagrams.packet.payload.eq(packet.payload),
            datagrams.addresses.eq(self.addresses), datagrams.now.eq(self.now),
            datagrams.abort.eq(self.abort & away),
            packet.ready.eq(Mux(away, datagrams.packet.ready, any_of(
                [(mine[venue], session.orders.ready) for venue, session in enumerate(sessions)]))),
        ]
        for venue, session in enumerate(sessions):
            m.d.comb += [
                session.orders.valid.eq(packet.valid & mine[venue]), session.orders.payload.eq(packet.payload),
                session.orders_sum.eq(self.packet_sum),
                session.stop.eq(self.stop & mine[venue]), session.abort.eq(self.abort & mine[venue]),
            ]
        return by_session, mine

    def _tell_sent(self, m, datagrams, sessions, mine):
        """The packet is still on offer when its frame's first word leaves."""
        word, sent = self.packet.payload, self.sent.payload
        left, aborted = [datagrams.frame], [datagrams.sent.valid & ~datagrams.frame, *(session.aborts for session in sessions)]
        for venue, session in enumerate(sessions):
            begun = Signal(name=f"begun_{venue}")
            leaves = begun & session.transmit.valid & session.transmit.ready
            with m.If(session.begins):
                m.d.sync += begun.eq(1)
            with m.Elif(leaves):
                m.d.sync += begun.eq(0)
            left.append(leaves)
        m.d.comb += [
            self.frame.eq(Cat(left).any()),
            self.sent.valid.eq(Cat(*left, *aborted, *(session.lost for session in sessions)).any()),
            sent.fate.eq(Mux(self.frame, Fate.SENT, Mux(Cat(aborted).any(), Fate.ABORTED, Fate.THROWN_AWAY))),
            sent.order.eq(word.order), sent.user_ref.eq(word.user_ref), sent.latency.eq(self.now - word.order.ingress),
        ]

    def _pass_replies(self, m, sessions):
        """What a session says waits in a place of its own, and the session with it."""
        m.submodules.turns = turns = StreamArbiter(ToldReply, len(sessions))
        wait, first = Signal(range(self.PACE)), turns.output
        for session, place in zip(sessions, turns.inputs, strict=True):
            m.d.comb += session.hold.eq(place.valid)
            with m.If(place.ready):
                m.d.sync += place.valid.eq(0)
            with m.If(session.replies.valid):
                m.d.sync += [
                    place.valid.eq(1), place.payload.reply.eq(session.replies.payload), place.payload.message.eq(session.told),
                    place.payload.unsure.eq(session.unsure),
                ]
        m.d.comb += [
            first.ready.eq((wait == 0) & ~self.host_replies.valid),
            self.told.valid.eq(first.valid & first.ready), self.told.payload.eq(first.payload),
            self.replies.valid.eq(self.host_replies.valid | self.told.valid),
            self.replies.payload.eq(Mux(self.host_replies.valid, self.host_replies.payload, first.payload.reply)),
        ]
        with m.If(self.told.valid):
            m.d.sync += wait.eq(self.PACE - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)

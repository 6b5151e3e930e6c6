"""One TCP connection of the card to a venue, opened from here (RFC 9293)."""

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.tcp_connection import TcpConnection
from hw.net.tcp_control import TcpControl
from hw.net.tcp_options import TcpOptions
from hw.net.tcp_receive import TcpReceive
from hw.net.tcp_receive_buffer import TcpReceiveBuffer
from hw.net.tcp_store import TcpStore
from hw.net.tcp_transmit import TcpTransmit
from hw.reasons import DownReason, DropReason
from hw.tcp_types import Bytes, SessionPacket, TcpState
from hw.types import FrameReceive, FrameTransmit, OrderAddress, Verdict

COUNTED = ("retransmitted", "refused", "duplicate_ack", "out_of_order", "challenged", "fast_retransmit", "timed_out")
"""Pulses for counters."""


class TcpSession(wiring.Component):
    """Packets in, each a segment of its own; the other side's bytes out, in order and once each.

    Parameters
    ----------
    packets : int
        That may be under way; a power of two.
    rows : int
        Of eight bytes: the receive buffer; a power of two.

    Ports
    -----
    frames : In(FrameReceive)
        Of the port, with two cycles at least between them. Those of others are passed over.
    transmit : Out(FrameTransmit)
    address : In(OrderAddress)
        Does not change unless the state is CLOSED.
    packet : In(stream of SessionPacket)
        Words of a packet follow without a pause. It waits while the other side's window or the store has no room; without a connection
        it is thrown away (``refused``).
    packet_sum : In(24)
        Of the packet's bytes as 16-bit numbers, without what fills it up, not folded; has to be right from the fourth cycle on, that of
        its first word's offer being the first.
    stop, abort : In(1)
        From the second cycle of a packet's offer on: it must not begin any more (``refused``); if its frame is under way, that ends at
        once, with an error, and so does the connection, by RST.
    aborts : Out(1)
        Pulse: it does so; the packet is still on offer.
    packet_begins, room, free : Out(1)
        In the next cycle the first word of a packet's frame is on offer; one could begin, as far as window and store go; as of the
        transmitter.
    bytes : Out(Bytes)
    open, close, cut : In(1); initial_sequence : In(32); timeout, keep_alive : In(16); tries : In(4); tick : In(1)
        As of the connection. ``open`` waits until what belongs to the connection before has left, and forgets what of it was not read.
    state : Out(TcpState)
    unacknowledged, next, expected : Out(32)
    down : Out(1)
        Pulse: the session is over, or did not come to be; ``reason`` : Out(DownReason).
    begun : Out(1)
        Pulse with ``open``, when it takes effect.
    verdict : Out(stream of Verdict, always ready)
        Of each frame, as the receiver's.
    retransmitted, refused, duplicate_ack, out_of_order, challenged, fast_retransmit, timed_out : Out(1)
        Pulses: a packet was sent again; was thrown away; a duplicate acknowledgment; a segment that is not the next one, or finds no
        room; something that an attacker could have sent; three duplicates; the timer expired.

    Notes
    -----
    Latency 1 cycle from a packet's first word on offer to its frame's first word, if no other segment is leaving (at most 13 words are).
    """

    LATENCY = TcpTransmit.LATENCY

    def __init__(self, packets: int = 64, rows: int = 512):
        self._packets, self._rows = packets, rows
        super().__init__({
            "frames": In(FrameReceive), "transmit": Out(FrameTransmit), "address": In(OrderAddress),
            "packet": In(stream.Signature(SessionPacket)), "packet_sum": In(24), "stop": In(1), "abort": In(1),
            "aborts": Out(1), "packet_begins": Out(1), "room": Out(1), "free": Out(1),
            "bytes": Out(Bytes),
            "open": In(1), "close": In(1), "cut": In(1), "initial_sequence": In(32),
            "timeout": In(16), "keep_alive": In(16), "tries": In(4), "tick": In(1),
            "state": Out(TcpState), "unacknowledged": Out(32), "next": Out(32), "expected": Out(32),
            "down": Out(1), "reason": Out(DownReason), "begun": Out(1), "verdict": Out(stream.Signature(Verdict, always_ready=True)),
            **{name: Out(1) for name in COUNTED},
        })

    def elaborate(self, platform):
        m = Module()
        begin = Signal()
        m.submodules.receive = receive = TcpReceive()
        m.submodules.options = options = TcpOptions()
        buffer, store = TcpReceiveBuffer(self._rows), TcpStore(self._packets)
        m.submodules.buffer, m.submodules.store = ResetInserter(begin)(buffer), ResetInserter(begin)(store)
        m.submodules.connection = connection = TcpConnection()
        m.submodules.control = control = TcpControl()
        m.submodules.transmit = transmit = TcpTransmit()
        connect(m, flipped(self.frames), receive.frames)
        connect(m, receive.payload, buffer.payload)
        connect(m, receive.options, options.words)
        connect(m, buffer.bytes, flipped(self.bytes))
        connect(m, transmit.frames, flipped(self.transmit))
        connect(m, store.words, control.stored)

        good, first, waits = Signal(), Signal(init=1), Signal()
        # A frame that ends while the one before waits for its decision is too short to have brought any payload.
        with m.If(good):
            m.d.sync += waits.eq(1)
        with m.Elif(connection.commit | connection.discard):
            m.d.sync += waits.eq(0)
        m.d.comb += good.eq(receive.verdict.valid & (receive.verdict.payload.reason == DropReason.NONE))
        with m.If(self.frames.valid):
            m.d.sync += first.eq(self.frames.payload.last)
        m.d.comb += [
            receive.address.eq(self.address), transmit.address.eq(self.address),
            self.verdict.valid.eq(receive.verdict.valid), self.verdict.payload.eq(receive.verdict.payload),
            connection.segment_valid.eq(good), connection.segment.eq(receive.segment), connection.overflow.eq(buffer.overflow),
            buffer.commit.eq(connection.commit), buffer.skip.eq(connection.skip), buffer.length.eq(connection.length),
            buffer.discard.eq(connection.discard | receive.verdict.valid & ~good & ~waits),
            connection.window.eq(buffer.free),
            options.begin.eq(self.frames.valid & first), options.read.eq(connection.read_options),
            options.length.eq(receive.options_length),
            connection.options_done.eq(options.done), connection.mss.eq(options.mss), connection.scale.eq(options.scale),
            store.unacknowledged.eq(connection.unacknowledged),
            control.known.eq(store.known), control.empty.eq(store.empty), control.oldest.eq(store.oldest), store.again.eq(control.again),
            control.window.eq(connection.header_window),
        ]
        for name in ("want_reset", "want_syn", "want_again", "want_ack", "want_probe", "state", "ending", "fin_sent", "unacknowledged",
                     "next", "expected", "reset_sequence"):
            m.d.comb += getattr(control, name).eq(getattr(connection, name))
        self._join(m, connection, control, transmit, begin)
        self._choose(m, connection, control, store, transmit)
        return m

    def _join(self, m, connection, control, transmit, begin):
        """The host's side."""
        opening, quiet, starts = Signal(), Signal(), Signal()
        with m.If(self.open & (connection.state == TcpState.CLOSED)):
            m.d.sync += opening.eq(1)
        with m.Elif(quiet | self.cut):
            m.d.sync += opening.eq(0)
        m.d.sync += starts.eq(quiet)
        m.d.comb += [
            quiet.eq(opening & control.settled & transmit.idle & ~self.packet.valid), begin.eq(starts & ~self.cut),
            connection.open.eq(begin), self.begun.eq(begin),
            connection.close.eq(self.close), connection.cut.eq(self.cut), connection.initial_sequence.eq(self.initial_sequence),
            connection.timeout.eq(self.timeout), connection.keep_alive.eq(self.keep_alive), connection.tries.eq(self.tries),
            connection.tick.eq(self.tick), self.down.eq(connection.down), self.reason.eq(connection.reason),
        ]
        for name in ("state", "unacknowledged", "next", "expected", "duplicate_ack", "out_of_order", "challenged", "fast_retransmit",
                     "timed_out"):
            m.d.comb += getattr(self, name).eq(getattr(connection, name))

    def _choose(self, m, connection, control, store, transmit):
        """A new packet goes first, unless something else has waited for the one before it."""
        packet, words = self.packet.payload, transmit.words
        owned, of_packet, turn = Signal(), Signal(), Signal()  # a frame is under way; it is a packet's; it is not a packet's turn
        picks, may, gone = Signal(), Signal(), Signal()
        m.d.comb += [
            self.room.eq(connection.may_send & ~store.full),
            may.eq(self.packet.valid & self.room & ~gone & ~self.stop & ~(turn & control.words.valid)),
            picks.eq(Mux(owned, of_packet, may)),
            transmit.header.eq(control.header),
            connection.sent.eq(transmit.begins), connection.sent_new.eq(picks), connection.sent_length.eq(packet.length),
            connection.sent_fin.eq(~picks & control.fin), control.begins.eq(transmit.begins & ~picks),
            control.others.eq(transmit.begins & picks),
            self.retransmitted.eq(control.begins & control.resent),
            transmit.abort.eq(self.abort & owned & of_packet), self.aborts.eq(transmit.aborts), connection.aborted.eq(transmit.aborts),
        ]
        with m.If(picks):
            m.d.comb += [
                words.valid.eq(self.packet.valid), words.payload.eq(packet.word), self.packet.ready.eq(words.ready),
                transmit.header.sequence.eq(connection.next), transmit.header.acknowledgment.eq(connection.expected),
                transmit.header.window.eq(connection.header_window), transmit.header.length.eq(packet.length),
                transmit.header.sum.eq(self.packet_sum),
                *(transmit.header[flag].eq(flag == "ack") for flag in ("fin", "syn", "rst", "ack")),
            ]
        with m.Else():
            m.d.comb += [words.valid.eq(control.words.valid), words.payload.eq(control.words.payload), control.words.ready.eq(words.ready)]
        m.d.comb += [
            store.sent.valid.eq(picks & words.valid & words.ready), store.sent.payload.eq(packet), store.sum.eq(self.packet_sum),
            self.packet_begins.eq(transmit.begins & picks), self.free.eq(transmit.free),
        ]
        with m.If(transmit.begins):
            m.d.sync += [owned.eq(1), of_packet.eq(picks), turn.eq(picks), store.sequence.eq(connection.next)]
        with m.If(words.valid & words.ready & words.payload.last):
            m.d.sync += owned.eq(0)

        # Without a connection nothing may wait, nor what was stopped.
        away = Signal()
        ready = (connection.state == TcpState.ESTABLISHED) & ~connection.ending
        m.d.comb += away.eq(self.packet.valid & ~(owned & of_packet) & (gone | ~ready | self.stop))
        with m.If(away):
            m.d.comb += [self.packet.ready.eq(1), self.refused.eq(~gone)]
            m.d.sync += gone.eq(~packet.word.last)

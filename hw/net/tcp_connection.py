"""The state of one connection, of the side that opens it (RFC 9293, 3.10; RFC 5681, 3.2; RFC 5961)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.net.tcp_compare import TcpCompare
from hw.net.tcp_timer import TcpTimer
from hw.reasons import DownReason
from hw.tcp_types import TcpSegment, TcpState

DUPLICATES = 3
"""Acknowledgments of the same that say that a segment is lost."""
LONGEST_PACKET = 64
"""Bytes of window that there must be for a packet to be sent; a packet has at most 56."""
OUR_MSS = 1460


class TcpConnection(wiring.Component):
    """Takes one segment after the other, and says what is to be sent because of it.

    A segment's payload is taken whole or not at all: only what covers the expected byte and finds room. Anything else is acknowledged
    again and forgotten. A RST counts only where it names the expected byte (or, to a SYN, acknowledges it); one that is merely in the
    window is answered, as is a SYN (RFC 5961). There is no congestion control beyond the timer's back-off, as the packets that may be
    under way (3.5 kB) are fewer than what a new connection may send at once (RFC 6928), and none but one is sent again at a time.

    Ports
    -----
    segment_valid : In(1)
        A segment that is this connection's. The next one not within ten cycles.
    segment : In(TcpSegment)
        Stays for four cycles.
    overflow : In(1)
        Its payload did not find room.
    commit, discard : Out(1)
        What becomes of the payload: a pulse for each segment, ``DECISION`` cycles after it.
    skip, length : Out(16)
        With ``commit``: as the buffer wants them.
    open, close, cut : In(1)
        Pulses of the host: connect, from CLOSED alone; send FIN; send RST and be CLOSED.
    aborted : In(1)
        Pulse: a new packet's frame has been aborted. Its bytes are numbered and must not be sent: as ``cut``, with another reason.
    initial_sequence : In(32)
        With ``open``: our first sequence number. The host chooses one that nobody can guess, and a port that was not in use.
    options_done : In(1)
        The options of the SYN that came have been read.
    mss, scale : In(16), In(4)
        What they said.
    read_options : Out(1)
        Pulse.
    timeout, keep_alive, tries, tick : In
        As the timer's.
    sent : In(1)
        Pulse: a segment begins; ``sent_length`` (In(8)) sequence numbers go with it if it is ``sent_new`` (In(1)).
    sent_fin : In(1)
        Pulse: it is our FIN, for the first time.
    window : In(16)
        Bytes that the receive buffer has room for.
    header_window : Out(16)
        What a segment tells of it: never less than it told before (RFC 9293, 3.8.6.2.1).
    state : Out(TcpState)
    unacknowledged, next, expected : Out(32)
        SND.UNA, SND.NXT, RCV.NXT.
    may_send : Out(1)
        A packet may begin.
    ending : Out(1)
        Our FIN is to be sent when it has not been.
    fin_sent : Out(1)
    want_ack, want_again, want_probe, want_syn, want_reset : Out(1)
        Pulses.
    reset_sequence : Out(32)
        Of the RST; stays.
    down : Out(1)
        Pulse: the session is over, or did not come to be. ``reason`` : Out(DownReason), with it and until the next.
    duplicate_ack, out_of_order, challenged, fast_retransmit, timed_out : Out(1)
        Pulses, for counters.

    Notes
    -----
    Latency ``DECISION`` cycles from a segment to all that it does.
    """

    DECISION = 1 + TcpCompare.LATENCY

    def __init__(self):
        pulses = ("want_ack", "want_again", "want_probe", "want_syn", "want_reset", "down", "duplicate_ack", "out_of_order",
                  "challenged", "fast_retransmit", "timed_out", "commit", "discard", "read_options")
        super().__init__({
            "segment_valid": In(1), "segment": In(TcpSegment), "overflow": In(1), "skip": Out(16), "length": Out(16),
            "open": In(1), "close": In(1), "cut": In(1), "aborted": In(1), "initial_sequence": In(32),
            "options_done": In(1), "mss": In(16), "scale": In(4),
            "timeout": In(16), "keep_alive": In(16), "tries": In(4), "tick": In(1),
            "sent": In(1), "sent_new": In(1), "sent_length": In(8), "sent_fin": In(1), "window": In(16), "header_window": Out(16),
            "state": Out(TcpState), "unacknowledged": Out(32), "next": Out(32), "expected": Out(32), "may_send": Out(1),
            "ending": Out(1), "fin_sent": Out(1), "reset_sequence": Out(32), "reason": Out(DownReason),
            **{pulse: Out(1) for pulse in pulses},
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.compare = self._compare = compare = TcpCompare()
        m.submodules.timer = self._timer = TcpTimer()
        self._kept = segment = Signal(TcpSegment)
        self._edge, self._window_sequence, self._window_acknowledgment = Signal(32), Signal(32), Signal(32)
        self._scale, self._small = Signal(4), Signal(16)
        self._duplicates, self._recovering, self._recover = Signal(2), Signal(), Signal(32)
        self._fin_came, self._reading = Signal(), Signal()
        self._before = Signal(32)  # what ``next`` was when the last packet began
        self._partial, self._all, self._fin_left = Signal(), Signal(), Signal(2)
        arrived = Signal()
        m.d.sync += arrived.eq(self.segment_valid)
        with m.If(self.segment_valid):
            m.d.sync += segment.eq(self.segment)
        m.d.comb += [
            compare.valid.eq(arrived), compare.segment.eq(segment), compare.unacknowledged.eq(self.unacknowledged),
            compare.next.eq(self.next), compare.expected.eq(self.expected), compare.scale.eq(self._scale),
            compare.window_sequence.eq(self._window_sequence), compare.window_acknowledgment.eq(self._window_acknowledgment),
            self.length.eq(segment.length), self.skip.eq(compare.standing.skip), self.discard.eq(compare.done & ~self.commit),
        ]
        # Ahead of the decision: it acknowledges less than was under way when something was lost; it acknowledges our FIN.
        left, unsent = Signal(32), Signal(32)
        m.d.sync += [
            left.eq(self._recover - segment.acknowledgment), self._partial.eq(~left[-1] & (left != 0)),
            unsent.eq(self.next - segment.acknowledgment), self._fin_left.eq(Cat(self.fin_sent, self._fin_left)),
            self._all.eq((unsent == 0) & self._fin_left.all()),
        ]
        self._count_sent(m)
        self._watch_window(m)
        self._run_timer(m)
        self._take(m)
        self._obey(m)
        return m

    def _in(self, *states):
        return Cat(self.state == state for state in states).any()

    def _go_down(self, m, reason):
        """At most one reason in a cycle: the last one in the code."""
        m.d.sync += [self.state.eq(TcpState.CLOSED), self.down.eq(1), self.reason.eq(reason)]

    def _reset_peer(self, m, sequence):
        m.d.sync += [self.want_reset.eq(1), self.reset_sequence.eq(sequence)]

    def _count_sent(self, m):
        """Pulses begin at 0 here; later code sets them."""
        m.d.sync += [getattr(self, name).eq(0) for name in (
            "want_ack", "want_again", "want_probe", "want_syn", "want_reset", "down", "duplicate_ack", "out_of_order", "challenged",
            "fast_retransmit", "timed_out", "read_options")]
        m.d.sync += [self._timer.answered.eq(0), self._timer.progress.eq(0)]
        with m.If(self.sent & self.sent_new):
            m.d.sync += [self.next.eq(self.next + self.sent_length), self._before.eq(self.next)]
        with m.If(self.sent & self.sent_fin):
            m.d.sync += [
                self.next.eq(self.next + 1), self.fin_sent.eq(1),
                self.state.eq(Mux(self._fin_came, TcpState.LAST_ACK, TcpState.FIN_WAIT_1)),
            ]

    def _watch_window(self, m):
        """Room for a packet in the other side's window, and what we tell of ours."""
        ahead, room = Signal(32), Signal()
        m.d.sync += [ahead.eq(self._edge - self.next), room.eq(~ahead[-1] & (ahead[:-1] >= LONGEST_PACKET))]
        self._room = room
        m.d.comb += self.may_send.eq(room & self._in(TcpState.ESTABLISHED) & ~self.ending)

        told, edge, grown, held = Signal(32), Signal(32), Signal(32), Signal(32)
        m.d.sync += [
            edge.eq(self.expected + self.window), grown.eq(edge - told), held.eq(told - self.expected),
            self.header_window.eq(Mux(grown[-1], held, self.window)),
        ]
        with m.If(self.open | self._reading):
            m.d.sync += told.eq(edge)
        with m.Elif(self.sent):
            m.d.sync += [told.eq(self.expected + self.header_window), grown.eq(0)]
        # Who was told of little room hears when there is much (RFC 9293, 3.8.6.2.2).
        with m.If(~grown[-1] & (grown[11:31] != 0) & self._in(TcpState.ESTABLISHED, TcpState.FIN_WAIT_1, TcpState.FIN_WAIT_2)):
            m.d.sync += self.want_ack.eq(1)

    def _run_timer(self, m):
        """What to try when nothing comes back."""
        timer, outstanding = self._timer, Signal()
        m.d.sync += outstanding.eq(self.unacknowledged != self.next)
        m.d.comb += [
            timer.tick.eq(self.tick), timer.timeout.eq(self.timeout), timer.keep_alive.eq(self.keep_alive), timer.tries.eq(self.tries),
            timer.running.eq(self.state != TcpState.CLOSED), timer.waiting.eq(self._in(TcpState.TIME_WAIT)),
            timer.urgent.eq(outstanding | self._in(TcpState.ESTABLISHED) & ~self._room),
        ]
        with m.If(timer.expired & ~self._in(TcpState.CLOSED)):
            with m.If(self._in(TcpState.TIME_WAIT)):
                m.d.sync += self.state.eq(TcpState.CLOSED)
            with m.Elif(timer.given_up):
                self._go_down(m, DownReason.TIMEOUT)
                self._reset_peer(m, self.next)
            with m.Elif(self._in(TcpState.SYN_SENT)):
                m.d.sync += self.want_syn.eq(1)
            with m.Elif(outstanding):
                m.d.sync += [
                    self.want_again.eq(1), self._recovering.eq(1), self._recover.eq(self.next), self._duplicates.eq(0),
                    self.timed_out.eq(1),
                ]
            with m.Else():
                m.d.sync += self.want_probe.eq(1)

    def _take(self, m):
        """A segment, measured."""
        segment, standing = self._kept, self._compare.standing
        with m.If(self._compare.done):
            with m.If(self._in(TcpState.CLOSED)), m.If(segment.ack & ~segment.rst):
                self._reset_peer(m, segment.acknowledgment)
            with m.Elif(self._in(TcpState.SYN_SENT)):
                self._take_opening(m)
            with m.Else():
                acceptable = Signal()
                m.d.comb += acceptable.eq(standing.next | standing.ahead | standing.covers | standing.ends_before_next & segment.fin)
                with m.If(segment.rst):
                    self._take_reset(m)
                with m.Elif(segment.syn | segment.ack & standing.ack_future):
                    m.d.sync += [self.want_ack.eq(1), self.challenged.eq(1)]
                with m.Elif(~acceptable):
                    m.d.sync += [self.want_ack.eq(1), self.out_of_order.eq(segment.length != 0)]
                with m.Elif(segment.ack):
                    m.d.sync += self._timer.answered.eq(1)
                    self._take_acknowledgment(m)
                    self._take_payload(m)

    def _take_opening(self, m):
        """The answer to our SYN. One that begins a connection by itself is not answered."""
        segment, standing = self._kept, self._compare.standing
        with m.If(~self._reading):
            with m.If(segment.ack & ~standing.ack_new), m.If(~segment.rst):
                self._reset_peer(m, segment.acknowledgment)
            with m.Elif(segment.rst & segment.ack):
                self._go_down(m, DownReason.REFUSED)
            with m.Elif(segment.syn & segment.ack & ~segment.rst):
                m.d.sync += [
                    self._timer.answered.eq(1),
                    self._reading.eq(1), self.read_options.eq(1), self.expected.eq(segment.sequence + 1),
                    self.unacknowledged.eq(segment.acknowledgment), self._edge.eq(standing.edge), self._small.eq(segment.window),
                    self._window_sequence.eq(segment.sequence), self._window_acknowledgment.eq(segment.acknowledgment),
                ]

    def _take_reset(self, m):
        """Exactly the expected byte, or it may be forged (RFC 5961, 3.2)."""
        standing = self._compare.standing
        with m.If(standing.next):
            with m.If(self._in(TcpState.TIME_WAIT)):
                m.d.sync += self.state.eq(TcpState.CLOSED)
            with m.Else():
                self._go_down(m, DownReason.RESET)
        with m.Elif(standing.ahead):
            m.d.sync += [self.want_ack.eq(1), self.challenged.eq(1)]

    def _take_acknowledgment(self, m):
        """What the other side has, and its window."""
        segment, standing = self._kept, self._compare.standing
        with m.If(standing.ack_new):
            m.d.sync += self._timer.progress.eq(1)
            m.d.sync += [self.unacknowledged.eq(segment.acknowledgment), self._duplicates.eq(0)]
            with m.If(self._recovering & self._partial):
                m.d.sync += self.want_again.eq(1)  # one more is missing (RFC 6582, 3.2)
            with m.Else():
                m.d.sync += self._recovering.eq(0)
            with m.If(self._all):
                self._fin_acknowledged(m)
        with m.Elif(standing.ack_same & (segment.length == 0) & ~segment.fin & (self.unacknowledged != self.next)
                    & (segment.window == self._small)):
            m.d.sync += self.duplicate_ack.eq(1)
            with m.If(self._duplicates != DUPLICATES):
                m.d.sync += self._duplicates.eq(self._duplicates + 1)
            with m.If((self._duplicates == DUPLICATES - 1) & ~self._recovering):
                m.d.sync += [
                    self.want_again.eq(1), self.fast_retransmit.eq(1), self._recovering.eq(1), self._recover.eq(self.next)]
        with m.If((standing.ack_new | standing.ack_same) & standing.newer):
            m.d.sync += [
                self._edge.eq(standing.edge), self._small.eq(segment.window),
                self._window_sequence.eq(segment.sequence), self._window_acknowledgment.eq(segment.acknowledgment),
            ]

    def _fin_acknowledged(self, m):
        with m.Switch(self.state):
            with m.Case(TcpState.FIN_WAIT_1):
                m.d.sync += self.state.eq(TcpState.FIN_WAIT_2)
            with m.Case(TcpState.CLOSING):
                m.d.sync += self.state.eq(TcpState.TIME_WAIT)
            with m.Case(TcpState.LAST_ACK):
                m.d.sync += self.state.eq(TcpState.CLOSED)

    def _take_payload(self, m):
        """All of it from the expected byte on, or none; then the FIN, if everything before it is there."""
        segment, standing = self._kept, self._compare.standing
        takes, fin, acknowledged = Signal(), Signal(), Signal()
        m.d.comb += [
            takes.eq(standing.covers & ~self.overflow & ~self._fin_came), self.commit.eq(takes),
            fin.eq(segment.fin & (takes | standing.ends_before_next) & ~self._fin_came),
            acknowledged.eq(standing.ack_new & self._all),
        ]
        with m.If((segment.length != 0) | segment.fin):
            m.d.sync += [self.want_ack.eq(1), self.out_of_order.eq(~takes & ~fin)]
        with m.If(takes):
            m.d.sync += self.expected.eq(standing.end)
        with m.If(fin):
            m.d.sync += [self.expected.eq(standing.end + 1), self._fin_came.eq(1), self.ending.eq(1)]
            with m.Switch(self.state):
                with m.Case(TcpState.ESTABLISHED):
                    with m.If(self.sent & self.sent_fin):
                        m.d.sync += self.state.eq(TcpState.CLOSING)
                    with m.If(~self.ending):
                        m.d.sync += [self.down.eq(1), self.reason.eq(DownReason.PEER_CLOSED)]
                with m.Case(TcpState.FIN_WAIT_1):
                    m.d.sync += self.state.eq(Mux(acknowledged, TcpState.TIME_WAIT, TcpState.CLOSING))
                with m.Case(TcpState.FIN_WAIT_2):
                    m.d.sync += self.state.eq(TcpState.TIME_WAIT)

    def _obey(self, m):
        """The host; and the end of the handshake."""
        with m.If(self.options_done & self._reading):
            m.d.sync += self._reading.eq(0)
            with m.If(self._in(TcpState.SYN_SENT)):
                m.d.sync += [self.state.eq(TcpState.ESTABLISHED), self._scale.eq(self.scale), self.want_ack.eq(1)]
                with m.If(self.mss < LONGEST_PACKET):
                    self._go_down(m, DownReason.SMALL_MSS)
                    self._reset_peer(m, self.next)
        with m.If(self.close):
            with m.If(self._in(TcpState.ESTABLISHED)):
                m.d.sync += self.ending.eq(1)
                with m.If(~self.ending):
                    m.d.sync += [self.down.eq(1), self.reason.eq(DownReason.CLOSED)]
            with m.Elif(self._in(TcpState.SYN_SENT)):
                self._go_down(m, DownReason.CLOSED)
        with m.If((self.cut | self.aborted) & ~self._in(TcpState.CLOSED)):
            self._go_down(m, Mux(self.aborted, DownReason.ABORTED, DownReason.CLOSED))
            self._reset_peer(m, Mux(self.aborted, self._before, self.next))
        with m.If(self.open & self._in(TcpState.CLOSED)):
            m.d.sync += [
                self.state.eq(TcpState.SYN_SENT), self.want_syn.eq(1), self.unacknowledged.eq(self.initial_sequence),
                self.next.eq(self.initial_sequence + 1), self.expected.eq(0), self._scale.eq(0), self._edge.eq(self.initial_sequence + 1),
                self._duplicates.eq(0), self._recovering.eq(0), self._fin_came.eq(0), self._reading.eq(0),
                self.fin_sent.eq(0), self.ending.eq(0),
            ]

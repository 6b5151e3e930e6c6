"""Segments that are not new packets: SYN, ACK, FIN, RST, probes, and packets that are sent again."""

from amaranth.hdl import Module, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.tcp_connection import OUR_MSS
from hw.net.tcp_store import Description
from hw.tcp_types import StreamWord, TcpHeader, TcpState

SYN_OPTIONS = bytes([2, 4, *OUR_MSS.to_bytes(2, "big"), 3, 3, 0, 1])
"""Largest segment; window scale 0, so that the other side may use its own; end of the word."""
PLAIN_BYTES = 6
"""Zeros behind the header of a segment without payload: they make the shortest frame."""


class Kind(enum.Enum, shape=3):
    RESET = 0
    SYN = 1
    AGAIN = 2
    FIN = 3
    ACK = 4
    PROBE = 5


class TcpControl(wiring.Component):
    """Offers one segment at a time, the most urgent first. What a packet that leaves meanwhile has told as well is not said again.

    Ports
    -----
    want_reset, want_syn, want_again, want_ack, want_probe : In(1)
        Pulses; each is remembered until it is done, or means nothing any more.
    state, ending, fin_sent : In
        Of the connection, as are ``unacknowledged``, ``next``, ``expected``, ``reset_sequence`` (In(32)) and ``window`` (In(16)).
    known, empty : In(1), oldest : In(Description), stored : In(stream of StreamWord), again : Out(1)
        Of the store.
    words : Out(stream of StreamWord), header : Out(TcpHeader)
        The segment on offer.
    begins : In(1)
        It begins. ``others`` : In(1): a packet does.
    fin, resent : Out(1)
        With ``begins``: it is our FIN, for the first time; a packet that is sent again.
    settled : Out(1)
        Nothing is on offer or to come.

    Notes
    -----
    Latency 2 cycles from a pulse to the offer, 5 where the store is read.
    """

    def __init__(self):
        super().__init__({
            **{f"want_{name}": In(1) for name in ("reset", "syn", "again", "ack", "probe")},
            "state": In(TcpState), "ending": In(1), "fin_sent": In(1),
            **{name: In(32) for name in ("unacknowledged", "next", "expected", "reset_sequence")}, "window": In(16),
            "known": In(1), "empty": In(1), "oldest": In(Description), "stored": In(stream.Signature(StreamWord)), "again": Out(1),
            "words": Out(stream.Signature(StreamWord)), "header": Out(TcpHeader),
            "begins": In(1), "others": In(1), "fin": Out(1), "resent": Out(1), "settled": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        kind = Signal(Kind)
        reset, syn, again, ack, probe = wanted = [Signal(name=name) for name in ("reset", "syn", "again", "ack", "probe")]
        closed, outstanding, first_fin = Signal(), Signal(), Signal()
        m.d.comb += [
            closed.eq(self.state == TcpState.CLOSED), first_fin.eq(self.ending & ~self.fin_sent & (self.state == TcpState.ESTABLISHED)),
        ]
        m.d.sync += outstanding.eq(self.unacknowledged != self.next)

        def offer(what, *done):
            m.d.sync += [kind.eq(what), *(signal.eq(0) for signal in done)]
            m.next = "OFFER"

        with m.FSM() as machine:
            with m.State("IDLE"):
                with m.If(reset):
                    offer(Kind.RESET, reset)
                with m.Elif(closed):
                    m.d.sync += [signal.eq(0) for signal in wanted]
                with m.Elif(syn):
                    offer(Kind.SYN, syn)
                with m.Elif(again & self.known):
                    offer(Kind.AGAIN, again)
                with m.Elif(again & self.empty & self.fin_sent & outstanding):
                    offer(Kind.FIN, again)
                with m.Elif(first_fin):
                    offer(Kind.FIN)
                with m.Elif(probe):
                    offer(Kind.PROBE, probe)
                with m.Elif(ack):
                    offer(Kind.ACK)
                with m.If(again & ~outstanding & self.empty):
                    m.d.sync += again.eq(0)
            with m.State("OFFER"):
                self._offer(m, kind)
                m.d.comb += self.again.eq(kind == Kind.AGAIN)
                with m.If(self.begins):
                    m.next = "SEND"
                with m.Elif((kind != Kind.RESET) & closed | (kind == Kind.ACK) & ~ack | (kind == Kind.AGAIN) & self.empty & ~self.known):
                    m.next = "IDLE"
            with m.State("SEND"):
                self._offer(m, kind)
                m.d.comb += self.again.eq(kind == Kind.AGAIN)
                with m.If(self.words.valid & self.words.ready & self.words.payload.last):
                    m.next = "IDLE"
        m.d.comb += [
            self.settled.eq(machine.ongoing("IDLE") & ~reset & ~self.want_reset),
            self.fin.eq((kind == Kind.FIN) & ~self.fin_sent), self.resent.eq(kind == Kind.AGAIN),
        ]
        with m.If(self.others | self.begins & self.header.ack):
            m.d.sync += ack.eq(0)
        for signal, pulse in zip(wanted, (self.want_reset, self.want_syn, self.want_again, self.want_ack, self.want_probe), strict=True):
            with m.If(pulse):
                m.d.sync += signal.eq(1)
        self._describe(m, kind)
        return m

    def _offer(self, m, kind):
        plain = self.words.payload
        with m.If(kind == Kind.AGAIN):
            m.d.comb += [
                self.words.valid.eq(self.stored.valid), self.words.payload.eq(self.stored.payload),
                self.stored.ready.eq(self.words.ready),
            ]
        with m.Else():
            m.d.comb += [self.words.valid.eq(1), plain.data.eq(0), plain.count.eq(PLAIN_BYTES), plain.last.eq(1)]
            with m.If(kind == Kind.SYN):
                m.d.comb += [plain.data.eq(int.from_bytes(SYN_OPTIONS, "little")), plain.count.eq(len(SYN_OPTIONS))]

    def _describe(self, m, kind):
        header, fin, probe = self.header, Signal(32), Signal(32)  # of both the sequence number; it stays while they are on offer
        m.d.sync += [fin.eq(self.next - self.fin_sent), probe.eq(self.unacknowledged - 1)]
        m.d.comb += [
            header.sequence.eq(self.next), header.acknowledgment.eq(self.expected), header.window.eq(self.window), header.ack.eq(1),
        ]
        with m.Switch(kind):
            with m.Case(Kind.RESET):
                m.d.comb += [header.sequence.eq(self.reset_sequence), header.acknowledgment.eq(0), header.ack.eq(0), header.rst.eq(1)]
            with m.Case(Kind.SYN):
                m.d.comb += [
                    header.sequence.eq(self.unacknowledged), header.acknowledgment.eq(0), header.ack.eq(0), header.syn.eq(1),
                    header.length.eq(len(SYN_OPTIONS)),
                    header.sum.eq(sum(int.from_bytes(SYN_OPTIONS[at:at + 2], "big") for at in range(0, len(SYN_OPTIONS), 2))),
                ]
            with m.Case(Kind.AGAIN):
                m.d.comb += [
                    header.sequence.eq(self.oldest.sequence), header.length.eq(self.oldest.length), header.sum.eq(self.oldest.sum)]
            with m.Case(Kind.FIN):
                m.d.comb += [header.fin.eq(1), header.sequence.eq(fin)]
            with m.Case(Kind.PROBE):
                m.d.comb += header.sequence.eq(probe)

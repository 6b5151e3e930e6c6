"""The stages of one feed port in a row, from frames to the events that reach the book, as the card puts them together."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.feed.feed_session import FeedSession
from hw.feed.frame_gate import FrameGate
from hw.feed.line_arbiter import LineArbiter
from hw.feed.line_buffer import LineBuffer
from hw.feed.protocols import PROTOCOLS
from hw.feed.trading_status import TradingStatus
from hw.net.udp_receive import UdpReceive
from hw.reasons import DropReason
from hw.types import BookEvent, Cycles, FeedAddress, FrameReceive, Gap, Sequence, SymbolBinding, Verdict


class FeedChain(wiring.Component):
    """Frames in, events and the final verdict of each frame out; what is missing is given up at once."""

    def __init__(self, symbols=4, backlog=128, protocol="itch50"):
        self.symbols, self.backlog, self.protocol = symbols, backlog, PROTOCOLS[protocol]
        super().__init__({
            "frames": In(FrameReceive),
            "now": In(Cycles),
            "address": In(FeedAddress),
            "bindings": In(data.ArrayLayout(SymbolBinding, symbols)),
            "names": In(data.ArrayLayout(64, symbols)),
            "set_sequence": In(1),
            "sequence_in": In(Sequence),
            "events": Out(stream.Signature(BookEvent)),
            "final": Out(stream.Signature(Verdict, always_ready=True)),
            "gap": Out(stream.Signature(Gap, always_ready=True)),
            "expected": Out(Sequence),
            "dropped": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receive = receive = UdpReceive()
        m.submodules.framer = framer = self.protocol.framer()
        m.submodules.decoder = decoder = self.protocol.decoder()
        m.submodules.status = status = TradingStatus()
        m.submodules.select = select = self.protocol.select(self.symbols)
        m.submodules.gate = gate = FrameGate(decoder.LATENCY + select.LATENCY - 1)
        m.submodules.session = session = FeedSession(1)
        m.submodules.buffer = buffer = LineBuffer(self.backlog, self.backlog // 8)
        m.submodules.arbiter = arbiter = LineArbiter(2)

        connect(m, flipped(self.frames), receive.frames)
        connect(m, receive.payload, framer.payload)
        connect(m, receive.verdict, framer.verdict_in)
        self.protocol.join(m, framer, decoder, status, select, self.bindings, self.names)
        connect(m, select.output, buffer.input)
        connect(m, buffer.frame, arbiter.frames[0])
        connect(m, buffer.events, arbiter.events[0])
        connect(m, buffer.coming, arbiter.coming[0])
        connect(m, arbiter.output, flipped(self.events))
        connect(m, framer.verdict, gate.verdict)
        connect(m, arbiter.gap, flipped(self.gap))
        connect(m, gate.final, flipped(self.final))
        m.d.comb += [
            receive.now.eq(self.now),
            receive.address[0].eq(self.address),
            session.good[0].eq(framer.verdict.valid & (framer.verdict.payload.reason == DropReason.NONE)),
            session.session[0].eq(framer.span.session),
            session.restart.eq(self.set_sequence),
            gate.span.eq(framer.span),
            gate.end_of_session.eq(framer.end_of_session),
            gate.other_session.eq(session.other[0]),
            gate.malformed.eq(decoder.malformed),
            buffer.commit.eq(gate.commit),
            buffer.lose.eq(gate.lose),
            buffer.discard.eq(gate.discard),
            buffer.first.eq(gate.first),
            buffer.next.eq(gate.next),
            buffer.clear.eq(self.set_sequence),
            arbiter.session.eq(session.name),
            arbiter.restart.eq(self.set_sequence),
            arbiter.sequence_in.eq(self.sequence_in),
            self.expected.eq(arbiter.expected),
            self.dropped.eq(buffer.dropped),
        ]
        return m

"""Turns the verdict on a frame into the fate of the events that it caused."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import DropReason, Sequence, Span, Verdict


class FrameGate(wiring.Component):
    """Decides over a frame's events once all of them have reached the line's buffer.

    Parameters
    ----------
    delay : int
        Cycles from the verdict until all that the frame caused has reached the line's buffer: the latency of the stages between them,
        less the cycles by which the verdict comes after the frame's last word. At least 2, and less than those from one good verdict to
        the next.

    Ports
    -----
    verdict : In(stream of Verdict, always ready)
        One per frame, not before its last word left the stage that gives the verdict.
    span : In(Span)
        With a good verdict.
    end_of_session : In(1)
        With a good verdict.
    other_session : In(1)
        ``delay`` cycles after a good verdict: the frame is of a session that the venue does not follow.
    retransmitted_in : In(1)
        With a good verdict: the frame came to the address of retransmitted packets.
    malformed : In(1)
        Pulse: a message of the frame in progress could not be read, at the latest ``delay`` cycles after the verdict.
    commit, lose, discard : Out(1)
        One of them, ``delay`` cycles after the verdict: the frame is good; it is, but one of its messages could not be read; it is not.
    first, next : Out(Sequence)
        With ``commit`` and ``lose``: the frame's span.
    retransmitted : Out(1)
        With them: ``retransmitted_in``.
    final : Out(stream of Verdict, always ready)
        With them: the verdict; SESSION or MALFORMED where a good one does not stand.
    heartbeat, session_end : Out(1)
        With ``commit``: what the frame was.
    busy : Out(1)
        A verdict is waiting for its fate, or is coming in.
    """

    def __init__(self, delay: int):
        if delay < 2:
            raise ValueError(f"delay must be at least 2 cycles, not {delay}")
        self._delay = delay
        verdicts = stream.Signature(Verdict, always_ready=True)
        super().__init__({
            "verdict": In(verdicts), "span": In(Span), "end_of_session": In(1), "other_session": In(1),
            "retransmitted_in": In(1), "malformed": In(1),
            "commit": Out(1), "lose": Out(1), "discard": Out(1), "first": Out(Sequence), "next": Out(Sequence), "retransmitted": Out(1),
            "final": Out(verdicts), "heartbeat": Out(1), "session_end": Out(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        ends = Signal()
        with m.If(self.verdict.valid & (self.verdict.payload.reason == DropReason.NONE)):
            m.d.sync += [
                self.first.eq(self.span.first), self.next.eq(self.span.next), ends.eq(self.end_of_session),
                self.retransmitted.eq(self.retransmitted_in),
            ]

        valid, reason = self.verdict.valid, self.verdict.payload.reason
        waiting = valid
        for _ in range(self._delay):
            next_valid, next_reason = Signal(), Signal.like(reason)
            m.d.sync += [next_valid.eq(valid), next_reason.eq(reason)]
            valid, reason = next_valid, next_reason
            waiting |= valid

        seen = Signal()
        broken = seen | self.malformed
        with m.If(valid):
            m.d.sync += seen.eq(0)
        with m.Elif(self.malformed):
            m.d.sync += seen.eq(1)

        good, nothing = Signal(), Signal()
        m.d.sync += nothing.eq(self.first == self.next)
        m.d.comb += [
            self.busy.eq(waiting),
            good.eq(valid & (reason == DropReason.NONE) & ~self.other_session),
            self.commit.eq(good & ~broken),
            self.lose.eq(good & broken),
            self.discard.eq(valid & ~good),
            self.heartbeat.eq(self.commit & nothing & ~ends),
            self.session_end.eq(self.commit & ends),
            self.final.valid.eq(valid),
            self.final.payload.reason.eq(reason),
        ]
        with m.If((reason == DropReason.NONE) & self.other_session):
            m.d.comb += self.final.payload.reason.eq(DropReason.SESSION)
        with m.Elif(self.lose):
            m.d.comb += self.final.payload.reason.eq(DropReason.MALFORMED)
        return m

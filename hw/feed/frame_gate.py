"""Turns the verdict on a frame into the fate of the events that it caused."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import DropReason, Verdict


class FrameGate(wiring.Component):
    """Commits or discards a frame's events once all of them have reached the commit buffer.

    Parameters
    ----------
    delay : int
        Cycles from the verdict until all that the frame caused has reached the commit buffer: the latency of the stages
        between them, less the cycles by which the verdict comes after the frame's last word. At least 1.

    Ports
    -----
    verdict : In(stream of Verdict, always ready)
        One per frame, not before its last word left the stage that gives the verdict.
    malformed : In(1)
        Pulse: a message of the frame in progress could not be read, at the latest ``delay`` cycles after the verdict.
    commit, discard : Out(1)
        One of them, ``delay`` cycles after the verdict.
    final : Out(stream of Verdict, always ready)
        With them: the verdict, MALFORMED where a message was.
    lost : Out(1)
        With ``discard``: the framing accepted this frame's messages, so that nobody will miss them later.
    """

    def __init__(self, delay: int):
        if delay < 1:
            raise ValueError(f"delay must be at least 1 cycle, not {delay}")
        self._delay = delay
        verdicts = stream.Signature(Verdict, always_ready=True)
        super().__init__({
            "verdict": In(verdicts), "malformed": In(1),
            "commit": Out(1), "discard": Out(1), "final": Out(verdicts), "lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        valid, reason = self.verdict.valid, self.verdict.payload.reason
        for _ in range(self._delay):
            next_valid, next_reason = Signal(), Signal.like(reason)
            m.d.sync += [next_valid.eq(valid), next_reason.eq(reason)]
            valid, reason = next_valid, next_reason

        seen = Signal()
        broken = seen | self.malformed
        with m.If(valid):
            m.d.sync += seen.eq(0)
        with m.Elif(self.malformed):
            m.d.sync += seen.eq(1)

        good = reason == DropReason.NONE
        m.d.comb += [
            self.lost.eq(valid & good & broken),
            self.commit.eq(valid & good & ~broken),
            self.discard.eq(valid & ~self.commit),
            self.final.valid.eq(valid),
            self.final.payload.reason.eq(reason),
        ]
        with m.If(self.lost):
            m.d.comb += self.final.payload.reason.eq(DropReason.MALFORMED)
        return m

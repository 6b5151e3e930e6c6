"""Whether a venue's books may be trusted, and the way back when they may not."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.reasons import StaleReason
from hw.types import FrameReceive, Verdict

IN_FLIGHT = 32
"""Frames that are between the port and their fate at most: a frame has at least one word, and its fate follows within fewer cycles."""


class VenueState(wiring.Component):
    """Latches the venue stale at the first loss, and restarts the feed between two frames when the host asks.

    Ports
    -----
    gap, malformed, dropped : In(1)
        Pulses: messages never came; a message of a good frame could not be read; events did not fit.
    frames : In(FrameReceive)
    final : In(stream of Verdict, always ready)
        One per frame, when its fate is decided; with ``frames`` it tells when no frame is in progress.
    resync : In(1)
        Pulse: the host wants a fresh start.
    restart : Out(1)
        One cycle, while no frame is in progress, after ``resync``: what waits is thrown away, the book is cleared, the sequence is set.
    pending : Out(1)
        A restart was asked for and has not come yet: what arrives now will be thrown away.
    stale : Out(1)
        From the cycle after the loss until ``restart``.
    reason : Out(StaleReason)
        Of the first loss; NONE while not stale.
    went_stale : Out(1)
        Pulse with the first cycle of ``stale``.
    """

    gap: In(1)
    malformed: In(1)
    dropped: In(1)
    frames: In(FrameReceive)
    final: In(stream.Signature(Verdict, always_ready=True))
    resync: In(1)
    restart: Out(1)
    pending: Out(1)
    stale: Out(1)
    reason: Out(StaleReason)
    went_stale: Out(1)

    def elaborate(self, platform):
        m = Module()
        inside = Signal()  # the frame that is coming in has begun
        in_flight = Signal(range(IN_FLIGHT))

        begins = self.frames.valid & ~inside
        with m.If(self.frames.valid):
            m.d.sync += inside.eq(~self.frames.payload.last)
        m.d.sync += in_flight.eq(in_flight + begins - self.final.valid)

        m.d.comb += self.restart.eq(self.pending & (in_flight == 0) & ~self.frames.valid)
        with m.If(self.resync):
            m.d.sync += self.pending.eq(1)
        with m.Elif(self.restart):
            m.d.sync += self.pending.eq(0)

        loss = Signal(StaleReason)
        for lost, reason in ((self.dropped, StaleReason.DROPPED), (self.malformed, StaleReason.MALFORMED), (self.gap, StaleReason.GAP)):
            with m.If(lost):
                m.d.comb += loss.eq(reason)

        m.d.comb += self.stale.eq(self.reason != StaleReason.NONE)
        m.d.sync += self.went_stale.eq(0)
        with m.If(self.restart):
            m.d.sync += self.reason.eq(StaleReason.NONE)
        with m.Elif(~self.stale & (loss != StaleReason.NONE)):
            m.d.sync += [self.reason.eq(loss), self.went_stale.eq(1)]
        return m

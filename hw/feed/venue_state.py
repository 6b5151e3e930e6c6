"""Whether a venue's books may be trusted, and the way back when they may not."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.reasons import StaleReason
from hw.types import PayloadWord, Verdict


class VenueState(wiring.Component):
    """Latches the venue stale at the first loss, and restarts the feed between two frames when the host asks.

    Ports
    -----
    gap, malformed, dropped : In(1)
        Pulses: messages never came; a message of a good frame could not be read; events did not fit.
    payload : In(stream of PayloadWord, always ready)
    verdict : In(stream of Verdict, always ready)
        Watched to know when no frame is in progress.
    resync : In(1)
        Pulse: the host wants a fresh start.
    restart : Out(1)
        One cycle, between two frames, after ``resync``: resets the feed stages and clears the book.
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
    payload: In(stream.Signature(PayloadWord, always_ready=True))
    verdict: In(stream.Signature(Verdict, always_ready=True))
    resync: In(1)
    restart: Out(1)
    stale: Out(1)
    reason: Out(StaleReason)
    went_stale: Out(1)

    def elaborate(self, platform):
        m = Module()
        in_frame = Signal()
        wanted = Signal()

        with m.If(self.verdict.valid):
            m.d.sync += in_frame.eq(0)
        with m.Elif(self.payload.valid):
            m.d.sync += in_frame.eq(1)

        m.d.comb += self.restart.eq(wanted & ~in_frame & ~self.payload.valid & ~self.verdict.valid)
        with m.If(self.resync):
            m.d.sync += wanted.eq(1)
        with m.Elif(self.restart):
            m.d.sync += wanted.eq(0)

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

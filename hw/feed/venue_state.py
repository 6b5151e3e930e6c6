"""Whether a venue's books may be trusted, and the way back when they may not."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.reasons import StaleReason
from hw.types import FrameReceive, Verdict

IN_FLIGHT = 32
"""Frames that are between a port and their fate at most: a frame has at least one word, and its fate follows within fewer cycles."""


class VenueState(wiring.Component):
    """Calls the venue stale from a gap until all is well again, and restarts the feed when the host asks.

    A gap that recovery fills ends by itself, with ``recovered``; one in which messages were given up ends with a restart only.
    A restart with ``restore`` is stale until ``resume``: the host fills the book.
    A restart waits until every frame that was under way when the host asked has met its fate: none of it may enter the new book.

    Parameters
    ----------
    lines : int

    Ports
    -----
    gap, gave_up, recovered : In(1)
        Pulses: messages did not come in time; some of them never will; what was missing is there, or given up, and nothing waits.
    frames : In(FrameReceive).array(lines)
    final : In(stream of Verdict, always ready).array(lines)
        One per frame, when its fate is decided; with ``frames`` it tells what is under way.
    settling : In(1)
        No moment for a restart: a frame is between its verdict and its fate.
    resync : In(1)
        Pulse: the host wants a fresh start.
    restore : In(1), resume : In(1)
        At a restart: the book has yet to be filled. Pulse: it has been.
    restart : Out(1)
        One cycle, after ``resync``: what waits is thrown away, the book is cleared, the sequence is set.
    pending : Out(1)
        A restart was asked for and has not come yet: what arrives now may be thrown away.
    stale : Out(1)
        From the cycle after the gap on.
    reason : Out(StaleReason)
        NONE while not stale.
    went_stale : Out(1)
        Pulse with the first cycle of ``stale``.
    """

    def __init__(self, lines: int = 3):
        super().__init__({
            "gap": In(1), "gave_up": In(1), "recovered": In(1), "frames": In(FrameReceive).array(lines),
            "final": In(stream.Signature(Verdict, always_ready=True)).array(lines), "settling": In(1), "resync": In(1),
            "restore": In(1), "resume": In(1),
            "restart": Out(1), "pending": Out(1), "stale": Out(1), "reason": Out(StaleReason), "went_stale": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        old = [self._frames_from_before(m, line) for line in range(len(self.frames))]
        m.d.comb += self.restart.eq(self.pending & ~Cat(old).any() & ~self.settling)
        with m.If(self.resync):
            m.d.sync += self.pending.eq(1)
        with m.Elif(self.restart):
            m.d.sync += self.pending.eq(0)

        lost = Signal()  # messages were given up
        m.d.comb += self.stale.eq(self.reason != StaleReason.NONE)
        m.d.sync += self.went_stale.eq(0)
        with m.If(self.restart & self.restore):
            m.d.sync += [self.reason.eq(StaleReason.RESTORE), lost.eq(0), self.went_stale.eq(~self.stale)]
        with m.Elif(self.restart | self.resume | (self.recovered & ~lost)):
            m.d.sync += [self.reason.eq(StaleReason.NONE), lost.eq(0)]
        with m.Elif(self.gap & ~self.stale):
            m.d.sync += [self.reason.eq(StaleReason.GAP), self.went_stale.eq(1)]
        with m.Elif(self.gave_up):
            m.d.sync += lost.eq(1)
        return m

    def _frames_from_before(self, m, line):
        """Whether a frame is under way that was when the host asked."""
        frames, final = self.frames[line], self.final[line]
        inside = Signal(name=f"inside_{line}")  # the frame that is coming in has begun
        under_way, after = Signal(range(IN_FLIGHT), name=f"under_way_{line}"), Signal(range(IN_FLIGHT), name=f"after_{line}")
        old = Signal(range(IN_FLIGHT), name=f"old_{line}")
        with m.If(frames.valid):
            m.d.sync += inside.eq(~frames.payload.last)
        m.d.comb += after.eq(under_way + (frames.valid & ~inside) - final.valid)
        m.d.sync += [under_way.eq(after), old.eq(Mux(self.resync, after, old - (final.valid & (old != 0))))]
        return old != 0

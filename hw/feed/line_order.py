"""Which frames of a line have been overtaken on their way."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.types import Sequence


class LineOrder(wiring.Component):
    """Tells a frame that has been overtaken: it begins below the end of one before it, and may fill the line's last hole.

    Such frames have a buffer of their own, as they may be what those ahead of them are waiting for.

    Ports
    -----
    first, next : In(Sequence)
        The frame's span, from the cycle before ``good`` on.
    good : In(1)
        It is one, and this is its place in the order.
    restart : In(1)
        Pulse: whatever comes next is in order.
    late : Out(1)
        With ``good``: it has been overtaken.
    """

    first: In(Sequence)
    next: In(Sequence)
    good: In(1)
    restart: In(1)
    late: Out(1)

    def elaborate(self, platform):
        m = Module()
        end, hole = Signal(Sequence), Signal(Sequence, init=-1)  # of the frames in order; where the last hole between them begins
        fresh, ahead, newer = Signal(init=1), Signal(), Signal()
        m.d.sync += [
            self.late.eq((self.first < end) & (self.next > hole)),
            ahead.eq(self.first > end),
            newer.eq(self.next > end),
        ]
        with m.If(self.restart):
            m.d.sync += [fresh.eq(1), end.eq(0), hole.eq(-1), self.late.eq(0)]
        with m.Elif(self.good & ~self.late & (newer | fresh)):
            m.d.sync += [fresh.eq(0), end.eq(self.next)]
            with m.If(ahead & ~fresh):
                m.d.sync += hole.eq(end)
        return m

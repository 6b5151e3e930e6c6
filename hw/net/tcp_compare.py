"""Where a segment stands in the connection: sequence arithmetic modulo 2^32 (RFC 9293, 3.4)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.tcp_types import TcpSegment

NEAR_BITS = 14
"""A segment that begins less than 2^14 bytes ahead is in the window; ours is smaller, and the buffer says what fits."""


class TcpStanding(data.Struct):
    """A segment, measured by what is expected. Numbers are compared by the sign of their difference."""

    ack_new: 1
    """It acknowledges something that was not, and was sent."""
    ack_same: 1
    """It acknowledges what is already."""
    ack_future: 1
    """It acknowledges what was never sent."""
    next: 1
    """It begins with the byte that is expected."""
    ahead: 1
    """It begins beyond it, in the window."""
    covers: 1
    """It has payload, the expected byte among it."""
    ends_before_next: 1
    """All its payload was there before, to the very last byte; or it has none and begins with the expected one."""
    newer: 1
    """Its window is newer than the one known (RFC 9293, 3.10.7.4: SND.WL1, SND.WL2)."""
    skip: 16
    """With ``covers``: bytes in front of the expected one."""
    end: 32
    """Sequence number behind its payload."""
    edge: 32
    """Sequence number behind what it lets us send."""


class TcpCompare(wiring.Component):
    """Compares a segment with the connection's state.

    Ports
    -----
    valid : In(1)
        A segment, which stays until the result is there.
    segment : In(TcpSegment)
    unacknowledged, next, expected, window_sequence, window_acknowledgment : In(32)
        SND.UNA, SND.NXT, RCV.NXT, SND.WL1, SND.WL2. Of these only ``next`` may change meanwhile, and grow.
    scale : In(4)
        The other side's window scale (RFC 7323), 0 to 14.
    done : Out(1)
    standing : Out(TcpStanding)
        With ``done``.

    Notes
    -----
    Latency 2 cycles.
    """

    LATENCY = 2

    valid: In(1)
    segment: In(TcpSegment)
    unacknowledged: In(32)
    next: In(32)
    expected: In(32)
    window_sequence: In(32)
    window_acknowledgment: In(32)
    scale: In(4)
    done: Out(1)
    standing: Out(TcpStanding)

    def elaborate(self, platform):
        m = Module()
        segment, standing = self.segment, self.standing
        acked, unsent, offset, since, after = (Signal(32, name=name) for name in ("acked", "unsent", "offset", "since", "after"))
        end, window, measured, beyond = Signal(32), Signal(30), Signal(), Signal(32)
        m.d.comb += beyond.eq(end - self.expected)
        m.d.sync += [
            measured.eq(self.valid), self.done.eq(measured),
            acked.eq(segment.acknowledgment - self.unacknowledged), unsent.eq(self.next - segment.acknowledgment),
            offset.eq(segment.sequence - self.expected), end.eq(segment.sequence + segment.length),
            since.eq(segment.sequence - self.window_sequence), after.eq(segment.acknowledgment - self.window_acknowledgment),
            window.eq(segment.window << self.scale),
            standing.ack_new.eq(~acked[-1] & (acked != 0) & ~unsent[-1]),
            standing.ack_same.eq(acked == 0),
            standing.ack_future.eq(unsent[-1] & ~acked[-1]),
            standing.next.eq(offset == 0),
            standing.ahead.eq((offset != 0) & (offset[NEAR_BITS:] == 0)),
            standing.covers.eq((offset[-1] | (offset == 0)) & ~beyond[-1] & (beyond != 0)),
            standing.ends_before_next.eq(beyond == 0),
            standing.newer.eq(~since[-1] & (since != 0) | (since == 0) & ~after[-1]),
            standing.skip.eq(Mux(offset == 0, 0, -offset)), standing.end.eq(end),
            standing.edge.eq(segment.acknowledgment + window),
        ]
        return m

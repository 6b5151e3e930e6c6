"""Where a segment stands in the connection: sequence arithmetic modulo 2^32 (RFC 9293, 3.4)."""

from amaranth.hdl import Cat, Module, Signal
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
    Latency 3 cycles: the distances; what is zero and what negative; the answers.
    """

    LATENCY = 3

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
        names = ("acked", "unsent", "offset", "since", "after", "end", "beyond")
        acked, unsent, offset, since, after, end, beyond = (Signal(32, name=name) for name in names)
        window, measured = Signal(30), Signal(2)
        m.d.sync += [
            measured.eq(Cat(self.valid, measured)), self.done.eq(measured[-1]),
            acked.eq(segment.acknowledgment - self.unacknowledged), unsent.eq(self.next - segment.acknowledgment),
            offset.eq(segment.sequence - self.expected), end.eq(segment.sequence + segment.length),
            since.eq(segment.sequence - self.window_sequence), after.eq(segment.acknowledgment - self.window_acknowledgment),
            window.eq(segment.window << self.scale),
            beyond.eq(end - self.expected), standing.end.eq(end), standing.edge.eq(segment.acknowledgment + window),
            standing.skip.eq(-offset[:16]),
        ]

        def looked_at(distance):
            """Whether it is negative, and whether it is zero."""
            signs = Signal(name=f"{distance.name}_negative"), Signal(name=f"{distance.name}_zero")
            m.d.sync += [signs[0].eq(distance[-1]), signs[1].eq(distance == 0)]
            return signs

        (ack_old, ack_same), (ack_future, _), (early, begins_next), (older, same_age), (ack_older, _) = (
            looked_at(distance) for distance in (acked, unsent, offset, since, after))
        near, done_before = Signal(), beyond == 0
        m.d.sync += [
            near.eq(offset[NEAR_BITS:] == 0),
            standing.ack_new.eq(~ack_old & ~ack_same & ~ack_future), standing.ack_same.eq(ack_same),
            standing.ack_future.eq(ack_future & ~ack_old),
            standing.next.eq(begins_next), standing.ahead.eq(~begins_next & near),
            standing.covers.eq((early | begins_next) & ~beyond[-1] & ~done_before), standing.ends_before_next.eq(done_before),
            standing.newer.eq(~older & ~same_age | same_age & ~ack_older),
        ]
        return m

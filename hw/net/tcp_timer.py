"""The one timer of a connection: retransmission with back-off, probes, keep-alive, the end of TIME-WAIT (RFC 9293, 3.8; RFC 6298)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

MOST_DOUBLINGS = 6
TIME_WAIT = 3
"""Doublings of the retransmission timeout that TIME-WAIT lasts."""


class TcpTimer(wiring.Component):
    """Says when the other side has been silent for too long, and when for good.

    There is one interval at a time: ``timeout``, doubled with each try up to 64 times, while something is ``urgent`` or a try was not
    answered; ``keep_alive`` else. The timeout is the host's to choose: round trips are not measured.

    Ports
    -----
    tick : In(1)
        Pulse: the unit of the intervals.
    timeout, keep_alive : In(16)
        In ticks.
    tries : In(4)
        The connection is given up when the timer has expired so often without an answer; 0 is 16.
    running : In(1)
        There is a connection.
    urgent : In(1)
        Something is not acknowledged, or the window is too small.
    waiting : In(1)
        TIME-WAIT: 8 timeouts, of which there is one.
    answered : In(1)
        Pulse: an acceptable segment came.
    progress : In(1)
        Pulse: it acknowledged something new.
    expired : Out(1)
        Pulse: try something, or TIME-WAIT is over.
    given_up : Out(1)
        With ``expired``: there were as many tries as may be.

    Notes
    -----
    Latency 1 cycle from the tick.
    """

    tick: In(1)
    timeout: In(16)
    keep_alive: In(16)
    tries: In(4)
    running: In(1)
    urgent: In(1)
    waiting: In(1)
    answered: In(1)
    progress: In(1)
    expired: Out(1)
    given_up: Out(1)

    def elaborate(self, platform):
        m = Module()
        left, interval = Signal(22), Signal(22)
        doublings, unanswered, last = Signal(range(MOST_DOUBLINGS + 1)), Signal(4), Signal()
        hurried, restart, was_running, was_waiting = Signal(), Signal(), Signal(), Signal()
        m.d.comb += restart.eq(
            self.progress | (self.answered & ~self.urgent) | (self.urgent != hurried) | ~was_running | (self.waiting & ~was_waiting))
        m.d.sync += [
            hurried.eq(self.urgent), was_running.eq(self.running), was_waiting.eq(self.waiting), self.expired.eq(0),
            last.eq((unanswered + 1)[:4] == self.tries), self.given_up.eq(last),
            interval.eq(Mux(self.urgent | (unanswered != 0), self.timeout << doublings, self.keep_alive)),
        ]
        with m.If(self.waiting):
            m.d.sync += interval.eq(self.timeout << TIME_WAIT)
        reload = Signal(2)  # the interval is right two cycles after what changes it
        with m.If(restart):
            m.d.sync += reload.eq(3)
        with m.Elif(reload != 0):
            m.d.sync += [reload.eq(reload - 1), left.eq(interval)]
        with m.Elif(self.tick & self.running):
            m.d.sync += left.eq(left - 1)
            with m.If(left == 0):
                m.d.sync += [self.expired.eq(1), reload.eq(3), unanswered.eq(unanswered + 1)]
                with m.If(doublings != MOST_DOUBLINGS):
                    m.d.sync += doublings.eq(doublings + 1)
        with m.If(self.answered | ~self.running):
            m.d.sync += unanswered.eq(0)
        with m.If(self.progress | (self.answered & ~self.urgent) | ~self.running):
            m.d.sync += doublings.eq(0)
        return m

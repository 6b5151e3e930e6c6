"""What has been sent on this day, in money, against the day's limit."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

LEVELS = (50, 75, 85, 90, 95)
"""Percent of the limit at which the level rises by one."""


class DayNotional(wiring.Component):
    """Adds up shares x price of the orders that left; what was cancelled later stays counted.

    Ports
    -----
    limit : In(64)
        Most of a day, in 1/10000. A change counts two cycles later.
    ahead : In(64)
        To be counted before the order in question: of its other leg. It counts one cycle later.
    room : Out(signed(66))
        What is left of the limit; exact from three cycles after a ``spend`` on.
    spend : In(1), amount : In(64)
        Pulse: an order of this notional leaves.
    clear : In(1)
        Pulse: a new day.
    used : Out(64)
        Stays at all ones, once it would be more.
    level : Out(range(6))
        How many of ``LEVELS`` have been reached, within 7 cycles; 0 while there is no limit.
    """

    LATENCY = 3

    def __init__(self):
        super().__init__({
            "limit": In(64), "ahead": In(64), "room": Out(signed(66)), "spend": In(1), "amount": In(64), "clear": In(1),
            "used": Out(64), "level": Out(range(len(LEVELS) + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        left, total = Signal(signed(65)), Signal(65)
        m.d.comb += total.eq(self.used + self.amount)
        m.d.sync += [left.eq(self.limit - self.used), self.room.eq(left - self.ahead)]
        with m.If(self.spend):
            m.d.sync += self.used.eq(Mux(total[64], (1 << 64) - 1, total))
        with m.If(self.clear):
            m.d.sync += self.used.eq(0)
        self._watch_level(m)
        return m

    def _watch_level(self, m):
        """One threshold after the other, in twentieths: what is used against 10, 15, 17, 18 and 19 of the limit."""
        step, count = Signal(range(len(LEVELS) + 1)), Signal.like(self.level)
        twentieths, threshold, five = Signal(69), Signal(69), Signal(67)
        limit = self.limit
        with m.If(step == 0):
            m.d.sync += [
                twentieths.eq((self.used << 4) + (self.used << 2)), threshold.eq((limit << 3) + (limit << 1)),
                five.eq((limit << 2) + limit), count.eq(0), step.eq(1),
            ]
        with m.Else():
            reached = Signal()
            m.d.comb += reached.eq((twentieths >= threshold) & (five != 0))
            m.d.sync += [
                step.eq(step + 1), count.eq(count + reached),
                threshold.eq(threshold + Mux(step == 1, five, Mux(step == 2, limit << 1, limit))),
            ]
            with m.If(step == len(LEVELS)):
                m.d.sync += [step.eq(0), self.level.eq(count + reached)]

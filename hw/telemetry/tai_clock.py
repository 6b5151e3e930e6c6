"""Time of day: nanoseconds that the host can set, move and make faster or slower, as PTP does with a clock."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.telemetry_types import ClockIncrement, ClockReading

FRACTION = 32
"""Bits of a nanosecond that the clock keeps."""

LOW = FRACTION + 16
"""Bits of the first of the two parts that are added one cycle after the other."""

BEAT = 26
"""A running clock is told every 2^26 cycles (0.43 s at 156.25 MHz)."""


class TaiClock(wiring.Component):
    """Nanoseconds since 1970-01-01 00:00:00 TAI. Stands at 0 until it is set.

    Ports
    -----
    now : In(64)
        Card time, in cycles.
    set : In(1), value : In(64)
        Pulse: it is ``value`` ns, and the clock runs from now on.
    adjust : In(1), offset : In(signed(32))
        Pulse: so many ns later, or earlier, than it has been. Not in the cycle before ``set``, nor with it.
    increment : In(40)
        What the time grows by each cycle, in 2^-32 ns.
    time : Out(64)
        Two cycles after ``set`` it is ``value``; three cycles after ``adjust`` and another ``increment`` these have their effect.
    reading : Out(stream of ClockReading, always ready)
        After each of the three, or the last of several that follow each other at once, and every 2^``BEAT`` cycles.
    """

    LATENCY = 3

    now: In(64)
    set: In(1)
    value: In(64)
    adjust: In(1)
    offset: In(signed(32))
    increment: In(ClockIncrement)
    time: Out(64)
    reading: Out(stream.Signature(ClockReading, always_ready=True))

    def elaborate(self, platform):
        m = Module()
        running, step = Signal(), Signal(signed(2 * FRACTION + 1))
        low, carry, later_low, high = Signal(LOW), Signal(), Signal(LOW), Signal(64 - LOW + FRACTION)
        upper, was_set, set_high = Signal(signed(len(step) - LOW)), Signal(), Signal.like(high)
        m.d.sync += [
            step.eq(Mux(running | self.set, self.increment + (Mux(self.adjust, self.offset, 0) << FRACTION), 0)),
            Cat(low, carry).eq(low + step[:LOW]), upper.eq(step[LOW:].as_signed()), later_low.eq(low),
            was_set.eq(self.set), set_high.eq(self.value[LOW - FRACTION:]),
            high.eq(Mux(was_set, set_high, high + upper + carry)),
        ]
        with m.If(self.set):
            m.d.sync += [running.eq(1), low.eq(Cat(Const(0, FRACTION), self.value[:LOW - FRACTION]))]
        m.d.comb += self.time.eq(Cat(later_low[FRACTION:], high))
        self._tell(m, running)
        return m

    def _tell(self, m, running):
        """A reading when all that has changed shows in the time, and not before."""
        reading, before, changes = self.reading.payload, Signal(ClockIncrement), Signal(self.LATENCY)
        changed = self.set | self.adjust | (self.increment != before)
        m.d.sync += [before.eq(self.increment), changes.eq(Cat(changed, changes))]
        m.d.comb += [
            self.reading.valid.eq(running & ~changes[:-1].any() & (changes[-1] | (self.now[:BEAT] == 0))),
            reading.cycles.eq(self.now), reading.time.eq(self.time), reading.increment.eq(before),
        ]

"""How often each latency was seen, in bins whose width grows with the latency."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.telemetry_types import FINE, LatencyBin, LatencyCount, LatencySummary
from hw.types import Cycles


def bin_of(m, value):
    """The bin of a latency, a cycle later.

    Up to 2^5 each has its own; above, the leading one says which doubling it is, and the four bits behind it which part of that.
    """
    doubling, part = Signal(range(Cycles.width)), Signal(FINE)
    for top in range(FINE + 1, Cycles.width):  # the last assignment counts: that of the leading one
        with m.If(value[top]):
            m.d.comb += doubling.eq(top - FINE)
    with m.Switch(doubling):
        for shift in range(1, Cycles.width - FINE):
            with m.Case(shift):
                m.d.comb += part.eq(value[shift:])
    place = Signal(LatencyBin)
    m.d.sync += place.eq(Mux(doubling == 0, value[:FINE + 1], Cat(part, doubling + 1)))
    return place


class LatencyHistogram(wiring.Component):
    """Counts latencies, exactly up to 31 cycles and in parts of 1/16 above.

    Ports
    -----
    latency : In(stream of Cycles, always ready)
        At most one in four cycles.
    clear : In(1)
        Pulse: forgets everything, in 512 cycles in which nothing is counted.
    clearing : Out(1)
        After reset too.
    bin : In(LatencyBin)
    shown : Out(48)
        How many latencies fell into ``bin``, as of two cycles ago.
    summary : Out(LatencySummary)
        Of all of them; a latency shows four cycles after it came.
    """

    PERIOD = 4

    latency: In(stream.Signature(Cycles, always_ready=True))
    clear: In(1)
    clearing: Out(1, init=1)
    bin: In(LatencyBin)
    shown: Out(LatencyCount)
    summary: Out(LatencySummary)

    def elaborate(self, platform):
        m = Module()
        m.submodules.counts = counts = Memory(shape=LatencyCount, depth=len(LatencyBin), init=[], attrs={"ram_style": "block"})
        write, read, look = counts.write_port(), counts.read_port(), counts.read_port()
        place, kept, old, stages = bin_of(m, self.latency.payload), Signal(LatencyBin), Signal(LatencyCount), Signal(3)
        walk = Signal(LatencyBin)
        m.d.sync += [stages.eq(Cat(self.latency.valid & ~self.clearing, stages)), old.eq(read.data), self.shown.eq(look.data)]
        m.d.comb += [
            read.addr.eq(place), look.addr.eq(self.bin),
            write.addr.eq(Mux(self.clearing, walk, kept)), write.en.eq(self.clearing | stages[2]),
            write.data.eq(Mux(self.clearing, 0, old + 1)),
        ]
        with m.If(self.clearing):
            m.d.sync += [walk.eq(walk + 1), self.clearing.eq(walk != LatencyBin[-1]), stages.eq(0)]
        with m.If(self.clear):
            m.d.sync += [walk.eq(0), self.clearing.eq(1)]
        with m.If(stages[0]):
            m.d.sync += kept.eq(place)
        self._sum_up(m)
        return m

    def _sum_up(self, m):
        summary, value, valid = self.summary, Signal(Cycles), Signal()
        m.d.sync += [valid.eq(self.latency.valid & ~self.clearing), value.eq(self.latency.payload)]
        with m.If(self.clearing):
            m.d.sync += [summary.eq(0), summary.least.eq(Const(-1, Cycles))]
        with m.Elif(valid):
            m.d.sync += [
                summary.count.eq(summary.count + 1), summary.sum.eq(summary.sum + value),
                summary.least.eq(Mux(value < summary.least, value, summary.least)),
                summary.most.eq(Mux(value > summary.most, value, summary.most)),
            ]

"""Records that may come in bursts, at most one in two cycles."""

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class Pace(wiring.Component):
    """A queue that gives a record out in every second cycle at most.

    A book gives a record every second cycle in the long run and lets at most four wait: it never fills the queue.

    Parameters
    ----------
    shape : ShapeLike
    depth : int
        A power of two.

    Ports
    -----
    input : In(stream of shape)
        Always ready.
    output : Out(stream of shape)
        Never in two cycles that follow each other.
    lost : Out(1)
        Pulse: a record found no place.

    Notes
    -----
    Latency 1 where nothing waits and nothing was given out in the cycle before.
    """

    LATENCY = 1

    def __init__(self, shape, depth: int = 8):
        self._shape, self._depth = shape, depth
        super().__init__({
            "input": In(stream.Signature(shape, always_ready=True)),
            "output": Out(stream.Signature(shape, always_ready=True)),
            "lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = memory = Memory(
            shape=Shape.cast(self._shape).width, depth=self._depth, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(domain="comb"), memory.write_port()
        level, free = Signal(range(self._depth + 1)), Signal()
        arrives, empty, full, leaves = self.input.valid, level == 0, level == self._depth, Signal()
        m.d.comb += [
            free.eq(~self.output.valid),
            leaves.eq(free & ~empty),
            write.en.eq(arrives & ~full & ~(free & empty)),
            write.data.eq(self.input.payload),
        ]
        m.d.sync += [
            level.eq(level + write.en - leaves),
            write.addr.eq(write.addr + write.en), read.addr.eq(read.addr + leaves),
            self.output.valid.eq(free & (arrives | ~empty)),
            self.lost.eq(arrives & full),
        ]
        with m.If(free):
            m.d.sync += self.output.payload.eq(Mux(empty, self.input.payload.as_value(), read.data))
        return m

"""A record some cycles later: in a register for every cycle, or in memory."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


def delayed(m, value, cycles):
    """The value of 0, 1 ... ``cycles`` ago, in registers."""
    line = [value]
    for _ in range(cycles):
        line.append(Signal.like(value))
        m.d.sync += line[-1].eq(line[-2])
    return line


class Delay(wiring.Component):
    """Every cycle's input, ``cycles`` later.

    Parameters
    ----------
    shape : ShapeLike
    cycles : int
        2 to 16.

    Ports
    -----
    input : In(shape)
    output : Out(shape)
        What ``input`` was ``cycles`` ago; in the first cycles after reset undefined.
    """

    def __init__(self, shape, cycles: int):
        if not 2 <= cycles <= 16:
            raise ValueError(f"cycles must be 2 to 16, not {cycles}")
        super().__init__({"input": In(shape), "output": Out(shape)})
        self._shape, self._cycles = shape, cycles

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=self._shape, depth=16, init=[], attrs={"ram_style": "distributed"})
        write, read = memory.write_port(), memory.read_port()
        now = Signal(4)
        m.d.sync += now.eq(now + 1)
        m.d.comb += [
            write.en.eq(1), write.addr.eq(now), write.data.eq(self.input),
            read.addr.eq(now + 1 - self._cycles), self.output.eq(read.data),
        ]
        return m

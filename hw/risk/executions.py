"""Too many executions of a strategy within a time: one that trades without end is off until a person lets it go on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

STRATEGIES = 16
COUNT_BITS = 16


class Row(data.Struct):
    count: COUNT_BITS
    parity: 1
    """Makes the number of ones in the row even."""


class Executions(wiring.Component):
    """Counts the executions of each strategy in the windows of a clock that runs on, and trips a strategy that has more than the limit.

    Ports
    -----
    limit : In(16)
        Most executions of a strategy in a window; 0: they are not counted.
    window : In(32)
        Cycles of a window; with its end all counts are 0. 0: it has no end.
    look : In(1), strategy : In(4)
        Pulse: an execution of this strategy may come.
    executed : In(1)
        Pulse, one cycle after ``look``: it has come.
    odd : Out(1)
        With ``executed``: the strategy's row has lost a bit.
    tripped : Out(16)
        One bit a strategy, from the cycle after ``executed`` on; until ``rearm``.
    rearm : In(16)
        Pulses: the strategy may go on; its count stays what it is.
    clear : In(1)
        Pulse: all counts are 0.
    """

    def __init__(self):
        super().__init__({
            "limit": In(COUNT_BITS), "window": In(32), "look": In(1), "strategy": In(range(STRATEGIES)), "executed": In(1), "odd": Out(1),
            "tripped": Out(STRATEGIES), "rearm": In(STRATEGIES), "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=Row, depth=STRATEGIES, init=[], attrs={"ram_style": "distributed"})
        self.rows, write = memory.data, memory.write_port()
        read = memory.read_port(transparent_for=[write])
        has_row, strategy, count, counts = Signal(STRATEGIES), Signal.like(self.strategy), Signal(COUNT_BITS), Signal()
        age, ends = Signal(32), Signal()
        m.d.comb += [
            read.addr.eq(self.strategy), read.en.eq(self.look), counts.eq(self.executed & (self.limit != 0)),
            count.eq(Mux(has_row.bit_select(strategy, 1), read.data.count, 0)),
            self.odd.eq(counts & has_row.bit_select(strategy, 1) & read.data.as_value().xor()),
            write.en.eq(counts), write.addr.eq(strategy), write.data.count.eq(count + ~count.all()),
            write.data.parity.eq(write.data.count.xor()), ends.eq((self.window != 0) & (age + 1 >= self.window)),
        ]
        m.d.sync += [age.eq(Mux(ends, 0, age + 1)), self.tripped.eq(self.tripped & ~self.rearm)]
        with m.If(self.look):
            m.d.sync += strategy.eq(self.strategy)
        with m.If(counts):
            m.d.sync += has_row.bit_select(strategy, 1).eq(1)
            with m.If(count >= self.limit):
                m.d.sync += self.tripped.bit_select(strategy, 1).eq(1)
        with m.If(ends | self.clear):
            m.d.sync += has_row.eq(0)
        return m

"""The last value of a signal, for the host to look at."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.exclusive_memory import ExclusiveMemory
from hw.types import SymbolIndex


class LastValues(wiring.Component):
    """Keeps the last value of each symbol and shows that of one of them.

    Parameters
    ----------
    config : CardConfig
    shape : StructLayout or Struct
        With ``symbol`` and ``valid``.

    Ports
    -----
    values : In(stream of shape)
        Never in two cycles that follow each other.
    restart : In(1)
        No symbol has a value any more.
    ask : In(1), symbol : In(SymbolIndex)
        Pulse: show this symbol's. ``symbol`` stays until it is shown.
    shown : Out(shape)
        As it was in one of the two cycles after ``ask``; from the fourth cycle on until the next ``ask``. Not ``valid`` where there was
        no value since the restart.

    Notes
    -----
    Latency 4 at most, from ``ask``: a row is not read in the cycle in which one is written.
    """

    LATENCY = 4

    def __init__(self, config: CardConfig, shape):
        self._symbols, self._shape = config.symbols, shape
        super().__init__({
            "values": In(stream.Signature(shape, always_ready=True)),
            "restart": In(1),
            "ask": In(1),
            "symbol": In(SymbolIndex),
            "shown": Out(shape),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.last = memory = ExclusiveMemory(shape=self._shape, depth=self._symbols)
        read, write = memory.read_port(), memory.write_port()
        known, asked, reads, is_known = Signal(self._symbols), Signal(), Signal(), Signal()
        payload = self.values.payload
        m.d.comb += [
            write.addr.eq(payload.symbol), write.data.eq(payload), write.en.eq(self.values.valid),
            read.addr.eq(self.symbol), read.en.eq(asked & ~self.values.valid),
        ]
        m.d.sync += [
            asked.eq(self.ask | (asked & ~read.en)), reads.eq(read.en), is_known.eq(known.bit_select(self.symbol, 1)),
        ]
        with m.If(self.values.valid):
            m.d.sync += known.bit_select(payload.symbol, 1).eq(1)
        with m.If(self.restart):
            m.d.sync += known.eq(0)
        with m.If(reads):
            m.d.sync += [self.shown.eq(read.data), self.shown.valid.eq(read.data.valid & is_known)]
        return m

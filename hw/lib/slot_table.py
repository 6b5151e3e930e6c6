"""Settings of every symbol's slot, committed by the host one slot at a time: a memory instead of registers by the hundred."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hw.types import SymbolIndex

SMALL = 16
"""Slots up to which the table is made of logic cells and not of block RAM."""


GROUP = 8
"""Slots among which the first half of a choice is made, in the cycle of the question."""


def SlotSettings(shape) -> data.StructLayout:
    """A slot and all that holds for it from now on."""
    return data.StructLayout({"symbol": SymbolIndex, "values": shape})


def style(slots: int) -> dict:
    """Which cells a memory of so many slots asks for."""
    return {"ram_style": "distributed" if slots <= SMALL else "block"}


class SlotTable(wiring.Component):
    """Keeps a record of settings for each slot; all of a record changes in one cycle.

    Parameters
    ----------
    shape : ShapeLike
        A slot's settings.
    slots : int

    Ports
    -----
    input : In(stream.Signature(SlotSettings(shape), always_ready=True))
        Puts a slot's settings in force: a question of a later cycle is answered with them. A slot that is not there changes nothing.
    symbol : In(SymbolIndex)
        Below ``slots``, else ``values`` is undefined.
    values : Out(shape)
        One cycle after the question; all zero for a slot without a commit since reset.
    known, kept : Out(1), Out(shape)
        With ``values``, for who has no time to wait for zeros: whether there was a commit since reset, and if so, the values.

    Notes
    -----
    Latency 1. In the register map such a table is one shadow register for each setting, ``<TABLE>_<SETTING>``, and a register
    ``<TABLE>_COMMIT``: writing a slot to it puts what the shadows hold in force for this slot.
    """

    LATENCY = 1

    def __init__(self, shape, slots: int):
        super().__init__({
            "input": In(stream.Signature(SlotSettings(shape), always_ready=True)),
            "symbol": In(SymbolIndex),
            "values": Out(shape),
            "known": Out(1),
            "kept": Out(shape),
        })
        self._shape, self._slots = shape, slots

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=data.StructLayout({"values": self._shape}), depth=self._slots, init=[], attrs=style(self._slots))
        write, read = memory.write_port(), memory.read_port()
        committed = Signal(self._slots)
        groups = [committed[start:start + GROUP] for start in range(0, self._slots, GROUP)]
        found, group = Signal(len(groups)), Signal(range(max(2, len(groups))))  # the slot asked for in each group, and whose it is
        low, high = self.symbol[:bits_for(GROUP - 1)], self.symbol[bits_for(GROUP - 1):]
        given = self.input.payload
        m.d.comb += [
            write.addr.eq(given.symbol), write.data.values.eq(given.values),
            write.en.eq(self.input.valid & (given.symbol < self._slots)),
            read.addr.eq(self.symbol),
            self.known.eq(found.bit_select(group, 1)), self.kept.eq(read.data.as_value()),
            self.values.eq(Mux(self.known, read.data.as_value(), 0)),
        ]
        m.d.sync += [found.eq(Cat(bits.bit_select(low, 1) for bits in groups)), group.eq(high)]
        with m.If(write.en):
            m.d.sync += committed.bit_select(given.symbol, 1).eq(1)
        return m

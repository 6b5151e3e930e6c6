"""Division of a part by its whole, by a table of reciprocals with interpolation."""

import math

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

INDEX = 10
"""Bits of the divisor behind its leading one that choose a row of the table."""

Row = data.StructLayout({"base": 18, "slope": 18})

WINDOW = 34
"""Bits that are looked at from the highest group of 16 on in which the divisor has a one."""


def reciprocals(scale: float) -> list[dict[str, int]]:
    """For each row the tangent of ``scale / m`` in the row's middle, m from 1/2 to 1: its value at the row's start, its slope."""
    middles = [0.5 + (row + 0.5) / (2 << INDEX) for row in range(1 << INDEX)]
    return [
        {"base": math.floor(scale * (1 / middle + 0.5 / (2 << INDEX) / middle**2) * 2**17), "slope": round(scale / middle**2 * 2**16)}
        for middle in middles
    ]


class Ratio(wiring.Component):
    """``scale * part / whole``, one every cycle.

    Both are shifted until the whole's leading one stands at the top; then part * (1 / whole), the second factor linear between the rows of
    a table: part * base - (part * what is below the index) * slope.

    Parameters
    ----------
    width : int
        Bits of ``part`` and ``whole``.
    scale : float
        At most 1.

    Ports
    -----
    part, whole : In(width)
        ``part`` must not be more than ``whole``.
    quotient : Out(18)
        In units of 2^-17, of the operands of five cycles ago; within 2^-15 (sim/golden/signals.py has it bit for bit). 0 for 0 / 0.

    Notes
    -----
    Latency 5 (``LATENCY``).
    """

    LATENCY = 5

    def __init__(self, width: int, scale: float = 1.0):
        self._width, self._scale = width, scale
        super().__init__({"part": In(width), "whole": In(width), "quotient": Out(18)})

    def elaborate(self, platform):
        m = Module()
        part, whole = self._find_group(m)
        part, index, below = self._shift(m, part, whole)
        m.submodules.table = table = Memory(shape=Row, depth=1 << INDEX, init=reciprocals(self._scale))
        read = table.read_port()
        m.d.comb += read.addr.eq(index)

        row = Signal(Row)
        fine_part, below_later = Signal(18), Signal(8)
        m.d.sync += [row.eq(read.data), fine_part.eq(part), below_later.eq(below)]  # cycle 2
        fine = Signal(18, reset_less=True)
        m.d.sync += fine.eq((part * below) >> 8)
        whole_product, correction = Signal(36, reset_less=True), Signal(36, reset_less=True)
        m.d.sync += [whole_product.eq(fine_part * row.base), correction.eq(fine * row.slope)]  # cycle 3
        m.d.sync += self.quotient.eq((whole_product - (correction >> 10)) >> 18)  # cycle 4
        return m

    def _find_group(self, m):
        """Cycle 0: 34 bits of both from the highest group of 16 bits on that is not zero."""
        groups = -(-self._width // 16)
        padding = Const(0, WINDOW - 16)
        wholes, parts = (Cat(padding, value, Const(0, 16 * groups - self._width)) for value in (self.whole, self.part))
        some = [self.whole[16 * group:16 * group + 16].any() for group in range(groups)]
        part, whole = Signal(WINDOW), Signal(WINDOW)
        chosen_part, chosen_whole = parts[:WINDOW], wholes[:WINDOW]
        for group in range(1, groups):
            chosen_part = Mux(some[group], parts[16 * group:16 * group + WINDOW], chosen_part)
            chosen_whole = Mux(some[group], wholes[16 * group:16 * group + WINDOW], chosen_whole)
        m.d.sync += [part.eq(chosen_part), whole.eq(chosen_whole)]
        return part, whole

    def _shift(self, m, part, whole):
        """Cycle 1: the leading one to the top. Returns what cycle 2 sees: 18 bits of the part, 8 bits of the whole below the index; and
        the index for the table, which has its own register."""
        for step in (4, 1):
            shifted_part, shifted_whole = part, whole
            for shift in range(3 * step, -1, -step):
                top = whole[WINDOW - shift - step:].any()
                shifted_part, shifted_whole = Mux(top, part << shift, shifted_part), Mux(top, whole << shift, shifted_whole)
            part, whole = shifted_part[:WINDOW], shifted_whole[:WINDOW]
        top_part, below = Signal(18), Signal(8)
        m.d.sync += [top_part.eq(part[-18:]), below.eq(whole[-19:-11])]
        return top_part, whole[-1 - INDEX:-1], below

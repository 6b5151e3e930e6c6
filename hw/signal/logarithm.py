"""Natural logarithm by a table with interpolation."""

import math

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.signal.records import HalfPrice, delayed

INDEX = 10
"""Bits of the number behind its leading one that choose a row of the table."""

FRACTION = 26
"""Bits behind the point."""

Ln = unsigned(31)

Row = data.StructLayout({"base": 26, "rise": 17})

LN_2 = [round(exponent * math.log(2) * 2**FRACTION) for exponent in range(33)]


def logarithms() -> list[dict[str, int]]:
    """For each row the logarithm's chord, m from 1 to 2, moved by half its largest error: its value at the row's start, its rise."""
    rows = []
    for row in range(1 << INDEX):
        low, high = 1 + row / (1 << INDEX), 1 + (row + 1) / (1 << INDEX)
        rise = math.log(high / low)
        touch = (high - low) / rise  # there the logarithm is farthest above the chord
        away = math.log(touch / low) - rise * (touch - low) / (high - low)
        rows.append({"base": round((math.log(low) + away / 2) * 2**FRACTION), "rise": round(rise * 2**FRACTION)})
    return rows


class Logarithm(wiring.Component):
    """ln x, one every cycle, as a sum of two numbers, so that who needs the sum with something else adds once.

    Ports
    -----
    x : In(HalfPrice), exponent : In(6)
        Not 0; the number of its leading one.
    coarse, fine : Out(31)
        ln x = coarse + fine in units of 2^-26, of the x of three cycles ago; within 2^-23 (sim/golden/signals.py has it bit for bit).
        Coarse is the exponent times ln 2 and what the table has for the ten bits behind the leading one, fine is for the bits behind those.

    Notes
    -----
    Latency 3 (``LATENCY``): shift and look up; the row out; multiply.
    """

    LATENCY = 3

    x: In(HalfPrice)
    exponent: In(6)
    coarse: Out(Ln)
    fine: Out(Ln)

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = Memory(shape=Row, depth=1 << INDEX, init=logarithms())
        read = table.read_port()
        shifted = self.x
        for step in (16, 4, 1):  # the exponent's digits to the base of four, the leading one to bit 32
            digit = (32 - self.exponent) // step % 4
            shifted = Mux(digit[1], Mux(digit[0], shifted << 3 * step, shifted << 2 * step), Mux(digit[0], shifted << step, shifted))[:33]
        m.d.comb += read.addr.eq(shifted[22:32])

        row, behind, power, coarse_power = Signal(Row), Signal(17), Signal(6), Signal(Ln)
        m.d.sync += [behind.eq(shifted[5:22]), power.eq(self.exponent)]
        m.d.sync += [row.eq(read.data), coarse_power.eq(Array(LN_2)[power])]
        m.d.sync += [
            self.coarse.eq(row.base + coarse_power),
            self.fine.eq((row.rise * delayed(m, behind, 1)) >> 17),
        ]
        return m

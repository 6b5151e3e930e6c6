"""CRC-32 of IEEE 802.3 over up to eight bytes a cycle: the frame check sequence."""

from functools import cache, reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

POLYNOMIAL = 0xEDB88320  # IEEE 802.3 clause 3.2.9, bits reversed


def update(state: int, data: bytes) -> int:
    """The register after some bytes, without the inversions at the beginning and the end."""
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (POLYNOMIAL if state & 1 else 0)
    return state


@cache
def word_matrix() -> tuple[tuple[int, ...], ...]:
    """For each bit of the register after eight bytes, the bits of (register, bytes) that it is the parity of."""
    columns = [update(1 << bit, bytes(8)) for bit in range(32)]
    columns += [update(0, (1 << bit).to_bytes(8, "little")) for bit in range(64)]
    return tuple(tuple(i for i, column in enumerate(columns) if column >> row & 1) for row in range(32))


def residue(padding: int) -> int:
    """The register after a good frame with its FCS and ``padding`` bytes of zero (the inversion at the start is in it)."""
    good = update(0xFFFFFFFF, b"")
    fcs = (good ^ 0xFFFFFFFF).to_bytes(4, "little")
    return update(good, fcs + bytes(padding))


class FrameCheck(wiring.Component):
    """Checks the frame check sequence of a frame that comes eight bytes a cycle, its last word padded with zeros.

    Padding keeps this to one matrix for every frame length: the zeros lead a good frame to a constant that
    depends only on their number, instead of one matrix for each number of bytes in the last word.

    Ports
    -----
    data : In(64)
        Byte 0 of the wire in bits 7:0; in the last word zeros above ``count``.
    valid, last : In(1)
        The word counts; it is the frame's last.
    count : In(4)
        Bytes in it: 8, but for the last (0 to 8: with 0 the word before was the last that had any).
    good : Out(1)
        In the cycle after a last word: the frame's last four bytes are the right FCS of those before them.
    """

    data: In(64)
    valid: In(1)
    last: In(1)
    count: In(4)
    good: Out(1)

    def elaborate(self, platform):
        m = Module()
        register = Signal(32, init=0xFFFFFFFF)
        inside = Signal()
        count = Signal.like(self.count)

        state = Signal(32)
        m.d.comb += state.eq(Cat(bit | ~inside for bit in register))
        source = Cat(state, self.data)
        following = Cat(reduce(xor, (source[i] for i in row)) for row in word_matrix())

        with m.If(self.valid):
            m.d.sync += inside.eq(~self.last)
            with m.If(self.count == 0):
                m.d.sync += count.eq(8)
            with m.Else():
                m.d.sync += [register.eq(following), count.eq(self.count)]

        with m.Switch(count):
            for present in range(1, 9):
                with m.Case(present):
                    m.d.comb += self.good.eq(register == Const(residue(8 - present), 32))
        return m

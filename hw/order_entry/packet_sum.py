"""The Internet checksum's sum of a packet whose fields are all known at once (RFC 1071)."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.lib.wire import big_endian


class PacketSum(wiring.Component):
    """Adds up the 16-bit numbers of a packet, the last byte of an odd number as a high half.

    Parameters
    ----------
    length : int
        Bytes, 1 to 64.

    Ports
    -----
    packet : In(8 * length)
        The first byte in bits 7:0.
    sum : Out(24)
        Not folded.

    Notes
    -----
    Latency 3 cycles, one packet a cycle: numbers by twos, then by fours, then all.
    """

    LATENCY = 3

    def __init__(self, length: int):
        if not 1 <= length <= 64:
            raise ValueError(f"a packet has 1 to 64 bytes, not {length}")
        super().__init__({"packet": In(8 * length), "sum": Out(24)})

    def elaborate(self, platform):
        m = Module()
        data = Cat(self.packet, Const(0, -len(self.packet) % 16))
        numbers = [big_endian(data[at:at + 16]) for at in range(0, len(data), 16)]
        for level, together in enumerate((2, 4, len(numbers))):
            groups = [numbers[at:at + together] for at in range(0, len(numbers), together)]
            numbers = [Signal(24, name=f"sum_{level}_{index}") for index in range(len(groups))]
            m.d.sync += [total.eq(balanced(group)) for total, group in zip(numbers, groups, strict=True)]
        m.d.comb += self.sum.eq(numbers[0])
        return m


def balanced(values):
    """Their sum, as a tree."""
    while len(values) > 1:
        values = [sum(values[at + 1:at + 2], values[at]) for at in range(0, len(values), 2)]
    return values[0]

"""The flip-flops, the decoder, the memory and the read multiplexer of the register map, generated from its definition."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.host_interface.map_types import Access, Register

ROW_BITS = 3
"""A row is eight bytes: one wide register or two words."""

GROUP_BITS = 7
"""A group is sixteen rows: what one level of the read multiplexer chooses from."""


class Row(data.Struct):
    """Two words of the map, as they are read."""

    low: 32
    high: 32
    has_low: 1
    """There is a register to read in the low word; without it the word is 0."""
    has_high: 1
    wide: 1
    """Both words are one register."""


class RegisterFile(wiring.Component):
    """Keeps what the host writes and shows what the card has.

    Parameters
    ----------
    config : CardConfig
    registers : tuple of Register
        No two may share a word; every wide register stands at a multiple of eight.

    Ports
    -----
    address : In(16)
        Byte offset, a multiple of 4, of the access in this cycle.
    write : In(1)
    write_data : In(32)
    value : Out, one member per RW and WO register
        What was written last; 0 after reset. Members have the register's name in lower case, arrays are indexed as the register is.
    written : Out(1), one member per RW and WO register
        Pulse in the first cycle of the new ``value``: two cycles after the write, of a wide register after that of its high word.
    content : Out(64)
        With ``written``, of a register of 64 bits: its new value, for those who keep it themselves.
    source : In, one member per RO and live register
        What the host reads.
    refused : Out(1)
        One cycle after a write that has no register, or that is a high word not right after its low word.
    read_address : In(16)
        Byte offset of the row that is read.
    row : Out(Row)
        Three cycles after ``read_address``: as the registers were in the cycle after it.
    """

    def __init__(self, config: CardConfig, registers: tuple[Register, ...]):
        self._config = config
        self._registers = registers
        self._check()
        values = [register for register in registers if register.access is not Access.RO]
        sources = [register for register in registers if register.access is Access.RO or register.live]
        super().__init__({
            "address": In(16), "write": In(1), "write_data": In(32),
            "value": Out(wiring.Signature({name(r): self._member(Out(r.bits), r) for r in values})),
            "written": Out(wiring.Signature({name(r): self._member(Out(1), r) for r in values})),
            "content": Out(64),
            "source": In(wiring.Signature({
                name(r): self._member(Out(signed(r.bits) if r.signed else r.bits), r) for r in sources
            })),
            "refused": Out(1),
            "read_address": In(16),
            "row": Out(Row),
        })

    def _check(self):
        taken = {}
        for register in self._registers:
            if not 1 <= register.bits <= 64:
                raise ValueError(f"register {register.name}: width must be 1 to 64 bits, not {register.bits}")
            for _, offset in register.elements(self._config):
                size = 4 * register.words
                if offset % size:
                    raise ValueError(f"register {register.name} of {register.bits} bits at {offset:#x}: not a multiple of {size}")
                for place in range(offset, offset + 4 * register.words, 4):
                    if place in taken:
                        raise ValueError(f"registers {taken[place]} and {register.name} share offset {place:#x}")
                    taken[place] = register.name

    def _member(self, member, register):
        dimensions = [dimension.size(self._config) for dimension in register.dimensions]
        return member.array(*dimensions) if dimensions else member

    def elaborate(self, platform):
        m = Module()
        written = self._elaborate_writes(m)
        self._elaborate_reads(m, self._keep_copy(m, written))
        return m

    def _elaborate_writes(self, m):
        """Returns what is written in this cycle, in both words of a row, and which of them it is."""
        # The decoded address is registered before it enables anything: an enable reaches up to 64 flip-flops.
        was_write = Signal()
        new, low = Signal(32), Signal(32)
        m.d.sync += [was_write.eq(self.write), new.eq(self.write_data), self.content.eq(Cat(low, new))]
        with m.If(was_write):
            m.d.sync += low.eq(new)

        accepted, kept = [], []
        for register in self._registers:
            if register.access is Access.RO:
                continue
            for index, offset in register.elements(self._config):
                value, written = at(self.value, register, index), at(self.written, register, index)
                hit = Signal(name=f"{name(register)}_hit")
                here, content = self.write & (self.address == offset), new
                if register.words == 2:
                    low_was_last = Signal(name=f"{name(register)}_low_was_last")
                    with m.If(self.write):
                        m.d.sync += low_was_last.eq(here)
                    accepted.append(low_was_last)
                    here, content = self.write & (self.address == offset + 4) & low_was_last, Cat(low, new)
                m.d.sync += [hit.eq(here), written.eq(hit)]
                with m.If(hit):
                    m.d.sync += value.eq(content & mask(register))
                accepted.append(hit)
                if self._is_copied(register):
                    words = 0b11 if register.words == 2 else 1 << (offset >> 2 & 1)
                    bits = mask(register) if register.words == 2 else mask(register) << 32 * (offset >> 2 & 1)
                    kept.append((hit, words, bits))
        m.d.comb += self.refused.eq(was_write & ~Cat(accepted).any())
        wide = Cat(hit for hit, words, _ in kept if words == 0b11).any()
        bits = Cat(Cat(hit for hit, _, bits in kept if bits >> bit & 1).any() for bit in range(64))
        words = Cat(Cat(hit for hit, words, _ in kept if words >> word & 1).any() for word in range(2))
        return Cat(Mux(wide, low, new), new) & bits, words

    def _is_copied(self, register):
        """The host reads what it has written."""
        return register.access is Access.RW and not register.live

    def _keep_copy(self, m, written):
        """What the host has written is read from a memory, so that no wire of it has to come back. Returns the row asked for, a cycle
        before its end; 0 where nothing was written."""
        groups = sorted({offset >> GROUP_BITS for register in self._registers if self._is_copied(register)
                         for _, offset in register.elements(self._config)})
        m.submodules.copy = copy = memory.Memory(shape=64, depth=(1 + len(groups)) << GROUP_BITS - ROW_BITS, init=[])
        write, read = copy.write_port(granularity=32), copy.read_port()

        def place(address):
            """Of a row in the memory; the first group stays empty and stands for all that are not there."""
            number = reduce(or_, (Mux(address[GROUP_BITS:] == group, index, 0) for index, group in enumerate(groups, 1)), Const(0))
            return Cat(address[ROW_BITS:GROUP_BITS], number)

        m.d.sync += [write.addr.eq(place(self.address)), read.addr.eq(place(self.read_address))]
        m.d.comb += [write.data.eq(written[0]), write.en.eq(written[1])]
        return read.data

    def _elaborate_reads(self, m, copy):
        groups = {}
        for offset, row in self._rows().items():
            groups.setdefault(offset >> GROUP_BITS, {})[offset % (1 << GROUP_BITS) >> ROW_BITS] = row

        chosen = []
        for number, rows in groups.items():
            # Each group keeps its own copy of the address: one for all would drive hundreds of multiplexers.
            asked = self.read_address[GROUP_BITS:] == number
            place, here, row, shows = Signal(GROUP_BITS - ROW_BITS), Signal(), Signal(Row), Signal()
            with m.If(asked):
                m.d.sync += place.eq(self.read_address[ROW_BITS:GROUP_BITS])
            m.d.sync += [here.eq(asked), shows.eq(here)]
            with m.Switch(place):
                for value, content in rows.items():
                    with m.Case(value):
                        m.d.sync += row.eq(content)
                with m.Default():
                    # Any data will do where there is no register, so the synthesiser gets a plain multiplexer.
                    m.d.sync += [row.eq(content), row.has_low.eq(0), row.has_high.eq(0)]
            chosen.append(Mux(shows, row.as_value(), 0))
        m.d.sync += self.row.eq(reduce(or_, chosen) | copy)

    def _rows(self):
        """Row offset -> what it shows, beside what the host has written."""
        words = {}
        for register in self._registers:
            if register.access is Access.WO:
                continue
            for index, offset in register.elements(self._config):
                number = Const(0, 64) if self._is_copied(register) else at(self.source, register, index)
                for i in range(register.words):
                    words[offset + 4 * i] = number[32 * i:32 * i + 32], register.words == 2

        rows = {}
        for offset in sorted({offset & ~7 for offset in words}):
            low, wide = words.get(offset, (None, False))
            high, _ = words.get(offset + 4, (None, False))
            rows[offset] = Cat(
                word(low), word(high), Const(low is not None, 1), Const(high is not None, 1), Const(wide, 1))
        return rows


def name(register):
    return register.name.lower()


def at(interface, register, index):
    """The port of one element of a register."""
    port = getattr(interface, name(register))
    for i in index:
        port = port[i]
    return port


def mask(register):
    """Bits of a register that exist: those of its fields, where it has fields."""
    if not register.fields:
        return (1 << register.bits) - 1
    return sum(((1 << field.width) - 1) << field.lsb for field in register.fields)


def word(value):
    """A value as a word of 32 bits; 0 where there is none."""
    return Const(0, 32) if value is None else Cat(value, Const(0, 32 - len(value)))

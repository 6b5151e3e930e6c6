"""Options of a SYN: the largest segment and the window scale (RFC 9293, 3.2; RFC 7323, 2.2)."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

DEFAULT_MSS = 536
LARGEST_SCALE = 14
LONGEST = 40
"""Bytes of options at most."""
FIRST_BYTE = 6
"""Where they begin in the first word."""

END, NOTHING, MSS, SCALE = 0, 1, 2, 3


class TcpOptions(wiring.Component):
    """Keeps the options of the SYN that came last, and reads them byte by byte when they are wanted.

    Options that it does not know are passed over; behind one whose length can't be, nothing is read.

    Ports
    -----
    words : In(stream of 64 bits, always ready)
        A SYN from byte 48 on. What comes while it reads is not taken.
    begin : In(1)
        A frame begins: the next word is the first.
    read : In(1)
        Pulse: the options that came, ``length`` bytes, are to be read.
    length : In(6)
    done : Out(1)
        Pulse, within 64 cycles from ``read``.
    mss : Out(16)
        From ``done`` on, until the next ``read``; 536 where there is none.
    scale : Out(4)
    """

    words: In(stream.Signature(64, always_ready=True))
    begin: In(1)
    read: In(1)
    length: In(6)
    done: Out(1)
    mss: Out(16)
    scale: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.kept = kept = memory.Memory(shape=64, depth=8, init=[], attrs={"ram_style": "distributed"})
        write, read = kept.write_port(), kept.read_port(domain="comb")
        row, reading = Signal(3), Signal()
        at, left, byte = Signal(6), Signal(signed(7)), Signal(8)  # what is left behind the byte
        m.d.comb += [
            write.addr.eq(row), write.data.eq(self.words.payload), write.en.eq(self.words.valid & ~reading & ~row.all()),
            read.addr.eq(at[3:]),
        ]
        m.d.sync += self.done.eq(0)
        with m.If(self.begin):
            m.d.sync += row.eq(0)
        with m.Elif(write.en):
            m.d.sync += row.eq(row + 1)

        kind, size, value = Signal(8), Signal(8), Signal(16)

        def finish():
            m.d.sync += [self.done.eq(1), reading.eq(0)]
            m.next = "IDLE"

        def step():
            m.d.sync += [byte.eq(read.data.word_select(at[:3], 8)), at.eq(at + 1), left.eq(left - 1)]

        with m.FSM():
            with m.State("IDLE"), m.If(self.read):
                m.d.sync += [reading.eq(1), at.eq(FIRST_BYTE), left.eq(self.length), self.mss.eq(DEFAULT_MSS), self.scale.eq(0)]
                m.next = "FETCH"
            with m.State("FETCH"):
                step()
                m.next = "KIND"
            with m.State("KIND"):
                step()
                m.d.sync += [kind.eq(byte), value.eq(0)]
                with m.If((left < 0) | (byte == END)):
                    finish()
                with m.Elif(byte != NOTHING):
                    m.next = "SIZE"
            with m.State("SIZE"):
                step()
                m.d.sync += size.eq(byte - 2)
                m.next = "VALUE"
                with m.If((byte < 2) | (byte > LONGEST)):
                    finish()
            with m.State("VALUE"):
                with m.If(size != 0):
                    step()
                    m.d.sync += [size.eq(size - 1), value.eq(Cat(byte, value))]
                with m.If(size == 0):
                    with m.If((kind == MSS) & (left >= -1)):
                        m.d.sync += self.mss.eq(value)
                    with m.If((kind == SCALE) & (left >= -1)):
                        m.d.sync += self.scale.eq(Mux(value > LARGEST_SCALE, LARGEST_SCALE, value))
                    m.next = "KIND"
        return m

"""10 Gigabit Ethernet MAC, receive side: XGMII in, frames out (IEEE 802.3 clause 46)."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.frame_end import AlignedWords, FrameEnd
from hw.types import FrameReceive

START, TERMINATE, SFD, PREAMBLE = 0xFB, 0xFD, 0xD5, 0x55


class XgmiiAlign(wiring.Component):
    """Finds frames between the control characters and turns them so that they begin in lane 0.

    Ports
    -----
    data : In(64)
    control : In(8)
        Bit i: lane i holds a control character.
    words : Out(stream of AlignedWord, always ready)
        One cycle later. A frame that began at lane 4 ends with an extra word where its tail needs one.
    """

    data: In(64)
    control: In(8)
    words: Out(AlignedWords)

    def elaborate(self, platform):
        m = Module()
        lanes = [self.data.word_select(i, 8) for i in range(8)]

        def begins(lane):
            return self.control[lane] & (lanes[lane] == START)

        in_frame, half, tail, failed = Signal(), Signal(), Signal(3), Signal()
        expect_rest = Signal()
        held = Signal(32)
        m.d.sync += held.eq(self.data[32:64])

        plain = Signal(4)  # data bytes before the first control character
        m.d.comb += plain.eq(8)
        for lane in reversed(range(8)):
            with m.If(self.control[lane]):
                m.d.comb += plain.eq(lane)
        ended = plain != 8
        clean = Signal()  # what ends the frame is a terminate character, not an error
        m.d.comb += clean.eq(Array([lane == TERMINATE for lane in lanes])[plain[:3]])
        preamble_0 = Cat(lanes[1:8]) == int.from_bytes(bytes([PREAMBLE] * 6 + [SFD]), "little")
        preamble_4 = Cat(lanes[5:8]) == int.from_bytes(bytes([PREAMBLE] * 3), "little")
        rest_of_preamble = (Cat(lanes[:4]) == int.from_bytes(bytes([PREAMBLE] * 3 + [SFD]), "little")) & (self.control[:4] == 0)

        word = self.words.payload
        m.d.sync += self.words.valid.eq(0)

        def emit(value, count, last, error):
            mask = Cat(((count > i).replicate(8)) for i in range(8))
            m.d.sync += [
                self.words.valid.eq(1), word.data.eq(value & mask), word.count.eq(count), word.last.eq(last), word.error.eq(error),
            ]

        with m.If(tail != 0):  # the rest of a frame that began at lane 4
            emit(Cat(held, Signal(32)), tail, 1, failed)
            m.d.sync += tail.eq(0)
        with m.Elif(in_frame & ~half):
            emit(self.data, plain, ended, ended & ~clean)
        with m.Elif(in_frame & half):
            count = Signal(4)
            m.d.comb += count.eq(Mux(plain >= 4, 8, plain + 4))
            emit(Cat(held, self.data[:32]), count, ended & (plain <= 4), ended & ~clean)
            with m.If(ended & (plain > 4)):
                m.d.sync += [tail.eq(plain - 4), failed.eq(~clean)]
        with m.If(in_frame & ended):
            m.d.sync += in_frame.eq(0)

        m.d.sync += expect_rest.eq(0)
        with m.If(begins(0) & (self.control == 1) & preamble_0):
            m.d.sync += [in_frame.eq(1), half.eq(0)]
        with m.Elif(begins(4) & (self.control[4:] == 1) & preamble_4):
            m.d.sync += expect_rest.eq(1)
        with m.If(expect_rest & rest_of_preamble & (self.control[4:] == 0)):
            m.d.sync += [in_frame.eq(1), half.eq(1)]
        return m


class XgmiiReceive(wiring.Component):
    """Frames without preamble and FCS from a 10 Gigabit Ethernet PHY; one word every cycle.

    A preamble that is not the standard's begins no frame; one that ends in anything but a terminate character is bad.

    Parameters
    ----------
    longest : int
        See :class:`FrameEnd`.

    Ports
    -----
    data : In(64)
        XGMII, 156.25 MHz: lane 0 in bits 7:0.
    control : In(8)
        Bit i: lane i holds a control character.
    frames : Out(FrameReceive)
    bad_fcs, runt, oversize, coding_error : Out(1)
        Pulses, see :class:`FrameEnd`.

    LATENCY: 3 cycles from a word in to the same word out (2 for a last word whose FCS ends in the same or the next word).
    """

    LATENCY = 1 + FrameEnd.LATENCY

    def __init__(self, longest: int = 1522):
        self._end = FrameEnd(longest)
        super().__init__({
            "data": In(64), "control": In(8), "frames": Out(FrameReceive),
            "bad_fcs": Out(1), "runt": Out(1), "oversize": Out(1), "coding_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.align = align = XgmiiAlign()
        m.submodules.end = end = self._end
        m.d.comb += [align.data.eq(self.data), align.control.eq(self.control)]
        connect(m, align.words, end.words)
        connect(m, end.frames, flipped(self.frames))
        m.d.comb += [getattr(self, name).eq(getattr(end, name)) for name in ("bad_fcs", "runt", "oversize", "coding_error")]
        return m

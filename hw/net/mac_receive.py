"""10 Gigabit Ethernet MAC, receive side: XGMII in, frames out (IEEE 802.3 clauses 4 and 46)."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.crc32 import FrameCheck
from hw.types import FrameReceive

START, TERMINATE, SFD, PREAMBLE = 0xFB, 0xFD, 0xD5, 0x55

MINIMUM_FRAME = 64
"""Bytes with FCS; a shorter one is a runt."""


class AlignedWord(data.Struct):
    """Eight bytes of a frame, FCS included, byte 0 of the frame in byte 0 of its first word; bytes above ``count`` are zero."""

    data: 64
    count: 4
    last: 1
    error: 1


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
    words: Out(stream.Signature(AlignedWord, always_ready=True))

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


class MacReceive(wiring.Component):
    """Frames without preamble and FCS from the receive side of a 10 Gigabit Ethernet PHY; one word every cycle.

    A frame that turns out bad has its last word marked ``error``: the FCS is wrong, it is shorter than 64 or
    longer than ``longest`` bytes, or it ends in anything but a terminate character. Every word leaves as soon
    as it is sure not to be the FCS. A preamble that is not the standard's begins no frame.

    Parameters
    ----------
    longest : int
        Bytes with FCS of the longest frame that is good; 1,522 is a VLAN tag on a full frame.

    Ports
    -----
    data : In(64)
        XGMII, 156.25 MHz: lane 0 in bits 7:0.
    control : In(8)
        Bit i: lane i holds a control character.
    frames : Out(FrameReceive)
    bad_fcs, runt, oversize, coding_error : Out(1)
        Pulses, at most one a frame, the first that applies in the order coding_error, runt, oversize, bad_fcs.

    LATENCY: 3 cycles from a word in to the same word out (2 for a last word whose FCS ends in the same or the next word).
    """

    LATENCY = 3

    def __init__(self, longest: int = 1522):
        if not MINIMUM_FRAME <= longest <= 9600:
            raise ValueError(f"longest must be {MINIMUM_FRAME} to 9600 bytes, not {longest}")
        self._longest = longest
        super().__init__({
            "data": In(64), "control": In(8), "frames": Out(FrameReceive),
            "bad_fcs": Out(1), "runt": Out(1), "oversize": Out(1), "coding_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.align = align = XgmiiAlign()
        m.submodules.check = check = FrameCheck()
        word, out = align.words.payload, self.frames.payload
        arrives, ends = align.words.valid, align.words.valid & word.last
        m.d.comb += [
            align.data.eq(self.data), align.control.eq(self.control),
            check.data.eq(word.data), check.valid.eq(arrives), check.last.eq(word.last), check.count.eq(word.count),
        ]

        # One word is held back until it is known whether the FCS reaches into it.
        held, holding, final = Signal(64), Signal(), Signal(4)
        coding = Signal()
        with m.If(arrives):
            m.d.sync += [held.eq(word.data), holding.eq(~word.last), coding.eq(word.error)]
            m.d.sync += final.eq(Mux(word.last & (word.count > 4), word.count - 4, 0))
        with m.Else():
            m.d.sync += final.eq(0)

        reaches_back = ends & (word.count <= 4)
        m.d.sync += [
            self.frames.valid.eq((arrives & holding) | (final != 0)),
            out.data.eq(held),
            out.count.eq(Mux(final != 0, final, Mux(reaches_back, word.count + 4, 8))),
            out.last.eq((final != 0) | reaches_back),
        ]

        length = Signal(range(self._longest + 9))  # saturates above ``longest``
        with m.If(ends):
            m.d.sync += length.eq(0)
        with m.Elif(arrives & (length <= self._longest)):
            m.d.sync += length.eq(length + 8)
        total = Signal(range(self._longest + 17))
        m.d.sync += total.eq(length + word.count)

        # The verdict on the FCS and the length stands from the cycle after the last word on: when the last word is out.
        ended = Signal()
        m.d.sync += ended.eq(ends)
        problems = (
            (self.coding_error, coding), (self.runt, kept(m, total < MINIMUM_FRAME, ended)),
            (self.oversize, kept(m, total > self._longest, ended)), (self.bad_fcs, ~check.good),
        )
        bad = 0
        for pulse, problem in problems:
            m.d.comb += pulse.eq(ended & problem & ~bad)
            bad = bad | problem
        m.d.comb += out.error.eq(out.last & bad)
        return m


def kept(m, condition, sample):
    """``condition`` in the cycle of ``sample``, and its value from then on until the next."""
    value = Signal()
    with m.If(sample):
        m.d.sync += value.eq(condition)
    return Mux(sample, condition, value)

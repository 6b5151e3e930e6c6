"""The end of a received frame, whatever it came over: its FCS, its length, its verdict (IEEE 802.3 clauses 3 and 4)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.crc32 import FrameCheck
from hw.types import FrameReceive

MINIMUM_FRAME = 64
"""Bytes with FCS; a shorter one is a runt."""


class AlignedWord(data.Struct):
    """Eight bytes of a frame, FCS included, byte 0 of the frame in byte 0 of its first word; bytes above ``count`` are zero.

    The last word may have no byte at all: the frame had ended before it was known.
    """

    data: 64
    count: 4
    last: 1
    error: 1


AlignedWords = stream.Signature(AlignedWord, always_ready=True)


class FrameEnd(wiring.Component):
    """Takes the FCS off a frame and says at its last word whether the frame is good; one word every cycle.

    A bad frame has its last word marked ``error``: the FCS is wrong, it is shorter than 64 or longer than
    ``longest`` bytes, or the medium said that it is broken. Every word leaves as soon as it is sure not to be the FCS.

    Parameters
    ----------
    longest : int
        Bytes with FCS of the longest frame that is good; 1,522 is a VLAN tag on a full frame.

    Ports
    -----
    words : In(stream of AlignedWord, always ready)
        Not in two cycles after a last word: the next frame has a preamble.
    frames : Out(FrameReceive)
    bad_fcs, runt, oversize, coding_error : Out(1)
        Pulses, at most one a frame, the first that applies in the order coding_error, runt, oversize, bad_fcs.

    LATENCY: 2 cycles from a word in to the same word out (1 for a last word whose FCS ends in the same or the next word).
    """

    LATENCY = 2

    def __init__(self, longest: int = 1522):
        if not MINIMUM_FRAME <= longest <= 9600:
            raise ValueError(f"longest must be {MINIMUM_FRAME} to 9600 bytes, not {longest}")
        self._longest = longest
        super().__init__({
            "words": In(AlignedWords), "frames": Out(FrameReceive),
            "bad_fcs": Out(1), "runt": Out(1), "oversize": Out(1), "coding_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.check = check = FrameCheck()
        word, out = self.words.payload, self.frames.payload
        arrives, ends = self.words.valid, self.words.valid & word.last
        m.d.comb += [
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

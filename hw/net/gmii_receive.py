"""1 Gigabit Ethernet MAC, receive side: the byte stream of GMII or, behind its input registers, RGMII (IEEE 802.3 clause 35)."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.frame_end import AlignedWords, FrameEnd
from hw.types import FrameReceive

PREAMBLE, SFD = 0x55, 0xD5


class GmiiAlign(wiring.Component):
    """Gathers the bytes behind the start-of-frame delimiter into words.

    Ports
    -----
    data : In(8)
    valid : In(1)
        RX_DV: from the preamble to the FCS.
    error : In(1)
        RX_ER: the PHY could not decode a symbol of this frame.
    words : Out(stream of AlignedWord, always ready)
        One cycle after its last byte; the last one a cycle after ``valid`` fell, with the bytes that were left (0 to 7).
    """

    data: In(8)
    valid: In(1)
    error: In(1)
    words: Out(AlignedWords)

    def elaborate(self, platform):
        m = Module()
        word, failed = self.words.payload, Signal()
        gathered, count = Signal(64), Signal(3)

        def emit(value, number, *, last):
            m.d.sync += [
                self.words.valid.eq(1), word.data.eq(value), word.count.eq(number), word.last.eq(last), word.error.eq(failed),
                gathered.eq(0), count.eq(0),
            ]

        m.d.sync += self.words.valid.eq(0)
        with m.FSM():
            with m.State("preamble"):
                m.d.sync += failed.eq(0)
                with m.If(self.valid & (self.data == SFD)):
                    m.next = "frame"
                with m.Elif(self.valid & (self.data != PREAMBLE)):
                    m.next = "ignore"
            with m.State("frame"):
                m.d.sync += failed.eq(failed | (self.valid & self.error))
                following = Signal(64)
                m.d.comb += following.eq(gathered)
                m.d.comb += following.word_select(count, 8).eq(self.data)
                with m.If(~self.valid):
                    emit(gathered, count, last=1)
                    m.next = "preamble"
                with m.Elif(count == 7):
                    emit(following, 8, last=0)
                with m.Else():
                    m.d.sync += [gathered.eq(following), count.eq(count + 1)]
            with m.State("ignore"), m.If(~self.valid):
                m.next = "preamble"
        return m


class GmiiReceive(wiring.Component):
    """Frames without preamble and FCS from a 1 Gigabit Ethernet PHY, in the clock domain of its 125 MHz byte stream.

    Parameters
    ----------
    longest : int
        See :class:`FrameEnd`.

    Ports
    -----
    data, valid, error : In
        See :class:`GmiiAlign`.
    frames : Out(FrameReceive)
    bad_fcs, runt, oversize, coding_error : Out(1)
        Pulses, see :class:`FrameEnd`.

    A word needs eight cycles to come in, so that the crossing into the card's clock domain never fills.
    """

    def __init__(self, longest: int = 1522):
        self._end = FrameEnd(longest)
        super().__init__({
            "data": In(8), "valid": In(1), "error": In(1), "frames": Out(FrameReceive),
            "bad_fcs": Out(1), "runt": Out(1), "oversize": Out(1), "coding_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.align = align = GmiiAlign()
        m.submodules.end = end = self._end
        m.d.comb += [align.data.eq(self.data), align.valid.eq(self.valid), align.error.eq(self.error)]
        connect(m, align.words, end.words)
        connect(m, end.frames, flipped(self.frames))
        m.d.comb += [getattr(self, name).eq(getattr(end, name)) for name in ("bad_fcs", "runt", "oversize", "coding_error")]
        return m

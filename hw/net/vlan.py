"""VLAN tags: a frame with one goes on as if it had none (IEEE 802.1Q)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.types import Cycles, FrameReceive

TAG_TYPES = (0x8100, 0x88A8)
"""Ethernet types of a tag: a customer's and a provider's."""


class VlanUntag(wiring.Component):
    """Takes one VLAN tag (four bytes at byte 12) out of a frame, whatever network it names; a second one stays.

    A tagged frame's words are put together from halves of two, so each but the last waits for the next one.

    Ports
    -----
    frames : In(FrameReceive)
        Frames of any length, back to back or with pauses anywhere.
    now : In(Cycles)
        Card time.
    untagged : Out(FrameReceive)
        One word per cycle. A frame that ends within its tag is left too short to have an Ethernet type.
    low_came, high_came : Out(Cycles)
        Card time at which the bytes in lanes 0 to 3 and those in lanes 4 to 7 of the present word came in.

    Latency: ``LATENCY`` cycles from a word to the same word. Of a tagged frame, the lower half of a word comes so late, the upper at once.
    """

    LATENCY = 1

    frames: In(FrameReceive)
    now: In(Cycles)
    untagged: Out(FrameReceive)
    low_came: Out(Cycles)
    high_came: Out(Cycles)

    def elaborate(self, platform):
        m = Module()
        word, arrives, out = self.frames.payload, self.frames.valid, self.untagged.payload
        held, holding, came = Signal.like(word), Signal(), Signal(Cycles)
        place = Signal(2, init=1)  # one-hot: the word that arrives is the frame's first, or its second
        # Halves of the held word that go on: of a tagged frame the upper one of all words but the first two.
        high_moved, low_moved = Signal(), Signal()

        kind = Cat(word.data[40:48], word.data[32:40])
        tagged = place[1] & ((kind == TAG_TYPES[0]) | (kind == TAG_TYPES[1]))
        with m.If(arrives):
            m.d.sync += [
                held.eq(word), came.eq(self.now),
                place.eq(Mux(word.last, 1, place << 1)),
                high_moved.eq(tagged | (high_moved & ~place[0])), low_moved.eq(high_moved & ~place[0]),
            ]

        short, rest = Signal(), Signal()  # the frame ends in the lower half that arrives; in the upper one that is held
        m.d.comb += [
            rest.eq(high_moved & held.last),
            short.eq(high_moved & ~rest & word.last & (word.count <= 4)),
            self.untagged.valid.eq(holding & (~high_moved | held.last | arrives)),
            out.data.eq(Cat(Mux(low_moved, held.data[32:], held.data[:32]), Mux(high_moved, word.data[:32], held.data[32:]))),
            out.last.eq(held.last | short),
            out.error.eq(Mux(held.last, held.error, word.error)),
            self.low_came.eq(came),
            self.high_came.eq(Mux(high_moved & ~rest, self.now, came)),
        ]
        with m.If(rest):
            m.d.comb += out.count.eq(Cat(held.count[:2], held.count[3]))
        with m.Elif(short):
            m.d.comb += out.count.eq(Cat(word.count[:2], ~word.count[2], word.count[2]))
        with m.Else():
            m.d.comb += out.count.eq(Mux(high_moved, 8, held.count))
        with m.If(arrives):
            m.d.sync += holding.eq(~(holding & short))
        with m.Elif(self.untagged.valid):
            m.d.sync += holding.eq(0)
        return m

"""Narrow forms of the card's wide ports, for boards whose Ethernet MACs come later.

A frame stream is a byte a clock with a valid strobe, as a 1GbE MAC would give it; the register bus is a line in each direction.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.bus import READ_LATENCY, RegisterBus
from hw.types import FrameReceive, FrameTransmit


class FrameFromBytes(wiring.Component):
    """Collects bytes into frame words.

    Ports
    -----
    data : In(8)
        Byte of a frame, in the order of the wire.
    valid : In(1)
        ``data`` is a byte; pauses are allowed anywhere.
    last : In(1)
        With ``valid``: it ends the frame.
    error : In(1)
        With ``last``: forget the frame.
    frames : Out(FrameReceive)
        Latency 1: the word is valid the cycle after its last byte.
    """

    data: In(8)
    valid: In(1)
    last: In(1)
    error: In(1)
    frames: Out(FrameReceive)

    def elaborate(self, platform):
        m = Module()
        lane = Signal(3)
        word = self.frames.p
        m.d.sync += self.frames.valid.eq(self.valid & (self.last | (lane == 7)))
        with m.If(self.valid):
            m.d.sync += [
                word.data.word_select(lane, 8).eq(self.data),
                word.count.eq(lane + 1),
                word.last.eq(self.last),
                word.error.eq(self.last & self.error),
                lane.eq(lane + 1),
            ]
            with m.If(self.last):
                m.d.sync += lane.eq(0)
        return m


class FrameToBytes(wiring.Component):
    """Sends frame words as bytes, one each cycle.

    Ports
    -----
    frames : In(FrameTransmit)
        A word is taken every 8 cycles (the last: as many as it has bytes).
    data : Out(8)
        Byte of a frame. Latency 1 from the word.
    valid, last, error : Out(1)
        As in :class:`FrameFromBytes`.
    """

    frames: In(FrameTransmit)
    data: Out(8)
    valid: Out(1)
    last: Out(1)
    error: Out(1)

    def elaborate(self, platform):
        m = Module()
        word = Signal.like(self.frames.p)
        left = Signal(4)

        m.d.comb += [
            self.data.eq(word.data[:8]),
            self.valid.eq(left != 0),
            self.last.eq(word.last & (left == 1)),
            self.error.eq(word.error & (left == 1)),
            self.frames.ready.eq(left <= 1),
        ]
        with m.If(left != 0):
            m.d.sync += [word.data.eq(word.data >> 8), left.eq(left - 1)]
        with m.If(self.frames.valid & self.frames.ready):
            m.d.sync += [word.eq(self.frames.p), left.eq(self.frames.p.count)]
        return m


class SerialBus(wiring.Component):
    """Register accesses over one line in and one line out, a bit each clock, least significant bit first.

    Ports
    -----
    receive : In(1)
        Idle 0. A start bit 1, then 1 for a write or 0 for a read, 20 bits of address, 32 bits of data (of no meaning in a read).
    transmit : Out(1)
        Idle 0. After a read: a start bit 1, then 32 bits of data. Latency READ_LATENCY + 2 from the last bit received.
        The next request must not end before the answer has.
    bus : Out(RegisterBus)
    """

    receive: In(1)
    transmit: Out(1)
    bus: Out(RegisterBus)

    REQUEST = 1 + 1 + 20 + 32

    def elaborate(self, platform):
        m = Module()
        request = Signal(self.REQUEST)
        complete = request[0]  # the start bit has come all the way through

        m.d.comb += [
            self.bus.address.eq(request[2:22]),
            self.bus.write.eq(complete & request[1]),
            self.bus.write_data.eq(request[22:]),
            self.bus.read.eq(complete & ~request[1]),
        ]
        m.d.sync += request.eq(Cat(Mux(complete, 0, request[1:]), self.receive))

        answered = Signal(READ_LATENCY)
        answer = Signal(1 + 32)
        m.d.sync += [answered.eq(Cat(self.bus.read, answered)), answer.eq(answer >> 1)]
        with m.If(answered[-1]):
            m.d.sync += answer.eq(Cat(1, self.bus.read_data))
        m.d.comb += self.transmit.eq(answer[0])
        return m

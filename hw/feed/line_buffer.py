"""What one line has received and the line arbiter has not taken yet."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.commit_buffer import CommitBuffer
from hw.types import BookEvent, LineFrame, Sequence

HELD = data.StructLayout({name: field.shape for name, field in BookEvent.as_shape() if name != "locate"})
"""A book event without the venue's own number of the symbol, which nobody behind the symbol filter needs."""


class LineBuffer(wiring.Component):
    """Keeps the events of good frames, and the span of each frame, in order.

    A frame whose events are lost (no place, or a message that could not be read) stays as a span without messages that begins where
    the frame ended: it says, as a heartbeat does, what should have come.

    Parameters
    ----------
    depth : int
        Events held; a power of two, at least 2.
    frames : int
        Frames held, beside the one at the output; a power of two, at least 2.
    block_ram : bool
        Where the events are kept; False: in the logic's own small memories.

    Ports
    -----
    input : In(stream.Signature(BookEvent, always_ready=True))
        Events of the frame that is coming in.
    commit, lose, discard : In(1)
        What becomes of the events since the last of these pulses: kept, lost though their frame was good, none of anybody's business.
    first, next : In(Sequence)
        With ``commit`` and ``lose``: the frame's span.
    clear : In(1)
        Throws away all frames that came before this cycle; the one that is coming in stays.
    frame : Out(stream.Signature(LineFrame))
        Oldest frame held, one cycle after its ``commit`` if there is no other.
    events : Out(stream.Signature(BookEvent))
        Its events and then those of the frames behind it, ``locate`` 0; the first one cycle after its ``commit``, as the frame is, if
        there is no other.
    coming : Out(stream.Signature(LineFrame, always_ready=True))
        In the cycle of a ``commit``: the frame that is at the output in the next one. Not told of a frame that waited for others, nor of
        one whose events are lost.
    dropped : Out(1)
        With a ``commit`` for which there was no place.
    level : Out(range(depth + 1))
        Events held.
    waiting : Out(range(frames + 2))
        Frames held.

    Latency: ``LATENCY`` cycles from ``commit`` to ``events``.
    """

    LATENCY = CommitBuffer.LATENCY

    def __init__(self, depth: int, frames: int, *, block_ram: bool = True):
        self._buffer = CommitBuffer(HELD, depth, block_ram=block_ram)
        if frames < 2 or frames & (frames - 1):
            raise ValueError(f"frames must be a power of two and at least 2, not {frames}")
        self._depth, self._frames = depth, frames
        super().__init__({
            "input": In(stream.Signature(BookEvent, always_ready=True)),
            "commit": In(1), "lose": In(1), "discard": In(1), "first": In(Sequence), "next": In(Sequence), "clear": In(1),
            "frame": Out(stream.Signature(LineFrame)), "events": Out(stream.Signature(BookEvent)),
            "coming": Out(stream.Signature(LineFrame, always_ready=True)),
            "dropped": Out(1), "level": Out(range(depth + 1)), "waiting": Out(range(frames + 2)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = self._buffer
        full = self._hold_events(m, buffer)
        self._queue_frames(m, buffer, full)
        return m

    def _hold_events(self, m, buffer):
        """The events, which are kept only if their frame finds a place too."""
        full = Signal()
        m.d.comb += [
            buffer.input.valid.eq(self.input.valid),
            *(buffer.input.payload[name].eq(getattr(self.input.payload, name)) for name, _ in HELD),
            buffer.commit.eq(self.commit),
            buffer.discard.eq(self.discard | self.lose | (self.commit & full)),
            buffer.clear.eq(self.clear),
            self.events.valid.eq(buffer.output.valid),
            *(getattr(self.events.payload, name).eq(buffer.output.payload[name]) for name, _ in HELD),
            buffer.output.ready.eq(self.events.ready),
            self.level.eq(buffer.level),
        ]
        return full

    def _queue_frames(self, m, buffer, full):
        """A small queue; what comes while it is empty goes straight to its end."""
        m.submodules.frames = frames = memory.Memory(shape=LineFrame, depth=self._frames, init=[], attrs={"ram_style": "distributed"})
        write, read = frames.write_port(), frames.read_port(domain="comb")
        written, taken = Signal(range(2 * self._frames)), Signal(range(2 * self._frames))
        held, room = Signal.like(written), Signal()
        m.d.comb += [
            held.eq((written - taken)[: len(written)]),
            full.eq(held[-1]),
            self.waiting.eq(held + self.frame.valid),
            room.eq(~self.frame.valid | self.frame.ready),
            write.addr.eq(written),
            read.addr.eq(taken),
        ]

        events, lost, push = Signal(16), Signal(), Signal()
        m.d.comb += [lost.eq(self.lose | buffer.overflow), push.eq((self.commit | self.lose) & ~full)]
        m.d.sync += events.eq(Mux(self.commit | self.lose | self.discard, 0, events + self.input.valid))
        frame = Signal(LineFrame)
        m.d.comb += [
            self.dropped.eq(self.commit & (buffer.overflow | full)),
            frame.first.eq(Mux(lost, self.next, self.first)),
            frame.next.eq(self.next),
            frame.events.eq(Mux(lost, 0, events + self.input.valid)),
            write.data.eq(frame),
        ]

        empty = held == 0
        coming = self.coming.payload
        m.d.comb += [
            self.coming.valid.eq(self.commit & ~lost & room & empty),
            coming.first.eq(self.first), coming.next.eq(self.next), coming.events.eq(events + self.input.valid),
        ]
        with m.If(room):
            m.d.sync += [self.frame.payload.eq(Mux(empty, frame, read.data)), self.frame.valid.eq(push | ~empty)]
        m.d.comb += write.en.eq(push & ~(room & empty))
        m.d.sync += [written.eq(written + write.en), taken.eq(taken + (room & ~empty))]
        with m.If(self.clear):
            m.d.comb += write.en.eq(0)
            m.d.sync += [taken.eq(written), written.eq(written), self.frame.valid.eq(push), self.frame.payload.eq(frame)]

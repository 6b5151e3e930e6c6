"""A/B line arbitration: every message of a venue once and in order, whichever line brings it first."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import BookEvent, Cycles, Gap, LineFrame, Sequence

STEADY = 4
"""Cycles without a new frame after which the figures about what is missing are right."""


class LineArbiter(wiring.Component):
    """Takes frames from the lines of one venue by the numbers of their messages.

    A frame's turn comes when it begins at or below ``expected``. Its events from ``expected`` on pass, those below it have passed before,
    and ``expected`` moves to the frame's end. Lines may be ahead of each other and may cut the messages into frames differently.

    A hole is open while lines hold frames and all of them begin above ``expected``. One that stays open for ``hole_cycles`` is a gap: it is
    told, and while the frames behind it wait, the last line may fill it (``recovering``). A hole that stays open for another
    ``recovery_cycles`` without anything new is given up: ``expected`` moves to the first message there is. A gap is told once.

    Parameters
    ----------
    lines : int
        2 to 5. The last one is for recovery: its frames are thrown away where they begin above ``expected``, as those can be asked for
        again, while the other lines' wait.

    Ports
    -----
    frames : In(stream.Signature(LineFrame)).array(lines)
    events : In(stream.Signature(BookEvent)).array(lines)
        The events of these frames in the same order; those of a frame not before it, and at the earliest a cycle after it.
    restart : In(1)
        Pulse: the next message is ``sequence_in``; the lines are cleared in the same cycle.
    sequence_in : In(Sequence)
    hole_cycles, recovery_cycles : In(Cycles)
    session : In(80)
        For the gap.
    output : Out(stream.Signature(BookEvent))
        Events with rising sequence numbers.
    expected : Out(Sequence, init=1)
        Every message below it has been taken, or given up.
    gap : Out(stream.Signature(Gap, always_ready=True))
        Messages that no line brought in time.
    recovering : Out(1)
        From the gap until ``recovered``.
    gave_up : Out(1)
        Pulse: messages of a gap never came, ``expected`` has moved past them.
    recovered : Out(1)
        Pulse: what was missing has come or was given up, and no line holds a frame any more.
    early : Out(1)
        Pulse: a frame of the last line was thrown away because it began above ``expected``.
    messages, duplicates, restored : Out(16)
        In one cycle per frame, else 0: its messages that were new; that were not; that were new and came by the last line. All messages
        count, whether they are book events or not.

    Latency: ``LATENCY`` cycles from the event to the output; a cycle more in a frame of which only a part is new. One event per cycle;
    two cycles per frame at least. The first event may come one cycle after its frame.
    """

    LATENCY = 1

    def __init__(self, lines: int = 3):
        if not 2 <= lines <= 1 + STEADY:
            raise ValueError(f"lines must be 2 to {1 + STEADY}, not {lines}")
        self._lines = range(lines)
        super().__init__({
            "frames": In(stream.Signature(LineFrame)).array(lines), "events": In(stream.Signature(BookEvent)).array(lines),
            "restart": In(1), "sequence_in": In(Sequence), "hole_cycles": In(Cycles), "recovery_cycles": In(Cycles), "session": In(80),
            "output": Out(stream.Signature(BookEvent)), "expected": Out(Sequence, init=1),
            "gap": Out(stream.Signature(Gap, always_ready=True)), "recovering": Out(1), "gave_up": Out(1), "recovered": Out(1),
            "early": Out(1), "messages": Out(16), "duplicates": Out(16), "restored": Out(16),
        })

    def elaborate(self, platform):
        m = Module()
        self._compare(m)
        self._choose(m)
        self._deliver(m)
        self._finish(m)
        self._find_hole(m)
        self._act_on_hole(m)
        self._begin_anew(m)
        return m

    def _compare(self, m):
        """What is known of the lines' frames, a cycle after they came or ``expected`` changed."""
        names = ("seen", "fits", "exact", "newer", "bare")
        self._seen, self._fits, self._exact, self._newer, self._bare = (Signal(len(self._lines), name=name) for name in names)
        frames = [frame.payload for frame in self.frames]
        m.d.sync += [
            self._seen.eq(Cat(frame.valid for frame in self.frames)),
            self._fits.eq(Cat(frame.first <= self.expected for frame in frames)),
            self._exact.eq(Cat(frame.first == self.expected for frame in frames)),
            self._newer.eq(Cat(frame.next > self.expected for frame in frames)),
            self._bare.eq(Cat(frame.events == 0 for frame in frames)),
        ]

    def _choose(self, m):
        """One line at a time, the lower one first, until its frame is done."""
        self._delivering, self._chosen = Signal(), Signal(len(self._lines))
        self._settling = Signal()  # what is known is not of now
        self._idle, self._steady = Signal(), Signal(range(STEADY + 1))
        self._active = Signal(len(self._lines))
        fitting, decide = Signal(len(self._lines)), Signal()
        m.d.comb += [
            decide.eq(~self._delivering & ~self._settling),
            fitting.eq(self._seen & self._fits),
            self._idle.eq(decide & ~fitting.any()),
            self.early.eq(self._idle & (self._steady == STEADY) & self._seen[-1]),
            self._active.eq(Mux(self._delivering, self._chosen, Mux(decide, fitting & (~fitting + 1), 0) | self.early << self._lines[-1])),
        ]

    def _of_active(self, values):
        """The value that belongs to the line in turn; zero if there is none."""
        return reduce(or_, (Mux(active, Value.cast(value), 0) for active, value in zip(self._active, values, strict=True)))

    def _deliver(self, m):
        """Moves an event to the output, or past it where it is not wanted. One that may be old is looked at there first."""
        self._held, checked, new = Signal(), Signal(), Signal()
        self._thrown, throw = Signal(), Signal()  # the frame is early, and none of it counts
        self._event = Signal(BookEvent)
        threshold = Signal(Sequence)  # ``expected`` of the cycle before
        event, room, take = Signal(BookEvent), Signal(), Signal()
        wanted, bare = Signal(), Signal()
        m.d.comb += [
            throw.eq(self.early | (self._delivering & self._thrown)),
            bare.eq((self._active & self._bare).any()),
            wanted.eq((self._active & self._newer).any() & ~throw),
            room.eq(~self._held | (self.output.valid & self.output.ready)),
            event.eq(self._of_active(port.payload for port in self.events)),
            take.eq(self._of_active(port.valid for port in self.events) & ~bare & (room | ~wanted)),
            *(port.ready.eq(active & ~bare & (room | ~wanted)) for port, active in zip(self.events, self._active, strict=True)),
        ]
        m.d.sync += [threshold.eq(self.expected), self._thrown.eq(throw)]

        m.d.comb += [
            new.eq(self._event.sequence >= threshold),
            self.output.valid.eq(self._held & checked),
            self.output.payload.eq(self._event),
        ]
        with m.If(room):
            m.d.sync += [
                self._event.eq(event), self._held.eq(take & wanted), checked.eq((self._active & self._exact).any()),
            ]
        with m.Elif(~checked):
            m.d.sync += [checked.eq(1), self._held.eq(new)]
        self._checked, self._threshold, self._throw, self._take, self._wanted, self._nothing = checked, threshold, throw, take, wanted, bare

    def _finish(self, m):
        """The frame is done with its last event, or at once if it has none."""
        frame, taken = Signal(LineFrame), Signal(16, init=1)  # taken: events so far, the present one included
        done = Signal()
        self._moves = Signal()
        m.d.comb += [
            frame.eq(self._of_active(port.payload for port in self.frames)),
            done.eq(self._active.any() & (self._nothing | (self._take & (taken == frame.events)))),
            self._moves.eq(done & self._wanted),
            *(port.ready.eq(done & active) for port, active in zip(self.frames, self._active, strict=True)),
        ]
        m.d.sync += [
            self._delivering.eq(self._active.any() & ~done), self._chosen.eq(self._active), self._settling.eq(done),
            self.messages.eq(0), self.duplicates.eq(0), self.restored.eq(0),
        ]
        with m.If(done):
            m.d.sync += taken.eq(1)
        with m.Elif(self._take):
            m.d.sync += taken.eq(taken + 1)
        with m.If(self._moves):
            m.d.sync += [
                self.expected.eq(frame.next),
                self.messages.eq(frame.next - self.expected),
                self.duplicates.eq(self.expected - frame.first),
                self.restored.eq(Mux(self._active[-1], frame.next - self.expected, 0)),
            ]
        with m.Elif(done & ~self._throw):
            m.d.sync += self.duplicates.eq(frame.next - frame.first)
        self._taken, self._done = taken, done

    def _find_hole(self, m):
        """Nothing that the lines hold begins at or below ``expected``."""
        live = self._lines[:-1]
        self._hole, self._lowest = Signal(), Signal(Sequence)
        m.d.comb += self._hole.eq(self._idle & self._seen[:-1].any())

        # The lowest first number of the live lines, one line a cycle.
        some, lowest = Const(0), Const(0, 64)
        for line in live:
            frame = self.frames[line]
            next_some, next_lowest = Signal(name=f"some_{line}"), Signal(Sequence, name=f"lowest_{line}")
            lower = frame.valid & (~some | (frame.payload.first < lowest))
            m.d.sync += [next_some.eq(some | frame.valid), next_lowest.eq(Mux(lower, frame.payload.first, lowest))]
            some, lowest = next_some, next_lowest
        m.d.comb += self._lowest.eq(lowest)

        arrives = Cat(frame.valid for frame in self.frames) & ~self._seen
        with m.If(~self._idle | arrives.any()):
            m.d.sync += self._steady.eq(0)
        with m.Elif(self._steady != STEADY):
            m.d.sync += self._steady.eq(self._steady + 1)

    def _act_on_hole(self, m):
        """Tells a hole that has been open too long, and later gives it up."""
        self._until, self._inside = Signal(Sequence), Signal()  # the gap told last ends there; ``expected`` is still within
        open_for, expired, act = Signal(Cycles), Signal(), Signal()
        self._open_for = open_for
        m.d.sync += [
            self._inside.eq(self.recovering & (self.expected < self._until)),
            expired.eq(open_for >= Mux(self._inside, self.recovery_cycles, self.hole_cycles)),
            self.gap.valid.eq(0),
        ]
        m.d.comb += [
            act.eq(self._hole & (self._steady == STEADY) & expired & ~self._seen[-1]),
            self.gave_up.eq(act & self._inside),
            self.recovered.eq(
                self.recovering & ~self._inside & self._idle & (self._steady == STEADY) & ~self._seen.any() & ~self._held),
        ]
        with m.If(self._moves | act | (self._idle & ~self._seen.any())):
            m.d.sync += open_for.eq(0)
        with m.Elif(~open_for.all()):
            m.d.sync += open_for.eq(open_for + 1)
        with m.If(act):
            m.d.sync += self._steady.eq(0)
            with m.If(self._inside):
                m.d.sync += [self.expected.eq(self._lowest), self._settling.eq(1)]
            with m.Else():
                gap = self.gap.payload
                m.d.sync += [
                    self.gap.valid.eq(1), gap.session.eq(self.session), gap.first.eq(self.expected),
                    gap.count.eq(self._lowest - self.expected), self._until.eq(self._lowest), self.recovering.eq(1),
                ]
        with m.If(self.recovered):
            m.d.sync += self.recovering.eq(0)

    def _begin_anew(self, m):
        """The lines are cleared in this cycle; what is under way is forgotten."""
        with m.If(self.restart):
            m.d.sync += [
                self.expected.eq(self.sequence_in), self._held.eq(0), self._delivering.eq(0), self._taken.eq(1), self._settling.eq(1),
                self._steady.eq(0), self._open_for.eq(0), self.recovering.eq(0), self.gap.valid.eq(0),
            ]

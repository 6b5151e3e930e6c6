"""A/B line arbitration: every message of a venue once and in order, whichever line brings it first."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import BookEvent, Cycles, Gap, LineFrame, Sequence


class LineArbiter(wiring.Component):
    """Takes frames from the lines of one venue by the numbers of their messages.

    A frame's turn comes when it begins at or below ``expected``. Its events from ``expected`` on pass, those below it have passed before,
    and ``expected`` moves to the frame's end. Lines may be ahead of each other and may cut the messages into frames differently.

    A hole is open while lines hold frames and all of them begin above ``expected``. One that stays open for ``hole_cycles`` is a gap: it is
    told, and while the frames behind it wait, the last line may fill it (``recovering``). A hole that stays open for another
    ``recovery_cycles`` without anything new is given up: ``expected`` moves to the first message there is. A gap is told once. What the
    last line brings beside the hole, however much, does not keep it open.

    Parameters
    ----------
    lines : int
        2 to 5. The last one is for recovery: its frames are thrown away where they begin above ``expected``, as those can be asked for
        again, while the other lines' wait.

    Ports
    -----
    frames : In(stream.Signature(LineFrame)).array(lines)
    events : In(stream.Signature(BookEvent)).array(lines)
        The events of these frames in the same order; those of a frame not before it.
    coming : In(stream.Signature(LineFrame, always_ready=True)).array(lines - 1)
        Optional: the frame that is at ``frames`` from the next cycle on, where there is none now or one that is taken. It is compared
        ahead, which saves it a cycle.
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
    from a frame's last event to the next frame's first three cycles (a frame takes a wire seven at least). The first event may come with
    its frame if that was ``coming``, else one cycle after it.
    """

    LATENCY = 1

    def __init__(self, lines: int = 3):
        if not 2 <= lines <= 5:
            raise ValueError(f"lines must be 2 to 5, not {lines}")
        self._lines = range(lines)
        super().__init__({
            "frames": In(stream.Signature(LineFrame)).array(lines), "events": In(stream.Signature(BookEvent)).array(lines),
            "coming": In(stream.Signature(LineFrame, always_ready=True)).array(lines - 1),
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
        """What is known of the lines' frames, a cycle after they came or ``expected`` changed; of those ``coming`` when they come.

        One that comes while the frame before it is taken is not told apart from that: nothing is decided in the cycle after.
        """
        names = ("seen", "fits", "exact", "newer", "bare", "last")
        self._seen, self._fits, self._exact, self._newer, self._bare, self._last = (Signal(len(self._lines), name=name) for name in names)
        self._taken, self._following = Signal(16, init=1), Signal(16, init=2)  # events of the frame in turn with the next; one more
        self._take = Signal()
        sources = [*zip(self.frames[:-1], self.coming, strict=True), (self.frames[-1], None)]

        def each(compare):
            """A line each: of the frame that is there, else of the one coming. Both are compared, as the choice comes late."""
            return Cat(compare(frame.payload) if coming is None else
                       Mux(frame.valid, compare(frame.payload), compare(coming.payload)) for frame, coming in sources)

        there = Cat(frame.valid if coming is None else frame.valid | coming.valid for frame, coming in sources)
        m.d.sync += [
            self._seen.eq(there),
            self._fits.eq(there & each(lambda frame: frame.first <= self.expected)),
            self._exact.eq(each(lambda frame: frame.first == self.expected)),
            self._newer.eq(each(lambda frame: frame.next > self.expected)),
            self._bare.eq(each(lambda frame: frame.events == 0)),
            self._last.eq(Mux(self._take, *(each(lambda frame, number=number: frame.events == number)
                                            for number in (self._following, self._taken)))),
        ]

    def _choose(self, m):
        """One line at a time, the lower one first, until its frame is done."""
        self._deciding = Signal()  # nothing is under way, and what is known is of now
        self._chosen, self._thrown = Signal(len(self._lines)), Signal()  # the line under way; its frame is early, and none of it counts
        self._active, self._idle = Signal(len(self._lines)), Signal()
        m.d.comb += [
            self._active.eq(Cat(
                self._chosen[line] | (self._deciding & self._fits[line] & ~self._fits[:line].any()) for line in self._lines)),
            self._idle.eq(self._deciding & ~self._fits.any()),
            self.early.eq(self._idle & self._seen[-1]),
        ]

    def _of(self, lines, values):
        """The value that belongs to the one line of ``lines``; zero if there is none."""
        return reduce(or_, (Mux(line, Value.cast(value), 0) for line, value in zip(lines, values, strict=True)))

    def _deliver(self, m):
        """Moves an event to the output, or past it where it is not wanted. One that may be old is looked at there first."""
        self._held, self._checked, new = Signal(), Signal(), Signal()
        self._done = Signal(len(self._lines))
        self._event = Signal(BookEvent)
        room, wanted = Signal(), Signal()
        m.d.comb += [
            room.eq(~self._held | (self.output.valid & self.output.ready)),
            wanted.eq((self._active & self._newer & ~self._bare).any() & ~self._thrown),
            self._take.eq(Cat(port.valid & port.ready for port in self.events).any()),
        ]
        for line, port in enumerate(self.events):
            mine, bare = self._active[line], self._bare[line]
            m.d.comb += [
                port.ready.eq(mine & ~bare & (room | ~self._newer[line] | self._thrown)),
                self._done[line].eq(mine & (bare | (port.valid & port.ready & self._last[line]))),
            ]

        m.d.comb += [
            new.eq(self._event.sequence >= self.expected),
            self.output.valid.eq(self._held & self._checked),
            self.output.payload.eq(self._event),
        ]
        with m.If(room):
            m.d.sync += [
                self._event.eq(self._of(self._active, (port.payload for port in self.events))),
                self._held.eq(wanted & self._of(self._active, (port.valid for port in self.events))),
                self._checked.eq((self._active & self._exact).any()),
            ]
        with m.Elif(~self._checked):  # the cycle after it was taken: ``expected`` has not moved yet
            m.d.sync += [self._checked.eq(1), self._held.eq(new)]

    def _finish(self, m):
        """The frame is done with its last event, or at once if it has none; a cycle later it goes and ``expected`` moves."""
        self._finishing, self._moves = Signal(len(self._lines)), Signal()
        self._counts, done = Signal(), Signal()
        frame = Signal(LineFrame)
        m.d.comb += [
            done.eq(self._done.any()),
            frame.eq(self._of(self._finishing, (port.payload for port in self.frames))),
            *(port.ready.eq(mine) for port, mine in zip(self.frames, self._finishing, strict=True)),
        ]
        m.d.sync += [
            self._finishing.eq(self._done),
            self._moves.eq((self._done & self._newer).any() & ~self._thrown),
            self._counts.eq(done & ~self._thrown),
            self._deciding.eq(~(self._active | self._finishing).any() & ~self.early),
            self._chosen.eq(Mux(done, 0, self._active) | self.early << self._lines[-1]),
            self._thrown.eq(self.early | (self._thrown & ~done)),
            self.messages.eq(0), self.duplicates.eq(0), self.restored.eq(0),
        ]
        with m.If(self._finishing.any()):
            m.d.sync += [self._taken.eq(1), self._following.eq(2)]
        with m.Elif(self._take):
            m.d.sync += [self._taken.eq(self._following), self._following.eq(self._following + 1)]
        with m.If(self._moves):
            m.d.sync += [
                self.expected.eq(frame.next),
                self.messages.eq(frame.next - self.expected),
                self.duplicates.eq(self.expected - frame.first),
                self.restored.eq(Mux(self._finishing[-1], frame.next - self.expected, 0)),
            ]
        with m.Elif(self._counts):
            m.d.sync += self.duplicates.eq(frame.next - frame.first)

    def _find_hole(self, m):
        """The lowest first number of the live lines, in two cycles a line, as long as these bring nothing new."""
        live = len(self._lines) - 1
        self._lowest, self._steady, self._ready = Signal(Sequence), Signal(range(2 * live + 2)), Signal()
        some, there, lower, candidate = Signal(), Signal(), Signal(), Signal(Sequence)
        self._some, self._there, self._lower, self._candidate = some, there, lower, candidate
        with m.Switch(self._steady):
            for line in range(live):
                with m.Case(2 * line):
                    m.d.sync += [there.eq(self.frames[line].valid), candidate.eq(self.frames[line].payload.first)]
        m.d.sync += lower.eq(there & (~some | (candidate < self._lowest)))
        with m.If(self._steady == 0):
            m.d.sync += some.eq(0)
        with m.Elif(~self._steady[0] & lower):
            m.d.sync += [some.eq(1), self._lowest.eq(candidate)]

        arrives = Cat(frame.valid & ~seen for frame, seen in zip(self.frames[:-1], self._seen, strict=False)).any()
        arrives |= Cat(coming.valid for coming in self.coming).any()
        self._disturbed = Signal()
        m.d.comb += [
            self._disturbed.eq(arrives | self._finishing[:-1].any() | self._moves),
            self._ready.eq(self._steady == 2 * live + 1),
        ]
        with m.If(self._disturbed):
            m.d.sync += self._steady.eq(0)
        with m.Elif(~self._ready):
            m.d.sync += self._steady.eq(self._steady + 1)

    def _act_on_hole(self, m):
        """Tells a hole that has been open too long, and later gives it up. What the last line throws away is no reason to wait."""
        self._until, self._inside = Signal(Sequence), Signal()  # the gap told last ends there; ``expected`` is still within
        self._open_for, self._due = Signal(Cycles), Signal()
        expired, act = Signal(), Signal()
        m.d.sync += [
            self._inside.eq(self.recovering & (self.expected < self._until)),
            expired.eq(self._open_for >= Mux(self._inside, self.recovery_cycles, self.hole_cycles)),
            self._due.eq(self._ready & ~self._disturbed & expired & self._seen[:-1].any() & ~act),
            self.gap.valid.eq(0),
        ]
        m.d.comb += [
            act.eq(self._due & self._idle & ~self._seen[-1]),
            self.gave_up.eq(act & self._inside),
            self.recovered.eq(self.recovering & ~self._inside & self._idle & self._ready & ~self._seen.any() & ~self._held),
        ]
        with m.If(self._moves | act | (self._idle & ~self._seen[:-1].any())):
            m.d.sync += self._open_for.eq(0)
        with m.Elif(~self._open_for.all()):
            m.d.sync += self._open_for.eq(self._open_for + 1)
        with m.If(act):
            m.d.sync += [self._steady.eq(0), self._deciding.eq(0)]
            with m.If(self._inside):
                m.d.sync += self.expected.eq(self._lowest)
            with m.Else():
                m.d.sync += [self.gap.valid.eq(1), self._until.eq(self._lowest), self.recovering.eq(1)]
        with m.If(self._idle):  # right with ``valid``
            gap = self.gap.payload
            m.d.sync += [gap.session.eq(self.session), gap.first.eq(self.expected), gap.count.eq(self._lowest - self.expected)]
        with m.If(self.recovered):
            m.d.sync += self.recovering.eq(0)

    def _begin_anew(self, m):
        """The lines are cleared in this cycle; what is under way is forgotten."""
        with m.If(self.restart):
            m.d.sync += [
                self.expected.eq(self.sequence_in), self._deciding.eq(0), self._chosen.eq(0), self._thrown.eq(0), self._finishing.eq(0),
                self._moves.eq(0), self._counts.eq(0), self._held.eq(0), self._taken.eq(1), self._following.eq(2),
                self._steady.eq(0), self._due.eq(0), self._open_for.eq(0), self.recovering.eq(0), self.gap.valid.eq(0),
            ]

"""Orders of the host's into a venue's book, by the way that the feed's events take, while the feed itself waits."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.one_hot import OneHot
from hw.types import BookEvent, BookEventKind, BookOrder, LineFrame, Sequence


class Restore(wiring.Component):
    """Stands between the recovery line and the line arbiter. After a restart with ``enable`` it makes a frame of its own of every order
    that the host gives, each in the arbiter's turn; when ``enable`` falls, the feed goes on from the sequence that the restart set.

    Parameters
    ----------
    None.

    Ports
    -----
    enable : In(1), pending : In(1)
        What the host wants, at a restart and from then on; it has asked for a restart, which is still to come.
    restart : In(1), sequence_in : In(Sequence)
        Of the line arbiter, when the venue begins anew; the sequence stays as it is while ``restoring``. An order that is under way is
        forgotten, as is the book.
    restoring : Out(1)
        From the cycle after the restart until ``resume``: the arbiter must see no frame of the feed.
    resume : Out(1)
        Pulse: the arbiter is to be restarted once more, but nothing else: what waits in the lines' buffers is the feed's next.
    orders : In(stream of BookOrder)
        Orders of this venue; ``sequence`` is not used. One is taken when it is in the book, and answered.
    refused : Out(1)
        Pulse: an order came while not ``restoring``, and was forgotten.
    recovery_frames : In(stream of LineFrame), recovery_events : In(stream of BookEvent)
        The recovery line.
    frames : Out(stream of LineFrame), events : Out(stream of BookEvent)
        The arbiter's last line: the recovery line's, or one message an order, an ADD as of the message before ``sequence_in``.
    expected : In(Sequence)
        Of the arbiter.
    busy : In(1)
        The arbiter has an event that the book has not taken.

    Latency
    -------
    An order takes ``SETTLE`` + 5 cycles at least.
    """

    SETTLE = 16
    """Cycles after which the book has answered what it took."""

    orders: In(stream.Signature(BookOrder))
    enable: In(1)
    pending: In(1)
    restart: In(1)
    sequence_in: In(Sequence)
    restoring: Out(1)
    resume: Out(1)
    refused: Out(1)
    recovery_frames: In(stream.Signature(LineFrame))
    recovery_events: In(stream.Signature(BookEvent))
    frames: Out(stream.Signature(LineFrame))
    events: Out(stream.Signature(BookEvent))
    expected: In(Sequence)
    busy: In(1)

    def elaborate(self, platform):
        m = Module()
        first, next_, before, settled = Signal(Sequence), Signal(Sequence), Signal(Sequence), Signal(range(self.SETTLE))
        at = OneHot(m, "IDLE", "FRAME", "EVENT", "END", "SETTLE", "TAKE")
        offers = at.now("FRAME") | at.now("EVENT") | at.now("END")
        self._choose(m, offers, self.frames, self.recovery_frames, first=first, next=next_, events=1)
        self._choose(m, at.now("EVENT"), self.events, self.recovery_events, kind=BookEventKind.ADD, sequence=before, **{
            name: self.orders.payload[name] for name in ("symbol", "side", "reference", "shares", "price")})
        m.d.comb += [
            self.orders.ready.eq(at.now("TAKE")), self.refused.eq(at.now("IDLE") & self.orders.valid & ~self.restoring),
            self.resume.eq(at.now("IDLE") & self.restoring & ~self.enable & ~self.pending & ~self.orders.valid),
        ]
        m.d.sync += [before.eq(self.sequence_in - 1), settled.eq(0)]
        with m.If(self.restart):
            m.d.sync += self.restoring.eq(self.enable)
        with m.Elif(self.resume):
            m.d.sync += self.restoring.eq(0)

        with at("IDLE"):
            m.d.sync += [first.eq(self.expected), next_.eq(self.expected + 1)]
            with m.If(~self.orders.valid | self.restart):
                at.go("IDLE")
            with m.Elif(self.restoring):
                at.go("FRAME")
            with m.Else():
                at.go("TAKE")
        for state, done, following in (("FRAME", 1, "EVENT"), ("EVENT", self.events.ready, "END"), ("END", self.frames.ready, "SETTLE")):
            with at(state):
                with m.If(self.restart):
                    at.go("TAKE")
                with m.Elif(done):
                    at.go(following)
                with m.Else():
                    at.go(state)
        with at("SETTLE"):
            m.d.sync += settled.eq(Mux(self.busy, 0, settled + 1))
            with m.If(settled.all()):
                at.go("TAKE")
            with m.Else():
                at.go("SETTLE")
        with at("TAKE"):
            at.go("IDLE")
        return m

    def _choose(self, m, valid, port, recovery, **fields):
        """What is made of the host's order goes to ``port``, or what comes from the recovery line."""
        made = Signal.like(port.payload)
        m.d.comb += [
            *(made[name].eq(value) for name, value in fields.items()),
            port.valid.eq(Mux(self.restoring, valid, recovery.valid)),
            port.payload.eq(Mux(self.restoring, made.as_value(), recovery.payload.as_value())),
            recovery.ready.eq(port.ready & ~self.restoring),
        ]

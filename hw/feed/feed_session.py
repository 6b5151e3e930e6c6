"""Which feed session a venue is in."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

NAME = 80
"""Bits of a session's name, its first byte in bits 7:0, zero above."""


class FeedSession(wiring.Component):
    """The first good packet of any line names the session; packets of another one are told.

    Parameters
    ----------
    lines : int
        Of two that name it in the same cycle, the lower line counts.

    Ports
    -----
    good : In(1).array(lines)
        A good packet has ended on the line.
    session : In(80).array(lines)
        With ``good``: its session.
    restart : In(1)
        Pulse: follow whatever session comes next. Never less than three cycles after a ``good``.
    other : Out(1).array(lines)
        From two cycles after ``good`` on: it was of another session than the one followed.
    name : Out(80)
        The session followed.
    """

    def __init__(self, lines: int):
        super().__init__({
            "good": In(1).array(lines), "session": In(NAME).array(lines), "restart": In(1), "other": Out(1).array(lines), "name": Out(NAME),
        })

    def elaborate(self, platform):
        m = Module()
        follows = Signal()
        for good, session, other in reversed([*zip(self.good, self.session, self.other, strict=True)]):
            came = Signal(NAME)
            with m.If(good):
                m.d.sync += came.eq(session)
            with m.If(good & ~follows):
                m.d.sync += [self.name.eq(session), follows.eq(1)]
            m.d.sync += other.eq(came != self.name)
        with m.If(self.restart):
            m.d.sync += follows.eq(0)
        return m

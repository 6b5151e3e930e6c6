"""KILL while orders leave the compiled card over sessions: each order is whole at its venue, or never comes there."""

from collections import Counter

import pytest

from host.card.control import BUY
from host.card.events import OrderRejected, OrderSent, SessionChange
from host.card.registers import DownReason, Fate
from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.verilated.build import library
from tests.end_to_end.test_order_sessions import PRICE, Desk

WRITTEN = 3
"""Cycles from a write on the bus to the register."""
BEGINS = 2
"""Cycles from there to the first word of the last order that leaves."""
ABORTED = BEGINS + 2
"""And to the last word of one that is aborted."""


class Run:
    """Two orders one after the other, and KILL; then everything is put right again."""

    def __init__(self, desk, *, apart, after, aborts):
        self.desk, control = desk, desk.control
        control.switches.abort_on_kill([0] if aborts else [])
        desk.wire.frames, desk.events = [], []
        for wait in (apart, after):
            desk.order(0, BUY, 1, PRICE - 5_000)
            desk.wire.run(wait)
        self.killed = desk.card.cycle
        control.kill()
        desk.run()
        self.frames = [frame for frame in desk.wire.frames if frame.error or len(frame.data) > 100]
        events = desk.events
        self.fates = [event.fate for event in events if isinstance(event, OrderSent)]
        self.rejected = sum(isinstance(event, OrderRejected) for event in events)
        self.downs = [event.reason for event in events if isinstance(event, SessionChange)]
        control.release()
        self.recover()
        control.arm()

    def recover(self):
        """What did not leave is forgotten, and the session opened again where it is gone."""
        desk, control = self.desk, self.desk.control
        for user_ref in desk.unanswered.never_left(0):
            control.replies.unsent(0, user_ref)
        if not control.sessions.state(0).up:
            desk.open(0, control.sessions.number(0))
        desk.unanswered.forget(0)
        desk.run(1_000)
        desk.agree()


@pytest.mark.parametrize("aborts", [False, True])
def test_kill_while_orders_leave(aborts):
    seen = Counter()
    with SimulatedCard(library(TINY)) as card:
        desk = Desk(card)
        for venue in range(TINY.venues):
            desk.open(venue)
        for apart in (30, 54):  # the second order finds the session idle, or acknowledging what the venue says to the first
            for after in range(0, 24, 2):
                run = Run(desk, apart=apart, after=after, aborts=aborts)
                assert len(run.frames) == run.fates.count(Fate.SENT)
                assert sum(frame.error for frame in run.frames) == run.fates.count(Fate.ABORTED) == len(run.downs)
                assert set(run.downs) <= {DownReason.ABORTED}
                assert run.rejected + run.fates.count(Fate.SENT) + run.fates.count(Fate.THROWN_AWAY) == 2
                assert all(frame.first_cycle - run.killed <= WRITTEN + BEGINS for frame in run.frames)
                assert all(frame.last_cycle - run.killed <= WRITTEN + ABORTED for frame in run.frames if frame.error)
                seen.update(run.fates)
                seen["rejected"] += run.rejected
    assert set(seen) == {Fate.SENT, Fate.THROWN_AWAY, "rejected", *([Fate.ABORTED] if aborts else [])}

"""The quoter on the compiled card: its orders as frames, against the golden chain of book, volatility, quotes and order entry."""

import random

import pytest

from host.card.events import OrderRejected
from host.card.quotes import enable_quoter, quoter_fault, set_quoter, set_quoter_venue, stop_quoting
from host.card.registers import RejectReason
from host.card.replies import FILLED, RELEASED, REPLACED
from host.card.signals import Periods, set_signals
from host.strategy.quoter import QuoterParameters
from hw.config import TINY
from sim.golden.open_orders import Answer
from sim.golden.quoter import Parameters, risk
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, SELL
from sim.golden.signals import Volatility, smoothing
from sim.session.answers import Answers
from tests.end_to_end.trading import SETTLED, trading

SLOT, VENUE, TICK, MIDDLE = 2, 1, 100, 1_000_000
PARAMETERS = QuoterParameters(
    enable=1, aversion=48_000_000, constant=6 << 12, end=1 << 20, tick=TICK, reciprocal=-(-(1 << 31) // TICK), shares=100, max_position=200,
    threshold=TICK // 2, interval=0)
"""About 3 ticks of skew for one quote held, and quotes about 4 ticks from the middle."""
GOLDEN = Parameters(**PARAMETERS._asdict())
PERIOD = 4
ANSWERED = {CANCEL_ORDER: RELEASED, REPLACE_ORDER: REPLACED}
"""What a venue says to each, and does."""


class Quoting:
    """The card with its quoter at work, a venue that answers, and the golden models of both."""

    def __init__(self, desk):
        self.desk, self.model, self.live, self.enabled = desk, desk.model, {}, False
        self.volatility, self.variance, self.record = Volatility(smoothing(PERIOD)), None, None
        self.sent, self.moved, self.refused, self.answered, self.answers = 0, 0, 0, 0, Answers(desk.control.replies, TINY.venues)
        set_signals(desk.control, Periods(volatility=PERIOD), venue=VENUE, source="tops")
        set_quoter_venue(desk.control, VENUE)
        set_quoter(desk.control, SLOT, PARAMETERS)

    def add(self, side, price):
        """An order into the venue's book, before the one of its side goes; what each makes leave is checked."""
        old = self.live.get(side)
        self.live[side], record = self.desk.add(VENUE, SLOT, side, 500, price)
        self.check(record)
        if old is not None:
            self.check(self.desk.delete(VENUE, SLOT, old))

    def check(self, record=None):
        """Frames since the last call, and what follows from the venue's answers to them."""
        found = [self.found()]
        if record is not None:
            self.record = record
            if record.changed:
                top = record.top
                price = top.bid_price + top.ask_price if record.sure and top.bid_price and top.ask_price else None
                self.variance = None if price is None else self.volatility.update(price)
        found.append(self.found())
        while answers := self._frames(found):
            for side, kind in answers:
                self.answer(side, kind)
            self.desk.card.run(SETTLED)
            found = found[1:] or found

    def answer(self, side, kind):
        """All that is left of a quote; REPLACED: it has been moved."""
        quote, risk_model = self.model.quotes.sides[SLOT][side], self.model.risk
        shares = 0 if kind == REPLACED else quote.left
        self.answered += 1
        self.answers.tell(VENUE, quote.reference, kind, shares)
        settlement = risk_model.answer(Answer(kind, VENUE, quote.reference, self.answered, shares))
        if settlement:
            risk_model.settle(settlement)
        if shares:
            self.model.quotes.reply(SLOT, side, shares)

    def found(self):
        """Risk and spread by the golden formula; the time that passes meanwhile changes nothing that is seen."""
        if self.variance is None:
            return None
        return risk(GOLDEN, min(self.variance >> 12, 2**32 - 1), PARAMETERS.end - (self.desk.control.time() >> 16))

    def _frames(self, found):
        """What left is what the golden models let leave, first by what was known before; returns the sides to be answered, and how."""
        frames, answers = [], []
        for one in found:
            while orders := self.model.quote(self.record, GOLDEN, one, enabled=self.enabled):
                for order in orders:
                    if order.kind == REPLACE_ORDER and not self.model.risk.open.replaceable(order):  # another one is under way
                        self.refused += 1
                        self.model.quotes.refused(SLOT, order.side, order.kind)
                        continue
                    user_ref, frame = self.model.send(order)
                    frames.append(frame)
                    answers += [(order.side, ANSWERED[order.kind])] if order.kind in ANSWERED else []
                    self.moved += order.kind == REPLACE_ORDER
                    self.model.quotes.sent(SLOT, order.side, order.kind, user_ref)
        assert self.desk.frames() == frames
        self.sent += len(frames)
        return answers

    def enable(self, on=True):
        enable_quoter(self.desk.control, on)
        self.enabled = on
        self.desk.card.run(SETTLED)


@pytest.fixture
def quoting():
    with trading() as desk:
        yield Quoting(desk)


def quotes(quoting):
    """(price, shares left) of both sides."""
    return tuple((side.price, side.left) for side in quoting.model.quotes.sides[SLOT])


def walk(quoting, rng, moves, middle=MIDDLE):
    """The market goes up and down by ticks."""
    for _ in range(moves):
        step = rng.choice([-2, -1, 1, 2]) * TICK
        middle += step
        for side in (SELL, BUY) if step > 0 else (BUY, SELL):
            quoting.add(side, middle + rng.randrange(2, 4) * TICK * (1 if side == SELL else -1))
        quoting.desk.heard()
    return middle


def test_quotes_stand_where_the_formula_says_and_follow_market_and_position(quoting):
    rng = random.Random(4)
    quoting.enable()
    quoting.add(SELL, MIDDLE + 3 * TICK)
    quoting.add(BUY, MIDDLE - 3 * TICK)
    assert quoting.sent == 0  # no variance yet
    middle = walk(quoting, rng, 6)
    assert [left for _, left in quotes(quoting)] == [100, 100]
    (bid, _), (ask, _) = quotes(quoting)
    assert bid < middle < ask

    for held in (100, 200):
        quoting.answer(BUY, FILLED)
        quoting.desk.card.run(SETTLED)
        quoting.check()
        assert quoting.desk.control.position(SLOT).position == held
    assert [left for _, left in quotes(quoting)] == [0, 100]  # no more than the position that it may have
    assert quotes(quoting)[1][0] < ask  # eager to sell
    walk(quoting, rng, 4, middle)
    assert quotes(quoting)[0][1] == 0
    for _ in range(2):
        quoting.answer(SELL, FILLED)
        quoting.desk.card.run(SETTLED)
        quoting.check()
    assert [left for _, left in quotes(quoting)] == [100, 100]
    assert quoting.sent > 20
    assert quoting.moved > 5
    assert quoting.desk.control.counter("REJECT_UNKNOWN_ORDER") == quoting.refused > 5
    assert not quoter_fault(quoting.desk.control)


@pytest.mark.parametrize("how", ["disabled", "disarmed", "symbol"])
def test_nothing_stands_when_it_is_stopped(quoting, how):
    rng, control = random.Random(5), quoting.desk.control
    quoting.enable()
    quoting.add(SELL, MIDDLE + 3 * TICK)
    quoting.add(BUY, MIDDLE - 3 * TICK)
    middle = walk(quoting, rng, 3)
    before = quoting.sent
    assert [left for _, left in quotes(quoting)] == [100, 100]
    if how == "disabled":
        enable_quoter(control, False)
    elif how == "disarmed":
        control.disarm()
    else:
        stop_quoting(control, SLOT)
    quoting.enabled = False
    quoting.desk.card.run(SETTLED)
    quoting.check()
    assert quoting.sent == before + 2  # both are cancelled
    walk(quoting, rng, 2, middle)
    assert quoting.sent == before + 2
    assert {event.reason for event in quoting.desk.heard(OrderRejected)} <= {RejectReason.UNKNOWN_ORDER}
    if how == "disarmed":
        control.arm()
    elif how == "disabled":
        enable_quoter(control)
    else:
        set_quoter(control, SLOT, PARAMETERS)
    quoting.enabled = True
    quoting.desk.card.run(SETTLED)
    quoting.check()
    assert quoting.sent == before + 4

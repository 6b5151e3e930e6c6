"""The matching engine does what the slow, obvious one does; and its rules one by one."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.golden.records import BUY, SELL
from sim.venue.auction import MARKET, Cross, cross_price
from sim.venue.matching import BOTH, CLOSED, CLOSING, HALTED, NEWEST, OLDEST, OPENING, QUOTATION, TRADING, Engine, EngineError, Order
from tests.sim.venue.slow_engine import Log, SlowEngine

PRICES = st.integers(1, 6).map(lambda step: 10_0000 + 100 * step)
SHARES = st.integers(1, 9)


class BothEngines(RuleBasedStateMachine):
    """The same orders to both, of few prices and sizes, so that they meet."""

    def __init__(self):
        super().__init__()
        self.log, self.slow_log = Log(), Log()
        self.engine = Engine(self.log)
        self.engine.list_symbol(1, reference=10_0300)
        self.slow = SlowEngine(self.slow_log, reference=10_0300, state=TRADING)
        self.entered = {}
        self.orders = {}
        """The engine's own by token, and beside each the one for the slow engine."""

    def pair(self, **values):
        token = len(self.orders) + 1
        self.orders[token] = tuple(Order(1, token=token, **values) for _ in range(2))
        self.entered[token] = values["shares"]
        return self.orders[token]

    def standing(self):
        return [pair for pair in self.orders.values() if pair[0].reference in self.engine.orders]

    @precondition(lambda self: self.slow.state in (TRADING, QUOTATION))
    @rule(side=st.sampled_from((BUY, SELL)), shares=SHARES, price=PRICES, kind=st.sampled_from(("day", "day", "day", "ioc", "post", "any")),
          hidden=st.booleans(), group=st.integers(0, 2), prevention=st.sampled_from((OLDEST, NEWEST, BOTH)))
    def enter(self, side, shares, price, kind, hidden, group, prevention):
        fast, slow = self.pair(side=side, shares=shares, price=MARKET if kind == "any" else price, immediate=kind == "ioc",
                               post_only=kind == "post", hidden=hidden, group=group, prevention=prevention)
        self.engine.enter(fast)
        self.slow.enter(slow)

    @precondition(lambda self: self.slow.state in (TRADING, QUOTATION))
    @rule(side=st.sampled_from((BUY, SELL)), shares=SHARES, price=st.one_of(PRICES, st.just(MARKET)),
          kind=st.sampled_from((OPENING, CLOSING)))
    def enter_for_a_cross(self, side, shares, price, kind):
        fast, slow = self.pair(side=side, shares=shares, price=price, cross=kind)
        self.engine.enter(fast)
        self.slow.enter(slow)

    @rule(data=st.data(), left=st.integers(0, 4))
    def cancel(self, data, left):
        if self.standing():
            fast, slow = data.draw(st.sampled_from(self.standing()))
            self.engine.cancel(fast, left)
            self.slow.cancel(slow, left)

    @precondition(lambda self: self.slow.state in (TRADING, QUOTATION))
    @rule(data=st.data(), shares=SHARES, price=PRICES, post_only=st.booleans(), hidden=st.booleans())
    def replace(self, data, shares, price, post_only, hidden):
        if self.standing():
            old = data.draw(st.sampled_from(self.standing()))
            self.entered[old[0].token] -= old[0].shares
            new = self.pair(side=old[0].side, shares=shares, price=price, post_only=post_only, hidden=hidden, cross=old[0].cross)
            self.engine.replace(old[0], new[0])
            self.slow.replace(old[1], new[1])

    @rule(state=st.sampled_from((TRADING, QUOTATION, HALTED)))
    def change_state(self, state):
        if state == TRADING and self.slow.crossed():
            with pytest.raises(EngineError, match="is crossed"):
                self.engine.set_state(1, TRADING)
            return
        self.engine.set_state(1, state)
        self.slow.set_state(state)

    @precondition(lambda self: self.slow.state == QUOTATION)
    @rule(kind=st.sampled_from((OPENING, CLOSING)))
    def cross(self, kind):
        self.engine.cross(1, kind)
        self.slow.cross(kind)
        assert not self.slow.crossed()
        assert not any(fast.cross == kind for fast, _ in self.standing())

    @invariant()
    def the_same_was_told(self):
        assert self.log.lines == self.slow_log.lines

    @invariant()
    def the_books_are_the_same(self):
        for side in (BUY, SELL):
            assert self.engine.displayed(1, side) == self.slow.displayed(side)
        assert {order.token for order in self.engine.orders.values()} == {order.token for order in self.slow.orders}

    @invariant()
    def nothing_is_crossed_while_it_trades(self):
        bid, ask = self.engine.best(1, BUY), self.engine.best(1, SELL)
        assert self.engine.state(1) != TRADING or not bid or not ask or bid < ask

    @invariant()
    def no_share_comes_or_goes(self):
        gone, traded = Counter(), Counter()
        for what, token, *more in self.log.lines:
            if what == "traded":
                gone[token] += more[1]
                gone[more[0]] += more[1]
            elif what in ("canceled", "prevented", "crossed"):
                gone[token] += more[0]
            if what == "crossed":
                traded[self.orders[token][0].side] += more[0]
        assert traded[BUY] == traded[SELL]
        for token, (order, _) in self.orders.items():
            assert self.entered[token] == gone[token] + order.shares


BothEngines.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None,
                                         suppress_health_check=list(HealthCheck))
test_the_engine_does_what_the_slow_one_does = BothEngines.TestCase


@pytest.fixture
def venue():
    log = Log()
    engine = Engine(log)
    engine.list_symbol(1, reference=10_0000)
    return engine, log


def order(side, shares, price, token, **more):
    return Order(1, side, shares, price, token=token, **more)


def test_price_then_display_then_time(venue):
    engine, log = venue
    for token, price, hidden in (
            ("late", 10_0200, False), ("hidden", 10_0100, True), ("first", 10_0100, False), ("second", 10_0100, False)):
        engine.enter(order(SELL, 10, price, token, hidden=hidden))
    log.lines.clear()
    engine.enter(order(BUY, 35, 10_0200, "buy"))
    assert [line[1:5] for line in log.lines if line[0] == "traded"] == [
        ("first", "buy", 10, 10_0100), ("second", "buy", 10, 10_0100), ("hidden", "buy", 10, 10_0100), ("late", "buy", 5, 10_0200)]


def test_a_cancel_of_a_part_keeps_the_place_and_a_replace_loses_it(venue):
    engine, log = venue
    first, second = order(BUY, 10, 10_0000, "first"), order(BUY, 10, 10_0000, "second")
    engine.enter(first)
    engine.enter(second)
    assert engine.cancel(first, 4)
    engine.enter(order(SELL, 1, 10_0000, "probe"))
    assert log.lines[-1][1] == "first"
    engine.replace(first, order(BUY, 3, 10_0000, "again"))
    engine.enter(order(SELL, 1, 10_0000, "probe"))
    assert log.lines[-1][1] == "second"


def test_what_the_engine_refuses(venue):
    engine, _ = venue
    stands = order(BUY, 10, 10_0000, "stands")
    engine.enter(stands)
    with pytest.raises(EngineError, match="of another symbol, side"):
        engine.replace(stands, order(SELL, 10, 10_0100, "other side"))
    with pytest.raises(EngineError, match="shares and a price"):
        engine.enter(order(BUY, 0, 10_0000, "nothing"))
    for state in (HALTED, CLOSED):
        engine.set_state(1, state)
        with pytest.raises(EngineError, match=f"takes no orders: {state}"):
            engine.enter(order(BUY, 1, 10_0000, "late"))
        with pytest.raises(EngineError, match="takes no orders"):
            engine.replace(stands, order(BUY, 1, 10_0000, "late"))
    assert engine.cancel(stands)
    assert not engine.cancel(stands)


@pytest.mark.parametrize(("buys", "sells", "reference", "cross"), [
    ([(10, 5)], [(11, 5)], 10, Cross()),
    ([], [], 10, Cross()),
    ([(12, 5)], [(10, 5)], 11, Cross(11, 5)),  # as near to the reference as the orders allow
    ([(12, 5)], [(10, 5)], 20, Cross(12, 5)),
    ([(12, 5), (11, 4)], [(10, 9)], 12, Cross(11, 9)),  # most shares come first
    ([(12, 8), (11, 4)], [(10, 6), (11, 2)], 12, Cross(12, 8)),  # then the smallest rest
    ([(MARKET, 5)], [(MARKET, 7)], 10, Cross(10, 5)),
    ([(MARKET, 5)], [(MARKET, 7)], 0, Cross()),  # no price at all
    ([(MARKET, 5)], [(9, 7)], 0, Cross(9, 5)),
])
def test_the_price_of_a_cross(buys, sells, reference, cross):
    assert cross_price(buys, sells, reference) == cross


@pytest.mark.parametrize(("strategy", "told", "left"), [
    (OLDEST, [("prevented", "mine", 10, 10, 10_0000, OLDEST), ("traded", "other", "buy", 15, 10_0100, 1)], [("other", 5)]),
    (NEWEST, [("prevented", "buy", 15, 10, 10_0000, NEWEST)], [("mine", 10), ("other", 20)]),
    (BOTH, [("prevented", "mine", 10, 10, 10_0000, BOTH), ("prevented", "buy", 10, 10, 10_0000, BOTH),
            ("traded", "other", "buy", 5, 10_0100, 1)], [("other", 15)]),
])
def test_an_order_does_not_trade_with_its_own_group(venue, strategy, told, left):
    engine, log = venue
    engine.enter(order(SELL, 10, 10_0000, "mine", group=7))
    engine.enter(order(SELL, 20, 10_0100, "other"))
    log.lines.clear()
    engine.enter(order(BUY, 15, 10_0100, "buy", group=7, prevention=strategy))
    assert log.lines == [("accepted", "buy", 15), *told]
    assert [(each.token, each.shares) for each in engine.orders.values()] == left


def test_what_traded_counts_through_replacements(venue):
    engine, _ = venue
    old, new = order(BUY, 10, 10_0000, "old"), order(BUY, 5, 10_0000, "new")
    engine.enter(old)
    engine.enter(order(SELL, 3, 10_0000, "sell"))
    engine.replace(old, new)
    engine.enter(order(SELL, 2, 10_0000, "sell"))
    assert (old.executed, old.shares, new.executed, new.shares) == (3, 0, 5, 3)

"""The reference of the gateway against cases worked out by hand."""

import pytest

from host.card.replies import FILLED, NOTED, RELEASED, REPLACED
from sim.golden.open_orders import Answer
from sim.golden.records import BUY, REPLACE_ORDER, SELL, Order, RejectReason
from sim.golden.risk import Exposure, Limits, RiskModel, TokenBucketModel

LIMITS = Limits(max_shares=1_000, max_notional=10_000_000, max_position=1_500, rate_burst=10, rate_interval=1)


def ready_model():
    model = RiskModel(venues=2, symbols=4, limits=LIMITS, limits_valid=True, armed=True)
    bucket = TokenBucketModel()
    for _ in range(20):
        model.idle(bucket)
    return model, bucket


def leave(model, bucket, item):
    """The number under which it leaves."""
    assert model.decide(item, bucket) is RejectReason.NONE
    return model.open.sent(item)


def order(shares=100, price=100, **more):
    return Order(**{"strategy": 1, "venue": 0, "symbol": 0, "side": BUY, "shares": shares, "price": price} | more)


@pytest.mark.parametrize(("item", "reason"), [
    (order(), RejectReason.NONE),
    (order(shares=1_000, price=10_000), RejectReason.NONE),
    (order(shares=1_000, price=10_001), RejectReason.MAX_NOTIONAL),
    (order(shares=1_001, price=1), RejectReason.MAX_SHARES),
    (order(shares=1, price=2**31), RejectReason.BAD_ORDER),
    (order(venue=2), RejectReason.BAD_ORDER),
    (order(symbol=4), RejectReason.BAD_ORDER),
])
def test_one_order(item, reason):
    model, bucket = ready_model()
    assert model.decide(item, bucket) is reason


def test_a_new_model_is_halted():
    assert RiskModel(2, 4).breach(order()) is RejectReason.HALTED


def test_positions_count_what_works():
    model, bucket = ready_model()
    assert leave(model, bucket, order(1_000)) == 1
    assert model.decide(order(501), bucket) is RejectReason.POSITION
    assert leave(model, bucket, order(500)) == 2
    for number, (user_ref, shares) in enumerate(((2, 500), (1, 700))):
        model.settle(model.answer(Answer(FILLED, 0, user_ref, number, shares)))
    assert model.exposures[0] == Exposure(1_200, 300, 0)
    assert model.decide(order(1), bucket) is RejectReason.POSITION
    for shares in (1_000, 1_000, 700):
        assert leave(model, bucket, order(shares, side=SELL))  # from 1,200 long to 1,500 short
    assert model.decide(order(1, side=SELL), bucket) is RejectReason.POSITION
    model.settle(model.answer(Answer(RELEASED, 0, 3, 2, 9_999)))  # more than is left of it
    assert model.open.counts["bad"] == 1
    assert model.exposures[0].working_sell == 1_700


def test_a_replace_reserves_the_larger_of_the_two_until_the_venue_has_spoken():
    model, bucket = ready_model()
    leave(model, bucket, order(700))
    replace = order(1_000, kind=REPLACE_ORDER, reference=1)
    assert leave(model, bucket, replace) == 2
    assert model.exposures[0] == Exposure(0, 1_000, 0)
    assert model.decide(replace, bucket) is RejectReason.UNKNOWN_ORDER  # one at a time
    model.settle(model.answer(Answer(FILLED, 0, 1, 0, 300)))
    assert model.answer(Answer(REPLACED, 0, 2, 1)) is None  # 300 of the 1,400 have traded
    assert model.exposures[0] == Exposure(300, 700, 0)
    assert leave(model, bucket, order(200, kind=REPLACE_ORDER, reference=2)) == 3
    assert model.exposures[0] == Exposure(300, 700, 0)
    model.settle(model.answer(Answer(REPLACED, 0, 3, 2)))  # less than has traded: nothing is left
    assert model.exposures[0] == Exposure(300, 0, 0)
    assert not model.open.orders


def test_a_replace_ends_with_its_order():
    model, bucket = ready_model()
    leave(model, bucket, order(700))
    leave(model, bucket, order(1_000, kind=REPLACE_ORDER, reference=1))
    model.settle(model.answer(Answer(FILLED, 0, 1, 0, 700)))
    assert model.exposures[0] == Exposure(700, 0, 0)
    assert not model.open.orders


@pytest.mark.parametrize(("answer", "counted", "lost"), [
    (Answer(FILLED, 0, 1, 9, 100), None, False),
    (Answer(FILLED, 0, 1, 9, 101), None, True),
    (Answer(FILLED, 0, 1, 10, 100), None, True),
    (Answer(FILLED, 0, 1, 8, 100), "late", False),
    (Answer(FILLED, 0, 2, 9, 100), "bad", True),
    (Answer(RELEASED, 0, 2, 9, 100), "bad", False),
    (Answer(REPLACED, 0, 1, 9), "bad", False),
])
def test_what_an_answer_can_be(answer, counted, lost):
    model, bucket = ready_model()
    leave(model, bucket, order())
    model.answer(Answer(NOTED, 0, 1, 8))
    model.answer(answer)
    assert model.open.lost == lost
    assert dict(model.open.counts) == ({counted: 1} if counted else {})


def test_only_orders_that_pass_everything_else_spend_tokens():
    model, bucket = ready_model()
    model.limits = Limits(1_000, 10_000_000, 1_500, rate_burst=10, rate_interval=1_000)
    for _ in range(20):
        assert model.decide(order(shares=2_000), bucket) is RejectReason.MAX_SHARES
    reasons = [model.decide(order(1), bucket) for _ in range(12)]
    assert reasons == [RejectReason.NONE] * 10 + [RejectReason.RATE] * 2


def test_clearing_is_for_the_disarmed():
    model, bucket = ready_model()
    model.decide(order(), bucket)
    assert not model.clear_positions()
    model.armed = False
    assert model.clear_positions()
    assert model.exposures[0] == Exposure()

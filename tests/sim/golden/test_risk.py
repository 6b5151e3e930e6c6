"""The reference of the gateway against cases worked out by hand."""

import pytest

from sim.golden.records import BUY, SELL, Order, RejectReason
from sim.golden.risk import Exposure, Limits, RiskModel, TokenBucketModel

LIMITS = Limits(max_shares=1_000, max_notional=10_000_000, max_position=1_500, rate_burst=10, rate_interval=1)


def ready_model():
    model = RiskModel(venues=2, symbols=4, limits=LIMITS, limits_valid=True, armed=True)
    bucket = TokenBucketModel()
    for _ in range(20):
        model.idle(bucket)
    return model, bucket


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
    assert model.decide(order(1_000), bucket) is RejectReason.NONE
    assert model.decide(order(501), bucket) is RejectReason.POSITION
    assert model.decide(order(500), bucket) is RejectReason.NONE
    assert model.reply(filled=True, symbol=0, side=BUY, shares=1_200)
    assert model.exposures[0] == Exposure(1_200, 300, 0)
    assert model.decide(order(1), bucket) is RejectReason.POSITION
    for shares in (1_000, 1_000, 700):
        assert model.decide(order(shares, side=SELL), bucket) is RejectReason.NONE  # from 1,200 long to 1,500 short
    assert model.decide(order(1, side=SELL), bucket) is RejectReason.POSITION
    assert not model.reply(filled=False, symbol=0, side=SELL, shares=9_999)
    assert model.exposures[0].working_sell == 0


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

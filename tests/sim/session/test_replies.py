"""The venues' answers."""

from sim.session.replies import Venues
from sim.session.settings import SessionSettings


def outcomes(settings, shares=100, orders=2_000):
    venues = Venues(settings)
    for number in range(orders):
        venues.order(number, cycle=number, venue=number % 2, user_ref=number // 2 + 1, symbol=3, side=1, shares=shares)
    assert venues.waiting == orders
    replies = venues.due(1_000_000)
    assert venues.waiting == 0
    return replies


def test_every_order_is_answered_once_and_all_of_it():
    replies = outcomes(SessionSettings(1))
    assert sorted(reply.number for reply in replies) == list(range(2_000))
    assert all(reply.filled + reply.released == 100 and reply.filled >= 0 <= reply.released for reply in replies)


def test_shares_of_fills_are_as_set():
    replies = outcomes(SessionSettings(1))
    full, none = sum(reply.filled == 100 for reply in replies), sum(reply.filled == 0 for reply in replies)
    assert abs(full / 2_000 - 0.6) < 0.05
    assert abs(none / 2_000 - 0.15) < 0.05


def test_one_share_trades_or_does_not():
    assert {reply.filled for reply in outcomes(SessionSettings(1), shares=1)} == {0, 1}


def test_nothing_is_said_before_it_is_due_and_nothing_twice():
    venues = Venues(SessionSettings(1))
    venues.order(0, cycle=100, venue=0, user_ref=1, symbol=0, side=0, shares=10)
    assert venues.due(99) == []
    (reply,) = venues.due(10**9)
    assert reply.due >= 100
    assert venues.due(10**9) == []


def test_the_outcome_depends_on_seed_venue_and_reference_alone():
    def outcome(seed, before):
        venues = Venues(SessionSettings(seed))
        for number in range(before):
            venues.order(number, cycle=0, venue=1, user_ref=number + 1, symbol=0, side=0, shares=50)
        venues.order(before, cycle=7, venue=0, user_ref=42, symbol=2, side=1, shares=1_000)
        return next(reply for reply in venues.due(10**9) if reply.number == before)[2:]

    assert outcome(5, 0) == outcome(5, 9)
    assert len({outcome(seed, 0) for seed in range(20)}) > 3

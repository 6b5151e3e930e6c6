"""Damaged copies: every reason occurs, and each is what the golden receiver says."""

import random
from collections import Counter
from itertools import islice

from hw.reasons import DropReason
from sim.flow.framing import frames
from sim.flow.market import Market, MarketSettings
from sim.session.damage import damaged
from sim.session.desk import feed_addresses


def test_every_reason_that_one_frame_can_give_occurs_and_no_copy_is_good():
    chance, addresses = random.Random(1), feed_addresses(2)
    reasons = Counter()
    for frame in islice(frames(islice(Market(MarketSettings(seed=1)).messages(), 3_000), addresses), 1_000):
        copy = damaged(frame, addresses[frame.venue], chance)
        assert copy.data != frame.data or copy.error
        reasons[copy.reason] += 1
    assert set(reasons) == set(DropReason) - {DropReason.NONE, DropReason.OVERFLOW}
    assert min(reasons.values()) > 50

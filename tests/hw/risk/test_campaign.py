"""The compiled gateway equals the model in every decision and exposure, whatever is random about orders, replies, limits and markets."""

import pytest

from hw.reasons import RejectReason
from tests.hw.risk.campaign import Campaign


def test_twenty_thousand_orders():
    campaign = Campaign(1)
    campaign.run(20_000)
    assert set(campaign.reasons) == set(RejectReason), set(RejectReason) - set(campaign.reasons)
    assert sum(campaign.reasons.values()) >= 20_000
    assert min(campaign.said.values()) > 30, campaign.said


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_a_million_orders(seed):
    """A quarter of them each: every reason is told at least a thousand times in all."""
    campaign = Campaign(seed)
    campaign.run(250_000)
    assert sum(campaign.reasons.values()) >= 250_000
    assert min(campaign.reasons[reason] for reason in RejectReason) >= 250, campaign.reasons

"""The page of the gateway has every reason, with what it serves."""

from hw.reasons import PRIORITY, RULES, LimitRefusal, RejectReason
from sim.docs.risk import risk_page


def test_every_reason_and_refusal_has_a_row_in_its_order():
    page = risk_page()
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ") and line.split("|")[1].strip().isupper()]
    assert rows == [*(reason.name for reason in PRIORITY), *LimitRefusal.__members__]
    assert set(RULES) == set(PRIORITY) == set(RejectReason) - {RejectReason.NONE}
    assert "{{" not in page

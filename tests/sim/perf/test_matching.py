"""The measurement of the matching engine notices when it does something else than it was sent."""

import pytest

from sim.perf import matching
from sim.perf.matching import WrongCountError, measure


def test_what_it_counts():
    found = measure(orders=3_000)
    assert found["accepted"] + found["canceled"] + found["replaced"] >= 2_000
    assert found["traded"] > 150


@pytest.mark.parametrize(("method", "message"), [("replace", "it was sent"), ("cancel", "orders .* traded")])
def test_an_engine_that_does_less_is_an_error(monkeypatch, method, message):
    monkeypatch.setattr(matching.Engine, method, lambda self, *orders: None)
    with pytest.raises(WrongCountError, match=message):
        measure(orders=1_000)


def test_a_share_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setattr(matching._Count, "prevented", None)
    monkeypatch.setattr(matching._Count, "canceled", lambda self, order, shares, reason: self.seen.update(["canceled"]))
    with pytest.raises(WrongCountError, match="shares left the books"):
        measure(orders=1_000)

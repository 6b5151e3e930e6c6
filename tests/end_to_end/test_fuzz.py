"""Mutated frames through the compiled card: no hang, no order, nothing in a book from a bad frame, and every frame accounted for."""

import pytest

from host.card.simulated import SimulatedCard
from hw.config import TINY
from hw.reasons import DropReason
from sim.fuzz import campaign
from sim.fuzz.__main__ import recorded, speaking
from sim.fuzz.campaign import Campaign, FuzzError
from sim.fuzz.judge import Fate, Judge, Judgement
from sim.verilated.build import library
from tests.data import market_data
from tests.end_to_end.replays import LEAN

REAL = "nasdaq_itch50/20191230_premarket.itch50.gz"


@pytest.fixture(scope="module")
def built():
    return library(TINY)


@pytest.fixture
def card(built):
    with SimulatedCard(built) as card:
        yield card


def check(figures, frames):
    print(figures)
    assert figures["frames"] >= frames
    assert figures["orders"] > frames // 100, "with so few orders none that must not leave would be noticed"
    assert len(figures["how"]) == 17
    assert min(figures["lines"][line] for line in campaign.LINES) > frames // 100
    assert all(figures["drops"].get(reason.name) for reason in DropReason if reason not in (DropReason.NONE, DropReason.OVERFLOW))


def test_twenty_thousand_frames(card):
    check(Campaign(card, TINY, seed=1).run(20_000), 20_000)


@pytest.mark.slow
def test_a_million_frames_of_the_other_protocols():
    config = speaking(TINY, "pitch", "deep10")
    with SimulatedCard(library(config)) as card:
        check(Campaign(card, config, seed=5).run(1_000_000), 1_000_000)


@pytest.mark.slow
def test_a_million_frames(card):
    check(Campaign(card, TINY, seed=2).run(500_000), 500_000)
    with SimulatedCard(library(TINY)) as another:
        check(Campaign(another, TINY, seed=3, recorded=recorded(market_data(REAL))).run(500_000), 500_000)


def test_frames_of_the_other_protocols():
    """A card that speaks PITCH on one port and DEEP on the other."""
    config = speaking(LEAN, "pitch", "deep10")
    with SimulatedCard(library(config)) as card:
        check(Campaign(card, config, seed=1).run(6_000), 6_000)


def test_an_event_of_a_bad_frame_is_seen(card, monkeypatch):
    """As if the card took frames that the models drop."""
    def strict(judge, frame, *arguments):
        judgement = right(judge, frame, *arguments)
        return Judgement(Fate.DROPPED, DropReason.UDP_CHECKSUM) if judgement.fate is Fate.TAKEN and judgement.events else judgement

    right = Judge.judge
    monkeypatch.setattr(Judge, "judge", strict)
    with pytest.raises(FuzzError, match=r"events reached the book, not .*seed 4"):
        Campaign(card, TINY, seed=4).run(1_000)


def test_an_order_of_a_bad_frame_is_seen(card, monkeypatch):
    monkeypatch.setattr(campaign.Batch, "good", property(lambda batch: [(0, 0)], lambda batch, value: None), raising=False)
    with pytest.raises(FuzzError, match="an order left for message .* in no good frame"):
        Campaign(card, TINY, seed=4).run(1_000)


def test_a_wrong_reason_and_a_lost_frame_are_seen(card, monkeypatch):
    def other_reason(judge, frame, *arguments):
        judgement = right(judge, frame, *arguments)
        return judgement._replace(reason=DropReason.TRUNCATED) if judgement.reason is DropReason.IP_CHECKSUM else judgement

    right = Judge.judge
    monkeypatch.setattr(Judge, "judge", other_reason)
    with pytest.raises(FuzzError, match="frames dropped for"):
        Campaign(card, TINY, seed=4).run(5_000)
    monkeypatch.undo()
    with SimulatedCard(library(TINY)) as another:
        doubted = Campaign(another, TINY, seed=4)
        doubted.venues[1].frames += 1
        with pytest.raises(FuzzError, match="frames counted, not"):
            doubted.run(5_000)


def test_a_hang_is_seen(card, monkeypatch):
    monkeypatch.setattr(SimulatedCard, "run_until_idle", lambda self, limit: False)
    with pytest.raises(FuzzError, match="not idle after"):
        Campaign(card, TINY, seed=4).run(100)


def test_a_top_that_does_not_come_is_seen(card, monkeypatch):
    monkeypatch.setattr(Campaign, "_events", lambda self: iter(()))
    with pytest.raises(FuzzError, match=r"no top of book came from the good frames of venues \[0, 1\]"):
        Campaign(card, TINY, seed=4).run(100)

"""Preparing orders: what is written, in which order, and what is refused before anything is."""

import pytest

from host.card.control import Control
from host.card.protocol import CardError
from host.card.registers import REGISTERS
from host.card.triggers import Trigger, Triggers, clear_trigger, enable_triggers, set_trigger, triggers
from tests.host.card.model_card import ModelCard

TRIGGER = Trigger(symbol=3, watch_venue=1, when="bid at most", at=990_000, venue=0, side=1, shares=200, price=985_000)


def control(*, entries=4):
    card = ModelCard("tiny")
    card.put("CONFIG_TRIGGERS", entries)
    return card, Control(card)


def test_all_of_an_entry_is_written_before_it_is_committed():
    card, host = control()
    set_trigger(host, 2, TRIGGER)
    assert REGISTERS["TRIGGER_WATCH"].unpack(card.get("TRIGGER_WATCH")) == {"symbol": 3, "venue": 1, "when": 1}
    assert REGISTERS["TRIGGER_ORDER"].unpack(card.get("TRIGGER_ORDER")) == {"venue": 0, "side": 1}
    assert [card.get(f"TRIGGER_{name}") for name in ("AT", "SHARES", "PRICE")] == [990_000, 200, 985_000]
    commit = REGISTERS["TRIGGER_COMMIT"].address()
    assert card.writes[-1] == (commit, 1 << 31 | 2)
    clear_trigger(host, 2)
    assert card.writes[-1] == (commit, 2)


def test_what_is_armed_and_what_has_fired():
    card, host = control()
    card.put("TRIGGER_ARMED", 0b0101)
    card.put("TRIGGER_FIRED", 0b1000)
    assert triggers(host) == Triggers(frozenset({0, 2}), frozenset({3}))


def test_enabling_it_leaves_the_other_strategies_alone():
    card, host = control()
    card.put("STRATEGY_ENABLE", 0b0100)
    enable_triggers(host)
    assert card.get("STRATEGY_ENABLE") == 0b1100
    enable_triggers(host, False)
    assert card.get("STRATEGY_ENABLE") == 0b0100


@pytest.mark.parametrize(("change", "complaint"), [
    ({"symbol": 4}, "slots 0 to 3, not 4"), ({"watch_venue": 2}, "venues 0 to 1, not 2"), ({"venue": 2}, "venues 0 to 1, not 2"),
    ({"when": "later"}, "ask at most, not on 'later'"), ({"at": 0}, "is 1 to 4294967295, not 0"), ({"side": 2}, "side 2"),
    ({"shares": 0}, "0 shares"), ({"price": 1 << 31}, "at 2147483648"),
])
def test_what_makes_no_sense_is_refused(change, complaint):
    card, host = control()
    with pytest.raises(ValueError, match=complaint):
        set_trigger(host, 0, TRIGGER._replace(**change))
    with pytest.raises(ValueError, match="entries 0 to 3, not 4"):
        set_trigger(host, 4, TRIGGER)
    assert card.writes == []


def test_a_card_without_a_trigger_is_told_from_one_that_has_it():
    card, host = control(entries=0)
    for act in (lambda: set_trigger(host, 0, TRIGGER), lambda: enable_triggers(host), lambda: triggers(host)):
        with pytest.raises(CardError, match="the card tiny has no trigger"):
            act()
    assert card.writes == []

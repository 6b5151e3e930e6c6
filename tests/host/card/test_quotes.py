"""Setting up the quoter: what is written, in which order, and what is refused before anything is."""

import pytest

from host.card.control import Control
from host.card.protocol import CardError
from host.card.quotes import enable_quoter, quoter_fault, set_quoter, set_quoter_venue, stop_quoting
from host.card.registers import REGISTERS
from host.strategy.quoter import QuoterParameters
from tests.host.card.model_card import ModelCard

PARAMETERS = QuoterParameters(
    enable=1, aversion=5_000, constant=7, end=1 << 20, tick=100, reciprocal=21_474_837, shares=200, max_position=900, threshold=50,
    interval=1 << 20)


def control(*, quoter=1):
    card = ModelCard("tiny")
    card.put("CONFIG_QUOTER", quoter)
    return card, Control(card)


def test_all_parameters_are_written_before_they_are_committed():
    card, host = control()
    set_quoter(host, 3, PARAMETERS)
    assert {name: card.get(f"QUOTER_{name.upper()}") for name in PARAMETERS._fields} == PARAMETERS._asdict()
    commit = REGISTERS["QUOTER_COMMIT"].address()
    assert card.writes[-1] == (commit, 3)
    stop_quoting(host, 2)
    assert card.writes[-2:] == [(REGISTERS["QUOTER_ENABLE"].address(), 0), (commit, 2)]


def test_venue_switch_and_fault():
    card, host = control()
    card.put("STRATEGY_ENABLE", 0b1000)
    set_quoter_venue(host, 1)
    enable_quoter(host)
    assert (card.get("QUOTER_VENUE"), card.get("STRATEGY_ENABLE")) == (1, 0b1100)
    assert not quoter_fault(host)
    card.put("QUOTER_FAULT", 1)
    assert quoter_fault(host)


@pytest.mark.parametrize(("change", "complaint"), [
    ({"aversion": 1_000}, "at least 1024"), ({"interval": 1 << 31}, "interval must be 0 to 2147483647"), ({"tick": 1 << 16}, "tick must"),
])
def test_what_makes_no_sense_is_refused(change, complaint):
    card, host = control()
    with pytest.raises(ValueError, match=complaint):
        set_quoter(host, 0, PARAMETERS._replace(**change))
    with pytest.raises(ValueError, match="slots 0 to 3, not 4"):
        set_quoter(host, 4, PARAMETERS)
    with pytest.raises(ValueError, match="venues 0 to 1, not 2"):
        set_quoter_venue(host, 2)
    assert card.writes == []


def test_a_card_without_a_quoter_is_told_from_one_that_has_it():
    card, host = control(quoter=0)
    for act in (lambda: set_quoter(host, 0, PARAMETERS), lambda: enable_quoter(host), lambda: quoter_fault(host)):
        with pytest.raises(CardError, match="the card tiny has no quoter"):
            act()
    assert card.writes == []

"""What the host asks of the gateway beside the limits: the account, and strategies that are off."""

import pytest

from host.card.control import Control
from host.card.registers import REGISTERS
from tests.host.card.model_card import ModelCard


@pytest.fixture
def card():
    return ModelCard()


@pytest.fixture
def control(card):
    return Control(card)


def test_a_strategy_that_tripped_goes_on_when_a_person_says_so(card, control):
    card.put("EXECUTION_TRIPS", 0b100010)
    assert control.switches.repeated() == {1, 5}
    control.switches.let_go_on({5, 0})
    assert card.writes[-1] == (REGISTERS["EXECUTION_TRIPS"].address(), 0b100001)
    with pytest.raises(ValueError, match="strategies are 0 to 15, not 16"):
        control.switches.let_go_on({16})


def test_the_account_is_read_as_it_stands(card, control):
    card.put("GROSS_NOTIONAL", 30)
    card.put("NET_BUY", 20)
    card.put("NET_SELL", -10 % 2**64)
    assert control.switches.account() == (30, 20, -10)

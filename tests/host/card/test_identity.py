"""The host works with the card that it was made for, and with no other."""

import pytest

from host.card.control import Control
from host.card.identity import identify
from host.card.protocol import CardError
from host.card.registers import CARDS, MAGIC, VERSION_MINOR
from tests.host.card.model_card import ModelCard


@pytest.mark.parametrize("name", CARDS)
def test_every_known_configuration_is_recognised(name):
    identity = identify(ModelCard(name))
    assert (identity.configuration, identity.sizes) == (name, CARDS[name])
    assert identify(ModelCard(name), name) == identity


@pytest.mark.parametrize(("register", "value", "complaint"), [
    ("MAGIC", 0xFFFFFFFF, "should say 0x5452504a, not 0xffffffff: nothing answers there"),
    ("MAGIC", MAGIC + 1, "should say 0x5452504a, not 0x5452504b: this is not a Trapjaw card"),
    ("VERSION", 2 << 16, rf"version 2\.0, this host needs 1\.{VERSION_MINOR}"),
    ("VERSION", 0, rf"version 0\.0, this host needs 1\.{VERSION_MINOR}"),
    ("CONFIG_HASH", 0x123, "has the configuration 0x0000000000000123, which this host does not know"),
    ("CONFIG_SYMBOLS", 5, "says that it is tiny, but CONFIG_SYMBOLS is 5, not 4"),
    ("CONFIG_CLOCK_HZ", 1, "CONFIG_CLOCK_HZ is 1"),
])
def test_a_mismatch_is_refused_before_anything_is_written(register, value, complaint):
    card = ModelCard("tiny")
    card.put(register, value)
    with pytest.raises(CardError, match=complaint) as error:
        Control(card)
    assert "\n" not in str(error.value)
    assert card.writes == []


def test_a_newer_minor_version_is_fine():
    card = ModelCard()
    card.put("VERSION", 1 << 16 | VERSION_MINOR + 1)
    assert identify(card).minor == VERSION_MINOR + 1


def test_another_configuration_than_expected_is_refused():
    with pytest.raises(CardError, match="should be ecp5 .* but is tiny"):
        identify(ModelCard("tiny"), "ecp5")
    stranger = ModelCard("tiny")
    stranger.put("CONFIG_HASH", 1)
    with pytest.raises(CardError, match="should be tiny .* unknown configuration 0x0000000000000001"):
        identify(stranger, "tiny")
    with pytest.raises(CardError, match="no configuration 'big': the host knows tiny, ecp5, medium, alveo"):
        identify(ModelCard(), "big")

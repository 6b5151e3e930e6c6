"""Configurations of cards: what can't be, and what the hash tells apart."""

from dataclasses import replace

import pytest

from hw.config import TINY


@pytest.mark.parametrize(("field", "value"), [
    ("venues", 9), ("orders", 100), ("lines", 3), ("order_ways", 3), ("price_bits", 40), ("protocols", ("fix",)), ("signals", False)])
def test_what_can_not_be(field, value):
    with pytest.raises(ValueError, match="card tiny: "):
        replace(TINY, **{field: value})


@pytest.mark.parametrize(("field", "value"), [("price_bits", 48), ("triggers", 0), ("sessions", False), ("protocols", ("pitch",))])
def test_the_hash_is_another_one_for_another_card(field, value):
    assert replace(TINY, **{field: value}).hash != TINY.hash


def test_what_is_left_at_its_first_value_does_not_enter_the_hash():
    """So that cards from before a part came keep theirs."""
    assert TINY.hash == 0xEB85F6288ED02C2D

"""The campaign sees faults: of mutants that nobody chose it finds so many, and none where there is none."""

import pytest

from tests.hw.risk.mutation import hunt

LEAST = 0.7
"""Share of the mutants that must be seen. Most of the others are what the campaign does not look at, as rows with a lost bit (flipped in
test_gateway_checks.py), high bits that so few orders seldom reach, and bits that nothing depends on."""


@pytest.mark.slow
def test_mutants_are_seen():
    original, *mutants = hunt(count=200, seed=1, orders=8_000)
    assert not original.seen
    alive = [f"{mutant.number}: {mutant.change}" for mutant in mutants if not mutant.seen]
    assert len(alive) <= (1 - LEAST) * len(mutants), "\n".join(alive)

"""The campaign sees faults: of mutants that nobody chose all but those of which it is said why nobody can; and none where there is none."""

import pytest

from tests.hw.risk.mutation import hunt, summary

LEAST = 0.7
"""Share of the mutants that must be seen, or explained."""


@pytest.mark.slow
def test_mutants_are_seen():
    original, *mutants = hunt()
    assert not original.seen
    print(summary(mutants))
    alive = [str(mutant) for mutant in mutants if not mutant.seen and not mutant.why]
    assert len(alive) <= (1 - LEAST) * len(mutants), "\n".join(alive)

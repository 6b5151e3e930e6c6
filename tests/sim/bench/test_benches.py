"""Every bench in its short form; ``make sim`` runs them in full, with a fresh seed each time."""

import pytest

from sim.bench.benches import BENCHES
from sim.bench.run import run_bench

SEED = 20120621


@pytest.mark.parametrize("name", BENCHES)
def test_rtl_equals_the_golden_model(name):
    outcome = run_bench(BENCHES[name], seed=SEED, share=BENCHES[name].short)
    assert outcome.failures == [], f"again: make sim BENCH={name} SEED={SEED} (log: {outcome.log})"
    assert outcome.transactions > 0

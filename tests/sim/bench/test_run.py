"""A bench must fail when the device is wrong, when a stream breaks its rules, and when it compared too little."""

import dataclasses

import pytest

from sim.bench import run
from sim.bench.benches import BENCHES, Bench
from sim.bench.run import run_bench

BUFFER = Bench("buffer", "tests.sim.bench.devices:Buffer()", minimum=1_100, module="tests.sim.bench.bench_buffer")
HIDDEN = Bench("hidden", "tests.sim.bench.devices:Hidden()", minimum=300, module="tests.sim.bench.bench_hidden")


def faulty(bench, fault):
    return dataclasses.replace(bench, name=f"{bench.name}_{fault}", stage=bench.stage.replace("()", f"({fault!r})"))


@pytest.mark.parametrize("bench", [BUFFER, pytest.param(HIDDEN, marks=pytest.mark.slow)])
def test_a_good_device_passes(bench):
    outcome = run_bench(bench, seed=7)
    assert outcome.failures == []
    assert outcome.transactions >= bench.minimum
    assert outcome.cycles > 300


def test_too_few_transactions_fail():
    outcome = run_bench(dataclasses.replace(BUFFER, name="buffer_few", minimum=1_101), seed=7)
    assert outcome.failures == ["compared 1100 transactions, meant to compare at least 1101"]


@pytest.mark.parametrize(("fault", "message"), [
    ("changes", "outputs changed a payload"), ("drops", "golden model"),
    pytest.param("withdraws", "outputs withdrew a payload", marks=pytest.mark.slow),
])
def test_a_faulty_device_fails(fault, message):
    outcome = run_bench(faulty(BUFFER, fault), seed=7, test="identity")
    assert any(message in failure for failure in outcome.failures), outcome.failures


def test_a_broken_stream_inside_the_device_fails():
    outcome = run_bench(faulty(HIDDEN, "changes"), seed=7)
    assert any("withdrawn or changed on top.inner.outputs" in failure for failure in outcome.failures), outcome.failures


def test_a_device_that_cannot_be_built_fails():
    outcome = run_bench(dataclasses.replace(BUFFER, stage="tests.sim.bench.devices:NoSuchThing()"), seed=7)
    assert outcome.failures
    assert outcome.failures[0].startswith("no device:")


def test_a_bench_without_tests_fails():
    outcome = run_bench(dataclasses.replace(BUFFER, name="buffer_none", module="tests.sim.bench.devices"), seed=7)
    assert outcome.failures


@pytest.mark.slow
def test_waves_leave_a_file():
    outcome = run_bench(dataclasses.replace(BUFFER, name="buffer_waves"), seed=7, waves=True)
    assert outcome.failures == []
    assert outcome.waves is not None
    assert outcome.waves.suffix == ".fst"
    assert outcome.waves.read_bytes()[:9] == bytes([0]) + (329).to_bytes(8, "big"), "not the header block of an FST file"


def test_the_command_prints_a_table_and_its_status_tells(capsys, monkeypatch):
    monkeypatch.setitem(BENCHES, "buffer", BUFFER)
    monkeypatch.setitem(BENCHES, "hungry", dataclasses.replace(BUFFER, name="hungry", minimum=10**6))
    assert run.main(["--bench", "buffer", "--seed", "7"]) == 0
    text = capsys.readouterr().out
    assert "seed 7" in text
    assert "1,100" in text
    assert run.main(["--bench", "hungry", "--seed", "7"]) == 1
    assert "meant to compare at least 1000000" in capsys.readouterr().out
    assert run.main(["--bench", "nothing"]) == 2

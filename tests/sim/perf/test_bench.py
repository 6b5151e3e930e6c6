"""What make bench writes and shows; the measurements themselves are small or stand-ins here."""

import json
import time

import pytest
from rich.console import Console

from bitstreams.flow import FlowError, Placement
from hw.export import STAGES
from sim.perf import area, bench, speed
from sim.replay.replay import Report


def placement(rtlil, seeds):
    return Placement(luts=len(rtlil), ffs=2, brams=3, dsps=4, fmax_mhz=160.0, seeds=tuple(seeds), critical=())


@pytest.fixture
def quick_places(monkeypatch):
    monkeypatch.setattr(area, "harness", lambda made: type(made).__name__)
    monkeypatch.setattr(area, "place_harness", placement)
    monkeypatch.setattr(area, "board", lambda card: card.config.name)
    monkeypatch.setattr(area, "place_card", lambda rtlil, seeds, route: placement(rtlil, seeds))


def test_area_has_every_stage_and_both_cards(quick_places):
    lines = []
    found = area.measure(quick=False, jobs=2, tell=lines.append)
    assert set(found["blocks"]) == set(STAGES) - {"card"}
    assert {name: each["routed"] for name, each in found["cards"].items()} == {"ecp5": True, "tiny": False}
    assert found["blocks"]["book"] == {"luts": 4, "ffs": 2, "brams": 3, "dsps": 4, "fmax_mhz": 160.0}
    assert found["seeds"] == [1, 2, 3]
    assert len(lines) == len(found["blocks"]) + 2


def test_quick_area_has_one_seed_and_no_card(quick_places):
    found = area.measure(quick=True, jobs=1, tell=lambda line: None)
    assert found["seeds"] == [1]
    assert found["cards"] == {}


def test_a_placement_that_fails_ends_the_measurement(monkeypatch):
    def fail(rtlil, seeds):
        time.sleep(0.05)
        raise FlowError("nextpnr-ecp5 failed")

    monkeypatch.setattr(area, "harness", lambda made: "")
    monkeypatch.setattr(area, "place_harness", fail)
    with pytest.raises(FlowError, match="nextpnr-ecp5 failed"):
        area.measure(quick=True, jobs=2, tell=lambda line: None)


class CocotbStandIn:
    """In the place of sim.bench.rate, which has a test of its own and is slow."""

    def __init__(self, seen):
        self.seen = seen

    def measure(self, files, *, messages, card):
        assert (len(files), messages, card.name) == (2, 3_000, "tiny")
        return {"messages": self.seen, "messages_per_second": 100, "cycles_per_second": 1_000}


@pytest.fixture(scope="module")
def day():
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "rate", CocotbStandIn(3_000))
        found = speed._day("generated", speed.generated_day(3_000), 3_000, lines.append)
    assert len(lines) == 3
    return found


def test_both_engines_see_the_whole_day(day):
    assert day["messages"] == 3_000
    assert 2_000 < day["book_messages"] <= 3_000
    assert day["rtl"]["cycles"] > day["messages"]
    assert day["rtl"]["messages_per_second"] > 500
    assert day["golden"]["messages_per_second"] > 500


def test_the_engine_is_compared_with_cocotb(day):
    assert day["rtl_over_cocotb"] == round(day["rtl"]["messages_per_second"] / 100, 1)


def test_cocotb_that_saw_less_is_an_error(monkeypatch):
    monkeypatch.setattr(speed, "rate", CocotbStandIn(2_600))
    with pytest.raises(speed.WrongCountError, match="the card saw 2600 messages of 3000"):
        speed._day("generated", speed.generated_day(3_000), 3_000, lambda line: None)


def test_an_engine_that_saw_less_is_an_error(monkeypatch):
    with pytest.raises(speed.WrongCountError, match=r"saw \[\(3000, \d+\)\] messages and rows, expected 3001"):
        speed._day("generated", speed.generated_day(3_000), 3_001, lambda line: None)


def test_a_day_with_problems_is_an_error(monkeypatch):
    real = speed.replay

    def troubled(options, stage) -> Report:
        report = real(options, stage)
        report.result.problems.append("the book went stale")
        return report

    monkeypatch.setattr(speed, "replay", troubled)
    with pytest.raises(speed.WrongCountError, match="rtl engine: the book went stale"):
        speed._day("generated", speed.generated_day(3_000), 3_000, lambda line: None)


def test_file_and_tables(day, quick_places, monkeypatch, tmp_path, capsys):
    summary = {"min": 24, "median": 24.0, "max": 25, "median_ns": 153.6}
    kinds = {"A": summary, "all": summary}
    monkeypatch.setattr(bench.latency, "measure", lambda: {
        "card": "tiny", "clock_mhz": 156.25, "stages": [], "triggers": 8,
        "end_of_trigger_to_first_byte_out": kinds, "start_of_message_to_start_of_frame": kinds})
    monkeypatch.setattr(bench.speed, "measure", lambda messages, tell: {"generated": day})
    monkeypatch.setattr(bench, "ORDERS", 2_000)
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "console", Console(width=120))
    monkeypatch.setattr("sys.argv", ["bench", "--jobs", "1"])
    assert bench.main() == 0
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["schema"] == 1
    assert set(found) == {"schema", "git", "quick", "latency", "speed", "matching", "area"}
    assert found["matching"]["orders"] == 2_000 < 2 * found["matching"]["accepted"] + found["matching"]["canceled"]
    shown = capsys.readouterr().out
    for text in ("Tick-to-trade", "24 / 24 / 25", "Speed of the engines", "golden", "orders/s", "Fmax MHz",
                 "card ecp5", "bench.json written"):
        assert text in shown


def test_a_failure_writes_nothing(monkeypatch, tmp_path, capsys):
    def fail():
        raise bench.latency.MeasurementError("96 triggers were sent, 95 were measured")

    monkeypatch.setattr(bench.latency, "measure", fail)
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == 1
    assert "error: 96 triggers were sent, 95 were measured" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()

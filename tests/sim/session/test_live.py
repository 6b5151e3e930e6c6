"""A session at exchanges that hear the card's orders, and a card that cannot have one."""

import os
import re
import sys

import pytest
import typer
from typer.testing import CliRunner

from host.card.simulated import SimulatedCard
from hw.config import TINY
from sim.run_command import run
from sim.session.live import LiveSession, LiveSettings
from sim.session.settings import SessionSettings
from sim.venue.settings import CrowdSettings
from sim.verilated.build import library
from tests.hw.net.namespace import missing, unshared

LIVE = LiveSettings(1, messages=1_500, crowd=CrowdSettings(rate=100_000.0, decay=20_000, news=8_000.0))
"""As much as the books of a small card hold."""


def invoke(folder, *arguments):
    app = typer.Typer()
    app.command()(run)
    return CliRunner().invoke(app, ["--report", str(folder / "report.html"), *arguments], env={"COLUMNS": "200"})


def traded():
    with SimulatedCard(library(TINY)) as card:
        return LiveSession(card, TINY, SessionSettings(1), LIVE).run()


def test_orders_trade_in_the_exchanges_books_and_all_accounts_agree():
    record = traded()
    assert record.reconciled, [check for check in record.checks if check.expected != check.actual]
    assert sum(order.filled > 0 for order in record.sent) >= 10
    assert {order.venue for order in record.sent} == {0, 1}
    assert sum(check.name.endswith("at the venues") for check in record.checks) == TINY.symbols


def test_the_kernel_can_be_in_between(tmp_path):
    if reason := missing():
        pytest.skip(reason)
    library(TINY)  # compiled once, out here
    command = (sys.executable, "-c", "from host.cli import main; main()", "run", "--tap", "trapjaw0", "--card", "tiny")
    result = unshared(*command, "--messages", "600", "--report", str(tmp_path / "report.html"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "reconciliation OK" in result.stdout


def test_a_device_that_cannot_be_had_is_told_in_one_line(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("for root there is always one")
    library(TINY)
    result = invoke(tmp_path, "--tap", "trapjaw0", "--card", "tiny")
    assert result.exit_code == 2
    assert "no TAP device trapjaw0" in result.output


@pytest.mark.slow
def test_the_same_seed_gives_the_same_session():
    assert traded().sent == traded().sent


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--card", "ecp5"], r"wants a card with order sessions \(tiny, medium, alveo\), not ecp5"),
    (["--symbols", "AMZN"], "has exchanges of its own"), (["some.file"], "has exchanges of its own"),
])
def test_what_does_not_go_with_it_is_refused(arguments, complaint, tmp_path):
    result = invoke(tmp_path, "--live", *arguments)
    assert result.exit_code == 2
    assert re.search(complaint, result.output)

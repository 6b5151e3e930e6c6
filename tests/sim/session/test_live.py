"""A session at exchanges that hear the card's orders, and a card that cannot have one."""

import re

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

LIVE = LiveSettings(1, messages=1_500, crowd=CrowdSettings(rate=100_000.0, decay=20_000, news=8_000.0))
"""As much as the books of a small card hold."""


def traded():
    with SimulatedCard(library(TINY)) as card:
        return LiveSession(card, TINY, SessionSettings(1), LIVE).run()


def test_orders_trade_in_the_exchanges_books_and_all_accounts_agree():
    record = traded()
    assert record.reconciled, [check for check in record.checks if check.expected != check.actual]
    assert sum(order.filled > 0 for order in record.sent) >= 10
    assert {order.venue for order in record.sent} == {0, 1}
    assert sum(check.name.endswith("at the venues") for check in record.checks) == TINY.symbols


@pytest.mark.slow
def test_the_same_seed_gives_the_same_session():
    assert traded().sent == traded().sent


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--card", "ecp5"], r"wants a card with order sessions \(tiny, medium, alveo\), not ecp5"),
    (["--symbols", "AMZN"], "has exchanges of its own"), (["some.file"], "has exchanges of its own"),
])
def test_what_does_not_go_with_it_is_refused(arguments, complaint, tmp_path):
    app = typer.Typer()
    app.command()(run)
    result = CliRunner().invoke(app, ["--live", "--report", str(tmp_path / "report.html"), *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert re.search(complaint, result.output)

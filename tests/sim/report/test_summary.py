"""The report on the terminal."""

import io

from rich.console import Console

from sim.report.record import Check
from sim.report.summary import show
from tests.sim.report.example import example


def shown(record, width=130):
    console = Console(file=io.StringIO(), width=width)
    show(record, console)
    return console.file.getvalue()


def test_what_a_desk_wants_to_know_is_there():
    text = shown(example())
    for expected in ("north", "sent, traded in full", "refused: RATE", "20 (128.0)", "reconciliation OK", "2 of 2 accounts agree",
                     "MAC_ERROR 2", "0.04 M cycles/s"):
        assert expected in text, expected


def test_a_difference_shows_both_numbers():
    record = example()
    record.checks.append(Check("position of BEES", 0, 5))
    text = shown(record)
    assert "RECONCILIATION FAILED" in text
    assert "position of BEES: 0, found 5" in text


def test_a_session_without_orders():
    record = example()
    record.sent.clear()
    record.rejected.clear()
    assert "Tick-to-trade" not in shown(record)

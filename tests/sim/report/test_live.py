"""What is seen while a session runs."""

import io
from types import SimpleNamespace

from rich.console import Console

from sim.report.live import live


def figures(messages, **changes):
    values = {
        "messages": messages, "total": 100, "orders": 7, "filled": 5, "rejects": {"RATE": 2}, "positions": [100, 0], "latencies": [24, 40],
        "cycles": 5_000_000, "seconds": 2.0, **changes,
    }
    return SimpleNamespace(**values)


def shown(*states, terminal):
    console = Console(file=io.StringIO(), width=110, force_terminal=terminal)
    with live(console, "a session", 156_250_000, ["ANTS", "BEES"]) as show:
        for state in states:
            show(state)
    return console.file.getvalue()


def test_a_log_file_gets_one_line_a_quarter():
    text = shown(*map(figures, range(0, 101)), terminal=False)
    assert text.splitlines() == [f"{share} %: {share} messages, 7 orders, 2 refused" for share in (25, 50, 75, 100)]


def test_a_terminal_gets_the_figures():
    text = shown(figures(50), terminal=True)
    for expected in ("a session", "50/100", "7", "5 traded", "RATE 2", "p50 24 = 153.6 ns", "ANTS +100", "2.50 M cycles/s"):
        assert expected in text, expected
    assert "BEES" not in text


def test_the_beginning_of_a_session_shows_nothing_wrong():
    text = shown(figures(0, orders=0, rejects={}, positions=[0, 0], latencies=[], seconds=0.0, cycles=0), terminal=True)
    assert "flat" in text
    assert "none" in text

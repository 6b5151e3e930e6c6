"""What a person may type at a venue."""

from dataclasses import replace

import pytest

from sim.venue.commands import execute
from sim.venue.exchange import Exchange
from sim.venue.feed import Faults
from sim.venue.matching import HALTED, TRADING
from tests.sim.venue.clients import QUIET, Client, brief


@pytest.fixture
def venues():
    exchanges = [Exchange(replace(QUIET, number=number)) for number in (0, 1)]
    for exchange in exchanges:
        exchange.advance(exchange.settings.start)
    return exchanges


def test_one_venue_or_all(venues):
    assert execute(venues, "south halt ants") == "south: done"
    states = [exchange.engine.state(exchange.locates["ANTS    "]) for exchange in venues]
    assert states == [TRADING, HALTED]
    assert execute(venues, "SOUTH resume ANTS") == "south: done"
    assert execute(venues, "drop a 0.25") == "north: done\nsouth: done"
    assert [exchange.feed.lines[0].faults for exchange in venues] == [Faults(drop=0.25)] * 2


def test_faults_of_a_line(venues):
    for line in ("north duplicate B 0.5", "north reorder b 1", "north delay b 2000"):
        execute(venues, line)
    assert venues[0].feed.lines[1].faults == Faults(duplicate=0.5, reorder=1, delay=2_000)
    assert venues[0].feed.lines[0].faults == venues[1].feed.lines[1].faults == Faults()


def test_orders_and_clients(venues):
    client = Client(venues[0])
    execute(venues, "north reject 1 13")
    assert brief(client.enter())[0] == ("rejected", {"user_ref": 1, "reason": 13})
    execute(venues, "north reject 1")
    assert brief(client.enter())[0][1]["reason"] == 15
    assert "1 clients" in execute(venues, "status").splitlines()[0]
    execute(venues, "north disconnect TJ")
    assert client.server.closed
    assert "retransmi" not in execute(venues, "help")
    assert "halt SYMBOL" in execute(venues, "help")
    assert execute(venues, "north") == execute(venues, "  ") == ""


def test_a_trade_is_broken(venues):
    client = Client(venues[0])
    venues[0].ports["TJ"]._prevention = ""
    client.enter("B")
    match = [message for message in client.enter("S") if message.name == "executed"][0].fields["match"]
    assert execute(venues, f"north break {match}") == "north: done"


@pytest.mark.parametrize(("line", "message"), [
    ("explode", "no such command: explode"), ("halt", "no such command: halt"), ("halt ANTS BEES", "no such command"),
    ("halt NONE", "no symbol NONE"), ("reject many", "expected a whole number, not many"), ("drop c 0.1", "lines are a and b, not c"),
    ("drop a lots", "expected a number, not lots"), ("drop a 2", "a chance from 0 to 1, not 2"), ("disconnect TJ", "TJ is not logged in"),
    ("break 1", "no client had a trade"), ("east halt ANTS", "no such command: east halt ANTS")])
def test_what_is_no_command(venues, line, message):
    with pytest.raises(ValueError, match=message):
        execute(venues, line)

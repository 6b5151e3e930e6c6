"""The whole compiled card on a TAP device: the kernel's TCP, ARP and multicast at the other end, the exchange behind them."""

import json
import sys

import pytest

from hw.config import TINY
from sim.verilated.build import library
from tests.hw.net.namespace import missing, unshared


@pytest.fixture(scope="module")
def namespace():
    if reason := missing():
        pytest.skip(reason)
    library(TINY)  # compiled once, out here


def trade(orders, *harm):
    result = unshared(sys.executable, "-m", "tests.end_to_end.kernel_card", str(orders), *harm)
    assert result.returncode == 0, result.stderr[-2000:]
    told = json.loads(result.stdout)
    print(told["network"])  # netem, or why it was done in Python
    counts = told["told"]
    assert counts["A"] == told["last"] == orders  # each once: the venue ignores one that comes again
    assert told["ignored"] == told["broken"] == told["refused"] == told["lost"] == 0
    assert told["rejected"] == {}
    assert counts["E"] > orders // 10
    assert counts["C"] > orders // 10
    assert counts["E"] + counts["C"] == orders
    assert orders // 4 < told["cancelled"] < counts["C"]  # what is left of an order for the moment the venue cancels by itself
    assert told["tshark"] in (0, None)
    assert told["card"] == [told["host"], 0, 0] == [told["venue"], 0, 0]
    assert told["host"] != 0
    assert not told["fault"]
    assert not told["violations"]
    return told


@pytest.mark.usefixtures("namespace")
def test_orders_and_fills():
    assert trade(100)["mac"] == "02:00:00:00:09:01"


@pytest.mark.slow
@pytest.mark.usefixtures("namespace")
@pytest.mark.parametrize("harm", [(), ("harm",)])
def test_ten_thousand_orders(harm):
    """Clean; and where 5 % are lost, 5 % come twice, 10 % are late by up to 20 ms, both ways."""
    told = trade(10_000, *harm)
    assert bool(told["again"]) == bool(harm)

"""Orders through the compiled TCP session to the exchange, with the Linux kernel's TCP at the venue's end of the wire."""

import json
import sys

import pytest

from sim.golden.tcp import ACK, Endpoints, Segment, tcp_frame
from sim.verilated.tcp import CompiledTcp
from tests.hw.net.kernel_session import complaints
from tests.hw.net.namespace import missing, unshared


@pytest.fixture(scope="module")
def namespace():
    """Skips where there can't be one with a TAP device in it."""
    if reason := missing():
        pytest.skip(reason)
    CompiledTcp()  # compiled once, out here


def trade(orders, *harm):
    result = unshared(sys.executable, "-m", "tests.hw.net.kernel_session", str(orders), *harm)
    assert result.returncode == 0, result.stderr[-2000:]
    told = json.loads(result.stdout)
    print(told["network"])  # netem, or why it was done in Python
    counts = told["told"]
    assert counts["accepted"] == told["last"] == orders  # each once: the venue ignores one that comes again
    assert told["ignored"] == told["broken"] == told["pulses"]["refused"] == 0
    assert told["tshark"] in (0, None)
    assert counts["executed"] > orders // 10
    assert counts["canceled"] > orders // 10
    assert counts["executed"] + counts["canceled"] == orders
    assert told["position"] == told["venue"] != 0
    return told


@pytest.mark.usefixtures("namespace")
def test_orders_fills_and_cancels():
    trade(200)


@pytest.mark.usefixtures("namespace")
def test_a_queue_of_the_kernel_in_both_ways():
    """What netem takes the place of; a kernel without these queues skips."""
    program = ("from tests.hw.net.namespace import harm; from sim.verilated.tap import Tap; tap = Tap('trapjaw0'); "
               "print(harm('trapjaw0', '{}'))")
    result = unshared(sys.executable, "-c", program.format("pfifo limit 1000"))
    assert result.returncode == 0, result.stderr
    if reason := result.stdout.strip():
        pytest.skip(f"the kernel has no queues: {reason}")
    assert unshared(sys.executable, "-c", program.format("nosuchqueue")).stdout.strip()


@pytest.mark.usefixtures("namespace")
def test_over_a_network_that_loses_doubles_and_overtakes():
    """5 % are lost, 5 % come twice, 10 % are late by up to 20 ms, both ways: no order is lost, none is sent twice."""
    assert trade(100, "harm")["pulses"]["retransmitted"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("namespace")
@pytest.mark.parametrize("harm", [(), ("harm",)])
def test_ten_thousand_orders(harm):
    trade(10_000, *harm)


def test_tshark_complains_of_a_frame_with_another_byte():
    frames = [tcp_frame(Endpoints(1, 2, 3, 4, 5, 6), Segment(number, 0, ACK, 100, b"order")) for number in range(4)]
    if (found := complaints(frames)) is None:
        pytest.skip("tshark is not installed")
    assert found == 0
    for at, spoilt in ((20, 0), (56, 2)):  # an address, the data
        frames[spoilt] = frames[spoilt][:at] + bytes([frames[spoilt][at] ^ 1]) + frames[spoilt][at + 1:]
    assert complaints(frames) == 2

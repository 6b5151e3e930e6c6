"""The checker must catch what breaks the rules, and nothing else: tried on signals made up here, without a simulator."""

import random
from types import SimpleNamespace

import pytest

from sim.bench.streams import Pattern, Port, Sink, Source, StreamChecker, StreamRuleError


def make_port(*, always_ready=False, ready=True):
    signals = {"s__valid": SimpleNamespace(value=0), "s__payload": SimpleNamespace(value=0)}
    if ready:
        signals["s__ready"] = SimpleNamespace(value=0)
    return Port(SimpleNamespace(**signals), "s", 8, always_ready=always_ready)


def play(checker, cycles):
    """Cycles are (valid, ready, payload)."""
    for number, (valid, ready, payload) in enumerate(cycles):
        checker.port.valid.value, checker.port.payload.value = valid, payload
        if checker.port.ready is not None:
            checker.port.ready.value = ready
        checker.sample(number)


def test_a_good_stream_passes_and_is_counted():
    checker = StreamChecker(make_port())
    play(checker, [(0, 0, 9), (1, 0, 5), (1, 0, 5), (1, 1, 5), (1, 1, 6), (0, 1, 1), (1, 0, 7), (1, 1, 7)])
    assert checker.transfers == 3


def test_a_changed_payload_is_caught():
    with pytest.raises(StreamRuleError, match="cycle 2: s changed .* 5 became 6"):
        play(StreamChecker(make_port()), [(0, 0, 0), (1, 0, 5), (1, 0, 6)])


def test_a_payload_changed_in_the_cycle_of_the_transfer_is_caught():
    with pytest.raises(StreamRuleError, match="changed"):
        play(StreamChecker(make_port()), [(1, 0, 5), (1, 1, 6)])


def test_a_withdrawn_payload_is_caught():
    with pytest.raises(StreamRuleError, match="cycle 1: s withdrew"):
        play(StreamChecker(make_port()), [(1, 0, 5), (0, 0, 5)])


def test_always_ready_must_be():
    with pytest.raises(StreamRuleError, match="always ready, and is not"):
        play(StreamChecker(make_port(always_ready=True)), [(0, 1, 0), (0, 0, 0)])
    checker = StreamChecker(make_port(always_ready=True, ready=False))
    play(checker, [(1, None, 5), (1, None, 6), (0, None, 0)])
    assert checker.transfers == 2


def test_a_stream_without_ready_must_be_declared():
    with pytest.raises(ValueError, match="no ready signal"):
        make_port(ready=False)


def test_reset_may_withdraw():
    resetting = []
    checker = StreamChecker(make_port(), reset=lambda: bool(resetting))
    play(checker, [(1, 0, 5)])
    resetting.append(True)
    play(checker, [(0, 0, 0)])
    resetting.clear()
    play(checker, [(0, 0, 0), (1, 1, 3)])
    assert checker.transfers == 1


@pytest.mark.parametrize("seed", range(4))
def test_source_keeps_the_rules_and_sink_takes_all(seed):
    rng, port = random.Random(seed), make_port()
    source, sink, checker = Source(port, rng), Sink(port, rng), StreamChecker(port)
    payloads = [rng.randrange(256) for _ in range(500)]
    source.send(*payloads)
    held = 0
    for cycle in range(10_000):
        held += port.is_valid and not port.is_ready
        for part in (checker, sink, source):
            part.sample(cycle)
        source.drive()
        sink.drive()
    assert sink.payloads == payloads
    assert source.sent == sink.received
    assert source.idle
    assert checker.transfers == 500
    assert held > 100, "back-pressure was hardly exercised"


def test_dense_patterns_never_pause():
    rng, port = random.Random(1), make_port()
    source, sink = Source(port, rng, rates=Pattern.DENSE), Sink(port, rng, rates=Pattern.DENSE)
    source.send(*range(100))
    for cycle in range(101):
        sink.sample(cycle)
        source.sample(cycle)
        source.drive()
        sink.drive()
    assert [transfer.cycle for transfer in sink.received] == list(range(1, 101))

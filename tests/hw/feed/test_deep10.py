"""DeepDecoder: what the reference tells, at every alignment and with every neighbour."""

import random
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.feed.deep10 import LENGTHS, DeepDecoder
from sim.flow import deep10 as write
from sim.golden.deep10 import CHECKED_TYPES, MESSAGE_LENGTHS, decode, market_state, trade
from sim.golden.iex_tp import unpack_messages
from sim.golden.itch50 import MalformedMessage
from sim.readers.pcap import read_packets
from tests.data import market_data
from tests.hw.bench import simulate
from tests.hw.feed.told import NamedTold
from tests.hw.feed.words import IDLE, message_words, put
from tests.streams import deep_messages

OUTPUTS = {"events": decode, "state": market_state, "trades": trade}
"""Port: what it must tell, and of which symbol."""


def message(kind, rng):
    """Random, right in every field that is looked at."""
    body = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    if kind in "85":
        body[22:30] = rng.randrange(1 << 31).to_bytes(8, "little")
    return bytes(body)


def check(messages, words):
    """Compares what comes out with the reference: fields, names, numbers, and the cycle of each; returns the number of events."""
    dut, watch, expected, ends = DeepDecoder(), NamedTold(), [], []

    async def testbench(ctx):
        for cycle, word in enumerate(words + [IDLE] * (DeepDecoder.LATENCY + 1)):
            if word is not IDLE:
                word = {**word, "ingress": cycle}
                if word["ends"]:
                    ends.append(cycle)
            await put(ctx, dut.words, word)
            watch.look(ctx, dut, cycle)
            assert ctx.get(dut.message_seen) == (cycle - DeepDecoder.LATENCY in ends)
            await ctx.tick()

    simulate(dut, testbench, deadline=len(words) + 100)
    for number, (body, end) in enumerate(zip(messages, ends, strict=True), 1):
        try:
            meanings = {port: meaning(body) for port, meaning in OUTPUTS.items()}
        except MalformedMessage:
            expected.append((end + DeepDecoder.LATENCY, "malformed"))
            continue
        expected += [(end + DeepDecoder.LATENCY, port, *meaning, number, end) for port, meaning in meanings.items() if meaning]
    assert watch.told == expected
    return sum(each[1] == "events" for each in expected)


def test_lengths_are_those_of_the_reference():
    assert {kind: MESSAGE_LENGTHS[kind] for kind in CHECKED_TYPES} == LENGTHS


@pytest.mark.parametrize("lane", range(8))
def test_every_pair_of_types_at_every_alignment(lane):
    """Back to back as IEX-TP packs them, one word in every cycle; each pair begins in lane ``lane``, alone in its stream."""
    rng = random.Random(lane)
    words, messages = [], []
    for pair in product(MESSAGE_LENGTHS, repeat=2):
        both = [message(kind, rng) for kind in pair]
        words += message_words(both, lead=lane, sequence=len(messages) + 1)
        messages += both
    assert check(messages, words) == 4 * len(MESSAGE_LENGTHS)


@pytest.mark.parametrize("gap", [0, 2, 7])
def test_all_types_in_random_order_and_with_pauses(gap):
    rng = random.Random(gap)
    messages = [message(kind, rng) for kind in rng.choices([*MESSAGE_LENGTHS, *"85" * 6], k=250)]
    words = []
    for word in message_words(messages, gap=gap):
        words += [IDLE] * (rng.randrange(3) if gap and rng.random() < 0.3 else 0) + [word]
    assert check(messages, words) > 100


@pytest.mark.parametrize("lane", range(8))
def test_wrong_lengths_and_prices_at_every_alignment(lane):
    rng, messages, words = random.Random(lane), [], []
    bad = [message(kind, rng)[:length] for kind in CHECKED_TYPES for length in range(9, MESSAGE_LENGTHS[kind])]
    bad += [message(kind, rng) + bytes(more) for kind in CHECKED_TYPES for more in (*range(1, 35), 64, 128, 256)]
    high = [message("8", rng)[:22] + (1 << bit | 5).to_bytes(8, "little") for bit in range(31, 64)]
    for body in bad + high:
        both = [body, message("5", rng)]
        words += message_words(both, lead=lane, sequence=len(messages) + 1)
        messages += both
    assert check(messages, words) == len(bad) + 2 * len(high)


@pytest.mark.parametrize("lane", range(8))
def test_states_and_prices_of_trades_at_every_alignment(lane):
    """Every letter of every state; of a trade a price that does not fit is all ones."""
    rng, messages = random.Random(lane), []
    for kind in "SHOP":
        messages += [kind.encode() + bytes([letter]) + message(kind, rng)[2:] for letter in b"OSRMECHPTN01"]
    for price in (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, *(1 << bit for bit in range(32, 64))):
        messages.append(message("T", rng)[:22] + price.to_bytes(8, "little") + rng.randbytes(8))
    assert check(messages, message_words(messages, lead=lane)) == 0
    assert all(any(meaning(body) for meaning in OUTPUTS.values()) for body in messages)


def test_message_that_never_ends_is_forgotten():
    rng = random.Random(0)
    cut, whole = message("8", rng), [message("5", rng), message("8", rng)]
    for words_left in range(1, 5):
        words = message_words([cut], lead=3)
        for word in words:
            word["ends"] = 0
        assert check(whole, words[:words_left] + message_words(whole, lead=5)) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(deep_messages(), min_size=1, max_size=30), st.integers(0, 7))
def test_generated_streams(messages, lane):
    check(messages, message_words(messages, lead=lane))


def test_real_messages():
    messages = []
    for packet in read_packets(market_data("iex/20231002_DEEP10_test.pcap.gz")):
        messages += unpack_messages(packet.payload)
    assert check(messages[-1_500:], message_words(messages[-1_500:])) > 500


def test_an_incomplete_event_is_partial():
    messages = [write.level(1, "A", "B", 1, 2, complete=False), write.level(1, "A", "S", 0, 3)]
    assert [decode(each).event.partial for each in messages] == [1, 0]
    assert check(messages, message_words(messages)) == 2

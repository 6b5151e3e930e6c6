"""Itch50Decoder: events of the reference, at every alignment and with every neighbour."""

import random
from itertools import product

import pytest

from hw.feed.itch50 import LENGTHS, Itch50Decoder
from sim.golden.itch50 import (
    BOOK_TYPES,
    CHECKED_TYPES,
    HIGHEST_PRICE,
    MESSAGE_LENGTHS,
    MalformedMessage,
    decode,
    directory,
    market_state,
    trade,
)
from tests.hw.bench import made, simulate
from tests.hw.feed.told import PLAIN
from tests.hw.feed.words import IDLE, message_words, put

OUTPUTS = {"events": decode, "state": market_state, "trades": trade, "directory": directory}
"""Port: what it must tell."""


def message(kind, rng):
    """A random message of a type, right in every field that is looked at."""
    body = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    if kind in "AF":
        body[19:20] = rng.choice([b"B", b"S"])
        body[32] &= 0x7F
    if kind == "U":
        body[31] &= 0x7F
    return bytes(body)


def run(words):
    """Sends message words (IDLE: a pause); returns (cycle, payload) of each output, and cycles of malformed and of seen messages."""
    dut = made(Itch50Decoder)
    outputs, malformed, seen, ends = {name: [] for name in OUTPUTS}, [], [], []

    async def testbench(ctx):
        for cycle, word in enumerate(words + [IDLE] * Itch50Decoder.LATENCY):
            if word is not IDLE:
                word = {**word, "ingress": cycle}
                if word["ends"]:
                    ends.append(cycle)
            await put(ctx, dut.words, word)
            for name, found in outputs.items():
                port = getattr(dut, name)
                if ctx.get(port.valid):
                    found.append((cycle, ctx.get(port.payload)))
            if ctx.get(dut.malformed):
                malformed.append(cycle)
            if ctx.get(dut.message_seen):
                seen.append(cycle)
            await ctx.tick()

    simulate(dut, testbench)
    assert seen == [end + Itch50Decoder.LATENCY for end in ends]
    return outputs, malformed, seen


def check(messages, words):
    """Compares all outputs with the reference: fields, numbers, and the cycle of each. Returns the number of book events."""
    outputs, malformed, seen = run(words)
    expected, expected_malformed = {name: [] for name in OUTPUTS}, []
    for number, (body, cycle) in enumerate(zip(messages, seen, strict=True)):
        try:
            meanings = [(name, meaning(body)) for name, meaning in OUTPUTS.items()]
        except MalformedMessage:
            expected_malformed.append(cycle)
            continue
        for name, meaning in meanings:
            if meaning is not None:
                expected[name].append((cycle, number + 1, cycle - Itch50Decoder.LATENCY, meaning))
    assert malformed == expected_malformed
    for name in OUTPUTS:
        assert [(cycle, out.sequence, out.ingress, PLAIN[name](out)) for cycle, out in outputs[name]] == expected[name], name
    return len(outputs["events"])


def test_lengths_are_those_of_the_reference():
    assert {kind: MESSAGE_LENGTHS[kind] for kind in CHECKED_TYPES} == LENGTHS


@pytest.mark.parametrize("lead", range(8))
def test_every_type_at_every_alignment(lead):
    rng = random.Random(lead)
    for kind in MESSAGE_LENGTHS:
        messages = [message(kind, rng)]
        assert check(messages, message_words(messages, lead=lead)) == (kind in BOOK_TYPES)


@pytest.mark.parametrize("lead", range(8))
def test_every_pair_of_types_at_every_alignment(lead):
    """Back to back as MoldUDP64 packs them: all 23 types after all 23, each pair beginning in lane ``lead``, alone in its words."""
    rng = random.Random(lead)
    words, messages = [], []
    for pair in product(MESSAGE_LENGTHS, repeat=2):
        both = [message(kind, rng) for kind in pair]
        words += message_words(both, lead=lead, sequence=len(messages) + 1)
        messages += both
    assert check(messages, words) == 2 * len(BOOK_TYPES) * len(MESSAGE_LENGTHS)


@pytest.mark.parametrize("gap", [0, 2, 7])
def test_all_types_in_random_order_and_with_pauses(gap):
    rng = random.Random(gap)
    messages = [message(kind, rng) for kind in rng.choices([*MESSAGE_LENGTHS, *BOOK_TYPES * 3], k=250)]
    words = []
    for word in message_words(messages, gap=gap):
        words += [IDLE] * (rng.randrange(3) if rng.random() < 0.3 else 0) + [word]
    assert check(messages, words) > 100


def test_message_of_a_wrong_length():
    rng = random.Random(0)
    messages = []
    for kind in MESSAGE_LENGTHS:
        right = message(kind, rng)
        messages += [right[:length] for length in range(9, len(right))] + [right + bytes(extra) for extra in range(1, 10)] + [right]
    messages += [b"A" + bytes(length - 1) for length in (100, 36 + 64, 36 + 128, 36 + 256, 36 + 512)]
    assert check(messages, message_words(messages)) == len(BOOK_TYPES)


def test_sides_and_prices():
    rng = random.Random(0)
    messages = []
    for kind in "PQC":  # the bytes that are a side or a price elsewhere are anything here
        messages += [kind.encode() + bytes([fill]) * (MESSAGE_LENGTHS[kind] - 1) for fill in (0, 0xFF)]
    for side in range(256):
        messages.append(message("A", rng)[:19] + bytes([side]) + message("A", rng)[20:])
    for price in (0, 4, 0x77359400, HIGHEST_PRICE, HIGHEST_PRICE + 1, 0xFFFFFFFF):
        for kind, at in (("A", 32), ("F", 32), ("U", 31), ("C", 32)):
            right = message(kind, rng)
            messages.append(right[:at] + price.to_bytes(4, "big") + right[at + 4 :])
    assert check(messages, message_words(messages)) == 2 + 2 + 4 * 3 + 4 + 2  # 'C' prices are not looked at


def test_message_that_never_ends_is_forgotten():
    rng = random.Random(0)
    cut, whole = message("A", rng), [message("U", rng), message("D", rng)]
    for words_left in range(1, 5):
        for word in (words := message_words([cut], lead=3)):
            word["ends"] = 0
        words = words[:words_left] + message_words(whole, lead=5)
        assert check(whole, words) == 2


def test_end_without_a_beginning_is_ignored():
    rng = random.Random(0)
    body = message("D", rng)
    stray = {"data": 0, "ends": 1, "end": 4, "starts": 0, "start": 0, "sequence": 9, "ingress": 0}
    dut = made(Itch50Decoder)
    seen = []

    async def testbench(ctx):
        for word in [stray, *message_words([body]), stray, IDLE, stray, IDLE, IDLE, IDLE]:
            await put(ctx, dut.words, word)
            if ctx.get(dut.message_seen):
                seen.append((ctx.get(dut.events.valid), ctx.get(dut.events.payload.sequence)))
            assert not ctx.get(dut.malformed)
            await ctx.tick()

    simulate(dut, testbench)
    assert seen == [(1, 1)]


def test_malformed_message_leaves_no_trace_in_the_next():
    rng = random.Random(0)
    messages = []
    for kind in BOOK_TYPES:
        bad = bytearray(message("A", rng))
        bad[19], bad[32] = ord("X"), 0xFF
        messages += [bytes(bad), message(kind, rng)]
    assert check(messages, message_words(messages)) == len(BOOK_TYPES)

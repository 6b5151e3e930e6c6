"""What the benches of the decoders share: messages as words, and the comparison of all that a decoder tells with the golden decoder."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sim.bench.streams import Pattern
from sim.bench.testbench import share
from sim.golden.itch50 import MalformedMessage

Meaning = Callable[[bytes], tuple | None]
"""Of a message, the record that an output must tell and its symbol's name (None: without one); None: nothing."""


class Placed(NamedTuple):
    """A message and how many bytes that belong to none come before it. ``cut``: it never ends."""

    message: bytes
    pause: int
    cut: bool = False


def plain(value):
    """A golden record's field as the device has it."""
    if isinstance(value, str):
        return ord(value)
    return int.from_bytes(value, "little") if isinstance(value, bytes) else value


def message_words(rng, placed: list[Placed]) -> list[tuple[dict, bytes | None]]:
    """``MessageWord`` records, each with the message that ends in it.

    A word holds at most one end and one beginning, the end first, so a message begins later where it would break that.
    """
    data, ends, starts, at, last_start = bytearray(), {}, {}, 0, -8
    for message, pause, cut in placed:
        at += pause
        if at // 8 == last_start // 8:
            at = (at // 8 + 1) * 8
        data += rng.randbytes(at - len(data)) + message
        starts[at // 8], last_start = at % 8, at
        at += len(message)
        if not cut:
            ends[(at - 1) // 8] = ((at - 1) % 8 + 1, message)
    data += rng.randbytes(-len(data) % 8)
    words = []
    for number in range(len(data) // 8):
        word = {"data": int.from_bytes(data[8 * number:8 * number + 8], "little")}
        word |= {"sequence": rng.getrandbits(64), "ingress": rng.getrandbits(32)}
        end, message = ends.get(number, (rng.randrange(16), None))
        word |= {"ends": message is not None, "end": end, "starts": number in starts, "start": starts.get(number, rng.randrange(8))}
        words.append((word, message))
    return words


async def decode_and_compare(tb, placed: list[Placed], rates, outputs: Mapping[str, Meaning]):
    """Sends the words, then compares every output, its time and its symbol, and the counts of what else was said."""
    named = hasattr(tb.component, "named")
    pulses, names = {"malformed": [], "message_seen": []}, {}

    class Watch:
        def sample(self, cycle):
            for name, seen in pulses.items():
                if tb.get(name):
                    seen.append(cycle)
            if named and tb.get("message_seen"):
                names[cycle] = tb.get("symbol_name").to_bytes(8, "little").decode("latin-1") if tb.get("named") else None

    tb.add(Watch())
    source, monitors = tb.source("words", rates=rates), {name: tb.monitor(name) for name in outputs}
    words = message_words(tb.rng, placed)
    source.send(*(word for word, _ in words))
    await tb.drain(limit=500_000)

    latency = tb.component.LATENCY
    expected, malformed, seen = {name: [] for name in outputs}, [], []
    for (word, message), sent in zip(words, source.sent, strict=True):
        if message is None:
            continue
        seen.append(sent.cycle + latency)
        try:
            meanings = {name: meaning(message) for name, meaning in outputs.items()}
        except MalformedMessage:
            malformed.append(sent.cycle + latency)
            continue
        stamps = {"sequence": word["sequence"], "ingress": word["ingress"]}
        for name, told in meanings.items():
            if told is not None:
                record, symbol = told
                fields = {field: plain(value) for field, value in record._asdict().items()}
                expected[name].append((fields | stamps, sent.cycle + latency, symbol, message.hex()))
    for name, wanted in expected.items():
        fields = wanted[0][0] if wanted else {}
        told = monitors[name].received
        got = [({field: getattr(one.payload, field) for field in fields}, one.cycle, names.get(one.cycle)) for one in told]
        for (record, cycle, symbol), (right, when, which, message) in zip(got, wanted, strict=False):
            assert record == right, f"message {message}: {name} of the device\n  {record}\ngolden model says\n  {right}"
            assert cycle == when, f"message {message}: latency is {cycle - when + latency}, not {latency}"
            assert symbol == which, f"message {message}: {name} of symbol {symbol!r}, not {which!r}"
        tb.compare(got, [each[:3] for each in wanted], name)
    tb.compare(pulses["malformed"], malformed, "time of a malformed message")
    tb.compare(pulses["message_seen"], seen, "time of a message")
    assert all(one.payload.symbol == 0 for one in monitors["events"].received)


async def every_pair(tb, kinds: Mapping, between: int, random_message, outputs: Mapping[str, Meaning]):
    """Every type after every other on every lane, ``between`` bytes between messages, one word in every cycle.

    ``kinds``: bytes of each type.
    """
    rng, placed, at = tb.rng, [], 0
    pairs = [(first, second, lane) for first in kinds for second in kinds for lane in range(8)]
    rng.shuffle(pairs)
    for first, second, lane in pairs[:share(len(pairs))]:
        pause = between + (lane - at - between) % 8
        placed += [Placed(random_message(rng, first), pause), Placed(random_message(rng, second), between)]
        at += pause + kinds[first] + between + kinds[second]
    await decode_and_compare(tb, placed, Pattern.DENSE, outputs)


async def anything(tb, random_message, misfit, outputs: Mapping[str, Meaning]):
    """Misfits, messages without an end, and pauses of any length in the bytes and in the stream."""
    rng, placed = tb.rng, []
    for _ in range(share(2_500)):
        message = misfit(rng) if rng.random() < 0.2 else random_message(rng)
        placed.append(Placed(message, rng.choice([0, 1, 2, 2, 2, 3, 4, 22, rng.randrange(60)]), cut=rng.random() < 0.03))
    await decode_and_compare(tb, placed, Pattern.EVERYTHING, outputs)

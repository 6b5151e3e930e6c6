"""The ITCH decoder against the golden decoder: every type after every other, on every byte lane."""

from typing import NamedTuple

from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS, MalformedMessage, decode, directory, market_state, trade

OUTPUTS = {"events": decode, "state": market_state, "trades": trade, "directory": directory}
"""What each output says of a message."""


def plain(value):
    """A golden record's field as the device has it."""
    if isinstance(value, str):
        return ord(value)
    return int.from_bytes(value, "little") if isinstance(value, bytes) else value


class Placed(NamedTuple):
    """A message and how many bytes that belong to none come before it. ``cut``: it never ends."""

    message: bytes
    pause: int
    cut: bool = False


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


def random_message(rng, kind: str | None = None) -> bytes:
    """Any message, with random contents that are mostly right."""
    kind = rng.choice("".join(MESSAGE_LENGTHS) + BOOK_TYPES * 3) if kind is None else kind
    message = bytearray(rng.randbytes(MESSAGE_LENGTHS[kind]))
    message[0] = ord(kind)
    if kind in "AF":
        message[19] = rng.choice(b"BS") if rng.random() < 0.97 else rng.randrange(256)
        message[32] &= 0x7F if rng.random() < 0.97 else 0xFF
    if kind == "U":
        message[31] &= 0x7F if rng.random() < 0.97 else 0xFF
    return bytes(message)


def misfit(rng) -> bytes:
    """A message whose length is not its type's, or whose type is unknown; at least nine bytes, as the framing gives them."""
    kind = ord(rng.choice("".join(MESSAGE_LENGTHS))) if rng.random() < 0.8 else rng.randrange(256)
    return bytes([kind]) + rng.randbytes(rng.choice([8, 11, 18, 22, 30, 34, 35, 36, 39, 40, 63, 64, 71, 72, 200, rng.randrange(8, 90)]))


async def decode_and_compare(tb, placed, rates):
    """Sends the words, then compares every event, its time, and the counts of what else was said."""
    rng = tb.rng
    pulses = {"malformed": [], "message_seen": []}

    class Watch:
        def sample(self, cycle):
            for name, seen in pulses.items():
                if tb.get(name):
                    seen.append(cycle)

    tb.add(Watch())
    source, monitors = tb.source("words", rates=rates), {name: tb.monitor(name) for name in OUTPUTS}
    words = message_words(rng, placed)
    source.send(*(word for word, _ in words))
    await tb.drain(limit=500_000)

    latency = tb.component.LATENCY
    expected, malformed, seen = {name: [] for name in OUTPUTS}, [], []
    for (word, message), sent in zip(words, source.sent, strict=True):
        if message is None:
            continue
        seen.append(sent.cycle + latency)
        try:
            meanings = {name: meaning(message) for name, meaning in OUTPUTS.items()}
        except MalformedMessage:
            malformed.append(sent.cycle + latency)
            continue
        stamps = {"sequence": word["sequence"], "ingress": word["ingress"]}
        for name, record in meanings.items():
            if record is not None:
                fields = {field: plain(value) for field, value in record._asdict().items()}
                expected[name].append((fields | stamps, sent.cycle + latency, message.hex()))
    for name, wanted in expected.items():
        fields = wanted[0][0] if wanted else {}
        got = [({field: getattr(one.payload, field) for field in fields}, one.cycle) for one in monitors[name].received]
        for (record, cycle), (right, when, message) in zip(got, wanted, strict=False):
            assert record == right, f"message {message}: {name} of the device\n  {record}\ngolden model says\n  {right}"
            assert cycle == when, f"message {message}: latency is {cycle - when + latency}, not {latency}"
        tb.compare(got, [(record, cycle) for record, cycle, _ in wanted], name)
    tb.compare(pulses["malformed"], malformed, "time of a malformed message")
    tb.compare(pulses["message_seen"], seen, "time of a message")
    assert all(one.payload.symbol == 0 for one in monitors["events"].received)


@bench_test
async def every_type_after_every_other_on_every_lane(tb):
    """Back to back as MoldUDP64 packs them, two bytes between messages."""
    rng = tb.rng
    kinds, placed, at = list(MESSAGE_LENGTHS), [], 0
    pairs = [(first, second, lane) for first in kinds for second in kinds for lane in range(8)]
    rng.shuffle(pairs)
    for first, second, lane in pairs[:share(len(pairs))]:
        pause = 2 + (lane - at - 2) % 8
        placed += [Placed(random_message(rng, first), pause), Placed(random_message(rng, second), 2)]
        at += pause + MESSAGE_LENGTHS[first] + 2 + MESSAGE_LENGTHS[second]
    await decode_and_compare(tb, placed, Pattern.DENSE)


@bench_test
async def anything_with_pauses(tb):
    """Misfits, messages without an end, and pauses of any length in the bytes and in the stream."""
    rng, placed = tb.rng, []
    for _ in range(share(2_500)):
        message = misfit(rng) if rng.random() < 0.2 else random_message(rng)
        placed.append(Placed(message, rng.choice([0, 1, 2, 2, 2, 3, 4, 22, rng.randrange(60)]), cut=rng.random() < 0.03))
    await decode_and_compare(tb, placed, Pattern.EVERYTHING)

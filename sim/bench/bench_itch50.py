"""The ITCH decoder against the golden decoder: every type after every other, on every byte lane."""

from sim.bench.decoding import anything, every_pair
from sim.bench.testbench import bench_test
from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS, decode, directory, market_state, trade


def unnamed(meaning):
    """ITCH tells a locate instead of a name."""
    return lambda message: None if (record := meaning(message)) is None else (record, None)


OUTPUTS = {"events": unnamed(decode), "state": unnamed(market_state), "trades": unnamed(trade), "directory": unnamed(directory)}
"""What each output says of a message."""


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


@bench_test
async def every_type_after_every_other_on_every_lane(tb):
    """Back to back as MoldUDP64 packs them, two bytes between messages."""
    await every_pair(tb, MESSAGE_LENGTHS, 2, random_message, OUTPUTS)


@bench_test
async def anything_with_pauses(tb):
    await anything(tb, random_message, misfit, OUTPUTS)

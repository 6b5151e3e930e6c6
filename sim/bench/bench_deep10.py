"""The DEEP 1.0 decoder against the golden decoder: every type after every other, on every byte lane."""

from sim.bench.decoding import anything, every_pair
from sim.bench.testbench import bench_test
from sim.golden.deep10 import CHECKED_TYPES, MESSAGE_LENGTHS, decode, market_state, trade

OUTPUTS = {"events": decode, "state": market_state, "trades": trade}
"""What each output says of a message."""


def random_message(rng, kind: str | None = None) -> bytes:
    """Any message, with random contents that are mostly right."""
    kind = rng.choice("".join(MESSAGE_LENGTHS) + CHECKED_TYPES * 2) if kind is None else kind
    message = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    if kind in "SHOP":
        message[1] = rng.choice(b"OSRMECHPTN01")
    if kind in "85T" and rng.random() < 0.97:
        message[25:30] = bytes([rng.randrange(0x80), 0, 0, 0, 0])
    return bytes(message)


def misfit(rng) -> bytes:
    """A message whose length is not its type's, or whose type is unknown; at least nine bytes, as the framing gives them."""
    kind = ord(rng.choice("".join(MESSAGE_LENGTHS))) if rng.random() < 0.8 else rng.randrange(256)
    return bytes([kind]) + rng.randbytes(rng.choice([8, 9, 17, 18, 21, 25, 29, 30, 37, 63, 64, 71, 72, 200, rng.randrange(8, 90)]))


@bench_test
async def every_type_after_every_other_on_every_lane(tb):
    """Back to back as IEX-TP packs them, two bytes between messages."""
    await every_pair(tb, MESSAGE_LENGTHS, 2, random_message, OUTPUTS)


@bench_test
async def anything_with_pauses(tb):
    await anything(tb, random_message, misfit, OUTPUTS)

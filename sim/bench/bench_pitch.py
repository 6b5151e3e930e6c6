"""The PITCH decoder against the golden decoder: every type after every other, on every byte lane.

Time, unit clear and end of session act in the framer and never come here.
"""

from sim.bench.decoding import anything, every_pair
from sim.bench.testbench import bench_test
from sim.golden.pitch import ADD_EXPANDED, ADD_LONG, ADD_SHORT, BOOK_TYPES, LENGTHS, MODIFY_LONG, PitchModel

SECOND = 34_200
KINDS = {kind: length for kind, length in LENGTHS.items() if length >= 9}
SIDES, PRICES = (ADD_LONG, ADD_SHORT, ADD_EXPANDED), {ADD_LONG: 25, ADD_EXPANDED: 27, MODIFY_LONG: 18}


def outputs(tb):
    """What each output says of a message, in a second that stands still."""
    model = PitchModel()
    model.second = SECOND
    tb.dut.second.value, tb.dut.clear.value = SECOND, 0
    return {"events": model.decode, "state": model.market_state, "trades": model.trade}


def random_message(rng, kind: int | None = None) -> bytes:
    """Any message, with random contents that are mostly right, of its type's own length."""
    kind = rng.choice([*KINDS, *BOOK_TYPES * 2]) if kind is None else kind
    message = bytearray(rng.randbytes(KINDS[kind]))
    message[:2] = KINDS[kind], kind
    if kind in SIDES:
        message[14] = rng.choice(b"BS") if rng.random() < 0.97 else rng.randrange(256)
    if kind in PRICES and rng.random() < 0.97:
        message[PRICES[kind] + 3:PRICES[kind] + 8] = bytes([rng.randrange(0x80), 0, 0, 0, 0])
    if rng.random() < 0.5:
        message[18:22] = bytes(4)  # nothing remains
        message[0:2] = KINDS[kind], kind
    return bytes(message)


def misfit(rng) -> bytes:
    """A message of another length than its type's, or of an unknown type; at least nine bytes, as the framing gives them."""
    kind = rng.choice([*KINDS]) if rng.random() < 0.8 else rng.choice([each for each in range(256) if each not in LENGTHS])
    length = rng.choice([9, 14, 16, 18, 25, 26, 33, 35, 38, 43, 56, 57, 63, 64, 65, 200, 255, rng.randrange(9, 90)])
    return (bytes([length, kind]) + random_message(rng, kind)[2:length] if kind in KINDS else bytes([length, kind])).ljust(length, b"B")


@bench_test
async def every_type_after_every_other_on_every_lane(tb):
    """Back to back as the unit header packs them, nothing between messages."""
    await every_pair(tb, KINDS, 0, random_message, outputs(tb))


@bench_test
async def anything_with_pauses(tb):
    await anything(tb, random_message, misfit, outputs(tb))

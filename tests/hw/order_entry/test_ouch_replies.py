"""Every message of the venue, byte by byte, against the model's reading of the same bytes."""

import random

import dpkt
import pytest

from hw.order_entry.ouch_replies import LAYOUTS, OuchReplies
from hw.reasons import AnswerKind
from sim.golden.ouch50 import OPTIONS, OUTBOUND, Message, decode, encode, packets
from tests.data import market_data
from tests.hw.bench import made, simulate

VENUE = 2
KINDS = {
    "replaced": AnswerKind.REPLACED, "canceled": AnswerKind.RELEASED, "aiq_canceled": AnswerKind.RELEASED, "executed": AnswerKind.FILLED,
    "rejected": AnswerKind.ENDED,
}
CODES = {
    "system_event": "event", "accepted": "state", "replaced": "state", "canceled": "reason", "aiq_canceled": "reason",
    "executed": "liquidity", "broken_trade": "reason", "rejected": "reason", "priority_updated": "display", "modified": "side",
    "restated": "reason",
}
REFERENCES = {"accepted": "order_reference", "replaced": "order_reference", "priority_updated": "order_reference", "executed": "match",
              "broken_trade": "match"}


def run(messages, *, pause=0, dut=None):
    """For each message (valid, malformed, reply, told, unsure), the latency asserted. Numbers begin at 7."""
    dut = dut or made(OuchReplies, VENUE)
    seen, ends = [], []

    async def source(ctx):
        for number, message in enumerate(messages, 7):
            for at, byte in enumerate(message):
                ctx.set(dut.messages.payload, {"value": byte, "last": at == len(message) - 1, "number": number})
                ctx.set(dut.messages.valid, 1)
                await ctx.tick()
                if pause:
                    ctx.set(dut.messages.valid, 0)
                    await ctx.tick().repeat(pause)
            ctx.set(dut.messages.valid, 0)
        await ctx.tick().repeat(5)

    async def watch(ctx):
        cycle = 0
        async for _, _, arrives, last, valid, malformed, reply, told, unsure in ctx.tick().sample(
                dut.messages.valid, dut.messages.payload.last, dut.replies.valid, dut.malformed, dut.replies.payload, dut.told, dut.unsure):
            if valid or malformed:
                assert cycle - ends[len(seen)] == OuchReplies.LATENCY
                seen.append((valid, malformed, reply, told, unsure))
            if arrives and last:
                ends.append(cycle)
            cycle += 1

    simulate(dut, source, processes=[watch])
    assert len(seen) == len(messages)
    return seen


def number_of(value):
    return int.from_bytes(value.encode(), "big") if isinstance(value, str) else value


def expected(message):
    """(kind, user_ref, shares) of the reply, what is told, and whether the card can't be sure."""
    name, fields = message.name, message.fields
    dead = name in ("accepted", "replaced") and fields["state"] == "D"
    kind = AnswerKind.ENDED if dead else KINDS.get(name, AnswerKind.NOTED)
    told = {
        "user_ref": fields.get("user_ref", 0), "original": fields.get("original_user_ref", 0), "shares": fields.get("quantity", 0),
        "price": min(fields.get("price", 0), 2**32 - 1), "code": number_of(fields[CODES[name]]) if name in CODES else 0,
        "reference": fields[REFERENCES[name]] if name in REFERENCES else 0,
    }
    return kind, told, name in ("broken_trade", "modified") or name == "replaced" and dead


def check(messages, seen):
    for number, (data, (valid, malformed, reply, told, unsure)) in enumerate(zip(messages, seen, strict=True), 7):
        message = decode(data, inbound=False)
        kind, fields, doubt = expected(message)
        assert (valid, malformed, unsure) == (1, 0, doubt), message
        assert (reply.kind, reply.venue, reply.user_ref, reply.number, reply.shares) == (
            kind, VENUE, fields["user_ref"], number, fields["shares"]), message
        assert (told.type, told.venue, told.number) == (data[0], VENUE, number)
        assert {name: getattr(told, name) for name in fields} == fields, message


def random_message(rng, layout):
    fields = {
        field.name: "".join(rng.choice("ABCDLNSYZ ") for _ in range(field.length)) if field.text
        else rng.getrandbits(8 * field.length) if field.name != "price" else rng.choice([rng.getrandbits(32), rng.getrandbits(64), 1 << 32])
        for field in layout.fields
    }
    tags = rng.sample(sorted(OPTIONS), rng.choice([0, 1, 3])) if layout.appendage else []
    return encode(Message(layout.name, fields, tuple((tag, rng.randbytes(OPTIONS[tag])) for tag in tags)))


@pytest.mark.parametrize("pause", [0, 2])
def test_all_messages(pause):
    rng = random.Random(pause)
    messages = [random_message(rng, layout) for layout in OUTBOUND.values() for _ in range(6)]
    rng.shuffle(messages)
    check(messages, run(messages, pause=pause))
    assert LAYOUTS.keys() == OUTBOUND.keys()


def test_real_messages():
    found = []
    for name in ("OrderAcceptedMessage", "CanceledMessage"):
        with market_data(f"packets/Nasdaq.Nsm.Ouch.v5.0/{name}.pcap").open("rb") as file:
            segments = [dpkt.ethernet.Ethernet(data).data.data.data for _, data in dpkt.pcap.Reader(file)]
        found += [packet.payload for segment in segments for packet in packets([segment]) if packet.type == "S"]
    assert len(found) >= 2
    check(found, run(found))


def test_what_is_no_message():
    """A wrong length by one, an unknown type, an appendage that is broken; and a sound message after each."""
    rng = random.Random(3)
    sound = encode(Message("cancel_pending", {"timestamp": 5, "user_ref": 77}))
    broken = [b"X" + bytes(12), b"\0", b"C"]
    for layout in OUTBOUND.values():
        message = random_message(rng, layout)
        broken += [message[:-1], message + b"\0", message[:1]]
    executed = bytearray(encode(Message("restated", {"timestamp": 1, "user_ref": 2, "reason": "R"}, ((2, b"LIME"), (12, b"P")))))
    for at, value in ((15, 8), (15, 10), (16, 4), (16, 6), (16, 0), (14, 1)):
        other = bytearray(executed)
        other[at] = value
        broken.append(bytes(other))
    messages = [part for bad in broken for part in (bad, sound)]
    seen = run(messages)
    assert all((valid, malformed) == (0, 1) for valid, malformed, *_ in seen[::2])
    assert all((valid, malformed, reply.user_ref) == (1, 0, 77) for valid, malformed, reply, *_ in seen[1::2])

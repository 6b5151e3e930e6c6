"""Every message of a venue that speaks OUCH 4.2, byte by byte, against the model's reading of the same bytes."""

import random

from hw.order_entry.ouch42 import LAYOUTS
from hw.order_entry.ouch_replies import OuchReplies
from hw.reasons import AnswerKind
from sim.golden.ouch42 import OUTBOUND, Message, decode, encode, token, user_ref_of
from tests.hw.bench import made
from tests.hw.order_entry.test_ouch_replies import CODES, KINDS, REFERENCES, VENUE, number_of, run

OWN_KINDS = KINDS | {"executed_with_reference": AnswerKind.FILLED}
OWN_CODES = CODES | {"executed_with_reference": "liquidity", "trade_correction": "reason"}
OWN_REFERENCES = REFERENCES | {"executed_with_reference": "match", "trade_correction": "match"}
UNSURE = {"broken_trade", "trade_correction", "modified"}


def expected(message):
    """Kind and shares of the reply, what is told, and whether the card can't be sure."""
    name, fields = message.name, message.fields
    dead = fields.get("state") == "D"
    told = {
        "user_ref": user_ref_of(fields["token"]) if "token" in fields else 0,
        "original": user_ref_of(fields["original_token"]) if "original_token" in fields else 0, "shares": fields.get("quantity", 0),
        "price": fields.get("price", 0), "code": number_of(fields[OWN_CODES[name]]) if name in OWN_CODES else 0,
        "reference": fields[OWN_REFERENCES[name]] if name in OWN_REFERENCES else 0,
    }
    return AnswerKind.ENDED if dead else OWN_KINDS.get(name, AnswerKind.NOTED), told, name in UNSURE or dead and name == "replaced"


def random_message(rng, layout):
    return Message(layout.name, {
        field.name: token(rng.getrandbits(32)) if field.name.endswith("token")
        else "".join(rng.choices("ABCDLNSYZ ", k=field.length)) if field.text else rng.getrandbits(8 * field.length)
        for field in layout.fields})


def replies(messages):
    return run(messages, dut=made(OuchReplies, VENUE, "ouch42"))


def test_all_messages():
    rng = random.Random(1)
    messages = [random_message(rng, layout) for layout in OUTBOUND.values() for _ in range(8)]
    rng.shuffle(messages)
    for number, (message, (valid, malformed, reply, told, unsure)) in enumerate(
            zip(messages, replies([encode(message) for message in messages]), strict=True), 7):
        kind, fields, doubt = expected(message)
        assert (valid, malformed, unsure) == (1, 0, doubt), message
        assert (reply.kind, reply.venue, reply.user_ref, reply.number, reply.shares) == (
            kind, VENUE, fields["user_ref"], number, fields["shares"]), message
        assert {name: getattr(told, name) for name in fields} == fields, message
    assert LAYOUTS.keys() == OUTBOUND.keys()


def test_what_is_no_message():
    """A wrong length by one, a type of 5.0 alone, and tokens that the card does not make, one character at a time; then a sound message."""
    rng, sound = random.Random(2), encode(Message("cancel_pending", {"timestamp": 5, "token": token(77)}))
    broken = [b"R" + bytes(15), b"Q" + bytes(12)]
    for layout in OUTBOUND.values():
        message = encode(random_message(rng, layout))
        broken += [message[:-1], message + b"\0"]
        for field in layout.fields:
            if field.name.endswith("token"):
                for at in range(field.offset, field.offset + field.length) if layout.type in "UC" else (field.offset + 4,):
                    wrong = bytearray(message)
                    wrong[at] = rng.choice(b"Gg/:@a\0") if 2 <= at - field.offset < 10 else rng.choice(b"0AtUj\0")
                    broken.append(bytes(wrong))
    seen = replies([part for bad in broken for part in (bad, sound)])
    assert [(valid, malformed) for valid, malformed, *_ in seen[::2]] == [(0, 1)] * len(broken)
    assert all((valid, reply.user_ref) == (1, 77) for valid, _, reply, *_ in seen[1::2])
    assert decode(sound, inbound=False).name == "cancel_pending"

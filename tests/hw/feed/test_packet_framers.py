"""PitchUnit and IexTp: messages, numbers, spans and verdicts are those of the reference, packet by packet."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.feed import iex_tp as iex_hardware
from hw.feed import pitch_unit as pitch_hardware
from hw.feed.iex_tp import IexTp
from hw.feed.pitch_unit import PitchUnit
from hw.reasons import DropReason
from sim.flow import pitch
from sim.golden import iex_tp, pitch_unit
from sim.golden.moldudp64 import MalformedPacket
from sim.readers.pcap import read_packets
from tests.data import market_data
from tests.hw.bench import made
from tests.hw.feed.framers import Outcome, run_framer
from tests.streams import deep_packets, mutated, pitch_packets

BAD = DropReason.UDP_CHECKSUM


def pitch_outcome(packet, reason=DropReason.NONE):
    try:
        header, messages = pitch_unit.unpack_header(packet), pitch_unit.unpack_messages(packet)
    except MalformedPacket:
        reason = reason or DropReason.MALFORMED
    if reason != DropReason.NONE:
        return Outcome(reason, [], None)
    numbered = [(number, message) for number, message in enumerate(messages, header.sequence) if len(message) >= 9 and header.sequence]
    after = header.sequence + len(messages) if header.sequence else 0
    ended = header.sequence > 0 and any(message[1] == pitch_unit.END_OF_SESSION for message in messages)
    return Outcome(DropReason.NONE, numbered, (header.unit, header.sequence, after), ended)


def iex_outcome(packet, reason=DropReason.NONE):
    try:
        header, messages = iex_tp.unpack_header(packet), iex_tp.unpack_messages(packet)
    except MalformedPacket:
        reason = reason or DropReason.MALFORMED
    if reason != DropReason.NONE:
        return Outcome(reason, [], None)
    after = (header.sequence + len(messages)) % (1 << 64)
    numbered = [((header.sequence + at) % (1 << 64), message) for at, message in enumerate(messages)]
    return Outcome(DropReason.NONE, numbered, (header.session, header.sequence, after))


FRAMERS = {PitchUnit: pitch_outcome, IexTp: iex_outcome}
MAKERS = {PitchUnit: pitch_unit.pack_unit, IexTp: iex_tp.pack_segment}
BOTH = pytest.mark.parametrize("framer", FRAMERS)


def check(framer, packets, **pace):
    """Compares with the reference; returns its outcomes."""
    seen, times = run_framer(made(framer), packets, **pace)
    wanted = [FRAMERS[framer](*packet) if isinstance(packet, tuple) else FRAMERS[framer](packet) for packet in packets]
    for packet, result, expected in zip(packets, seen, wanted, strict=True):
        assert result == expected, packet
    return wanted, times


def messages_of(framer, *lengths, seed=0):
    """Random messages; those of PITCH begin with their length, and have no type that acts in the framer."""
    rng = random.Random(seed)
    if framer is IexTp:
        return [rng.randbytes(length) for length in lengths]
    return [bytes([length, rng.choice([0x21, 0x29, 0xE0])]) + rng.randbytes(length - 2) for length in lengths]


def test_constants_are_those_of_the_reference():
    assert (pitch_hardware.SHORTEST, pitch_hardware.SHORTEST_DELIVERED) == (pitch_unit.SHORTEST, pitch_unit.SHORTEST_DELIVERED)
    assert (iex_hardware.SHORTEST, iex_hardware.HEADER_LENGTH) == (iex_tp.SHORTEST, iex_tp.HEADER_LENGTH)


@BOTH
def test_latency_of_words_and_ingress_of_messages(framer):
    lengths, at, ends = (19, 36, 12, 50), {PitchUnit: 8, IexTp: 40}[framer], []
    for length in lengths:
        at += length + 2 * (framer is IexTp)
        ends.append((at - 1) // 8)  # each word is stamped with its cycle
    assert check(framer, [MAKERS[framer](1, 1, messages_of(framer, *lengths))])[1] == [ends]


@BOTH
def test_every_length_at_every_lane_before_every_lane(framer):
    """A first message of each length shifts the one after it through the lanes."""
    packets, sequence = [], 1
    for shift in range(9, 17):
        for length in range(9, 60):
            packets.append(MAKERS[framer](3, sequence, messages_of(framer, shift, length, 19, seed=length)))
            sequence += 3
    outcomes, _ = check(framer, packets)
    assert [number for outcome in outcomes for number, _ in outcome.messages] == list(range(1, sequence))


@BOTH
def test_long_messages(framer):
    lengths = (255, 9, 254, 255, 10, 248, 249, 250) if framer is PitchUnit else (255, 256, 257, 1_000, 19, 9)
    check(framer, [MAKERS[framer](3, 7, messages_of(framer, *lengths)), MAKERS[framer](3, 15, messages_of(framer, lengths[0]))])


@BOTH
def test_heartbeats_and_other_sessions(framer):
    """Nothing is remembered of the packet before: neither its session nor its numbers."""
    make = MAKERS[framer]
    packets = [make(3, 9, []), make(200, 5, messages_of(framer, 19, 20)), make(3, 0, []), make(7, 9, messages_of(framer, 30))]
    packets.append(packets[0])
    outcomes, _ = check(framer, packets)
    assert [outcome.span[:2] for outcome in outcomes] == [(3, 9), (200, 5), (3, 0), (7, 9), (3, 9)]


@BOTH
def test_verdicts_of_the_stages_before_come_first(framer):
    good = MAKERS[framer](3, 9, messages_of(framer, 19, 20))
    check(framer, [(good, BAD), good, (good[:-1], BAD), good[:-1], good, (b"", BAD), b"", good])


@BOTH
def test_numbers(framer):
    limit = {PitchUnit: 1 << 32, IexTp: 1 << 64}[framer]
    packets = [MAKERS[framer](3, sequence, messages_of(framer, 19, 20, 9)) for sequence in
               (1, 0xFFFE, 0xFFFF_FFF0, limit - 4, limit - 3, limit - 2, limit - 1)]
    outcomes, _ = check(framer, packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE}


@BOTH
def test_every_cut_and_every_excess(framer):
    """A packet cut after each of its bytes, with bytes too many, and with every other count and length; a good one after each."""
    good = MAKERS[framer](3, 9, messages_of(framer, 19, 9, 15, 16, 10))
    packets = []
    for length in range(1, len(good)):
        packets += [good[:length], good]
    for more in range(1, 20):
        packets += [good + bytes([0xFF] * more), good + bytes(more), good]
    for at in ((0, 1, 2) if framer is PitchUnit else (0, 2, 3, 12, 13, 14, 15)):
        for bit in range(8):
            packets += [good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1:], good]
    outcomes, _ = check(framer, packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE, DropReason.MALFORMED}
    assert [outcome.reason for outcome in outcomes].count(DropReason.NONE) < len(packets) * 0.6


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_random_packets_with_pauses(framer, seed):
    rng = random.Random(seed)
    packets, sequence = [], 1
    for number in range(60):
        lengths = [rng.choice([9, 10, 14, 16, 18, 19, 26, 30, 34, rng.randint(9, 255)]) for _ in range(rng.randint(0, 9))]
        packets.append(MAKERS[framer](3, sequence, messages_of(framer, *lengths, seed=number)))
        sequence += len(lengths)
    pace = {"pause": lambda: rng.choice([0, 0, 0, 1, 3]), "verdict_after": lambda: rng.randint(1, 6), "between": lambda: rng.randint(0, 2)}
    check(framer, packets, **pace)


@BOTH
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_generated_packets_and_mutated_ones(framer, data):
    """Good, bad and again good: what happened to a packet does not show in the next."""
    source = {PitchUnit: pitch_packets, IexTp: deep_packets}[framer]()
    packets = data.draw(st.lists(source | mutated(source), min_size=1, max_size=8))
    check(framer, packets + [MAKERS[framer](3, 1, messages_of(framer, 14, 19))])


def test_short_messages_at_every_lane():
    """Six bytes and more, one or two in a word, in front of and behind messages that are delivered."""
    packets, sequence = [], 1
    for shift in range(9, 17):
        for short in ([6], [7], [8], [6, 6], [7, 6], [6, 7], [8, 6], [6] * 5, [7] * 5, [8] * 4, [6, 9], [7, 10, 6]):
            for more in ([], [14]):
                lengths = [shift, *short, *more]
                packets.append(pitch_unit.pack_unit(3, sequence, messages_of(PitchUnit, *lengths, seed=shift)))
                sequence += len(lengths)
                packets.append(pitch_unit.pack_unit(3, sequence, messages_of(PitchUnit, *short, *more, seed=shift)))
                sequence += len(lengths) - 1
    outcomes, _ = check(PitchUnit, packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE}


@BOTH
def test_too_short_messages_at_every_lane(framer):
    packets = []
    for shift in range(9, 17):
        for length in range(6 if framer is PitchUnit else 9):
            messages = messages_of(framer, shift, 19)
            messages.insert(1, bytes([length]) + bytes(max(length - 1, 0)) if framer is PitchUnit else bytes(length))
            packets.append(MAKERS[framer](3, 1, messages))
    outcomes, _ = check(framer, packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.MALFORMED}


def test_packets_without_a_number_are_nobodys():
    messages = [pitch.time(1), pitch.delete(1, 1), pitch.end_of_session(1), pitch.unit_clear(1)]
    outcomes, _ = check(PitchUnit, [pitch_unit.pack_unit(3, 0, messages), pitch_unit.pack_unit(3, 1, messages)])
    assert outcomes[0] == Outcome(DropReason.NONE, [], (3, 0, 0), False)
    assert outcomes[1].end_of_session


@pytest.mark.parametrize("shift", range(9, 17))
def test_end_of_session_at_every_lane(shift):
    first, clear, end = messages_of(PitchUnit, shift)[0], pitch.unit_clear(1), pitch.end_of_session(1)
    packets = [pitch_unit.pack_unit(3, 1, messages) for messages in ([first, end], [first, clear, end], [first])]
    outcomes, _ = check(PitchUnit, packets)
    assert [outcome.end_of_session for outcome in outcomes] == [True, True, False]


@pytest.mark.parametrize("name", ["AddOrderShortMessage", "ModifyOrderShortMessage", "MultipleMessages", "bats_mcastpitch_realtime_useq"])
def test_real_packets_of_pitch(name):
    check(PitchUnit, [packet.payload for packet in read_packets(market_data(f"cboe/{name}.pcap"))][:200])


def test_real_segments_of_iex():
    packets = [packet.payload for packet in read_packets(market_data("iex/20231002_DEEP10_test.pcap.gz"))]
    outcomes, _ = check(IexTp, packets[:10] + packets[-300:])
    assert sum(len(outcome.messages) for outcome in outcomes) > 600

"""MoldUdp64: messages, numbers, gaps and verdicts are those of the reference, packet by packet."""

import random

import pytest

from hw.feed.moldudp64 import MoldUdp64
from hw.reasons import DropReason
from sim.golden.moldudp64 import SHORTEST_DELIVERED, Gap, MoldUdp64Model, Outcome, pack_end_of_session, pack_header, pack_packet
from tests.hw.bench import simulate
from tests.hw.feed.words import IDLE, MessageCollector, payload_words, put

SESSION = b"000010059B"


class SetSequence(int):
    """Not a packet: the host sets the sequence number."""


class Seen:
    def __init__(self, messages, reason):
        self.messages, self.reason = messages, reason
        self.gap, self.duplicates, self.heartbeat, self.end_of_session, self.expected = None, 0, False, False, None


def run(packets, *, pause=lambda: 0, verdict_after=lambda: 1, between=lambda: 0):
    """Sends packets (bytes, pairs of bytes and reason, or SetSequence); returns what was seen of each packet.

    ``verdict_after`` gives the cycles from a packet's last word to its verdict, ``between`` those from there to the
    next packet's first word, less one.
    """
    dut = MoldUdp64()
    cycles = []  # (word, reason of a verdict or None, sequence to set or None)
    words_sent = 0
    for packet in packets:
        if isinstance(packet, SetSequence):
            cycles += [(IDLE, None, None)] * 4 + [(IDLE, None, int(packet))]
            continue
        payload, reason = packet if isinstance(packet, tuple) else (packet, DropReason.NONE)
        for word in payload_words(payload):
            cycles += [(IDLE, None, None)] * pause()
            cycles.append(({**word, "ingress": len(cycles)}, None, None))
        cycles += [(IDLE, None, None)] * (verdict_after() - 1) + [(IDLE, reason, None)] + [(IDLE, None, None)] * between()
        words_sent += len(payload_words(payload))
    seen, duplicates, before = [], 0, [IDLE] * MoldUdp64.LATENCY
    verdicts = [None] * MoldUdp64.VERDICT_LATENCY
    collector = MessageCollector()

    async def testbench(ctx):
        nonlocal duplicates
        words = 0
        for word, reason, sequence in cycles + [(IDLE, None, None)] * 4:
            await put(ctx, dut.payload, word)
            ctx.set(dut.verdict_in.valid, reason is not None)
            ctx.set(dut.verdict_in.payload.reason, reason or DropReason.NONE)
            ctx.set(dut.set_sequence, sequence is not None)
            ctx.set(dut.sequence_in, sequence or 0)
            before.append(word)
            verdicts.append(reason)

            then = before[-1 - MoldUdp64.LATENCY]
            if ctx.get(dut.words.valid):
                out = ctx.get(dut.words.payload)
                assert out.data == then["data"]
                assert out.ingress == then["ingress"]
                collector.word(out)
                words += 1
            duplicates += ctx.get(dut.duplicate)
            if seen:  # one cycle after the verdict
                seen[-1].heartbeat |= bool(ctx.get(dut.heartbeat))
                seen[-1].end_of_session |= bool(ctx.get(dut.end_of_session))
                seen[-1].expected = ctx.get(dut.expected)
                if ctx.get(dut.gap.valid):
                    gap = ctx.get(dut.gap.payload)
                    seen[-1].gap = Gap(gap.session.to_bytes(10, "little"), gap.first, gap.count)
            assert ctx.get(dut.verdict.valid) == (verdicts[-1 - MoldUdp64.VERDICT_LATENCY] is not None)
            if ctx.get(dut.verdict.valid):
                collector.forget()
                seen.append(Seen(collector.take(), DropReason(ctx.get(dut.verdict.payload.reason))))
                seen[-1].duplicates, duplicates = duplicates, 0
            await ctx.tick()
        assert words <= words_sent

    simulate(dut, testbench)
    return seen


def check(packets, seen):
    """Compares with the reference; returns its outcomes."""
    model, outcomes = MoldUdp64Model(), []
    seen = iter(seen)
    for number, packet in enumerate(packets):
        if isinstance(packet, SetSequence):
            model.set_sequence(int(packet))
            continue
        payload, reason = packet if isinstance(packet, tuple) else (packet, DropReason.NONE)
        outcome, result = model.packet(payload, reason), next(seen)
        assert result.reason == outcome.reason, f"packet {number} {payload.hex()}: {result.reason!r}, not {outcome.reason!r}"
        if outcome.reason == DropReason.NONE:
            assert [(m.sequence, m.data) for m in result.messages] == outcome.messages, f"packet {number} {payload.hex()}"
            assert result.duplicates == outcome.duplicates
        assert (result.gap, result.heartbeat, result.end_of_session) == (outcome.gap, outcome.heartbeat, outcome.end_of_session)
        if number + 1 == len(packets) or not isinstance(packets[number + 1], SetSequence):
            assert result.expected == model.expected
        outcomes.append(outcome)
    assert next(seen, None) is None
    return outcomes


def messages_of(*lengths, seed=0):
    rng = random.Random(seed)
    return [rng.randbytes(length) for length in lengths]


def delivered(outcomes):
    return [message.sequence for outcome in outcomes for message in outcome.messages]


def test_latency_of_words_and_ingress_of_messages():
    packet = pack_packet(SESSION, 1, messages_of(19, 36, 12, 50))
    seen = run([packet])[0]
    ends, at = [], 20
    for length in (19, 36, 12, 50):
        at += 2 + length
        ends.append((at - 1) // 8)  # run() stamps each word with its cycle
    assert [message.ingress for message in seen.messages] == ends


def test_every_length_at_every_lane():
    """A first block of each length shifts the one after it through the lanes."""
    packets, sequence = [], 1
    for shift in range(9, 17):
        for length in range(9, 51):
            packets.append(pack_packet(SESSION, sequence, messages_of(shift, length, 19, seed=length)))
            sequence += 3
    outcomes = check(packets, run(packets))
    assert delivered(outcomes) == list(range(1, sequence))


def test_empty_and_short_blocks_at_every_lane():
    packets, sequence = [], 1
    for shift in range(9, 17):
        for short in ([0], [0, 0], [0] * 5, [0] * 9, [1], [1, 0, 2], [3, 0], [4], [5, 0], [6], [7], [8], [8, 8], [0, 7, 0, 1], [2] * 7):
            lengths = [shift, *short, 9, *short]
            packets.append(pack_packet(SESSION, sequence, messages_of(*lengths, seed=shift)))
            sequence += len(lengths)
    outcomes = check(packets, run(packets))
    assert len(delivered(outcomes)) == 2 * len(packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE}


def test_long_blocks():
    packets = [pack_packet(SESSION, 1, messages_of(255, 256, 257, 1000, 19)), pack_packet(SESSION, 6, messages_of(1400))]
    assert delivered(check(packets, run(packets))) == [1, 2, 3, 4, 5, 6]


def test_duplicates_and_partial_overlap():
    m = messages_of(*([19, 36] * 6))
    packets = [
        pack_packet(SESSION, 1, m[:4]), pack_packet(SESSION, 1, m[:4]),  # whole duplicate
        pack_packet(SESSION, 3, m[2:7]), pack_packet(SESSION, 7, m[6:7]),  # overlap, then its last again
        pack_packet(SESSION, 2, m[1:12]),
    ]  # fmt: skip
    outcomes = check(packets, run(packets))
    assert delivered(outcomes) == list(range(1, 13))
    assert [outcome.duplicates for outcome in outcomes] == [0, 4, 2, 1, 6]


@pytest.mark.parametrize("base", [1, 0xFFF0, 0x1_0000, 0x1_FFFE, 0xFFFF_FFF0, 1 << 63, (1 << 64) - 40_000])
def test_overlap_at_every_offset_around_word_boundaries_of_the_sequence(base):
    packets, expected = [SetSequence(base)], base
    for back in (0, 1, 2, 3, 4, 15, 16, 255, 0xFFFF, 0x10000, 0x10001, 0x1_FFFF, 0x2_0000):
        if back > expected:
            continue
        packets.append(pack_packet(SESSION, expected - back, messages_of(0, 9, 0, 10, 0, 0, 0, 0, 11)))
        expected = max(expected, expected - back + 9)
    check(packets, run(packets))


def test_gap_is_reported_once_and_heartbeats_show_gaps_too():
    packets = [
        pack_packet(SESSION, 1, messages_of(19)), pack_packet(SESSION, 2, []),
        pack_packet(SESSION, 5, messages_of(19)), pack_packet(SESSION, 6, messages_of(19)),
        pack_packet(SESSION, 9, []), pack_packet(SESSION, 9, messages_of(19)), pack_packet(SESSION, 4, []),
        pack_end_of_session(SESSION, 12), pack_end_of_session(SESSION, 12),
    ]  # fmt: skip
    outcomes = check(packets, run(packets))
    assert [outcome.gap and (outcome.gap.first, outcome.gap.count) for outcome in outcomes] == [
        None, None, (2, 3), None, (7, 2), None, None, (10, 2), None,
    ]  # fmt: skip
    assert sum(outcome.heartbeat for outcome in outcomes) == 3
    assert sum(outcome.end_of_session for outcome in outcomes) == 2


def test_bad_packets_change_nothing():
    good = pack_packet(SESSION, 1, messages_of(19, 20))
    packets = [(good, reason) for reason in DropReason if reason != DropReason.NONE] + [(good[:30], DropReason.TRUNCATED), good]
    packets += [(b"", DropReason.NOT_MATCHED), pack_packet(SESSION, 3, messages_of(21))]
    assert delivered(check(packets, run(packets))) == [1, 2, 3]


def test_malformed_packets():
    blocks = messages_of(19, 20, 21)
    good = pack_packet(SESSION, 1, blocks)
    packets = [good[:length] for length in range(len(good))]  # cut anywhere
    packets += [good + bytes(extra) for extra in range(1, 10)]
    packets += [pack_header(SESSION, 1, count) + good[20:] for count in (0, 1, 2, 4, 5, 0xFFFE, 0xFFFF)]
    packets += [pack_packet(SESSION, 1, []) + b"\0", pack_end_of_session(SESSION, 1) + b"\0\0", good]
    outcomes = check(packets, run(packets))
    assert [outcome.reason for outcome in outcomes] == [DropReason.MALFORMED] * (len(packets) - 1) + [DropReason.NONE]


def test_follows_the_session_of_the_first_good_packet():
    other = b"000010059C"
    packets = [
        (pack_packet(other, 1, messages_of(19)), DropReason.UDP_CHECKSUM), pack_packet(SESSION, 1, messages_of(19)),
        pack_packet(other, 2, messages_of(19)), pack_packet(b"X" + SESSION[1:], 2, []), pack_packet(SESSION, 2, messages_of(20)),
        SetSequence(7), pack_packet(other, 7, messages_of(21)), pack_packet(SESSION, 8, messages_of(22)),
    ]  # fmt: skip
    outcomes = check(packets, run(packets))
    assert [outcome.reason == DropReason.SESSION for outcome in outcomes] == [False, False, True, True, False, False, True]


def random_packets(rng, count):
    sequence, packets = rng.choice([1, 1 << 40]), []
    packets.append(SetSequence(sequence))
    for _ in range(count):
        lengths = [rng.choice([0, 0, 1, 5, 7, 8, 9, 12, 19, 23, 31, 35, 36, 40, 50]) for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 8]))]
        if rng.random() < 0.15:
            lengths = [rng.choice([0, 0, 0, 1, 2]) for _ in range(20)] + [19]
        start = max(0, sequence + rng.choice([0, 0, 0, 0, -1, -2, -5, 3]))
        payload = pack_packet(SESSION, start, [rng.randbytes(length) for length in lengths])
        kind, reason = rng.random(), DropReason.NONE
        if kind < 0.1:
            payload = payload[: rng.randrange(len(payload))]
        elif kind < 0.2:
            bad = bytearray(payload)
            bad[rng.randrange(len(bad))] = rng.randrange(256)
            payload = bytes(bad)
            reason = rng.choice([DropReason.NONE, DropReason.UDP_CHECKSUM])
        else:
            sequence = max(sequence, start + len(lengths))
        packets.append((payload, reason))
        if payload[10:20] != pack_header(SESSION, start, len(lengths))[10:] and reason == DropReason.NONE:
            packets.append(SetSequence(sequence))  # it may have been believed
    return packets


@pytest.mark.parametrize("seed", range(6))
def test_random_packets(seed):
    rng = random.Random(seed)
    packets = random_packets(rng, 150)
    hurry = seed % 2 == 0
    seen = run(
        packets,
        pause=lambda: 0 if hurry or rng.random() < 0.7 else rng.randrange(3),
        verdict_after=lambda: rng.randrange(1, 4),
        between=lambda: 0 if hurry else rng.randrange(5),
    )
    outcomes = check(packets, seen)
    assert len(delivered(outcomes)) > 100, f"seed {seed}"
    assert sum(outcome.duplicates for outcome in outcomes) > 10, f"seed {seed}"
    assert sum(outcome.gap is not None for outcome in outcomes) > 5, f"seed {seed}"


def test_shortest_delivered_is_the_same_in_the_reference():
    packets = [pack_packet(SESSION, 1, messages_of(SHORTEST_DELIVERED - 1, SHORTEST_DELIVERED))]
    assert check(packets, run(packets)) == [
        Outcome(DropReason.NONE, [(2, messages_of(SHORTEST_DELIVERED - 1, SHORTEST_DELIVERED)[1])]),
    ]

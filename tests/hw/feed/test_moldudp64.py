"""MoldUdp64: messages, numbers, spans and verdicts are those of the reference, packet by packet."""

import random

import pytest

from hw.feed.moldudp64 import MoldUdp64
from hw.reasons import DropReason
from sim.golden.moldudp64 import SHORTEST_DELIVERED, Packet, Span, pack_end_of_session, pack_header, pack_packet, read_packet
from tests.hw.bench import made, simulate
from tests.hw.feed.words import IDLE, MessageCollector, payload_words, put

SESSION = b"000010059B"


def run(packets, *, pause=lambda: 0, verdict_after=lambda: 1, between=lambda: 0):
    """Sends packets (bytes, or pairs of bytes and reason); returns what was seen of each and its messages' times.

    ``verdict_after`` gives the cycles from a packet's last word to its verdict, ``between`` those from there to the
    next packet's first word, less one.
    """
    dut = made(MoldUdp64)
    cycles = []  # (word, reason of a verdict or None)
    words_sent = 0
    for packet in packets:
        payload, reason = packet if isinstance(packet, tuple) else (packet, DropReason.NONE)
        for word in payload_words(payload):
            cycles += [(IDLE, None)] * pause()
            cycles.append(({**word, "ingress": len(cycles)}, None))
        cycles += [(IDLE, None)] * (verdict_after() - 1) + [(IDLE, reason)] + [(IDLE, None)] * between()
        words_sent += len(payload_words(payload))
    seen, times, before = [], [], [IDLE] * MoldUdp64.LATENCY
    verdicts = [None] * MoldUdp64.VERDICT_LATENCY
    collector = MessageCollector()

    async def testbench(ctx):
        words = 0
        for word, reason in cycles + [(IDLE, None)] * 4:
            await put(ctx, dut.payload, word)
            ctx.set(dut.verdict_in.valid, reason is not None)
            ctx.set(dut.verdict_in.payload.reason, reason or DropReason.NONE)
            before.append(word)
            verdicts.append(reason)

            then = before[-1 - MoldUdp64.LATENCY]
            if ctx.get(dut.words.valid):
                out = ctx.get(dut.words.payload)
                assert out.data == then["data"]
                assert out.ingress == then["ingress"]
                collector.word(out)
                words += 1
            assert ctx.get(dut.verdict.valid) == (verdicts[-1 - MoldUdp64.VERDICT_LATENCY] is not None)
            assert ctx.get(dut.verdict.valid) or not ctx.get(dut.end_of_session)
            if ctx.get(dut.verdict.valid):
                collector.forget()
                messages = collector.take()
                reason = DropReason(ctx.get(dut.verdict.payload.reason))
                span = ctx.get(dut.span)
                span = Span(span.session.to_bytes(10, "little"), span.first, span.next) if reason == DropReason.NONE else None
                seen.append(Packet(reason, [(m.sequence, m.data) for m in messages], span, bool(ctx.get(dut.end_of_session))))
                times.append([m.ingress for m in messages])
            await ctx.tick()
        assert words <= words_sent

    simulate(dut, testbench)
    return seen, times


def check(packets, **pace):
    """Compares with the reference; returns its packets."""
    seen, _ = run(packets, **pace)
    wanted = [read_packet(*packet) if isinstance(packet, tuple) else read_packet(packet) for packet in packets]
    for packet, result, expected in zip(packets, seen, wanted, strict=True):
        if expected.reason != DropReason.NONE:  # its messages are nobody's
            result = result._replace(messages=[])
        if expected.span:
            expected = expected._replace(span=expected.span._replace(next=expected.span.next % (1 << 64)))
        assert result == expected, packet
    return wanted


def messages_of(*lengths, seed=0):
    rng = random.Random(seed)
    return [rng.randbytes(length) for length in lengths]


def delivered(outcomes):
    return [message.sequence for outcome in outcomes for message in outcome.messages]


def test_latency_of_words_and_ingress_of_messages():
    packet = pack_packet(SESSION, 1, messages_of(19, 36, 12, 50))
    _, times = run([packet])
    ends, at = [], 20
    for length in (19, 36, 12, 50):
        at += 2 + length
        ends.append((at - 1) // 8)  # run() stamps each word with its cycle
    assert times == [ends]


def test_every_length_at_every_lane():
    """A first block of each length shifts the one after it through the lanes."""
    packets, sequence = [], 1
    for shift in range(9, 17):
        for length in range(9, 51):
            packets.append(pack_packet(SESSION, sequence, messages_of(shift, length, 19, seed=length)))
            sequence += 3
    outcomes = check(packets)
    assert delivered(outcomes) == list(range(1, sequence))


def test_empty_and_short_blocks_at_every_lane():
    packets, sequence = [], 1
    for shift in range(9, 17):
        for short in ([0], [0, 0], [0] * 5, [0] * 9, [1], [1, 0, 2], [3, 0], [4], [5, 0], [6], [7], [8], [8, 8], [0, 7, 0, 1], [2] * 7):
            lengths = [shift, *short, 9, *short]
            packets.append(pack_packet(SESSION, sequence, messages_of(*lengths, seed=shift)))
            sequence += len(lengths)
    outcomes = check(packets)
    assert len(delivered(outcomes)) == 2 * len(packets)
    assert {outcome.reason for outcome in outcomes} == {DropReason.NONE}


def test_long_blocks():
    packets = [pack_packet(SESSION, 1, messages_of(255, 256, 257, 1000, 19)), pack_packet(SESSION, 6, messages_of(1400))]
    assert delivered(check(packets)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("base", [1, 0xFFF0, 0x1_0000, 0x1_FFFE, 0xFFFF_FFF0, 1 << 63, (1 << 64) - 40_000])
def test_numbers_around_word_boundaries_of_the_sequence(base):
    check([pack_packet(SESSION, base + step, messages_of(0, 9, 0, 10, 0, 0, 0, 0, 11)) for step in (0, 9, 3, 0xFFFF - 0x7FFF, 5)])


def test_every_packet_stands_for_itself():
    """Repeated, overlapping, far ahead, of another session: all of it passes, and the span says which it is."""
    m = messages_of(*([19, 36] * 6))
    packets = [
        pack_packet(SESSION, 1, m[:4]), pack_packet(SESSION, 1, m[:4]), pack_packet(SESSION, 3, m[2:7]), pack_packet(SESSION, 90, m[1:12]),
        pack_packet(b"X" + SESSION[1:], 2, m[:1]), pack_packet(SESSION, 0, m[:1]),
    ]  # fmt: skip
    outcomes = check(packets)
    assert [outcome.span[1:] for outcome in outcomes] == [(1, 5), (1, 5), (3, 8), (90, 101), (2, 3), (0, 1)]


def test_heartbeats_and_ends_of_a_session_hold_nothing():
    packets = [pack_packet(SESSION, 2, []), pack_end_of_session(SESSION, 12), pack_packet(SESSION, 2, []), pack_packet(SESSION, 2, [b""])]
    outcomes = check(packets)
    assert [(outcome.span[1:], outcome.end_of_session) for outcome in outcomes] == [
        ((2, 2), False), ((12, 12), True), ((2, 2), False), ((2, 3), False),
    ]  # fmt: skip


def test_bad_packets_change_nothing():
    good = pack_packet(SESSION, 1, messages_of(19, 20))
    packets = [(good, reason) for reason in DropReason if reason != DropReason.NONE] + [(good[:30], DropReason.TRUNCATED), good]
    packets += [(b"", DropReason.NOT_MATCHED), pack_packet(SESSION, 3, messages_of(21))]
    assert delivered(check(packets)) == [1, 2, 3]


def test_malformed_packets():
    blocks = messages_of(19, 20, 21)
    good = pack_packet(SESSION, 1, blocks)
    packets = [good[:length] for length in range(len(good))]  # cut anywhere
    packets += [good + bytes(extra) for extra in range(1, 10)]
    packets += [pack_header(SESSION, 1, count) + good[20:] for count in (0, 1, 2, 4, 5, 0xFFFE, 0xFFFF)]
    packets += [pack_packet(SESSION, 1, []) + b"\0", pack_end_of_session(SESSION, 1) + b"\0\0", good]
    outcomes = check(packets)
    assert [outcome.reason for outcome in outcomes] == [DropReason.MALFORMED] * (len(packets) - 1) + [DropReason.NONE]


def random_packets(rng, count):
    sequence, packets = rng.choice([1, 1 << 40]), []
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
            sequence = start + len(lengths)
        packets.append((payload, reason))
    return packets


@pytest.mark.parametrize("seed", range(6))
def test_random_packets(seed):
    rng = random.Random(seed)
    packets = random_packets(rng, 150)
    hurry = seed % 2 == 0
    outcomes = check(
        packets,
        pause=lambda: 0 if hurry or rng.random() < 0.7 else rng.randrange(3),
        verdict_after=lambda: rng.randrange(1, 4),
        between=lambda: 0 if hurry else rng.randrange(5),
    )
    assert len(delivered(outcomes)) > 100, f"seed {seed}"
    assert sum(outcome.reason == DropReason.MALFORMED for outcome in outcomes) > 5, f"seed {seed}"


def test_shortest_delivered_is_the_same_in_the_reference():
    messages = messages_of(SHORTEST_DELIVERED - 1, SHORTEST_DELIVERED)
    (outcome,) = check([pack_packet(SESSION, 1, messages)])
    assert outcome.messages == [(2, messages[1])]

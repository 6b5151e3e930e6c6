"""PitchDecoder, behind its framer: what the reference tells, at every alignment, one word in every cycle."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, connect, flipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.feed.pitch import NEEDED, PitchDecoder
from hw.feed.pitch_unit import PitchUnit
from hw.reasons import DropReason
from hw.types import PayloadWord, Verdict
from sim.flow import pitch as write
from sim.golden.itch50 import MalformedMessage
from sim.golden.pitch import BOOK_TYPES, LENGTHS, TRADE_TYPES, TRADING_STATUS, PitchModel
from sim.golden.pitch import NEEDED as NEEDED_BY_REFERENCE
from sim.golden.pitch_unit import LAST_SEQUENCE, TIME, UNIT_CLEAR, has_last_number, pack_unit, packets, unpack_header, unpack_messages
from sim.readers.pcap import read_packets
from tests.data import market_data
from tests.hw.bench import made, simulate
from tests.hw.feed.told import NamedTold
from tests.hw.feed.words import IDLE, message_words, payload_words, put
from tests.streams import pitch_messages

LATENCY = PitchUnit.LATENCY + PitchDecoder.LATENCY


class Chain(wiring.Component):
    """Framer and decoder."""

    payload: In(stream.Signature(PayloadWord, always_ready=True))
    verdict_in: In(stream.Signature(Verdict, always_ready=True))

    def elaborate(self, platform):
        m = Module()
        m.submodules.framer = framer = PitchUnit()
        m.submodules.decoder = self.decoder = decoder = PitchDecoder()
        connect(m, flipped(self.payload), framer.payload)
        connect(m, flipped(self.verdict_in), framer.verdict_in)
        connect(m, framer.words, decoder.words)
        m.d.comb += [decoder.second.eq(framer.second), decoder.clear.eq(framer.clear)]
        return m


def run_chain(dut, decoder_of, payloads, pause=lambda: 0):
    """Sends packets, the next one's first word in the cycle after the verdict; returns what was told."""
    cycles = []
    for payload in payloads:
        for word in payload_words(payload):
            cycles += [(IDLE, False)] * pause() + [(word, False)]
        cycles.append((IDLE, True))
    watch = NamedTold()

    async def testbench(ctx):
        for cycle, (word, verdict) in enumerate(cycles + [(IDLE, False)] * (LATENCY + 2)):
            await put(ctx, dut.payload, IDLE if word is IDLE else {**word, "ingress": cycle})
            ctx.set(dut.verdict_in.valid, verdict)
            ctx.set(dut.verdict_in.payload.reason, DropReason.NONE)
            watch.look(ctx, decoder_of(dut), cycle)
            await ctx.tick()

    simulate(dut, testbench, deadline=len(cycles) + 100)
    return watch.told, cycles


def meanings_of(model, message):
    """What each output must tell of a message: record and symbol, or None."""
    return {"events": model.decode(message), "state": model.market_state(message), "trades": model.trade(message)}


def expected_of(payloads, cycles):
    """By the reference, with the cycle in which each must be told."""
    model, told = PitchModel(), []
    sent = iter(cycle for cycle, (word, _) in enumerate(cycles) if word is not IDLE)
    for payload in payloads:
        word_cycles = [next(sent) for _ in range(-(-len(payload) // 8))]
        sequence, at = int.from_bytes(payload[4:8], "little"), 8
        if has_last_number(unpack_header(payload)):
            told.append((word_cycles[0] + LATENCY, "malformed"))
        for number, message in enumerate(unpack_messages(payload)):
            ends = word_cycles[(at + len(message) - 1) // 8]
            kind_word = word_cycles[(at + 1) // 8]
            at += len(message)
            if message[1] == UNIT_CLEAR:
                told.append((kind_word + LATENCY, "malformed"))
                continue
            try:
                meanings = meanings_of(model, message)
            except MalformedMessage:
                told.append((ends + LATENCY, "malformed"))
                continue
            told += [(ends + LATENCY, port, *meaning, sequence + number, ends) for port, meaning in meanings.items() if meaning]
    return sorted(told, key=lambda each: each[0])


def check(payloads, **pace):
    told, cycles = run_chain(made(Chain), lambda dut: dut.decoder, payloads, **pace)
    expected = expected_of(payloads, cycles)
    for found, wanted in zip(told, expected, strict=False):
        assert found == wanted
    assert len(told) == len(expected)
    return [each for each in told if each[1] == "events"]


def random_message(kind, rng):
    """Random in every field, right in those that are looked at."""
    offset, order, side = rng.randrange(10**9), rng.getrandbits(64), rng.choice("BS")
    big, small, price, name = rng.getrandbits(32), rng.getrandbits(16), rng.randrange(1 << 31), rng.choice(["A", "SPY", "ABCDEF"])
    match kind:
        case 0x20:
            return write.time(rng.randrange(86_400))
        case 0x21:
            return write.add_long(offset, order, side, big, name, price)
        case 0x22:
            return write.add_short(offset, order, side, small, name, rng.getrandbits(16))
        case 0x2F:
            return write.add_expanded(offset, order, side, big, name + "XY", price)
        case 0x27:
            return write.modify_long(offset, order, big, price)
        case 0x24:
            left, traded = rng.choice([0, 1, 1 << 8, 1 << 16, 1 << 24]), rng.choice([price, 1 << 32 - 1, order])
            return write.executed_at_price(offset, order, big, left, order, traded)
        case 0x2A:
            return write.trade_long(offset, side, big, name, price, order)
        case 0x2B:
            return write.trade_short(offset, side, small, name, rng.getrandbits(16), order)
        case 0x30:
            return write.trade_expanded(offset, side, big, name + "XY", price, order)
    body = bytearray(rng.randbytes(LENGTHS[kind]))
    body[:6] = bytes([LENGTHS[kind], kind]) + offset.to_bytes(4, "little")
    return bytes(body)


KINDS = [kind for kind in LENGTHS if kind != UNIT_CLEAR]
SHIFTS = [bytes([9 + shift, 0xE0]) + bytes(7 + shift) for shift in range(8)]
"""Messages that nobody knows: what follows begins in lanes 1 to 7 and 0."""


def test_needed_lengths_are_those_of_the_reference():
    assert NEEDED == NEEDED_BY_REFERENCE
    assert set(NEEDED) == {*BOOK_TYPES, *TRADE_TYPES, TRADING_STATUS}


def test_back_to_back_without_a_pause():
    """Full packets of every type in random order, time messages among them; and the shortest book message, over and over."""
    rng = random.Random(0)
    messages = [random_message(kind, rng) for kind in rng.choices([*KINDS, *BOOK_TYPES], k=400)]
    assert len(check(list(packets(1, 1, messages)))) > 200
    deletes = [write.delete(number, number) for number in range(1, 401)]
    assert len(check(list(packets(1, 1, deletes)))) == 400


def test_pauses_between_the_words():
    rng = random.Random(1)
    messages = [random_message(kind, rng) for kind in rng.choices([*KINDS, *BOOK_TYPES], k=200)]
    assert len(check(list(packets(1, 1, messages, limit=200)), pause=lambda: rng.choice([0, 0, 1, 4]))) > 100


@pytest.mark.parametrize("lane", range(8))
def test_lengths_at_every_alignment(lane):
    """Cut to every length, grown by every number of bytes: too short is malformed, more than needed is right."""
    rng, sequence, payloads = random.Random(lane), 1, []
    for kind in NEEDED:
        message = random_message(kind, rng)
        for length in [*range(9, len(message) + 10), 57, 64, 255]:
            body = bytes([length]) + (message + rng.randbytes(255))[1:length]
            payloads.append(pack_unit(1, sequence, [SHIFTS[(lane - 1) % 8], body, write.delete(1, 2)]))
            sequence += 3
    check(payloads)


@pytest.mark.parametrize("lane", range(8))
def test_sides_and_prices_at_every_alignment(lane):
    bad, high = [], []
    for side in "\0ACRTs\xff":
        bad += [write.add_long(0, 1, "B", 1, "A", 1), write.add_short(0, 1, "B", 1, "A", 1), write.add_expanded(0, 1, "B", 1, "A", 1)]
        bad[-3:] = [message[:14] + side.encode("latin-1") + message[15:] for message in bad[-3:]]
    for bit in range(31, 64):
        price = 1 << bit | 5
        high += [write.add_long(0, 1, "B", 1, "A", price), write.add_expanded(0, 1, "S", 1, "A", price), write.modify_long(0, 1, 1, price)]
    good = high + [write.add_short(0, 1, "B", 1, "A", cents) for cents in (0, 1, 0xFF, 0x100, 0xFFFF)]
    good += [write.modify_long(0, 1, 1, price) for price in (0, 4, 0x7FFFFFFF)]
    messages = [message for each in bad for message in (each, good[len(each) % len(good)])] + good
    found = check([pack_unit(1, 1 + 2 * at, [SHIFTS[(lane - 1) % 8], message]) for at, message in enumerate(messages)])
    assert len(found) == len(bad) + len(good)


@pytest.mark.parametrize("lane", range(8))
def test_prices_of_trades_at_every_alignment(lane):
    """Nothing is wrong with one that is too high; where it does not fit it is all ones."""
    messages = []
    for price in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, *(1 << bit for bit in range(32, 64))):
        messages += [write.trade_long(1, "B", 2, "A", price, 3), write.trade_expanded(1, "?", 2, "A", price, 3)]
        messages += [write.executed_at_price(1, 2, 3, 4, 5, price), write.trade_short(1, "S", 2, "A", price & 0xFFFF, 3)]
    payloads = [pack_unit(1, 1 + 2 * at, [SHIFTS[(lane - 1) % 8], message]) for at, message in enumerate(messages)]
    told, cycles = run_chain(made(Chain), lambda dut: dut.decoder, payloads)
    assert told == expected_of(payloads, cycles)
    assert sum(each[1] == "trades" for each in told) == len(messages)



@pytest.mark.parametrize("lane", range(8))
def test_a_unit_clear_is_told_in_its_own_packet(lane):
    """In front of and behind other messages, and right after a verdict."""
    payloads = [pack_unit(1, 1, [write.delete(1, 1)]), pack_unit(1, 2, [SHIFTS[(lane - 1) % 8], write.unit_clear(1), write.delete(1, 1)]),
                pack_unit(1, 5, [write.unit_clear(1)]), pack_unit(1, 6, [SHIFTS[(lane - 1) % 8], write.unit_clear(1)])]
    told, cycles = run_chain(made(Chain), lambda dut: dut.decoder, payloads)
    assert told == expected_of(payloads, cycles)
    assert [each[1] for each in told].count("malformed") == 3


def test_the_last_number_is_told_in_its_own_packet():
    payloads = [pack_unit(1, LAST_SEQUENCE - 1, [write.delete(1, 1)]), pack_unit(1, LAST_SEQUENCE, [write.delete(1, 1)]),
                pack_unit(1, LAST_SEQUENCE, []), pack_unit(1, LAST_SEQUENCE - 2, [write.delete(1, 1)] * 9), pack_unit(1, 1, [])]
    told, cycles = run_chain(made(Chain), lambda dut: dut.decoder, payloads)
    assert told == expected_of(payloads, cycles)
    assert [each[1] for each in told].count("malformed") == 2


def test_message_that_never_ends_is_forgotten():
    cut, whole = write.add_long(1, 2, "B", 3, "A", 4), [write.delete(0, 6), write.reduce_short(0, 8, 9)]
    for words_left in range(1, 5):
        words = message_words([cut], lead=3, gap=0)
        for word in words:
            word["ends"] = 0
        words = [*words[:words_left], *message_words(whole, lead=5, gap=0), IDLE, IDLE, IDLE]
        dut, watch = PitchDecoder(), NamedTold()

        async def testbench(ctx, dut=dut, watch=watch, words=words):
            for cycle, word in enumerate(words):
                await put(ctx, dut.words, word)
                watch.look(ctx, dut, cycle)
                await ctx.tick()

        simulate(dut, testbench)
        wanted = [("events", *PitchModel().decode(message), number) for number, message in enumerate(whole, 1)]
        assert [each[1:5] for each in watch.told] == wanted


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(pitch_messages(), min_size=1, max_size=10), min_size=1, max_size=4))
def test_generated_streams(groups):
    sequence, payloads = 1, []
    for group in groups:
        payloads.append(pack_unit(1, sequence, group))
        sequence += len(group)
    check(payloads)


@pytest.mark.parametrize("name", ["AddOrderShortMessage", "ModifyOrderShortMessage", "MultipleMessages", "bats_mcastpitch_realtime_useq"])
def test_real_packets(name):
    payloads = [packet.payload for packet in read_packets(market_data(f"cboe/{name}.pcap"))]
    payloads = [payload for payload in payloads if payload[2] and payload[4:8] != bytes(4)]
    found = check(payloads)
    assert len(found) == sum(message[1] in BOOK_TYPES for payload in payloads for message in unpack_messages(payload))
    assert TIME not in NEEDED

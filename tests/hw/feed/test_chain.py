"""The feed's stages together: what a frame means reaches the book once, and nothing of a bad frame ever does."""

import random
from ipaddress import IPv4Address

import pytest

from hw.reasons import DropReason
from sim.flow import pitch
from sim.golden.card import VenueModel, VenueSettings
from sim.golden.ethernet import build_udp, parse_udp, receive
from sim.golden.itch50 import BOOK_TYPES, MESSAGE_LENGTHS
from sim.golden.moldudp64 import pack_packet, packets, unpack_blocks
from sim.golden.pitch_unit import LAST_SEQUENCE, pack_unit
from sim.golden.records import HALT, BookEvent
from sim.readers.frames import read_frames
from tests.data import market_data
from tests.hw.bench import made, simulate
from tests.hw.feed.chain import FeedChain
from tests.hw.feed.words import IDLE, frame_words, put

IP, PORT, SESSION = int(IPv4Address("233.54.12.111")), 26_477, b"000010059B"
SYMBOLS = (1, 7, 8_000, 0xFFFF)


def message(kind, rng):
    body = bytearray(kind.encode() + rng.randbytes(MESSAGE_LENGTHS[kind] - 1))
    body[1:3] = rng.choice(SYMBOLS).to_bytes(2, "big")
    if kind in "AF":
        body[19:20] = rng.choice([b"B", b"S"])
        body[32] &= 0x7F
    if kind == "U":
        body[31] &= 0x7F
    return bytes(body)


def frame_of(sequence, messages, **changes):
    return build_udp(pack_packet(SESSION, sequence, messages), **{"destination_ip": IP, "destination_port": PORT, **changes})


class Reference:
    """The stages' models in a row; what is missing is given up at once."""

    def __init__(self, symbols, expected, address, protocol="itch50"):
        slots = {symbol: slot for slot, symbol in reversed([*enumerate(symbols)])}
        settings = VenueSettings(addresses=[address] * 3, feed_sequence=expected, locates=slots, names=slots)
        self.venue = VenueModel(0, settings, protocol)
        self.venue.restart()

    def frame(self, data, error=False):
        """Reason and (sequence, symbol, event) of one frame."""
        outcome = self.venue.frame(data, error=error)
        events = outcome.events
        while self.venue.arbiter.hole:
            self.venue.gap()
            events += self.venue.give_up()
        return outcome.reason, [(event.sequence, event.symbol, event.event._replace(locate=0)) for event in events]


def run(frames, symbols=SYMBOLS, *, expected=1, address=(IP, PORT), backlog=128, ready=lambda: True, between=lambda: 0,
        protocol="itch50"):
    """Sends frames; returns the reasons, and (sequence, symbol, event) of all that is committed. ``symbols``: locates or names."""
    dut = made(FeedChain, len(symbols), backlog, protocol)
    cycles = []
    for frame in frames:
        cycles += [IDLE] * between() + frame_words(frame)
    reasons, events = [], []

    async def testbench(ctx):
        ctx.set(dut.address, {"ip": address[0], "port": address[1]})
        for slot, symbol in enumerate(symbols):
            name = isinstance(symbol, str)
            ctx.set(dut.bindings[slot], {"enable": 1, "locate": 0 if name else symbol})
            ctx.set(dut.names[slot], int.from_bytes(symbol.encode().ljust(8), "little") if name else 0)
        ctx.set(dut.set_sequence, 1)
        ctx.set(dut.sequence_in, expected)
        await ctx.tick()
        ctx.set(dut.set_sequence, 0)
        remaining = iter(cycles)
        quiet = 0
        while quiet < 20:
            word = next(remaining, IDLE)
            await put(ctx, dut.frames, word)
            take = ready() or word is IDLE
            ctx.set(dut.events.ready, take)
            if ctx.get(dut.final.valid):
                reasons.append(DropReason(ctx.get(dut.final.payload.reason)))
            if take and ctx.get(dut.events.valid):
                e = ctx.get(dut.events.payload)
                found = BookEvent(e.kind.value, e.side.value, *(getattr(e, field) for field in BookEvent._fields[2:]))
                if found.kind >= HALT:  # no other fields are defined
                    found = found._replace(reference=0, new_reference=0, shares=0, price=0)
                events.append((e.sequence, e.symbol, found))
            quiet = 0 if word is not IDLE or ctx.get(dut.events.valid) else quiet + 1
            await ctx.tick()

    simulate(dut, testbench)
    return reasons, events


def check(frames, symbols=SYMBOLS, *, expected=1, address=(IP, PORT), protocol="itch50", **behaviour):
    """Compares with the models; returns the reasons and the number of events."""
    reference = Reference(symbols, expected, address, protocol)
    wanted_reasons, wanted = [], []
    for frame in frames:
        reason, events = reference.frame(frame)
        wanted_reasons.append(reason)
        wanted += events
    reasons, events = run(frames, symbols, expected=expected, address=address, protocol=protocol, **behaviour)
    assert reasons == wanted_reasons
    assert events == wanted
    return reasons, len(events)


def test_wrong_byte_at_every_position():
    """No event of the frame comes out, its reason is named, and the good frame after it is read.

    The Ethernet source address is covered by the FCS alone, which the MAC checks; nothing follows from it.
    """
    rng = random.Random(0)
    messages = [message(kind, rng) for kind in "AUD"]
    good = frame_of(1, messages)
    frames, sequence = [], 1
    for position in range(len(good)):
        good = frame_of(sequence, messages)
        bad = bytearray(good)
        bad[position] ^= rng.randrange(1, 256)
        frames += [bytes(bad), good]
        sequence += len(messages)
    reasons, events = check(frames)
    assert reasons[1::2] == [DropReason.NONE] * len(good)
    assert {position for position, reason in enumerate(reasons[::2]) if reason == DropReason.NONE} == set(range(6, 12))
    assert events == len(messages) * len(good)


def test_malformed_message_takes_its_frame_along():
    rng = random.Random(1)
    good = [message(kind, rng) for kind in BOOK_TYPES]
    frames, sequence = [], 1
    for place in range(len(good)):
        for bad in (good[0][:-1], good[0][:19] + b"X" + good[0][20:], good[0] + b"\0", good[6][:31] + b"\xff" + good[6][32:]):
            frames += [frame_of(sequence, good[:place] + [bad] + good[place:]), frame_of(sequence + 8, good)]
            sequence += 15
    reasons, events = check(frames)
    assert reasons == [DropReason.MALFORMED, DropReason.NONE] * (len(frames) // 2)
    assert events == len(good) * len(frames) // 2


def damaged(frame, rng):
    kind = rng.randrange(4)
    if kind == 0:
        return frame[: rng.randrange(1, len(frame))]
    if kind == 1:
        bad = bytearray(frame)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        return bytes(bad)
    if kind == 2:
        return rng.randbytes(rng.randrange(1, 200))
    return frame[:14] + frame[14:34][::-1] + frame[34:]


@pytest.mark.parametrize("seed", range(3))
def test_random_frames(seed):
    rng = random.Random(seed)
    frames, sequence = [], 1
    for _ in range(120):
        messages = [message(rng.choice([*MESSAGE_LENGTHS, *BOOK_TYPES * 3]), rng) for _ in range(rng.randrange(5))]
        if rng.random() < 0.2:
            messages.insert(rng.randrange(len(messages) + 1), b"")
        start = max(1, sequence + rng.choice([0, 0, 0, 0, -3, 2]))
        frame = frame_of(start, messages, udp_checksum=rng.random() < 0.8)
        if rng.random() < 0.3:
            frames.append(damaged(frame, rng))
        if rng.random() < 0.1:
            frame += rng.randbytes(rng.randrange(1, 50))  # trailing bytes that nobody asked for
        frames.append(frame)
        sequence = max(sequence, start + len(messages))
    reasons, events = check(
        frames,
        SYMBOLS[:3],  # one is not followed
        ready=lambda: rng.random() < 0.8,
        between=lambda: rng.choice([0, 0, 0, rng.randrange(20)]),
    )
    assert events > 60, f"seed {seed}"
    assert reasons.count(DropReason.NONE) > 60, f"seed {seed}"
    assert len(set(reasons)) >= 4, f"seed {seed}"


def test_worst_legal_burst_is_taken_at_line_rate():
    """69 deletes in one frame, frame after frame without a pause, as long as the book keeps up."""
    rng = random.Random(5)
    deletes = [message("D", rng) for _ in range(3 * 69)]
    frames = [
        build_udp(packet, destination_ip=IP, destination_port=PORT) for packet in packets(SESSION, 1, deletes, limit=20 + 69 * 21)
    ]
    assert len(frames) == 3
    assert check(frames) == ([DropReason.NONE] * 3, 3 * 69)


def test_book_that_does_not_keep_up_loses_whole_frames():
    rng = random.Random(6)
    frames = [frame_of(1 + 10 * number, [message("D", rng) for _ in range(10)]) for number in range(6)]
    reasons, events = run(frames, backlog=32, ready=lambda: False)
    assert len(reasons) == 6
    assert [sequence for sequence, _, _ in events] == list(range(1, 31))


@pytest.mark.parametrize("name", [
    "Nasdaq.Equities.TotalView.Itch.v5.0.20230822/" + file for file in (
        "AddOrderNoMPID", "AddOrderWithMPID", "CrossTrade", "LULDAuctionCollar", "MarketParticipantPosition", "NetOrderImbalanceIndicator",
        "NonCrossTrade", "OrderCancel", "OrderDelete", "OrderExecuted", "OrderExecutedWithPrice", "OrderReplace", "RegSHORestriction",
        "StockTradingAction", "SystemEvent",
    )
] + [
    "Bx.Equities.TotalView.Itch.v5.0.20230822/" + file for file in (
        "AddOrderMpidAttributionMessage", "AddOrderNoMpidAttributionMessage", "OrderReplaceMessage", "RetailInterestMessage",
    )
])  # fmt: skip
def test_real_packets(name):
    """Captured MoldUDP64 packets. Their VLAN tags, addresses, session and sequence were taken away or zeroed by their source."""
    payloads = [frame.data[46:] for frame in read_frames(market_data(f"packets/{name}.pcap"))]
    messages = [body for payload in payloads for body in unpack_blocks(payload)]
    assert len(messages) >= 1
    frames = [build_udp(b"0" * 10 + at.to_bytes(8, "big") + payload[18:], destination_ip=IP, destination_port=PORT)
              for at, payload in enumerate(payloads)]  # fmt: skip
    symbols = tuple(sorted({int.from_bytes(body[1:3], "big") for body in messages}))
    reasons, events = check(frames, symbols, expected=0)
    assert set(reasons) == {DropReason.NONE}
    assert events == (len(messages) if chr(messages[0][0]) in f"{BOOK_TYPES}Hh" else 0)


def test_real_frames_of_a_day():
    """Frames of a real morning around its first orders, in their own framing, through all stages."""
    frames = [frame.data for frame in read_frames(market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz"))]
    line = parse_udp(frames[0])
    address = line.destination_ip, line.destination_port
    payloads = [(frame, receive(frame, *address)) for frame in frames]
    payloads = [(frame, received.payload) for frame, received in payloads if received.reason == DropReason.NONE]

    def book_messages(payload):
        return [body for body in unpack_blocks(payload) if chr(body[0]) in BOOK_TYPES]

    first = next(at for at, (_, payload) in enumerate(payloads) if book_messages(payload))
    part = payloads[first - 5 : first + 95]
    symbols = tuple(sorted({int.from_bytes(body[1:3], "big") for _, payload in part for body in book_messages(payload)}))[:16]
    sequence = int.from_bytes(part[0][1][10:18], "big")
    reasons, events = check([frame for frame, _ in part], symbols, expected=sequence, address=address)
    assert set(reasons) == {DropReason.NONE}
    assert events > 30


def test_behind_the_last_number_of_pitch_nothing_follows():
    """The frame that has it is lost, which makes a gap; the frames before and behind it keep their own fates."""
    units = [(LAST_SEQUENCE - 1, 1), (LAST_SEQUENCE, 1), (LAST_SEQUENCE, 0), (1, 1)]
    units = [pack_unit(3, sequence, [pitch.add_short(1, at, "B", 2, "SPY", 3)] * count) for at, (sequence, count) in enumerate(units)]
    frames = [build_udp(packet, destination_ip=IP, destination_port=PORT) for packet in units]
    reasons, events = check(frames, ("SPY",), expected=LAST_SEQUENCE - 1, protocol="pitch")
    assert reasons == [DropReason.NONE, DropReason.MALFORMED, DropReason.NONE, DropReason.NONE]
    assert events == 1

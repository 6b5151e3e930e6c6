"""The client's end against the venue's (sim/venue/soupbin.py), and against what no venue should send."""

import random

import pytest

from hw.order_entry.packet_sum import PacketSum
from hw.order_entry.soupbin import SoupBinClient
from hw.reasons import DownReason
from sim.golden.ouch50 import Packet, frame
from sim.venue.soupbin import Account, ServerConnection
from tests.hw.bench import made, simulate

USER, PASSWORD, SESSION = "TJ0001", "secret", "20261122"
TICK = 10
"""Cycles."""


def text(value, width, *, right=False):
    padded = value.rjust(width) if right else value.ljust(width)
    return int.from_bytes(padded.encode(), "little")


def login(*, session="", sequence="1", password=PASSWORD):
    return {"user": text(USER, 6), "password": text(password, 10), "session": text(session, 10, right=True),
            "sequence": text(sequence, 20, right=True)}


def packet_sum(packet):
    return sum(byte << 8 * (at % 2 == 0) for at, byte in enumerate(packet))


class Rig:
    """A client, and all that it sends: as bytes for ``told``, and packet by packet."""

    def __init__(self, *, rng=None):
        self.dut = made(SoupBinClient)
        self.rng, self.packets, self.messages, self.refused = rng, [], [], 0
        self.to_client = bytearray()
        self.account = Account(USER, PASSWORD, SESSION, receive=lambda message: self.received.append(message))
        self.received = []
        self.server = None
        self.cycle = 0

    async def start(self, ctx, **changes):
        ctx.set(self.dut.login, login(**changes))
        ctx.set(self.dut.heartbeat, 20)
        ctx.set(self.dut.silence, 100)
        ctx.set(self.dut.connected, 1)
        self.server = ServerConnection({USER: self.account}, 0)

    async def wire(self, ctx):
        """The connection, byte by byte towards the client."""
        dut, words, waited = self.dut, [], 0
        while True:
            ready = self.rng is None or self.rng.random() < 0.7
            ctx.set(dut.packet.ready, ready)
            talks = bool(self.to_client) and (self.rng is None or self.rng.random() < 0.8)
            if talks:
                ctx.set(dut.bytes.payload, self.to_client.pop(0))
            ctx.set(dut.bytes.valid, talks)
            ctx.set(dut.tick, self.cycle % TICK == 0)
            waited = waited + 1 if ctx.get(dut.packet.valid) else 0
            if ctx.get(dut.packet.valid) and ready:
                word = ctx.get(dut.packet.payload)
                words.append(word)
                if word.word.last:
                    data = b"".join(part.word.data.to_bytes(8, "little")[:part.word.count] for part in words)
                    assert len(data) == max(word.length, 6) or len(data) == 18
                    assert data[word.length:] == bytes(len(data) - word.length)
                    if waited >= 4 or word.length in (3, 49):
                        assert ctx.get(dut.packet_sum) == packet_sum(data)
                    self.send(data[:word.length])
                    words, waited = [], 0
            if ctx.get(dut.messages.valid):
                self.messages.append(ctx.get(dut.messages.payload))
            self.refused += ctx.get(dut.refused)
            await ctx.tick()
            self.cycle += 1
            if self.server is not None:
                self.server.tick(self.cycle * 1000)
                self.to_client += self.server.take()

    def send(self, data):
        self.packets.append((self.cycle, data))
        if self.server is not None:
            self.server.receive(data, self.cycle * 1000)

    async def order(self, ctx, packet):
        """Offers an order's words without a pause; returns the cycles that the first one waited."""
        dut, waited = self.dut, 0
        padded = packet.ljust(18, b"\0")
        for at in range(0, len(padded), 8):
            chunk = padded[at:at + 8]
            ctx.set(dut.orders.payload, {"data": int.from_bytes(chunk.ljust(8, b"\xEE"), "little"), "count": len(chunk),
                                         "last": at + 8 >= len(padded), "length": len(packet)})
            ctx.set(dut.orders_sum, packet_sum(packet))
            ctx.set(dut.orders.valid, 1)
            while not (await ctx.tick().sample(dut.orders.ready))[2]:
                waited += at == 0
        ctx.set(dut.orders.valid, 0)
        return waited


def whole(messages):
    """(number, message) of each."""
    found, data = [], b""
    for byte in messages:
        data += bytes([byte.value])
        if byte.last:
            found.append((byte.number, data))
            data = b""
    assert not data
    return found


def order_packet(number):
    return frame(Packet("U", b"O" + bytes([number] * 46)))


@pytest.mark.parametrize("seed", [None, 1])
def test_a_day(seed):
    """Login, orders, the venue's messages with their numbers, logout; then again from where it was."""
    rig = Rig(rng=None if seed is None else random.Random(seed))
    sent = [b"first of the day", b"x", bytes(range(200))]

    async def day(ctx):
        await rig.order(ctx, order_packet(9))
        for message in sent[:2]:
            rig.account.send(message)
        await rig.start(ctx)
        await ctx.tick().repeat(400)
        assert ctx.get(rig.dut.logged_in)
        assert ctx.get(rig.dut.session).to_bytes(10, "little").decode() == SESSION.rjust(10)
        for number in range(3):
            await rig.order(ctx, order_packet(number))
        rig.account.send(sent[2])
        await ctx.tick().repeat(400)
        assert ctx.get(rig.dut.number) == 4
        ctx.set(rig.dut.logout, 1)
        await ctx.tick()
        ctx.set(rig.dut.logout, 0)
        await rig.order(ctx, order_packet(8))
        await ctx.tick().repeat(30)
        assert rig.server.closed == "logout"
        ctx.set(rig.dut.connected, 0)
        await ctx.tick().repeat(5)
        assert not ctx.get(rig.dut.logged_in)
        assert ctx.get(rig.dut.number) == 4
        rig.account.send(b"while away")
        await rig.start(ctx, session=SESSION, sequence="4")
        await ctx.tick().repeat(400)
        assert ctx.get(rig.dut.number) == 5
        assert ctx.get(rig.dut.fault) == DownReason.NONE

    simulate(rig.dut, day, processes=[rig.wire])
    assert whole(rig.messages) == list(enumerate([*sent, b"while away"], 1))
    assert rig.received == [order_packet(number)[3:] for number in range(3)]
    assert rig.refused == 2
    first = rig.packets[0][1]
    assert first == frame(Packet("L", f"{USER:<6}{PASSWORD:<10}{'':10}{'1':>20}".encode()))


def test_heartbeats_and_a_venue_that_says_nothing():
    """One after so many ticks of silence of ours; and the venue is given up after so many of its own."""
    rig = Rig()

    async def day(ctx):
        await rig.start(ctx)
        await ctx.tick().repeat(300)
        rig.packets.clear()
        await ctx.tick().repeat(60 * TICK)
        beats = [cycle for cycle, packet in rig.packets if packet == frame(Packet("R"))]
        assert len(beats) >= 2
        assert {b - a for a, b in zip(beats, beats[1:], strict=False)} == {20 * TICK}
        assert ctx.get(rig.dut.fault) == DownReason.NONE
        await ctx.tick().repeat(10 * TICK)
        assert ctx.get(rig.dut.logged_in)
        await ctx.tick().repeat(20 * TICK)
        assert ctx.get(rig.dut.fault) == DownReason.SILENT
        assert not ctx.get(rig.dut.logged_in)

    simulate(rig.dut, day, processes=[rig.wire])


ACCEPT = frame(Packet("A", b"   SESSION" + b"                  12"))


@pytest.mark.parametrize(("data", "fault", "number"), [
    (ACCEPT, DownReason.NONE, 12),
    (ACCEPT + frame(Packet("+", b"debug")) + frame(Packet("+")) + frame(Packet("H")), DownReason.NONE, 12),
    (frame(Packet("+", b"A")) + ACCEPT + frame(Packet("S", b"abc")), DownReason.NONE, 13),
    (frame(Packet("A", b"   SESSION" + b"00000000004294967297")), DownReason.NONE, 1),
    (ACCEPT + frame(Packet("Z")), DownReason.ENDED, 12),
    (ACCEPT + ACCEPT, DownReason.PROTOCOL, 12),
    (ACCEPT + frame(Packet("J", b"A")), DownReason.PROTOCOL, 12),
    (ACCEPT + frame(Packet("S")), DownReason.PROTOCOL, 12),
    (ACCEPT + frame(Packet("H", b"x")), DownReason.PROTOCOL, 12),
    (ACCEPT + frame(Packet("Z", b"x")), DownReason.PROTOCOL, 12),
    (ACCEPT + frame(Packet("U", b"abc")), DownReason.PROTOCOL, 12),
    (ACCEPT + b"\0\0H", DownReason.PROTOCOL, 12),
    (b"\0\0+", DownReason.PROTOCOL, 0),
    (frame(Packet("J", b"S")), DownReason.LOGIN_REJECTED, 0),
    (frame(Packet("J")), DownReason.PROTOCOL, 0),
    (frame(Packet("S", b"abc")), DownReason.PROTOCOL, 0),
    (frame(Packet("H")), DownReason.PROTOCOL, 0),
    (frame(Packet("A", b"   SESSION" + b"                 1 2")), DownReason.PROTOCOL, None),
    (frame(Packet("A", b"   SESSION" + b"                 12 ")), DownReason.PROTOCOL, None),
    (frame(Packet("A", b"   SESSION" + b" " * 20)), DownReason.PROTOCOL, 0),
    (frame(Packet("A", b"   SESSION" + b"                 1x2")), DownReason.PROTOCOL, None),
    (frame(Packet("A", b"   SESSION" + b"                  :1")), DownReason.PROTOCOL, None),
    (frame(Packet("A", b"   SESSION" + b"                  1")), DownReason.PROTOCOL, 0),
])
def test_what_a_venue_may_say_and_what_not(data, fault, number):
    """After a fault nothing is looked at, and no order leaves; the next connection begins anew."""
    rig = Rig()
    tail = frame(Packet("S", b"behind it"))

    async def day(ctx):
        await rig.start(ctx)
        rig.server = None
        await ctx.tick().repeat(2)
        rig.to_client += data + (tail if fault != DownReason.NONE else b"")
        await ctx.tick().repeat(200)
        assert ctx.get(rig.dut.fault) == fault
        assert ctx.get(rig.dut.logged_in) == (fault == DownReason.NONE)
        if number is not None:
            assert ctx.get(rig.dut.number) == number
        if fault == DownReason.LOGIN_REJECTED:
            assert ctx.get(rig.dut.reason) == ord("S")
        await rig.order(ctx, order_packet(1))
        assert rig.refused == (fault != DownReason.NONE)
        ctx.set(rig.dut.connected, 0)
        await ctx.tick().repeat(3)
        ctx.set(rig.dut.connected, 1)
        await ctx.tick().repeat(2)
        rig.messages.clear()
        rig.to_client += ACCEPT + frame(Packet("S", b"anew"))
        await ctx.tick().repeat(60)
        assert (ctx.get(rig.dut.fault), ctx.get(rig.dut.logged_in)) == (DownReason.NONE, 1)

    simulate(rig.dut, day, processes=[rig.wire])
    assert whole(rig.messages) == [(12, b"anew")]


def test_an_order_passes_without_a_cycle_in_between():
    rig = Rig()

    async def day(ctx):
        await rig.start(ctx)
        await ctx.tick().repeat(200)
        ctx.set(rig.dut.orders.valid, 1)
        ctx.set(rig.dut.orders.payload, {"data": 5, "count": 8, "last": 0, "length": 50})
        assert SoupBinClient.LATENCY == 0
        assert ctx.get(rig.dut.packet.valid)

    simulate(rig.dut, day, processes=[rig.wire])


@pytest.mark.parametrize("length", [1, 6, 12, 43, 50, 64])
def test_the_sum_of_a_packet(length):
    dut = made(PacketSum, length)
    rng = random.Random(length)
    packets = [rng.randbytes(length) for _ in range(10)] + [b"\xff" * length]
    sums = []

    async def testbench(ctx):
        for packet in [*packets, *[bytes(length)] * PacketSum.LATENCY]:
            ctx.set(dut.packet, int.from_bytes(packet, "little"))
            sums.append(ctx.get(dut.sum))
            await ctx.tick()

    simulate(dut, testbench)
    assert sums[PacketSum.LATENCY:] == [packet_sum(packet) for packet in packets]

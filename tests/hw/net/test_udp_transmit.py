"""Frames equal the model's, byte for byte, and an independent decoder finds nothing wrong with them."""

import random
import struct

import dpkt
import pytest

from hw.config import TINY
from hw.net.udp_transmit import UdpTransmit
from sim.golden.order_frame import Address, order_frame
from tests.hw.bench import made, simulate


def random_address(rng, *, extreme=False):
    widths = (48, 48, 32, 32, 16, 16)
    return Address(*((1 << width) - 1 if extreme else rng.getrandbits(width) for width in widths))


def set_addresses(ctx, dut, addresses):
    for venue, address in enumerate(addresses):
        ctx.set(dut.addresses[venue], address._asdict())


async def send(ctx, dut, packet, *, venue=0, ingress=0, user_ref=0, shares=0):
    """Offers a packet's words without a pause, padding with them."""
    payload = packet.ljust(18, b"\0")
    for index in range(0, len(payload), 8):
        chunk = payload[index:index + 8]
        ctx.set(dut.packet.payload, {
            "data": int.from_bytes(chunk.ljust(8, b"\xEE"), "little"), "count": len(chunk), "last": index + 8 >= len(payload),
            "order": {"venue": venue, "ingress": ingress, "shares": shares}, "user_ref": user_ref,
            "length": len(packet),
        })
        ctx.set(dut.packet.valid, 1)
        while not ctx.get(dut.packet.ready):
            await ctx.tick()
        await ctx.tick()
    ctx.set(dut.packet.valid, 0)


async def receive(ctx, dut, rng=None):
    """One frame's bytes. To be started before :func:`send`, so that it sees in each cycle what is ready."""
    data = b""
    while True:
        ctx.set(dut.frames.ready, rng is None or rng.random() < 0.6)
        if ctx.get(dut.frames.valid) and ctx.get(dut.frames.ready):
            word = dut.frames.payload
            count, last = ctx.get(word.count), ctx.get(word.last)
            assert last or count == 8
            assert not ctx.get(word.error)
            data += ctx.get(word.data).to_bytes(8, "little")[:count]
            if last:
                await ctx.tick()
                return data
        await ctx.tick()


def test_latency_and_twelve_words_without_a_pause_back_to_back():
    dut = made(UdpTransmit, TINY)
    cycles = {"packet": [], "valid": [], "free": []}

    async def source(ctx):
        cycles["packet"].append(0)
        for _ in range(3):
            await send(ctx, dut, bytes(50))

    async def sink(ctx):
        ctx.set(dut.frames.ready, 1)
        for _ in range(40):
            cycles["valid"].append(ctx.get(dut.frames.valid))
            cycles["free"].append(ctx.get(dut.free))
            await ctx.tick()

    simulate(dut, sink, source)
    assert cycles["valid"] == [0] * UdpTransmit.LATENCY + [1] * 36 + [0] * 3
    assert [cycle for cycle, free in enumerate(cycles["free"]) if free] == [0, 12, 24, 36, 37, 38, 39]


@pytest.mark.parametrize("seed", range(3))
def test_frames_equal_the_model(seed):
    rng = random.Random(seed)
    dut = made(UdpTransmit, TINY)
    expected, received, sent = [], [], []
    total = 25
    clock = 0xFFFFFF00  # wraps on the way

    async def source(ctx):
        addresses = [random_address(rng) for _ in range(2)]
        for number in range(total):
            addresses[rng.randrange(2)] = random_address(rng, extreme=rng.random() < 0.2)
            set_addresses(ctx, dut, addresses)
            payload, venue = rng.randbytes(rng.choice([50, 50, 43, 12, 18, 57, 1])), rng.randrange(2)
            expected.append(order_frame(addresses[venue], payload))
            await send(ctx, dut, payload, venue=venue, ingress=(clock + number) % 2**32, user_ref=number, shares=rng.getrandbits(32))
            for _ in range(rng.choice([0, 0, 1, 5])):
                await ctx.tick()

    async def sink(ctx):
        waits = random.Random(seed)
        for _ in range(total):
            received.append(await receive(ctx, dut, waits))

    async def watch(ctx):
        nonlocal clock
        inside = False
        while True:
            ctx.set(dut.now, clock)
            transferred = ctx.get(dut.frames.valid) and ctx.get(dut.frames.ready)
            assert ctx.get(dut.sent.valid) == (transferred and not inside)
            if ctx.get(dut.sent.valid):
                record = dut.sent.payload
                assert ctx.get(record.latency) == (clock - ctx.get(record.order.ingress)) % 2**32
                sent.append(ctx.get(record.user_ref))
            if transferred:
                inside = not ctx.get(dut.frames.payload.last)
            await ctx.tick()
            clock = (clock + 1) % 2**32

    simulate(dut, sink, source, processes=[watch])
    assert received == expected
    assert sent == list(range(total))


def test_an_independent_decoder_agrees():
    dut = made(UdpTransmit, TINY)
    address = Address(0x010203040506, 0x0A0B0C0D0E0F, 0xC0A80001, 0x0A000102, 26477, 40000)
    payload = bytes(range(50))
    result = []

    async def source(ctx):
        set_addresses(ctx, dut, [address, Address(0, 0, 0, 0, 0, 0)])
        await send(ctx, dut, payload)

    async def sink(ctx):
        result.append(await receive(ctx, dut))

    simulate(dut, sink, source)
    assert len(result[0]) == 92
    frame = dpkt.ethernet.Ethernet(result[0])
    assert (frame.dst, frame.src, frame.type) == (bytes(range(1, 7)), bytes(range(10, 16)), 0x0800)
    ip = frame.data
    assert dpkt.in_cksum(result[0][14:34]) == 0
    assert (ip.len, ip.df, ip.mf, ip.offset, ip.p, ip.ttl) == (78, 1, 0, 0, 17, 64)
    assert (ip.src, ip.dst) == (struct.pack(">I", 0x0A000102), struct.pack(">I", 0xC0A80001))
    assert (ip.data.sport, ip.data.dport, ip.data.ulen, ip.data.sum) == (40000, 26477, 58, 0)
    assert ip.data.data == payload


def checksum_that_folds_twice():
    """Addresses for which the sum of the header, folded once, still does not fit 16 bits."""
    fixed = 0x4500 + 78 + 0x4000 + 0x4011
    for last in range(0x10000):
        total = fixed + 0xFFFF + 0xFFFF + 0xFFFF + last
        if (total & 0xFFFF) + (total >> 16) > 0xFFFF:
            return Address(1, 2, 0xFFFFFFFF, 0xFFFF0000 | last, 3, 4)
    raise AssertionError


def test_a_checksum_that_folds_twice_and_addresses_that_change_on_the_way():
    """The frame keeps the addresses that it began with."""
    dut = made(UdpTransmit, TINY)
    address = checksum_that_folds_twice()
    result = []

    async def sink(ctx):
        result.append(await receive(ctx, dut))

    async def source(ctx):
        set_addresses(ctx, dut, [address] * 2)
        await send(ctx, dut, bytes(range(50)))

    async def host(ctx):
        await ctx.tick().repeat(1)
        set_addresses(ctx, dut, [Address(*[0x55] * 6)] * 2)
        await ctx.tick()

    simulate(dut, sink, source, host)
    assert result == [order_frame(address, bytes(range(50)))]


def test_free_means_that_the_next_word_out_could_be_a_first_one():
    dut = made(UdpTransmit, TINY)

    async def source(ctx):
        assert ctx.get(dut.free)
        for index in range(7):
            ctx.set(dut.packet.payload, {"count": 2 if index == 6 else 8, "last": index == 6, "length": 50})
            ctx.set(dut.packet.valid, 1)
            while not ctx.get(dut.packet.ready):
                await ctx.tick()
                assert not ctx.get(dut.free)
            await ctx.tick()
        ctx.set(dut.packet.valid, 0)
        ctx.set(dut.frames.ready, 0)
        for _ in range(3):
            assert ctx.get(dut.frames.payload.last)
            assert not ctx.get(dut.free)
            await ctx.tick()
        ctx.set(dut.frames.ready, 1)
        assert ctx.get(dut.free)

    async def ready(ctx):
        ctx.set(dut.frames.ready, 1)
        await ctx.tick()

    simulate(dut, ready, source)

"""What the venue would read in our packets, decoded by the model."""

import random
from dataclasses import replace

import pytest

from hw.config import TINY
from hw.order_entry.ouch50 import OuchOrders
from sim.golden import ouch42, ouch50
from sim.golden.ouch50 import Packet, packets
from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL, Order
from tests.hw.bench import made, simulate

SUM_CYCLE = 3
"""From the fourth cycle on the sum of a packet is right."""

MIXED = replace(TINY, order_protocols=("ouch50", "ouch42"))

NAMES = ["AMZN    ", "BRK.A   ", "X       ", "ABCDEFGH"]


def fields(order):
    return order._asdict() | {"ingress": 0}


async def set_names(ctx, dut):
    for symbol, name in enumerate(NAMES):
        ctx.set(dut.names.payload, {"symbol": symbol, "name": int.from_bytes(name.encode(), "little")})
        ctx.set(dut.names.valid, 1)
        await ctx.tick()
    ctx.set(dut.names.valid, 0)


async def collect(ctx, dut, rng=None):
    """One packet's bytes with its order's shares and user reference; checks the framing of the words, and the sum once it is due."""
    data, cycles, total = b"", 0, None
    while True:
        cycles += ctx.get(dut.packet.valid)
        if cycles > SUM_CYCLE:
            assert total in (None, ctx.get(dut.packet_sum))
            total = ctx.get(dut.packet_sum)
        ctx.set(dut.packet.ready, rng is None or rng.random() < 0.6)
        if ctx.get(dut.packet.valid) and ctx.get(dut.packet.ready):
            word = dut.packet.payload
            count, last = ctx.get(word.count), ctx.get(word.last)
            assert last or count == 8
            data += ctx.get(word.data).to_bytes(8, "little")[:count]
            if last:
                beside = ctx.get(word.order.shares), ctx.get(word.user_ref), ctx.get(word.length)
                assert total in (None, sum(byte << 8 * (at % 2 == 0) for at, byte in enumerate(data)))
                assert total is not None or len(data) < 8 * SUM_CYCLE
                await ctx.tick()
                ctx.set(dut.packet.ready, 0)
                return data, *beside
        await ctx.tick()


def test_latency_and_seven_words_without_a_pause():
    dut = made(OuchOrders, TINY)

    async def testbench(ctx):
        await set_names(ctx, dut)
        ctx.set(dut.orders.payload, fields(Order(1, 0, 0, BUY, 100, 12_345)))
        ctx.set(dut.orders.valid, 1)
        ctx.set(dut.packet.ready, 1)
        valid, ready = [], []
        for _ in range(18):
            valid.append(ctx.get(dut.packet.valid))
            ready.append(ctx.get(dut.orders.ready))
            await ctx.tick()
        assert valid == [0] * OuchOrders.LATENCY + [1] * 17
        assert ready == [1, *[0] * 6, 1, *[0] * 6, 1, 0, 0, 0]  # the next order with the last word of the one before

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("config", [TINY, MIXED])
def test_packets_equal_the_model(config, seed):
    rng = random.Random(seed)
    dut = made(OuchOrders, config)
    references = [1, 1]

    async def testbench(ctx):
        await set_names(ctx, dut)
        for _ in range(60):
            order = Order(rng.randrange(16), rng.randrange(2), rng.randrange(4), rng.choice([BUY, SELL]),
                          rng.getrandbits(32), rng.getrandbits(31), kind=rng.choice([NEW, NEW, REPLACE_ORDER, CANCEL_ORDER]),
                          reference=rng.getrandbits(32), day=rng.randrange(2))
            if rng.random() < 0.1:
                venue = rng.randrange(2)
                references[venue] = rng.getrandbits(31)
                ctx.set(dut.set_user_ref, 1)
                ctx.set(dut.set_user_ref_venue, venue)
                ctx.set(dut.set_user_ref_value, references[venue])
                await ctx.tick()
                ctx.set(dut.set_user_ref, 0)
            assert [ctx.get(dut.next_user_ref[venue]) for venue in range(2)] == references
            ctx.set(dut.orders.payload, fields(order))
            ctx.set(dut.orders.valid, 1)
            assert ctx.get(dut.orders.ready)
            await ctx.tick()
            ctx.set(dut.orders.valid, rng.random() < 0.5)
            ctx.set(dut.orders.payload, 0)
            ctx.set(dut.link_free, 0)  # nothing more is taken
            data, shares, sent_under, length = await collect(ctx, dut, rng)
            ctx.set(dut.link_free, 1)
            ctx.set(dut.orders.valid, 0)
            user_ref = order.reference if order.kind == CANCEL_ORDER else references[order.venue]
            protocol = ouch42 if config.order_protocol(order.venue) == "ouch42" else ouch50
            expected = protocol.order_packet(order, name=NAMES[order.symbol], user_ref=user_ref)
            assert data == expected.ljust(18, b"\0")
            assert (shares, sent_under, length) == (order.shares, user_ref, len(expected))
            (packet,) = packets([data[:length]])
            assert packet == Packet("U", expected[3:])
            message = protocol.decode(packet.payload, inbound=True)
            assert message.name == {NEW: "enter_order", REPLACE_ORDER: "replace_order", CANCEL_ORDER: "cancel_order"}[order.kind]
            assert message.fields["quantity"] == order.shares
            references[order.venue] += order.kind != CANCEL_ORDER

    simulate(dut, testbench)


def test_no_order_is_taken_that_could_not_leave_at_once():
    dut = made(OuchOrders, TINY)

    async def testbench(ctx):
        ctx.set(dut.link_free, 0)
        ctx.set(dut.orders.valid, 1)
        for _ in range(5):
            assert not ctx.get(dut.orders.ready)
            await ctx.tick()
        assert not ctx.get(dut.packet.valid)
        ctx.set(dut.link_free, 1)
        assert ctx.get(dut.orders.ready)

    simulate(dut, testbench)


def test_numbers_never_repeat_when_they_run_out():
    dut = made(OuchOrders, TINY)

    async def testbench(ctx):
        ctx.set(dut.set_user_ref, 1)
        ctx.set(dut.set_user_ref_venue, 1)
        ctx.set(dut.set_user_ref_value, 0xFFFFFFFF)
        await ctx.tick()
        ctx.set(dut.set_user_ref, 0)
        assert not ctx.get(dut.exhausted)
        ctx.set(dut.orders.payload, fields(Order(1, 1, 0, BUY, 100, 12_345)))
        ctx.set(dut.orders.valid, 1)
        await ctx.tick()
        _, _, user_ref, _ = await collect(ctx, dut)
        assert user_ref == 0xFFFFFFFF
        for _ in range(5):
            assert ctx.get(dut.exhausted)
            assert not ctx.get(dut.orders.ready)
            await ctx.tick()
        ctx.set(dut.set_user_ref, 1)
        ctx.set(dut.set_user_ref_value, 1)
        await ctx.tick()
        ctx.set(dut.set_user_ref, 0)
        assert ctx.get(dut.orders.ready)

    simulate(dut, testbench)

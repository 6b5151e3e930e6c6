"""The register bank, register by register, as docs/registers.md promises it."""

import random

import pytest
from amaranth.hdl import Module, Signal

from hw.config import TINY
from hw.host_interface import registers
from hw.host_interface.bank import RegisterBank
from hw.host_interface.bus import READ_LATENCY
from hw.host_interface.counter_table import counter_elements
from hw.host_interface.map_types import Access, Register
from hw.host_interface.register_file import RegisterFile, mask
from hw.host_interface.registers import REGISTERS
from hw.types import OrderKind
from tests.hw.bench import simulate
from tests.hw.host_interface.host import BY_NAME, WRITE_LATENCY, Host, run

COUNTERS = counter_elements(TINY)

# Words


def test_identity():
    async def testbench(ctx, bank, host, errors):
        assert await host.read("MAGIC") == int.from_bytes(b"TRPJ", "big")
        assert await host.read("VERSION") == registers.VERSION_MAJOR << 16 | registers.VERSION_MINOR
        assert await host.read("CONFIG_HASH") == TINY.hash
        for name in ("venues", "symbols", "orders", "levels", "backlog", "events", "clock_hz"):
            assert await host.read(f"CONFIG_{name.upper()}") == getattr(TINY, name)
        assert errors == [0]

    run(testbench)


def test_every_register_keeps_what_is_written_and_nothing_else_does():
    async def testbench(ctx, bank, host, errors):
        rng = random.Random(5)
        kept, shown = {}, {}
        special = ("ARM", "KILL", "LIMITS_COMMIT", "HOST_ORDER_DOORBELL")
        for register in REGISTERS:
            if register.access is Access.RO and register.name != "TIME":
                for index, _ in register.elements(TINY):
                    shown[register.name, index] = await host.read(register.name, *index)
        for register in REGISTERS:
            if register.access is Access.RW and register.name not in special and not register.live:
                for index, _ in register.elements(TINY):
                    value = rng.getrandbits(register.bits)
                    await host.write(register.name, value, *index)
                    kept[register.name, index] = value & mask(register)
        assert len(kept) > 40
        for (name, index), value in kept.items():
            assert await host.read(name, *index) == value, (name, index)
        for (name, index), value in shown.items():
            assert await host.read(name, *index) == value, (name, index)
        assert errors == [0]

    run(testbench)


def test_reads_follow_each_other_without_a_pause():
    async def testbench(ctx, bank, host, errors):
        rng = random.Random(6)
        values = {}
        for symbol in range(TINY.symbols):
            values[symbol] = rng.getrandbits(64)
            await host.write("NAME", values[symbol], symbol)
        order = [rng.randrange(TINY.symbols) for _ in range(50)]
        base = BY_NAME["NAME"].offset
        words = await host.read_words(*(base + 8 * symbol + 4 * half for symbol in order for half in range(2)))
        assert words == [values[symbol] >> 32 * half & 0xFFFFFFFF for symbol in order for half in range(2)]

    run(testbench)


def test_accesses_that_the_map_does_not_have_do_nothing_and_count():
    readable, writable = set(), set()
    for register in REGISTERS:
        for _, offset in register.elements(TINY):
            for word in range(register.words):
                if register.access is not Access.WO:
                    readable.add(offset + 4 * word)
                if register.access is not Access.RO and word == 0:
                    writable.add(offset)
    counters = {offset + 4 * word for _, _, offset in COUNTERS for word in range(2)}

    async def testbench(ctx, bank, host, errors):
        rng = random.Random(7)
        candidates = {*range(0, 0x280, 4), *range(0x400, 0x600, 4), *range(0x4000, 0x4100, 4)}
        candidates |= {0x1020, 0x2010, 0x2400, 0x2410, 0x2800, 0x3FFC, 0x5000, 0x5008, 0x7FF8, 0xFFFC, 0x10000}
        candidates |= {0x7FFFC, registers.RING_OFFSET + registers.RECORD_BYTES * TINY.events, 0xFFFFC, 0x41, 0x82, 0x1003}
        bad = sorted(candidates - readable - counters)
        assert len(bad) > 100
        assert await host.read_words(*bad) == [0] * len(bad)
        await ctx.tick().repeat(10)
        assert errors == [len(bad)]

        before = {offset: (await host.read_words(offset))[0] for offset in sorted(readable & candidates)}
        errors[0] = 0
        bad = sorted(candidates - writable)
        for offset in bad:
            await host.write_word(offset, rng.getrandbits(32))
        await ctx.tick().repeat(10)
        assert errors == [len(bad)], "high words without their low words among them"
        for offset, value in before.items():
            assert (await host.read_words(offset))[0] == value, hex(offset)

    run(testbench)


def test_a_wide_register_changes_as_a_whole():
    async def testbench(ctx, bank, host, errors):
        await host.write("ORDER_SOURCE_MAC", 0x1111_2222_3333, 1)
        address = BY_NAME["ORDER_SOURCE_MAC"].offset + 0x80 + 0
        await host.write_word(address, 0x55556666)
        await ctx.tick().repeat(5)
        assert await host.read("ORDER_SOURCE_MAC", 1) == 0x1111_2222_3333
        await host.write_word(address, 0x77778888)
        await ctx.tick().repeat(3)
        await host.write_word(address + 4, 0xFFFF4444)
        seen = set()
        for _ in range(5):
            seen.add(ctx.get(bank.venues[1].order_address.source_mac))
            await ctx.tick()
        assert seen == {0x1111_2222_3333, 0x4444_7777_8888}
        assert await host.read("ORDER_SOURCE_MAC", 1) == 0x4444_7777_8888
        assert errors == [0]

        await host.write_word(address + 4, 1)  # a second high word
        await host.write_word(address, 2)
        await host.write("SCRATCH", 3)
        await host.write_word(address + 4, 4)  # not right after its low word
        assert await host.read("ORDER_SOURCE_MAC", 1) == 0x4444_7777_8888
        assert errors == [2]

    run(testbench)


def test_time_is_read_coherently_across_the_carry():
    """Time goes on between the words; the high word is that of the low word's instant, however often it is read."""
    async def testbench(ctx, bank, host, errors):
        for start in range(0xFFFFFFF0, 0x1_0000_0002):
            low, high, again = await words_read_at(ctx, bank, start, BY_NAME["TIME"].offset, {0: 0, 7: 4, 14: 4})
            assert start <= (high << 32 | low) <= start + 5
            assert again == high

    async def words_read_at(ctx, bank, start, address, reads):
        """Words at address + reads[cycle], each asked for in its cycle, while time runs on from ``start``."""
        words = []
        for cycle in range(max(reads) + READ_LATENCY + 1):
            if cycle - READ_LATENCY in reads:
                words.append(ctx.get(bank.bus.read_data))
            ctx.set(bank.now, start + cycle)
            ctx.set(bank.bus.read, cycle in reads)
            ctx.set(bank.bus.address, address + reads.get(cycle, 0))
            await ctx.tick()
        return words

    run(testbench)


# Control


def test_state_shows_each_venue():
    async def testbench(ctx, bank, host, errors):
        ctx.set(bank.venues[1].stale, 1)
        ctx.set(bank.venues[0].busy, 1)
        ctx.set(bank.venues[1].stale_reason, 1)
        ctx.set(bank.venues[1].recovering, 1)
        assert await host.read("STATE") == 1 << 9 | 1 << 16
        assert await host.read("STALE_REASON", 1) == 1
        assert (await host.read("RECOVERING", 0), await host.read("RECOVERING", 1)) == (0, 1)
        assert await host.read("STALE_REASON", 0) == 0

    run(testbench)


def test_resync_and_clear_positions_are_pulses():
    pulses = []

    async def watch(ctx, bank):
        async for _, _, first, second, clear in ctx.tick().sample(bank.venues[0].resync, bank.venues[1].resync, bank.clear_positions):
            if first or second or clear:
                pulses.append((first, second, clear))

    async def testbench(ctx, bank, host, errors):
        for name, value in (("RESYNC", 2), ("RESYNC", 1), ("RESYNC", 3), ("RESYNC", 0), ("CLEAR_POSITIONS", 1), ("CLEAR_POSITIONS", 0)):
            await host.write(name, value)
            await ctx.tick().repeat(6)
        assert pulses == [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1)]

    run(testbench, watch)


# Orders


def test_a_position_is_a_snapshot_of_the_symbol_asked_for():
    async def gateway(ctx, bank):
        """Answers two cycles after the question, with numbers that never stand still."""
        asked = [0, 0]
        cycle = 0
        async for _, _, symbol in ctx.tick().sample(bank.query_symbol):
            cycle += 1
            asked = [asked[1], symbol]
            ctx.set(bank.position, -1000 * asked[0] - cycle)
            ctx.set(bank.working_buy, 1000 * asked[0] + cycle)
            ctx.set(bank.working_sell, 2000 * asked[0] + cycle)

    async def testbench(ctx, bank, host, errors):
        for symbol in (3, 1, 2):
            await host.write("POSITION_SYMBOL", symbol)
            assert await host.read("POSITION_SYMBOL") == 1 << 31 | symbol
            while await host.read("POSITION_SYMBOL") >> 31:
                pass
            position, buy, sell = await host.read("POSITION"), await host.read("WORKING_BUY"), await host.read("WORKING_SELL")
            cycle = buy - 1000 * symbol
            assert 0 < cycle < 500
            assert (position, sell) == (-1000 * symbol - cycle, 2000 * symbol + cycle)

    run(testbench, gateway)


def test_a_look_is_passed_on_once_and_not_while_one_is_under_way():
    asked = []

    async def books(ctx, bank):
        """One of them tells its levels for 200 cycles."""
        busy = 0
        async for _, _, look, *what in ctx.tick().sample(bank.look, bank.look_venue, bank.look_symbol, bank.look_orders):
            if look:
                asked.append(tuple(what))
                busy = 200
            busy = max(0, busy - 1)
            ctx.set(bank.looking, busy > 0)

    async def testbench(ctx, bank, host, errors):
        await host.write("LOOK", 1 << 8 | 3)
        assert await host.read("LOOK") == 1 << 31 | 1 << 8 | 3
        await host.write("LOOK", 2)
        while await host.read("LOOK") >> 31:
            pass
        await host.write("LOOK", 1 << 31 | 1 << 12 | 2)
        assert await host.read("LOOK") == 1 << 31 | 1 << 12 | 2
        assert asked == [(1, 3, 0), (0, 2, 1)]

    run(testbench, books)


def test_an_order_of_the_host_waits_unchanged_and_the_next_is_refused():
    async def testbench(ctx, bank, host, errors):
        port = bank.host_orders
        ctx.set(bank.now, 0x1_2345_6789)
        await host.write("HOST_ORDER", 3 << 16 | 1 << 8 | 1)
        await host.write("HOST_ORDER_REFERENCE", 77)
        await host.write("HOST_ORDER_SHARES", 100)
        await host.write("HOST_ORDER_PRICE", 990_000)
        assert not ctx.get(port.valid)
        await host.write("HOST_ORDER_DOORBELL", 1)
        assert await host.read("HOST_ORDER_BUSY") == 1
        await host.write("HOST_ORDER_SHARES", 999)
        await host.write("HOST_ORDER_DOORBELL", 1)
        refused = []
        for _ in range(2 * WRITE_LATENCY):
            refused.append(ctx.get(bank.host_order_refused))
            await ctx.tick()
        assert sum(refused) == 1
        order = ctx.get(port.payload)
        assert (order.strategy, order.venue, order.symbol, order.side.value, order.shares, order.price) == (0, 1, 3, 1, 100, 990_000)
        assert (order.trigger_venue, order.trigger_sequence, order.ingress) == (0, 0, 0x2345_6789)
        assert (order.kind, order.reference, order.day) == (OrderKind.NEW, 0, 0)
        ctx.set(port.ready, 1)
        await ctx.tick()
        ctx.set(port.ready, 0)
        assert not ctx.get(port.valid)
        assert await host.read("HOST_ORDER_BUSY") == 0
        await host.write("HOST_ORDER_DOORBELL", 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(port.valid)
        for day, kind in ((1, OrderKind.NEW), (0, OrderKind.CANCEL)):
            await host.write("HOST_ORDER", day << 26 | kind.value << 24)
            await host.write("HOST_ORDER_DOORBELL", 1)
            await ctx.tick().repeat(WRITE_LATENCY)
            order = ctx.get(port.payload)
            assert (order.kind, order.reference, order.day) == (kind, 77 * (kind == OrderKind.CANCEL), day)
            ctx.set(port.ready, 1)
            await ctx.tick()
            ctx.set(port.ready, 0)

    run(testbench)


def test_a_reply_is_one_transfer():
    taken = []

    async def watch(ctx, bank):
        async for _, _, valid, reply in ctx.tick().sample(bank.replies.valid, bank.replies.payload):
            if valid:
                taken.append((reply.symbol, reply.side.value, int(reply.kind), reply.venue, reply.user_ref, reply.number, reply.shares))

    async def testbench(ctx, bank, host, errors):
        replies = [(1, 0, 1, 2, 11, 8, 50), (3, 1, 4, 15, 2**32 - 1, 9, 7)]
        for symbol, side, kind, venue, user_ref, number, shares in replies:
            await host.write("REPLY", venue << 12 | kind << 9 | side << 8 | symbol)
            await host.write("REPLY_USER_REF", user_ref)
            await host.write("REPLY_NUMBER", number)
            await host.write("REPLY_SHARES", shares)
            await host.write("REPLY_DOORBELL", 1)
        await ctx.tick().repeat(5)
        assert taken == replies

    run(testbench, watch)


# Settings


def test_settings_reach_the_stage_that_they_are_for():
    named = []

    async def watch(ctx, bank):
        async for _, _, valid, name in ctx.tick().sample(bank.names.valid, bank.names.payload):
            if valid:
                named.append((name.symbol, name.name))

    async def testbench(ctx, bank, host, errors):
        await host.write("FEED_IP", 0xE9360C6F, 1)
        await host.write("FEED_PORT", 26477, 1)
        for offset, name in enumerate(("FEED_B", "RECOVERY"), 1):
            await host.write(f"{name}_IP", (0xE9360C7F, 0x0A000009)[offset - 1], 1)
            await host.write(f"{name}_PORT", 26477 + offset, 1)
        await host.write("HOLE_CYCLES", 5_000, 1)
        await host.write("RECOVERY_CYCLES", 6_000, 1)
        await host.write("FEED_SEQUENCE", 0x1_0000_0001, 1)
        await host.write("ORDER_DESTINATION_MAC", 0x0200_0000_0001, 1)
        await host.write("ORDER_DESTINATION_IP", 0x0A000001, 1)
        await host.write("ORDER_SOURCE_IP", 0x0A000002, 1)
        await host.write("ORDER_DESTINATION_PORT", 30001, 1)
        await host.write("ORDER_SOURCE_PORT", 40001, 1)
        await host.write("BINDING", 1 << 31 | 0x7FFF << 16 | 777, 1, 2)
        await host.write("NAME", int.from_bytes(b"AMZN    ", "little"), 2)
        await host.write("ARB_MIN_PROFIT", 100)
        await host.write("ARB_MAX_SHARES", 200)
        await host.write("ARB_COOLDOWN", 300)
        await host.write("ARB_ENABLE", 0b0101, 0)
        await ctx.tick().repeat(2)
        venue, quiet = bank.venues[1], bank.venues[0]
        assert [(ctx.get(venue.addresses[line].ip), ctx.get(venue.addresses[line].port)) for line in range(3)] == [
            (0xE9360C6F, 26477), (0xE9360C7F, 26478), (0x0A000009, 26479)]
        assert (ctx.get(venue.hole_cycles), ctx.get(venue.recovery_cycles)) == (5_000, 6_000)
        assert ctx.get(venue.sequence) == 0x1_0000_0001
        address = ctx.get(venue.order_address)
        assert (address.destination_mac, address.destination_ip, address.source_ip) == (0x0200_0000_0001, 0x0A000001, 0x0A000002)
        assert (address.destination_port, address.source_port) == (30001, 40001)
        assert [(b.enable, b.locate) for b in (ctx.get(venue.bindings[slot]) for slot in range(4))] == [(0, 0), (0, 0), (1, 777), (0, 0)]
        assert ctx.get(quiet.addresses[0]).ip == 0
        assert not any(ctx.get(quiet.bindings[slot]).enable for slot in range(4))
        assert named == [(2, int.from_bytes(b"AMZN    ", "little"))]
        assert ctx.get(bank.cooldown) == 300
        assert ctx.get(bank.enable) == 0b0101

    run(testbench, watch)


def test_what_the_venues_show():
    async def testbench(ctx, bank, host, errors):
        for number, venue in enumerate(bank.venues):
            ctx.set(venue.expected, 0xAAAA_0000_0001 + number)
            ctx.set(venue.backlog, 17 + number)
            ctx.set(venue.next_user_ref, 1000 + number)
        for number in range(TINY.venues):
            assert await host.read("FEED_EXPECTED", number) == 0xAAAA_0000_0001 + number
            assert await host.read("BACKLOG", number) == 17 + number
            await host.write("USER_REF", 5, number)
            assert ctx.get(bank.venues[number].user_ref) == 0 or ctx.get(bank.venues[number].user_ref) == 5
            assert await host.read("USER_REF", number) == 1000 + number, "the card's own number"
        assert ctx.get(bank.venues[1].user_ref) == 5

    run(testbench)


# Windows


def test_counters_and_ring_are_read_through_the_bank():
    """Stand-ins with the latencies of the real ones answer with their address."""
    m = Module()
    m.submodules.bank = bank = RegisterBank(TINY)
    counter, ring = [bank.counters.address], [bank.ring.address]
    for delayed, cycles in ((counter, 2), (ring, 3)):
        for _ in range(cycles):
            delayed.append(Signal.like(delayed[-1]))
            m.d.sync += delayed[-1].eq(delayed[-2])
    tick = Signal(8)
    m.d.sync += tick.eq(tick + 1)
    m.d.comb += [bank.counters.data.eq(counter[-1] << 40 | tick << 32 | counter[-1]), bank.ring.data.eq(0x1000_0000 | ring[-1])]

    async def testbench(ctx):
        host = Host(ctx, bank.bus)
        for number, (_, _, offset) in enumerate(COUNTERS):
            low, high = await host.read_words(offset, offset + 4)
            assert low == number
            assert high >> 8 == number
        words = [0, 1, 7, 8, 8 * TINY.events - 1]
        read = await host.read_words(*(registers.RING_OFFSET + 4 * word for word in words))
        assert read == [0x1000_0000 | word for word in words]
        low, again = await host.read_words(COUNTERS[3][2], registers.RING_OFFSET + 4)
        assert (low, again) == (3, 0x1000_0001)

    simulate(m, testbench)


@pytest.mark.parametrize(("entries", "complaint"), [
    ([Register("A", 0, Access.RW, ""), Register("B", 0, Access.RO, "")], "A and B share offset 0x0"),
    ([Register("A", 4, Access.RW, "", bits=64)], "not a multiple of 8"),
    ([Register("A", 0, Access.RW, "", bits=65)], "1 to 64 bits"),
])
def test_a_map_that_can_not_be_built_is_refused(entries, complaint):
    with pytest.raises(ValueError, match=complaint):
        RegisterFile(TINY, tuple(entries))

"""The register bank: orders of the host for a book."""

from hw.config import TINY
from tests.hw.host_interface.host import run


def test_an_order_for_a_book_waits_unchanged_and_the_next_is_refused():
    refused = []

    async def watch(ctx, bank):
        async for _, _, pulse in ctx.tick().sample(bank.restore_refused):
            refused.extend([1] * pulse)

    async def testbench(ctx, bank, host, errors):
        async def give(reference, venue, symbol, side):
            await host.write("RESTORE_REFERENCE", reference)
            await host.write("RESTORE_SHARES", reference & 0xFF)
            await host.write("RESTORE_PRICE", reference & 0xFFFF)
            await host.write("RESTORE_ORDER", 1 << 31 | side << 12 | venue << 8 | symbol)
            assert (await host.read("RESTORE_ORDER")) & 0x1FFF == side << 12 | venue << 8 | symbol

        port = bank.restored
        await give(0x1234_5678_9ABC_DEF0, 1, 3, 1)
        await give(7, 0, 0, 0)
        assert len(refused) == 1
        order = ctx.get(port.payload)
        assert ctx.get(port.valid)
        assert (order.reference, order.venue, order.symbol, order.side.value) == (0x1234_5678_9ABC_DEF0, 1, 3, 1)
        assert (order.shares, order.price) == (0xF0, 0xDEF0)
        assert await host.read("RESTORE_ORDER") >> 31
        ctx.set(port.ready, 1)
        await ctx.tick()
        ctx.set(port.ready, 0)
        assert not ctx.get(port.valid)
        assert not await host.read("RESTORE_ORDER") >> 31
        for venue, symbol in ((TINY.venues, 0), (0, TINY.symbols), (15, 255)):
            await give(8, venue, symbol, 0)
            assert not ctx.get(port.valid)
        assert len(refused) == 4
        assert not errors[0]

    run(testbench, watch)


def test_restore_lasts_from_its_write_until_it_is_done_or_the_venue_begins_anew():
    resyncs = []

    async def watch(ctx, bank):
        async for _, _, pulse in ctx.tick().sample(bank.venues[1].resync):
            resyncs.extend([1] * pulse)

    async def testbench(ctx, bank, host, errors):
        for ends in ("RESTORE_DONE", "RESYNC"):
            before = len(resyncs)
            await host.write("RESTORE", 2)
            await ctx.tick().repeat(4)
            assert [ctx.get(venue.restore) for venue in bank.venues] == [0, 1]
            await host.write(ends, 1)
            await ctx.tick().repeat(4)
            assert ctx.get(bank.venues[1].restore)
            assert len(resyncs) == before + 1
            await host.write(ends, 2)
            await ctx.tick().repeat(4)
            assert not ctx.get(bank.venues[1].restore)
        assert len(resyncs) == 3
        assert not errors[0]

    run(testbench, watch)

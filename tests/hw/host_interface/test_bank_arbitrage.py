"""What the bank makes of the detector's registers: limits committed slot by slot, terms of the venues, written quotes."""

from tests.hw.host_interface.test_bank import run


def test_limits_of_a_slot_go_out_as_a_whole_with_the_commit():
    told = []

    async def watch(ctx, bank):
        async for _, _, valid, payload in ctx.tick().sample(bank.arbitrage_limits.valid, bank.arbitrage_limits.payload):
            if valid:
                told.append((payload.symbol, payload["values"].min_profit, payload["values"].min_shares, payload["values"].max_shares))

    async def testbench(ctx, bank, host, errors):
        for slot in (2, 0):
            await host.write("ARB_MIN_PROFIT", 100 + slot)
            await host.write("ARB_MIN_SHARES", 5)
            await host.write("ARB_MAX_SHARES", 1 << 18 | 7)  # 18 bits
            assert len(told) == (slot == 0)
            await host.write("ARB_COMMIT", slot)
            await ctx.tick().repeat(4)
        assert told == [(2, 102, 5, 7), (0, 100, 5, 7)]

    run(testbench, watch)


def test_terms_of_the_venues():
    async def testbench(ctx, bank, host, errors):
        await host.write("ARB_VENUES", 0b01)
        await host.write("ARB_DIRECT", 0b10)
        await host.write("ARB_SHARE_FEE", (1 << 24) - 3, 1)
        await host.write("ARB_FEE_RATE", (1 << 18) - 4, 1)
        await host.write("ARB_MAX_AGE", 1 << 40, 1)
        await ctx.tick().repeat(4)
        terms = [ctx.get(one) for one in bank.terms]
        assert [(one.enable, one.direct, one.share_fee, one.fee_rate, one.max_age) for one in terms] == [
            (1, 0, 0, 0, 0), (0, 1, -3, -4, 1 << 40)]

    run(testbench)


def test_a_quote_goes_out_as_a_whole_with_the_doorbell():
    told, names = [], ("venue", "symbol", "bid_price", "bid_shares", "ask_price", "ask_shares", "time")

    async def watch(ctx, bank):
        async for _, _, valid, payload in ctx.tick().sample(bank.quotes.valid, bank.quotes.payload):
            if valid:
                told.append([getattr(payload, name) for name in names])

    async def testbench(ctx, bank, host, errors):
        await host.write("QUOTE", 0x1234_0003)
        await host.write("QUOTE_BID_PRICE", 1 << 40 | 1)
        await host.write("QUOTE_BID_SHARES", 2)
        await host.write("QUOTE_ASK_PRICE", 1 << 47)
        await host.write("QUOTE_ASK_SHARES", 4)
        await host.write("QUOTE_TIME", 1 << 46)
        await host.write("QUOTE_DOORBELL", 0)
        assert not told
        await host.write("QUOTE_DOORBELL", 1)
        await ctx.tick().repeat(4)
        assert told == [[3, 0x1234, 1 << 40 | 1, 2, 1 << 47, 4, 1 << 46]]

    run(testbench, watch)

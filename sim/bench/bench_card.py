"""The whole card beside the golden chain: frames and register writes in, order frames and event records out."""

from itertools import cycle

from host.card.replies import FILLED, RELEASED
from hw.reasons import DropReason, RejectReason, StaleReason
from sim.bench.card_bench import HOLE, LIMITS, TIGHT, CardBench
from sim.bench.feeds import LossyLines, pulsing
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share
from sim.flow import itch

KILLED_WITHIN = 8
"""Cycles from the write of the kill switch on the bus to the last cycle in which an order frame may begin."""

SECOND_LEG = 16
"""Cycles more for the second leg of a pair, which leaves behind the first."""


def is_second_leg(card, number):
    """Of the order in this frame, counted from the first."""
    return number > 0 and bool(card.board.sent[number - 1][0].pair)


async def traffic(card, frames, act):
    """``frames`` calls of ``act(feed)`` for each venue, a few ahead of what the ports take."""
    for _ in range(frames):
        for feed in card.feeds:
            act(feed)
        await card.tb.until(lambda: sum(feed.source.waiting for feed in card.feeds) < 200, what="room at the feed ports")


@bench_test(timeout_us=100_000)
async def a_market_day(tb):
    """Both venues at any pace; every opportunity taken, every record told."""
    card = CardBench(tb)
    await card.set_up()
    await traffic(card, share(400), lambda feed: feed.good())
    await card.finish()
    assert len(card.board.sent) > share(30), f"only {len(card.board.sent)} orders"


@bench_test(timeout_us=100_000)
async def one_frame_after_the_other(tb):
    """A frame enters only when nothing moves."""
    card = CardBench(tb, rates=Pattern.DENSE, back_pressure=Pattern.DENSE)
    await card.set_up()
    for _ in range(share(250)):
        tb.rng.choice(card.feeds).good(1)
        await card.quiet()
    await card.finish()


COOLDOWN = 500
"""Cycles: longer than it takes to show an opportunity, take it away and bring it back."""


def triggers(first):
    """Messages of one venue that each leave an opportunity in place that was not signalled before, by kind; with what comes before them.

    The other venue offers 1,000 shares at 100.00. References from ``first`` on are free.
    """
    def add(number, shares, price, maker=""):
        return itch.add(1, 7, "ANTS", first + number, "B", shares, price, maker)

    deep, best = add(0, 500, 1_000_100), add(1, 300, 1_000_200)
    return {
        "A": ([], add(0, 200, 1_000_100)),
        "F": ([], add(0, 200, 1_000_100, "VIRT")),
        "E": ([deep], itch.executed(1, 7, first, 100, 1)),
        "E best": ([deep, best], itch.executed(1, 7, first + 1, 300, 1)),
        "C": ([deep], itch.executed_with_price(1, 7, first, 100, 1, 5)),
        "X": ([deep], itch.cancel(1, 7, first, 100)),
        "X best": ([deep, best], itch.cancel(1, 7, first + 1, 300)),
        "D": ([deep, add(1, 300, 1_000_100)], itch.delete(1, 7, first + 1)),
        "D best": ([deep, best], itch.delete(1, 7, first + 1)),
        "U": ([deep, add(1, 300, 1_000_100)], itch.replace(1, 7, first + 1, first + 2, 90, 1_000_300)),
        "U best": ([deep, best], itch.replace(1, 7, first + 1, first + 2, 100, 1_000_300)),
    }


@bench_test(timeout_us=100_000)
async def answer_times(tb):
    """From the last byte of the trigger to the first byte of the order: for each kind of message one number, on every byte lane."""
    card = CardBench(tb, rates=Pattern.DENSE, back_pressure=Pattern.DENSE)
    card.locates = [[7], [7]]
    await card.set_up(cooldown=COOLDOWN)
    offers, bids = card.feeds

    async def send(feed, *messages):
        feed.send(feed.frame(feed.packet_of(list(messages))))
        await card.quiet(cycles=50)

    await send(offers, itch.add(1, 7, "ANTS", 1, "S", 1_000, 1_000_000))
    found, reference = {}, 10
    for lane in range(8) if share(100) == 100 else (0, 5):
        # the filler moves the trigger's end through all lanes; no message is of type z, and nobody looks at it
        filler = b"z" + bytes(10 + lane)
        for kind, (before, trigger) in triggers(reference).items():
            reference += 10
            if before:  # taken once, gone, and back while the symbol cools down
                await send(bids, itch.add(1, 7, "ANTS", reference - 1, "B", 1, 1_000_100))
                await send(bids, itch.delete(1, 7, reference - 1))
                await send(bids, *before)
            await tb.cycles(COOLDOWN)
            count = len(card.board.latencies)
            await send(bids, filler, trigger)
            assert len(card.board.latencies) == count + 2, f"{kind} caused no pair of orders"
            found.setdefault(kind, set()).add(card.board.latencies[count][1])
            live = [order for order in card.board.venues[1].model.book.orders]
            await send(bids, *(itch.delete(1, 7, order) for order in live))
            await tb.cycles(COOLDOWN)
    tb.dut._log.info(f"cycles from the last byte of the trigger to the first word of the order: {found}")
    assert all(len(cycles) == 1 for cycles in found.values()), f"answer times vary: {found}"
    assert max(max(cycles) for cycles in found.values()) <= 30, f"{found}"
    tb.transactions += len(card.board.latencies)
    await card.finish()


@bench_test(timeout_us=100_000)
async def the_kill_switch(tb):
    """It falls at any moment of a busy market: at most what was on its way out by then begins to leave."""
    card = CardBench(tb, rates=(1.0, 0.9), back_pressure=Pattern.DENSE, flow=pulsing)
    await card.set_up()
    written = []
    card.bus.on_write(lambda name, index, value: written.append(tb.now) if name == "KILL" and value else None)
    for _ in range(share(15)):
        for _ in range(8):
            for feed in card.feeds:
                feed.good()
        await tb.cycles(tb.rng.randint(50, 300))
        card.bus.write("KILL", 1)
        await card.bus.settle()
        frames = len(card.board.collector.frames)
        await card.quiet()
        begun = [(first - written[-1], number) for number, (first, _, _) in enumerate(card.board.collector.frames) if number >= frames - 1]
        late = [cycles for cycles, number in begun if cycles > KILLED_WITHIN + SECOND_LEG * is_second_leg(card, number)]
        assert not late, f"order frames began {late} cycles after the kill switch"
        tb.transactions += 1
        await card.bus.arm()  # not while killed
        await card.bus.settle()
        assert await card.bus.read("ARM") == 0
        card.bus.write("KILL", 0)
        await card.bus.arm()
        await card.bus.settle()
        assert await card.bus.read("ARM") == 1
    await card.finish()
    assert card.board.reasons[RejectReason.NONE] > share(10)


@bench_test(timeout_us=100_000)
async def gaps_and_fresh_starts(tb):
    """What is lost makes the venue stale, and nothing is traded on it until the host starts it afresh."""
    card = CardBench(tb)
    await card.set_up()
    for round_ in range(share(10)):
        await traffic(card, 8, lambda feed: feed.good())
        await card.quiet()
        feed = card.feeds[round_ % len(card.feeds)]
        feed.lose(tb.rng.randint(1, 5))
        feed.good()
        await card.quiet()
        assert await card.bus.read("STALE_REASON", feed.venue) == StaleReason.GAP
        orders = len(card.board.sent)
        await traffic(card, 5, lambda feed: feed.good())
        await card.quiet()
        assert len(card.board.sent) == orders, "orders on a stale venue"
        await card.resync([feed.venue])
        assert await card.bus.read("STALE_REASON", feed.venue) == StaleReason.NONE
        assert await card.bus.read("FEED_EXPECTED", feed.venue) == feed.sequence
    await traffic(card, share(80), lambda feed: feed.good())
    await card.finish()
    assert sum(len(venue.gaps) for venue in card.board.venues) == share(10)


@bench_test(timeout_us=100_000)
async def halts(tb):
    """What a venue does not trade gets no order: from the start until it says so, in a halt of either kind, and after a fresh start."""
    card, rng = CardBench(tb), tb.rng
    await card.set_up(assume_trading=False)
    symbols = list(enumerate(card.symbols))

    async def host_orders():
        for venue in range(card.config.venues):
            for slot, _ in symbols:
                while await card.bus.read("HOST_ORDER_BUSY"):
                    pass
                card.host_order(venue=venue, symbol=slot)
        await card.quiet()

    async def halted():
        return {(venue, slot) for venue in range(card.config.venues) for slot, _ in symbols
                if await card.bus.read("HALTED", venue, 0) >> slot & 1}

    everything = {(venue, slot) for venue in range(card.config.venues) for slot, _ in symbols}
    await traffic(card, share(10), lambda feed: [feed.good(), feed.status("ANTS", 0, rng.choice("HPQ"))])
    await card.quiet()
    assert not {order.symbol for order, _, _ in card.board.sent} & {0}
    for feed in card.feeds:
        for slot, name in symbols:
            feed.status(name, slot, "T")
    await card.quiet()
    assert not await halted()
    for _ in range(share(40)):
        feed = rng.choice(card.feeds)
        slot, name = rng.choice(symbols)
        feed.status(name, slot, rng.choice("HTTPQ"), operational=rng.random() < 0.4)
        await traffic(card, 3, lambda feed: feed.good())
        await host_orders()
        if rng.random() < 0.1:
            await card.resync([feed.venue])
            mine = {place for place in everything if place[0] == feed.venue}
            assert await halted() & mine == mine
            for slot, name in symbols:
                feed.status(name, slot, "T")
            await card.quiet()
            assert not await halted() & mine
    await card.finish()
    reasons = card.board.reasons
    assert share(100) < 100 or min(reasons[RejectReason.NONE], reasons[RejectReason.MARKET_STATE]) > 30, reasons


@bench_test(timeout_us=100_000)
async def two_lines_and_what_both_have_lost(tb):
    """What one line has lost comes from the other; what both have lost is told, and trusted again once it has been sent again."""
    card = CardBench(tb, rates=(1.0, 0.9, 0.5))
    await card.set_up()
    lines = [LossyLines(tb.rng, feed, other) for feed, other in zip(card.feeds, card.others, strict=True)]
    await card.listen_to_both_lines()
    asked = [0] * len(lines)

    async def round_(frames, *, losing):
        for line, feed in zip(lines, card.feeds, strict=True):
            line.losing = losing
            for _ in range(frames):
                feed.good()
            line.losing = False
            feed.heartbeat()
        await card.quiet()
        await tb.cycles(HOLE + 200)

    for _ in range(share(25)):
        await round_(6, losing=True)
        while any(len(venue.gaps) > done for venue, done in zip(card.board.venues, asked, strict=True)):
            for number, venue in enumerate(card.board.venues):
                for _, gap in venue.gaps[asked[number]:]:
                    assert await card.bus.read("STALE_REASON", number) == StaleReason.GAP
                    lines[number].send_again(gap.first, gap.count, 4)
                    asked[number] += 1
            await round_(1, losing=False)
    for feed in card.feeds:
        assert await card.bus.read("STALE_REASON", feed.venue) == StaleReason.NONE
        assert await card.bus.read("FEED_EXPECTED", feed.venue) == feed.sequence
    await card.finish()
    if share(100) == 100:
        assert all(min(line.lost.values()) > 0 for line in lines), [line.lost for line in lines]
        assert all(venue.model.arbiter.counts["RESTORED"] for venue in card.board.venues)


@bench_test(timeout_us=100_000)
async def bad_frames(tb):
    """Faults of every kind between good frames: nothing hangs, every frame is counted by its reason, a broken one makes no order."""
    card = CardBench(tb)
    await card.set_up()

    def anything(feed):
        tb.rng.choices([feed.good, feed.harmless, feed.spoiled, feed.corrupted], (3, 2, 2, 1))[0]()

    for _ in range(share(12)):
        await traffic(card, 25, anything)
        await card.quiet()
        await card.resync()
    await card.finish()
    dropped = {reason for reason in DropReason if any(venue.model.counts[f"DROP_{reason.name}"] for venue in card.board.venues)}
    missing = set(DropReason) - {DropReason.NONE, DropReason.OVERFLOW, DropReason.FRAGMENT_OR_OPTIONS} - dropped
    assert not missing or share(100) < 100, f"reasons never met: {missing}"


@bench_test(timeout_us=100_000)
async def orders_limits_and_replies_of_the_host(tb):
    """Host orders under every limit, beside the market's; venues that answer; exposures that the host reads back."""
    card, rng = CardBench(tb), tb.rng
    await card.set_up()
    answered, tight = 0, cycle(TIGHT)

    async def host_order(**values):
        while await card.bus.read("HOST_ORDER_BUSY"):
            pass
        card.host_order(side=rng.randrange(2), **values)

    for _ in range(share(60)):
        for feed in card.feeds:
            feed.good()
        slot = rng.randrange(3)
        rng.choice(card.feeds).status(card.symbols[slot], slot, rng.choice("HTTT"))
        odd = rng.random()
        if odd < 0.3:
            await card.bus.arm()
            await card.limits(**LIMITS | next(tight))
            for _ in range(2):
                await host_order(venue=rng.randrange(2), symbol=rng.randrange(3), shares=rng.choice([100, 200, 4_000]), price=10_000)
        elif odd < 0.35:
            card.bus.write("LIMITS_COMMIT", rng.getrandbits(32))
        elif odd < 0.4:
            card.bus.write("ARM", 0)
        elif odd < 0.7:
            await card.limits(**LIMITS)
            await card.bus.arm()
        await host_order(
            venue=rng.choice([0, 1, 1, 7]), symbol=rng.choice([0, 1, 2, 3, 3, 200]),
            shares=rng.choice([0, 1, 100, 200, 6_000]), price=rng.choice([0, 1, 10_000, 1_000_000, 0x80000000]))
        for order, user_ref, _ in card.board.sent[answered:]:
            shares = rng.randint(0, order.shares)
            card.reply(order.venue, user_ref, FILLED, shares)
            card.reply(order.venue, user_ref, RELEASED, order.shares - shares if rng.random() < 0.9 else order.shares + 1)
        answered = len(card.board.sent)
        await card.bus.settle()
    await card.quiet()
    for symbol, exposure in enumerate(card.board.model.risk.exposures):
        card.bus.write("POSITION_SYMBOL", symbol)
        await card.bus.settle()
        position = await card.bus.read("POSITION")
        got = (position - (position >> 63 << 64), await card.bus.read("WORKING_BUY"), await card.bus.read("WORKING_SELL"))
        tb.compare([got], [(exposure.position, exposure.working_buy, exposure.working_sell)], f"exposure of symbol {symbol}")
    card.bus.write("CLEAR_POSITIONS", 1)  # armed or not: only while disarmed
    card.bus.write("ARM", 0)
    card.bus.write("CLEAR_POSITIONS", 1)
    await card.finish()
    # The kill switch disarms a cycle later.
    never = {RejectReason.KILLED, RejectReason.NO_PLACE, RejectReason.UNKNOWN_ORDER, RejectReason.SELF_MATCH}
    missing = set(RejectReason) - never - set(card.board.reasons)
    assert not missing or share(100) < 100, f"reasons never met: {missing}"

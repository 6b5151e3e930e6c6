"""The whole card beside the golden chain: frames and register writes in, order frames and event records out."""

from sim.bench.card_bench import CardBench
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share


@bench_test(timeout_us=100_000)
async def a_market_day(tb):
    """Both venues at any pace; every opportunity taken, every record told."""
    card = CardBench(tb)
    await card.set_up()
    for _ in range(share(400)):
        for feed in card.feeds:
            feed.good()
        await tb.until(lambda: sum(feed.source.waiting for feed in card.feeds) < 300, what="room at the feed ports")
    await card.finish()
    assert len(card.board.sent) > share(60), f"only {len(card.board.sent)} orders"


@bench_test(timeout_us=100_000)
async def one_frame_after_the_other(tb):
    """A frame enters only when nothing moves: the same answer time for the same kind of message."""
    card = CardBench(tb, rates=Pattern.DENSE, back_pressure=Pattern.DENSE)
    await card.set_up()
    for _ in range(share(150)):
        tb.rng.choice(card.feeds).good(1)
        await card.quiet()
    await card.finish()

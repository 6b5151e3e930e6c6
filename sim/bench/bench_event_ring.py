"""The event ring against a list per source: order kept, nothing doubled, every loss told."""

from collections import deque

from hw.host_interface.event_ring import READ_LATENCY, EventRing
from sim.bench.streams import Pattern
from sim.bench.testbench import bench_test, share

WORDS = 8
LOST = 1 << 4
SOURCE = 0xFF << 8


class Reader:
    """Reads records word by word as a host does, at any pace, and gives their places back.

    Attributes
    ----------
    records : list of int
    """

    def __init__(self, tb, events, rates):
        self.tb, self.events, self.now = tb, events, Pattern(tb.rng, rates)
        self.records, self._words, self._answers, self._word, self._asked = [], [], deque(), 0, False

    def sample(self, cycle):
        if self._answers and self._answers[0] == cycle:
            self._answers.popleft()
            self._words.append(self.tb.get("read_data"))
            if len(self._words) == WORDS:
                self.records.append(sum(word << 32 * number for number, word in enumerate(self._words)))
                self._words = []
        if self._asked:
            self._answers.append(cycle + READ_LATENCY)

    def drive(self):
        tb, taken = self.tb, len(self.records)
        waiting = (tb.get("write_index") - taken) & 0xFFFF_FFFF
        assert waiting <= self.events, f"{waiting} records in {self.events} places"
        between = not (self._word or self._answers or self._words or self._asked)
        if between:
            tb.set(read_index=taken & 0xFFFF_FFFF)
        self._asked = self._word > 0 or (between and waiting > 0 and self.now())
        if self._asked:
            tb.set(read_address=taken % self.events * WORDS + self._word)
            self._word = (self._word + 1) % WORDS
        else:
            tb.set(read_address=tb.rng.randrange(self.events * WORDS))


def record(rng, source, number) -> int:
    """A record that says whose it is; the bit for losses is the ring's."""
    return (rng.getrandbits(256) & ~(SOURCE | LOST) & ~(0xFFFF << 32)) | source << 8 | number << 32


async def run(tb, rates, reader_rates, count, *, pause=None):
    """``pause``: cycles in which the reader can take a record of every source; they come together, and then nothing comes as long."""
    assert isinstance(tb.component, EventRing)
    feeds = [tb.source(f"records__{source}", rates=rates) for source in range(3)]
    reader = tb.add(Reader(tb, 16, reader_rates))
    lost = []

    class Watch:
        def sample(self, cycle):
            lost.append(tb.get("lost"))

    tb.add(Watch())
    sent = [[record(tb.rng, source, number % 65_536) for number in range(count)] for source in range(len(feeds))]
    for number in range(count) if pause else ():
        for feed, records in zip(feeds, sent, strict=True):
            feed.send(records[number])
        await tb.cycles(tb.rng.randint(pause, 2 * pause))
    if not pause:
        for feed, records in zip(feeds, sent, strict=True):
            feed.send(*records)
    await tb.until(lambda: all(feed.idle for feed in feeds), limit=500_000, what="the end of the records")
    await tb.cycles(2 * 24 + 10)  # what waits in the queues is on its way
    await tb.until(lambda: len(reader.records) == tb.get("write_index"), limit=500_000, what="the end of the reading")
    await tb.cycles(20)
    missing = 0
    for source, records in enumerate(sent):
        got = [one for one in reader.records if (one & SOURCE) >> 8 == source]
        at = 0
        for one in got:
            start = at
            while at < len(records) and records[at] != one & ~LOST:
                at += 1
            assert at < len(records), f"source {source}: record {one:#x} was never sent, or comes again or late"
            assert bool(one & LOST) == (at > start), f"source {source}: {at - start} records were lost before {one:#x}"
            missing += at - start
            at += 1
        missing += len(records) - at
        tb.transactions += len(got)
    tb.compare([sum(lost)], [missing], "number of lost records")
    return missing


@bench_test(timeout_us=100_000)
async def a_reader_that_keeps_up(tb):
    assert await run(tb, (1.0,), (1.0,), share(600), pause=50) == 0


@bench_test(timeout_us=100_000)
async def a_reader_that_is_slow_at_times(tb):
    assert await run(tb, (0.3, 0.05, 0.01), (0.5, 0.02, 1.0), share(600)) > 0


@bench_test(timeout_us=100_000)
async def bursts(tb):
    assert await run(tb, (1.0, 0.0, 0.0, 0.0), (1.0, 0.3), share(1_500)) > 0


@bench_test(timeout_us=100_000)
async def latency(tb):
    """Four cycles from a lone record to the index that tells of it."""
    feed, seen = tb.source("records__2", rates=(1.0,)), []

    class Watch:
        index = 0

        def sample(self, cycle):
            if tb.get("write_index") != self.index:
                self.index = tb.get("write_index")
                seen.append(cycle)
            tb.set(read_index=self.index)

    tb.add(Watch())
    for number in range(100):
        feed.send(number)
        await tb.cycles(tb.rng.randrange(6, 40))
    tb.compare(seen, [one.cycle + tb.component.LATENCY for one in feed.sent], "cycle of an index")

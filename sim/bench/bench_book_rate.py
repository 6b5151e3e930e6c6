"""The book with its input saturated: an operation every second cycle, for a million operations, and every record is right."""

from collections.abc import Iterator

from cocotb.triggers import RisingEdge

from hw.types import BookEvent as HardwareEvent
from hw.types import TopOfBook
from sim.bench.layouts import codec_of
from sim.bench.testbench import bench_test, share
from sim.golden.book import Book
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent

OPERATIONS = 1_000_000
LIVE = 60
"""Orders at which none is added: a quarter of the smallest card's places."""

PLACES = {name: offset for name, (offset, _) in codec_of(HardwareEvent)._fields.items()}
FIELDS = [(offset, codec.width) for offset, codec in (codec_of(TopOfBook)._fields[name] for name in (
    "bid_price", "bid_shares", "bid_orders", "ask_price", "ask_shares", "ask_orders", "stale", "sequence"))]


def traffic(rng, *, levels: int, sides) -> Iterator[BookEvent]:
    """Orders of one symbol that come, change and go for ever. ``sides`` says which one comes next."""
    live: list[list[int]] = []  # reference, side, shares
    reference = rng.getrandbits(40)

    def price(side):
        step = 100 * rng.randrange(levels)
        return 1_000_000 - step if side == BUY else 1_000_100 + step

    while True:
        kind = rng.choices((ADD, EXECUTE, CANCEL, DELETE, REPLACE), (40, 15, 10, 25, 10))[0]
        shares = rng.randint(1, 900)
        if not live or (kind == ADD and len(live) < LIVE):
            reference += rng.choice((1, 1, 3, 8))
            side = next(sides)
            live.append([reference, side, shares])
            yield BookEvent(ADD, side, 0, reference, 0, shares, price(side), 0)
            continue
        number = -1 if rng.random() < 0.3 else rng.randrange(len(live))  # often the order of the event before
        order = live[number]
        if kind in (EXECUTE, CANCEL) and order[2] > 1:
            taken = rng.randint(1, order[2] - 1)
            order[2] -= taken
            yield BookEvent(kind, order[1], 0, order[0], 0, taken, 0, 0)
        elif kind == REPLACE:
            reference += 1
            old, order[0], order[2] = order[0], reference, shares
            yield BookEvent(REPLACE, order[1], 0, old, reference, shares, price(order[1]), 0)
        else:
            live[number] = live[-1]
            live.pop()
            yield BookEvent(DELETE, order[1], 0, order[0], 0, 0, 0, 0)


async def saturate(tb, events: Iterator[BookEvent]) -> None:
    """Offers an event in every cycle; none may wait longer than the operations before it take."""
    dut, edge = tb.dut, RisingEdge(tb.dut.clk)
    while int(dut.busy.value):
        await edge
    await edge
    dut.tops__ready.value = 1
    dut.events__valid.value = 1
    book, wanted, told, operations, wait, late = Book(), [], 0, 0, 0, 0
    total, number = share(OPERATIONS), 0
    event = next(events)
    dut.events__payload.value = packed(event, 1)
    while told < len(wanted) or operations < total or late:
        await edge
        tb.now += 1
        if int(dut.tops__valid.value):
            bits = int(dut.tops__payload.value)
            got = [bits >> offset & (1 << width) - 1 for offset, width in FIELDS]
            assert got == wanted[told], f"record {told}: device says {got}, golden book {wanted[told]}"
            wanted[told] = None
            told += 1
        if operations >= total:
            late = told < len(wanted)
            continue
        wait -= 1
        if not int(dut.events__ready.value):
            assert wait > 0, f"operation {operations} had to wait"
            continue
        assert wait <= 0, f"operation {operations} was taken too early"
        wait = 4 if event.kind == REPLACE else 2
        operations += wait // 2
        number += 1
        book.apply(event)
        wanted.append([*book.top(0), 0, number])
        if operations < total:
            event = next(events)
            dut.events__payload.value = packed(event, number + 1)
        else:
            dut.events__valid.value = 0
    assert not book.doubtful
    assert not book.unknown
    tb.transactions += operations


def packed(event: BookEvent, sequence: int) -> int:
    return sum(value << PLACES[name] for name, value in event._asdict().items()) | sequence << PLACES["sequence"]


def at_random(rng):
    while True:
        yield rng.randrange(2)


def in_turn():
    while True:
        yield BUY
        yield SELL


@bench_test(timeout_us=20_000_000)
async def one_symbol(tb):
    await saturate(tb, traffic(tb.rng, levels=14, sides=at_random(tb.rng)))


@bench_test(timeout_us=20_000_000)
async def one_price_level(tb):
    await saturate(tb, traffic(tb.rng, levels=1, sides=iter(int, 1)))


@bench_test(timeout_us=20_000_000)
async def alternating_sides(tb):
    await saturate(tb, traffic(tb.rng, levels=3, sides=in_turn()))

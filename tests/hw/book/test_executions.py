"""What the book tells of trades: each execution of an order that it knows, with the order's side and price."""

from hw.book.book import Book
from hw.config import TINY
from sim.golden.records import ADD, CANCEL, DELETE, EXECUTE, REPLACE, SET
from tests.hw.bench import made
from tests.hw.book.driver import run_book
from tests.hw.book.model import BUY, SELL, add, execute, flow

FIELDS = ("symbol", "side", "shares", "price", "usable")


def executions(events, **options):
    """The run, and of each execution its fields, with the sequence number that the record in the same cycle has."""
    dut, told = made(Book, TINY), []

    async def listen(ctx):
        ctx.set(dut.assume_trading, 0b0111)
        for _ in range(12 * len(events) + 1_200):
            if ctx.get(dut.executions.valid):
                values = [ctx.get(dut.executions.payload[field]) for field in FIELDS]
                sequence = ctx.get(dut.tops.payload.sequence) if ctx.get(dut.tops.valid) else None
                told.append((sequence, *(getattr(value, "value", value) for value in values)))
            await ctx.tick()

    return run_book(dut, events, beside=(listen,), **options), told


def test_side_and_price_are_those_of_the_order_that_stood_there():
    _, told = executions([
        add(1, BUY, 100, 5000, locate=1), add(2, SELL, 70, 5100), execute(1, 30), execute(2, 70), execute(2, 1), execute(1, 80),
        add(3, SELL, 5, 5200, locate=3), execute(3, 2),
    ])
    assert [one[1:] for one in told] == [
        (1, BUY, 30, 5000, 1), (0, SELL, 70, 5100, 1), (1, BUY, 80, 5000, 0), (3, SELL, 2, 5200, 0),
    ]  # an order that is not known is no trade; more shares than there were, and a symbol that is halted: not to be relied on
    assert [one[0] for one in told] == [3, 4, 6, 8]


def test_of_a_random_stream_each_execution_is_told_once():
    events = list(flow(7, 400, prices=12, crowd=20, faults=0.0))
    run, told = executions(events, seed=7)
    orders, expected = {}, []
    for event, record in zip(events, run.records, strict=True):
        known = orders.get(event.reference)
        if event.kind == ADD:
            orders[event.reference] = [event.locate, event.side, event.price, event.shares]
        if event.kind == EXECUTE and known is not None:
            expected.append((known[0], known[1], event.shares, known[2], int(not (record.stale or record.halted or record.partial))))
        if event.kind in (EXECUTE, CANCEL) and known is not None:
            known[3] -= event.shares
        if known is not None and (event.kind == DELETE or known[3] <= 0):
            del orders[event.reference]
        if event.kind in (REPLACE, SET):
            orders.pop(event.reference, None)
        if event.kind == REPLACE and known is not None:
            orders[event.new_reference] = [known[0], known[1], event.price, event.shares]
        if event.kind == SET and event.shares:
            symbol, side = known[:2] if known else (event.locate, event.side)
            orders[event.reference] = [symbol, side, event.price, event.shares]
    assert len(expected) > 40
    assert [one[1:] for one in told] == expected

"""The reference book against the oracle of real data, and against the rules it is written from."""

import csv
import gzip

import pytest

from sim.golden.book import Book
from sim.golden.itch50 import decode
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent, TopOfBook
from sim.readers.binary_file import read_binary_file
from tests.data import market_data


def event(kind, reference, *, side=BUY, locate=1, new_reference=0, shares=0, price=0):
    return BookEvent(kind, side, locate, reference, new_reference, shares, price, 0)


@pytest.mark.parametrize(("name", "rows", "peak_orders", "peak_levels"), [
    ("20120621_AMZN", 184_629, 889, 400),
    ("20191230_premarket", 10_100, 2_985, 25),
    ("synthetic_mit", 7_000, 3_205, 245),
])
def test_equals_the_oracle_row_for_row(name, rows, peak_orders, peak_levels):
    with gzip.open(market_data(f"nasdaq_itch50/{name}.bbo.csv.gz"), "rt") as file:
        oracle = iter(list(csv.reader(file)))
    assert next(oracle) == ["msg_index", "ts_ns", "locate", "type", "bid_px", "bid_sz", "ask_px", "ask_sz"]
    book, compared = Book(), 0
    for index, message in enumerate(read_binary_file(market_data(f"nasdaq_itch50/{name}.itch50.gz"))):
        change = decode(message)
        if change is None:
            continue
        book.apply(change)
        top = book.top(change.locate)
        row = [index, change.timestamp, change.locate, chr(message[0]), top.bid_price, top.bid_shares, top.ask_price, top.ask_shares]
        assert list(map(str, row)) == next(oracle)
        compared += 1
    assert compared == rows
    assert next(oracle, None) is None
    assert (book.peak_orders, book.peak_levels) == (peak_orders, peak_levels)


def played(*events):
    book = Book()
    for change in events:
        book.apply(change)
    return book


def test_depth_is_best_first_and_counts_orders():
    book = played(
        event(ADD, 1, shares=5, price=70), event(ADD, 2, shares=6, price=80), event(ADD, 3, shares=7, price=70),
        event(ADD, 4, shares=1, price=90, side=SELL), event(ADD, 5, shares=2, price=85, side=SELL),
        event(ADD, 6, locate=2, shares=9, price=1),
    )  # fmt: skip
    assert book.depth(1, 2) == ([(80, 6, 1), (70, 12, 2)], [(85, 2, 1), (90, 1, 1)])
    assert book.depth(1, 1) == ([(80, 6, 1)], [(85, 2, 1)])
    assert book.top(1) == TopOfBook(80, 6, 1, 85, 2, 1)
    assert book.top(2) == TopOfBook(bid_price=1, bid_shares=9, bid_orders=1)
    assert book.top(3) == TopOfBook()
    assert (book.symbols, book.peak_orders, book.peak_levels) == (2, 6, 2)


def test_a_replaced_order_keeps_side_and_symbol_and_names_them():
    book = played(event(ADD, 1, shares=5, price=70, side=SELL, locate=3))
    assert book.apply(event(REPLACE, 1, new_reference=2, shares=8, price=60, locate=4)) == 3
    assert book.top(3) == TopOfBook(ask_price=60, ask_shares=8, ask_orders=1)
    assert book.apply(event(DELETE, 1, locate=3)) is None
    assert book.unknown == 1
    assert not book.doubtful


@pytest.mark.parametrize(("fault", "left"), [
    (event(ADD, 1, shares=5, price=90), (70, 5, 1)),
    (event(ADD, 2, shares=0, price=90), (70, 5, 1)),
    (event(ADD, 2, shares=5, price=0), (70, 5, 1)),
    (event(ADD, 2, shares=(1 << 32) - 1, price=70), (70, (1 << 32) + 4, 2)),
    (event(EXECUTE, 1, shares=6), (0, 0, 0)),
    (event(CANCEL, 1, shares=6), (0, 0, 0)),
    (event(REPLACE, 1, new_reference=2, shares=0, price=90), (0, 0, 0)),
])
def test_an_event_that_contradicts_the_book_makes_it_doubtful(fault, left):
    book = played(event(ADD, 1, shares=5, price=70), event(ADD, 9, locate=2, shares=5, price=70))
    assert not book.doubtful
    book.apply(fault)
    assert book.doubtful == {1}
    assert book.top(1)[:3] == left


def test_the_heap_forgets_dead_prices():
    book = Book()
    for number in range(1000):
        book.apply(event(ADD, number, shares=1, price=1 + number % 300))
        if number >= 3:
            book.apply(event(DELETE, number - 3))
        best = max(1 + back % 300 for back in range(max(0, number - 2), number + 1))
        assert book.top(1).bid_price == best
    assert book.peak_levels == 4

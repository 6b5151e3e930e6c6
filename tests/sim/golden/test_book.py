"""The reference book against the oracle of real data, and against the rules it is written from."""

import csv
import gzip

import pytest

from sim.golden.book import Book
from sim.golden.itch50 import decode
from sim.golden.records import BUY, BookEvent
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

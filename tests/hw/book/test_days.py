"""Days of real messages: after every message the compiled book's top and ten best levels of either side are those of the reference book."""

from itertools import islice

import pytest

from hw.book.depth import Depth
from hw.config import ALVEO, MEDIUM, TINY
from sim.golden.book import Book
from sim.golden.itch50 import decode
from sim.readers.itch50 import IS_BOOK, locate_of
from sim.replay.feeds import open_feed
from tests.data import market_data
from tests.hw.book.driver import level_bits, run_compiled

AMZN = "nasdaq_itch50/20120621_AMZN.itch50.gz"
PREMARKET = "nasdaq_itch50/20191230_premarket.itch50.gz"
BATCH = 4096


def compare(config, messages, locates):
    """Looks at the symbol of every message behind it. Returns how many levels were compared."""
    slots = {locate: slot for slot, locate in enumerate(locates)}
    book, compared, number = Book(), 0, 0
    events = (decode(message) for message in messages)
    while batch := list(islice(events, BATCH)):
        placed = [event._replace(locate=slots[event.locate]) for event in batch]
        run = run_compiled(config, placed, looks=True, first=number + 1, fresh=not number)
        for event, symbol, record, levels in zip(batch, (event.locate for event in placed), run.records, run.levels, strict=True):
            number += 1
            assert book.apply(event) in (event.locate, None)
            sides = book.depth(event.locate, Depth.LEVELS)
            assert (record.symbol, record.sequence, record.top, record.stale) == (symbol, number, book.top(event.locate), 0), event
            assert levels == level_bits(sides, symbol, number), f"message {number}: {event}"
            compared += sum(map(len, sides))
        assert not set(run.pulses) - {"unknown_reference"}
    return compared


def book_messages(name):
    return [message for _, message in open_feed(market_data(name)).messages() if IS_BOOK[message[0]]]


def test_the_first_minutes_of_amazons_day():
    messages = book_messages(AMZN)
    assert compare(TINY, messages[:2000], sorted({*map(locate_of, messages)})) > 30_000


@pytest.mark.slow
def test_amazons_whole_day():
    messages = book_messages(AMZN)
    assert len(messages) == 184_629
    assert compare(MEDIUM, messages, sorted({*map(locate_of, messages)})) > 1_000_000


@pytest.mark.slow
def test_all_symbols_of_the_premarket():
    messages = book_messages(PREMARKET)
    locates = sorted({*map(locate_of, messages)})
    compared = sum(compare(ALVEO, [message for message in messages if locate_of(message) in group], group)
                   for group in (locates[first:first + ALVEO.symbols] for first in range(0, len(locates), ALVEO.symbols)))
    assert len(locates) == 664
    assert compared > 10_000

"""The generated market: valid by construction, judged by the golden book."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.flow.market import INSTRUMENTS, Instrument, Market, MarketSettings
from sim.golden.book import Book
from sim.golden.itch50 import MESSAGE_LENGTHS, decode


def take(count, **options):
    return list(islice(Market(MarketSettings(**options)).messages(), count))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    assert take(3_000, seed=5) == take(3_000, seed=5)
    assert take(3_000, seed=5) != take(3_000, seed=6)


def test_every_kind_of_book_message_occurs():
    kinds = Counter(chr(message.data[0]) for message in take(20_000, seed=1))
    assert set(kinds) == set("SRHAFECXDUP")
    assert min(kinds[kind] for kind in "AFECXDUP") > 100


def test_each_venue_opens_with_its_directory():
    opening = [message for message in take(100, seed=1) if message.venue == 1][:11]
    assert [chr(message.data[0]) for message in opening] == ["S", *"RRRR", *"HHHH", "S", "S"]
    assert [message.data[11:19].decode().strip() for message in opening[1:5]] == [instrument.name for instrument in INSTRUMENTS]


def test_venues_number_their_symbols_differently():
    adds = [message for message in take(5_000, seed=2) if message.data[:1] == b"A"]
    locates = [{message.data[1:3] for message in adds if message.venue == venue} for venue in (0, 1)]
    assert len(locates[0]) == len(locates[1]) == len(INSTRUMENTS)
    assert not locates[0] & locates[1]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), venues=st.integers(2, 4), levels=st.integers(1, 10), orders=st.integers(1, 30))
def test_any_market_is_valid_and_never_crossed_within_a_venue(seed, venues, levels, orders):
    books = [Book() for _ in range(venues)]
    times = [0] * venues
    for message in take(2_500, seed=seed, venues=venues, levels=levels, orders=orders, instruments=INSTRUMENTS[:2]):
        assert len(message.data) == MESSAGE_LENGTHS[chr(message.data[0])]
        assert message.time == int.from_bytes(message.data[5:11], "big") >= times[message.venue]
        times[message.venue] = message.time
        if event := decode(message.data):
            book = books[message.venue]
            locate = book.apply(event)
            assert locate == event.locate, "names an order that does not live, or one of another symbol"
            top = book.top(locate)
            assert not top.ask_price or top.bid_price < top.ask_price, f"crossed: {top}"
            assert max(len(side) for side in book.depth(locate, 100)) <= levels + 1
    assert not any(book.doubtful or book.unknown for book in books)


def test_venues_cross_each_other_now_and_then():
    books, crossings, crossed = [Book(), Book()], 0, False
    slots: list[dict[int, str]] = [{}, {}]
    for message in take(10_000, seed=3, instruments=INSTRUMENTS[:1]):
        if message.data[:1] == b"R":
            slots[message.venue][int.from_bytes(message.data[1:3], "big")] = message.data[11:19].decode()
        if event := decode(message.data):
            books[message.venue].apply(event)
            tops = [book.top(next(iter(locates))) for book, locates in zip(books, slots, strict=True)]
            now = any(0 < tops[ask].ask_price < tops[1 - ask].bid_price for ask in (0, 1))
            crossings += now and not crossed
            crossed = now
    assert 30 < crossings < 1_000


def test_bursts_are_as_dense_as_a_real_opening():
    times = [message.time for message in take(20_000, seed=4)]
    per_millisecond = Counter(time // 1_000_000 for time in times[22:])
    assert max(per_millisecond.values()) > 300, "REFERENCES: 474 messages in 1 ms at an opening"
    assert min(per_millisecond.values()) < 80


@pytest.mark.parametrize(("field", "value"), [("venues", 0), ("levels", 0), ("lag", -1), ("instruments", ())])
def test_impossible_markets_are_refused(field, value):
    with pytest.raises(ValueError, match="market"):
        MarketSettings(seed=1, **{field: value})


def test_a_name_that_no_venue_could_send_is_refused():
    with pytest.raises(ValueError, match="at most 8 characters"):
        take(10, seed=1, instruments=(Instrument("FORMICIDAE", 10_0000),))

"""The made-up second venue of a real file."""

import gzip
from itertools import islice

from sim.flow import Message
from sim.flow.market import INSTRUMENTS, Market, MarketSettings
from sim.flow.shadow import Shadow
from sim.golden.book import Book
from sim.golden.itch50 import decode
from tests.data import market_data


def merged(messages, locates, seed=1):
    return list(Shadow(locates, seed).merge(messages))


def one_venue(count, seed=1):
    messages = [message for message in islice(Market(MarketSettings(seed=seed)).messages(), 2 * count) if message.venue == 0]
    return messages, {1 + slot: instrument.name for slot, instrument in enumerate(INSTRUMENTS)}


def check(messages, originals, minimum):
    """Plays the merged stream into golden books; how often the two venues crossed each other."""
    assert [message for message in messages if message.venue == 0] == originals, "the original must pass untouched"
    books, times, followed, crossings, crossed = [Book(), Book()], [0, 0], 0, 0, False
    first = {}
    for message in messages:
        assert message.time >= times[message.venue]
        times[message.venue] = message.time
        if message.data[:1] == b"R":
            first.setdefault((message.venue, message.data[11:19]), int.from_bytes(message.data[1:3], "big"))
        if event := decode(message.data):
            locate = books[message.venue].apply(event)
            if message.venue == 1:
                followed += 1
                assert locate == event.locate
                top = books[1].top(locate)
                assert not top.ask_price or top.bid_price < top.ask_price
            names = [name for venue, name in first if venue == 1]
            tops = [books[venue].top(first[venue, names[0]]) for venue in (0, 1)]
            now = any(0 < tops[ask].ask_price < tops[1 - ask].bid_price for ask in (0, 1))
            crossings += now and not crossed
            crossed = now
    assert followed > minimum
    assert not books[1].doubtful
    assert not books[1].unknown
    return crossings


def test_shadow_of_a_generated_venue_is_a_valid_venue():
    originals, locates = one_venue(8_000)
    assert check(merged(originals, locates), originals, 6_000) > 5


def test_only_the_symbols_asked_for_are_followed():
    originals, _ = one_venue(4_000)
    shadow = [message for message in merged(originals, {2: "BEES"}) if message.venue == 1]
    assert {message.data[24:32] for message in shadow if message.data[0] in b"A"} == {b"BEES    "}


def test_the_shadow_is_deterministic():
    originals, locates = one_venue(3_000)
    assert merged(originals, locates, seed=4) == merged(originals, locates, seed=4)
    assert merged(originals, locates, seed=4) != merged(originals, locates, seed=5)


def test_shadow_of_a_real_day():
    data, at, originals = gzip.decompress(market_data("nasdaq_itch50/20120621_AMZN.itch50.gz").read_bytes()), 0, []
    while at < len(data) and len(originals) < 40_000:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        originals.append(Message(int.from_bytes(data[at + 7 : at + 13], "big"), 0, data[at + 2 : end]))
        at = end
    assert check(merged(originals, {1: "AMZN"}), originals, 30_000) > 20

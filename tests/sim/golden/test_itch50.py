"""ITCH 5.0: book messages written out byte by byte, and real ones."""

import gzip

import pytest

from sim.golden.itch50 import (
    BOOK_TYPES,
    CHECKED_TYPES,
    HIGHEST_PRICE,
    MESSAGE_LENGTHS,
    MalformedMessage,
    decode,
    directory,
    market_state,
    trade,
)
from sim.golden.records import ADD, BUY, CANCEL, DELETE, EXECUTE, REPLACE, SELL, BookEvent, DirectoryEntry, MarketState, Trade
from tests.data import market_data

TIME = 34_200_000_000_001
HEAD = (8_000).to_bytes(2, "big") + (9).to_bytes(2, "big") + TIME.to_bytes(6, "big")
REFERENCE, SHARES, PRICE = bytes.fromhex("0102030405060708"), bytes.fromhex("00000064"), bytes.fromhex("001e8480")


def event(kind, **fields):
    empty = BookEvent(kind, side=0, locate=8_000, reference=0x0102030405060708, new_reference=0, shares=0, price=0, timestamp=TIME)
    return empty._replace(**fields)


@pytest.mark.parametrize(("message", "expected"), [
    (b"A" + HEAD + REFERENCE + b"B" + SHARES + b"AMZN    " + PRICE, event(ADD, side=BUY, shares=100, price=2_000_000)),
    (b"F" + HEAD + REFERENCE + b"S" + SHARES + b"AMZN    " + PRICE + b"ATTR", event(ADD, side=SELL, shares=100, price=2_000_000)),
    (b"E" + HEAD + REFERENCE + SHARES + bytes(8), event(EXECUTE, shares=100)),
    (b"C" + HEAD + REFERENCE + SHARES + bytes(8) + b"N" + b"\xff\xff\xff\xff", event(EXECUTE, shares=100)),
    (b"X" + HEAD + REFERENCE + SHARES, event(CANCEL, shares=100)),
    (b"D" + HEAD + REFERENCE, event(DELETE)),
    (b"U" + HEAD + REFERENCE + REFERENCE[::-1] + SHARES + PRICE,
     event(REPLACE, new_reference=0x0807060504030201, shares=100, price=2_000_000)),
])  # fmt: skip
def test_book_messages(message, expected):
    assert decode(message) == expected
    for wrong in (message[:-1], message + b"\0"):
        with pytest.raises(MalformedMessage, match=f"{len(message)} bytes, not {len(wrong)}"):
            decode(wrong)


def test_there_are_23_types():
    assert len(MESSAGE_LENGTHS) == 23
    assert set(BOOK_TYPES) <= set(MESSAGE_LENGTHS)


@pytest.mark.parametrize("kind", sorted(set(MESSAGE_LENGTHS) - set(BOOK_TYPES)))
def test_other_messages_change_no_book(kind):
    assert decode(kind.encode() + bytes(MESSAGE_LENGTHS[kind] - 1)) is None
    if kind in CHECKED_TYPES:
        with pytest.raises(MalformedMessage, match="bytes, not 1"):
            decode(kind.encode())
    else:
        assert decode(kind.encode()) is None


def state(kind, **fields):
    return MarketState(kind, 8_000, 0, 0, 0, 0, 0, TIME)._replace(**fields)


NAME = b"AMZN    "


@pytest.mark.parametrize(("message", "expected"), [
    (b"S" + HEAD + b"Q", state("S", code=ord("Q"))),
    (b"H" + HEAD + NAME + b"P" + b" " + b"LUDP", state("H", code=ord("P"), detail=0x4C554450)),
    (b"Y" + HEAD + NAME + b"1", state("Y", code=ord("1"))),
    (b"J" + HEAD + NAME + PRICE + bytes.fromhex("00208d80" "001c9c38" "00000002"),
     state("J", reference=2_000_000, upper=0x208D80, lower=0x1C9C38, detail=2)),
    (b"h" + HEAD + NAME + b"X" + b"H", state("h", code=ord("H"), detail=ord("X"))),
    (b"W" + HEAD + b"2", state("W", code=ord("2"))),
    (b"K" + HEAD + NAME + (36_000).to_bytes(4, "big") + b"A" + PRICE, state("K", code=ord("A"), detail=36_000, reference=2_000_000)),
    (b"V" + HEAD + bytes(range(24)), state("V")),
])  # fmt: skip
def test_states(message, expected):
    assert market_state(message) == expected
    assert (decode(message), trade(message), directory(message)) == (None, None, None)
    with pytest.raises(MalformedMessage, match=f"{len(message)} bytes, not {len(message) + 1}"):
        market_state(message + b"\0")


MATCH = bytes.fromhex("1112131415161718")


@pytest.mark.parametrize(("message", "expected"), [
    (b"P" + HEAD + bytes(8) + b"B" + SHARES + NAME + PRICE + MATCH, ("P", 100, 2_000_000, 0x1112131415161718, 0)),
    (b"Q" + HEAD + REFERENCE + NAME + PRICE + MATCH + b"O", ("Q", 0x0102030405060708, 2_000_000, 0x1112131415161718, ord("O"))),
    (b"E" + HEAD + REFERENCE + SHARES + MATCH, ("E", 100, 0, 0x1112131415161718, 0)),
    (b"C" + HEAD + REFERENCE + SHARES + MATCH + b"N" + PRICE, ("C", 100, 2_000_000, 0x1112131415161718, ord("N"))),
])  # fmt: skip
def test_trades(message, expected):
    kind, shares, price, match, code = expected
    assert trade(message) == Trade(kind, 8_000, shares, price, match, code, TIME)
    assert (market_state(message), directory(message)) == (None, None)
    with pytest.raises(MalformedMessage, match=f"{len(message)} bytes, not {len(message) - 1}"):
        trade(message[:-1])


def test_directory():
    message = b"R" + HEAD + NAME + bytes(20)
    assert directory(message) == DirectoryEntry(8_000, NAME)
    assert (decode(message), market_state(message), trade(message)) == (None, None, None)
    assert directory(b"") is None


def test_nothing_at_all_changes_no_book():
    assert decode(b"") is None
    assert decode(b"\xff" * 36) is None


def test_side_must_be_b_or_s():
    for side in range(256):
        message = b"A" + HEAD + REFERENCE + bytes([side]) + SHARES + b"AMZN    " + PRICE
        if side in b"BS":
            assert decode(message).side == (BUY if side == ord("B") else SELL)
        else:
            with pytest.raises(MalformedMessage, match="not B or S"):
                decode(message)


def test_price_has_a_ceiling():
    def add(price):
        return b"A" + HEAD + REFERENCE + b"B" + SHARES + b"AMZN    " + price.to_bytes(4, "big")

    assert decode(add(HIGHEST_PRICE)).price == HIGHEST_PRICE
    with pytest.raises(MalformedMessage, match="more than"):
        decode(add(HIGHEST_PRICE + 1))


@pytest.mark.parametrize(("name", "counts"), [
    ("nasdaq_itch50/20191230_premarket.itch50.gz", {"A": 5_609, "D": 2_658, "X": 1_453, "U": 331, "F": 36, "E": 13}),
    ("nasdaq_itch50/synthetic_mit.itch50.gz", None),
])  # fmt: skip
def test_real_messages_have_the_lengths_of_the_table(name, counts):
    data = gzip.decompress(market_data(name).read_bytes())
    at, found = 0, dict.fromkeys(BOOK_TYPES, 0)
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        message = data[at + 2 : at + 2 + length]
        kind = chr(message[0])
        assert length == MESSAGE_LENGTHS[kind], f"'{kind}' at byte {at}"
        if decode(message) is not None:
            found[kind] += 1
        at += 2 + length
    assert sum(found.values()) >= 7_000
    if counts:
        assert {kind: number for kind, number in found.items() if number} == counts

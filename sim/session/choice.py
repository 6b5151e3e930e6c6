"""Which named card a session runs on: the smallest that holds all its books."""

from collections.abc import Sequence

from hw.config import CARDS, CardConfig
from sim.capacity import PlacedBook
from sim.flow.source import Source
from sim.golden.itch50 import decode
from sim.golden.records import ADD, BUY
from sim.readers.itch50 import IS_BOOK, locate_of
from sim.replay.errors import ReplayError

CANDIDATES = ("ecp5", "medium", "alveo")
"""What is tried when nobody named a card: the smallest one that is also built for a board comes first."""


def choose_card(source: Source, name: str | None) -> tuple[CardConfig, int]:
    """The card, and the highest bid that its venues will show, in 1/10000."""
    if name is not None and name not in CARDS:
        raise ReplayError(f"no card {name!r}: there are {', '.join(CARDS)}")
    candidates = [CARDS[each] for each in ((name,) if name else CANDIDATES)]
    largest = candidates[-1]
    if len(source.venues) > largest.venues:
        raise ReplayError(f"{len(source.venues)} venues want a feed port each; card {largest.name} has {largest.venues}")
    if len(source.symbols) > largest.symbols:
        raise ReplayError(
            f"{len(source.symbols)} symbols have book activity; card {largest.name} has {largest.symbols} slots: "
            f"choose with --symbols A,B or --symbols top:{largest.symbols}"
        )
    for config in candidates:
        if len(source.symbols) <= config.symbols and (top_price := _play(config, source)) is not None:
            return config, top_price
    names = " or ".join(config.name for config in candidates)
    raise ReplayError(f"the live orders or price levels of {', '.join(source.symbols[:4])} do not fit card {names}")


def _play(config: CardConfig, source: Source) -> int | None:
    """Plays all orders through tables of the card's size; the highest bid, or None if an order found no place."""
    books = [PlacedBook(config) for _ in source.venues]
    slots = [_slots(source.symbols, venue.locates) for venue in source.venues]
    top_price = 0
    for message in source.messages():
        if not IS_BOOK[message.data[0]]:
            continue
        slot = slots[message.venue].get(locate_of(message.data))
        if slot is None or (event := decode(message.data)) is None:
            continue
        if not books[message.venue].apply(event, slot):
            return None
        if event.kind == ADD and event.side == BUY:
            top_price = max(top_price, event.price)
    return top_price


def _slots(symbols: Sequence[str], locates: dict[str, int]) -> dict[int, int]:
    return {locates[name]: slot for slot, name in enumerate(symbols)}

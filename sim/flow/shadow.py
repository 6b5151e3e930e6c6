"""A second venue made from a real one, for when only one was recorded.

The shadow follows every order of the original after a delay, at a price that strays from the original's by a small offset
which wanders. Its own book is kept uncrossed: an order that would trade is moved to the nearest price where it rests. So the
two books differ the way two venues do, and at times cross each other; but the shadow is synthetic, and whoever shows its
results must say so.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator

from sim.flow import Message, itch
from sim.flow.book import BUY, SELL, VenueBook
from sim.golden.itch50 import BOOK_TYPES, decode
from sim.golden.records import ADD, CANCEL, DELETE, EXECUTE, REPLACE, BookEvent

DELAY = 25_000
"""Mean delay in nanoseconds."""

STEP = 5_000
"""The offset moves in steps of one part in this many of the price: two hundredths of a percent."""

REACH = 20
"""Orders further than one part in this many from the other side of the shadow's market are not followed."""

MAX_STEPS = 3
MOVE_CHANCE = 1 / 300
"""Of the offset, at each order followed."""

FIRST_LOCATE = 201


class _Listing:
    """One symbol of the shadow."""

    def __init__(self, name: str, locate: int) -> None:
        self.name = name
        self.locate = locate
        self.book = VenueBook()
        self.steps = 0
        """Offset from the original, in steps."""
        self.references: dict[int, int] = {}
        """The original's reference to ours, for orders that live here."""


class Shadow:
    """Merges an original with its shadow.

    Parameters
    ----------
    locates : dict of int to str
        The original's symbols that are followed, by locate.
    seed : int
    original, venue : int
        Numbers of the two venues.
    """

    def __init__(self, locates: dict[int, str], seed: int, *, original: int = 0, venue: int = 1):
        self._random = random.Random(f"trapjaw shadow {seed}")
        self._original, self._venue = original, venue
        self.listings = {locate: _Listing(name, FIRST_LOCATE + number) for number, (locate, name) in enumerate(sorted(locates.items()))}
        self._pending: deque[Message] = deque()
        self._due = 0
        self._reference = 1_000_000
        self._match = 0

    def merge(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The original's messages and the shadow's, in time order."""
        opened = False
        for message in messages:
            while self._pending and self._pending[0].time <= message.time:
                yield self._pending.popleft()
            yield message
            if not opened:
                self._open(message.time)
                opened = True
            if chr(message.data[0]) in BOOK_TYPES and (event := decode(message.data)) and event.locate in self.listings:
                self._due = max(self._due, message.time + round(self._random.expovariate(1 / DELAY)))
                self._follow(self.listings[event.locate], event)
        yield from self._pending

    def _open(self, time: int) -> None:
        self._due = time
        self._send(itch.system_event(time, "O"))
        for listing in self.listings.values():
            self._send(itch.stock_directory(time, listing.locate, listing.name))
            self._send(itch.trading_action(time, listing.locate, listing.name, "T"))
        self._send(itch.system_event(time, "Q"))

    def _follow(self, listing: _Listing, event: BookEvent) -> None:
        if event.kind == ADD:
            if self._random.random() < MOVE_CHANCE:
                listing.steps = max(-MAX_STEPS, min(MAX_STEPS, listing.steps + self._random.choice((-1, 1))))
            self._add(listing, event.reference, BUY if event.side == 0 else SELL, event.shares, event.price)
            return
        ours = listing.references.get(event.reference)
        if ours is None or ours not in listing.book.orders:
            return
        order = listing.book.orders[ours]
        if event.kind in (EXECUTE, CANCEL):
            shares = min(event.shares, order.shares)
            if shares:
                listing.book.reduce(ours, shares)
                self._send(self._reduction(listing, event.kind, ours, shares))
        elif event.kind == DELETE:
            listing.book.delete(ours)
            self._send(itch.delete(self._due, listing.locate, ours))
        elif event.kind == REPLACE:
            listing.book.delete(ours)
            if price := self._price(listing, order.side, event.price) if event.shares else 0:
                new = self._next_reference()
                listing.book.add(new, order.side, event.shares, price)
                listing.references[event.new_reference] = new
                self._send(itch.replace(self._due, listing.locate, ours, new, event.shares, price))
            else:
                self._send(itch.delete(self._due, listing.locate, ours))
        if ours not in listing.book.orders:
            listing.references.pop(event.reference, None)

    def _add(self, listing: _Listing, reference: int, side: str, shares: int, original_price: int) -> None:
        price = self._price(listing, side, original_price)
        if not price or not shares or reference in listing.references or self._far(listing, side, price):
            return
        ours = self._next_reference()
        listing.book.add(ours, side, shares, price)
        listing.references[reference] = ours
        self._send(itch.add(self._due, listing.locate, listing.name, ours, side, shares, price))

    def _reduction(self, listing: _Listing, kind: int, reference: int, shares: int) -> bytes:
        if kind == CANCEL:
            return itch.cancel(self._due, listing.locate, reference, shares)
        self._match += 1
        return itch.executed(self._due, listing.locate, reference, shares, self._match)

    def _price(self, listing: _Listing, side: str, original: int) -> int:
        """The original's price with the offset, where the order rests; 0 if there is no such price."""
        tick = 100 if original >= 10_000 and original % 100 == 0 else 1
        step = max(original // STEP // tick, 1) * tick
        price = original + listing.steps * step
        if side == BUY and (ask := listing.book.best(SELL)):
            price = min(price, ask - tick)
        if side == SELL:
            price = max(price, listing.book.best(BUY) + tick)
        return price if 0 < price <= 2_000_000_000 else 0

    def _far(self, listing: _Listing, side: str, price: int) -> bool:
        opposite = listing.book.best(SELL if side == BUY else BUY)
        return bool(opposite) and abs(price - opposite) > opposite // REACH

    def _next_reference(self) -> int:
        self._reference += self._random.randrange(1, 5)
        return self._reference

    def _send(self, data: bytes) -> None:
        self._pending.append(Message(self._due, self._venue, data))

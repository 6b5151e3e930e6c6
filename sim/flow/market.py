"""A seeded market: one fair price per instrument, several venues that hear of it at different times.

News moves the fair price. Each venue hears of it after a lag of its own and then, in a burst, has its stale orders taken,
cancelled and requoted; between the news orders come and go. A venue never crosses its own book, but while one has heard
and another has not, the two cross each other: that is the arbitrage that the card is there to find.

The flow does not see the card's orders: nobody reacts to them, and what they take stays in the book.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from sim.flow import Message, itch
from sim.flow.book import BUY, SELL, VenueBook

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Instrument:
    """Something that trades on every venue.

    Attributes
    ----------
    name : str
    price : int
        Fair price at the start, in 1/10000.
    tick : int
        Price step, in 1/10000.
    """

    name: str
    price: int
    tick: int = 100


INSTRUMENTS = (
    Instrument("ANTS", 24_5000),
    Instrument("BEES", 78_2500),
    Instrument("MOTH", 141_9000),
    Instrument("WASP", 312_4000),
)


@dataclass(frozen=True)
class MarketSettings:
    """What a generated market is like. Times are means in nanoseconds.

    Attributes
    ----------
    seed : int
    venues : int
    instruments : tuple of Instrument
    orders : int
        Most resting orders of one instrument at one venue and side.
    levels : int
        Most price levels of one instrument at one venue and side.
    news_interval : int
        Between two moves of one instrument's fair price.
    quiet_gap : int
        Between two orders of one instrument at one venue when nothing happens.
    burst_gap : int
        Between two orders of one instrument at one venue that has just heard the news.
    lag : int
        From the news until a venue hears it.
    start : int
        Time of the first message, since midnight.
    """

    seed: int
    venues: int = 2
    instruments: tuple[Instrument, ...] = INSTRUMENTS
    orders: int = 24
    levels: int = 8
    news_interval: int = 1_200_000
    quiet_gap: int = 150_000
    burst_gap: int = 700
    lag: int = 14_000
    start: int = 34_200 * NANOSECONDS

    def __post_init__(self) -> None:
        for field in ("venues", "orders", "levels", "news_interval", "quiet_gap", "burst_gap", "lag"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} of a market must be at least 1, not {getattr(self, field)}")
        if not self.instruments:
            raise ValueError("a market needs at least one instrument")


@dataclass
class _Listing:
    """One instrument at one venue."""

    venue: int
    instrument: Instrument
    locate: int
    book: VenueBook
    estimate: int
    """What this venue takes for the fair price, in 1/10000."""
    basis: int = 0
    """By how many ticks it errs."""
    reacting: bool = False


class Market:
    """Generates the order flow of all venues in time order: :meth:`messages` never ends, the caller takes what it needs."""

    def __init__(self, settings: MarketSettings):
        self.settings = settings
        self._random = random.Random(f"trapjaw market {settings.seed}")
        self._turn = count()
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._out: list[Message] = []
        self._now = settings.start
        self._fair = [instrument.price for instrument in settings.instruments]
        self._reference = [self._random.randrange(1_000, 50_000) for _ in range(settings.venues)]
        self._match = [self._random.randrange(100, 10_000) for _ in range(settings.venues)]
        self.listings = [[self._list(venue, slot) for slot in range(len(settings.instruments))] for venue in range(settings.venues)]

    def messages(self) -> Iterator[Message]:
        self._open()
        while True:
            yield from self._out
            self._out.clear()
            self._now, _, action, arguments = heapq.heappop(self._agenda)
            action(*arguments)

    # The day's course

    def _list(self, venue: int, slot: int) -> _Listing:
        instrument = self.settings.instruments[slot]
        locate = 1 + slot if venue == 0 else 1 + 97 * venue + 13 * slot  # each venue numbers in its own way
        return _Listing(venue, instrument, locate, VenueBook(), instrument.price)

    def _open(self) -> None:
        for venue, listings in enumerate(self.listings):
            self._send(venue, itch.system_event(self._now, "O"))
            for listing in listings:
                self._send(venue, itch.stock_directory(self._now, listing.locate, listing.instrument.name))
            for listing in listings:
                self._send(venue, itch.trading_action(self._now, listing.locate, listing.instrument.name, "T"))
            self._send(venue, itch.system_event(self._now, "S"))
            self._send(venue, itch.system_event(self._now, "Q"))
        for slot in range(len(self.settings.instruments)):
            self._after(self.settings.news_interval, self._news, slot)
            for listings in self.listings:
                self._after(self.settings.burst_gap, self._react, listings[slot])
                self._after(self.settings.quiet_gap, self._trade, listings[slot])

    def _news(self, slot: int) -> None:
        instrument = self.settings.instruments[slot]
        steps = 1 + self._geometric(0.42)
        move = self._random.choice((-1, 1)) * steps * self._spread(instrument)
        fair = self._fair[slot] + move
        if not instrument.price // 2 < fair < instrument.price * 2:
            fair = self._fair[slot] - move
        self._fair[slot] = fair
        for listings in self.listings:
            self._after(self.settings.lag, self._hear, listings[slot])
        aftershock = self._random.random() < 0.3  # news come in clusters
        self._after(self.settings.news_interval // (20 if aftershock else 1), self._news, slot)

    def _hear(self, listing: _Listing) -> None:
        slot = self.settings.instruments.index(listing.instrument)
        listing.basis = max(-1, min(1, listing.basis + self._random.choice((-1, 0, 0, 1))))
        listing.estimate = self._fair[slot] + listing.basis * listing.instrument.tick
        self._wake(listing)
        for _ in range(self._geometric(0.9)):  # who follows the news without being first
            self._after(40 * self.settings.burst_gap, self._act, listing)

    def _wake(self, listing: _Listing) -> None:
        if not listing.reacting:
            listing.reacting = True
            self._after(self.settings.burst_gap, self._react, listing)

    def _react(self, listing: _Listing) -> None:
        """One step of putting the book where the venue believes the price to be; comes back until nothing is left to do."""
        listing.reacting = self._take_stale(listing) or self._tighten(listing) or self._prune(listing)
        if listing.reacting:
            self._after(self.settings.burst_gap, self._react, listing)

    def _trade(self, listing: _Listing) -> None:
        """The quiet market, which never stops."""
        self._act(listing)
        self._after(self.settings.quiet_gap, self._trade, listing)

    def _act(self, listing: _Listing) -> None:
        """One act of somebody: it joins, leaves, changes or takes an order."""
        actions = (self._join, self._leave, self._shrink, self._requote, self._lift, self._hidden_trade)
        self._random.choices(actions, (44, 30, 6, 11, 6, 3))[0](listing)
        self._wake(listing)

    # What a burst is made of: each returns whether it did something

    def _take_stale(self, listing: _Listing) -> bool:
        book = listing.book
        for side in (BUY, SELL):
            best = book.best(side)
            if best and (best >= listing.estimate if side == BUY else best <= listing.estimate):
                order, chance = book.first(side), self._random.random()
                if chance < 0.4:
                    self._execute(listing, side)
                elif chance < 0.8 or not (price := self._resting_price(listing, side)):
                    self._delete(listing, order.reference)
                else:
                    self._replace(listing, order.reference, self._shares(), price)
                return True
        return False

    def _tighten(self, listing: _Listing) -> bool:
        book = listing.book
        for side in self._random.sample((BUY, SELL), 2):
            touch, best = self._touch(listing, side), book.best(side)
            if best and (best >= touch if side == BUY else best <= touch):
                continue
            if best and len(book.prices(side)) >= self.settings.levels:
                self._delete(listing, self._farthest(listing, side))
            else:
                self._add(listing, side, self._shares(), touch)
            return True
        return False

    def _prune(self, listing: _Listing) -> bool:
        for side in (BUY, SELL):
            prices = listing.book.prices(side)
            reach = self.settings.levels * 2 * listing.instrument.tick * self._spread_ticks(listing.instrument)
            if prices and abs(prices[-1] - listing.estimate) > reach:
                self._delete(listing, self._farthest(listing, side))
                return True
        return False

    # What the rest is made of

    def _join(self, listing: _Listing) -> None:
        side = self._random.choice((BUY, SELL))
        if sum(order.side == side for order in listing.book.orders.values()) >= self.settings.orders:
            self._delete(listing, self._farthest(listing, side))
        elif price := self._resting_price(listing, side):
            self._add(listing, side, self._shares(), price)

    def _leave(self, listing: _Listing) -> None:
        if listing.book.orders:
            self._delete(listing, self._random.choice(list(listing.book.orders)))

    def _shrink(self, listing: _Listing) -> None:
        large = [order.reference for order in listing.book.orders.values() if order.shares > 1]
        if large:
            order = listing.book.orders[self._random.choice(large)]
            shares = self._random.randrange(1, order.shares)
            listing.book.reduce(order.reference, shares)
            self._send(listing.venue, itch.cancel(self._now, listing.locate, order.reference, shares))

    def _requote(self, listing: _Listing) -> None:
        if listing.book.orders:
            order = listing.book.orders[self._random.choice(list(listing.book.orders))]
            if price := self._resting_price(listing, order.side):
                self._replace(listing, order.reference, self._shares(), price)

    def _lift(self, listing: _Listing) -> None:
        """A marketable order: takes the best of a side, at times more than one order in the same nanosecond."""
        side = self._random.choice((BUY, SELL))
        for _ in range(1 + self._geometric(0.35)):
            if listing.book.best(side):
                self._execute(listing, side)

    def _hidden_trade(self, listing: _Listing) -> None:
        if listing.book.best(BUY) and listing.book.best(SELL):
            price = (listing.book.best(BUY) + listing.book.best(SELL)) // 2
            name, match = listing.instrument.name, self._next_match(listing.venue)
            self._send(listing.venue, itch.trade(self._now, listing.locate, name, self._shares(), price, match))

    # Acts on the book, each with its message

    def _add(self, listing: _Listing, side: str, shares: int, price: int) -> None:
        reference = self._next_reference(listing.venue)
        listing.book.add(reference, side, shares, price)
        participant = self._random.choice(("NITE", "CDRG", "VIRT")) if self._random.random() < 0.06 else ""
        message = itch.add(self._now, listing.locate, listing.instrument.name, reference, side, shares, price, participant)
        self._send(listing.venue, message)

    def _execute(self, listing: _Listing, side: str) -> None:
        order = listing.book.first(side)
        shares = order.shares if self._random.random() < 0.6 else self._random.randint(1, order.shares)
        listing.book.reduce(order.reference, shares)
        match = self._next_match(listing.venue)
        if self._random.random() < 0.1:
            price = order.price + (listing.instrument.tick // 2) * (-1 if side == BUY else 1)
            message = itch.executed_with_price(self._now, listing.locate, order.reference, shares, match, price)
        else:
            message = itch.executed(self._now, listing.locate, order.reference, shares, match)
        self._send(listing.venue, message)

    def _delete(self, listing: _Listing, reference: int) -> None:
        listing.book.delete(reference)
        self._send(listing.venue, itch.delete(self._now, listing.locate, reference))

    def _replace(self, listing: _Listing, reference: int, shares: int, price: int) -> None:
        side, new_reference = listing.book.orders[reference].side, self._next_reference(listing.venue)
        listing.book.delete(reference)
        listing.book.add(new_reference, side, shares, price)
        self._send(listing.venue, itch.replace(self._now, listing.locate, reference, new_reference, shares, price))

    # Numbers

    def _touch(self, listing: _Listing, side: str) -> int:
        """Where the best price of a side belongs, on the tick grid."""
        tick, half = listing.instrument.tick, self._spread(listing.instrument) // 2
        if side == BUY:
            return (listing.estimate - half - 1) // tick * tick
        return -(-(listing.estimate + half + 1) // tick) * tick

    def _resting_price(self, listing: _Listing, side: str) -> int:
        """A price at which one more order may rest: near the touch, and not on a level too many. 0 if there is none."""
        step = listing.instrument.tick * self._spread_ticks(listing.instrument)
        depth = min(self._geometric(0.6), self.settings.levels - 1) * step
        price = self._touch(listing, side) + (-depth if side == BUY else depth)
        levels = listing.book.prices(side)
        if price not in levels and len(levels) >= self.settings.levels:
            price = self._random.choice(levels)
        return price if price > 0 and not listing.book.crosses(side, price) else 0

    def _farthest(self, listing: _Listing, side: str) -> int:
        price = listing.book.prices(side)[-1]
        return next(order.reference for order in listing.book.orders.values() if order.side == side and order.price == price)

    def _spread(self, instrument: Instrument) -> int:
        return self._spread_ticks(instrument) * instrument.tick

    def _spread_ticks(self, instrument: Instrument) -> int:
        return max(1, instrument.price // (10_000 * instrument.tick))  # about a basis point

    def _shares(self) -> int:
        if self._random.random() < 0.15:
            return self._random.randrange(1, 100)
        return 100 * (1 + self._geometric(0.6))

    def _geometric(self, chance: float) -> int:
        number = 0
        while number < 40 and self._random.random() < chance:
            number += 1
        return number

    def _next_reference(self, venue: int) -> int:
        self._reference[venue] += self._random.randrange(1, 9)
        return self._reference[venue]

    def _next_match(self, venue: int) -> int:
        self._match[venue] += 1
        return self._match[venue]

    # Time

    def _after(self, mean: int, action: Callable[..., None], *arguments: Any) -> None:
        """Exponential waiting time, at least 178 ns: the smallest distance seen between real messages."""
        wait = max(178, round(self._random.expovariate(1 / mean)))
        heapq.heappush(self._agenda, (self._now + wait, next(self._turn), action, arguments))

    def _send(self, venue: int, data: bytes) -> None:
        self._out.append(Message(self._now, venue, data))

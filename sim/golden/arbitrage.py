"""Reference model of the arbitrage detector: the rule itself, one top of book after another."""

from dataclasses import dataclass, field
from itertools import permutations
from typing import NamedTuple

from sim.golden.records import BUY, SELL, Order, TopOfBook

STRATEGY = 1
"""The detector's number in the orders."""

MOST_SHARES = (1 << 18) - 1
"""A leg has no more."""

MOST_PROFIT = (1 << 30) - 1
"""More per share is not believed."""

MOST_OF_AN_ORDER = (1 << 32) - 1
"""Price of an order."""


@dataclass
class Venue:
    """What the host has said of a venue; units as in the hardware's record."""

    enable: bool = False
    direct: bool = False
    share_fee: int = 0
    fee_rate: int = 0
    max_age: int = 0

    def fee(self, price: int) -> int:
        """Of one share at this price, rounded up."""
        return -(-((self.share_fee << 14) + self.fee_rate * price) >> 22)


@dataclass
class Limits:
    """What is an opportunity, for one symbol."""

    min_profit: int = 0
    min_shares: int = 0
    max_shares: int = 0


class Quote(NamedTuple):
    """A venue's top of book, what is left of its prices with the fees of its day, and when it was so."""

    top: TopOfBook = TopOfBook()
    net_bid: int = 0
    net_ask: int = 0
    time: int = 0


class Opportunity(NamedTuple):
    """The same shares, to be bought at one venue and sold at another."""

    buy_venue: int
    sell_venue: int
    buy_price: int
    sell_price: int
    shares: int
    profit: int
    """For all shares, after fees, in 1/10000 of the currency unit."""


class Outcome(NamedTuple):
    """What one record led to: a signal and two orders (the buy first, both or none), or a missed opportunity, or nothing."""

    orders: tuple[Order, ...] = ()
    missed: bool = False
    signal: Opportunity | None = None
    implausible: bool = False


@dataclass
class ArbitrageModel:
    """Keeps the last top of book of each venue and symbol.

    At each change all venues of the symbol are compared. What is found counts as one opportunity until a change of the symbol
    finds it gone; it is signalled once. One that can't be signalled, because another one pays more, the symbol cools down or the orders
    of the last signal still wait, stays unsignalled: the next change that still finds it has another try.
    """

    venues: int
    symbols: int
    terms: list[Venue] = field(default_factory=list)
    limits: dict[int, Limits] = field(default_factory=dict)
    cooldown: int = 0
    enabled: set[int] = field(default_factory=set)
    stale_venues: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.terms = self.terms or [Venue() for _ in range(self.venues)]
        self._quotes: dict[tuple[int, int], Quote] = {}
        self._signalled: dict[int, set[tuple[int, int]]] = {}
        self._rests_until: dict[int, int] = {}

    def forget(self, venue: int) -> None:
        """The venue's book begins anew."""
        for symbol in range(self.symbols):
            self._quotes.pop((venue, symbol), None)

    def update(
        self, venue: int, symbol: int, top: TopOfBook, *, stale: bool = False, changed: bool = True, sequence: int = 0,
        cycle: int = 0, waiting: bool = False, time: int = 0, now: int | None = None, direct: bool = False,
    ) -> Outcome:
        """A record of one venue.

        Parameters
        ----------
        stale : bool
            The book can't be sure of this symbol, or is in the middle of a change, or crossed in itself.
        cycle : int
            Of the decision, for the cooldown; may be left out where there is none.
        waiting : bool
            Orders of the last signal have not been taken yet.
        time, now : int
            When the quote was made, and the card's time; the same (time) for a record of a feed.
        direct : bool
            It comes from the host.
        """
        if not changed or venue >= self.venues or symbol >= self.symbols or self.terms[venue].direct != direct:
            return Outcome()
        fee = self.terms[venue].fee
        self._quotes[venue, symbol] = Quote(
            TopOfBook() if stale else top, top.bid_price - fee(top.bid_price), top.ask_price + fee(top.ask_price), time)
        found, implausible = self._opportunities(symbol, time if now is None else now)
        before = self._signalled.get(symbol, set())
        signalled = self._signalled[symbol] = {(one.buy_venue, one.sell_venue) for one in found} & before
        fresh = [one for one in found if (one.buy_venue, one.sell_venue) not in signalled]
        if not fresh or cycle <= self._rests_until.get(symbol, -1):
            return Outcome(implausible=implausible)
        if waiting:
            return Outcome(missed=True, implausible=implausible)

        best = max(fresh, key=lambda one: one.profit)  # the first of equals: the lowest buy venue, then the lowest sell venue
        signalled.add((best.buy_venue, best.sell_venue))
        if self.cooldown:
            self._rests_until[symbol] = cycle + self.cooldown
        if max(best.buy_price, best.sell_price) > MOST_OF_AN_ORDER:
            return Outcome(signal=best, implausible=implausible)
        return Outcome((
            Order(STRATEGY, best.buy_venue, symbol, BUY, best.shares, best.buy_price, venue, sequence, pair=1),
            Order(STRATEGY, best.sell_venue, symbol, SELL, best.shares, best.sell_price, venue, sequence),
        ), signal=best, implausible=implausible)

    def edge(self, symbol: int, buy: int, sell: int) -> int | None:
        """Best bid there - best ask here, before fees; None where one of them is missing."""
        ask, bid = (self._quotes.get((venue, symbol), Quote()).top for venue in (buy, sell))
        has_both = ask.ask_price and ask.ask_shares and bid.bid_price and bid.bid_shares
        return bid.bid_price - ask.ask_price if has_both else None

    def _opportunities(self, symbol: int, now: int) -> tuple[list[Opportunity], bool]:
        """All that are there, and whether one would be but for a profit that can't be."""
        limits, implausible = self.limits.get(symbol, Limits()), False
        found: list[Opportunity] = []
        if symbol not in self.enabled:
            return found, False
        quotes = {venue: quote for venue in range(self.venues) if (quote := self._reliable(venue, symbol, now))}
        for buy, sell in permutations(quotes, 2):
            if self.edge(symbol, buy, sell) is None:
                continue
            ask, bid = quotes[buy].top, quotes[sell].top
            gain = quotes[sell].net_bid - quotes[buy].net_ask
            shares = min(ask.ask_shares, bid.bid_shares, limits.max_shares, MOST_SHARES)
            if gain <= 0 or shares == 0 or shares < limits.min_shares:
                continue
            if gain > MOST_PROFIT:
                implausible = True
            elif gain >= limits.min_profit:
                found.append(Opportunity(buy, sell, ask.ask_price, bid.bid_price, shares, gain * shares))
        return found, implausible

    def _reliable(self, venue: int, symbol: int, now: int) -> Quote | None:
        """The venue's quote, if it takes part; one that pays against itself is wrong."""
        terms, quote = self.terms[venue], self._quotes.get((venue, symbol))
        if quote is None or not terms.enable or venue in self.stale_venues or now - quote.time > terms.max_age:
            return None
        top = quote.top
        both = top.bid_price and top.bid_shares and top.ask_price and top.ask_shares
        return None if both and quote.net_bid > quote.net_ask else quote

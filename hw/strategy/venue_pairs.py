"""Every two venues compared: which of the two ways pays, how much, and of any two that pay which pays more."""

from itertools import combinations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arbitrage_types import ArbitrageLimits, LegShares
from hw.config import CardConfig
from hw.lib.choice import any_of
from hw.strategy.quote_store import StoredQuote, VenueView
from hw.types import Price

PROFIT_BITS = 30
"""More per share than this holds is not believed."""

TOTAL_BITS = PROFIT_BITS + LegShares.width

EDGE = signed(35)


class Opportunity(data.Struct):
    """Buying at one venue of a pair and selling at the other."""

    worth: 1
    """It is one: it pays enough, and both quotes can be relied on."""
    turned: 1
    """Bought at the pair's higher venue."""
    shares: LegShares
    buy_price: Price


class VenuePairs(wiring.Component):
    """Compares all venues of one record, each with each, both ways.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    views : In(VenueView, one a venue)
    enabled : In(1)
        With ``views``: the symbol may be traded.
    limits : In(ArbitrageLimits)
        With ``views``.
    opportunities : Out(Opportunity, one a pair)
        Of the pairs (0, 1), (0, 2) ... in this order; two cycles after ``views``.
    bid_prices : Out(Price, one a venue)
        With ``opportunities``: at which it could be sold there.
    implausible : Out(1)
        With ``opportunities``: one would be there, but for a profit per share of 2^30 or more.
    beats : Out(one a pair and pair)
        ``RANKED`` cycles after ``views``: the first pair's total profit is the higher, or equal and its buy venue the lower, or this
        too is equal and its sell venue the lower. Says nothing where one of the two is not worth it.
    totals : Out(TOTAL_BITS, one a pair)
        With ``beats``, or for a single pair two cycles after ``views``: profit of all shares.

    Notes
    -----
    A venue that could be bought from and sold to at once with a profit (its net bid is above its net ask) is not believed; so of a
    pair's two ways at most one pays. Latency 2, of ``beats`` 3 for up to four venues and 4 for more.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self.pairs = list(combinations(range(config.venues), 2))
        count = len(self.pairs)
        self.ranked = self.LATENCY if count == 1 else self.LATENCY + 1 if config.venues <= 4 else self.LATENCY + 2
        super().__init__({
            "views": In(data.ArrayLayout(VenueView, config.venues)), "enabled": In(1), "limits": In(ArbitrageLimits),
            "opportunities": Out(data.ArrayLayout(Opportunity, count)), "implausible": Out(1),
            "bid_prices": Out(data.ArrayLayout(Price, config.venues)),
            "beats": Out(data.ArrayLayout(count, count)), "totals": Out(data.ArrayLayout(TOTAL_BITS, count)),
        })

    def elaborate(self, platform):
        m = Module()
        self._limits, self._too_good, self.edges = Signal(ArbitrageLimits), [], []
        self._later = [Signal(StoredQuote, name=f"quote_{number}") for number in range(len(self.views))]
        self._venue_checks(m)
        m.d.sync += [
            self._limits.eq(self.limits),
            *(later.eq(view.quote) for later, view in zip(self._later, self.views, strict=True)),
            *(price.eq(later.bid_price) for price, later in zip(self.bid_prices, self._later, strict=True)),
        ]
        totals = [self._weigh(m, number, *pair, *self._compare(m, number, *pair)) for number, pair in enumerate(self.pairs)]
        m.d.comb += self.implausible.eq(Cat(self._too_good).any())
        if len(self.pairs) == 1:
            m.d.comb += self.totals[0].eq(totals[0])
        else:
            self._rank(m, totals)
        return m

    def _venue_checks(self, m):
        """Cycle 0: of each venue, whether it must be left out, and whether its sizes are below the cap and enough."""
        self._doubtful, self._fits, self._enough, limits = [], [], [], self.limits
        for number, view in enumerate(self.views):
            doubtful, quote = Signal(2, name=f"doubtful_{number}"), view.quote
            m.d.sync += doubtful.eq(Cat(view.expired, quote.has_bid & quote.has_ask & (view.net.ask - view.net.bid)[-1]))
            self._doubtful.append(doubtful.any())
            sizes = {side: quote[f"{side}_shares"] for side in ("ask", "bid")}
            self._fits.append({side: (size - limits.max_shares)[-1] for side, size in sizes.items()})
            self._enough.append({side: quote[f"has_{side}"] & ~(size - limits.min_shares)[-1] for side, size in sizes.items()})
        self._may_trade = self.enabled & (limits.max_shares != 0) & ~(limits.max_shares - limits.min_shares)[-1]

    def _compare(self, m, number, low, high):
        """Cycle 0: of both ways the profit per share; which may pay, whether it is possible, and whose size is its quantity."""
        turned, possible = Signal(name=f"turned_{number}"), Signal(name=f"possible_{number}")
        smallest, capped = Signal(4, name=f"smallest_{number}"), Signal(name=f"capped_{number}")
        edges, can, least = [], [], []
        for buy, sell in ((low, high), (high, low)):
            there, here = self.views[buy], self.views[sell]
            way, edge = Signal(EDGE, name=f"edge_{buy}_{sell}"), Signal(EDGE, name=f"edge_later_{buy}_{sell}")
            m.d.comb += way.eq(here.net.bid - there.net.ask)
            m.d.sync += edge.eq(way)
            self.edges.append(way)
            edges.append(edge)
            can.append(there.usable & here.usable & self._enough[buy]["ask"] & self._enough[sell]["bid"])
            less = (there.quote.ask_shares - here.quote.bid_shares)[-1]
            least.append(Cat(less & self._fits[buy]["ask"], ~less & self._fits[sell]["bid"]))
        turn = self.edges[-2][-1] | ~can[0]
        m.d.sync += [
            turned.eq(turn), possible.eq(self._may_trade & Mux(turn, can[1], can[0])),
            smallest.eq(Cat(Mux(turn, 0, least[0]), Mux(turn, least[1], 0))), capped.eq(~Mux(turn, least[1], least[0]).any()),
        ]
        quotes = self._later[low], self._later[high]
        shares = any_of(zip((*smallest, capped), (quotes[0].ask_shares, quotes[1].bid_shares, quotes[1].ask_shares,
                                                  quotes[0].bid_shares, self._limits.max_shares), strict=True))
        return Mux(turned, edges[1], edges[0]), shares, turned, possible

    def _weigh(self, m, number, low, high, edges, quantity, turned, possible):
        """Cycle 1: whether it is an opportunity, and the parts of its total profit; returns the total, a cycle later."""
        result, limits = self.opportunities[number], self._limits
        edge, shares = Signal(EDGE, name=f"edge_{number}"), Signal(LegShares, name=f"shares_{number}")
        sound, too_high, too_good = Signal(name=f"sound_{number}"), edge[PROFIT_BITS:].any(), Signal(name=f"too_good_{number}")
        parts = [Signal(36, name=f"low_product_{number}", reset_less=True),
                 Signal(TOTAL_BITS - 18, name=f"high_product_{number}", reset_less=True)]
        m.d.comb += [
            edge.eq(edges), shares.eq(quantity),
            sound.eq(possible & ~self._doubtful[low] & ~self._doubtful[high] & ~edge[-1] & (edge != 0)),
        ]
        m.d.sync += [
            result.worth.eq(sound & ~too_high & ~(edge[:PROFIT_BITS] - limits.min_profit)[-1]),
            too_good.eq(sound & too_high),
            result.turned.eq(turned), result.shares.eq(shares),
            result.buy_price.eq(Mux(turned, self._later[high].ask_price, self._later[low].ask_price)),
            parts[0].eq(edge[:18] * shares), parts[1].eq(edge[18:PROFIT_BITS] * shares),
        ]
        self._too_good.append(too_good)
        return (parts[0] + Cat(Const(0, 18), parts[1]))[:TOTAL_BITS]

    def _rank(self, m, totals):
        """Cycle 2, and for many venues 3: the total profits, each compared with each."""
        turned = [opportunity.turned for opportunity in self.opportunities]
        if self.ranked > self.LATENCY + 1:
            later = [(Signal(TOTAL_BITS, name=f"total_{number}"), Signal(name=f"turned_later_{number}")) for number in range(len(totals))]
            m.d.sync += [part.eq(now) for number, parts in enumerate(later)
                         for part, now in zip(parts, (totals[number], turned[number]), strict=True)]
            totals, turned = zip(*later, strict=True)
        m.d.sync += [kept.eq(total) for kept, total in zip(self.totals, totals, strict=True)]
        for one in range(len(totals)):
            for other in range(one + 1, len(totals)):
                first = self._first(self.pairs[one], turned[one], self.pairs[other], turned[other])
                better = Signal(name=f"beats_{one}_{other}")
                m.d.sync += better.eq((Cat(Const(0, 1), totals[other]) - Cat(first, totals[one]))[-1])
                m.d.comb += [self.beats[one][other].eq(better), self.beats[other][one].eq(~better)]

    @staticmethod
    def _first(pair, turned, other, other_turned):
        """Of equal ones this comes first: its buy venue is the lower, or else its sell venue; by the ways that both go."""
        return Cat(
            Const((pair[::-1] if turn else pair) < (other[::-1] if other_turn else other), 1)
            for other_turn in (False, True) for turn in (False, True)
        ).bit_select(Cat(turned, other_turned), 1)

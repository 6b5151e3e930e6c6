"""Every two venues compared: which of the two ways pays, how much, and of any two that pay which pays more."""

from itertools import combinations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arbitrage_types import ArbitrageLimits, LegShares
from hw.config import CardConfig
from hw.lib.delay import delayed
from hw.strategy.quote_store import VenueView
from hw.types import Price

PROFIT_BITS = 30
"""More per share than this holds is not believed."""

TOTAL_BITS = PROFIT_BITS + LegShares.width


class Leg(data.StructLayout):
    """What is bought, if the pair is chosen. ``wide``: its price or that of what is sold is wider than an order's."""

    def __init__(self, price_bits: int):
        super().__init__({"turned": 1, "shares": LegShares, "price": price_bits, "wide": 1})


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
    opportunities : Out(two bits a pair)
        Of the pairs (0, 1), (0, 2) ... in this order: it pays enough to buy at the lower venue of the two, at the higher one, and
        both quotes can be relied on. Two cycles after ``views``.
    implausible : Out(1)
        With ``opportunities``: one would be there, but for a profit per share of 2^30 or more.
    fresh : In(one bit a pair)
        ``ranked`` - 1 cycles after ``views``: which of the pairs stand for election. A single pair is not asked.
    step : In(1)
        What is there for the orders may become the next record's; while it is 0, it stays what it is.
    legs : Out(Leg, one a pair)
        ``ranked`` cycles after ``views``, held.
    bid_prices : Out(a price, one a venue)
        ``ranked`` cycles after ``views``: at which it could be sold there.
    beats : Out(one a pair and pair)
        ``ranked`` cycles after ``views``, held: the first pair stands for election and the second does not, or both do, and the first
        pair's total profit is the higher, or equal and its buy venue the lower, or this too is equal and its sell venue the lower.
    totals : Out(TOTAL_BITS, one a pair)
        ``ranked`` cycles after ``views``: profit of all shares.

    Notes
    -----
    A venue that could be bought from and sold to at once with a profit (its net bid is above its net ask) is not believed; so of a
    pair's two ways at most one pays. Latency 2, of what is ``ranked`` 3 for three and four venues and 4 for more.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self.pairs = list(combinations(range(config.venues), 2))
        count = len(self.pairs)
        self.ranked = self.LATENCY if count == 1 else self.LATENCY + 1 if config.venues <= 4 else self.LATENCY + 2
        super().__init__({
            "views": In(data.ArrayLayout(VenueView(config.price_bits), config.venues)), "enabled": In(1), "limits": In(ArbitrageLimits),
            "opportunities": Out(data.ArrayLayout(2, count)), "implausible": Out(1),
            "fresh": In(count), "step": In(1),
            "legs": Out(data.ArrayLayout(Leg(config.price_bits), count)),
            "bid_prices": Out(data.ArrayLayout(config.price_bits, config.venues)),
            "beats": Out(data.ArrayLayout(count, count)), "totals": Out(data.ArrayLayout(TOTAL_BITS, count)),
        })

    def elaborate(self, platform):
        m = Module()
        self._too_good, self._found, self.edges = [], [], []
        self._prices = {side: [Signal.like(view.quote[f"{side}_price"], name=f"{side}_price_{venue}")
                               for venue, view in enumerate(self.views)] for side in ("bid", "ask")}
        m.d.sync += [price.eq(view.quote[f"{side}_price"])
                     for side, prices in self._prices.items() for price, view in zip(prices, self.views, strict=True)]
        self._check_symbol(m)
        self._check_venues(m)
        totals = [self._weigh(m, number, *pair, *self._compare(m, number, *pair)) for number, pair in enumerate(self.pairs)]
        m.d.comb += self.implausible.eq(Cat(self._too_good).any())
        self._tell(m)
        if len(self.pairs) == 1:
            m.d.comb += self.totals[0].eq(totals[0])
        else:
            self._rank(m, totals)
        return m

    def _check_symbol(self, m):
        """Cycle 0: whether the symbol may be traded at all, and the least profit of a share: 0 is never enough."""
        self._may_trade, self._least, limits = Signal(), Signal(Price, name="least"), self.limits
        m.d.sync += [
            self._may_trade.eq(self.enabled & (limits.max_shares != 0) & ~(limits.max_shares - limits.min_shares)[-1]),
            self._least.eq(Cat(limits.min_profit[0] | (limits.min_profit == 0), limits.min_profit[1:])),
        ]

    def _check_venues(self, m):
        """Cycle 0: of each venue its sizes up to the cap, whether they are enough, and whether it must be left out."""
        self._sizes, self._enough, self._sound, limits = [], [], [], self.limits
        for number, view in enumerate(self.views):
            expired, honest, quote = Signal(name=f"expired_{number}"), Signal(name=f"honest_{number}"), view.quote
            # Carries if the bid is the higher, and then only on through a bid and an ask that are there.
            crossed = Cat(Const(0, 1), view.net.bid[:-1], ~view.net.bid[-1], quote.has_bid & quote.has_ask) - Cat(
                1, view.net.ask[:-1], ~view.net.ask[-1], 1)
            m.d.sync += [expired.eq(view.expired), honest.eq(crossed[-1])]
            self._sound.append(honest & ~expired)
            sizes, enough = ({side: Signal(shape, name=f"{side}_{name}_{number}") for side in ("ask", "bid")}
                             for name, shape in (("size", LegShares), ("enough", 1)))
            for side in ("ask", "bid"):
                size = view.sizes[side]
                m.d.sync += [
                    sizes[side].eq(Mux((size - limits.max_shares)[-1], size, limits.max_shares)),
                    enough[side].eq(view.usable & quote[f"has_{side}"] & ~(size - limits.min_shares)[-1]),
                ]
            self._sizes.append(sizes)
            self._enough.append(enough)

    def _compare(self, m, number, low, high):
        """Cycle 0: of both ways the profit per share, and whose size is the smaller; which of the two may pay.

        It is the first if that does not lose by quotes that are there. Then the other loses or is made of a quote that is not there, or
        one of the venues is not believed.
        """
        edges, less, loses, differences = [], [], [], []
        for buy, sell in ((low, high), (high, low)):
            there, here = self.views[buy], self.views[sell]
            width = len(there.net.ask)
            way = Signal(signed(width + 1), name=f"edge_{buy}_{sell}")
            edge, smaller, lost = (Signal(shape, name=f"{name}_{buy}_{sell}", reset_less=True)
                                   for name, shape in (("gain", width), ("less", 1), ("loses", 1)))
            # With the signs inverted it carries if there is no loss; and then only on through a bid and an ask that are there.
            has = there.quote.has_ask & here.quote.has_bid
            difference = Cat(here.net.bid[:-1], ~here.net.bid[-1], has) - Cat(there.net.ask[:-1], ~there.net.ask[-1], 1)
            m.d.comb += way.eq(Cat(difference[:width], ~(difference[width] ^ has)))
            m.d.sync += [
                edge.eq(difference), lost.eq(difference[-1]), smaller.eq((there.sizes.ask - here.sizes.bid)[-1]),
            ]
            self.edges.append(way)
            differences.append(difference)
            edges.append(edge)
            loses.append(lost)
            less.append(Mux(smaller, self._sizes[buy]["ask"], self._sizes[sell]["bid"]))
        turned, straight = loses[0], Signal(name=f"straight_{number}")
        m.d.sync += straight.eq(~differences[0][-1])  # the same once more, near the choice of the shares
        ways = [self._enough[low]["ask"] & self._enough[high]["bid"], self._enough[high]["ask"] & self._enough[low]["bid"] & ~loses[1]]
        return Mux(turned, edges[1], edges[0]), Mux(straight, less[0], less[1]), turned, Mux(turned, ways[1], ways[0])

    def _weigh(self, m, number, low, high, edges, quantity, turned, enough):
        """Cycle 1: whether it is an opportunity, and the parts of its total profit; returns the total, a cycle later."""
        edge, shares, worth = Signal(len(edges), name=f"edge_{number}"), Signal(LegShares, name=f"shares_{number}"), Signal()
        possible, too_high, too_good = Signal(name=f"possible_{number}"), edge[PROFIT_BITS:].any(), Signal(name=f"too_good_{number}")
        parts = [Signal(36, name=f"low_product_{number}", reset_less=True),
                 Signal(TOTAL_BITS - 18, name=f"high_product_{number}", reset_less=True)]
        m.d.comb += [
            edge.eq(edges), shares.eq(quantity),
            possible.eq(self._may_trade & enough & self._sound[low] & self._sound[high]),
            worth.eq(possible & ~too_high & ~(edge[:PROFIT_BITS] - self._least)[-1]),
        ]
        m.d.sync += [
            self.opportunities[number].eq(Cat(worth & ~turned, worth & turned)), too_good.eq(possible & too_high),
            parts[0].eq(edge[:18] * shares), parts[1].eq(edge[18:PROFIT_BITS] * shares),
        ]
        self._too_good.append(too_good)
        self._found.append((turned, shares))
        return (parts[0] + Cat(Const(0, 18), parts[1]))[:TOTAL_BITS]

    def _tell(self, m):
        """What the orders are made of, in the last cycle and as long as they wait."""
        def last(value):
            return delayed(m, value, self.ranked - self.LATENCY)[-1]

        bids, asks = ([last(price) for price in self._prices[side]] for side in ("bid", "ask"))
        m.d.sync += [told.eq(bid) for told, bid in zip(self.bid_prices, bids, strict=True)]
        for leg, (low, high), found in zip(self.legs, self.pairs, self._found, strict=True):
            turned, shares = map(last, found)
            wide = [(asks[buy] | bids[sell])[Price.width:].any() for buy, sell in ((low, high), (high, low))]
            with m.If(self.step):
                m.d.sync += [
                    leg.turned.eq(turned), leg.shares.eq(shares), leg.price.eq(Mux(turned, asks[high], asks[low])),
                    leg.wide.eq(Mux(turned, wide[1], wide[0])),
                ]

    def _rank(self, m, totals):
        """Cycle 2, and for many venues 3: the total profits, each compared with each."""
        turned = [delayed(m, way, self.ranked - self.LATENCY)[-1] for way, _ in self._found]
        totals = [delayed(m, total, self.ranked - self.LATENCY - 1)[-1] for total in totals]
        m.d.sync += [kept.eq(total) for kept, total in zip(self.totals, totals, strict=True)]
        for one in range(len(totals)):
            for other in range(one + 1, len(totals)):
                first = self._first(self.pairs[one], turned[one], self.pairs[other], turned[other])
                better = Signal(name=f"beats_{one}_{other}")
                less = Cat(Const(0, 1), totals[other], self.fresh[other]) - Cat(first, totals[one], self.fresh[one])
                with m.If(self.step):
                    m.d.sync += better.eq(less[-1])
                m.d.comb += [self.beats[one][other].eq(better), self.beats[other][one].eq(~better)]

    @staticmethod
    def _first(pair, turned, other, other_turned):
        """Of equal ones this comes first: its buy venue is the lower, or else its sell venue; by the ways that both go."""
        return Cat(
            Const((pair[::-1] if turn else pair) < (other[::-1] if other_turn else other), 1)
            for other_turn in (False, True) for turn in (False, True)
        ).bit_select(Cat(turned, other_turned), 1)

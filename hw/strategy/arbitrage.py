"""Cross-venue arbitrage: buy where it is offered for less than it is wanted for elsewhere, fees paid."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import bits_for

from hw.arbitrage_types import ArbitrageLimits, ArbitrageSignal, CardTime, DirectQuote, VenueTerms
from hw.config import CardConfig
from hw.lib.choice import any_of
from hw.lib.delay import delayed
from hw.lib.slot_table import GROUP, SlotSettings, SlotTable
from hw.strategy.quote_intake import QuoteIntake, Trigger
from hw.strategy.quote_store import QuoteStore
from hw.strategy.signalled import Signalled
from hw.strategy.venue_pairs import TOTAL_BITS, VenuePairs
from hw.types import Cycles, Order, Side, TopOfBook, VenueIndex

STRATEGY = 1
"""This strategy's number in the orders."""


class Arbitrage(wiring.Component):
    """At each change of a venue's top of book compares all venues of the symbol, each with each, and sends a pair of orders if it pays.

    Profit per share is (bid there - ask here) less the fees of both legs; quantity is the smaller size, at most ``max_shares``. It
    is an opportunity if the profit is above 0, at least ``min_profit`` and below 2^30, the quantity at least ``min_shares``, and the
    symbol and both venues are enabled. A quote counts only while its venue is not stale, and if it is neither stale, halted, crossed
    nor in the middle of a change (``partial``), not older than the venue's ``max_age``, and could not be bought and sold again at its
    own venue with a profit. Of several opportunities the one of the highest total profit (profit per share x quantity) wins, of
    equal ones that of the lowest buy venue, then of the lowest sell venue.

    An opportunity (symbol, buy venue, sell venue) is signalled once, until a change of the symbol finds it gone. What can't be
    signalled now, because another one won, the symbol cools down or orders still wait, is not remembered; if the next change of any
    of the symbol's venues still finds it, it has another try.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook)
        Always ready, one a cycle. Records without ``changed``, of an unknown or a direct venue or an unknown symbol are dropped; of a
        venue that is being cleared they are forgotten with the rest.
    quotes : In(stream of DirectQuote)
        Of direct venues, of others dropped; taken in a cycle without a top, not before the one after that in which it is offered
        first. Symbol and venue must be there.
    now : In(CardTime)
    limits : In(stream of SlotSettings(ArbitrageLimits), always ready)
        What holds for a symbol's records from the next cycle on.
    cooldown : In(Cycles)
        Cycles after a signal during which the symbol gives no other.
    enable : In(one bit a symbol)
    terms : In(VenueTerms, one a venue)
    venue_stale : In(one bit a venue)
        Level: the venue takes part in nothing, whatever its last record said.
    clear : In(one bit a venue)
        Pulse: the venue's book begins anew; forgets its quotes in ``symbols`` cycles.
    orders : Out(stream of Order)
        The buy, then the sell: a pair.
    signal : Out(stream of ArbitrageSignal, always ready)
        One cycle after its buy order is on offer first.
    unsent : Out(1)
        With ``signal``: it leads to no orders, as one of its prices is wider than theirs. Else it is as if they had been taken at once.
    missed : Out(1)
        Pulse: a change showed an unsignalled opportunity while orders of the last one were waiting to be taken.
    implausible : Out(1)
        Pulse: something would have been an opportunity but for a profit per share of 2^30 or more.

    Notes
    -----
    Latency 4 for two venues, 5 for three and four, 6 for more (``LATENCY`` of the object): a record transferred in cycle t, its buy
    order valid in cycle t + LATENCY. That is also the cycle in which it is decided; a cooldown of n covers the decisions of the n
    cycles after it.
    """

    LATENCY = 4

    def __init__(self, config: CardConfig):
        super().__init__({
            "tops": In(stream.Signature(TopOfBook)),
            "quotes": In(stream.Signature(DirectQuote(config.price_bits))),
            "now": In(CardTime),
            "limits": In(stream.Signature(SlotSettings(ArbitrageLimits), always_ready=True)),
            "cooldown": In(Cycles),
            "enable": In(config.symbols),
            "terms": In(data.ArrayLayout(VenueTerms, config.venues)),
            "venue_stale": In(config.venues),
            "clear": In(config.venues),
            "orders": Out(stream.Signature(Order)),
            "signal": Out(stream.Signature(ArbitrageSignal(config.price_bits), always_ready=True)),
            "unsent": Out(1),
            "missed": Out(1),
            "implausible": Out(1),
        })
        self._venues, self._symbols = config.venues, config.symbols
        self.store, self.pairs, self._intake = QuoteStore(config), VenuePairs(config), QuoteIntake(config)
        self.LATENCY = QuoteStore.LATENCY + self.pairs.ranked

    def elaborate(self, platform):
        m = Module()
        m.submodules.store, m.submodules.pairs = store, pairs = self.store, self.pairs
        m.submodules.intake = intake = self._intake
        m.submodules.signalled = signalled = Signalled(self._symbols, 2 * len(pairs.pairs))
        connect(m, flipped(self.tops), intake.tops)
        connect(m, flipped(self.quotes), intake.quotes)
        m.d.comb += [
            intake.now.eq(self.now), intake.terms.eq(self.terms),
            store.take.eq(intake.take), store.record.eq(intake.record), store.quote.eq(intake.quote),
            store.now.eq(self.now), store.terms.eq(self.terms),
            store.venue_stale.eq(self.venue_stale), store.clear.eq(self.clear),
            pairs.views.eq(store.views),
            signalled.cooldown.eq(self.cooldown), signalled.starting.eq(store.starting), signalled.walk.eq(store.walk),
        ]
        takes = delayed(m, intake.take.any(), self.LATENCY)
        triggers = [None, *delayed(m, intake.trigger, self.LATENCY - 2)]
        self._look_up(m, intake.record.symbol, triggers[1].symbol)
        early = self.LATENCY - Signalled.LATENCY
        m.d.comb += [
            self.implausible.eq(pairs.implausible & takes[store.LATENCY + pairs.LATENCY]),
            signalled.valid.eq(takes[early]), signalled.symbol.eq(triggers[early].symbol),
        ]
        there, hot = self._find(m, takes, signalled)
        fire = self._decide(m, takes[-1], there, hot, signalled)
        self._send(m, triggers[-1], fire)
        return m

    def _look_up(self, m, symbol, later):
        """The symbol's limits, and whether it may be traded, with the quotes; the symbol, and the same a cycle later."""
        m.submodules.limits = limits = SlotTable(ArbitrageLimits, self._symbols)
        connect(m, flipped(self.limits), limits.input)
        groups = [self.enable[start:start + GROUP] for start in range(0, self._symbols, GROUP)]
        enabled, group = Signal(len(groups)), Signal(range(max(2, len(groups))))  # in each group the symbol's, and whose it is
        known, kept, low = Signal(), Signal(ArbitrageLimits, reset_less=True), bits_for(GROUP - 1)
        m.d.sync += [
            known.eq(limits.known), kept.eq(limits.kept),
            enabled.eq(Cat(bits.bit_select(later[:low], 1) for bits in groups)), group.eq(later[low:]),
        ]
        m.d.comb += [
            limits.symbol.eq(symbol), self.pairs.limits.eq(kept), self.pairs.enabled.eq(known & enabled.bit_select(group, 1)),
        ]

    def _find(self, m, takes, signalled):
        """The opportunities in the cycle of the decision, and whether one of them is new."""
        pairs, hot, fresh = self.pairs, Signal(), Signal(len(self.pairs.pairs))
        there, stays = Signal(2 * len(pairs.pairs)), Signal(2 * len(pairs.pairs))
        *_, early = delayed(m, pairs.opportunities.as_value(), max(0, pairs.ranked - pairs.LATENCY - 1))
        single = len(pairs.pairs) == 1
        valid = takes[-1 if single else -2]
        new = early & ~(signalled.before if single else signalled.coming)
        m.d.comb += [
            signalled.stays.eq(stays), pairs.fresh.eq(fresh), fresh.eq(Cat(new[2 * k:2 * k + 2].any() for k in range(len(fresh)))),
        ]
        m.d["comb" if single else "sync"] += [hot.eq(valid & fresh.any()), there.eq(early), stays.eq(Mux(valid, early, -1))]
        return there, hot

    def _decide(self, m, valid, there, hot, signalled):
        """Last cycle: a new one is signalled, unless the symbol rests or orders still wait. Which one pays most, the pairs say."""
        pairs = self.pairs
        count, fire, news = len(pairs.pairs), Signal(), Signal()
        self._idle, self._buying, self._selling = Signal(init=1), Signal(), Signal()  # the order on offer, if it waits
        self._chosen, self._would_fire = Signal(count), Signal()
        m.d.comb += [
            self._chosen.eq(Cat(Cat(1, *(pairs.beats[k][j] for j in range(count) if j != k)).all() for k in range(count))),
            self._would_fire.eq(hot & ~signalled.rests), fire.eq(self._would_fire & self._idle), signalled.fire.eq(fire),
            signalled.chosen.eq(Cat(Mux(fire & self._chosen[k], Cat(~leg.turned, leg.turned), 0) for k, leg in enumerate(pairs.legs))),
            news.eq((there & ~signalled.before & ~signalled.last).any()),
            self.missed.eq(valid & news & ~signalled.rests_still & ~self._idle),
        ]
        return fire

    def _send(self, m, trigger, fire):
        """The pair of orders, the buy at once, and the signal a cycle later. While they wait, what they are made of stays."""
        pairs, order, chosen, unsent, ready = self.pairs, self.orders.payload, self._chosen, Signal(), Signal()
        held, sells = Signal(Trigger), Cat(self._sells(venue) for venue in range(self._venues))
        offers = [Signal.like(price, name=f"offer_{venue}") for venue, price in enumerate(pairs.bid_prices)]  # zero, but where it is sold
        buy_venue, sell_venue = Signal(VenueIndex), Signal(VenueIndex)
        buy_price, sell_price, price = (Signal.like(offers[0], name=name) for name in ("buy_price", "sell_price", "price"))
        m.d.comb += [
            unsent.eq(any_of((chosen[k], leg.wide) for k, leg in enumerate(pairs.legs))), ready.eq(self.orders.ready | unsent),
            pairs.step.eq(Mux(self._idle, ~self._would_fire, ready & self._selling)),
            buy_venue.eq(any_of((chosen[k], Mux(pairs.legs[k].turned, high, low)) for k, (low, high) in enumerate(pairs.pairs))),
            buy_price.eq(any_of((chosen[k], leg.price) for k, leg in enumerate(pairs.legs))), sell_price.eq(reduce(or_, offers)),
            price.eq(Mux(self._selling, sell_price, buy_price)),
            self.orders.valid.eq((self._would_fire | ~self._idle) & ~unsent),
            order.strategy.eq(STRATEGY), order.symbol.eq(held.symbol), order.pair.eq(~self._selling),
            order.side.eq(Mux(self._selling, Side.SELL, Side.BUY)),
            order.venue.eq(Mux(self._selling, sell_venue, buy_venue)), order.price.eq(price),
            order.shares.eq(any_of((chosen[k], leg.shares) for k, leg in enumerate(pairs.legs))),
            order.trigger_venue.eq(held.venue), order.trigger_sequence.eq(held.sequence), order.ingress.eq(held.ingress),
        ]
        m.d.sync += [
            self._idle.eq(pairs.step), self._buying.eq((fire | self._buying) & ~ready),
            self._selling.eq(Mux(ready, fire | self._buying, self._selling)),
        ]
        with m.If(self._idle):  # ``fire`` comes late: what it would keep is kept in any case
            m.d.sync += [
                sell_venue.eq(any_of((sells[venue], venue) for venue in range(self._venues))),
                *(offer.eq(bid) for offer, bid in zip(offers, pairs.bid_prices, strict=True)),
            ]
        for venue, offer in enumerate(offers):
            with m.If(self._idle & ~sells[venue]):
                m.d.sync += offer.eq(0)
        with m.If(pairs.step):
            m.d.sync += held.eq(trigger)
        m.d.comb += self.unsent.eq(self.signal.valid & unsent)
        self._tell(m, fire, held, order, price, sell_venue, sell_price)

    def _sells(self, venue):
        """The chosen pair sells there."""
        return Cat(self._chosen[k] & (leg.turned == (pair[0] == venue))
                   for k, (leg, pair) in enumerate(zip(self.pairs.legs, self.pairs.pairs, strict=True)) if venue in pair).any()

    def _tell(self, m, fire, held, buy, buy_price, sell_venue, sell_price):
        """The signal, a cycle after the decision."""
        signal, count = self.signal.payload, len(self._chosen)
        profits = [Signal(TOTAL_BITS, name=f"profit_{k}", reset_less=True) for k in range(count)]  # zero, but the chosen one's
        venue, price = Signal(VenueIndex), Signal.like(buy_price)
        m.d.sync += [
            self.signal.valid.eq(fire), venue.eq(buy.venue), price.eq(buy_price),
            *(profit.eq(Mux(self._chosen[k], self.pairs.totals[k], 0)) for k, profit in enumerate(profits)),
        ]
        m.d.comb += [
            signal.symbol.eq(held.symbol), signal.time.eq(held.time), signal.profit.eq(reduce(or_, profits)),
            signal.buy_venue.eq(venue), signal.buy_price.eq(price), signal.shares.eq(buy.shares),
            signal.sell_venue.eq(sell_venue), signal.sell_price.eq(sell_price),
        ]

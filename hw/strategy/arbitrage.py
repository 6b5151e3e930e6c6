"""Cross-venue arbitrage: buy where it is offered for less than it is wanted for elsewhere, fees paid."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.arbitrage_types import ArbitrageLimits, ArbitrageSignal, CardTime, DirectQuote, LegShares, VenueTerms
from hw.config import CardConfig
from hw.lib.choice import any_of
from hw.lib.slot_table import SlotSettings, SlotTable
from hw.strategy.quote_store import QuoteStore
from hw.strategy.signalled import Signalled
from hw.strategy.venue_pairs import TOTAL_BITS, Opportunity, VenuePairs
from hw.types import Cycles, Order, Price, Sequence, Side, SymbolIndex, TopOfBook, VenueIndex

STRATEGY = 1
"""This strategy's number in the orders."""


class Trigger(data.Struct):
    """The record under examination, on its way through the stages."""

    venue: VenueIndex
    symbol: SymbolIndex
    sequence: Sequence
    ingress: Cycles
    time: CardTime


def below(value, bound):
    """``value < bound``, without a carry chain where the bound is a power of two."""
    return ~value[bound.bit_length() - 1:].any() if bound & (bound - 1) == 0 else value < bound


def saturated(value, shape):
    """The value, or the most that the narrower shape holds."""
    return Mux(value[shape.width:].any(), (1 << shape.width) - 1, value[:shape.width])


def has(top, side):
    """There is a price and a size."""
    return (top[f"{side}_price"] != 0) & (top[f"{side}_shares"] != 0)


def delayed(m, value, cycles):
    """The value of 0, 1 ... ``cycles`` ago."""
    line = [value]
    for _ in range(cycles):
        line.append(Signal.like(value))
        m.d.sync += line[-1].eq(line[-2])
    return line


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
        Of direct venues, of others dropped; taken in a cycle without a top. Symbol and venue must be there.
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
            "quotes": In(stream.Signature(DirectQuote)),
            "now": In(CardTime),
            "limits": In(stream.Signature(SlotSettings(ArbitrageLimits), always_ready=True)),
            "cooldown": In(Cycles),
            "enable": In(config.symbols),
            "terms": In(data.ArrayLayout(VenueTerms, config.venues)),
            "venue_stale": In(config.venues),
            "clear": In(config.venues),
            "orders": Out(stream.Signature(Order)),
            "signal": Out(stream.Signature(ArbitrageSignal, always_ready=True)),
            "missed": Out(1),
            "implausible": Out(1),
        })
        self._venues, self._symbols = config.venues, config.symbols
        self.store, self.pairs = QuoteStore(config), VenuePairs(config)
        self.LATENCY = QuoteStore.LATENCY + self.pairs.ranked

    def elaborate(self, platform):
        m = Module()
        m.submodules.store, m.submodules.pairs = store, pairs = self.store, self.pairs
        m.submodules.limits = limits = SlotTable(ArbitrageLimits, self._symbols)
        m.submodules.signalled = signalled = Signalled(self._symbols, 2 * len(pairs.pairs))
        connect(m, flipped(self.limits), limits.input)
        take, trigger = self._take(m)
        m.d.comb += [
            store.now.eq(self.now), store.terms.eq(self.terms), store.venue_stale.eq(self.venue_stale), store.clear.eq(self.clear),
            limits.symbol.eq(trigger.symbol),
            pairs.limits.eq(delayed(m, limits.values, store.LATENCY - limits.LATENCY)[-1]),
            pairs.views.eq(store.views),
            signalled.cooldown.eq(self.cooldown), signalled.starting.eq(store.starting), signalled.walk.eq(store.walk),
        ]
        takes, triggers = delayed(m, take, self.LATENCY), delayed(m, trigger, self.LATENCY)
        m.d.sync += pairs.enabled.eq(self.enable.bit_select(triggers[store.LATENCY - 1].symbol, 1))
        early = self.LATENCY - Signalled.LATENCY
        m.d.comb += [
            self.implausible.eq(pairs.implausible & takes[store.LATENCY + pairs.LATENCY]),
            signalled.valid.eq(takes[early]), signalled.symbol.eq(triggers[early].symbol),
        ]
        found, fresh = self._find(m, signalled)
        chosen, fire = self._choose(m, takes[-1], found, fresh, signalled)
        self._send(m, triggers[-1], found, chosen, fire)
        return m

    def _take(self, m):
        """Cycle 0: the record that comes to the store, and what its orders will tell of it."""
        top, quote, record = self.tops.payload, self.quotes.payload, self.store.record
        trigger, from_host = Signal(Trigger), Signal()
        heard = top.changed & below(top.symbol, self._symbols)
        sure = ~(top.stale | top.halted | top.partial | top.crossed)
        m.d.comb += [
            self.tops.ready.eq(1), self.quotes.ready.eq(~self.tops.valid), from_host.eq(~self.tops.valid),
            # Each of the two by itself up to the choice between them, which is what takes long.
            self.store.take.eq(Cat(
                Mux(from_host, self.quotes.valid & terms.direct & (quote.venue == venue), heard & ~terms.direct & (top.venue == venue))
                for venue, terms in enumerate(self.terms))),
            *(record[name].eq(Mux(from_host, quote[name], top[name])) for name in ("venue", "symbol", "bid_price", "ask_price")),
            *(record[name].eq(Mux(from_host, saturated(quote[name], LegShares), saturated(top[name], LegShares)))
              for name in ("bid_shares", "ask_shares")),
            *(record[f"has_{side}"].eq(Mux(from_host, has(quote, side), sure & has(top, side))) for side in ("bid", "ask")),
            record.time.eq(Mux(from_host, quote.time, self.now)),
            trigger.venue.eq(record.venue), trigger.symbol.eq(record.symbol),
            trigger.sequence.eq(Mux(from_host, 0, top.sequence)), trigger.ingress.eq(Mux(from_host, self.now, top.ingress)),
            trigger.time.eq(self.now),
        ]
        return self.store.take.any(), trigger

    def _find(self, m, signalled):
        """The opportunities, each with its bit for either way, in the cycle of the decision; and which of them are new."""
        pairs, found = self.pairs, Signal(data.ArrayLayout(Opportunity, len(self.pairs.pairs)))
        stages, self._bids = (delayed(m, line, pairs.ranked - pairs.LATENCY) for line in (pairs.opportunities, pairs.bid_prices))
        m.d.comb += [found.eq(stages[-1]), signalled.there.eq(Cat(ways(one) for one in found))]
        early = Cat(ways(one) for one in stages[-2]) if len(stages) > 1 else None
        fresh = Signal(len(pairs.pairs))
        if early is None:
            new = signalled.there & ~signalled.before
            m.d.comb += fresh.eq(Cat(new[2 * k:2 * k + 2].any() for k in range(len(fresh))))
        else:
            new = early & ~signalled.coming
            m.d.sync += fresh.eq(Cat(new[2 * k:2 * k + 2].any() for k in range(len(fresh))))
        return found, fresh

    def _choose(self, m, valid, found, fresh, signalled):
        """Last cycle: the new one that pays most, unless the symbol rests or orders still wait."""
        count, beats = len(fresh), self.pairs.beats
        chosen, fire, news = Signal(count), Signal(), Signal()
        self._waits = waits = Signal(2)  # the buy, the sell
        for k in range(count):
            m.d.comb += chosen[k].eq(fresh[k] & Cat(1, *(~fresh[j] | beats[k][j] for j in range(count) if j != k)).all())
        m.d.comb += [
            signalled.fire.eq(fire), fire.eq(valid & fresh.any() & ~signalled.rests & ~waits.any()),
            signalled.chosen.eq(Cat(Mux(fire & chosen[k], ways(found[k]), 0) for k in range(count))),
            news.eq((signalled.there & ~signalled.before & ~signalled.last).any()),
            self.missed.eq(valid & news & ~signalled.rests_still & waits.any()),
        ]
        return chosen, fire

    def _send(self, m, trigger, found, chosen, fire):
        """The pair of orders, the buy at once, and the signal a cycle later."""
        waits, order, idle = self._waits, self.orders.payload, Signal()
        buy, kept = Signal(Order), Signal(Order)
        sells, sell_venue, sell_price = Signal(self._venues), Signal(VenueIndex), Signal(Price)
        bids = [Signal(Price, name=f"bid_{venue}") for venue in range(self._venues)]
        directions = [(chosen[k] & (one.turned == turned), *pair[::-1 if turned else 1])
                      for k, (one, pair) in enumerate(zip(found, self.pairs.pairs, strict=True)) for turned in (0, 1)]
        m.d.comb += [
            idle.eq(~waits.any()),
            buy.strategy.eq(STRATEGY), buy.symbol.eq(trigger.symbol), buy.side.eq(Side.BUY), buy.pair.eq(1),
            buy.venue.eq(any_of((chosen[k], Mux(found[k].turned, high, low)) for k, (low, high) in enumerate(self.pairs.pairs))),
            buy.price.eq(any_of((chosen[k], one.buy_price) for k, one in enumerate(found))),
            buy.shares.eq(any_of((chosen[k], one.shares) for k, one in enumerate(found))),
            buy.trigger_venue.eq(trigger.venue), buy.trigger_sequence.eq(trigger.sequence), buy.ingress.eq(trigger.ingress),
            order.eq(Mux(idle, buy.as_value(), kept.as_value())), self.orders.valid.eq(fire | ~idle),
            sell_venue.eq(any_of((sells[venue], venue) for venue in range(self._venues))),
            sell_price.eq(any_of((sells[venue], bids[venue]) for venue in range(self._venues))),
        ]
        with m.If(idle):  # ``fire`` comes late: what it would keep is kept in any case
            m.d.sync += [
                kept.eq(buy),
                sells.eq(Cat(Cat(way for way, _, there in directions if there == venue).any() for venue in range(self._venues))),
                *(later.eq(bid) for later, bid in zip(bids, self._bids[-1], strict=True)),
            ]
        with m.Elif(~waits[0]):
            m.d.comb += [order.side.eq(Side.SELL), order.pair.eq(0), order.venue.eq(sell_venue), order.price.eq(sell_price)]
        with m.If(fire):
            m.d.sync += waits.eq(Cat(~self.orders.ready, 1))
        with m.Elif(self.orders.ready):
            m.d.sync += waits.eq(Cat(0, waits[0]))
        self._tell(m, trigger, chosen, fire, kept, sell_venue, sell_price)

    def _tell(self, m, trigger, chosen, fire, buy, sell_venue, sell_price):
        """The signal, a cycle after the decision."""
        signal, total, time = self.signal.payload, Signal(TOTAL_BITS), Signal(CardTime)
        m.d.sync += [
            self.signal.valid.eq(fire), time.eq(trigger.time),
            total.eq(any_of((chosen[k], self.pairs.totals[k]) for k in range(len(chosen)))),
        ]
        m.d.comb += [
            signal.symbol.eq(buy.symbol), signal.time.eq(time), signal.profit.eq(total),
            signal.buy_venue.eq(buy.venue), signal.buy_price.eq(buy.price), signal.shares.eq(buy.shares),
            signal.sell_venue.eq(sell_venue), signal.sell_price.eq(sell_price),
        ]


def ways(opportunity):
    """Its bit for either way."""
    return Cat(opportunity.worth & ~opportunity.turned, opportunity.worth & opportunity.turned)

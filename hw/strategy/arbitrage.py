"""Cross-venue arbitrage: buy where it is offered for less than it is wanted for elsewhere."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.multiplier import Multiplier
from hw.types import ArbitrageSettings, Cycles, Order, Price, Sequence, Shares, Side, SymbolIndex, TopOfBook, VenueIndex

STRATEGY = 1
"""This strategy's number in the orders."""


class Quote(data.Struct):
    """What is kept of a venue's top of book."""

    bid_price: Price
    bid_shares: Shares
    ask_price: Price
    ask_shares: Shares
    unsure: 1
    """Stale, halted or partial."""


class Trigger(data.Struct):
    """The record under examination, on its way through the stages."""

    venue: VenueIndex
    symbol: SymbolIndex
    sequence: Sequence
    ingress: Cycles


class Comparison(data.Struct):
    """The changed venue ("here") against another: buy here and sell there, or sell here and buy there."""

    buy_here: 1
    """This way does not lose, and both quotes can be relied on."""
    sell_here: 1
    profit_buying: signed(33)
    profit_selling: signed(33)
    shares_buying: Shares
    shares_selling: Shares
    here_bid: Price
    here_ask: Price
    there_bid: Price
    there_ask: Price


class Candidate(data.Struct):
    """The one way that may be worth it, between the changed venue and another."""

    worth: 1
    sell_here: 1
    profit: Price
    shares: Shares
    buy_price: Price
    sell_price: Price


def lesser(a, b):
    """The smaller of two unsigned numbers; the comparison is the sign of a subtraction, a carry chain."""
    return Mux((a - b)[-1], a, b)


def below(value, bound):
    """``value < bound``, without a carry chain where the bound is a power of two."""
    return ~value[bound.bit_length() - 1:].any() if bound & (bound - 1) == 0 else value < bound


def whole(quote, side):
    """The side has a price and shares."""
    return (quote[f"{side}_price"] != 0) & (quote[f"{side}_shares"] != 0)


def delayed(m, value, cycles):
    """The value of so many cycles ago."""
    for _ in range(cycles):
        later = Signal.like(value)
        m.d.sync += later.eq(value)
        value = later
    return value


class Arbitrage(wiring.Component):
    """Compares each change of a venue's top of book with every other venue and sends a pair of orders if it pays.

    Profit a share is (bid there - ask here); quantity is the smaller size, at most ``max_shares``. A way pays if its profit is
    above 0 and at least ``min_profit``, neither book is stale, halted or in the middle of a change (``partial``), and the symbol is
    enabled. Between two venues of which neither way loses, one book is crossed in itself: neither is believed. Of several ways
    that pay the one of the highest total profit wins, of equal ones that with the lowest other venue.

    An opportunity (symbol, buy venue, sell venue) is signalled once, until a change of one of its venues shows it gone. What
    can't be signalled now, because the symbol cools down or orders still wait, is not remembered; if the next change still shows
    it, it has another try.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook)
        Always ready, one a cycle. Records without ``changed``, of an unknown venue or symbol are dropped; of a venue that is
        being cleared they are forgotten with the rest.
    settings : In(ArbitrageSettings)
    enable : In(one bit a symbol)
    venue_stale : In(one bit a venue)
        Level: the venue takes part in nothing, whatever its last record said.
    clear : In(one bit a venue)
        Pulse: the venue's book begins anew; forgets its quotes in ``symbols`` cycles.
    orders : Out(stream of Order)
        The buy, then the sell: a pair.
    signals : Out(1)
        Pulse: an opportunity was found and its orders are on offer from the next cycle on.
    missed : Out(1)
        Pulse: a change showed an unsignalled opportunity while orders of the last one were waiting to be taken.

    Notes
    -----
    Latency 4 for two venues, 7 for more (``LATENCY`` of the object): a record transferred in cycle t, its buy order valid in
    cycle t + LATENCY. A cooldown of n covers the records of the n cycles after the one that caused the signal. It is forgotten
    once it is over at the first gap in the records; only if there were none for 2^32 cycles (27 s) could it come back.
    """

    LATENCY = 4
    RANKING = Multiplier.LATENCY + 1

    def __init__(self, config: CardConfig):
        super().__init__({
            "tops": In(stream.Signature(TopOfBook)),
            "settings": In(ArbitrageSettings),
            "enable": In(config.symbols),
            "venue_stale": In(config.venues),
            "clear": In(config.venues),
            "orders": Out(stream.Signature(Order)),
            "signals": Out(1),
            "missed": Out(1),
        })
        self._venues = config.venues
        self._symbols = config.symbols
        if config.venues > 2:
            self.LATENCY = Arbitrage.LATENCY + self.RANKING

    def elaborate(self, platform):
        m = Module()
        here, trigger, valid, theirs = self._look_up(m)
        comparisons = self._compare(m, here, trigger, theirs)
        candidates = self._weigh(m, comparisons)
        cycles, beats = 2, [[1]]
        if self._venues > 2:
            candidates, beats = self._rank(m, candidates)
            cycles += self.RANKING
        early, early_valid = delayed(m, trigger, cycles - 2), delayed(m, valid, cycles - 2)
        state, cooling, until = self._symbol_state(m, early, early_valid)
        self._decide(m, delayed(m, early, 2), delayed(m, early_valid, 2), candidates, beats, state, cooling, until)
        return m

    def _look_up(self, m):
        """Cycle 0: the record replaces its venue's quote, and the quotes of all venues are read."""
        top = self.tops.payload
        take, valid, enabled = Signal(), Signal(), Signal()
        here, trigger = Signal(Quote), Signal(Trigger)
        quote = Signal(Quote)
        self._clearing = clearing = Signal(self._venues, init=-1)
        self._starting = Signal(init=1)  # the walk after reset, which clears the symbols' states too
        self._walk = walk = Signal(range(self._symbols))
        self._enabled = enabled

        known = below(top.venue, self._venues) & below(top.symbol, self._symbols)
        m.d.comb += [
            self.tops.ready.eq(1),
            take.eq(self.tops.valid & top.changed & known),
            *(quote[name].eq(top[name]) for name in Quote.as_shape().members if name != "unsure"),
            quote.unsure.eq(top.stale | top.halted | top.partial),
        ]
        m.d.sync += [
            valid.eq(take),
            here.eq(quote),
            enabled.eq(self.enable.bit_select(top.symbol, 1)),
            *(trigger[name].eq(top[name]) for name in Trigger.as_shape().members),
        ]

        theirs = []
        for venue in range(self._venues):
            m.submodules[f"quotes_{venue}"] = memory = Memory(
                shape=Quote, depth=self._symbols, init=[], attrs={"ram_style": "distributed"}
            )
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                read.addr.eq(top.symbol),
                write.addr.eq(top.symbol),
                write.data.eq(quote),
                write.en.eq(take & (top.venue == venue)),
            ]
            with m.If(clearing[venue]):
                m.d.comb += [write.addr.eq(walk), write.data.eq(0), write.en.eq(1)]
            theirs.append(read.data)

        m.d.sync += walk.eq(walk + 1)
        with m.If(walk == self._symbols - 1):
            m.d.sync += [walk.eq(0), clearing.eq(0), self._starting.eq(0)]
        with m.If(self.clear.any()):
            m.d.sync += [walk.eq(0), clearing.eq(clearing | self.clear), self._starting.eq(self._starting)]
        with m.If(~clearing.any() & ~self.clear.any()):
            m.d.sync += walk.eq(0)
        return here, trigger, valid, theirs

    def _compare(self, m, here, trigger, theirs):
        """Cycle 1: both ways between the changed venue and each other one."""
        settling = Signal(self._venues)  # what was read in the walk's last cycle may be older than the walk
        m.d.sync += settling.eq(self._clearing)
        unusable = self.venue_stale | self.clear | self._clearing | settling

        comparisons = []
        for number in range(self._venues - 1):
            above = Signal(name=f"above_{number}")  # the changed venue is counted out: those above it move down by one
            there, usable = Signal(Quote, name=f"there_{number}"), Signal(name=f"usable_{number}")
            result = Signal(Comparison, name=f"comparison_{number}")
            m.d.comb += [
                above.eq(trigger.venue <= number),
                there.eq(Mux(above, theirs[number + 1].as_value(), theirs[number].as_value())),
                usable.eq(
                    self._enabled & ~here.unsure & ~there.unsure & ~Mux(above, unusable[number + 1], unusable[number])
                    & ~unusable.bit_select(trigger.venue, 1)
                ),
            ]
            buying, selling = there.bid_price - here.ask_price, here.bid_price - there.ask_price
            m.d.sync += [
                result.buy_here.eq(usable & ~buying[-1] & whole(here, "ask") & whole(there, "bid")),
                result.sell_here.eq(usable & ~selling[-1] & whole(here, "bid") & whole(there, "ask")),
                result.profit_buying.eq(buying),
                result.profit_selling.eq(selling),
                result.shares_buying.eq(lesser(here.ask_shares, there.bid_shares)),
                result.shares_selling.eq(lesser(here.bid_shares, there.ask_shares)),
                result.here_bid.eq(here.bid_price),
                result.here_ask.eq(here.ask_price),
                result.there_bid.eq(there.bid_price),
                result.there_ask.eq(there.ask_price),
            ]
            comparisons.append(result)
        return comparisons

    def _weigh(self, m, comparisons):
        """Cycle 2: the way that may pay, against the settings."""
        settings = self.settings
        candidates = []
        for number, way in enumerate(comparisons):
            result = Signal(Candidate, name=f"candidate_{number}")
            profit, shares = Signal(signed(33), name=f"profit_{number}"), Signal(Shares, name=f"shares_{number}")
            m.d.comb += [
                profit.eq(Mux(way.sell_here, way.profit_selling, way.profit_buying)),
                shares.eq(Mux(way.sell_here, way.shares_selling, way.shares_buying)),
            ]
            m.d.sync += [
                result.worth.eq(
                    (way.buy_here ^ way.sell_here) & ~(profit - settings.min_profit)[-1] & (profit != 0) & (settings.max_shares != 0)
                ),
                result.sell_here.eq(way.sell_here),
                result.profit.eq(profit),
                result.shares.eq(lesser(shares, settings.max_shares)),
                result.buy_price.eq(Mux(way.sell_here, way.there_ask, way.here_ask)),
                result.sell_price.eq(Mux(way.sell_here, way.here_bid, way.there_bid)),
            ]
            candidates.append(result)
        return candidates

    def _rank(self, m, candidates):
        """Only for more than two venues: the total profits, each compared with each."""
        products = []
        for number, candidate in enumerate(candidates):
            m.submodules[f"multiplier_{number}"] = multiplier = Multiplier()
            m.d.comb += [multiplier.a.eq(candidate.profit), multiplier.b.eq(candidate.shares)]
            products.append(multiplier.product)
        beats = [[1 for _ in candidates] for _ in candidates]
        for low in range(len(candidates)):
            for high in range(low + 1, len(candidates)):
                better = Signal(name=f"beats_{low}_{high}")  # an equal one as well, being lower
                m.d.sync += better.eq(~(products[low] - products[high])[-1])
                beats[low][high], beats[high][low] = better, ~better
        return [delayed(m, candidate, self.RANKING) for candidate in candidates], beats

    def _symbol_state(self, m, early, early_valid):
        """What was signalled and whether it cools down, by symbol; ``early`` comes two cycles before its decision.

        Every cycle reads a symbol's state, passes one on to the decision, and writes back what the decision made of it. A cycle
        without a record does so for some symbol in turn: there a cooldown that is over ends. Returns the state at the decision,
        whether the symbol cools down, and the end of a cooldown that would begin now.
        """
        layout = data.StructLayout({"signalled": self._venues ** 2, "cooling": 1, "until": 33})
        m.submodules.states = memory = Memory(shape=layout, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        write = memory.write_port()
        read = memory.read_port(transparent_for=[write])
        sweep, asked, read_slot, slot = (Signal(range(self._symbols), name=name) for name in ("sweep", "asked", "read_slot", "slot"))
        state, self._after, self._fire = Signal(layout), Signal(layout), Signal()

        with m.If(~early_valid):
            m.d.sync += sweep.eq(Mux(sweep == self._symbols - 1, 0, sweep + 1))
        m.d.comb += [
            asked.eq(Mux(early_valid, early.symbol, sweep)),
            read.addr.eq(asked),
            write.addr.eq(slot),
            write.data.eq(self._after),
            write.en.eq(1),
        ]
        m.d.sync += [read_slot.eq(asked), slot.eq(read_slot)]
        # The decision of the cycle before is not in the memory yet when the symbol is the same.
        again, fired, was_cooling, cooling = Signal(), Signal(), Signal(), Signal()
        next_now, until = Signal(33, init=1), Signal(33)
        m.d.sync += [
            state.eq(Mux(read_slot == slot, self._after.as_value(), read.data.as_value())),
            again.eq(read_slot == slot),
            fired.eq(self._fire),
            was_cooling.eq(read.data.cooling & ~(read.data.until - next_now)[32]),
            next_now.eq(next_now + 1),
            until.eq(next_now + self.settings.cooldown),
        ]
        with m.If(self._starting):
            m.d.comb += [write.addr.eq(self._walk), write.data.eq(0)]
            m.d.sync += state.eq(0)
        m.d.comb += cooling.eq(Mux(again & fired, self.settings.cooldown != 0, was_cooling))
        return state, cooling, until

    def _decide(self, m, trigger, valid, candidates, beats, state, cooling, until):
        """Last cycle: what is new and does not cool down becomes orders, unless some still wait."""
        after, fire = self._after, self._fire
        count = len(candidates)
        fresh, chosen, kept = Signal(count), Signal(count), Signal(count)
        new = Signal()
        waiting = Signal(range(3))
        for k, candidate in enumerate(candidates):
            signalled = Cat(state.signalled[bit] & this_way for bit, this_way in self._ways(trigger, candidate, k)).any()
            m.d.comb += [
                fresh[k].eq(candidate.worth & ~signalled),
                chosen[k].eq(fresh[k] & Cat(1, *(~fresh[j] | beats[k][j] for j in range(count) if j != k)).all()),
                kept[k].eq(candidate.worth & (signalled | (fire & chosen[k]))),
            ]
        m.d.comb += [
            new.eq(valid & fresh.any() & ~cooling),
            fire.eq(new & (waiting == 0)),
            self.signals.eq(fire),
            self.missed.eq(new & (waiting != 0)),
            after.cooling.eq(cooling | fire),
            after.until.eq(Mux(fire, until, state.until)),
            after.signalled.eq(state.signalled),
        ]
        with m.If(valid):
            for k, candidate in enumerate(candidates):
                for bit, this_way in self._ways(trigger, candidate, k):
                    with m.If(this_way):
                        m.d.comb += after.signalled[bit].eq(kept[k])
                for bit, other_way in self._ways(trigger, candidate, k, reverse=True):
                    with m.If(other_way):
                        m.d.comb += after.signalled[bit].eq(0)

        self._send(m, trigger, candidates, chosen, fire, waiting)

    def _there(self, trigger, k):
        """The other venue of candidate ``k``: the changed one is counted out."""
        return k + (trigger.venue <= k)

    def _ways(self, trigger, candidate, k, *, reverse=False):
        """Each directed pair of venues as its bit in ``signalled``, with whether it is the candidate's (or the reverse of it)."""
        there = self._there(trigger, k)
        buys_here = candidate.sell_here if reverse else ~candidate.sell_here
        for buy in range(self._venues):
            for sell in range(self._venues):
                if k in (buy, buy - 1, sell, sell - 1) and buy != sell:
                    this = Mux(buys_here, (trigger.venue == buy) & (there == sell), (there == buy) & (trigger.venue == sell))
                    yield buy * self._venues + sell, this

    def _send(self, m, trigger, candidates, chosen, fire, waiting):
        """The pair of orders: the first stands at the output, the second takes its place."""
        order = Signal(Order)
        sell_venue, sell_price = Signal(VenueIndex), Signal(Price)
        m.d.comb += [self.orders.valid.eq(waiting != 0), self.orders.payload.eq(order)]
        with m.If(fire):
            m.d.sync += waiting.eq(2)
        with m.If(waiting == 0):  # ``fire`` comes late: what it would send is taken in any case
            m.d.sync += [
                order.strategy.eq(STRATEGY),
                order.pair.eq(1),
                order.symbol.eq(trigger.symbol),
                order.side.eq(Side.BUY),
                order.trigger_venue.eq(trigger.venue),
                order.trigger_sequence.eq(trigger.sequence),
                order.ingress.eq(trigger.ingress),
            ]
            for k, candidate in enumerate(candidates):
                with m.If(chosen[k]):
                    m.d.sync += [
                        order.shares.eq(candidate.shares),
                        order.price.eq(candidate.buy_price),
                        sell_price.eq(candidate.sell_price),
                        order.venue.eq(Mux(candidate.sell_here, self._there(trigger, k), trigger.venue)),
                        sell_venue.eq(Mux(candidate.sell_here, trigger.venue, self._there(trigger, k))),
                    ]
        with m.Elif(self.orders.ready):
            m.d.sync += [
                waiting.eq(waiting - 1),
                order.side.eq(Side.SELL),
                order.pair.eq(0),
                order.venue.eq(sell_venue),
                order.price.eq(sell_price),
            ]

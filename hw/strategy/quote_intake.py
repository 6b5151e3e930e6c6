"""Where the quotes of the feeds and of the host become one line of records."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hw.arbitrage_types import CardTime, DirectQuote, LegShares, VenueTerms
from hw.config import CardConfig
from hw.strategy.quote_store import Fees, KeptQuote, QuoteRecord, Sizes
from hw.types import Cycles, Price, Sequence, SymbolIndex, TopOfBook, VenueIndex


class Trigger(data.Struct):
    """What the orders will tell of the record that caused them."""

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


class QuoteIntake(wiring.Component):
    """Makes records for the store of what the feeds and the host say; a quote of the host comes in a cycle without a top.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook)
        Always ready. Records without ``changed``, of an unknown or a direct venue or an unknown symbol are dropped.
    quotes : In(stream of DirectQuote)
        Of direct venues, of others dropped. Symbol and venue must be there. Taken at the earliest in the cycle after the one in which
        it is offered first.
    now : In(CardTime)
    terms : In(VenueTerms, one a venue)
        Fees are in force one cycle later, those of bids two.
    take : Out(one bit a venue)
        There is a record of this venue.
    record : Out(QuoteRecord)
    quote : Out(KeptQuote)
        A cycle later.
    trigger : Out(Trigger)
        A cycle later.

    Notes
    -----
    Latency 0. What has to be worked out of a host's quote is known before it is taken, so the feed's quote goes through one choice;
    what is not multiplied goes through it a cycle later.
    """

    def __init__(self, config: CardConfig):
        super().__init__({
            "tops": In(stream.Signature(TopOfBook)), "quotes": In(stream.Signature(DirectQuote(config.price_bits))),
            "now": In(CardTime), "terms": In(data.ArrayLayout(VenueTerms, config.venues)),
            "take": Out(config.venues), "record": Out(QuoteRecord(config.price_bits)), "quote": Out(KeptQuote(config.price_bits)),
            "trigger": Out(Trigger),
        })
        self._venues, self._symbols = config.venues, config.symbols

    def elaborate(self, platform):
        m = Module()
        top, record, feed = self.tops.payload, self.record, self.tops.valid
        fees = Signal(data.ArrayLayout(Fees, self._venues))  # near the multipliers, whatever place the register file has
        rates = Signal(data.ArrayLayout(signed(18), self._venues))  # a cycle later: the same would be made one
        heard = Signal(self._venues)
        m.d.sync += [
            fees.eq(Cat(Cat(terms.fee_rate, terms.share_fee) for terms in self.terms)),
            *(later.eq(fee.rate) for later, fee in zip(rates, fees, strict=True)),
            heard.eq(Cat(~terms.direct for terms in self.terms)),
        ]
        told = self._host(m, fees, heard)
        good = feed & top.changed & below(top.symbol, self._symbols)
        m.d.comb += [
            self.tops.ready.eq(1),
            self.take.eq(Cat((good & (top.venue == venue) & heard[venue]) | (~feed & told.take[venue]) for venue in range(self._venues))),
            *(record[name].eq(Mux(feed, top[name], told[name])) for name in ("symbol", "bid_price", "ask_price")),
            *(record.sizes[side].eq(Mux(feed, saturated(top[f"{side}_shares"], LegShares), told.sizes[side])) for side in ("bid", "ask")),
            record.fees.eq(Mux(feed, self._of(m, fees, top.venue), told.fees)),
            record.bid_rate.eq(Mux(feed, self._of(m, rates, top.venue), told.fees.rate)),
        ]
        before = [Signal(SymbolIndex, name=f"symbol_{cycle}") for cycle in (1, 2)]
        m.d.sync += [before[0].eq(record.symbol), before[1].eq(before[0])]
        # Either is compared before it is known which of them it is.
        m.d.comb += record.same.eq(Cat(Mux(feed, top.symbol == symbol, told.symbol == symbol) for symbol in before))
        self._tell_later(m, told, before[0])
        return m

    def _tell_later(self, m, told, symbol):
        """Cycle 1: what has no haste."""
        top, record, quote, trigger, feed = self.tops.payload, self.record, self.quote, self.trigger, Signal()
        later = Signal(data.StructLayout({"venue": VenueIndex, "bid_price": Price, "ask_price": Price, "ingress": Cycles}),
                       reset_less=True)
        sequence, time = Signal(Sequence), Signal(CardTime)
        sure = ~(self.tops.valid & (top.stale | top.halted | top.partial | top.crossed))
        m.d.sync += [
            feed.eq(self.tops.valid), time.eq(self.now), sequence.eq(Mux(self.tops.valid, top.sequence, 0)),
            *(later[name].eq(top[name]) for name in ("venue", "bid_price", "ask_price", "ingress")),
            *(quote[f"has_{side}"].eq(sure & (record[f"{side}_price"] != 0) & (record.sizes[side] != 0)) for side in ("bid", "ask")),
        ]
        m.d.comb += [
            *(quote[name].eq(Mux(feed, later[name], told[name])) for name in ("bid_price", "ask_price")),
            quote.time.eq(Mux(feed, time, told.time)),
            trigger.venue.eq(Mux(feed, later.venue, told.venue)), trigger.symbol.eq(symbol), trigger.sequence.eq(sequence),
            trigger.ingress.eq(Mux(feed, later.ingress, time)), trigger.time.eq(time),
        ]

    def _of(self, m, fees, venue):
        """One venue's fees, or rate."""
        chosen = Signal.like(fees[0])
        with m.Switch(venue[:bits_for(self._venues - 1)]):
            for number in range(self._venues):
                with m.Case(number):
                    m.d.comb += chosen.eq(fees[number])
        return chosen

    def _host(self, m, fees, heard):
        """What follows from the host's quote, which waits at least a cycle; one cycle more it is still there."""
        quote, known = self.quotes.payload, Signal()
        told = Signal(data.StructLayout({
            "take": self._venues, "venue": VenueIndex, "symbol": SymbolIndex, "fees": Fees, "bid_price": quote.bid_price.shape(),
            "ask_price": quote.ask_price.shape(), "sizes": Sizes, "time": CardTime}))
        waits = self.quotes.valid & ~self.quotes.ready
        m.d.comb += self.quotes.ready.eq(known & ~self.tops.valid)
        m.d.sync += [
            known.eq(waits), told.fees.eq(self._of(m, fees, quote.venue)),
            told.take.eq(Cat(waits & ~heard[venue] & (quote.venue == venue) for venue in range(self._venues))),
            *(told[name].eq(quote[name]) for name in ("venue", "symbol", "bid_price", "ask_price", "time")),
            *(told.sizes[side].eq(saturated(quote[f"{side}_shares"], LegShares)) for side in ("bid", "ask")),
        ]
        return told

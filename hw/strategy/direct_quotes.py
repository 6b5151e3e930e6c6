"""Quotes that the host writes for a venue that the card does not hear, checked before the arbitrage detector may rely on them."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbitrage_types import CardTime, DirectQuote, WrittenQuote
from hw.config import CardConfig


class DirectQuotes(wiring.Component):
    """Passes a written quote on, or refuses it.

    Refused is one of an unknown symbol, of a venue that is not there or not a direct one, with a price that is wider than the
    card's, with a bid above the ask, of a time to come, and one that comes while another waits.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    written : In(stream of WrittenQuote, always ready)
    direct : In(one bit a venue)
    now : In(CardTime)
    quotes : Out(stream of DirectQuote)
    refused : Out(1)
        Pulse, two cycles after ``written``.

    Notes
    -----
    Latency 2.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self._venues, self._symbols = config.venues, config.symbols
        super().__init__({
            "written": In(stream.Signature(WrittenQuote, always_ready=True)),
            "direct": In(config.venues), "now": In(CardTime),
            "quotes": Out(stream.Signature(DirectQuote(config.price_bits))), "refused": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        given, valid, faults, waits = Signal(WrittenQuote), Signal(), Signal(5), Signal()
        new, quote = self.written.payload, self.quotes.payload
        too_wide = Cat(new.bid_price[len(quote.bid_price):], new.ask_price[len(quote.ask_price):]).any()
        is_direct = Cat(self.direct[venue] & (new.venue == venue) for venue in range(self._venues)).any()
        m.d.sync += [
            valid.eq(self.written.valid), given.eq(new), self.refused.eq(0),
            faults.eq(Cat(
                too_wide, new.symbol >= self._symbols, ~is_direct, (new.time > self.now),
                (new.bid_price > new.ask_price) & (new.bid_price != 0) & (new.ask_price != 0))),
        ]
        m.d.comb += waits.eq(self.quotes.valid & ~self.quotes.ready)
        with m.If(~waits):
            m.d.sync += self.quotes.valid.eq(0)
        with m.If(valid):
            with m.If(faults.any() | waits):
                m.d.sync += self.refused.eq(1)
            with m.Else():
                m.d.sync += [self.quotes.valid.eq(1), *(quote[name].eq(given[name]) for name in quote.shape().members)]
        return m

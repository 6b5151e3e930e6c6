"""The records that the book gives out, and which symbols it is not sure of."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.book.best_levels import level_layout
from hw.book.order_store import symbol_bits
from hw.config import CardConfig
from hw.types import BookEvent, BookEventKind, Side, TopOfBook


class Records(wiring.Component):
    """Writes one TopOfBook record an event and remembers which symbols are stale.

    Parameters
    ----------
    config : CardConfig
    venue : int

    Ports
    -----
    event : In(BookEvent)
        The event that is answered; its symbol has been there for a cycle when ``emit`` comes.
    best : In(2 levels)
        Best bid and ask after it.
    emit : In(1)
        Write the record: it is valid in the next cycle. Only while ``free``.
    touched : In(1)
        With ``emit``: ``best`` differs from the symbol's record before.
    trouble : In(1)
        With ``emit``: the symbol is stale from here on.
    doubt : In(1), doubt_symbol : In
        A symbol is stale from here on, whatever is emitted.
    venue_stale : In(1)
        All records are stale while it is high.
    free : Out(1)
        There is no record waiting, or it is being taken.
    tops : Out(stream of TopOfBook)
    clear : In(1)
        No symbol is stale any more, nor was in its last record; nothing is known of their trading.
    assume_trading : In(1 per symbol)
        The symbol trades until the venue says otherwise; else it is halted until the venue says that it trades.
    status : In(1)
        With ``emit``: the event is a HALT or RESUME.
    halted : Out(1 per symbol)
        The venue does not trade the symbol, as far as is known; from the cycle after ``emit`` on.
    """

    def __init__(self, config: CardConfig, venue: int):
        self._venue = venue
        self._symbols = config.symbols
        bits = symbol_bits(config)
        super().__init__({
            "event": In(BookEvent),
            "best": In(data.ArrayLayout(level_layout(config), 2)),
            "emit": In(1),
            "touched": In(1),
            "trouble": In(1),
            "doubt": In(1),
            "doubt_symbol": In(bits),
            "venue_stale": In(1),
            "free": Out(1),
            "tops": Out(stream.Signature(TopOfBook)),
            "clear": In(1),
            "assume_trading": In(config.symbols),
            "status": In(1),
            "halted": Out(config.symbols),
        })

    def elaborate(self, platform):
        m = Module()
        tops = self.tops
        record = tops.payload
        bid, ask = self.best[0], self.best[1]
        symbol = self.event.symbol[:len(self.doubt_symbol)]

        stale = Signal(1 << len(symbol))
        shown, shown_partial = Signal.like(stale), Signal.like(stale)  # as of the symbol's last record
        was_stale = Signal()
        was_shown, was_partial = Signal(), Signal()
        is_halted, was_halted, shown_trading = self._follow_trading(m, symbol)
        is_stale, is_partial = Signal(), Signal()
        m.d.sync += [
            was_stale.eq(stale.bit_select(symbol, 1)),
            was_shown.eq(shown.bit_select(symbol, 1)),
            was_partial.eq(shown_partial.bit_select(symbol, 1)),
        ]
        m.d.comb += [
            is_stale.eq(was_stale | self.trouble | self.venue_stale),
            is_partial.eq(Mux(self.status, was_partial, self.event.partial)),  # a halt may come in the middle of a change
            self.free.eq(~tops.valid | tops.ready),
        ]

        with m.If(tops.ready):
            m.d.sync += tops.valid.eq(0)
        with m.If(self.emit):
            m.d.sync += [
                tops.valid.eq(1),
                record.venue.eq(self._venue),
                record.symbol.eq(self.event.symbol),
                record.bid_price.eq(bid.price),
                record.bid_shares.eq(bid.totals.shares),
                record.bid_orders.eq(bid.totals.orders),
                record.ask_price.eq(ask.price),
                record.ask_shares.eq(ask.totals.shares),
                record.ask_orders.eq(ask.totals.orders),
                record.stale.eq(is_stale),
                record.halted.eq(is_halted),
                record.changed.eq(self.touched | (is_stale ^ was_shown) | (is_partial ^ was_partial) | (is_halted ^ was_halted)),
                record.partial.eq(is_partial),
                record.sequence.eq(self.event.sequence),
                record.timestamp.eq(self.event.timestamp),
                record.ingress.eq(self.event.ingress),
                shown.bit_select(symbol, 1).eq(is_stale),
                shown_partial.bit_select(symbol, 1).eq(is_partial),
                shown_trading.bit_select(symbol, 1).eq(~is_halted),
            ]
            with m.If(self.trouble):
                m.d.sync += stale.bit_select(symbol, 1).eq(1)
        with m.If(self.doubt):
            m.d.sync += stale.bit_select(self.doubt_symbol, 1).eq(1)
        with m.If(self.clear):
            m.d.sync += [stale.eq(0), shown.eq(0), shown_partial.eq(0), shown_trading.eq(0)]
        return m

    def _follow_trading(self, m, symbol):
        """What the venue has said of each symbol's trading. Returns whether the event's symbol is halted after it, whether it was by
        its last record, and all symbols that were not."""
        status, halt, word_of = self.status, self.event.kind == BookEventKind.HALT, self.event.side
        known, action, operational = Signal(self._symbols), Signal(self._symbols), Signal(self._symbols)
        was_known, was_action, was_operational = Signal(), Signal(), Signal()
        shown_trading, was_trading, assumed, is_halted = Signal(1 << len(symbol)), Signal(), Signal(), Signal()
        m.d.sync += [
            was_known.eq(known.bit_select(symbol, 1)),
            was_action.eq(action.bit_select(symbol, 1)),
            was_operational.eq(operational.bit_select(symbol, 1)),
            was_trading.eq(shown_trading.bit_select(symbol, 1)),
            assumed.eq(self.assume_trading.bit_select(symbol, 1)),
        ]
        with m.If(status & (word_of == Side.BUY)):
            m.d.comb += is_halted.eq(halt | was_operational)
        with m.Elif(status):
            m.d.comb += is_halted.eq(halt | Mux(was_known, was_action, ~assumed))
        with m.Else():
            m.d.comb += is_halted.eq(was_operational | Mux(was_known, was_action, ~assumed))
        with m.If(self.emit & status):
            with m.If(word_of == Side.BUY):
                m.d.sync += [known.bit_select(symbol, 1).eq(1), action.bit_select(symbol, 1).eq(halt)]
            with m.Else():
                m.d.sync += operational.bit_select(symbol, 1).eq(halt)
        with m.If(self.clear):
            m.d.sync += [known.eq(0), operational.eq(0)]
        m.d.comb += self.halted.eq((known & action) | (~known & ~self.assume_trading) | operational)
        return is_halted, ~was_trading, shown_trading

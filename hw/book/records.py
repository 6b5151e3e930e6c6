"""The records that the book gives out, and which symbols it is not sure of."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.book.near_levels import Level
from hw.book.order_store import symbol_bits
from hw.config import CardConfig
from hw.types import Cycles, Execution, Nanoseconds, Price, Sequence, Shares, Side, TopOfBook

Answered = data.StructLayout({
    "side": Side, "partial": 1, "sequence": Sequence, "timestamp": Nanoseconds, "ingress": Cycles,
})
"""What a record needs of the event that it answers."""


class Records(wiring.Component):
    """Writes one TopOfBook record an event and remembers which symbols are stale.

    Records that are not taken wait in a queue of ``DEPTH``.

    Parameters
    ----------
    config : CardConfig
    venue : int

    Ports
    -----
    symbol : In
        Cycle t: the symbol that the record is about.
    event : In(Answered)
        Cycle t + 1: the event that is answered.
    best, other : In(Level)
        Cycle t + 1: the best levels after it, of ``side`` and of the other side.
    side : In(Side)
        Cycle t + 1.
    emit : In(1)
        Cycle t + 1: write the record; it is valid in the next cycle.
    touched : In(1)
        With ``emit``: ``best`` differs from the symbol's record before.
    trouble : In(1)
        With ``emit``, or without it two cycles before: the symbol is stale from here on.
    late_trouble : In(1)
        Cycle t + 2: the record of the cycle before should have been with ``trouble``; it is, from this cycle on.
    doubt, doubt_near : In(1), doubt_symbol, doubt_near_symbol : In
        A symbol is stale from here on, whatever is emitted: its records show it from the second cycle on.
    venue_stale : In(1)
        All records are stale while it is high.
    tops : Out(stream of TopOfBook)
    clear : In(1)
        No symbol is stale any more, nor was in its last record; nothing is known of their trading.
    assume_trading : In(1 per symbol)
        The symbol trades until the venue says otherwise; else it is halted until the venue says that it trades.
    status, halts : In(1)
        With ``emit``: the event is a HALT or RESUME; it is a HALT.
    halted : Out(1 per symbol)
        The venue does not trade the symbol, as far as is known; from the cycle after ``emit`` on.
    executed : In(1), executed_shares : In(Shares), executed_price : In(Price)
        With ``emit``: the event took shares of an order of ``side``, which stood at this price.
    executions : Out(stream of Execution)
        The same in the cycle after it.
    """

    DEPTH = 4

    def __init__(self, config: CardConfig, venue: int):
        self._venue = venue
        self._symbols = config.symbols
        bits = symbol_bits(config)
        super().__init__({
            "symbol": In(bits),
            "event": In(Answered),
            "best": In(Level),
            "other": In(Level),
            "side": In(Side),
            "emit": In(1),
            "touched": In(1),
            "trouble": In(1),
            "late_trouble": In(1),
            "doubt": In(1),
            "doubt_symbol": In(bits),
            "doubt_near": In(1),
            "doubt_near_symbol": In(bits),
            "venue_stale": In(1),
            "tops": Out(stream.Signature(TopOfBook)),
            "clear": In(1),
            "assume_trading": In(config.symbols),
            "status": In(1),
            "halts": In(1),
            "halted": Out(config.symbols),
            "executed": In(1),
            "executed_shares": In(Shares),
            "executed_price": In(Price),
            "executions": Out(stream.Signature(Execution, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        symbol, last_symbol, record = Signal.like(self.symbol), Signal.like(self.symbol), Signal(TopOfBook)
        stale = Signal(1 << len(symbol))
        shown, shown_partial = Signal.like(stale), Signal.like(stale)  # as of the symbol's last record
        was_stale, was_shown, was_partial = Signal(), Signal(), Signal()
        late, was_late, late_symbol = Signal(), Signal(), Signal.like(symbol)
        m.d.comb += late.eq(  # the same symbol is looked up in these very cycles
            (self.late_trouble & (self.symbol == last_symbol)) | (was_late & (self.symbol == late_symbol)))
        m.d.sync += [
            was_late.eq(self.late_trouble), late_symbol.eq(last_symbol),
            symbol.eq(self.symbol),
            last_symbol.eq(symbol),
            was_stale.eq(stale.bit_select(self.symbol, 1) | late),
            was_shown.eq(shown.bit_select(self.symbol, 1) | late),
            was_partial.eq(shown_partial.bit_select(self.symbol, 1)),
        ]
        is_halted, was_halted, shown_trading = self._follow_trading(m, symbol)
        is_stale, is_partial = Signal(), Signal()
        m.d.comb += [
            is_stale.eq(was_stale | self.trouble | self.venue_stale),
            is_partial.eq(Mux(self.status, was_partial, self.event.partial)),  # a halt may come in the middle of a change
        ]
        sells = self.side.as_value()
        bid, ask = Signal(Level), Signal(Level)
        m.d.comb += [
            bid.eq(Mux(sells, self.other.as_value(), self.best.as_value())),
            ask.eq(Mux(sells, self.best.as_value(), self.other.as_value())),
            record.venue.eq(self._venue),
            record.symbol.eq(symbol),
            record.bid_price.eq(bid.rank),
            record.bid_shares.eq(bid.totals.shares),
            record.bid_orders.eq(bid.totals.orders),
            record.ask_price.eq(~ask.rank & ask.valid.replicate(32)),
            record.ask_shares.eq(ask.totals.shares),
            record.ask_orders.eq(ask.totals.orders),
            record.stale.eq(is_stale),
            record.halted.eq(is_halted),
            record.partial.eq(is_partial),
            record.sequence.eq(self.event.sequence),
            record.timestamp.eq(self.event.timestamp),
            record.ingress.eq(self.event.ingress),
        ]
        self._queue(m, record, Cat(self.touched, is_stale ^ was_shown, is_partial ^ was_partial, is_halted ^ was_halted))
        execution = self.executions.payload
        m.d.sync += [
            self.executions.valid.eq(self.emit & self.executed),
            execution.symbol.eq(symbol), execution.side.eq(self.side),
            execution.shares.eq(self.executed_shares), execution.price.eq(self.executed_price),
            execution.usable.eq(~is_stale & ~is_halted & ~is_partial),
        ]
        with m.If(self.emit):
            m.d.sync += [
                shown.bit_select(symbol, 1).eq(is_stale),
                shown_partial.bit_select(symbol, 1).eq(is_partial),
                shown_trading.bit_select(symbol, 1).eq(~is_halted),
            ]
        with m.If(self.trouble):
            m.d.sync += stale.bit_select(symbol, 1).eq(1)
        with m.If(was_late):
            m.d.sync += [stale.bit_select(late_symbol, 1).eq(1), shown.bit_select(late_symbol, 1).eq(1)]
        with m.If(self.doubt):
            m.d.sync += stale.bit_select(self.doubt_symbol, 1).eq(1)
        with m.If(self.doubt_near):
            m.d.sync += stale.bit_select(self.doubt_near_symbol, 1).eq(1)
        with m.If(self.clear):
            m.d.sync += [stale.eq(0), shown.eq(0), shown_partial.eq(0), shown_trading.eq(0)]
        return m

    def _queue(self, m, record, differs):
        """Records that wait. Whether the last one's prices cross, and whether anything in it ``differs`` from the symbol's record before,
        is worked out a cycle after it was written; trouble that comes late is added to it."""
        m.submodules.queue = queue = Memory(shape=TopOfBook, depth=self.DEPTH, init=[])
        write, read = queue.write_port(), queue.read_port(domain="comb")
        last, late = Signal(range(self.DEPTH)), Signal(self.DEPTH)
        crossed, locked, changed = Signal(self.DEPTH), Signal(self.DEPTH), Signal(self.DEPTH)
        level, first_late = Signal(range(self.DEPTH + 1)), Signal()
        tops = self.tops
        bid, ask, differed, crosses, locks = Signal(Price), Signal(Price), Signal.like(differs), Signal(), Signal()  # of the last record
        at_last, fresh = Signal(), Signal()
        m.d.comb += [
            write.en.eq(self.emit), write.data.eq(record),
            tops.valid.eq(level != 0), tops.payload.eq(read.data),
            at_last.eq(last == read.addr),
            first_late.eq(late.bit_select(read.addr, 1) | (self.late_trouble & at_last)),
            crosses.eq((bid > ask) & (ask != 0)), locks.eq((bid == ask) & (ask != 0)),
            tops.payload.stale.eq(read.data.stale | first_late),
            tops.payload.changed.eq(Mux(at_last, differed.any(), changed.bit_select(read.addr, 1)) | (first_late & ~read.data.stale)),
            tops.payload.crossed.eq(Mux(at_last, crosses, crossed.bit_select(read.addr, 1))),
            tops.payload.locked.eq(Mux(at_last, locks, locked.bit_select(read.addr, 1))),
        ]
        m.d.sync += [level.eq(level + self.emit - (tops.valid & tops.ready)), fresh.eq(self.emit)]
        with m.If(fresh):
            m.d.sync += [
                crossed.bit_select(last, 1).eq(crosses), locked.bit_select(last, 1).eq(locks),
                changed.bit_select(last, 1).eq(differed.any()),
            ]
        with m.If(self.late_trouble):
            m.d.sync += late.bit_select(last, 1).eq(1)
        with m.If(self.emit):
            m.d.sync += [
                write.addr.eq(write.addr + 1), last.eq(write.addr), late.bit_select(write.addr, 1).eq(0),
                bid.eq(record.bid_price), ask.eq(record.ask_price), differed.eq(differs),
            ]
        with m.If(tops.valid & tops.ready):
            m.d.sync += read.addr.eq(read.addr + 1)

    def _follow_trading(self, m, symbol):
        """What the venue has said of each symbol's trading. Returns whether the event's symbol is halted after it, whether it was by
        its last record, and all symbols that were not."""
        status, halt, word_of = self.status, self.halts, self.event.side
        known, action, operational = Signal(self._symbols), Signal(self._symbols), Signal(self._symbols)
        was_known, was_action, was_operational = Signal(), Signal(), Signal()
        shown_trading, was_trading, assumed, is_halted = Signal(1 << len(symbol)), Signal(), Signal(), Signal()
        m.d.sync += [
            was_known.eq(known.bit_select(self.symbol, 1)),
            was_action.eq(action.bit_select(self.symbol, 1)),
            was_operational.eq(operational.bit_select(self.symbol, 1)),
            was_trading.eq(shown_trading.bit_select(self.symbol, 1)),
            assumed.eq(self.assume_trading.bit_select(self.symbol, 1)),
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

"""Cboe multicast PITCH: from messages to book events, trades and states."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.feed.turned import TurnedMessage
from hw.lib.choice import any_of
from hw.types import BookEvent, BookEventKind, MarketState, MessageWord, Side, Trade

ADD_LONG, ADD_SHORT, ADD_EXPANDED = 0x21, 0x22, 0x2F
EXECUTED, EXECUTED_AT_PRICE = 0x23, 0x24
REDUCE_LONG, REDUCE_SHORT = 0x25, 0x26
MODIFY_LONG, MODIFY_SHORT = 0x27, 0x28
DELETE_ORDER = 0x29
TRADE_LONG, TRADE_SHORT, TRADE_EXPANDED = 0x2A, 0x2B, 0x30
TRADING_STATUS = 0x31

NEEDED = {
    ADD_LONG: 33, ADD_SHORT: 25, ADD_EXPANDED: 35, EXECUTED: 26, EXECUTED_AT_PRICE: 38, REDUCE_LONG: 18, REDUCE_SHORT: 16,
    MODIFY_LONG: 26, MODIFY_SHORT: 18, DELETE_ORDER: 14, TRADE_LONG: 41, TRADE_SHORT: 33, TRADE_EXPANDED: 43, TRADING_STATUS: 16,
}  # fmt: skip
"""Bytes that a message which is looked at must have: up to where only flags or reserved bytes follow, which some of the exchange's
markets do not send."""

ADDS, MODIFIES, REDUCES = (ADD_LONG, ADD_SHORT, ADD_EXPANDED), (MODIFY_LONG, MODIFY_SHORT), (REDUCE_LONG, REDUCE_SHORT)
EXECUTES, TRADES = (EXECUTED, EXECUTED_AT_PRICE), (TRADE_LONG, TRADE_SHORT, TRADE_EXPANDED)
SHORT_PRICE = (ADD_SHORT, MODIFY_SHORT, TRADE_SHORT)
TWO_BYTES = (ADD_SHORT, MODIFY_SHORT, TRADE_SHORT, REDUCE_SHORT, TRADING_STATUS)
"""At the place of the shares; of a trading status the status and the short sale restriction."""
SECOND_UNIT = 1_953_125
"""A second is this many times 2^9 nanoseconds."""


class PitchDecoder(wiring.Component):
    """Turns the book messages into book events, and tells trades and states; all others only pass by, and any message may have grown
    at its end.

    ================= =======================================================================================================
    add               ADD
    executed          EXECUTE
    executed at price EXECUTE of the executed shares, at the order's own price; DELETE where the message says that none remain
    reduce            CANCEL
    modify            REPLACE by itself: ``new_reference`` is ``reference``
    delete            DELETE
    ================= =======================================================================================================

    Ports
    -----
    words : In(stream.Signature(MessageWord, always_ready=True))
        Messages from their length byte on, one word in every cycle if need be. A message that is cut off (never ``ends``) is
        forgotten when the next one starts.
    second : In(17)
        Seconds since midnight of the last time message, in step with ``words``.
    clear : In(1)
        The book is void, or the numbers begin again, in step with ``words``. There is no event for this: it counts as malformed, so
        that the frame takes no effect and nothing is traded until the host has loaded the book anew.
    events : Out(stream.Signature(BookEvent, always_ready=True))
        One event per book message. Fields that its kind does not have are 0; ``locate`` and ``symbol`` are 0; ``ingress`` is the
        time of the word with the message's last byte.
    trades : Out(stream.Signature(Trade, always_ready=True))
        Trades as P, and the executions in the same cycle as their book event: executed as E, executed at price as C.
    state : Out(stream.Signature(MarketState, always_ready=True))
        Trading status as H.
    symbol_name : Out(64)
        With an ADD, a trade that is no execution, and a state: the symbol, padded with spaces, its first byte in bits 7:0.
    named : Out(1)
        With the outputs: there is a name. Others are of an order whose symbol the book knows.
    malformed : Out(1)
        Pulse, in the cycle in which the output would have come: a message of these types that is too short, or a book message with a
        side that is neither B nor S; or a clear.
    message_seen : Out(1)
        Pulse per message of any type, in the same cycle as its outputs, whose payloads stand while their ``valid`` does.

    Latency: ``LATENCY`` cycles from the word with a message's last byte to its outputs; one word per cycle.
    """

    LATENCY = 2

    words: In(stream.Signature(MessageWord, always_ready=True))
    second: In(17)
    clear: In(1)
    events: Out(stream.Signature(BookEvent, always_ready=True))
    trades: Out(stream.Signature(Trade, always_ready=True))
    state: Out(stream.Signature(MarketState, always_ready=True))
    symbol_name: Out(64)
    named: Out(1)
    malformed: Out(1)
    message_seen: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._message = TurnedMessage(m, self.words, kind_at=1)
        self._sort(m)
        self._store_fields(m)
        self._tell_time(m)
        self._finish(m)
        self._share(m)
        return m

    def _sort(self, m):
        """First cycle: what is to be known of the type by the time the second word is turned."""
        kind = self._message.kind
        self._is = {code: Signal(name=f"is_{code:02x}") for code in NEEDED}
        self._needed = Signal(6)
        with m.If(self._message.kind_valid):
            m.d.sync += [flag.eq(kind == code) for code, flag in self._is.items()]
            for bit, wire in enumerate(self._needed):
                m.d.sync += wire.eq(Cat(kind == code for code, length in NEEDED.items() if length >> bit & 1).any())

    def _one_of(self, *codes):
        return Cat(self._is[code] for code in codes).any()

    def _store_fields(self, m):
        """Second cycle: bytes go to where the event keeps them."""
        message, event = self._message, self.events.payload
        self._offset, self._shares, self._price, self._match = Signal(32), Signal(32), Signal(32), Signal(64)
        for number in range(4):
            message.store_head(self._offset, number, 2 + number)
        for number in range(2):
            message.store_head(event.reference, number, 6 + number)
        for number in range(2, 8):
            message.store(event.reference, number, 6 + number)

        with m.If(message.second):
            m.d.sync += [self._shares.eq(0), self._price.eq(0), self.symbol_name.eq(int.from_bytes(b" " * 8, "little"))]
        adds = self._one_of(*ADDS)
        at_15, at_14 = self._one_of(*ADDS, *TRADES), self._one_of(*EXECUTES, *REDUCES, *MODIFIES, TRADING_STATUS)
        long = ~self._one_of(*TWO_BYTES)
        for number in range(4):
            message.store(self._shares, number, 15 + number, when=at_15 & (1 if number < 2 else long))
            message.store(self._shares, number, 14 + number, when=at_14 & (1 if number < 2 else long))
        for codes, at, length in (
            ((ADD_LONG, TRADE_LONG), 19, 6), ((ADD_SHORT, TRADE_SHORT), 17, 6), ((ADD_EXPANDED, TRADE_EXPANDED), 19, 8),
        ):
            for number in range(length):
                message.store(self.symbol_name, number, at + number, when=self._one_of(*codes))
        for number in range(8):
            store = message.store_head if number < 2 else message.store
            store(self.symbol_name, number, 6 + number, when=self._is[TRADING_STATUS])
        for code, at in ((EXECUTED, 18), (EXECUTED_AT_PRICE, 22), (TRADE_LONG, 33), (TRADE_SHORT, 25), (TRADE_EXPANDED, 35)):
            for number in range(8):
                message.store(self._match, number, at + number, when=self._is[code])
        self._high = Signal()  # the price has more than 32 bits
        with m.If(message.second):
            m.d.sync += self._high.eq(0)
        for codes, at, length in (
            ((ADD_LONG, TRADE_LONG), 25, 8), ((ADD_EXPANDED, TRADE_EXPANDED), 27, 8), ((MODIFY_LONG,), 18, 8),
            ((ADD_SHORT, TRADE_SHORT), 23, 2), ((MODIFY_SHORT,), 16, 2), ((EXECUTED_AT_PRICE,), 30, 8),
        ):
            for number in range(min(length, 4)):
                message.store(self._price, number, at + number, when=self._one_of(*codes))
            for byte in range(at + 4, at + length):
                with m.If(message.arrives(byte) & self._one_of(*codes) & message.lane[byte % 8].any()):
                    m.d.sync += self._high.eq(1)

        self._remains = Signal()
        with m.If(message.second):
            m.d.sync += self._remains.eq(0)
        for byte in range(18, 22):
            with m.If(message.arrives(byte) & message.lane[byte % 8].any()):
                m.d.sync += self._remains.eq(1)

        self._bad_side = Signal()
        with m.If(message.second):
            m.d.sync += [event.side.eq(Side.BUY), self._bad_side.eq(0)]
        with m.If(message.arrives(14) & adds):
            side = message.lane[14 % 8]
            m.d.sync += [
                event.side.eq(Mux(side == ord("S"), Side.SELL, Side.BUY)),
                self._bad_side.eq((side != ord("B")) & (side != ord("S"))),
            ]

    def _tell_time(self, m):
        """The second in nanoseconds, three cycles after ``second``: just when an event that comes after it needs it."""
        low, high, total, self._second = Signal(34), Signal(21), Signal(39), Signal(48)
        m.d.sync += [
            low.eq(self.second * (SECOND_UNIT & 0x3FFFF)),
            high.eq((self.second << 3) - self.second),
            total.eq(low + (high << 18)),
            self._second.eq(total << 9),
        ]
        assert SECOND_UNIT >> 18 == 7, "the product is put together of two parts"

    def _finish(self, m):
        """Second cycle: judges a message that ends; what may have arrived with its last word is judged a cycle later."""
        message, event = self._message, self.events.payload
        ended, short, executed_at_price, priced_short, priced_long = (Signal() for _ in range(5))
        self._at_price, self._traded, self._in_cents, self._cents = executed_at_price, Signal(), Signal(), Signal(32)
        book, trades, status = Signal(), Signal(), Signal()
        modifies = self._one_of(*MODIFIES)
        kind = Signal(BookEventKind)
        with m.If(modifies):
            m.d.comb += kind.eq(BookEventKind.REPLACE)
        with m.Elif(self._is[DELETE_ORDER]):
            m.d.comb += kind.eq(BookEventKind.DELETE)
        with m.Elif(self._one_of(*REDUCES)):
            m.d.comb += kind.eq(BookEventKind.CANCEL)
        with m.Elif(self._one_of(*EXECUTES)):
            m.d.comb += kind.eq(BookEventKind.EXECUTE)
        sorted_kind, replaces, cleared = Signal(BookEventKind), Signal(), Signal(2)
        m.d.sync += [
            sorted_kind.eq(kind), replaces.eq(modifies), self.named.eq(self._one_of(*ADDS, *TRADES, TRADING_STATUS)),
            event.sequence.eq(message.sequence), event.ingress.eq(message.ingress),
            self.message_seen.eq(message.ends), ended.eq(message.ends & Cat(self._is.values()).any()),
            short.eq(message.length < self._needed), self._in_cents.eq(self._one_of(*SHORT_PRICE)),
            priced_short.eq(self._one_of(ADD_SHORT, MODIFY_SHORT)),
            priced_long.eq(self._one_of(ADD_LONG, ADD_EXPANDED, MODIFY_LONG)),
            executed_at_price.eq(self._is[EXECUTED_AT_PRICE]), cleared.eq(Cat(self.clear, cleared[0])),
            book.eq(~self._one_of(*TRADES, TRADING_STATUS)), trades.eq(self._one_of(*EXECUTES, *TRADES)),
            status.eq(self._is[TRADING_STATUS]),
            self._traded.eq(self._one_of(*TRADES)),
        ]
        gone = executed_at_price & ~self._remains
        bad = short | self._bad_side
        m.d.comb += [
            event.kind.eq(Mux(gone, BookEventKind.DELETE, sorted_kind)),
            event.shares.eq(Mux(gone, 0, self._shares)),
            self._cents.eq(self._price[:16] * 100),
            event.price.eq(any_of([(priced_short, self._cents), (priced_long & ~self._high, self._price)])),
            event.new_reference.eq(Mux(replaces, event.reference, 0)),
            event.timestamp.eq(self._second + self._offset),
            self.events.valid.eq(ended & book & ~bad),
            self.trades.valid.eq(ended & trades & ~short),
            self.state.valid.eq(ended & status & ~short),
            self.malformed.eq(ended & bad | cleared[1]),
        ]

    def _share(self, m):
        """The other outputs are the registers of the event by other names, and a few more."""
        event, trade, state = self.events.payload, self.trades.payload, self.state.payload
        for output in (trade, state):
            m.d.comb += [output.timestamp.eq(event.timestamp), output.sequence.eq(event.sequence), output.ingress.eq(event.ingress)]
        m.d.comb += [
            trade.kind.eq(Mux(self._traded, ord("P"), Mux(self._at_price, ord("C"), ord("E")))),
            trade.shares.eq(self._shares),
            trade.price.eq(Mux(self._in_cents, self._cents, self._price | self._high.replicate(32))),
            trade.match.eq(self._match),
            state.kind.eq(ord("H")),
            state.code.eq(self._shares[:8]),
            state.detail.eq(self._shares[8:16]),
        ]

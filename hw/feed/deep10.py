"""IEX DEEP 1.0: from messages to book events, trades and states."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.feed.turned import TurnedMessage
from hw.lib.choice import any_of
from hw.types import BookEvent, BookEventKind, MarketState, MessageWord, Side, Trade

LENGTHS = {"8": 30, "5": 30, "T": 38, "S": 10, "H": 22, "O": 18, "P": 19}
"""Bytes of the messages that are looked at, their type included."""


class DeepDecoder(wiring.Component):
    """Turns the price level updates (8 5) into SET events, and tells trades (T) and states (S H O P); all others only pass by.

    A level is to the book one order, whose reference says which: the price in bits 31:0, the side in bit 32, and above it the symbol's
    slot, which the name filter adds.

    Ports
    -----
    words : In(stream.Signature(MessageWord, always_ready=True))
        Messages as they come, one word in every cycle if need be. A message that is cut off (never ``ends``) is
        forgotten when the next one starts.
    events : Out(stream.Signature(BookEvent, always_ready=True))
        One event per price level update: SET, ``partial`` unless the message completes its event. ``timestamp`` is the lower 48 bits
        of the nanoseconds since the Unix epoch, for the protocol knows no midnight: it is for differences. ``locate`` and ``symbol``
        are 0; ``ingress`` is the time of the word with the message's last byte.
    trades : Out(stream.Signature(Trade, always_ready=True))
        T.
    state : Out(stream.Signature(MarketState, always_ready=True))
        S H O P in the words of ITCH: S with Q for the start of the market's hours, operational halt as h, short sale test as Y.
    symbol_name : Out(64)
        With the outputs: the symbol, padded with spaces, its first byte in bits 7:0.
    named : Out(1)
        There is a name: always but with S.
    malformed : Out(1)
        Pulse, in the cycle in which the output would have come: a message of these types with a wrong length.
    message_seen : Out(1)
        Pulse per message of any type, in the same cycle as its outputs, whose payloads stand while their ``valid`` does.

    Latency: ``LATENCY`` cycles from the word with a message's last byte to its outputs; one word per cycle.
    """

    LATENCY = 2

    words: In(stream.Signature(MessageWord, always_ready=True))
    events: Out(stream.Signature(BookEvent, always_ready=True))
    trades: Out(stream.Signature(Trade, always_ready=True))
    state: Out(stream.Signature(MarketState, always_ready=True))
    symbol_name: Out(64)
    named: Out(1)
    malformed: Out(1)
    message_seen: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._message = TurnedMessage(m, self.words, kind_at=0)
        self._sort(m)
        self._store_fields(m)
        self._finish(m)
        self._share(m)
        return m

    def _sort(self, m):
        """First cycle: what is to be known of the type by the time the second word is turned."""
        message = self._message
        self._is = {kind: Signal(name=f"is_{kind}") for kind in LENGTHS}
        self._length = Signal(range(max(LENGTHS.values()) + 1))
        with m.If(message.kind_valid):
            m.d.sync += [flag.eq(message.kind == ord(kind)) for kind, flag in self._is.items()]
            for bit, wire in enumerate(self._length):
                m.d.sync += wire.eq(Cat(message.kind == ord(kind) for kind, length in LENGTHS.items() if length >> bit & 1).any())

    def _store_fields(self, m):
        """Second cycle: bytes go to where the event keeps them."""
        message, event = self._message, self.events.payload
        self._flags, self._high, self._price, self._match = Signal(8), Signal(), Signal(32), Signal(64)
        with m.If(message.second):
            m.d.sync += [self._flags.eq(message.head(1)), self._high.eq(0)]
        for number in range(6):
            message.store_head(event.timestamp, number, 2 + number)
        for number in range(8):
            message.store(self.symbol_name, number, 10 + number)
            message.store(self._match, number, 30 + number)
        for number in range(4):
            message.store(event.shares, number, 18 + number)
            message.store(self._price, number, 22 + number)
        for byte in range(26, 30):
            with m.If(message.arrives(byte) & message.lane[byte % 8].any()):
                m.d.sync += self._high.eq(1)

    def _finish(self, m):
        """Second cycle: judges a message that ends. The price may have arrived with this very word, so it is judged a cycle later."""
        message, event, ended, wrong = self._message, self.events.payload, Signal(), Signal()
        level, trade, state = Signal(), Signal(), Signal()
        self._kind = {kind: Signal(name=f"kind_{kind}") for kind in "SHOP"}
        m.d.sync += [
            event.kind.eq(BookEventKind.SET), event.side.eq(Mux(self._is["5"], Side.SELL, Side.BUY)),
            event.sequence.eq(message.sequence), event.ingress.eq(message.ingress),
            self.message_seen.eq(message.ends), ended.eq(message.ends & Cat(self._is.values()).any()),
            wrong.eq(message.length != self._length),
            level.eq(self._is["8"] | self._is["5"]), trade.eq(self._is["T"]),
            state.eq(Cat(self._is[kind] for kind in self._kind).any()), self.named.eq(~self._is["S"]),
        ]
        m.d.sync += [flag.eq(self._is[kind]) for kind, flag in self._kind.items()]
        m.d.comb += [
            event.price.eq(Mux(self._high, 0, self._price)),
            event.reference.eq(Cat(event.price, event.side)),
            event.partial.eq(~self._flags[0]),
            self.events.valid.eq(ended & level & ~wrong),
            self.trades.valid.eq(ended & trade & ~wrong),
            self.state.valid.eq(ended & state & ~wrong),
            self.malformed.eq(ended & wrong),
        ]

    def _share(self, m):
        """The other outputs are the registers of the event by other names, and a few more."""
        event, trade, state, kind = self.events.payload, self.trades.payload, self.state.payload, self._kind
        for output in (trade, state):
            m.d.comb += [output.timestamp.eq(event.timestamp), output.sequence.eq(event.sequence), output.ingress.eq(event.ingress)]
        m.d.comb += [
            trade.kind.eq(ord("T")),
            trade.shares.eq(event.shares),
            trade.price.eq(self._price | self._high.replicate(32)),
            trade.match.eq(self._match),
            trade.code.eq(self._flags),
            state.kind.eq(any_of((kind[theirs], ord(itch)) for theirs, itch in zip("SHOP", "SHhY", strict=True))),
            state.code.eq(self._flags),
        ]
        with m.If(kind["S"] & (self._flags == ord("R"))):
            m.d.comb += state.code.eq(ord("Q"))
        with m.If(kind["O"]):
            m.d.comb += state.code.eq(Mux(self._flags == ord("N"), ord("T"), ord("H")))
        with m.If(kind["H"]):
            m.d.comb += state.detail.eq(Cat(event.shares.word_select(byte, 8) for byte in reversed(range(4))))
        with m.If(kind["P"]):
            m.d.comb += state.detail.eq(event.shares[:8])

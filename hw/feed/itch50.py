"""Nasdaq TotalView-ITCH 5.0: from messages to book events."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import BookEvent, BookEventKind, DirectoryEntry, MarketState, MessageWord, Side, Trade

LENGTHS = {
    "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35,
    "S": 12, "H": 25, "Y": 20, "J": 35, "h": 21, "W": 12, "K": 28, "V": 35,
    "P": 44, "Q": 40, "R": 39,
}  # fmt: skip
"""Bytes of the messages that are looked at, their type included."""

BOOK, STATE, TRADE, DIRECTORY = "AFECXDU", "SHYJhWKV", "PQEC", "R"


class Itch50Decoder(wiring.Component):
    """Turns the book messages (A F E C X D U) into book events, and tells states, trades and the directory; L B I N O only pass by.

    Each word is turned once by the lane its message began in, so that byte ``i`` of a message always arrives in lane
    ``i`` mod 8 and every field has fixed lanes. A message that begins in a word where another one ends has its first
    bytes picked separately and kept until its next word. The outputs share their registers: a payload stands while its ``valid`` does.

    Ports
    -----
    words : In(stream.Signature(MessageWord, always_ready=True))
        Messages as they come, one word in every cycle if need be. A message that is cut off (never ``ends``) is
        forgotten when the next one starts.
    events : Out(stream.Signature(BookEvent, always_ready=True))
        One event per book message. Fields that its kind does not have are 0; ``symbol`` is 0; ``ingress`` is the
        time of the word with the message's last byte.
    state : Out(stream.Signature(MarketState, always_ready=True))
        S H Y J h W K V.
    trades : Out(stream.Signature(Trade, always_ready=True))
        P and Q, and the executions E and C in the same cycle as their book event.
    directory : Out(stream.Signature(DirectoryEntry, always_ready=True))
        R.
    malformed : Out(1)
        Pulse, in the cycle in which the output would have come: a message of these types with a wrong length, or a book message with a
        side that is neither B nor S, or a price above 0x7FFFFFFF.
    message_seen : Out(1)
        Pulse per message of any type, in the same cycle as its event.

    Nothing of all this may take effect before the verdict on its frame.

    Latency: ``LATENCY`` cycles from the word with a message's last byte to its outputs; one word per cycle.
    """

    LATENCY = 2

    words: In(stream.Signature(MessageWord, always_ready=True))
    events: Out(stream.Signature(BookEvent, always_ready=True))
    state: Out(stream.Signature(MarketState, always_ready=True))
    trades: Out(stream.Signature(Trade, always_ready=True))
    directory: Out(stream.Signature(DirectoryEntry, always_ready=True))
    malformed: Out(1)
    message_seen: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._turn(m)
        self._head(m)
        self._store_fields(m)
        self._finish(m)
        self._share(m)
        return m

    def _turn(self, m):
        """First cycle: tracks the message in progress and turns the word by the lane it began in."""
        word, here = self.words.payload, self.words.valid
        lanes = [word.data.word_select(lane, 8) for lane in range(8)]
        offset = Signal(3)
        ordinal = Signal(8)  # one-hot: how many words after its first the message in progress is; none: no message

        self._lane = [Signal(8, name=f"lane_{lane}") for lane in range(8)]
        self._early = Signal(8)  # lanes whose byte belongs to the message's word before
        self._ordinal = Signal(8)
        self._ends = Signal()
        self._excess = Signal(range(-7, 9))  # length - 8 * ordinal
        self._sequence = Signal.like(word.sequence)
        self._ingress = Signal.like(word.ingress)

        for lane in range(8):
            m.d.sync += [
                self._lane[lane].eq(Array(lanes[(lane + turn) % 8] for turn in range(8))[offset]),
                self._early[lane].eq(lane + offset >= 8),
            ]
        m.d.sync += [
            self._ordinal.eq(Mux(here, ordinal, 0)),
            self._ends.eq(here & word.ends & ordinal.any()),
            self._excess.eq(word.end - offset),
            self._sequence.eq(word.sequence),
            self._ingress.eq(word.ingress),
        ]
        with m.If(here):
            m.d.sync += ordinal.eq(Cat(0, ordinal[:-1]) | (ordinal & 0x80))  # saturates: no book message is that long
            with m.If(word.starts):
                m.d.sync += [ordinal.eq(1 << 1), offset.eq(word.start)]
            with m.Elif(word.ends):
                m.d.sync += ordinal.eq(0)

    def _head(self, m):
        """First cycle: picks the first bytes of a message that begins, and keeps them until its next word is turned: one of twelve
        bytes can end there, and another begin."""
        word = self.words.payload
        lanes = [word.data.word_select(lane, 8) for lane in range(8)]
        picked = {byte: Signal(8, name=f"picked_{byte}") for byte in (1, 2, 5, 6, 7)}
        self._first = {byte: Signal(8, name=f"first_{byte}") for byte in picked}
        with m.If(self.words.valid):
            m.d.sync += [self._first[byte].eq(pick) for byte, pick in picked.items()]
        kind, began = Signal(8), Signal()
        with m.If(self.words.valid & word.starts):
            m.d.sync += kind.eq(Array(lanes)[word.start])
            for byte, pick in picked.items():
                m.d.sync += pick.eq(Array(lanes[byte:])[word.start])
        m.d.sync += began.eq(self.words.valid & word.starts)

        # A cycle later it is known which type that is; by then the message may end.
        self._kind, self._length = Signal(8), Signal(range(max(LENGTHS.values()) + 1))  # length that it must have; 0: any
        self._is = {}
        for types in ("A F E C X D U S H Y J h W K V P Q R AF UJ AFP ECX EC SW HY PC AFU " + f"{BOOK} {STATE} {TRADE}").split():
            self._is[types] = Signal(name=f"is_{types}")
        with m.If(began):
            m.d.sync += self._kind.eq(kind)
            m.d.sync += [flag.eq(one_of(kind, types)) for types, flag in self._is.items()]
            for bit, wire in enumerate(self._length):
                m.d.sync += wire.eq(one_of(kind, [letter for letter, length in LENGTHS.items() if length >> bit & 1]))

    def _arrives(self, byte):
        """Byte ``byte`` of the message in progress is in its lane in this cycle."""
        word, lane = divmod(byte, 8)
        return Mux(self._early[lane], self._ordinal[word + 1], self._ordinal[word])

    def _store_fields(self, m):
        """Second cycle: bytes go to where the event keeps them."""
        event = self.events.payload
        second = self._ordinal[1]

        def byte_of(field, number):
            size = len(field) // 8
            return field.word_select(size - 1 - number, 8)  # the wire is big endian

        def store(field, number, byte, *, when=1):
            with m.If(self._arrives(byte) & when):
                m.d.sync += byte_of(field, number).eq(self._lane[byte % 8])

        def store_with_head(field, number, byte):
            with m.If(second):
                m.d.sync += byte_of(field, number).eq(Mux(self._early[byte], self._lane[byte], self._first[byte]))

        for number, byte in enumerate((1, 2)):
            store_with_head(event.locate, number, byte)
        for number, byte in enumerate((5, 6, 7)):
            store_with_head(event.timestamp, number, byte)
        for number in range(3, 6):
            store(event.timestamp, number, 5 + number)
        for number in range(8):
            store(event.reference, number, 11 + number)

        is_, price, shares = self._is, event.price, event.shares
        self._match, self._code, self._trade_price = Signal(64), Signal(8), Signal.like(price)
        with m.If(second):
            m.d.sync += [event.new_reference.eq(0), shares.eq(0), price.eq(0), self._code.eq(0), self._trade_price.eq(0)]

        def store_number(field, size, byte, types):
            for number in range(size):
                store(field, number, byte + number, when=is_[types])

        store_number(event.new_reference, 8, 19, "UJ")
        store_number(event.new_reference, 4, 24, "K")
        for byte, types in ((20, "AFP"), (19, "ECX"), (27, "UJ"), (15, "Q")):
            store_number(shares, 4, byte, types)
        for byte, types in ((32, "AF"), (31, "UJ"), (21, "H"), (19, "K")):
            store_number(price, 4, byte, types)
        store_number(price[:8], 1, 19, "h")
        for byte, types in ((32, "PC"), (27, "Q")):
            store_number(self._trade_price, 4, byte, types)
        for byte, types in ((23, "EC"), (36, "P"), (31, "Q")):
            store_number(self._match, 8, byte, types)
        for byte, types in ((11, "SW"), (19, "HY"), (20, "h"), (23, "K"), (31, "C"), (39, "Q")):
            store_number(self._code, 1, byte, types)

        self._bad_side = Signal()
        with m.If(second):
            m.d.sync += [event.side.eq(Side.BUY), self._bad_side.eq(0)]
        with m.If(self._arrives(19) & is_["AF"]):
            side = self._lane[19 % 8]
            m.d.sync += [
                event.side.eq(Mux(side == ord("S"), Side.SELL, Side.BUY)),
                self._bad_side.eq((side != ord("B")) & (side != ord("S"))),
            ]

    def _finish(self, m):
        """Second cycle: judges a message that ends."""
        event = self.events.payload
        ordinal, length = Signal(3), Signal(range(-7, 72))
        m.d.comb += ordinal.eq(Cat(Cat(self._ordinal[n] for n in range(8) if n >> bit & 1).any() for bit in range(3)))
        m.d.comb += length.eq(8 * ordinal + self._excess)
        kind = Signal(BookEventKind)
        with m.If(self._is["U"]):
            m.d.comb += kind.eq(BookEventKind.REPLACE)
        with m.Elif(self._is["D"]):
            m.d.comb += kind.eq(BookEventKind.DELETE)
        with m.Elif(self._is["X"]):
            m.d.comb += kind.eq(BookEventKind.CANCEL)
        with m.Elif(self._is["EC"]):
            m.d.comb += kind.eq(BookEventKind.EXECUTE)

        checked, wrong, priced = Signal(), Signal(), Signal()
        m.d.sync += [
            event.kind.eq(kind),
            event.sequence.eq(self._sequence),
            event.ingress.eq(self._ingress),
            self.message_seen.eq(self._ends),
            checked.eq(self._ends & (self._length != 0)),
            wrong.eq(length != self._length),
            priced.eq(self._is["AFU"]),
        ]
        # The side and the price may have arrived with this very word, so these two are judged a cycle later.
        bad = wrong | self._bad_side | (priced & event.price[-1])
        m.d.comb += self.malformed.eq(checked & bad)
        for types, output in ((BOOK, self.events), (STATE, self.state), (TRADE, self.trades), (DIRECTORY, self.directory)):
            ended = Signal(name=f"ended_{types}")
            m.d.sync += ended.eq(self._ends & self._is[types])
            m.d.comb += output.valid.eq(ended & ~bad)

    def _share(self, m):
        """The other outputs are the registers of the event by other names, and a few more."""
        event, state, trade, entry = (port.payload for port in (self.events, self.state, self.trades, self.directory))
        kind, cross = Signal(8), Signal()
        m.d.sync += [kind.eq(self._kind), cross.eq(self._is["Q"])]
        for output in (state, trade, entry):
            m.d.comb += [output.locate.eq(event.locate), output.sequence.eq(event.sequence), output.ingress.eq(event.ingress)]
        m.d.comb += [
            state.kind.eq(kind),
            state.timestamp.eq(event.timestamp),
            state.code.eq(self._code),
            state.reference.eq(event.new_reference[32:]),
            state.upper.eq(event.new_reference[:32]),
            state.lower.eq(event.shares),
            state.detail.eq(event.price),
            trade.kind.eq(kind),
            trade.timestamp.eq(event.timestamp),
            trade.shares.eq(Cat(event.shares, event.reference[32:] & cross.replicate(32))),
            trade.price.eq(self._trade_price),
            trade.match.eq(self._match),
            trade.code.eq(self._code),
            entry.name.eq(Cat(event.reference.word_select(byte, 8) for byte in reversed(range(8)))),
        ]


def one_of(kind, letters):
    """``kind`` is one of these ASCII characters."""
    return Cat(kind == ord(letter) for letter in letters).any()

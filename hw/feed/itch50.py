"""Nasdaq TotalView-ITCH 5.0: from messages to book events."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import BookEvent, BookEventKind, MessageWord, Side

LENGTHS = {"A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35}
"""Bytes of the messages that change a book, their type included."""


class Itch50Decoder(wiring.Component):
    """Turns the book messages (A F E C X D U) into book events; all others only pass by.

    Each word is turned once by the lane its message began in, so that byte ``i`` of a message always arrives in lane
    ``i`` mod 8 and every field has fixed lanes. A message that begins in a word where another one ends has its first
    bytes picked separately and kept until its next word.

    Ports
    -----
    words : In(stream.Signature(MessageWord, always_ready=True))
        Messages as they come, one word in every cycle if need be. A message that is cut off (never ``ends``) is
        forgotten when the next one starts.
    events : Out(stream.Signature(BookEvent, always_ready=True))
        One event per book message. Fields that its kind does not have are 0; ``symbol`` is 0; ``ingress`` is the
        time of the word with the message's last byte.
    malformed : Out(1)
        Pulse, in the cycle in which the event would have come: a book message with a wrong length, a side that is
        neither B nor S, or a price above 0x7FFFFFFF.
    message_seen : Out(1)
        Pulse per message of any type, in the same cycle as its event.

    Latency: ``LATENCY`` cycles from the word with a message's last byte to its event; one word per cycle.
    """

    LATENCY = 2

    words: In(stream.Signature(MessageWord, always_ready=True))
    events: Out(stream.Signature(BookEvent, always_ready=True))
    malformed: Out(1)
    message_seen: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._turn(m)
        self._head(m)
        self._store_fields(m)
        self._finish(m)
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
        """First cycle: picks the first bytes of a message that begins."""
        word = self.words.payload
        lanes = [word.data.word_select(lane, 8) for lane in range(8)]
        self._first = {byte: Signal(8, name=f"first_{byte}") for byte in (1, 2, 5, 6, 7)}
        kind, began = Signal(8), Signal()
        with m.If(self.words.valid & word.starts):
            m.d.sync += kind.eq(Array(lanes)[word.start])
            for byte, first in self._first.items():
                m.d.sync += first.eq(Array(lanes[byte:])[word.start])
        m.d.sync += began.eq(self.words.valid & word.starts)

        self._is = {letter: Signal(name=f"is_{letter}") for letter in LENGTHS}
        with m.If(began):
            m.d.sync += [self._is[letter].eq(kind == ord(letter)) for letter in LENGTHS]

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

        add = self._is["A"] | self._is["F"]
        reduce = self._is["E"] | self._is["C"] | self._is["X"]
        replace = self._is["U"]
        with m.If(second):
            m.d.sync += [event.new_reference.eq(0), event.shares.eq(0), event.price.eq(0)]
        for number in range(8):
            store(event.new_reference, number, 19 + number, when=replace)
        for number in range(4):
            store(event.shares, number, 20 + number, when=add)
            store(event.shares, number, 19 + number, when=reduce)
            store(event.shares, number, 27 + number, when=replace)
            store(event.price, number, 32 + number, when=add)
            store(event.price, number, 31 + number, when=replace)

        self._bad_side = Signal()
        with m.If(second):
            m.d.sync += [event.side.eq(Side.BUY), self._bad_side.eq(0)]
        with m.If(self._arrives(19) & add):
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
        book = Cat(self._is.values()).any()
        right_length = Cat(self._is[letter] & (length == LENGTHS[letter]) for letter in LENGTHS).any()

        kind = Signal(BookEventKind)
        with m.If(self._is["U"]):
            m.d.comb += kind.eq(BookEventKind.REPLACE)
        with m.Elif(self._is["D"]):
            m.d.comb += kind.eq(BookEventKind.DELETE)
        with m.Elif(self._is["X"]):
            m.d.comb += kind.eq(BookEventKind.CANCEL)
        with m.Elif(self._is["E"] | self._is["C"]):
            m.d.comb += kind.eq(BookEventKind.EXECUTE)

        ended, wrong = Signal(), Signal()
        m.d.sync += [
            event.kind.eq(kind),
            event.sequence.eq(self._sequence),
            event.ingress.eq(self._ingress),
            self.message_seen.eq(self._ends),
            ended.eq(self._ends & book),
            wrong.eq(~right_length),
        ]
        # The side and the price may have arrived with this very word, so these two are judged a cycle later.
        bad = wrong | self._bad_side | event.price[-1]
        m.d.comb += [
            self.events.valid.eq(ended & ~bad),
            self.malformed.eq(ended & bad),
        ]

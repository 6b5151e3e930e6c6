"""What the decoders of little-endian messages share: the bytes of the message in progress, each in a lane of its own."""

from amaranth.hdl import Array, Cat, Mux, Signal

ORDINALS = 8


class TurnedMessage:
    """Turns each word by the lane its message began in, so that byte ``i`` of a message always arrives in lane ``i`` mod 8.

    A message that begins in a word where another one ends has its first bytes picked separately and kept until its next word. What is
    said here of "this cycle" is the cycle after the word came in; a register that is set from it is right a cycle later, which is the
    decoder's second.

    Parameters
    ----------
    m : Module
    words : stream of MessageWord, always ready
    kind_at : int
        Which byte, 0 or 1, is the message's type.

    Attributes
    ----------
    kind : Signal(8)
        The message's type, in the cycle in which ``kind_valid`` is: when its second word comes in. What is registered from it is
        right from the cycle on in which that word's bytes are turned.
    lane : list of Signal(8)
    second : Signal
        In this cycle the message's second word is here, and with it its first eight bytes.
    ends : Signal
        In this cycle the message's last word is here.
    length : Signal
        With ``ends``: bytes of the message; 56 or more for any that are longer.
    sequence, ingress
        Of the word that is here.
    """

    def __init__(self, m, words, *, kind_at):
        self._m = m
        word, here = words.payload, words.valid
        lanes = [word.data.word_select(lane, 8) for lane in range(8)]
        offset = Signal(3)
        ordinal = Signal(ORDINALS)  # one-hot: how many words after its first the message in progress is; none: no message

        self.lane = [Signal(8, name=f"lane_{lane}") for lane in range(8)]
        self._early = Signal(8)  # lanes whose byte belongs to the message's word before
        self._ordinal = Signal(ORDINALS)
        self.ends = Signal()
        excess = Signal(range(-7, 9))
        self.sequence, self.ingress = Signal.like(word.sequence), Signal.like(word.ingress)
        for lane in range(8):
            m.d.sync += [
                self.lane[lane].eq(Array(lanes[(lane + turn) % 8] for turn in range(8))[offset]),
                self._early[lane].eq(lane + offset >= 8),
            ]
        m.d.sync += [
            self._ordinal.eq(Mux(here, ordinal, 0)),
            self.ends.eq(here & word.ends & ordinal.any()),
            excess.eq(word.end - offset),
            self.sequence.eq(word.sequence),
            self.ingress.eq(word.ingress),
        ]
        with m.If(here):
            m.d.sync += ordinal.eq(Cat(0, ordinal[:-1]) | (ordinal & 1 << ORDINALS - 1))  # saturates: nothing is looked at so late
            with m.If(word.starts):
                m.d.sync += [ordinal.eq(1 << 1), offset.eq(word.start)]
            with m.Elif(word.ends):
                m.d.sync += ordinal.eq(0)
        self.second = self._ordinal[1]
        self.length = Signal(range(-7, 72))
        binary = Cat(Cat(self._ordinal[n] for n in range(ORDINALS) if n >> bit & 1).any() for bit in range(3))
        m.d.comb += self.length.eq(Cat(0, 0, 0, binary) + excess)

        self._pick_head(m, lanes, word, here, offset, ordinal, kind_at)

    def _pick_head(self, m, lanes, word, here, offset, ordinal, kind_at):
        """The first bytes of a message that begins, kept until its second word is turned: another can begin with that very word."""
        picked = [Signal(8, name=f"picked_{byte}") for byte in range(8)]
        self._first = [Signal(8, name=f"first_{byte}") for byte in range(8)]
        with m.If(here):
            m.d.sync += [first.eq(pick) for first, pick in zip(self._first, picked, strict=True)]
            with m.If(word.starts):
                m.d.sync += [pick.eq(Array(lanes[byte:])[word.start]) for byte, pick in enumerate(picked)]
        self.kind, self.kind_valid = Signal(8), Signal()
        m.d.comb += [
            self.kind.eq(Mux(offset + kind_at >= 8, lanes[0], picked[kind_at])),
            self.kind_valid.eq(here & ordinal[1]),
        ]

    def arrives(self, byte):
        """Byte ``byte`` of the message is in its lane in this cycle; not for the first eight."""
        word, lane = divmod(byte, 8)
        return Mux(self._early[lane], self._ordinal[word + 1], self._ordinal[word])

    def store(self, field, number, byte, *, when=1):
        """Byte ``byte`` of the message becomes byte ``number`` of ``field``, a register."""
        with self._m.If(self.arrives(byte) & when):
            self._m.d.sync += field.word_select(number, 8).eq(self.lane[byte % 8])

    def head(self, byte):
        """Byte ``byte`` of the message, of its first eight; in the cycle of ``second``."""
        return Mux(self._early[byte], self.lane[byte], self._first[byte])

    def store_head(self, field, number, byte, *, when=1):
        with self._m.If(self.second & when):
            self._m.d.sync += field.word_select(number, 8).eq(self.head(byte))

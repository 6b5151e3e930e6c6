"""IEX-TP, outbound: message boundaries of segments that carry DEEP 1.0."""

from amaranth.hdl import Cat, Signal

from hw.feed.packet_framer import PacketFramer, hop_to
from hw.lib.choice import any_of

VERSION, DEEP = 1, 0x8004
HEADER_LENGTH = 40
SHORTEST = 9
"""Bytes; a shorter message could begin and end in one word. No message of IEX has less than ten."""

LANES = range(-1, 7)
"""Where the length of a block can begin. One that begins in lane 7 has its second byte in the next word, to which that is lane -1."""


class IexTp(PacketFramer):
    """Finds the messages in a segment and numbers them. At most one begins in a word, for none is shorter than nine bytes.

    Ports
    -----
    payload : In(stream.Signature(PayloadWord, always_ready=True))
        UDP payload, a segment after the other.
    verdict_in : In(stream.Signature(Verdict, always_ready=True))
        One per segment, after its last word (or without any), before the next segment's first word.
    words : Out(stream.Signature(MessageWord, always_ready=True))
        The messages, without their lengths. What a segment delivers may take effect only with its verdict.
    verdict : Out(stream.Signature(Verdict, always_ready=True))
        One per segment: the reason of ``verdict_in`` if there is one; else MALFORMED: not version 1 with DEEP 1.0, the header's length or
        count and the blocks contradict each other, or a block has less than nine bytes.
    span : Out(Span)
        In the cycle of a good verdict: the session's number, and the numbers of its messages.
    end_of_session : Out(1)
        Never: the format does not tell it.

    Latency: ``LATENCY`` cycles from a payload word to its message word, ``VERDICT_LATENCY`` from ``verdict_in`` to
    ``verdict``. One word per cycle.
    """

    HEADER_WORDS = 5

    def _prepare(self, m):
        """First cycle: the hop from every lane."""
        word = self.payload.payload
        above = Signal(8)  # last byte of the word before
        with m.If(self.payload.valid):
            m.d.sync += above.eq(word.data[56:])
        window = Cat(above, word.data)
        self._hop_from = hops = {}
        for lane in LANES:
            length = window.bit_select(8 * (lane + 1), 16)
            hops[lane] = hop_to(m, (length + (lane + 2))[:17], length < SHORTEST)

        self._split = Signal()
        with m.If(self._here):
            m.d.sync += self._split.eq(self._lane[7] & self._inside[7])
        with m.If(self._finish):
            m.d.sync += self._split.eq(0)
        self._boundaries = self._lane
        self._lengths = {-1: self._split, **{lane: self._lane[lane] & self._inside[lane + 1] for lane in LANES[1:]}}
        self._hops = [(condition, hops[lane]) for lane, condition in self._lengths.items()]

    def _read_header(self, m):
        self._length, self._messages, self._session = Signal(17), Signal(16), Signal(80)
        self._first, self._next, self._sound = Signal(64), Signal(64), Signal()
        self._first_now = self._first
        with m.If(self._word[0]):
            m.d.sync += self._sound.eq((self._data[:8] == VERSION) & (self._data[16:32] == DEEP))
        with m.If(self._word[1]):
            m.d.sync += [
                self._session.eq(self._data[:32]), self._length.eq(self._data[32:48] + HEADER_LENGTH),
                self._messages.eq(self._data[48:]),
            ]
        with m.If(self._word[3]):
            m.d.sync += [self._first.eq(self._data), self._next.eq(self._data + self._messages)]

    def _deliver(self, m):
        """Second cycle: a message begins right after its length."""
        here, self._waits = Signal(), Signal()  # waits: a message begins in lane 0 of the next word
        waits = self._waits
        m.d.comb += here.eq(self._here & ~self._word.any())
        with m.If(here):
            m.d.sync += waits.eq(self._lengths[6])
        with m.If(self._finish):
            m.d.sync += waits.eq(0)
        now = Cat(self._lengths[lane] & self._inside[lane + 2] for lane in range(-1, 6)).any()
        self._begins, self._start, self._begun = Signal(), Signal(3), Signal(2)
        m.d.comb += [
            self._begins.eq(here & (now | waits)),
            self._start.eq(any_of((self._lengths[lane], lane + 2) for lane in range(-1, 6))),
            self._begun.eq(Cat(self._lengths.values()).any()),
        ]
        self._last_of_session = 0

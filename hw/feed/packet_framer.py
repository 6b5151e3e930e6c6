"""What the framers of little-endian packets share: where the messages are is known from lengths, each in front of its message."""


from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.choice import any_of
from hw.reasons import DropReason
from hw.types import MessageWord, PayloadWord, Span, Verdict


class Hop(data.Struct):
    """Where the length at a lane leads: to the next boundary, in the next word or a later one."""

    lane: 8
    """One-hot."""
    skip: 13
    """Words before the boundary's, beside this one."""
    near: 1
    """There are none."""
    bad: 1
    """No message is that short."""


def hop_to(m, distance, bad):
    """The hop over ``distance`` bytes, counted from the word's first byte; registered. It must lead out of the word."""
    hop, words = Signal(Hop), distance[3:]
    m.d.sync += [
        hop.lane.eq(Cat(distance[:3] == lane for lane in range(8))),
        hop.skip.eq(words - 1),
        hop.near.eq(words == 1),
        hop.bad.eq(bad),
    ]
    return hop


class PacketFramer(wiring.Component):
    """Walks from boundary to boundary through a packet. A subclass reads the header and knows the lengths.

    A boundary is where a message begins, or the length in front of it. Every word takes two cycles: first the hop from every lane is
    worked out, without knowing at which a boundary is; then the one that counts is taken. A subclass gives ``HEADER_WORDS`` and

    - ``_prepare(m)``: ``_boundaries``, lanes of the word in the second cycle (it reads ``_lane``), and ``_hops``, pairs of a condition
      and the ``Hop`` that is then taken;
    - ``_read_header(m)``: from ``_data`` and ``_word``, registered: ``_first`` and ``_next`` sequence number, ``_messages``, ``_length``
      of the packet in bytes, ``_session``, and ``_sound``, nothing else is wrong; ``_first_now`` with the header's last word;
    - ``_deliver(m)``: ``_begins`` and ``_start``, a message begins that is delivered; ``_begun``, how many begin; ``_last_of_session``.

    Ports
    -----
    payload, verdict_in, words, verdict, span, end_of_session
        As those of every framer; see the subclasses.

    Latency: ``LATENCY`` cycles from a payload word to its message word, ``VERDICT_LATENCY`` from ``verdict_in`` to ``verdict``.
    One word per cycle.
    """

    LATENCY = 2
    VERDICT_LATENCY = 2
    HEADER_WORDS: int

    payload: In(stream.Signature(PayloadWord, always_ready=True))
    verdict_in: In(stream.Signature(Verdict, always_ready=True))
    words: Out(stream.Signature(MessageWord, always_ready=True))
    verdict: Out(stream.Signature(Verdict, always_ready=True))
    span: Out(Span)
    end_of_session: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._take_word(m)
        self._lane = Signal(8)  # one-hot: the boundary in this word that is known from the words before
        self._prepare(m)
        self._read_header(m)
        self._deliver(m)
        self._hop(m)
        self._number(m)
        self._write_word(m)
        self._judge(m)
        return m

    def _take_word(self, m):
        """First cycle: the word, and which one of the packet it is."""
        word, here = self.payload.payload, self.payload.valid
        self._finish = Signal()  # a cycle after verdict_in: every word of the packet is through
        self._here, self._last = Signal(), Signal()
        self._data, self._count = Signal(64), Signal(4)
        self._inside = Signal(8)  # lanes that belong to the payload
        self._ingress = Signal.like(word.ingress)
        self._word = Signal(self.HEADER_WORDS)  # one-hot: which word of the header; zero for all that follow
        self._following = following = Signal(self.HEADER_WORDS, init=1)
        m.d.sync += [
            self._finish.eq(self.verdict_in.valid),
            self._here.eq(here),
            self._last.eq(here & word.last),
            self._data.eq(word.data),
            self._count.eq(word.count),
            self._inside.eq(Cat(word.count > lane for lane in range(8))),
            self._ingress.eq(word.ingress),
            self._word.eq(Mux(here, following, 0)),
        ]
        with m.If(here):
            m.d.sync += following.eq(following << 1)
        with m.If(self.verdict_in.valid):
            m.d.sync += following.eq(1)
        self._bytes = [self._data.word_select(lane, 8) for lane in range(8)]

    def _hop(self, m):
        """Second cycle: from this word's last boundary to the next, which is in another word."""
        hop = Signal(Hop)
        self._skip, self._target = skip, target = Signal(13), Signal(8)
        self._hopping = Cat(condition for condition, _ in self._hops).any()
        arrives, self._ends_with_word = Signal(), Signal()  # the next boundary is in the next word; it is its first byte
        m.d.comb += [
            hop.eq(any_of(self._hops)),
            arrives.eq(~self._hopping & (skip == 1)),
            self._ends_with_word.eq(arrives & target[0]),
        ]
        self._broken, self._whole = Signal(), Signal()  # whole: the last boundary is where the payload ends
        with m.If(self._here & ~self._word.any()):
            m.d.sync += [
                self._lane.eq(Mux(hop.near, hop.lane, 0) | Mux(arrives, target, 0)),
                self._broken.eq(self._broken | self._hopping & hop.bad),
                self._whole.eq(
                    self._last & Mux(self._count == 8, self._ends_with_word | hop.near & hop.lane[0],
                                     Cat(self._boundaries[lane] & (self._count == lane) for lane in range(1, 8)).any())
                ),
            ]
            with m.If(self._hopping):
                m.d.sync += [skip.eq(Mux(hop.near, 0, hop.skip)), target.eq(hop.lane)]
            with m.Elif(skip.any()):
                m.d.sync += skip.eq(skip - 1)
        with m.If(self._word[-1]):
            m.d.sync += [self._lane.eq(1), self._whole.eq(self._last & (self._count == 8))]
        with m.If(self._finish):
            m.d.sync += [self._lane.eq(0), skip.eq(0), self._broken.eq(0), self._whole.eq(0)]

    def _number(self, m):
        """Second cycle, a word behind: what began in the word before is not in the counts yet."""
        begun, number, self._seen, self._size = Signal(2), Signal(64), Signal(16), Signal(17)
        self._number_now = Signal(64)
        m.d.comb += self._number_now.eq(number + begun)
        m.d.sync += [begun.eq(Mux(self._here & ~self._word.any(), self._begun, 0)), number.eq(self._number_now)]
        with m.If(self._here):
            m.d.sync += [self._seen.eq(self._seen + Mux(self._word.any(), 0, self._begun)), self._size.eq(self._size + self._count)]
        with m.If(self._word[-1]):
            m.d.sync += number.eq(self._first_now - 1)
        with m.If(self._finish):
            m.d.sync += [self._seen.eq(0), self._size.eq(0)]

    def _write_word(self, m):
        """Second cycle: the word and the boundaries of what is delivered."""
        out, ends, here = self.words.payload, Signal(), Signal()
        self._delivering = delivering = Signal()
        m.d.comb += [
            here.eq(self._here & ~self._word.any()),
            ends.eq(delivering & (self._lane[1:].any() | self._ends_with_word)),
        ]
        with m.If(here):
            m.d.sync += delivering.eq(self._begins | delivering & ~ends)
        with m.If(self._finish):
            m.d.sync += delivering.eq(0)
        m.d.sync += [
            self.words.valid.eq(here),
            out.data.eq(self._data),
            out.ends.eq(ends),
            out.end.eq(any_of(((self._ends_with_word, 8), *((self._lane[end], end) for end in range(1, 8))))),
            out.starts.eq(self._begins),
            out.start.eq(self._start),
            out.sequence.eq(self._number_now),
            out.ingress.eq(self._ingress),
        ]

    def _judge(self, m):
        """After verdict_in: the packet's own faults, and what it held."""
        incoming, reason, sound = Signal(DropReason), Signal(DropReason), Signal()
        m.d.sync += incoming.eq(self.verdict_in.payload.reason)
        m.d.comb += [
            sound.eq(self._sound & self._whole & ~self._broken & (self._seen == self._messages) & (self._size == self._length)),
            reason.eq(Mux((incoming == DropReason.NONE) & ~sound, DropReason.MALFORMED, incoming)),
        ]
        m.d.sync += [
            self.verdict.valid.eq(self._finish),
            self.verdict.payload.reason.eq(reason),
            self.span.session.eq(self._session),
            self.span.first.eq(self._first),
            self.span.next.eq(self._next),
            self.end_of_session.eq(self._finish & (reason == DropReason.NONE) & self._last_of_session),
        ]

"""Cboe's sequenced unit header: message boundaries of multicast PITCH."""

from amaranth.hdl import Cat, Const, Mux, Signal
from amaranth.lib.wiring import Out

from hw.feed.packet_framer import PacketFramer, hop_to
from hw.lib.choice import any_of

SHORTEST = 6
"""Bytes of the shortest messages: time, unit clear, end of session. What is shorter is malformed."""
SHORTEST_DELIVERED = 9
"""Bytes; a shorter message could begin and end in one word. Those that matter act here."""
TIME, END_OF_SESSION, UNIT_CLEAR = 0x20, 0x2D, 0x97


class PitchUnit(PacketFramer):
    """Finds the messages in a packet of multicast PITCH and numbers them.

    At most two messages begin in a word, for none is shorter than six bytes, and at most one of them is long enough to be delivered.
    Three short ones act here, whatever bytes they may have grown at their ends: time, unit clear, end of session.

    Ports
    -----
    payload : In(stream.Signature(PayloadWord, always_ready=True))
        UDP payload, a packet after the other.
    verdict_in : In(stream.Signature(Verdict, always_ready=True))
        One per packet, after its last word (or without any), before the next packet's first word.
    words : Out(stream.Signature(MessageWord, always_ready=True))
        Messages of at least nine bytes, from their length byte on; of packets that are not numbered, none. What a packet delivers may
        take effect only with its verdict.
    verdict : Out(stream.Signature(Verdict, always_ready=True))
        One per packet: the reason of ``verdict_in`` if there is one; else MALFORMED: the header's length or count and the messages
        contradict each other, or a message has less than six bytes.
    span : Out(Span)
        In the cycle of a good verdict: the unit as the session, and the numbers of its messages, short ones included. 0 and 0 for a
        packet that is not numbered.
    end_of_session : Out(1)
        Pulse with the good verdict of a packet that has such a message.
    second : Out(17)
        Seconds since midnight, of the last time message, in step with ``words``: the word with its last byte, or the one before. This
        is the one thing that is remembered from packet to packet, even of packets that turn out bad: it serves timestamps and no more.
    clear : Out(1)
        Pulse in step with ``words``: a unit clear, the book is void; or with the header's word: the packet has number 2^32 - 1, after
        which the numbers begin again at 1, where nothing here would follow.

    Latency: ``LATENCY`` cycles from a payload word to its message word, ``VERDICT_LATENCY`` from ``verdict_in`` to
    ``verdict``. One word per cycle.
    """

    HEADER_WORDS = 1

    second: Out(17)
    clear: Out(1)

    def _prepare(self, m):
        """First cycle: the hop from every lane. One of six or seven bytes from the first lanes stays in the word."""
        word = self.payload.payload
        lengths = [word.data.word_select(lane, 8) for lane in range(8)]
        to_6, from_0_to_7, from_1_to_7, long = self._staying = Signal(), Signal(), Signal(), Signal(8)
        m.d.sync += [
            to_6.eq(lengths[0] == 6),
            from_0_to_7.eq(lengths[0] == 7),
            from_1_to_7.eq(lengths[1] == 6),
            long.eq(Cat(length >= SHORTEST_DELIVERED for length in lengths)),
        ]
        hops = [hop_to(m, (length + lane)[:9], length < SHORTEST) for lane, length in enumerate(lengths)]

        lane = self._lane
        staying = lane[0] & (to_6 | from_0_to_7), lane[1] & from_1_to_7
        self._boundaries = Signal(8)
        m.d.comb += self._boundaries.eq(lane | Cat(0, 0, 0, 0, 0, 0, lane[0] & to_6, lane[0] & from_0_to_7 | staying[1]))
        stays = {at: staying[at] for at in range(2)}
        self._hops = [(self._boundaries[at] & ~stays.get(at, Const(0)) & self._inside[at], hop) for at, hop in enumerate(hops)]
        self._long = long

    def _read_header(self, m):
        self._length, self._messages, self._session = Signal(17), Signal(16), Signal(80)
        self._first, self._next, self._sound = Signal(64), Signal(64), Const(1)
        first, count = self._data[32:], self._data[16:24]
        self._first_now = first
        after = Signal(33)
        m.d.comb += after.eq(first + count)
        with m.If(self._word[0]):
            m.d.sync += [
                self._length.eq(self._data[:16]), self._messages.eq(count), self._session.eq(self._data[24:32]),
                self._first.eq(first), self._next.eq(Mux(first.any(), after, 0)),
            ]
        self._last_number = self._word[0] & after[32]

    def _deliver(self, m):
        """Second cycle: which of the messages that begin are delivered, and what the others say."""
        here, numbered = Signal(), Signal()
        m.d.comb += [here.eq(self._here & ~self._word.any()), numbered.eq(self._first.any())]
        begin = Signal(8)
        m.d.comb += begin.eq(self._boundaries & self._inside)
        delivered = begin & self._long
        self._begins, self._start, self._begun = Signal(), Signal(3), Signal(2)
        m.d.comb += [
            self._begins.eq(here & numbered & delivered.any()),
            self._start.eq(any_of((delivered[lane], lane) for lane in range(8))),
            self._begun.eq(begin[:6].any() + begin[6:].any()),
        ]

        before, began = Signal(64), Signal(8)  # the word before, and what began in it
        with m.If(here):
            m.d.sync += [before.eq(self._data), began.eq(begin)]
        with m.If(self._finish):
            m.d.sync += began.eq(0)
        window = Cat(before, self._data)

        def byte(lane, number):
            """A byte of the message that began in ``lane`` of the word before; of this word, from lane 8 on."""
            return window.word_select(lane + number, 8)

        def begins(kind):
            """A message of a type begins in this word, or in the last lane of the word before."""
            here_now = Cat(begin[lane] & (self._bytes[lane + 1] == kind) for lane in range(7)).any()
            return here & numbered & (here_now | began[7] & (self._bytes[0] == kind))

        for lane in range(4, 8):
            with m.If(here & numbered & began[lane] & (byte(lane, 1) == TIME)):
                m.d.sync += self.second.eq(Cat(byte(lane, number) for number in (2, 3, 4)))
        for lane in range(4):
            with m.If(here & numbered & begin[lane] & (self._bytes[lane + 1] == TIME)):
                m.d.sync += self.second.eq(Cat(byte(lane + 8, number) for number in (2, 3, 4)))

        self._last_of_session = Signal()
        m.d.sync += self.clear.eq(begins(UNIT_CLEAR) | self._last_number)
        with m.If(begins(END_OF_SESSION)):
            m.d.sync += self._last_of_session.eq(1)
        with m.If(self._finish):
            m.d.sync += self._last_of_session.eq(0)

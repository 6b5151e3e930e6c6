"""MoldUDP64: message boundaries and numbers."""


from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.choice import any_of
from hw.reasons import DropReason
from hw.types import MessageWord, PayloadWord, Sequence, Span, Verdict

END_OF_SESSION = 0xFFFF
SHORTEST_DELIVERED = 9
"""Bytes; a shorter message could begin and end in one word, and no protocol has them."""
FIRST_BLOCK = 4
"""Lane of word 2 in which the first block begins."""

LANES = range(-1, 8)
"""Where the length of a block can begin."""


class Chain(data.Struct):
    """Where the blocks lead that begin in one word, one directly after the other."""

    leaves: 8
    """One-hot, by lane + 1 of its length: the block that goes on in the next word, or ends with this one."""
    splits: 1
    """The chain ends with a length whose second byte is in the next word."""
    fits: 1
    """The chain ends exactly where the payload does, before the word's end."""
    begun: 5
    """One-hot: how many blocks begin, 0 to 4. A split length counts in the next word."""


class Block(data.Struct):
    """A block that leaves the word in which it begins."""

    next: 9
    """One-hot: lane of the next word in which the next block begins; 8 stands for right after it, none for later."""
    rest: 16
    """Bytes of the block in the following words."""
    far: 1
    """They are at least eight."""
    long: 1
    """Its message is one to be delivered."""


class MoldUdp64(wiring.Component):
    """Finds the messages in a packet and numbers them. Every packet for itself: nothing is remembered from one to the next.

    Up to four blocks can begin in one word (when they are empty), so where the chain of length fields leads is worked
    out in two cycles: first for each lane a block might begin in, without knowing which it is, then for the one it is.

    Ports
    -----
    payload : In(stream.Signature(PayloadWord, always_ready=True))
        UDP payload, a packet after the other.
    verdict_in : In(stream.Signature(Verdict, always_ready=True))
        One per packet, after its last word (or without any), before the next packet's first word.
    words : Out(stream.Signature(MessageWord, always_ready=True))
        Messages of at least nine bytes. What a packet delivers may take effect only with its verdict.
    verdict : Out(stream.Signature(Verdict, always_ready=True))
        One per packet, at least a cycle after its last word: the reason of ``verdict_in`` if there is one; else MALFORMED (lengths and
        count of blocks contradict each other).
    span : Out(Span)
        In the cycle of a good verdict: the packet's session and the numbers of its messages, short and empty ones included.
    end_of_session : Out(1)
        Pulse with the good verdict of such a packet.

    Latency: ``LATENCY`` cycles from a payload word to its message word, ``VERDICT_LATENCY`` from ``verdict_in`` to
    ``verdict``. One word per cycle.
    """

    LATENCY = 2
    VERDICT_LATENCY = 2

    payload: In(stream.Signature(PayloadWord, always_ready=True))
    verdict_in: In(stream.Signature(Verdict, always_ready=True))
    words: Out(stream.Signature(MessageWord, always_ready=True))
    verdict: Out(stream.Signature(Verdict, always_ready=True))
    span: Out(Span)
    end_of_session: Out(1)

    def elaborate(self, platform):
        m = Module()
        self._take_word(m)
        self._prepare_lanes(m)
        self._read_header(m)
        self._follow_blocks(m)
        self._number_messages(m)
        self._deliver(m)
        self._judge(m)
        return m

    def _take_word(self, m):
        """First cycle: the word, and which one of the packet it is."""
        word, here = self.payload.payload, self.payload.valid
        self._finish = Signal()  # a cycle after verdict_in: every word of the packet is through
        self._here, self._last = Signal(), Signal()
        self._data, self._count = Signal(64), Signal(4)
        self._ingress = Signal.like(word.ingress)
        self._word = Signal(3)  # one-hot: word 0, 1, 2; zero for all that follow
        self._following = Signal(3, init=1)
        m.d.sync += [
            self._finish.eq(self.verdict_in.valid),
            self._here.eq(here),
            self._last.eq(here & word.last),
            self._data.eq(word.data),
            self._count.eq(word.count),
            self._ingress.eq(word.ingress),
            self._word.eq(Mux(here, self._following, 0)),
        ]
        with m.If(here):
            m.d.sync += self._following.eq(self._following << 1)
        with m.If(self.verdict_in.valid):
            m.d.sync += self._following.eq(1)

    def _prepare_lanes(self, m):
        """First cycle: for each lane, where the blocks would lead if one began there.

        Lane -1 stands for a block whose length has its first byte in the word before.
        """
        word, here = self.payload.payload, self.payload.valid
        byte = {lane: word.data.word_select(lane, 8) for lane in range(8)}
        byte[-1] = Signal(8, name="byte_before")
        with m.If(here):
            m.d.sync += byte[-1].eq(byte[7])
        beyond, end = Signal(8), Signal(8)
        m.d.comb += [
            beyond.eq(Cat(word.last & (word.count <= lane) for lane in range(8))),
            end.eq(Cat(word.last & (word.count == lane) for lane in range(8))),
        ]

        chains = {lane: Signal(Chain, name=f"chain_{lane}") for lane in LANES}
        self._chains = {lane: Signal(Chain, name=f"prepared_{lane}") for lane in LANES}
        self._blocks = {lane: Signal(Block, name=f"block_{lane}") for lane in LANES[:-1]}
        for lane, chain in chains.items():
            m.d.sync += self._chains[lane].eq(chain)
        m.d.comb += [chains[7].fits.eq(end[7]), chains[7].splits.eq(~beyond[7]), chains[7].begun.eq(1)]

        for lane, block in self._blocks.items():
            length, whole, small = Cat(byte[lane + 1], byte[lane]), ~beyond[lane + 1], Signal(name=f"small_{lane}")
            stays, hops = Signal(name=f"stays_{lane}"), Signal(8, name=f"hops_{lane}")
            m.d.comb += [
                small.eq(length[4:] == 0),
                stays.eq(whole & (~small | (length[:4] >= 6 - lane))),
                hops.eq(Cat(whole & small & (length[:4] == to - lane - 2) if to >= lane + 2 else 0 for to in range(8))),
            ]
            ahead = [(hops[to], chains[to]) for to in range(lane + 2, 8)]
            m.d.comb += [
                chains[lane].leaves.eq(any_of((hop, chain.leaves) for hop, chain in ahead) | stays << lane + 1),
                chains[lane].splits.eq(any_of((hop, chain.splits) for hop, chain in ahead)),
                chains[lane].fits.eq(any_of((hop, chain.fits) for hop, chain in ahead) | (end[lane] if lane >= 0 else 0)),
                chains[lane].begun.eq(any_of((hop, chain.begun << 1) for hop, chain in ahead) | Cat(~whole, stays)),
            ]
            m.d.sync += [
                block.next.eq(Cat(small & (length[:4] == at + 6 - lane) for at in range(9))),
                block.rest.eq(length + (lane - 6)),
                block.far.eq(~small | (length[:4] >= 14 - lane)),
                block.long.eq(~small | (length[:4] >= SHORTEST_DELIVERED)),
            ]

    def _read_header(self, m):
        """Second cycle: session, sequence and count."""

        def number(first, count):
            return Cat(self._data.word_select(lane, 8) for lane in reversed(range(first, first + count)))

        self._session, self._upper = Signal(80), Signal(48)  # bits 63 to 16 of the sequence, which comes in two words
        self._sequence, self._messages, self._end_of_session = Signal(Sequence), Signal(16), Signal()
        self._after = Signal(Sequence)  # number of the message after the packet's last

        lower, count = number(0, 2), number(2, 2)
        self._first, no_blocks = Cat(lower, self._upper), count == END_OF_SESSION
        with m.If(self._word[0]):
            m.d.sync += self._session[:64].eq(self._data)
        with m.If(self._word[1]):
            m.d.sync += [self._session[64:].eq(self._data[:16]), self._upper.eq(number(2, 6))]
        with m.If(self._word[2]):
            m.d.sync += [
                self._sequence.eq(self._first),
                self._messages.eq(Mux(no_blocks, 0, count)),
                self._end_of_session.eq(no_blocks),
            ]
        m.d.sync += self._after.eq(self._sequence + self._messages)

    def _follow_blocks(self, m):
        """Second cycle: the chain of the lane in which a block does begin, and where that leaves the next word."""
        self._lane = Signal(9)  # one-hot: where the next block begins in the present word; 8: right after it
        self._split, self._passing, distance = Signal(), Signal(), Signal(16)  # passing: a block takes the whole word, or more
        self._chain, block = Signal(Chain), Signal(Block)
        m.d.comb += [
            self._chain.eq(any_of(((self._split, self._chains[-1]), *((self._lane[lane], self._chains[lane]) for lane in range(8))))),
            block.eq(any_of((self._chain.leaves[lane + 1], block) for lane, block in self._blocks.items())),
        ]
        after = Signal(9)
        m.d.comb += after.eq(block.next | Cat(self._passing & (distance == 8 + lane) for lane in range(9)))

        self._whole = Signal()  # the last block ended where the payload did
        with m.If(self._finish):
            m.d.sync += [self._lane.eq(0), self._split.eq(0), self._passing.eq(0), self._whole.eq(0)]
        with m.Elif(self._word[1]):
            m.d.sync += self._lane.eq(1 << FIRST_BLOCK)
        with m.Elif(self._here):
            m.d.sync += [
                self._lane.eq(after),
                self._split.eq(self._chain.splits),
                self._passing.eq(block.far | (self._passing & distance[4:].any())),
                distance.eq(Mux(self._passing, distance - 8, block.rest)),
                self._whole.eq(self._last & (self._chain.fits | after[0] & (self._count == 8))),
            ]

    def _number_messages(self, m):
        """Second cycle, a word behind: ``_begun`` blocks began in the word before and are not in the counts yet."""
        begun = Signal(3)
        m.d.comb += begun.eq(any_of((self._chain.begun[count], count) for count in range(1, 5)))
        self._begun, self._number, self._blocks_seen = Signal(3), Signal(Sequence), Signal(16)
        m.d.sync += [
            self._begun.eq(Mux(self._here, begun, 0)),
            self._number.eq(self._number + self._begun),
            self._blocks_seen.eq(self._blocks_seen + self._begun),
        ]
        with m.If(self._word[2]):
            m.d.sync += [self._number.eq(self._first - 1), self._blocks_seen.eq(0)]
        with m.If(self._word[0]):
            m.d.sync += self._blocks_seen.eq(0)

    def _deliver(self, m):
        """Second cycle: boundaries of the messages."""
        out = self.words.payload
        self._delivering, self._waits = Signal(), Signal()  # waits: a message begins in lane 0 of the next word
        ends, begins = Signal(), Signal()
        leaving = self._chain.leaves
        m.d.comb += [
            ends.eq(self._here & self._lane[1:].any()),
            begins.eq(self._here & (self._waits | any_of((leaving[lane + 1], self._blocks[lane].long) for lane in range(-1, 6)))),
        ]
        with m.If(self._here):
            m.d.sync += [
                self._delivering.eq(begins | (self._delivering & ~ends)),
                self._waits.eq(leaving[7] & self._blocks[6].long),
            ]
        with m.If(self._finish):
            m.d.sync += [self._delivering.eq(0), self._waits.eq(0)]

        m.d.sync += [
            self.words.valid.eq(self._here & ~self._word[:2].any()),
            out.data.eq(self._data),
            out.ends.eq(ends & self._delivering & any_of((self._lane[end], self._count >= end) for end in range(1, 9))),
            out.end.eq(any_of((self._lane[end], end) for end in range(1, 9))),
            out.starts.eq(begins),
            out.start.eq(any_of((leaving[lane + 1], lane + 2) for lane in range(-1, 6))),
            out.sequence.eq(self._number + self._begun),
            out.ingress.eq(self._ingress),
        ]

    def _judge(self, m):
        """After verdict_in: the packet's own faults, and what it was."""
        incoming, malformed, reason = Signal.like(self.verdict_in.payload.reason), Signal(), Signal(DropReason)
        m.d.sync += incoming.eq(self.verdict_in.payload.reason)
        m.d.comb += [
            malformed.eq(~self._whole | ((self._blocks_seen + self._begun) != self._messages)),
            reason.eq(Mux(incoming != DropReason.NONE, incoming, Mux(malformed, DropReason.MALFORMED, DropReason.NONE))),
            self.span.session.eq(self._session),
            self.span.first.eq(self._sequence),
            self.span.next.eq(self._after),
        ]
        m.d.sync += [
            self.verdict.valid.eq(self._finish),
            self.verdict.payload.reason.eq(reason),
            self.end_of_session.eq(self._finish & (reason == DropReason.NONE) & self._end_of_session),
        ]

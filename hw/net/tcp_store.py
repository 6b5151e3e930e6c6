"""What was sent over a connection and is not acknowledged yet, packet by packet, to be sent again."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory
from hw.tcp_types import SessionPacket, StreamWord

PACKET_WORDS = 7
"""Most words of a packet; in the memory its description follows them."""


class Description(data.Struct):
    """Of a packet that was sent."""

    sequence: 32
    """Of its first byte."""
    length: 8
    sum: 24


class TcpStore(wiring.Component):
    """A ring of packets. Each is sent again as it was: the other side forgets what of it it has.

    Parameters
    ----------
    packets : int
        Packets that can be kept; a power of two.

    Ports
    -----
    sent : In(stream of SessionPacket, always ready)
        A packet that is being sent; its last word makes it the newest of the ring.
    sum : In(24)
        Of its bytes as 16-bit numbers, not folded; right with its last word.
    sequence : In(32)
        With a packet's first word: the sequence number of its first byte.
    unacknowledged : In(32)
        Packets that end at or below this sequence number are forgotten.
    full : Out(1)
        There is room for one packet at most: none must begin, but for one that does within three cycles of the last word before.
    empty : Out(1)
        None is kept.
    oldest : Out(Description)
        Of the oldest one, with ``known``.
    known : Out(1)
        ``oldest`` is right; becomes so 4 cycles after the packet was sent or the one before it forgotten.
    again : In(1)
        While ``known``: the words of the oldest packet are wanted. Stays until ``words`` has given the last, or as long as they are wanted.
    words : Out(stream of StreamWord)
        They follow without a pause.

    Notes
    -----
    A packet is forgotten in 4 cycles. Latency 3 cycles from ``again`` to the first word.
    """

    def __init__(self, packets: int = 64):
        if packets < 2 or packets & (packets - 1):
            raise ValueError(f"packets must be a power of two from 2 on, not {packets}")
        self._packets = packets
        super().__init__({
            "sent": In(stream.Signature(SessionPacket, always_ready=True)), "sum": In(24), "sequence": In(32),
            "unacknowledged": In(32), "full": Out(1), "empty": Out(1, init=1), "oldest": Out(Description), "known": Out(1),
            "again": In(1), "words": Out(stream.Signature(StreamWord)),
        })

    def elaborate(self, platform):
        m = Module()
        # The newest packet is written, the oldest one read only when it is whole: never the same one.
        m.submodules.memory = memory = ExclusiveMemory(shape=StreamWord, depth=8 * self._packets)
        write, self._read = memory.write_port(), memory.read_port()
        self._oldest, newest = Signal(range(2 * self._packets)), Signal(range(2 * self._packets))
        row, first, done = self._row, _, self._done = Signal(3), Signal(Description), Signal()
        kept = self._kept = Signal(range(2 * self._packets))
        packet = self.sent.payload
        m.d.comb += [
            write.addr.eq(newest[:-1] << 3 | Mux(done, PACKET_WORDS, row)), write.en.eq(self.sent.valid | done),
            write.data.eq(packet.word), kept.eq(newest - self._oldest),
        ]
        with m.If(done):
            m.d.comb += write.data.eq(first.as_value())
        m.d.sync += [done.eq(self.sent.valid & packet.word.last), self.full.eq(kept[-1] | kept[:-1].all()), self.empty.eq(kept == 0)]
        with m.If(self.sent.valid):
            m.d.sync += [row.eq(row + 1), first.length.eq(packet.length), first.sum.eq(self.sum)]
            with m.If(row == 0):
                m.d.sync += first.sequence.eq(self.sequence)
            with m.If(packet.word.last):
                m.d.sync += row.eq(0)
        with m.If(done):
            m.d.sync += newest.eq(newest + 1)
        self._keep(m, kept)
        return m

    def _keep(self, m, kept):
        """Looks at the oldest packet's description, forgets the packet or gives its words."""
        read, at, next_row = self._read, Signal(3), Signal(3)
        self._next_row = next_row
        end, over = Signal(32), Signal(32)
        held, give = Signal(StreamWord), Signal()
        m.d.comb += [
            read.addr.eq(self._oldest[:-1] << 3 | at), read.en.eq(0), over.eq(self.unacknowledged - end), self.words.payload.eq(held),
            give.eq(self.words.valid & self.words.ready),
        ]
        with m.FSM() as self._machine:
            with m.State("LOOK"):
                m.d.comb += [at.eq(PACKET_WORDS), read.en.eq(kept != 0)]
                with m.If(kept != 0):
                    m.next = "LOOKED"
            with m.State("LOOKED"):
                m.d.sync += self.oldest.as_value().eq(read.data.as_value())
                m.next = "END"
            with m.State("END"):
                m.d.sync += [end.eq(self.oldest.sequence + self.oldest.length), self.known.eq(1)]
                m.next = "KNOWN"
            with m.State("KNOWN"):
                m.d.comb += at.eq(next_row)
                with m.If(~self.again & ~over[-1]):
                    m.d.sync += [self._oldest.eq(self._oldest + 1), self.known.eq(0)]
                    m.next = "LOOK"
                with m.If(self.again):
                    m.d.comb += read.en.eq(1)
                    m.d.sync += next_row.eq(1)
                    m.next = "FILL"
            with m.State("FILL"):
                m.d.comb += [at.eq(next_row), read.en.eq(1)]
                m.d.sync += [held.eq(read.data), self.words.valid.eq(1), next_row.eq(next_row + 1)]
                m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += [at.eq(next_row), read.en.eq(give)]
                with m.If(give):
                    m.d.sync += [held.eq(read.data), next_row.eq(next_row + 1)]
                    with m.If(held.last):
                        m.d.sync += [self.words.valid.eq(0), next_row.eq(0)]
                        m.next = "KNOWN"

"""Ethernet, IPv4 and TCP of an order session: from frames to the segments of one connection (RFC 791, RFC 9293 section 3.1)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.reasons import DropReason
from hw.tcp_types import TcpSegment
from hw.types import FrameReceive, OrderAddress, Verdict

ETHERTYPE_IPV4 = 0x0800
PROTOCOL_TCP = 6
ONES = 0xFFFF
"""What a ones' complement sum over data with its right checksum comes to."""


class TcpReceive(wiring.Component):
    """Takes the segments of one connection out of a port's frames, with every check that the headers allow.

    The payload goes out while the frame still comes in: nothing of it may take effect before the verdict. IP options, fragments and
    VLAN tags are not taken.

    Ports
    -----
    frames : In(FrameReceive)
        Frames of any length, with at least two cycles between them (preamble and gap).
    address : In(OrderAddress)
        ``source`` is the card, ``destination`` the other side.
    payload : Out(stream of 64 bits, always ready)
        Eight bytes of the payload, the first in bits 7:0; of the last word what is beyond the payload means nothing. Of a frame that
        ends too soon words may lack.
    options : Out(stream of 64 bits, always ready)
        From a SYN's byte 48 on (its options begin in bits 63:48 of the first word), word by word.
    verdict : Out(stream of Verdict, always ready)
        Exactly one per frame, after its last payload word: MAC_ERROR, NOT_MATCHED by Ethernet address or type, IP_CHECKSUM, NOT_MATCHED
        by protocol or addresses, FRAGMENT_OR_OPTIONS, TRUNCATED, UDP_CHECKSUM (which is TCP's here), NOT_MATCHED by ports: the first
        that applies, NONE of a segment of this connection.
    segment : Out(TcpSegment)
        With the verdict NONE.
    options_length : Out(6)
        With the verdict NONE: bytes of options.

    Notes
    -----
    Latency: ``VERDICT_LATENCY`` cycles from a frame's last word to its verdict. One word per cycle.
    """

    VERDICT_LATENCY = 3

    def __init__(self):
        super().__init__({
            "frames": In(FrameReceive),
            "address": In(OrderAddress),
            "payload": Out(stream.Signature(64, always_ready=True)),
            "options": Out(stream.Signature(64, always_ready=True)),
            "verdict": Out(stream.Signature(Verdict, always_ready=True)),
            "segment": Out(TcpSegment),
            "options_length": Out(6),
        })

    def elaborate(self, platform):
        m = Module()
        self._locate(m)
        self._match(m)
        self._measure(m)
        self._take_header(m)
        self._pass_payload(m)
        self._add_up(m)
        self._judge(m)
        return m

    def _locate(self, m):
        """Which word of the frame this is: ``_at[0]`` to ``_at[6]``, and ``_at[7]`` for all that follow."""
        word, here = self.frames.payload, self.frames.valid
        position = Signal(8, init=1)
        self._at = Signal(8)
        self._lane = [word.data.word_select(lane, 8) for lane in range(8)]
        m.d.comb += self._at.eq(Mux(here, position, 0))
        with m.If(here):
            m.d.sync += position.eq(Mux(word.last, 1, Cat(0, position[:7]) | (position & 0x80)))

    def _number(self, first, count):
        """``count`` bytes from lane ``first`` on as a number; the wire is big endian."""
        return Cat(reversed(self._lane[first : first + count]))

    def _match(self, m):
        """Compares the headers word by word; the flags are right once the frame has reached the words that set them."""
        at, address = self._at, self.address
        self._foreign_mac, self._foreign_type, self._foreign_ip, self._foreign_port = (Signal(name=f"foreign_{n}") for n in (
            "mac", "type", "ip", "port"))
        self._options, self._fragment = Signal(), Signal()
        with m.If(at[0]):
            m.d.sync += self._foreign_mac.eq(self._number(0, 6) != address.source_mac)
        with m.If(at[1]):
            m.d.sync += [
                self._foreign_type.eq(self._number(4, 2) != ETHERTYPE_IPV4),
                self._foreign_ip.eq(self._lane[6][4:] != 4), self._options.eq(self._lane[6][:4] != 5),
            ]
        with m.If(at[2]):
            m.d.sync += [
                self._fragment.eq(self._number(4, 2)[:14] != 0),
                self._foreign_ip.eq(self._foreign_ip | (self._lane[7] != PROTOCOL_TCP)),
            ]
        with m.If(at[3]):
            m.d.sync += self._foreign_ip.eq(
                self._foreign_ip | (self._number(2, 4) != address.destination_ip) | (self._number(6, 2) != address.source_ip[16:]))
        with m.If(at[4]):
            m.d.sync += [
                self._foreign_ip.eq(self._foreign_ip | (self._number(0, 2) != address.source_ip[:16])),
                self._foreign_port.eq(
                    (self._number(2, 2) != address.destination_port) | (self._number(4, 2) != address.source_port)),
            ]

    def _measure(self, m):
        """Counts down the datagram from byte 24 on: what of the present word belongs to it, and whether it fits."""
        at, word = self._at, self.frames.payload
        rest = Signal(16)  # bytes of the datagram from the present word's first on
        self._inside = Signal(8)  # lanes of the present word that belong to it
        self._more = Signal()  # and it goes on after this word
        self._cut, self._contradiction = Signal(), Signal()

        def expect(value, used):
            """The next word begins ``used`` bytes into ``value`` (8 or 10)."""
            left = Signal(17, name=f"left_{used}")
            m.d.comb += left.eq(value - used)
            none, many = left[-1], left[3:16].any()
            return [
                rest.eq(Mux(none, 0, left)), *(self._inside[lane].eq(~none & (many | (left[:3] > lane))) for lane in range(8)),
                self._more.eq(~none & (left[4:16].any() | left[3] & left[:3].any())),
            ]

        total = self._number(0, 2)
        with m.If(at[2]):
            m.d.sync += [*expect(total, 10), self._contradiction.eq(total < 40)]
        with m.Elif(at[3:].any()):
            m.d.sync += expect(rest, 8)
        lanes = Cat(word.count > lane for lane in range(8))
        m.d.comb += self._cut.eq(word.last & (at[:6].any() | self._more | (self._inside & ~lanes).any()))

        # Header and payload: both lengths are words of four bytes, but for the payload's last.
        length, offset = Signal(16), Signal(4)
        with m.If(at[2]):
            m.d.sync += length.eq(total - 20)
        self._length, self._offset, self._measured = length, offset, Signal()
        m.d.sync += self._measured.eq(at[5])
        with m.If(at[5]):
            m.d.sync += offset.eq(self._lane[6][4:])
        with m.If(self._measured):
            m.d.sync += [
                self.segment.length.eq(length - 4 * offset), self.options_length.eq(4 * offset - 20),
                self._contradiction.eq(self._contradiction | (offset < 5) | (4 * offset > length)),
            ]

    def _take_header(self, m):
        at, segment = self._at, self.segment
        with m.If(at[4]):
            m.d.sync += segment.sequence[16:].eq(self._number(6, 2))
        with m.If(at[5]):
            m.d.sync += [
                segment.sequence[:16].eq(self._number(0, 2)), segment.acknowledgment.eq(self._number(2, 4)),
                Cat(segment.fin, segment.syn, segment.rst, segment.psh, segment.ack).eq(self._lane[7]),
            ]
        with m.If(at[6]):
            m.d.sync += segment.window.eq(self._number(0, 2))
        m.d.comb += [self.options.valid.eq((at[6] | at[7]) & segment.syn), self.options.payload.eq(self.frames.payload.data)]

    def _pass_payload(self, m):
        """The payload begins in lane 6 behind an even number of option words (of four bytes), else in lane 2; each word that goes out
        is the end of a word and the beginning of the next, or what a word has left."""
        word, behind = self.frames.payload, self._at[6:].any()
        held, holds, tight, left, wait = Signal(48), Signal(), Signal(), Signal(17), Signal(3)
        begun = Signal()  # behind word 5 of a frame that may be ours
        ours = ~(self._foreign_mac | self._foreign_type | self._foreign_ip | self._foreign_port | self._options | self._fragment)
        some, rest, full = Signal(), Signal(), Signal()
        m.d.comb += [
            some.eq(holds & ~left[-1] & (left != 0)),
            rest.eq(some & Mux(tight, left <= 2, left <= 6)),
            full.eq(some & ~rest & self._at[7] & self._inside[0]),
        ]
        m.d.sync += [
            self.payload.valid.eq(rest | full),
            self.payload.payload.eq(Mux(tight, Cat(held[32:], word.data[:48]), Cat(held, word.data[:16]))),
        ]
        with m.If(self._at[:6].any()):
            m.d.sync += [begun.eq(self._at[5] & ours), holds.eq(0), wait.eq(self._lane[6][5:] - 2), tight.eq(self._lane[6][4])]
        with m.If(rest):
            m.d.sync += holds.eq(0)
        with m.If(behind & begun):
            m.d.sync += held.eq(word.data[16:])
            with m.If(wait != 0):
                m.d.sync += wait.eq(wait - 1)
            with m.Else():
                m.d.sync += begun.eq(0)
        with m.If(behind & begun & (wait == 0)):
            m.d.sync += [holds.eq(1), left.eq(self._length - 4 * self._offset)]
        with m.Elif(full):
            m.d.sync += [held.eq(word.data[16:]), left.eq(left - 8)]

    def _add_up(self, m):
        """Ones' complement sums of the IP header and of the segment: pairs in one cycle, totals in the next.

        The pseudo header holds the segment's length: that of the datagram, which is 20 more, and the protocol: the total starts with both.
        """

        def words(covered):
            """The four 16-bit numbers of the present word, zero where ``covered`` does not hold their place in the frame."""
            for part in range(4):
                whole = Cat(self._at[word] for word in range(5) if covered(8 * word + 2 * part)).any()
                yield Mux(whole, self._number(2 * part, 2), 0)

        in_header = list(words(lambda byte: 14 <= byte < 34))
        in_segment = list(words(lambda byte: byte == 16 or 26 <= byte < 40))
        for part in range(4):
            inside = Cat(bit.replicate(8) for bit in (self._inside[2 * part + 1], self._inside[2 * part]))
            in_segment[part] |= self._number(2 * part, 2) & inside & self._at[5:].any().replicate(16)

        begins = Signal()
        m.d.sync += begins.eq(self._at[0])
        self._header_total, self._segment_total = Signal(20), Signal(32)
        for total, numbers, start in (
            (self._header_total, in_header, 0),
            (self._segment_total, in_segment, ONES + PROTOCOL_TCP - 20),
        ):
            low, high = Signal(17), Signal(17)
            m.d.sync += [
                low.eq(numbers[0] + numbers[1]), high.eq(numbers[2] + numbers[3]),
                total.eq(Mux(begins, start, total) + (low + high)),
            ]

    def _judge(self, m):
        """A cycle each: how the frame ended; all that needs no checksum; the checksums and the verdict."""
        at, word = self._at, self.frames.payload
        ended, error, no_type, no_address, cut, judge = (Signal(name=f"ended_{n}") for n in range(6))
        options = Signal()
        first, middle, last = (Signal(DropReason, name=f"{n}_reason") for n in ("first", "middle", "last"))
        m.d.sync += [
            ended.eq(self.frames.valid & word.last), judge.eq(ended),
            error.eq(word.error),
            no_type.eq(at[0] | at[1] & (word.count < 6)),
            no_address.eq(at[:4].any() | at[4] & (word.count < 2)),
            cut.eq(self._cut),
            options.eq(self._options),
            first.eq(self._choose(
                (error, DropReason.MAC_ERROR), (no_type, DropReason.TRUNCATED),
                (self._foreign_mac | self._foreign_type, DropReason.NOT_MATCHED), (no_address, DropReason.TRUNCATED),
            )),
            middle.eq(self._choose(
                (self._foreign_ip, DropReason.NOT_MATCHED), (self._options | self._fragment, DropReason.FRAGMENT_OR_OPTIONS),
                (cut | self._contradiction, DropReason.TRUNCATED),
            )),
            last.eq(self._choose((self._foreign_port, DropReason.NOT_MATCHED))),
            self.verdict.valid.eq(judge),
            self.verdict.payload.reason.eq(self._choose(
                (first != DropReason.NONE, first), (~options & ~adds_up(m, self._header_total), DropReason.IP_CHECKSUM),
                (middle != DropReason.NONE, middle), (~adds_up(m, self._segment_total), DropReason.UDP_CHECKSUM),
                otherwise=last,
            )),
        ]  # fmt: skip

    def _choose(self, *reasons, otherwise=DropReason.NONE):
        """The first reason whose condition holds."""
        chosen = otherwise
        for condition, reason in reversed(reasons):
            chosen = Mux(condition, reason, chosen)
        return chosen


def adds_up(m, total):
    """``total``, folded to 16 bits with end-around carry, is all ones. It can't be zero, nor large enough to need a second fold."""
    folded = Signal(17)
    m.d.comb += folded.eq(total[:16] + total[16:])
    return folded == ONES

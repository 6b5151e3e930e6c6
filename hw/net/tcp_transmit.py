"""Segments of one connection into Ethernet II / IPv4 frames, with headers that are known before the payload (RFC 791, RFC 9293)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.wire import big_endian
from hw.tcp_types import StreamWord, TcpHeader
from hw.types import FrameTransmit, OrderAddress

HEADER_BYTES = 54
HEADER_WORDS = HEADER_BYTES // 8
"""Full ones; six more bytes go before the payload."""
IP_TTL = 64
TCP_PROTOCOL = 6


class TcpTransmit(wiring.Component):
    """Puts what comes behind a TCP header (payload, or the options of a SYN) into a frame.

    IPv4: no options, don't fragment, identification 0 (RFC 6864), TTL 64. TCP: PSH with every payload, no urgent data.

    Ports
    -----
    words : In(stream of StreamWord)
        Words of a segment follow without a pause, 6 bytes at least: zeros fill up what is shorter, and zeros alone come for a segment
        without payload. The headers tell of ``header.length``.
    header : In(TcpHeader)
        Sampled when a frame begins, but for ``sum``.
    address : In(OrderAddress)
        ``source`` is the card. Does not change while the connection is there.
    frames : Out(FrameTransmit)
    abort : In(1)
        While words are on offer: the frame under way, if it has come to its third word, ends with the next one, with ``error``; the words
        that are left are taken and thrown away.
    aborts : Out(1)
        Pulse: it does so.
    begins : Out(1)
        ``header`` is sampled in this cycle.
    idle : Out(1)
        Words on offer now would begin a frame.
    free : Out(1)
        Those on offer in three cycles would, if every word is taken at once and none are on offer before.

    Notes
    -----
    Latency 1, from the first word on offer to the frame's first word: the header goes out while the words wait.
    """

    LATENCY = 1

    words: In(stream.Signature(StreamWord))
    header: In(TcpHeader)
    address: In(OrderAddress)
    frames: Out(FrameTransmit)
    abort: In(1)
    aborts: Out(1)
    begins: Out(1)
    idle: Out(1)
    free: Out(1)

    def elaborate(self, platform):
        m = Module()
        index = Signal(range(HEADER_WORDS + 1))  # of the word that is made up now; stays at the last for all payload
        remainder = Signal(48)  # what the payload word before left; of the header: its last six bytes
        left, tail = Signal(4), Signal()  # bytes of the remainder that end the frame; only they are to come
        header, word, source = Signal(TcpHeader), self.frames.payload, self.words.payload

        words, ending = self._header(m, header)
        advance, gone, taken = Signal(), Signal(), Signal()  # gone: the words on offer are of a frame that was aborted
        m.d.comb += [
            advance.eq(~self.frames.valid | self.frames.ready), taken.eq(self.words.valid & self.words.ready),
            self.idle.eq(advance & (index == 0) & ~tail & ~gone),
            self.begins.eq(self.idle & self.words.valid),
            self.free.eq((index == 0) | (index == HEADER_WORDS) & source.last),
            self.words.ready.eq(advance & (index == HEADER_WORDS) | gone),
            self.aborts.eq(self.abort & self.words.valid & advance & ~tail & (index > 1)),
        ]
        with m.If(self.begins):
            m.d.sync += header.eq(self.header)
        with m.If(advance):
            m.d.sync += [
                self.frames.valid.eq(self.words.valid & ~gone | tail), tail.eq(0), word.count.eq(8), word.last.eq(0),
                word.error.eq(self.aborts)]
            with m.If(tail):
                m.d.sync += [word.data.eq(remainder), word.count.eq(left), word.last.eq(1)]
            with m.Elif(self.words.valid & ~gone):
                m.d.sync += word.data.eq(words[index])
                with m.If(index != HEADER_WORDS):
                    m.d.sync += index.eq(index + 1)
                with m.Else():
                    m.d.sync += [
                        word.data.eq(Cat(remainder, source.data[:16])), remainder.eq(source.data[16:]), left.eq(source.count - 2)]
                    with m.If(source.last):
                        m.d.sync += index.eq(0)
                        with m.If(source.count <= 2):
                            m.d.sync += [word.count.eq(source.count + 6), word.last.eq(1)]
                        with m.Else():
                            m.d.sync += tail.eq(1)
            with m.If(self.aborts):
                m.d.sync += [word.count.eq(8), word.last.eq(1), index.eq(0), tail.eq(0)]
        with m.If(taken & source.last):
            m.d.sync += gone.eq(0)
        with m.Elif(self.aborts):
            m.d.sync += gone.eq(1)
        # The checksum is in the last six bytes: read when the payload's first word is.
        first = Signal()
        with m.If(self.begins):
            m.d.sync += first.eq(1)
        with m.Elif(taken):
            m.d.sync += first.eq(0)
        with m.If(first & taken & ~gone):
            m.d.sync += word.data[:48].eq(ending)
        return m

    def _header(self, m, header):
        """The full words, and the six bytes behind them. The checksums are summed up while the words before them leave."""
        address = self.address
        flags, offset = Signal(9), Signal(4)
        m.d.comb += [
            offset.eq(Mux(header.syn, 7, 5)),
            flags.eq(Cat(header.fin, header.syn, header.rst, (header.length != 0) & ~header.syn, header.ack)),
        ]
        total_length, ip_checksum = Signal(16), Signal(16)
        constant = 0x4500 + 40 + 0x4000 + (IP_TTL << 8 | TCP_PROTOCOL)
        source, destination, addresses, fixed, both, total = (
            Signal(width, name=name) for name, width in (
                ("source", 17), ("destination", 17), ("addresses", 18), ("fixed", 19), ("both", 19), ("total", 20)))
        m.d.sync += [
            total_length.eq(40 + header.length), fixed.eq(addresses + constant),  # all but the length stays the same
            source.eq(address.source_ip[16:] + address.source_ip[:16]),
            destination.eq(address.destination_ip[16:] + address.destination_ip[:16]), addresses.eq(source + destination),
            total.eq(fixed + header.length), ip_checksum.eq(~_folded(m, total, "ip")),
        ]
        ports, sequence, acknowledgment, rest, tcp_length = (
            Signal(17, name=name) for name in ("ports", "sequence", "acknowledgment", "rest", "tcp_length"))
        numbers, others, all_, once, checksum = Signal(18), Signal(20), Signal(26), Signal(18), Signal(16)
        m.d.sync += [
            ports.eq(address.source_port + address.destination_port), both.eq(addresses + ports),
            sequence.eq(header.sequence[16:] + header.sequence[:16]),
            acknowledgment.eq(header.acknowledgment[16:] + header.acknowledgment[:16]),
            rest.eq(header.window + Cat(flags, Const(0, 3), offset)), tcp_length.eq(TCP_PROTOCOL + 20 + header.length),
            numbers.eq(sequence + acknowledgment), others.eq(rest + tcp_length + both),
            all_.eq(numbers + others + self.header.sum),
            once.eq(all_[:16] + all_[16:]), checksum.eq(~(once[:16] + once[16:])),
        ]
        wire = Cat(
            big_endian(address.destination_mac), big_endian(address.source_mac), big_endian(Const(0x0800, 16)),
            big_endian(Const(0x4500, 16)), big_endian(total_length), big_endian(Const(0, 16)), big_endian(Const(0x4000, 16)),
            big_endian(Const(IP_TTL << 8 | TCP_PROTOCOL, 16)), big_endian(ip_checksum),
            big_endian(address.source_ip), big_endian(address.destination_ip),
            big_endian(address.source_port), big_endian(address.destination_port),
            big_endian(header.sequence), big_endian(header.acknowledgment), big_endian(Cat(flags, Const(0, 3), offset)),
        )
        words = [Signal(64, name=f"header_{number}") for number in range(HEADER_WORDS)]
        m.d.comb += [word.eq(wire[64 * number:]) for number, word in enumerate(words)]
        ending = Cat(big_endian(header.window), big_endian(checksum), Const(0, 16))
        return Array([*words, Const(0, 64)]), ending


def _folded(m, total, name):
    """A sum of up to 32 bits as 16, with end-around carry; a small one, so that the second carry leaves none."""
    once = Signal(17, name=f"{name}_once")
    m.d.comb += once.eq(total[:16] + total[16:])
    return (once[:16] + once[16])[:16]

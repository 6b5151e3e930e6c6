"""Order packets into Ethernet II / IPv4 / UDP frames with headers that are known before the order is."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.wire import big_endian
from hw.reasons import Fate
from hw.types import Cycles, FrameTransmit, OrderAddress, OrderWord, SentOrder

HEADER_BYTES = 42
IP_TTL = 64
UDP_PROTOCOL = 17


class UdpTransmit(wiring.Component):
    """Puts each packet into a frame to the address of its order's venue.

    IPv4: no options, don't fragment, identification 0 (RFC 6864 allows it for a datagram that is never a fragment), TTL 64, header
    checksum. UDP: checksum 0, "none" (RFC 768): it would stand before the bytes that it covers; the frame's FCS covers them.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    packet : In(stream of OrderWord)
        Words of a packet follow without a pause: at least 18 bytes with their padding (a frame needs 60), and not 7 or 8 modulo 8, so
        that the frame ends in the cycle of the packet's last word. The headers tell of ``length``.
    addresses : In(array of OrderAddress, one a venue)
        Sampled when a frame begins.
    now : In(Cycles)
    frames : Out(FrameTransmit)
    abort : In(1)
        While a packet is on offer: the next word ends its frame, with ``error``, and the rest of the packet is thrown away; not before
        the frame's third word.
    free : Out(1)
        A packet that comes in the next cycle would begin its frame at once. Stays until a packet comes.
    sent : Out(stream of SentOrder, always ready)
        In the cycle in which the first word of a frame is transferred; and again when it is aborted.
    frame : Out(1)
        Pulse with ``sent``: it tells of a frame that begins.

    Notes
    -----
    Latency 1, from the packet's first word on offer to the frame's first word. The header goes out while the packet waits.
    """

    LATENCY = 1

    def __init__(self, config: CardConfig):
        super().__init__({
            "packet": In(stream.Signature(OrderWord)),
            "addresses": In(data.ArrayLayout(OrderAddress, config.venues)),
            "now": In(Cycles), "abort": In(1),
            "frames": Out(FrameTransmit),
            "free": Out(1, init=1),
            "sent": Out(stream.Signature(SentOrder, always_ready=True)), "frame": Out(1),
        })
        self._venues = config.venues

    def elaborate(self, platform):
        m = Module()
        header_words = HEADER_BYTES // 8  # full ones; two more bytes go before the payload
        index = Signal(range(header_words + 1))  # of the word that is made up now; stays at the last for all payload
        first = Signal()  # the word on offer is the first of its frame
        remainder = Signal(16)  # last two bytes of the payload word before; of the header: the UDP checksum, 0
        address = Signal(OrderAddress)
        word = self.frames.payload

        # What the addresses hold matters when a frame begins: from then on the copy counts.
        current = Signal(OrderAddress)
        order = self.packet.payload.order
        m.d.comb += current.eq(address)
        with m.If(index == 0):
            m.d.comb += current.eq(Array(self.addresses)[order.venue] if self._venues > 1 else self.addresses[0])

        header = self._header(m, current)
        advance, load = Signal(), Signal()
        gone, cut = Signal(), Signal()  # the frame of the packet on offer is over; becomes so
        m.d.comb += [
            cut.eq(load & self.abort & (index > 1)),
            advance.eq(~self.frames.valid | self.frames.ready),
            load.eq(advance & self.packet.valid & ~gone),
            self.packet.ready.eq(advance & (index == header_words) | gone),
            self.free.eq((index == 0) & advance),
        ]
        with m.If(advance):
            m.d.sync += [self.frames.valid.eq(load), first.eq(index == 0)]
        with m.If(load):
            m.d.sync += [address.eq(current), word.data.eq(header[index]), word.count.eq(8), word.last.eq(0)]
            with m.If(index != header_words):
                m.d.sync += [index.eq(index + 1), remainder.eq(0)]
            with m.Else():
                payload = self.packet.payload
                m.d.sync += [word.data.eq(Cat(remainder, payload.data)), remainder.eq(payload.data[48:]), word.last.eq(payload.last)]
                with m.If(payload.last):
                    m.d.sync += [word.count.eq(payload.count + 2), index.eq(0)]
            m.d.sync += word.error.eq(cut)
            with m.If(cut):
                m.d.sync += [word.last.eq(1), index.eq(0)]
        with m.If(self.packet.valid & self.packet.ready & self.packet.payload.last):
            m.d.sync += gone.eq(0)
        with m.Elif(cut):
            m.d.sync += gone.eq(1)

        m.d.comb += [
            self.frame.eq(self.frames.valid & self.frames.ready & first),
            self.sent.valid.eq(self.frame | cut),
            self.sent.payload.fate.eq(Mux(cut, Fate.ABORTED, Fate.SENT)),
            self.sent.payload.order.eq(order),
            self.sent.payload.user_ref.eq(self.packet.payload.user_ref),
            self.sent.payload.latency.eq(self.now - order.ingress),
        ]
        return m

    def _header(self, m, address):
        """The full words of the header. The checksum is summed up while the words before it leave: it is read in the third."""
        length = self.packet.payload.length
        total_length, udp_length = Signal(16), Signal(16)
        version, fragment = 0x4500, 0x4000
        constant = version + 28 + fragment + (IP_TTL << 8 | UDP_PROTOCOL)
        halves, total, checksum = [Signal(17), Signal(17)], Signal(20), Signal(16)
        once, fixed = Signal(17), Signal(17)
        m.d.sync += [
            total_length.eq(28 + length),
            udp_length.eq(8 + length),
            fixed.eq(constant + length),
            halves[0].eq(address.source_ip[16:] + address.source_ip[:16]),
            halves[1].eq(address.destination_ip[16:] + address.destination_ip[:16]),
            total.eq(halves[0] + halves[1] + fixed),
            checksum.eq(~(once[:16] + once[16])),
        ]
        m.d.comb += once.eq(total[:16] + total[16:])
        header = Cat(
            big_endian(address.destination_mac),
            big_endian(address.source_mac),
            big_endian(Const(0x0800, 16)),
            big_endian(Const(version, 16)), big_endian(total_length),
            big_endian(Const(0, 16)), big_endian(Const(fragment, 16)),
            big_endian(Const(IP_TTL << 8 | UDP_PROTOCOL, 16)), big_endian(checksum),
            big_endian(address.source_ip),
            big_endian(address.destination_ip),
            big_endian(address.source_port),
            big_endian(address.destination_port),
            big_endian(udp_length),
        )
        words = [Signal(64, name=f"header_{number}") for number in range(len(header) // 64)]
        m.d.comb += [word.eq(header[64 * number:]) for number, word in enumerate(words)]
        return Array(words)

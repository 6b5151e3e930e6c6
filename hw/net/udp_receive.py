"""Ethernet, IPv4 and UDP of a feed port: from frames to the payload of the feed's packets."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.vlan import VlanUntag
from hw.reasons import DropReason
from hw.types import Cycles, FeedAddress, FrameReceive, PayloadWord, Verdict

ETHERTYPE_IPV4 = 0x0800
PROTOCOL_UDP = 17
UDP_LENGTH_IN_WORD_5 = 6
"""Bytes of a datagram in front of the frame's byte 40."""
ONES = 0xFFFF
"""What a ones' complement sum over data with its right checksum comes to."""


class UdpReceive(wiring.Component):
    """Passes the UDP payload of the frames that are the feed's and says of every frame what became of it.

    The payload goes out while the frame still comes in, so it may belong to a frame that turns out bad: nothing
    of it may take effect before the verdict. Frames that are already known to be somebody else's give no payload.
    Ethernet padding is trimmed; the UDP checksum is checked unless it is zero (the sender made none). One VLAN tag,
    whichever, is passed over.

    Parameters
    ----------
    entries : int
        Addresses in the match table, 1 to 16.

    Ports
    -----
    frames : In(FrameReceive)
        Frames of any length from one word on, back to back or with pauses anywhere.
    now : In(Cycles)
        Card time.
    address : In(data.ArrayLayout(FeedAddress, entries))
        The match table: an entry with port 0 is off. May change between frames.
    payload : Out(stream.Signature(PayloadWord, always_ready=True))
        Payload from its first byte on. A truncated frame's payload ends without ``last``.
    payload_entry : Out(range(entries))
        With ``payload``: the entry that the frame matches, of several the lowest.
    verdict : Out(stream.Signature(Verdict, always_ready=True))
        Exactly one per frame, after its last payload word and before the next frame's first. The first that applies:
        MAC_ERROR; NOT_MATCHED by Ethernet address or type; IP_CHECKSUM; NOT_MATCHED by IP version, protocol or
        address; FRAGMENT_OR_OPTIONS; TRUNCATED; UDP_CHECKSUM; NOT_MATCHED by UDP port. So a frame is only called
        somebody else's where its address can be trusted. A frame too short to be told apart is TRUNCATED.
    verdict_entry : Out(range(entries))
        With ``verdict`` and its reason NONE: as ``payload_entry``.

    Latency: ``LATENCY`` cycles from the frame word with a payload word's last byte to that payload word (one fewer
    where the payload goes on; a tagged frame's word waits for the frame's next, if that has a pause before it);
    ``VERDICT_LATENCY`` cycles from a frame's last word to its verdict (one fewer after a tagged frame's last word of up to four bytes).
    One word per cycle.
    """

    LATENCY = 2 + VlanUntag.LATENCY
    VERDICT_LATENCY = 3 + VlanUntag.LATENCY

    def __init__(self, entries: int = 1):
        if not 1 <= entries <= 16:
            raise ValueError(f"entries must be 1 to 16, not {entries}")
        super().__init__({
            "frames": In(FrameReceive),
            "now": In(Cycles),
            "address": In(data.ArrayLayout(FeedAddress, entries)),
            "payload": Out(stream.Signature(PayloadWord, always_ready=True)),
            "payload_entry": Out(range(entries)),
            "verdict": Out(stream.Signature(Verdict, always_ready=True)),
            "verdict_entry": Out(range(entries)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.untag = self._untag = untag = VlanUntag()
        connect(m, flipped(self.frames), untag.frames)
        m.d.comb += untag.now.eq(self.now)
        self._frames = untag.untagged
        self._locate(m)
        self._match(m)
        self._measure(m)
        self._pass_payload(m)
        self._add_up(m)
        self._judge(m)
        return m

    def _locate(self, m):
        """Which word of the frame this is: ``_at[0]`` to ``_at[4]``, ``_at[5]``, and ``_at[6]`` for all that follow."""
        word, here = self._frames.payload, self._frames.valid
        position = Signal(7, init=1)
        self._at = Signal(7)
        self._lane = [word.data.word_select(lane, 8) for lane in range(8)]
        m.d.comb += self._at.eq(Mux(here, position, 0))
        with m.If(here):
            m.d.sync += position.eq(Mux(word.last, 1, Cat(0, position[:6]) | (position & 0x40)))

    def _number(self, first, count):
        """``count`` bytes from lane ``first`` on as a number; the wire is big endian."""
        return Cat(reversed(self._lane[first : first + count]))

    def _match(self, m):
        """Compares the headers; the flags are right once the frame has reached the words that set them.

        A multicast group's frames have its Ethernet address; an entry with a unicast IP address takes any unicast one.
        """
        at = self._at
        destination = self._number(0, 6)
        links, groups, ports = [], [], []  # an entry each: Ethernet address; IP address as well; UDP port
        for number, address in enumerate(self.address):
            link, high, low, port = (Signal(name=f"{name}_{number}") for name in ("link", "ip_high", "ip_low", "port"))
            group_mac = Cat(address.ip[:23], Const(0x01005E << 1, 25))
            with m.If(at[0]):
                m.d.sync += link.eq(Mux(address.ip[28:] == 0xE, destination == group_mac, ~destination[40]) & (address.port != 0))
            with m.If(at[3]):
                m.d.sync += high.eq(self._number(6, 2) == address.ip[16:])
            with m.If(at[4]):
                m.d.sync += [low.eq(self._number(0, 2) == address.ip[:16]), port.eq(self._number(4, 2) == address.port)]
            links.append(link)
            groups.append(link & high & low)
            ports.append(link & high & low & port)

        foreign_type, foreign_protocol = Signal(), Signal()
        self._options, self._fragment = Signal(), Signal()
        with m.If(at[1]):
            m.d.sync += [
                foreign_type.eq(self._number(4, 2) != ETHERTYPE_IPV4),
                foreign_protocol.eq(self._lane[6][4:] != 4),
                self._options.eq(self._lane[6][:4] != 5),
            ]
        with m.If(at[2]):
            m.d.sync += [
                self._fragment.eq(self._number(4, 2)[:14] != 0),  # all but "don't fragment" and the reserved bit
                foreign_protocol.eq(foreign_protocol | (self._lane[7] != PROTOCOL_UDP)),
            ]
        self._foreign_link = foreign_type | ~Cat(links).any()
        self._foreign_ip = foreign_protocol | ~Cat(groups).any()
        self._foreign_port = ~Cat(ports).any()
        self._ours = ~(foreign_type | foreign_protocol | self._foreign_port)
        self._entry = Const(0, 4)
        for number, match in reversed(list(enumerate(ports))):
            self._entry = Mux(match, number, self._entry)

    def _measure(self, m):
        """Counts down the datagram from byte 40 on: what of the present word belongs to it, and whether it fits."""
        at, word = self._at, self._frames.payload
        total, length = self._number(0, 2), self._number(6, 2)
        udp_length = Signal(17)  # what the IP length leaves for it; negative: far too large
        rest = Signal(16)
        self._rest = rest[:4]
        self._inside = Signal(8)  # lanes of the present word that belong to the datagram
        self._more = Signal()  # and it goes on after this word
        self._contradiction, self._cut = Signal(), Signal()

        def expect(value, used):
            """The next word begins ``used`` bytes into ``value`` (6 or 8): ``inside`` and ``more`` for it."""
            many = value[4:].any()
            flags = [self._inside[lane].eq(many | (value[:4] > used + lane)) for lane in range(8)]
            last = value[4:].any() & (value[5:].any() | value[:4].any()) if used == 8 else many | (value[:4] > used + 8)
            return [*flags, self._more.eq(last)]

        with m.If(at[2]):
            m.d.sync += udp_length.eq(total - 20)
        with m.If(at[4]):
            m.d.sync += [rest.eq(length - UDP_LENGTH_IN_WORD_5), *expect(length, UDP_LENGTH_IN_WORD_5)]
            m.d.sync += self._contradiction.eq((length != udp_length) | (length[3:] == 0))
        with m.If(at[5] | at[6]):
            m.d.sync += [rest.eq(rest - 8), *expect(rest, 8)]
            with m.If(~self._more):
                m.d.sync += [rest.eq(0), self._inside.eq(0), self._more.eq(0)]

        missing = self._more | (self._inside & ~self._valid_lanes(m)).any()
        m.d.comb += self._cut.eq(word.last & (at[:5].any() | missing))

    def _valid_lanes(self, m):
        lanes = Signal(8)
        m.d.comb += lanes.eq(Cat(self._frames.payload.count > lane for lane in range(8)))
        return lanes

    def _pass_payload(self, m):
        """The payload begins in lane 2 of word 5: each payload word is the end of a word and the beginning of the next.

        A payload that ends in lanes 2 to 7 leaves a rest of up to six bytes, which goes out by itself a cycle later.
        """
        at, word, out = self._at, self._frames.payload, self.payload.payload
        before, rest_came = Signal(48), Signal(Cycles)
        rest_waits, rest_count = Signal(), Signal(3)
        ours, complete = Signal(), Signal()
        m.d.comb += [
            ours.eq(self._ours & ~(self._options | self._fragment | self._contradiction)),
            complete.eq(at[6] & self._inside[0] & ours & ~self._cut),
        ]
        with m.If(self._frames.valid):
            m.d.sync += before.eq(word.data[16:])
        m.d.sync += [
            rest_came.eq(Mux(self._inside[4], self._untag.high_came, self._untag.low_came)),
            rest_waits.eq((at[5] | at[6]) & self._inside[2] & ~self._more & ours & ~self._cut),
            rest_count.eq(self._rest - 2),
            out.data.eq(Cat(before, word.data[:16])),
            out.count.eq(Mux(rest_waits, rest_count, Mux(self._inside[1], 8, 7))),
            out.last.eq(rest_waits | ~self._inside[2]),
            out.ingress.eq(Mux(rest_waits, rest_came, self._untag.low_came)),
            self.payload.valid.eq(rest_waits | complete),
            self.payload_entry.eq(self._entry),
        ]

    def _add_up(self, m):
        """Ones' complement sums of the IP header and of the datagram: pairs in one cycle, totals in the next.

        The datagram's pseudo header holds its length; that is taken from the IP header, where it is 20 more (if the
        two disagree the frame is lost anyway), and the protocol: constants, so the total starts with them.
        """

        def words(covered):
            """The four 16-bit numbers of the present word, zero where ``covered`` does not hold their place in the frame."""
            for part in range(4):
                whole = Cat(self._at[word] for word in range(5) if covered(8 * word + 2 * part)).any()
                yield Mux(whole, self._number(2 * part, 2), 0)

        in_header = list(words(lambda byte: 14 <= byte < 34))
        in_datagram = list(words(lambda byte: byte == 16 or 26 <= byte < 40))
        for part in range(4):
            inside = Cat(bit.replicate(8) for bit in (self._inside[2 * part + 1], self._inside[2 * part]))
            in_datagram[part] |= self._number(2 * part, 2) & inside & (self._at[5] | self._at[6]).replicate(16)

        begins = Signal()
        m.d.sync += begins.eq(self._at[0])
        self._header_total, self._datagram_total = Signal(20), Signal(32)
        for total, numbers, start in (
            (self._header_total, in_header, 0),
            (self._datagram_total, in_datagram, ONES + PROTOCOL_UDP - 20),
        ):
            low, high = Signal(17), Signal(17)
            m.d.sync += [
                low.eq(numbers[0] + numbers[1]),
                high.eq(numbers[2] + numbers[3]),
                total.eq(Mux(begins, start, total) + (low + high)),
            ]

    def _judge(self, m):
        """A cycle each: how the frame ended; all that needs no checksum; the checksums and the verdict."""
        at, word = self._at, self._frames.payload
        ended, error, no_type, no_address, cut, unchecked = (Signal(name=f"ended_{n}") for n in range(6))
        m.d.sync += [
            ended.eq(self._frames.valid & word.last),
            error.eq(word.error),
            no_type.eq(at[0] | at[1] & (word.count < 6)),
            no_address.eq(at[:4].any() | at[4] & (word.count < 2)),
            cut.eq(self._cut),
        ]
        with m.If(at[5]):
            m.d.sync += unchecked.eq(self._number(0, 2) == 0)

        judge, options, checked, entry = Signal(), Signal(), Signal(), Signal.like(self.verdict_entry)
        first, middle, last = (Signal(DropReason, name=f"{n}_reason") for n in ("first", "middle", "last"))
        m.d.sync += [
            judge.eq(ended),
            options.eq(self._options),
            entry.eq(self._entry),
            checked.eq(~unchecked),
            first.eq(self._choose(
                (error, DropReason.MAC_ERROR), (no_type, DropReason.TRUNCATED),
                (self._foreign_link, DropReason.NOT_MATCHED), (no_address, DropReason.TRUNCATED),
            )),
            middle.eq(self._choose(
                (self._foreign_ip, DropReason.NOT_MATCHED), (self._options | self._fragment, DropReason.FRAGMENT_OR_OPTIONS),
                (cut | self._contradiction, DropReason.TRUNCATED),
            )),
            last.eq(self._choose((self._foreign_port, DropReason.NOT_MATCHED))),
        ]  # fmt: skip

        m.d.sync += [
            self.verdict.valid.eq(judge),
            self.verdict_entry.eq(entry),
            self.verdict.payload.reason.eq(self._choose(
                (first != DropReason.NONE, first), (~options & ~self._adds_up(m, self._header_total), DropReason.IP_CHECKSUM),
                (middle != DropReason.NONE, middle), (checked & ~self._adds_up(m, self._datagram_total), DropReason.UDP_CHECKSUM),
                otherwise=last,
            )),
        ]  # fmt: skip

    def _choose(self, *reasons, otherwise=DropReason.NONE):
        """The first reason whose condition holds."""
        chosen = otherwise
        for condition, reason in reversed(reasons):
            chosen = Mux(condition, reason, chosen)
        return chosen

    def _adds_up(self, m, total):
        """``total``, folded to 16 bits with end-around carry, is all ones. It can't be zero, nor large enough to need a second fold."""
        folded = Signal(17)
        m.d.comb += folded.eq(total[:16] + total[16:])
        return folded == ONES

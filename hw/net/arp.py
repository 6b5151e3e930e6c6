"""Address resolution on a port of the card (RFC 826)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.lib.wire import big_endian
from hw.types import FrameReceive, FrameTransmit

ETHERTYPE_ARP = 0x0806
FIXED = 0x0001_0800_06_04
"""Ethernet, IPv4, and the lengths of their addresses."""
REQUEST, REPLY = 1, 2
BROADCAST = (1 << 48) - 1
LAST_WORD, LAST_COUNT = 7, 4
"""Of the shortest frame."""


class Arp(wiring.Component):
    """Answers who asks for the card's address, and asks for another one's.

    One answer is kept: a request that comes while one waits to leave is not answered, whoever sent it will ask again.

    Ports
    -----
    frames : In(FrameReceive)
        Of the port. Those of other protocols are passed over.
    transmit : Out(FrameTransmit)
    mac, ip : In(48), In(32)
        The card's; an ``ip`` of 0 answers nobody. Numbers as written on paper.
    ask : In(1)
        Pulse: ask for ``target`` (In(32)). The host asks again where no answer comes.
    known : Out(1)
        It has answered, or asked something itself, since the last ``ask``; ``address`` : Out(48) is its Ethernet address.

    Notes
    -----
    Latency 3 cycles from a request's last word to the reply's first one.
    """

    LATENCY = 3

    frames: In(FrameReceive)
    transmit: Out(FrameTransmit)
    mac: In(48)
    ip: In(32)
    ask: In(1)
    target: In(32)
    known: Out(1)
    address: Out(48)

    def elaborate(self, platform):
        m = Module()
        arrived, operation, sender_mac, sender_ip, for_us = self._read(m)
        answer_due, ask_due, index, asking = Signal(), Signal(), Signal(range(LAST_WORD + 1)), Signal()
        their_mac, their_ip, wanted = Signal(48), Signal(32), Signal(32)
        sending = Signal()

        with m.If(arrived & for_us & (operation == REQUEST) & ~answer_due & ~(sending & ~asking)):
            m.d.sync += [answer_due.eq(1), their_mac.eq(sender_mac), their_ip.eq(sender_ip)]
        with m.If(arrived & (sender_ip == wanted) & (wanted != 0)):
            m.d.sync += [self.known.eq(1), self.address.eq(sender_mac)]
        with m.If(self.ask):
            m.d.sync += [ask_due.eq(1), wanted.eq(self.target), self.known.eq(0)]

        words = self._write(Mux(asking, BROADCAST, their_mac), Mux(asking, REQUEST, REPLY), Mux(asking, 0, their_mac),
                            Mux(asking, wanted, their_ip))
        word = self.transmit.payload
        m.d.comb += [
            self.transmit.valid.eq(sending), word.data.eq(Array(words)[index]), word.last.eq(index == LAST_WORD),
            word.count.eq(Mux(word.last, LAST_COUNT, 8)),
        ]
        with m.If(~sending):
            m.d.sync += [index.eq(0), asking.eq(~answer_due), sending.eq(answer_due | ask_due)]
            with m.If(answer_due):
                m.d.sync += answer_due.eq(0)
            with m.Elif(~self.ask):
                m.d.sync += ask_due.eq(0)
        with m.Elif(self.transmit.ready):
            m.d.sync += [index.eq(index + 1), sending.eq(index != LAST_WORD)]
        return m

    def _read(self, m):
        """A pulse for each ARP packet about IPv4 over Ethernet that is whole, with what is in it."""
        word, here, position = self.frames.payload, self.frames.valid, Signal(8, init=1)
        lane = [word.data.word_select(number, 8) for number in range(8)]
        good, operation, sender_mac, sender_ip, for_us = Signal(), Signal(16), Signal(48), Signal(32), Signal()
        arrived = Signal()

        def number(first, count):
            return Cat(reversed(lane[first:first + count]))

        with m.If(here):
            m.d.sync += position.eq(Mux(word.last, 1, Cat(0, position[:7]) | (position & 0x80)))
            with m.If(position[1]):
                m.d.sync += good.eq((number(4, 2) == ETHERTYPE_ARP) & (number(6, 2) == FIXED >> 32))
            with m.If(position[2]):
                m.d.sync += [
                    good.eq(good & (number(0, 4) == FIXED & 0xFFFFFFFF)), operation.eq(number(4, 2)), sender_mac[32:].eq(number(6, 2))]
            with m.If(position[3]):
                m.d.sync += [sender_mac[:32].eq(number(0, 4)), sender_ip.eq(number(4, 4))]
            with m.If(position[4]):
                m.d.sync += for_us.eq((number(6, 2) == self.ip[16:]) & (self.ip != 0))
            with m.If(position[5]):
                m.d.sync += for_us.eq(for_us & (number(0, 2) == self.ip[:16]))
        whole = position[6:].any() | position[5] & (word.count >= 2)
        m.d.sync += arrived.eq(here & word.last & ~word.error & good & whole)
        return arrived, operation, sender_mac, sender_ip, for_us

    def _write(self, destination, operation, target_mac, target_ip):
        frame = Cat(
            big_endian((destination + Const(0, 48))[:48]), big_endian(self.mac), big_endian(Const(ETHERTYPE_ARP, 16)),
            big_endian(Const(FIXED, 48)), big_endian((operation + Const(0, 16))[:16]), big_endian(self.mac), big_endian(self.ip),
            big_endian((target_mac + Const(0, 48))[:48]), big_endian((target_ip + Const(0, 32))[:32]),
        )
        padded = Cat(frame, Const(0, 64 * (LAST_WORD + 1) - len(frame)))
        return [padded[64 * number:64 * number + 64] for number in range(LAST_WORD + 1)]

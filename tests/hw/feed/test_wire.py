"""From the wire to the book event: what a MAC, UDP receive, the framer and the decoder make together of good and bad frames."""

import random
from ipaddress import IPv4Address
from itertools import product

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.feed.itch50 import Itch50Decoder
from hw.feed.moldudp64 import MoldUdp64
from hw.net.gmii_receive import GmiiReceive
from hw.net.udp_receive import UdpReceive
from hw.net.xgmii_receive import XgmiiReceive
from hw.reasons import DropReason
from sim.golden.ethernet import build_udp, with_tag
from sim.golden.itch50 import decode
from sim.golden.moldudp64 import pack_packet
from tests.hw.bench import made, simulate
from tests.hw.feed.test_chain import message
from tests.hw.net.test_xgmii_receive import ERROR, IDLE, START, TERMINATE, with_fcs

IP, PORT, SESSION = int(IPv4Address("233.54.12.111")), 26_477, b"000010059B"
PREAMBLE = bytes([0x55] * 6 + [0xD5])


class Wire(wiring.Component):
    """A MAC, a feed's receive path, nothing behind it."""

    def __init__(self, mac):
        self.mac, self.receive, self.framer, self.decoder = mac(), UdpReceive(), MoldUdp64(), Itch50Decoder()
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules += [self.mac, self.receive, self.framer, self.decoder]
        connect(m, self.mac.frames, self.receive.frames)
        connect(m, self.receive.payload, self.framer.payload)
        connect(m, self.receive.verdict, self.framer.verdict_in)
        connect(m, self.framer.words, self.decoder.words)
        m.d.comb += [self.receive.address[0].ip.eq(IP), self.receive.address[0].port.eq(PORT)]
        return m


class Feed:
    """Good frames of one session, and what must come of them."""

    def __init__(self, seed):
        self.rng, self.sequence, self.events = random.Random(seed), 1, []

    def packet(self, kinds, *, tag=False, taken=True):
        """A frame with FCS. Not ``taken``: its messages come again in the next."""
        messages = [message(kind, self.rng) for kind in kinds]
        frame = build_udp(pack_packet(SESSION, self.sequence, messages), destination_ip=IP, destination_port=PORT)
        if taken:
            self.events += [(self.sequence + number, decode(body)) for number, body in enumerate(messages) if decode(body)]
            self.sequence += len(messages)
        return with_fcs(with_tag(frame) if tag else frame)


class Xgmii:
    """Characters of the wire in order; frames start in lane 0 or 4."""

    def __init__(self):
        self.characters = [(IDLE, 1)] * 8

    def frame(self, octets, *, gap=12, lane=None, end=TERMINATE, faults=(), preamble=PREAMBLE):
        """``gap``: the least number of characters from the end of the last frame on, its terminate character counted; ``faults``: bytes
        in whose place an error character comes."""
        ends = ((IDLE, 1), (TERMINATE, 1), (ERROR, 1))
        since = next((number for number, character in enumerate(reversed(self.characters)) if character not in ends), gap)
        self.characters += [(IDLE, 1)] * (gap - since)
        while len(self.characters) % 8 not in ((0, 4) if lane is None else (lane,)):
            self.characters.append((IDLE, 1))
        self.characters += [(START, 1)] + [(octet, 0) for octet in preamble]
        self.characters += [(ERROR, 1) if at in faults else (octet, 0) for at, octet in enumerate(octets)]
        self.characters.append((end, 1))

    def drive(self, ctx, mac, cycle):
        part = self.characters[8 * cycle : 8 * cycle + 8] or [(IDLE, 1)]
        part += [(IDLE, 1)] * (8 - len(part))
        ctx.set(mac.data, int.from_bytes(bytes(octet for octet, _ in part), "little"))
        ctx.set(mac.control, sum(control << lane for lane, (_, control) in enumerate(part)))
        return 8 * cycle < len(self.characters)


class Gmii:
    """(byte, valid, error) a cycle."""

    def __init__(self):
        self.cycles = []

    def frame(self, octets, *, gap=12, faults=()):
        self.cycles += [(0, 0, 0)] * gap + [(octet, 1, 0) for octet in PREAMBLE]
        self.cycles += [(octet, 1, int(at in faults)) for at, octet in enumerate(octets)]

    def drive(self, ctx, mac, cycle):
        octet, valid, error = self.cycles[cycle] if cycle < len(self.cycles) else (0, 0, 0)
        ctx.set(mac.data, octet)
        ctx.set(mac.valid, valid)
        ctx.set(mac.error, error)
        return cycle < len(self.cycles)


def run(line, mac=XgmiiReceive):
    """Reasons of all frames; (sequence, locate, reference, shares) and cycle of the events that a good verdict followed."""
    dut = made(Wire, mac)
    reasons, committed, waiting, due = [], [], [], {}

    async def testbench(ctx):
        cycle = quiet = 0
        while quiet < 40:
            quiet = 0 if line.drive(ctx, dut.mac, cycle) else quiet + 1
            if ctx.get(dut.decoder.events.valid):
                event = ctx.get(dut.decoder.events.payload)
                waiting.append(((event.sequence, event.locate, event.reference, event.shares, event.price), cycle))
            if ctx.get(dut.framer.verdict.valid):
                due[cycle + Itch50Decoder.LATENCY] = DropReason(ctx.get(dut.framer.verdict.payload.reason))
            if cycle in due:  # the frame's last event is out as well
                reasons.append(due[cycle])
                if due[cycle] == DropReason.NONE:
                    committed.extend(waiting)
                waiting.clear()
            cycle += 1
            await ctx.tick()

    simulate(dut, testbench)
    return reasons, committed


def check(feed, line, reasons, mac=XgmiiReceive):
    seen, committed = run(line, mac)
    assert seen == reasons
    assert [event for event, _ in committed] == [(number, e.locate, e.reference, e.shares, e.price) for number, e in feed.events]
    return committed


GOOD, BAD = DropReason.NONE, DropReason.MAC_ERROR
FILLERS = ["", "E", "BB", "H", "L", "B", "N", "h"]
"""Types of messages that, beside others, give frames of every length modulo 8."""


def test_fillers_give_every_lane_to_the_end():
    feed = Feed(0)
    assert {len(feed.packet("AD" + filler, taken=False)) % 8 for filler in FILLERS} == set(range(8))


@pytest.mark.parametrize("gap", range(9, 16))
def test_smallest_gaps_in_both_start_lanes(gap):
    """Clause 46 lets a deficit shrink the twelve idle bytes to nine; the start then moves to the next lane 0 or 4."""
    feed, line, count = Feed(gap), Xgmii(), 0
    for lane in (None, 0, 4):
        for kinds in ("D", "AD", "UX", *("D" + filler for filler in FILLERS), "DDDDDDDDDDDDD"):
            for tag in (False, True):
                line.frame(feed.packet(kinds, tag=tag), gap=gap, lane=lane)
                count += 1
    starts = {at % 8 for at, character in enumerate(line.characters) if character == (START, 1)}
    assert starts == {0, 4}
    check(feed, line, [GOOD] * count)


def test_latency_from_the_wire_to_the_event():
    """The MAC's part is three cycles from the wire's word that completes a word of the frame; from lane 4 on that is the next one for
    bytes in the upper half."""
    assert XgmiiReceive.LATENCY <= 3
    longest = XgmiiReceive.LATENCY + UdpReceive.LATENCY + MoldUdp64.LATENCY + Itch50Decoder.LATENCY
    feed, line, complete = Feed(1), Xgmii(), {}  # number of an event, and the word that completes its message
    cases = list(product(FILLERS, (0, 4), (False, True)))
    for filler, lane, tag in cases:
        packet = feed.packet(filler + "AD", tag=tag)
        line.frame(packet, lane=lane)
        begin = len(line.characters) - 1 - len(packet) + 42 + 4 * tag + 20 + sum(2 + len(message(kind, feed.rng)) for kind in filler)
        for event, end in ((-2, begin + 2 + 36 - 1), (-1, begin + 2 + 36 + 2 + 19 - 1)):
            complete[len(feed.events) + event] = (end + lane) // 8
    committed = check(feed, line, [GOOD] * len(cases))
    latencies = [committed[number][1] - word for number, word in complete.items()]
    assert len(latencies) == 2 * len(cases)
    assert max(latencies) <= longest
    assert min(latencies) >= longest - 2


@pytest.mark.parametrize("lane", [0, 4])
def test_a_wrong_fcs_takes_everything_back(lane):
    feed, line, reasons = Feed(lane), Xgmii(), []
    length = len(feed.packet("AD", taken=False))
    for position in range(length):
        bad = bytearray(feed.packet("AD", taken=False))
        bad[position] ^= 1 << feed.rng.randrange(8)
        line.frame(bytes(bad), gap=9, lane=lane)
        line.frame(feed.packet("AD", tag=position % 2), gap=9)
        reasons += [BAD, GOOD]
    check(feed, line, reasons)


@pytest.mark.parametrize("lane", [0, 4])
def test_an_error_character_anywhere(lane):
    """In the place of any byte or of the terminate character; what follows it on the wire is nobody's."""
    feed, line, reasons = Feed(lane), Xgmii(), []
    length = len(feed.packet("ADD", taken=False))
    for position in range(length + 1):
        bad = feed.packet("ADD", taken=False)
        line.frame(bad, gap=9, lane=lane, faults={position}, end=ERROR if position == length else TERMINATE)
        line.frame(feed.packet("UX"), gap=9)
        reasons += [BAD] * (position > 4) + [GOOD]  # up to four bytes are all FCS: no frame at all
    check(feed, line, reasons)


def test_runts_giants_and_bad_preambles():
    """A runt has a right FCS and is dropped for its length alone. What a bad preamble begins is no frame."""
    feed, line, reasons = Feed(5), Xgmii(), []
    for lane in (0, 4):
        for size in (*range(5, 60), 59):
            whole = build_udp(b"", destination_ip=IP, destination_port=PORT)
            line.frame(with_fcs(whole[:size]), gap=9, lane=lane)
            line.frame(feed.packet("D"), gap=9)
            reasons += [BAD, GOOD]
        for kinds in ("D" * 70, "D" * 71, "D" * 200):
            giant = feed.packet(kinds, taken=len(kinds) == 69)
            assert len(giant) > 1522
            line.frame(giant, gap=9, lane=lane)
            line.frame(feed.packet("A"), gap=9)
            reasons += [BAD, GOOD]
        line.frame(feed.packet("D" * 68, tag=True), gap=9, lane=lane)
        line.frame(feed.packet("A", taken=False), gap=9, lane=lane, preamble=bytes([0x55] * 5 + [0x54, 0xD5]))
        line.frame(feed.packet("A"), gap=9)
        reasons += [GOOD, GOOD]
    check(feed, line, reasons)


def test_bad_frames_over_gmii():
    feed, line, reasons = Feed(6), Gmii(), []
    length = len(feed.packet("AD", taken=False))
    for position in range(0, length, 3):
        bad = bytearray(feed.packet("AD", taken=False))
        if position % 2:
            bad[position] ^= 0x10
        line.frame(bytes(bad), faults=() if position % 2 else {position})
        line.frame(feed.packet("UD", tag=position % 4 < 2))
        reasons += [BAD, GOOD]
    for size in (5, 13, 40, 63):
        line.frame(with_fcs(bytes(size - 4)))
        line.frame(feed.packet("D"))
        reasons += [BAD, GOOD]
    line.frame(feed.packet("D" * 80, taken=False))
    line.frame(feed.packet("F"))
    check(feed, line, [*reasons, BAD, GOOD], GmiiReceive)

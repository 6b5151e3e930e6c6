"""Of the TCP session, proved for every reachable state: sequence arithmetic, the window, and that what is sent again is what was sent.

Numbers of the wire are modulo 2^32. The proof of the arithmetic begins with distances as they are, of which only the sum modulo 2^32 is
given to the component, and asks for what RFC 9293 says of the distances.
"""

from unittest.mock import patch

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Const, Elaboratable, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

import hw.net.tcp_compare
import hw.net.tcp_connection
import hw.net.tcp_store
from hw.tcp_types import TcpState
from tests.formal.prove import mutated, prove

FAR = 1 << 30
"""Farther than anything a connection has to do with is from what is expected: the largest window (RFC 7323)."""


class Arithmetic(Elaboratable):
    """A segment anywhere within ``FAR`` of what is expected, with anything under way."""

    def __init__(self, module=hw.net.tcp_compare):
        self._module = module
        self.base, self.expected = Signal(32), Signal(32)
        self.acknowledged, self.offset = Signal(signed(32)), Signal(signed(32))
        self.outstanding, self.since, self.after = Signal(30), Signal(signed(32)), Signal(signed(32))
        self.length, self.window, self.scale = Signal(16), Signal(16), Signal(range(15))

    def ports(self):
        return [value for value in vars(self).values() if isinstance(value, Signal)]

    def elaborate(self, platform):
        m = Module()
        m.submodules.compare = compare = self._module.TcpCompare()
        values = [self.base, self.expected, self.acknowledged, self.offset, self.outstanding, self.since, self.after, self.length,
                  self.window, self.scale]
        kept, valid = [Signal.like(value, name=f"kept_{index}") for index, value in enumerate(values)], Signal(init=1)
        m.d.sync += [*(kept.eq(value) for kept, value in zip(kept, values, strict=True)), valid.eq(0)]
        for stays, value in zip(kept, values, strict=True):
            with m.If(~valid):
                m.d.comb += Assume(stays == value)
        for distance in (self.acknowledged, self.offset, self.since, self.after):
            m.d.comb += Assume((distance < FAR) & (distance > -FAR))
        m.d.comb += [
            Assume(self.scale <= 14), compare.valid.eq(valid), compare.scale.eq(self.scale),
            compare.unacknowledged.eq(self.base), compare.next.eq(self.base + self.outstanding), compare.expected.eq(self.expected),
            compare.segment.acknowledgment.eq(self.base + self.acknowledged), compare.segment.sequence.eq(self.expected + self.offset),
            compare.segment.length.eq(self.length), compare.segment.window.eq(self.window),
            compare.window_sequence.eq(self.expected + self.offset - self.since),
            compare.window_acknowledgment.eq(self.base + self.acknowledged - self.after),
        ]
        told, acked, begin, end = compare.standing, self.acknowledged, self.offset, self.offset + self.length
        wanted = (
            (told.ack_new, (acked > 0) & (acked <= self.outstanding)), (told.ack_same, acked == 0),
            (told.ack_future, acked > self.outstanding), (told.next, begin == 0), (told.ahead, (begin > 0) & (begin < 1 << 14)),
            (told.covers, (begin <= 0) & (end > 0)), (told.ends_before_next, end == 0),
            (told.newer, (self.since > 0) | (self.since == 0) & (self.after >= 0)),
        )
        with m.If(compare.done):
            m.d.comb += [Assert(flag == condition) for flag, condition in wanted]
            m.d.comb += [
                Assert(told.end == (self.expected + end)[:32]),
                Assert(told.edge == (self.base + acked + (self.window << self.scale))[:32]),
            ]
            with m.If(told.covers & (begin > -(1 << 16))):
                m.d.comb += [Assert(told.skip == (-begin)[:16]), Assert(told.skip < self.length)]
        return m


@pytest.mark.formal
def test_numbers_are_compared_as_their_distances_are(tmp_path):
    arithmetic = Arithmetic()
    prove(arithmetic, tmp_path, ports=arithmetic.ports(), depth=5, mode="bmc")  # a result comes after two cycles, of any input


@pytest.mark.formal
@pytest.mark.parametrize(("old", "new"), [
    ("ack_new.eq(~ack_old & ~ack_same & ~ack_future)", "ack_new.eq(~ack_old & ~ack_future)"),
    ("signs[0].eq(distance[-1])", "signs[0].eq(distance[-2:].all() & distance[20])"),
    ("window.eq(segment.window << self.scale)", "window.eq((segment.window << self.scale)[:29])"),
    ("acked.eq(segment.acknowledgment - self.unacknowledged)", "acked.eq(segment.acknowledgment[:31] - self.unacknowledged[:31])"),
    ("(early | begins_next) & ~beyond[-1] & ~done_before", "(early | begins_next) & ~beyond[-1]"),
])
def test_a_mutant_of_the_comparison_is_wrong_about_a_distance(tmp_path, old, new):
    arithmetic = Arithmetic(mutated(hw.net.tcp_compare, old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(arithmetic, tmp_path, ports=arithmetic.ports(), depth=5, mode="bmc")


class Window(Elaboratable):
    """A connection with anything on its inputs, but for a sender that keeps to ``may_send`` and to the length of a frame."""

    PACKET, FRAME = 56, 7

    def __init__(self, module=hw.net.tcp_connection):
        self._connection = module.TcpConnection()

    def ports(self):
        return [Value.cast(getattr(self._connection, name)) for name, member in self._connection.signature.members.items()
                if member.flow == In]

    def elaborate(self, platform):
        m, connection = Module(), self._connection
        m.submodules.connection = connection.elaborate(platform)
        busy = Signal(range(self.FRAME + 1))  # words of a frame that must leave before another one begins
        with m.If(connection.sent):
            m.d.sync += busy.eq(self.FRAME)
        with m.Elif(busy != 0):
            m.d.sync += busy.eq(busy - 1)
        edges = [Signal(32, name=f"edge_{age}") for age in (1, 2)]
        m.d.sync += [edges[0].eq(connection._edge), edges[1].eq(edges[0])]
        left = Signal(signed(32))
        m.d.comb += [
            left.eq(edges[1] - connection.next - connection.sent_length),
            Assume(~connection.sent_new | (connection.may_send & (connection.sent_length <= self.PACKET) & ~connection.sent_fin)),
            Assume(~connection.sent_fin | (connection.ending & ~connection.fin_sent & (connection.state == TcpState.ESTABLISHED))),
            Assume(~connection.sent | (busy == 0)),
            Assert(~(connection.sent & connection.sent_new) | (left >= 0)),
        ]
        return m


@pytest.mark.formal
def test_a_packet_ends_within_the_window_that_was_told(tmp_path):
    """The one that was known two cycles before it begins. For every history: nothing is assumed of the segments that come."""
    window = Window()
    prove(window, tmp_path, ports=window.ports(), depth=6)


@pytest.mark.formal
@pytest.mark.parametrize(("old", "new"), [
    ("(ahead[:-1] >= LONGEST_PACKET)", "(ahead[:-1] >= 32)"),
    ("room.eq(~ahead[-1] & ", "room.eq("),
    ("ahead.eq(self._edge - self.next)", "ahead.eq(self._edge - self.unacknowledged)"),
])
def test_the_window_is_exceeded_by_a_mutant(tmp_path, old, new):
    window = Window(mutated(hw.net.tcp_connection, old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(window, tmp_path, ports=window.ports(), depth=14, mode="bmc")


PACKETS = 2


class Word(data.Struct):
    """In place of the store's words of eight bytes: the proof knows nothing of their contents, and of a description what fits, so that
    packets are forgotten whenever the store likes."""

    data: 3
    last: 1


class Packet(data.Struct):
    word: Word
    length: 8


class Rows(Elaboratable):
    """In place of the store's RAM: the same ports, and rows that can be looked at; none is read where it is written."""

    def __init__(self, *, shape, depth):
        assert depth == 8 * PACKETS
        self.rows = [Signal(shape, name=f"row_{at}") for at in range(depth)]
        ports = {"addr": In(range(depth)), "en": In(1)}
        self.write = wiring.PureInterface(wiring.Signature({**ports, "data": In(shape)}).flip())
        self.read = wiring.PureInterface(wiring.Signature({**ports, "data": Out(shape)}).flip())

    def write_port(self):
        return self.write

    def read_port(self):
        return self.read

    def elaborate(self, platform):
        m = Module()
        m.d.comb += Assert(~(self.read.en & self.write.en & (self.read.addr == self.write.addr)))
        with m.If(self.read.en):
            m.d.sync += self.read.data.eq(Array(self.rows)[self.read.addr])
        with m.If(self.write.en):
            m.d.sync += Array(self.rows)[self.write.addr].eq(self.write.data)
        return m


class Again(wiring.Component):
    """The store, a sender that keeps to ``full``, and one place of one packet that is watched, whichever."""

    valid: In(1)
    word: In(Word)
    length: In(8)
    sequence: In(32)
    unacknowledged: In(32)
    again: In(1)
    ready: In(1)
    slot: In(range(PACKETS))
    place: In(3)

    def __init__(self, module=hw.net.tcp_store):
        super().__init__()
        self._module = module

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        made = []

        def Memory(**arguments):
            made.append(Rows(**arguments))
            return made[0]

        with patch.multiple(self._module, ExclusiveMemory=Memory, StreamWord=Word, SessionPacket=Packet):
            store = self._module.TcpStore(PACKETS)
            m.submodules.store = store.elaborate(platform)
        memory = made[0]
        m.d.comb += [
            store.sent.valid.eq(self.valid), store.sent.payload.word.eq(self.word), store.sent.payload.length.eq(self.length),
            store.sequence.eq(self.sequence), store.unacknowledged.eq(self.unacknowledged), store.again.eq(self.again),
            store.words.ready.eq(self.ready),
        ]
        self._send(m, store)
        self._promise(m, store, memory)
        self._support(m, store, memory)
        return m

    def _send(self, m, store):
        """A packet's first word comes at least six cycles after the decision to send it, and then its words without a pause; the place
        that is watched stays the same; words are asked for as the scheduler does."""
        inside, since, full = Signal(), Signal(range(8)), Signal(6)
        slot, place, was_again, was_known, last_given = Signal.like(self.slot), Signal(3), Signal(), Signal(), Signal()
        started = Signal()
        given_last = store.words.valid & store.words.ready & store.words.payload.last
        m.d.sync += [
            slot.eq(self.slot), place.eq(self.place), started.eq(1), full.eq(Cat(store.full, full)), was_again.eq(self.again),
            was_known.eq(store.known), last_given.eq(given_last),
        ]
        with m.If(self.valid):
            m.d.sync += [inside.eq(~self.word.last), since.eq(0)]
        with m.Elif(since != 7):
            m.d.sync += since.eq(since + 1)
        m.d.comb += [
            Assume(~started | (self.slot == slot) & (self.place == place)), Assume(self.place < 7),
            Assume(~inside | self.valid), Assume(~self.valid | inside | (since >= 5) & ~full[5]),
            Assume(~self.valid | (store._row != 6) | self.word.last),
            Assume(~was_again | last_given | self.again), Assume(~last_given | ~self.again), Assume(was_again | ~self.again | was_known),
        ]
        self._inside, self._since, self._full = inside, since, full

    def _promise(self, m, store, memory):
        """The word at the watched place is given as it was sent, the places one after the other."""
        watched, seen, given = Signal(Word), Signal(), Signal(3)
        newest = Signal(range(2 * PACKETS))
        m.d.comb += newest.eq(store._oldest + store._kept)
        with m.If(self.valid & (newest[:-1] == self.slot) & (store._row == self.place)):
            m.d.sync += [watched.eq(self.word), seen.eq(1)]
        with m.If(~store.words.valid):
            m.d.sync += given.eq(0)
        with m.Elif(self.ready):
            m.d.sync += given.eq(given + 1)
        mine = store.words.valid & (store._oldest[:-1] == self.slot) & (given == self.place) & seen
        m.d.comb += [
            Assert(~mine | (store.words.payload.as_value() == watched.as_value())),
            Assert(~(self.valid | store._done) | (store._kept < PACKETS)),  # so no packet that is kept is written
            Assert(~seen | (Array(memory.rows)[Cat(self.place, self.slot)].as_value() == watched.as_value())),
        ]
        self._given = given

    def _support(self, m, store, memory):
        """What is on its way out of the memory."""
        rows, fsm, row = Array(memory.rows), store._machine, store._next_row

        def at(number):
            return rows[Cat(number[:3], store._oldest[:-1])].as_value()

        giving, filling = fsm.ongoing("GIVE"), fsm.ongoing("FILL")
        m.d.comb += [
            Assert(store._kept <= PACKETS), Assert(store.words.valid == giving), Assert(~filling | (row == 1)),
            Assert(~(fsm.ongoing("KNOWN") | fsm.ongoing("LOOK") | fsm.ongoing("LOOKED") | fsm.ongoing("END")) | (row == 0)),
            Assert(fsm.ongoing("LOOK") | (store._kept != 0)), Assert(store.known == (fsm.ongoing("KNOWN") | filling | giving)),
            Assert(~filling | (memory.read.data.as_value() == at(Const(0, 3)))),
            Assert(~giving | (self._given == (row - 2)[:3])),
            Assert(~giving | (store.words.payload.as_value() == at(row - 2))),
            Assert(~giving | (memory.read.data.as_value() == at(row - 1))),
            Assert(~self._inside | (store._kept < PACKETS)), Assert((store._row != 0) == self._inside),
            Assert(~store._done | (store._kept < PACKETS) & (self._since == 0) & ~self._inside),
        ]


@pytest.mark.formal
def test_what_is_sent_again_is_what_was_sent(tmp_path):
    again = Again()
    prove(again, tmp_path, ports=again.ports(), depth=9)


@pytest.mark.formal
@pytest.mark.parametrize(("old", "new"), [
    ("self.full.eq(kept[-1] | kept[:-1].all())", "self.full.eq(0)"),
    ("m.d.sync += row.eq(0)", "m.d.sync += row.eq(1)"),
    ("m.d.sync += [held.eq(read.data), next_row.eq(next_row + 1)]", "m.d.sync += [held.eq(read.data), next_row.eq(next_row + 2)]"),
    ("read.addr.eq(self._oldest[:-1] << 3 | at)", "read.addr.eq(at)"),
])
def test_a_mutant_of_the_store_sends_something_else(tmp_path, old, new):
    again = Again(mutated(hw.net.tcp_store, old, new))
    with pytest.raises(AssertionError, match="FAIL"):
        prove(again, tmp_path, ports=again.ports(), depth=26, mode="bmc")

"""A small component with the ports of a card, to test what surrounds a card: it answers in ways that a test can foretell."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.host_interface.bus import READ_LATENCY, RegisterBus
from hw.types import FrameReceive, FrameTransmit, FrameWord

FEEDS = 2
RING_RECORDS = 16
RING_ADDRESS = 0x80000
MAGIC = 0x5354414E
MAGIC_ADDRESS, SCRATCH, WRITE_INDEX, READ_INDEX, LOST, WORDS_SEEN, READS, WRITES, BURST, PEAK = (4 * i for i in range(10))
FAULT_PAUSE, FAULT_CHANGE, FAULT_COUNT = 1, 2, 3


class StandIn(wiring.Component):
    """Port 0 comes back on ``orders``; every frame of any port puts ``BURST`` (a register, 1 at reset) records into the ring, one every
    four cycles.

    A record is: port, cycle of the last word, low half of the last word's data, its valid bytes and error flag, number of the record,
    and three constants. ``backlog`` is the number of records that a port's frames still have to make. ``LOST`` counts the records that
    found no place and ``PEAK`` keeps the largest backlog: both show what a driver did wrong.

    Parameters
    ----------
    fault : int
        0, or FAULT_PAUSE / FAULT_CHANGE / FAULT_COUNT: ``orders`` breaks that rule of streams.
    """

    def __init__(self, fault: int = 0):
        self._fault = fault
        super().__init__({
            "feed": In(FrameReceive).array(FEEDS),
            "orders": Out(FrameTransmit),
            "bus": In(RegisterBus),
            "backlog": Out(16).array(FEEDS),
        })

    def elaborate(self, platform):
        m = Module()
        now = Signal(32)
        m.d.sync += now.eq(now + 1)
        burst = Signal(16, init=1)
        self._echo(m, now)
        self._events(m, now, burst)
        self._bus(m, burst)
        return m

    def _echo(self, m, now):
        m.submodules.words = words = Memory(shape=FrameWord, depth=4096, init=[])
        store, fetch = words.write_port(), words.read_port(domain="comb")
        head, tail = Signal(12), Signal(12)
        frames_in, frames_out = Signal(12), Signal(12)
        m.d.comb += [
            store.addr.eq(head), store.data.eq(self.feed[0].payload), store.en.eq(self.feed[0].valid),
            fetch.addr.eq(tail), self.orders.payload.eq(fetch.data), self.orders.valid.eq(frames_in != frames_out),
        ]
        m.d.sync += head.eq(head + self.feed[0].valid)
        with m.If(self.feed[0].valid & self.feed[0].payload.last):
            m.d.sync += frames_in.eq(frames_in + 1)
        with m.If(self.orders.valid & self.orders.ready):
            m.d.sync += tail.eq(tail + 1)
            with m.If(fetch.data.last):
                m.d.sync += frames_out.eq(frames_out + 1)
        if self._fault == FAULT_PAUSE:
            m.d.comb += self.orders.valid.eq((frames_in != frames_out) & (now[:3] != 0))
        if self._fault == FAULT_CHANGE:
            m.d.comb += self.orders.payload.data.eq(fetch.data.data ^ now)
        if self._fault == FAULT_COUNT:
            m.d.comb += self.orders.payload.count.eq(7)

    def _events(self, m, now, burst):
        self._write_index, self._read_index, self._lost, self._peak = Signal(32), Signal(32), Signal(32), Signal(32)
        m.submodules.ring = self._ring = Memory(shape=256, depth=RING_RECORDS, init=[])
        write = self._ring.write_port()
        newest = [Signal(128, name=f"newest_{port}") for port in range(FEEDS)]
        for port, feed in enumerate(self.feed):
            with m.If(feed.valid & feed.payload.last):
                m.d.sync += newest[port].eq(Cat(Const(port, 32), now, feed.payload.data[:32], feed.payload.count, feed.payload.error))
        due = [Signal(name=f"due_{port}") for port in range(FEEDS)]
        m.d.comb += [
            due[0].eq((now[:2] == 0) & (self.backlog[0] != 0)),
            due[1].eq((now[:2] == 0) & (self.backlog[0] == 0) & (self.backlog[1] != 0)),
        ]
        for port, feed in enumerate(self.feed):
            arrived = Signal(16, name=f"arrived_{port}")
            with m.If(feed.valid & feed.payload.last):
                m.d.comb += arrived.eq(burst)
            m.d.sync += self.backlog[port].eq(self.backlog[port] + arrived - due[port])
            with m.If(self.backlog[port] > self._peak):
                m.d.sync += self._peak.eq(self.backlog[port])
            with m.If(due[port]):
                m.d.comb += write.data.eq(Cat(newest[port], self._write_index, Const(0xA5, 32), Const(0xB6, 32), Const(0xC7, 32)))
        m.d.comb += write.addr.eq(self._write_index)
        with m.If(due[0] | due[1]):
            with m.If(self._write_index - self._read_index == RING_RECORDS):
                m.d.sync += self._lost.eq(self._lost + 1)
            with m.Else():
                m.d.comb += write.en.eq(1)
                m.d.sync += self._write_index.eq(self._write_index + 1)

    def _bus(self, m, burst):
        scratch, words_seen, reads, writes = Signal(32), Signal(32), Signal(32), Signal(32)
        fetch = self._ring.read_port(domain="comb")
        data = Signal(32)
        m.d.comb += fetch.addr.eq(self.bus.address[5:])
        m.d.sync += [
            words_seen.eq(words_seen + sum(feed.valid for feed in self.feed)),
            reads.eq(reads + self.bus.read),
            writes.eq(writes + self.bus.write),
        ]
        with m.Switch(self.bus.address):
            for address, value in ((MAGIC_ADDRESS, Const(MAGIC, 32)), (SCRATCH, scratch), (WRITE_INDEX, self._write_index),
                                   (READ_INDEX, self._read_index), (LOST, self._lost), (WORDS_SEEN, words_seen), (READS, reads),
                                   (WRITES, writes), (BURST, burst), (PEAK, self._peak)):
                with m.Case(address):
                    m.d.comb += data.eq(value)
        with m.If((self.bus.address >= RING_ADDRESS) & (self.bus.address < RING_ADDRESS + 32 * RING_RECORDS)):
            m.d.comb += data.eq(fetch.data.word_select(self.bus.address[2:5], 32))
        with m.If(self.bus.write):
            for address, register in ((SCRATCH, scratch), (READ_INDEX, self._read_index), (BURST, burst)):
                with m.If(self.bus.address == address):
                    m.d.sync += register.eq(self.bus.write_data)
        stage = data
        for number in range(READ_LATENCY):
            following = Signal(32, name=f"read_{number}", init=0xDEAD)
            m.d.sync += following.eq(stage if number else (data & self.bus.read.replicate(32)))
            stage = following
        m.d.comb += self.bus.read_data.eq(stage)

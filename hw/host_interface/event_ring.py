"""The event ring: what happened on the card, kept until the host has read it."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import fifo, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.host_interface.events import LOST_BIT, EventStream, Record
from hw.host_interface.registers import RING_MAX_EVENTS
from hw.lib.choice import any_of

RECORD_BITS = Record.width
WORDS = RECORD_BITS // 32
HALF_BITS = RECORD_BITS // 2

READ_LATENCY = 3
"""Cycles from ``read_address`` to ``read_data``: the RAM, its output register, the choice of the word."""


class EventRing(wiring.Component):
    """Takes records from several sources, in the order of their arrival as far as can be, into a ring that the host drains.

    Nobody waits for the ring: a source whose queue is full loses its newest record. That is counted, and the source's next record
    says so by its ``lost`` bit. Sources with a lower number go first; within a source the order is kept.

    Parameters
    ----------
    events : int
        Records in the ring, a power of two from 16 to what the window has room for.
    depths : list of int
        For each source, how many records wait before the ring. Sources that can give one every cycle go last and get a deeper queue.

    Ports
    -----
    records : In(EventStream).array(sources)
    lost : Out(range(sources + 1))
        Number of records lost in this cycle.
    read_index : In(32)
        Records that the host has taken, modulo 2^32. Nonsense (ahead of ``write_index``) only makes the ring full.
    write_index : Out(32)
        Records put in, modulo 2^32; they are readable. The ring holds at least ``events`` - 1 that have not been taken.
    room : Out(1)
        Less than half of the ring is full.
    read_address : In(range(events * 8))
        Word of the ring.
    read_data : Out(32)
        ``READ_LATENCY`` cycles later.

    Notes
    -----
    A record goes in halves, which takes half the wires: one record in two cycles. From ``records`` to ``write_index``: 4 cycles when
    the queues are empty.
    """

    LATENCY = 4

    def __init__(self, events: int, depths: list[int]):
        if not 16 <= events <= RING_MAX_EVENTS or events & (events - 1):
            raise ValueError(f"the event ring holds a power of two from 16 to {RING_MAX_EVENTS} records, not {events}")
        if not depths or min(depths) < 1:
            raise ValueError(f"every source of the event ring needs a queue of at least 1 record, not {depths}")
        self._events = events
        self._depths = depths
        super().__init__({
            "records": In(EventStream).array(len(depths)),
            "lost": Out(range(len(depths) + 1)),
            "read_index": In(32), "write_index": Out(32), "room": Out(1),
            "read_address": In(range(events * WORDS)), "read_data": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = memory.Memory(shape=HALF_BITS, depth=2 * self._events, init=[])
        full = Signal()
        valid, second, half = self._choose(m, self._queues(m), full)

        # Judged on last cycle's indices, so one record earlier than needed: the one that may be on its way has room too.
        whole, waiting = Signal(), Signal(32)
        m.d.comb += [whole.eq(valid & second), waiting.eq(self.write_index + whole - self.read_index)]
        m.d.sync += [
            full.eq(waiting >= self._events - 1), self.room.eq(waiting < self._events // 2),
            self.write_index.eq(self.write_index + whole),
        ]

        write = ram.write_port()
        m.d.comb += [write.en.eq(valid), write.addr.eq(Cat(second, self.write_index)), write.data.eq(half)]
        self._read(m, ram)
        return m

    def _queues(self, m):
        """One queue per source, which marks the first record after a loss."""
        queues, losses = [], []
        for i, (depth, source) in enumerate(zip(self._depths, self.records, strict=True)):
            m.submodules[f"queue_{i}"] = queue = fifo.SyncFIFO(width=RECORD_BITS, depth=depth)
            missed = Signal(name=f"missed_{i}")
            loss = Signal(name=f"loss_{i}")
            m.d.comb += [
                queue.w_en.eq(source.valid),
                # Put together, not or-ed: synthesis then sees which bits of a record are always 0, and keeps no room for them.
                queue.w_data.eq(Cat(source.payload[:LOST_BIT], missed, source.payload[LOST_BIT + 1:])),
                loss.eq(source.valid & ~queue.w_rdy),
            ]
            with m.If(source.valid):
                m.d.sync += missed.eq(loss)
            queues.append(queue)
            losses.append(loss)
        m.d.sync += self.lost.eq(sum(losses))
        return queues

    def _choose(self, m, queues, full):
        """Takes a record from the first queue that has one, half by half into a register."""
        valid, second, half = Signal(), Signal(), Signal(HALF_BITS)
        begun, taking = Signal(len(queues)), Signal(len(queues))  # whose record's second half is due; whose half is taken
        has_one = Cat(queue.r_rdy for queue in queues)
        with m.If(begun.any()):
            m.d.comb += taking.eq(begun)
        with m.Elif(~full):
            m.d.comb += taking.eq(has_one & -has_one)
        m.d.comb += Cat(queue.r_en for queue in queues).eq(begun)
        halves = ((mine, queue.r_data.word_select(begun.any(), HALF_BITS)) for mine, queue in zip(taking, queues, strict=True))
        m.d.sync += [
            begun.eq(Mux(begun.any(), 0, taking)),
            valid.eq(taking.any()), second.eq(begun.any()), half.eq(any_of(halves)),
        ]
        return valid, second, half

    def _read(self, m, ram):
        port = ram.read_port()
        half = Signal(HALF_BITS)
        number = Cat(Signal(2, name="word_1"), Signal(2, name="word_2"))
        m.d.comb += port.addr.eq(self.read_address[2:])
        m.d.sync += [
            number.eq(Cat(self.read_address[:2], number[:2])),
            half.eq(port.data),
            self.read_data.eq(half.word_select(number[2:], 32)),
        ]

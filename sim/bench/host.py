"""The host in a simulation: one register access a cycle at most, with random pauses, and the drain of the event ring."""

from collections import deque

from host.card.registers import COUNTERS, EVENT_HEADER, EVENTS, RECORD_BYTES, REGISTERS, RING_OFFSET, EventKind
from hw.host_interface.bus import READ_LATENCY
from sim.bench.streams import Pattern

RECORD_WORDS = RECORD_BYTES // 4


class HostBus:
    """Drives the register bus of a device from a queue.

    Parameters
    ----------
    tb : Testbench
    rates : sequence of float
        How often there is an access while some are waiting.
    """

    def __init__(self, tb, *, rates=(1.0, 0.5)):
        self.tb, self._queue, self._now = tb, deque(), Pattern(tb.rng, rates)
        self._answers, self._on_write, self._on_read, self.last_write = deque(), [], [], 0
        self._current = None

    # what a test calls

    def write(self, name: str, value: int, *index: int) -> None:
        """Queues the write of a register, in as many accesses as it has words, the low one first."""
        register = REGISTERS[name]
        address = register.address(*index)
        words = 2 if register.bits > 32 else 1
        for number in range(words):
            done = (name, index, value) if number == words - 1 else None
            self._queue.append(("write", address + 4 * number, value >> 32 * number & 0xFFFF_FFFF, done))

    def write32(self, address: int, value: int) -> None:
        self._queue.append(("write", address, value, None))

    def read32(self, address: int, callback) -> None:
        """Queues a read; ``callback(value)`` when the answer is there."""
        self._queue.append(("read", address, 0, callback))

    async def read(self, name: str, *index: int) -> int:
        """Reads a register, all of its words."""
        register = REGISTERS[name]
        value = await self._read_words(register.address(*index), 2 if register.bits > 32 else 1)
        for callback in self._on_read:
            callback(name, value)
        return value

    async def arm(self) -> None:
        """Queues both steps that arm the card; it may refuse."""
        self.write("ARM_UNLOCK", await self.read("ARM_CHALLENGE") ^ 0xFFFF_FFFF)
        self.write("ARM", 1)

    async def counter(self, name: str, venue: int = 0) -> int:
        counter = COUNTERS[name]
        return await self._read_words(counter.offset + venue * counter.venue_stride, 2)

    async def _read_words(self, address: int, count: int) -> int:
        words = []
        for number in range(count):
            self.read32(address + 4 * number, words.append)
        await self.tb.until(lambda: len(words) == count, what=f"the answer to a read at {address:#x}")
        return sum(word << 32 * number for number, word in enumerate(words))

    def on_write(self, callback) -> None:
        """Calls ``callback(name, index, value)`` in the cycle in which a register's last word is written."""
        self._on_write.append(callback)

    def on_read(self, callback) -> None:
        """Calls ``callback(name, value)`` with what ``read`` has read of a register."""
        self._on_read.append(callback)

    @property
    def idle(self) -> bool:
        return not self._queue and not self._answers and self._current is None

    async def settle(self) -> None:
        """Lets all accesses that wait take place and have their effect."""
        await self.tb.until(lambda: self.idle, limit=100_000, what="the end of the accesses")
        await self.tb.cycles(READ_LATENCY + 4)

    # the cycle

    def sample(self, cycle):
        if self._answers and self._answers[0][0] == cycle:
            _, callback = self._answers.popleft()
            callback(int(self.tb.dut.bus__read_data.value))
        if self._current is not None:
            kind, _, _, then = self._current
            if kind == "read":
                self._answers.append((cycle + READ_LATENCY, then))
            else:
                self.last_write = cycle
                if then is not None:
                    for callback in self._on_write:
                        callback(*then)
            self._current = None

    def drive(self):
        dut, rng = self.tb.dut, self.tb.rng
        if self._queue and self._now():
            self._current = self._queue.popleft()
            kind, address, value, _ = self._current
            dut.bus__address.value, dut.bus__write_data.value = address, value
            dut.bus__write.value, dut.bus__read.value = kind == "write", kind == "read"
        else:
            dut.bus__address.value, dut.bus__write_data.value = rng.getrandbits(20), rng.getrandbits(32)
            dut.bus__write.value, dut.bus__read.value = 0, 0


class EventDrain:
    """Takes records out of the event ring as the host does: looks at the write index, reads, gives the places back.

    Attributes
    ----------
    records : list of (EventKind, dict)
        With the fields of the header.
    """

    def __init__(self, bus: HostBus, events: int, *, every: int = 40):
        self.bus, self.events, self.every = bus, events, every
        self.records, self._taken, self._busy, self._wait, self.on_record = [], 0, False, 0, []

    @property
    def idle(self) -> bool:
        return not self._busy

    def drive(self):
        self._wait -= 1
        if not self._busy and self._wait <= 0:
            self._busy, self._wait = True, self.every
            self.bus.read32(REGISTERS["EVENT_WRITE_INDEX"].address(), self._take)

    def _take(self, write_index):
        waiting = (write_index - self._taken) & 0xFFFF_FFFF
        assert waiting <= self.events, f"the event ring says that {waiting} records wait in {self.events} places"
        if not waiting:
            self._busy = False
            return
        words = []

        def got(word):
            words.append(word)
            if len(words) == RECORD_WORDS * waiting:
                self._finish(words)

        for number in range(waiting):
            place = RING_OFFSET + RECORD_BYTES * ((self._taken + number) % self.events)
            for word in range(RECORD_WORDS):
                self.bus.read32(place + 4 * word, got)

    def _finish(self, words):
        for at in range(0, len(words), RECORD_WORDS):
            bits = sum(word << 32 * number for number, word in enumerate(words[at:at + RECORD_WORDS]))
            header = {field.name: field.take(bits) for field in EVENT_HEADER}
            kind = EventKind(header["kind"])
            record = header | {field.name: field.take(bits) for field in EVENTS[kind]}
            self.records.append((kind, record))
            for callback in self.on_record:
                callback(kind, record)
        self._taken = (self._taken + len(words) // RECORD_WORDS) & 0xFFFF_FFFF
        self.bus.write("EVENT_READ_INDEX", self._taken)
        self._busy = False

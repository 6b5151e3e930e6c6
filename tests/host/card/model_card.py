"""A stand-in for a card: the register map as its documentation describes it, in plain Python, with faults on request."""

import zlib

from host.card.limits import SymbolLimits
from host.card.registers import CARDS, COUNTERS, MAGIC, RECORD_BYTES, REGISTERS, RING_OFFSET, VERSION_MAJOR, VERSION_MINOR

MASK = 0xFFFFFFFF
LIMITS = ("MAX_SHARES", "MAX_POSITION", "MAX_NOTIONAL", "RATE_BURST", "RATE_INTERVAL", "MAX_DAY_NOTIONAL", "DUPLICATE_WINDOW",
          "HEARTBEAT_INTERVAL", "MAX_OPEN_ORDERS", "MAX_DISTANCE", "MAX_DEVIATION", "WAIVED",
          "STRATEGY_INTERVAL", "STRATEGY_WINDOW", "SYMBOL_INTERVAL", "SYMBOL_WINDOW", "CANCEL_BURST", "CANCEL_INTERVAL",
          "MAX_GROSS", "MAX_NET", "MAX_EXECUTIONS", "EXECUTION_WINDOW")


class ModelCard:
    """Keeps words by offset and acts on the registers that do something; ``writes`` is everything that was written.

    Parameters
    ----------
    configuration : str
    stuck : set of str
        Registers (or "NAME.commit" and so on) that ignore writes.
    """

    def __init__(self, configuration="tiny", *, stuck=()):
        self.sizes = CARDS[configuration]
        self.words = {}
        self.writes = []
        self.reads = 0
        self.closed = False
        self.stuck = set(stuck)
        self.clearing = {}
        self.put("MAGIC", MAGIC)
        self.put("VERSION", VERSION_MAJOR << 16 | VERSION_MINOR)
        for size, value in self.sizes._asdict().items():
            self.put(f"CONFIG_{size.upper()}", value)
        self.armed = self.killed = self.fault = self.unlocked = False
        self.trip = 0
        self.own = {}  # limits of symbols
        self.put("ARM_CHALLENGE", 0x12345678)
        self.stale = 0

    # What a test sets up

    def put(self, name, value, *index):
        address = REGISTERS[name].address(*index)
        for word in range(2 if REGISTERS[name].bits > 32 else 1):
            self.words[address + 4 * word] = value >> 32 * word & MASK

    def get(self, name, *index):
        address = REGISTERS[name].address(*index)
        return sum(self.words.get(address + 4 * word, 0) << 32 * word for word in range(2 if REGISTERS[name].bits > 32 else 1))

    def count(self, name, value, venue=0):
        address = COUNTERS[name].offset + venue * COUNTERS[name].venue_stride
        self.words[address], self.words[address + 4] = value & MASK, value >> 32

    def record(self, *words):
        """Puts a record into the ring."""
        index = self.get("EVENT_WRITE_INDEX")
        place = RING_OFFSET + RECORD_BYTES * (index % self.sizes.events)
        for number in range(8):
            self.words[place + 4 * number] = words[number] if number < len(words) else 0
        self.put("EVENT_WRITE_INDEX", (index + 1) & MASK)

    # Card

    def read32(self, offset):
        self.reads += 1
        if offset == REGISTERS["STATE"].address():
            return self.state()
        if offset == REGISTERS["ARM"].address():
            return int(self.armed)
        if offset == REGISTERS["TRIP"].address():
            return self.trip
        return self.words.get(offset, 0)

    def read_words(self, offset, count):
        return [self.read32(offset + 4 * number) for number in range(count)]

    def write32(self, offset, value):
        self.writes.append((offset, value))
        name = next((name for name, register in REGISTERS.items() if offset == register.offset), "")
        if name in self.stuck:
            return
        self.words[offset] = value
        if name == "KILL":
            self.killed = bool(value)
            self.armed &= not self.killed
        elif name == "ARM_UNLOCK":
            self.unlocked = value ^ self.get("ARM_CHALLENGE") == MASK
            self.put("ARM_CHALLENGE", self.get("ARM_CHALLENGE") * 5 + 1 & MASK)
        elif name == "TRIP":
            self.trip &= ~value
        elif name == "ARM":
            may = bool(self.get("LIMITS_GENERATION")) and not self.killed and not self.fault and not self.trip and self.unlocked
            self.armed, self.unlocked = bool(value) and may, False
        elif name == "LIMITS_COMMIT" and value == (self.get("LIMITS_GENERATION") + 1) & MASK:
            for limit in LIMITS:
                if f"ACTIVE_{limit}" not in self.stuck:
                    self.put(f"ACTIVE_{limit}", self.get(f"SHADOW_{limit}"))
            self.put("LIMITS_GENERATION", value)
            active = sorted((register.address(), name) for name, register in REGISTERS.items() if name.startswith("ACTIVE_"))
            words = [value, *(self.get(name) >> shift & MASK for _, name in active for shift in range(0, REGISTERS[name].bits, 32))]
            self.put("LIMITS_CHECKSUM", zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words)) ^ ("checksum" in self.stuck))
        elif name == "SYMBOL_COMMIT":
            self.put("SYMBOL_GENERATION", self.get("SYMBOL_GENERATION") + 1)
            if f"symbol {value}" not in self.stuck:
                self.own[value] = SymbolLimits(**{field: self.get(f"SYMBOL_{field.upper()}") for field in SymbolLimits._fields})
        elif name == "POSITION_SYMBOL":
            for field, limit in self.own.get(value, SymbolLimits())._asdict().items():
                self.put(f"SHOWN_{field.upper()}", limit)
        elif name == "RESYNC":
            for venue in range(self.sizes.venues):
                if value >> venue & 1:
                    self.clearing[venue] = 3
                    self.stale &= ~(1 << venue)

    def close(self):
        self.closed = True

    def state(self):
        busy = 0
        for venue, looks in self.clearing.items():
            busy |= (looks > 0) << venue
            self.clearing[venue] = looks - ("clearing" not in self.stuck)
        valid = bool(self.get("LIMITS_GENERATION"))
        return self.armed | valid << 1 | self.killed << 2 | self.fault << 3 | self.stale << 8 | busy << 16 | bool(self.trip) << 24

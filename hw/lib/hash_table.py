"""An exact associative memory in block RAM: full keys, two banks of four ways, nothing ever moves."""

from functools import cache, reduce
from itertools import islice

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory

BANKS = 2


def _irreducible(polynomial: int) -> bool:
    def remainder(divisor):
        rest = polynomial
        while rest.bit_length() >= divisor.bit_length():
            rest ^= divisor << (rest.bit_length() - divisor.bit_length())
        return rest

    return all(remainder(divisor) for divisor in range(2, 1 << polynomial.bit_length() // 2 + 1))


def _masks(width: int, bits: int, polynomial: int) -> tuple[int, ...]:
    """Which bits of the key each bit of the result is the parity of."""
    masks, column = [0] * bits, 1
    for position in range(width):
        ones = column if position < Hash.LOW else 1 << position % bits
        masks = [mask | (ones >> bit & 1) << position for bit, mask in enumerate(masks)]
        column = column << 1 ^ (polynomial if column >> bits - 1 else 0)
    return tuple(masks)


@cache
def _densest(width: int, bits: int, few: int) -> tuple[tuple[int, ...], ...]:
    """The masks of the hash functions that mix most among those that need few bits of the key at once."""
    candidates = range(1 << bits | 1, 2 << bits, 2)
    polynomials = list(islice(filter(_irreducible, candidates), 100))
    polynomials += [other for other in candidates if other not in polynomials][:max(0, BANKS - len(polynomials))]
    masks = [_masks(width, bits, polynomial) for polynomial in polynomials]
    most = {rows: max(mask.bit_count() for mask in rows) for rows in masks}
    return tuple(sorted(reversed(masks), key=lambda rows: abs(most[rows] - few + 0.5))[:BANKS])


class Hash:
    """A hash function a bank: the key as a polynomial over GF(2), modulo one that has no divisor, as a CRC.

    Keys that follow each other, or lie a power of two apart, fill all sets evenly, and two of them meet in one bank only; to others it is
    as good as a random function. A key below 2^``bits`` is its own hash, in both banks. Bits of the key above ``LOW`` are only folded in.
    No arithmetic, and for tables of the size of a book's about ``few`` bits of the key at most for one of the result: two LUT levels.

    Parameters
    ----------
    width : int
        Bits of the key.
    bits : int
        Bits of each of the ``BANKS`` results, at least 2.
    few : int
        Bits of the key that one of the result should depend on: with less it is faster, with more keys that look alike spread better.
    """

    LOW = 32

    def __init__(self, width: int, bits: int, few: int = 16):
        self.width = width
        self.bits = BANKS * bits
        self.masks = [mask for masks in _densest(width, bits, few) for mask in masks]
        self._tables = [
            [self._parities(byte << shift) for byte in range(256)] for shift in range(0, width, 8)
        ]

    def _parities(self, key: int) -> int:
        return sum(((key & mask).bit_count() & 1) << bit for bit, mask in enumerate(self.masks))

    def __call__(self, key) -> Value:
        """The hashes of a hardware value, bank 0 in the low bits, combinational."""
        return Cat((Value.cast(key) & mask).xor() for mask in self.masks)

    def in_levels(self, m, key) -> Value:
        """The same in two levels of LUTs, which yosys is told to keep apart: left to itself it saves a LUT and makes a chain of four."""
        result = []
        for mask in self.masks:
            bits = [Value.cast(key)[bit] for bit in range(self.width) if mask >> bit & 1]
            parts = Signal((len(bits) + 3) // 4, attrs={"abc9_scc": 1})
            m.d.comb += parts.eq(Cat(Cat(bits[first:first + 4]).xor() for first in range(0, len(bits), 4)))
            result.append(parts.xor())
        return Cat(result)

    def compute(self, key: int) -> int:
        """The hashes of an integer."""
        result = 0
        for table in self._tables:
            result ^= table[key & 0xFF]
            key >>= 8
        return result


class HashTable(wiring.Component):
    """Looks a key up in all ways of its two sets at once, and knows where a new key would go.

    A new key goes to the bank whose set has more free ways (bank 0 if equal), to its lowest free way (d-left hashing).
    Nothing is ever moved; the full key is stored, so a lookup never returns another key's value. Plan for a third of the
    places to be in use at once (with two ways for a tenth): keys that come and go all the time then find their sets full hardly ever.

    Parameters
    ----------
    key_width : int
        Bits of the key.
    value_shape : ShapeLike
        What is stored with a key.
    places : int
        Keys that fit a region; a power of two, at least 32.
    regions : int
        Independent tables in the same memory.
    ways : int
        Of each bank, 2 or 4: what is compared at once. Four fill better, two take half the wires.
    pending : int
        Places that may be about to be written while a lookup is under way.
    few : int
        Of its hash.

    Ports
    -----
    lookup : In(1), hashes : In, region : In
        Cycle t: look up the key with these hashes (``hash(key)``) in ``region``.
    key : In(key_width)
        Cycle t + 1: the key.
    pending : In(pending x {valid, place})
        Cycle t + 1: places of region 0 that are taken already, though it is not written yet.
    found : Out(1)
        From t + 3 on, until three cycles after the next lookup: the key is there.
    found_place : Out, value : Out
        From t + 3 on, until two cycles after the next lookup: where; what is stored with it (zero if it is not there).
    room : Out(1), free_place : Out
        As ``found_place``: there is a free way for the key; which one.
    keep : In(1), bank : In(1)
        Cycle t: keep the set of this bank that was read by the last lookup two cycles ago or more.
    group : Out(ways entries)
        The set that was kept, from t + 1 on until the next one.
    write : In(1), place_region : In, place : In, entry : In
        Writes one entry; a lookup in a later cycle sees it. Never in the cycle of a lookup.
    clear : In(1), row : In
        Empties row ``row`` of both banks; no write at the same time.

    Notes
    -----
    A place is Cat(way, bank, set). Latency 3 cycles; a lookup may follow every second cycle.
    """

    def __init__(self, key_width: int, value_shape, *, places: int, regions: int = 1, ways: int = 4, pending: int = 0, few: int = 16):
        if places < 32 or places & (places - 1):
            raise ValueError(f"places must be a power of two and at least 32, not {places}")
        if ways not in (2, 4):
            raise ValueError(f"ways must be 2 or 4, not {ways}")
        if regions < 1:
            raise ValueError(f"regions must be at least 1, not {regions}")
        self.ways = ways
        self.way_bits = ways.bit_length() - 1
        self.sets = places // (BANKS * ways)
        self.depth = self.sets * regions
        self.set_bits = (self.sets - 1).bit_length()
        self.place_bits = self.set_bits + 1 + self.way_bits
        self.entry_shape = data.StructLayout({"valid": 1, "key": key_width, "value": value_shape})
        self.hash = Hash(key_width, self.set_bits, few)
        region_bits = max(1, (regions - 1).bit_length())
        super().__init__({
            "lookup": In(1),
            "hashes": In(BANKS * self.set_bits),
            "region": In(region_bits),
            "key": In(key_width),
            "pending": In(data.ArrayLayout(data.StructLayout({"valid": 1, "place": self.place_bits}), pending)),
            "found": Out(1),
            "found_place": Out(self.place_bits),
            "value": Out(value_shape),
            "room": Out(1),
            "free_place": Out(self.place_bits),
            "keep": In(1),
            "bank": In(1),
            "group": Out(data.ArrayLayout(self.entry_shape, ways)),
            "write": In(1),
            "place_region": In(region_bits),
            "place": In(self.place_bits),
            "entry": In(self.entry_shape),
            "clear": In(1),
            "row": In(max(1, (self.depth - 1).bit_length())),
        })
        self._rows = Signal(data.ArrayLayout(data.ArrayLayout(self.entry_shape, ways), BANKS))

    def place_set(self, place):
        """The set of a place."""
        return place[self.way_bits + 1:]

    def sets_of(self, hashes):
        """The sets that a key with these hashes may lie in, one a bank."""
        return [hashes[bank * self.set_bits:(bank + 1) * self.set_bits] for bank in range(BANKS)]

    def elaborate(self, platform):
        m = Module()
        arriving = [self._bank(m, bank) for bank in range(BANKS)]
        arrived, asked = Signal(), [Signal(self.set_bits, name=f"asked{bank}") for bank in range(BANKS)]
        sets = [Signal(self.set_bits, name=f"set{bank}") for bank in range(BANKS)]
        m.d.sync += [arrived.eq(self.lookup), Cat(asked).eq(self.hashes)]
        with m.If(arrived):
            m.d.sync += [Cat(sets).eq(Cat(asked)), Cat(row.as_value() for row in self._rows).eq(Cat(row.as_value() for row in arriving))]
        self._match(m, arriving, arrived)
        self._choose(m, sets, self._pending_ways(m, asked))
        with m.If(self.keep):
            m.d.sync += self.group.eq(Mux(self.bank, self._rows[1].as_value(), self._rows[0].as_value()))
        m.d.comb += self.found_place[self.way_bits + 1:].eq(Mux(self.found_place[self.way_bits], sets[1], sets[0]))
        return m

    def _address(self, set_, region):
        return Cat(set_, region)[:len(self.row)]

    def _bank(self, m, bank):
        """The memory of one bank; returns the row that was asked for in the cycle before."""
        m.submodules[f"bank{bank}"] = memory = ExclusiveMemory(shape=self._rows.shape().elem_shape, depth=self.depth)
        read, write = memory.read_port(), memory.write_port(granularity=1)
        m.d.comb += [
            read.en.eq(~(self.write | self.clear)),  # sooner known than whether somebody asks
            read.addr.eq(self._address(self.sets_of(self.hashes)[bank], self.region)),
            write.addr.eq(Mux(self.clear, self.row, self._address(self.place_set(self.place), self.place_region))),
        ]
        for way in range(self.ways):
            here = self.place[:self.way_bits + 1] == (bank << self.way_bits | way)
            m.d.comb += [
                write.en[way].eq(self.clear | (self.write & here)),
                write.data[way].eq(Mux(self.clear, 0, self.entry.as_value())),
            ]
        return read.data

    def _match(self, m, arriving, arrived):
        """Compares all keys in two steps, two bits each as the rows arrive, and selects the value of the one that matches."""
        ways = [(bank, way) for bank in range(BANKS) for way in range(self.ways)]
        matching = Signal(len(ways))
        matches = Signal(len(ways))
        selected = 0
        for index, (bank, way) in enumerate(ways):
            entry = arriving[bank][way]
            differ = entry.key ^ self.key
            pairs = Signal((len(differ) + 1) // 2, name=f"pairs{index}")
            with m.If(arrived):
                m.d.sync += pairs.eq(Cat(differ[bit:bit + 2].any() for bit in range(0, len(differ), 2)))
            m.d.comb += matching[index].eq(self._rows[bank][way].valid & ~pairs.any())
            selected = selected | Mux(matches[index], Value.cast(self._rows[bank][way].value), 0)
        m.d.sync += [matches.eq(matching), self.found.eq(matching.any())]
        m.d.comb += [
            Value.cast(self.value).eq(selected),
            self.found_place[:self.way_bits + 1].eq(Cat(
                Cat(matches[index] for index in range(len(ways)) if index >> bit & 1).any() for bit in range(self.way_bits + 1)
            )),
        ]

    def _pending_ways(self, m, asked):
        """The ways of either set that somebody is about to take, registered."""
        ways = [Signal(self.ways, name=f"pending_ways{bank}") for bank in range(BANKS)]
        for bank in range(BANKS):
            for way in range(self.ways):
                m.d.sync += ways[bank][way].eq(Cat(
                    taken.valid & (taken.place == Cat(Const(bank << self.way_bits | way, self.way_bits + 1), asked[bank]))
                    for taken in self.pending).any())
        return ways

    def _choose(self, m, sets, taken):
        """Registers the way that a new key would take."""
        free = [Cat(~self._rows[bank][way].valid & ~taken[bank][way] for way in range(self.ways)) for bank in range(BANKS)]
        count = [sum(free[bank][way] for way in range(self.ways)) for bank in range(BANKS)]
        lowest = [reduce(lambda later, way: Mux(free[bank][way], way, later), reversed(range(self.ways - 1)), self.ways - 1)
                  for bank in range(BANKS)]
        bank = Signal()
        way = Signal(self.way_bits)
        m.d.sync += [
            self.room.eq((free[0] | free[1]).any()),
            bank.eq(count[1] > count[0]),
            way.eq(Mux(count[1] > count[0], lowest[1], lowest[0])),
        ]
        m.d.comb += self.free_place.eq(Cat(way, bank, Mux(bank, sets[1], sets[0])))

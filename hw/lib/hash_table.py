"""An exact associative memory in block RAM: full keys, two banks of four ways, nothing ever moves."""

import random
from functools import reduce

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory

BANKS = 2


class Hash:
    """A fixed linear hash (H3): each bit of the result is the parity of a random half of the key's bits.

    Three LUT levels for 64 bits and no arithmetic, and as good as a random function for the keys met here: order
    references that share their low bits, prices that are all multiples of a tick.

    Parameters
    ----------
    width : int
        Bits of the key.
    bits : int
        Bits of the result.
    seed : int
        Which function of the family.
    """

    def __init__(self, width: int, bits: int, seed: int):
        rng = random.Random(seed)
        self.width = width
        self.bits = bits
        self.masks = [rng.getrandbits(width) for _ in range(bits)]
        self._tables = [
            [self._parities(byte << shift) for byte in range(256)] for shift in range(0, width, 8)
        ]

    def _parities(self, key: int) -> int:
        return sum(((key & mask).bit_count() & 1) << bit for bit, mask in enumerate(self.masks))

    def __call__(self, key) -> Value:
        """The hash of a hardware value, combinational."""
        return Cat((Value.cast(key) & mask).xor() for mask in self.masks)

    def compute(self, key: int) -> int:
        """The hash of an integer."""
        result = 0
        for table in self._tables:
            result ^= table[key & 0xFF]
            key >>= 8
        return result


class HashTable(wiring.Component):
    """Looks a key up in all ways of its two sets at once, and knows where a new key would go.

    A new key goes to the bank whose set has more free ways (bank 0 if equal), to its lowest free way (d-left hashing).
    Nothing is ever moved; the full key is stored, so a lookup never returns another key's value. Plan for half of the
    places to be in use at once (with two ways for three tenths).

    Parameters
    ----------
    key_width : int
        Bits of the key.
    value_shape : ShapeLike
        What is stored with a key.
    places : int
        Keys that fit a region; a power of two, at least 16.
    regions : int
        Independent tables in the same memory.
    ways : int
        Of each bank, 2 or 4: what is compared at once. Four fill better, two take half the wires.
    seed : int
        Chooses the hash functions.

    Ports
    -----
    lookup : In(1)
        Cycle t: look ``key`` up in ``region``. ``key`` must hold until t + 1.
    fetch : In(1)
        Cycle t: read the rows of the set of ``fetch_place`` in ``region`` (of both banks) without matching anything.
    rows : Out(2 banks of 4 entries)
        From t + 2 until two cycles after the next lookup or fetch.
    found : Out(1), found_place : Out, value : Out
        From t + 3 on: the key is there; where; what is stored with it (zero if it is not there).
    room : Out(1), free_place : Out
        From t + 3 on: there is a free way for the key; which one.
    write : In(1), write_region : In, write_place : In, write_entry : In
        Writes one entry; a lookup in a later cycle sees it. Never in the cycle of a lookup or fetch.
    clear : In(1), row : In
        Empties row ``row`` of both banks; no write at the same time.

    Notes
    -----
    A place is Cat(way, bank, set). Latency 3 cycles; a lookup each cycle would be possible for the memories, but there
    is one set of result registers, so a lookup waits until the result before it has been used.
    """

    def __init__(self, key_width: int, value_shape, *, places: int, regions: int = 1, ways: int = 4, seed: int):
        if places < 16 or places & (places - 1):
            raise ValueError(f"places must be a power of two and at least 16, not {places}")
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
        self.entry = data.StructLayout({"valid": 1, "key": key_width, "value": value_shape})
        self.hash = Hash(key_width, BANKS * self.set_bits, seed)
        region_bits = max(1, (regions - 1).bit_length())
        super().__init__({
            "lookup": In(1),
            "key": In(key_width),
            "region": In(region_bits),
            "fetch": In(1),
            "fetch_place": In(self.place_bits),
            "rows": Out(data.ArrayLayout(data.ArrayLayout(self.entry, ways), BANKS)),
            "found": Out(1),
            "found_place": Out(self.place_bits),
            "value": Out(value_shape),
            "room": Out(1),
            "free_place": Out(self.place_bits),
            "write": In(1),
            "write_region": In(region_bits),
            "write_place": In(self.place_bits),
            "write_entry": In(self.entry),
            "clear": In(1),
            "row": In(max(1, (self.depth - 1).bit_length())),
        })

    def elaborate(self, platform):
        m = Module()
        hashes = self.hash(self.key)
        sets = [Signal(self.set_bits, name=f"set{bank}") for bank in range(BANKS)]
        arrived = Signal()
        arriving = []
        m.d.sync += arrived.eq(self.lookup | self.fetch)

        def address(set_, region):
            return Cat(set_, region)[:len(self.row)]

        def place_set(place):
            return place[self.way_bits + 1:]

        for bank in range(BANKS):
            m.submodules[f"bank{bank}"] = memory = ExclusiveMemory(shape=self.rows.shape().elem_shape, depth=self.depth)
            read = memory.read_port()
            write = memory.write_port(granularity=1)
            arriving.append(read.data)
            hashed = hashes[bank * self.set_bits:(bank + 1) * self.set_bits]
            m.d.comb += [
                read.en.eq(self.lookup | self.fetch),
                read.addr.eq(address(Mux(self.fetch, place_set(self.fetch_place), hashed), self.region)),
                write.addr.eq(Mux(self.clear, self.row, address(place_set(self.write_place), self.write_region))),
            ]
            for way in range(self.ways):
                here = self.write_place[:self.way_bits + 1] == (bank << self.way_bits | way)
                m.d.comb += [
                    write.en[way].eq(self.clear | (self.write & here)),
                    write.data[way].eq(Mux(self.clear, 0, self.write_entry.as_value())),
                ]
            with m.If(self.lookup):
                m.d.sync += sets[bank].eq(hashed)
            with m.If(arrived):
                m.d.sync += self.rows[bank].eq(read.data)

        self._match(m, arriving, arrived)
        self._choose(m, sets)
        m.d.comb += [
            self.found_place[self.way_bits + 1:].eq(Mux(self.found_place[self.way_bits], sets[1], sets[0])),
        ]
        return m

    def _match(self, m, arriving, arrived):
        """Compares all eight keys in two steps, two bits each as the rows arrive, and selects the value of the one that matches."""
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
            m.d.comb += matching[index].eq(self.rows[bank][way].valid & ~pairs.any())
            selected = selected | Mux(matches[index], Value.cast(self.rows[bank][way].value), 0)
        m.d.sync += [matches.eq(matching), self.found.eq(matching.any())]
        m.d.comb += [
            Value.cast(self.value).eq(selected),
            self.found_place[:self.way_bits + 1].eq(Cat(
                Cat(matches[index] for index in range(len(ways)) if index >> bit & 1).any() for bit in range(self.way_bits + 1)
            )),
        ]

    def _choose(self, m, sets):
        """Registers the way that a new key would take."""
        free = [Cat(~self.rows[bank][way].valid for way in range(self.ways)) for bank in range(BANKS)]
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

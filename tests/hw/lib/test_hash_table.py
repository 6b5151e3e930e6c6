"""The hash function against its integer twin and on the keys of the market; the table against a dictionary."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from hw.book.far_levels import FarLevels
from hw.book.order_store import OrderStore
from hw.config import ALVEO, ECP5, MEDIUM, TINY
from hw.lib.hash_table import BANKS, Hash, HashTable
from sim.capacity import PlacedTable
from tests.hw.bench import made, simulate

PLACES = 32
REGIONS = 3


class Hashed(Component):
    """A hash function by itself."""

    def __init__(self, function):
        self._function = function
        super().__init__({"key": In(function.width), "result": Out(function.bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.result.eq(self._function(self.key))
        m.d.sync += Signal().eq(0)
        return m


@pytest.mark.parametrize(("width", "bits"), [(64, 9), (32, 7), (7, 3)])
def test_hardware_and_integer_hash_are_the_same(width, bits):
    dut, rng = Hashed(Hash(width, bits)), random.Random(1)

    async def testbench(ctx):
        for key in [0, (1 << width) - 1, *(1 << bit for bit in range(width)), *(rng.getrandbits(width) for _ in range(100))]:
            ctx.set(dut.key, key)
            assert ctx.get(dut.result) == dut._function.compute(key), f"key {key:#x}"

    simulate(dut, testbench)
    for key in range(1 << bits):
        assert dut._function.compute(key) == key | key << bits, "a key that is the number of a set has this set in both banks"


def fill(table, keys):
    """Share of the places in use when the first key finds none."""
    placed = PlacedTable(table)
    number = next((index for index, key in enumerate(keys) if not placed.add(0, key)), len(keys))
    return number / (BANKS * table.ways * table.sets)


def progression(step, count, start):
    return range(start, start + step * count, step)


@pytest.mark.parametrize("config", [TINY, ECP5, MEDIUM, ALVEO], ids=lambda config: config.name)
@pytest.mark.parametrize("step", [1, 25, 50, 100, 500, 1000, 2500, 10_000, "random"])
def test_prices_fill_half_of_a_table(config, step):
    rng = random.Random(9)
    table = FarLevels(config).table
    count = config.levels // 2
    for _ in range(6):
        start = rng.randrange(100, 5_000_000) // 100 * 100
        keys = rng.sample(range(1, 1 << 32), count) if step == "random" else progression(step, count, start)
        assert fill(table, keys) >= 0.5


@pytest.mark.parametrize("config", [TINY, ECP5, ALVEO], ids=lambda config: config.name)
@pytest.mark.parametrize("step", [1, 2, 4, 16, 256, "some", "random"])
def test_references_fill_the_share_of_the_store_that_is_promised(config, step):
    rng = random.Random(9)
    table = OrderStore(config).table
    count = config.orders // 2
    for _ in range(2 if count < 1 << 16 else 1):  # half a million keys take seconds, and are as many as the small ones see in all
        start = rng.getrandbits(24)
        if step == "random":
            keys = rng.sample(range(1, 1 << 63), count)
        elif step == "some":
            keys = sorted(rng.sample(range(start, start + 100 * count), count))
        else:
            keys = progression(step, count, start)
        assert fill(table, keys) >= {4: 0.5, 2: 0.3}[table.ways]


async def look_up(ctx, dut, key, region):
    ctx.set(dut.hashes, dut.hash.compute(key))
    ctx.set(dut.region, region)
    ctx.set(dut.lookup, 1)
    await ctx.tick()
    ctx.set(dut.lookup, 0)
    ctx.set(dut.hashes, 0)
    ctx.set(dut.key, key)
    await ctx.tick().repeat(2)
    return ctx.get(dut.found)


async def write(ctx, dut, region, place, *, key=0, value=0, valid=1):
    ctx.set(dut.write, 1)
    ctx.set(dut.place_region, region)
    ctx.set(dut.place, place)
    ctx.set(dut.entry, {"valid": valid, "key": key, "value": value})
    await ctx.tick()
    ctx.set(dut.write, 0)


def test_table_equals_a_dictionary_and_places_like_the_capacity_model():
    rng = random.Random(4)
    dut = made(HashTable, 16, 8, places=PLACES, regions=REGIONS)
    model, placed, refused, seen = {}, PlacedTable(dut), 0, {"found": 0, "not found": 0}

    async def testbench(ctx):
        nonlocal refused
        for _ in range(500):
            region = rng.randrange(REGIONS)
            known = [key for there, key in model if there == region]
            key = rng.choice(known) if known and rng.random() < 0.45 else rng.getrandbits(rng.choice((6, 16)))
            found = await look_up(ctx, dut, key, region)
            assert found == ((region, key) in model)
            seen["found" if found else "not found"] += 1
            if found:
                assert ctx.get(dut.value) == model[region, key]
                place = ctx.get(dut.found_place)
                keep = rng.random() < 0.5
                value = rng.getrandbits(8)
                await write(ctx, dut, region, place, key=key, value=value, valid=keep)
                if keep:
                    model[region, key] = value
                else:
                    del model[region, key]
                    placed.remove(region, key)
            else:
                assert ctx.get(dut.value) == 0
                room = ctx.get(dut.room)
                assert room == placed.add(region, key)
                refused += not room
                if room:
                    place = ctx.get(dut.free_place)
                    assert placed.place(region, key) == (place >> 2 & 1, place >> 3)
                    model[region, key] = value = rng.getrandbits(8)
                    await write(ctx, dut, region, place, key=key, value=value)

    simulate(dut, testbench)
    assert refused >= 10
    assert min(seen.values()) > 100


def test_every_bit_of_the_key_counts():
    """The only key in the table differs in one bit from the one looked up, and lies in every set it could be in."""
    dut, key = HashTable(64, 8, places=32), 0x0123456789ABCDEF

    async def testbench(ctx):
        for bit in range(64):
            for set_ in range(dut.sets):
                for bank in range(BANKS):
                    await write(ctx, dut, 0, set_ << 3 | bank << 2 | bit % 4, key=key ^ 1 << bit)
            assert not await look_up(ctx, dut, key, 0), f"bit {bit}"
            assert await look_up(ctx, dut, key ^ 1 << bit, 0), f"bit {bit}"

    simulate(dut, testbench)


def test_a_lookup_may_follow_every_second_cycle():
    dut, rng = HashTable(16, 8, places=PLACES), random.Random(6)

    async def testbench(ctx):
        places = {}
        for key in range(200):
            if not await look_up(ctx, dut, key, 0) and ctx.get(dut.room) and key % 3:
                places[key] = ctx.get(dut.free_place)
                await write(ctx, dut, 0, places[key], key=key, value=key)
        keys = [rng.randrange(200) for _ in range(100)]
        for cycle in range(2 * len(keys) + 3):
            number = cycle // 2
            ctx.set(dut.lookup, cycle % 2 == 0 and number < len(keys))
            if cycle % 2 == 0 and number < len(keys):
                ctx.set(dut.hashes, dut.hash.compute(keys[number]))
            elif cycle % 2 and number < len(keys):
                ctx.set(dut.hashes, rng.getrandbits(dut.hash.bits))
                ctx.set(dut.key, keys[number])
            if cycle % 2 and cycle >= 3:
                key = keys[(cycle - 3) // 2]
                assert ctx.get(dut.found) == (key in places)
                assert ctx.get(dut.value) == (key if key in places else 0)
                assert key not in places or ctx.get(dut.found_place) == places[key]
            await ctx.tick()

    simulate(dut, testbench)


def test_keep_shows_the_sets_of_a_lookup():
    """Of both banks one after the other, also while the next lookup is under way; and they stay."""
    dut = made(HashTable, 16, 8, places=PLACES, regions=REGIONS)

    def group(set_, bank, region):
        return [(1, 100 + (set_ << 3 | bank << 2 | way), region) for way in range(dut.ways)]

    def shown(ctx):
        return [(entry["valid"], entry["key"], entry["value"]) for entry in ctx.get(dut.group)]

    async def testbench(ctx):
        for place in range(PLACES):
            for region in range(REGIONS):
                await write(ctx, dut, region, place, key=100 + place, value=region)
        for set_ in range(dut.sets):
            for region in range(REGIONS):
                sets = set_, (set_ + 3) % dut.sets
                ctx.set(dut.region, region)
                ctx.set(dut.hashes, sets[0] | sets[1] << dut.set_bits)
                ctx.set(dut.lookup, 1)
                await ctx.tick()
                ctx.set(dut.lookup, 0)
                await ctx.tick()
                ctx.set(dut.hashes, 0)
                ctx.set(dut.lookup, 1)
                for bank in range(2):
                    ctx.set(dut.keep, 1)
                    ctx.set(dut.bank, bank)
                    await ctx.tick()
                    assert shown(ctx) == group(sets[bank], bank, region)
                    ctx.set(dut.lookup, 0)
                ctx.set(dut.keep, 0)
                await ctx.tick()
                assert shown(ctx) == group(sets[1], 1, region)

    simulate(dut, testbench)


def test_clear_empties_a_row():
    dut = made(HashTable, 16, 8, places=PLACES, regions=REGIONS)

    async def testbench(ctx):
        assert not await look_up(ctx, dut, 77, 1)
        place = ctx.get(dut.free_place)
        await write(ctx, dut, 1, place, key=77, value=3)
        assert await look_up(ctx, dut, 77, 1)
        ctx.set(dut.clear, 1)
        for row in range(dut.depth):
            ctx.set(dut.row, row)
            await ctx.tick()
        ctx.set(dut.clear, 0)
        assert not await look_up(ctx, dut, 77, 1)

    simulate(dut, testbench)


@pytest.mark.parametrize("places", [16, 48])
def test_refuses_places_that_make_no_table(places):
    with pytest.raises(ValueError, match=f"places must be a power of two and at least 32, not {places}"):
        HashTable(16, 8, places=places)

"""DirectoryBinder: what good frames say of names, as the model has it."""

import random

import pytest

from hw.feed.directory import DirectoryBinder
from sim.golden.directory import DirectoryModel
from sim.golden.records import DirectoryEntry
from tests.hw.bench import made, simulate

NAMES = [b"MSFT    ", b"AMZN    ", b"", b"A       ", b"AMZN    ", b"ZVZZT   "]
OTHERS = [b"AMZNW   ", b"        ", b"\0" * 8, b"a       ", b"B       ", b"ZVZZT  Q"]
BUSY = 30


def number(name):
    return int.from_bytes(name, "little")


def bindings_of(ctx, dut):
    found = [(slot, ctx.get(binding)) for slot, binding in enumerate(dut.bindings)]
    return {slot: binding.locate for slot, binding in found if binding.enable}


async def send(ctx, dut, entries, end, *, pause=lambda: 0, line=0):
    """Entries of a frame, and in the cycle of the last one its end: commit or discard."""
    for entry in [*entries[:-1], None]:
        ctx.set(dut.entries[line].valid, 0)
        for _ in range(pause()):
            await ctx.tick()
        last = entry is None
        entry = (entries or [None])[-1] if last else entry
        ctx.set(dut.entries[line].valid, entry is not None)
        if entry is not None:
            ctx.set(dut.entries[line].payload, {"locate": entry.locate, "name": number(entry.name)})
        if last:
            ctx.set(getattr(dut, end)[line], 1)
        await ctx.tick()
    ctx.set(dut.entries[line].valid, 0)
    ctx.set(getattr(dut, end)[line], 0)


def with_names(ctx, dut, names):
    ctx.set(dut.enable, 1)
    for slot, name in enumerate(names):
        ctx.set(dut.names[slot], number(name))


@pytest.mark.parametrize("seed", range(3))
def test_random_frames_host_bindings_and_names(seed):
    rng = random.Random(seed)
    dut, model = DirectoryBinder(len(NAMES)), DirectoryModel(NAMES)

    async def testbench(ctx):
        with_names(ctx, dut, NAMES)
        for _ in range(120):
            entries = [DirectoryEntry(rng.getrandbits(16), rng.choice([*NAMES, *OTHERS]) or b"A" * 8) for _ in range(rng.randrange(5))]
            end = rng.choice(["commit", "commit", "discard"])
            await send(ctx, dut, entries, end, pause=lambda: rng.choice([0, 0, 1, 4]))
            model.frame(entries, end == "commit")
            slot = rng.randrange(len(NAMES))
            model.enabled = rng.random() < 0.8
            ctx.set(dut.enable, model.enabled)
            match rng.randrange(6):
                case 0:
                    locate = rng.getrandbits(16)
                    ctx.set(dut.host_bindings[slot], {"enable": 1, "locate": locate})
                    model.host[slot] = locate
                case 1:
                    ctx.set(dut.host_bindings[slot], {"enable": 0, "locate": rng.getrandbits(16)})
                    model.host.pop(slot, None)
                case 2:
                    name = rng.choice([*NAMES, *OTHERS[:2]])
                    await ctx.tick().repeat(DirectoryBinder.LATENCY + len(entries))
                    ctx.set(dut.names[slot], number(name))
                    ctx.set(dut.renamed, 1 << slot)
                    await ctx.tick()
                    ctx.set(dut.renamed, 0)
                    model.rename(slot, name)
            await ctx.tick().repeat(rng.choice([DirectoryBinder.LATENCY + 6, BUSY]))
            assert bindings_of(ctx, dut) == model.bindings
            assert ctx.get(dut.bound) == sum(1 << slot for slot in model.bound)
            assert not ctx.get(dut.missed)

    simulate(dut, testbench)


def test_latency():
    dut = made(DirectoryBinder, len(NAMES))

    async def testbench(ctx):
        with_names(ctx, dut, NAMES)
        await send(ctx, dut, [DirectoryEntry(7, NAMES[1])], "commit")
        for _ in range(DirectoryBinder.LATENCY - 1):
            assert bindings_of(ctx, dut) == {}
            await ctx.tick()
        assert bindings_of(ctx, dut) == {1: 7}

    simulate(dut, testbench)


@pytest.mark.parametrize("cycle", range(DirectoryBinder.LATENCY + 2))
def test_nothing_of_the_old_name_is_bound_after_a_new_one(cycle):
    """The name changes ``cycle`` cycles after the entry for the old one came in, with the end of its frame."""
    dut = made(DirectoryBinder, 2)

    async def testbench(ctx):
        with_names(ctx, dut, NAMES[:2])
        ctx.set(dut.entries[0].payload, {"locate": 7, "name": number(NAMES[1])})
        for now in range(BUSY):
            ctx.set(dut.entries[0].valid, now == 0)
            ctx.set(dut.commit, now == 0)
            ctx.set(dut.renamed, 0b10 if now == cycle else 0)
            if now == cycle:
                ctx.set(dut.names[1], number(OTHERS[0]))
            await ctx.tick()
        assert bindings_of(ctx, dut) == {}
        await send(ctx, dut, [DirectoryEntry(9, OTHERS[0])], "commit")
        await ctx.tick().repeat(BUSY)
        assert bindings_of(ctx, dut) == {1: 9}

    simulate(dut, testbench)


def test_any_line_binds_and_a_bad_frame_of_one_is_not_another_s():
    dut = made(DirectoryBinder, 3, lines=3)

    async def testbench(ctx):
        with_names(ctx, dut, NAMES[:3])
        for line in range(3):  # at the same time, with different ends
            ctx.set(dut.entries[line].payload, {"locate": 10 + line, "name": number(NAMES[line % 2])})
            ctx.set(dut.entries[line].valid, 1)
        ctx.set(dut.commit, 0b011)
        ctx.set(dut.discard, 0b100)
        await ctx.tick()
        for line in range(3):
            ctx.set(dut.entries[line].valid, 0)
        ctx.set(dut.commit, 0)
        ctx.set(dut.discard, 0)
        await ctx.tick().repeat(BUSY)
        assert bindings_of(ctx, dut) == {0: 10, 1: 11}
        await send(ctx, dut, [DirectoryEntry(20, NAMES[0]), DirectoryEntry(21, NAMES[1])], "commit", line=2)
        await ctx.tick().repeat(BUSY)
        assert bindings_of(ctx, dut) == {0: 20, 1: 21}

    simulate(dut, testbench)


def test_too_many_entries_in_a_frame():
    dut, missed = DirectoryBinder(2, depth=4), []

    async def testbench(ctx):
        with_names(ctx, dut, NAMES[:2])
        for count, end in ((4, "commit"), (5, "commit"), (5, "discard"), (2, "commit")):
            await send(ctx, dut, [DirectoryEntry(100 * count + at, NAMES[0]) for at in range(count)], end)
            missed.append(0)
            for _ in range(BUSY):
                missed[-1] += ctx.get(dut.missed)
                await ctx.tick()
            assert bindings_of(ctx, dut) == {0: 403 if count > 2 else 201}

    simulate(dut, testbench)
    assert missed == [0, 1, 0, 0]


@pytest.mark.parametrize("symbols", [0, 257])
def test_number_of_slots(symbols):
    with pytest.raises(ValueError, match=f"symbols must be 1 to 256, not {symbols}"):
        DirectoryBinder(symbols)
    with pytest.raises(ValueError, match="lines must be at least 1, not 0"):
        DirectoryBinder(1, lines=0)

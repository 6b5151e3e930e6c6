"""The host's side of the register bus in a testbench: accesses by the names of the register map."""

from hw.config import TINY
from hw.host_interface.bank import RegisterBank
from hw.host_interface.bus import READ_LATENCY
from hw.host_interface.registers import REGISTERS
from hw.reasons import RejectReason
from tests.hw.bench import simulate

BY_NAME = {register.name: register for register in REGISTERS}

WRITE_LATENCY = 3
"""Cycles from a write to its value on the bank's ports."""

LIMITS = {"MAX_SHARES": 500, "MAX_POSITION": 10_000, "MAX_NOTIONAL": 0x12_3456_789A_BCDE, "RATE_BURST": 7, "RATE_INTERVAL": 0x89ABCDEF}
AT_LEAST = {"MAX_DAY_NOTIONAL": 2**64 - 1, "MAX_OPEN_ORDERS": 1, "WAIVED": 1 << RejectReason.DEAD_MAN,
            "MAX_GROSS": 2**64 - 1, "MAX_NET": 2**64 - 1}
"""Without these the others are refused."""


async def commit(host, generation=1, **changes):
    for name, value in (AT_LEAST | LIMITS | changes).items():
        await host.write(f"SHADOW_{name}", value)
    await host.write("LIMITS_COMMIT", generation)


class Host:
    """Drives a ``RegisterBus``; one access a cycle at the most."""

    def __init__(self, ctx, bus):
        self._ctx = ctx
        self._bus = bus

    async def write_word(self, address, value):
        ctx, bus = self._ctx, self._bus
        ctx.set(bus.address, address)
        ctx.set(bus.write_data, value)
        ctx.set(bus.write, 1)
        await ctx.tick()
        ctx.set(bus.write, 0)
        ctx.set(bus.write_data, ~value & 0xFFFFFFFF)  # nothing may depend on what an idle bus holds
        ctx.set(bus.address, address ^ 4)

    async def read_words(self, *addresses):
        """Reads that follow each other without a pause."""
        ctx, bus = self._ctx, self._bus
        values = []
        for cycle in range(len(addresses) + READ_LATENCY):
            ctx.set(bus.read, cycle < len(addresses))
            ctx.set(bus.address, addresses[min(cycle, len(addresses) - 1)])
            if cycle >= READ_LATENCY:
                values.append(ctx.get(bus.read_data))
            if cycle < len(addresses) + READ_LATENCY - 1:
                await ctx.tick()
        return values

    async def write(self, name, value, *index):
        register = BY_NAME[name]
        for word in range(register.words):
            await self.write_word(offset(register, index) + 4 * word, value >> 32 * word & 0xFFFFFFFF)

    async def arm(self):
        """Both steps; shows on the bank's port when it is through."""
        await self.write("ARM_UNLOCK", await self.read("ARM_CHALLENGE") ^ 0xFFFFFFFF)
        await self.write("ARM", 1)
        await self._ctx.tick().repeat(4)

    async def read(self, name, *index):
        register = BY_NAME[name]
        words = await self.read_words(*(offset(register, index) + 4 * word for word in range(register.words)))
        value = sum(word << 32 * i for i, word in enumerate(words))
        return value - (1 << 64) if register.signed and value >> 63 else value


def offset(register, index):
    return register.offset + sum(i * dimension.stride for i, dimension in zip(index, register.dimensions, strict=True))


def run(testbench, *others):
    """Runs ``testbench(ctx, bank, host, errors)``; ``errors`` holds the number of bus errors so far."""
    bank = RegisterBank(TINY)
    errors = [0]

    async def main(ctx):
        await testbench(ctx, bank, Host(ctx, bank.bus), errors)

    async def count_errors(ctx):
        async for _, _, error in ctx.tick().sample(bank.bus_error):
            errors[0] += error

    def beside(other):
        async def process(ctx):
            await other(ctx, bank)

        return process

    simulate(bank, main, processes=[count_errors, *map(beside, others)])

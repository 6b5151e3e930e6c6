"""The register bank against the definition of the map: random accesses, right and wrong, and what the stages see of them."""

from collections import Counter

from host.card.registers import COUNTERS, MAGIC, REGISTERS, VERSION_MAJOR, VERSION_MINOR
from hw.reasons import LimitRefusal, RejectReason
from sim.bench.host import HostBus
from sim.bench.testbench import bench_test, share
from sim.golden.bank import BankModel

SPECIAL = {"ARM", "EXECUTION_TRIPS", "KILL", "LATENCY_BIN", "LOOK", "POSITION_SYMBOL", "RESTORE_ORDER", "SIGNAL_SYMBOL", "TRIP", "USER_REF"}
"""Registers that show something else than what was written, or that stop the card."""

SOUND = {
    "MAX_SHARES": 1_000, "MAX_POSITION": 1_000, "MAX_NOTIONAL": 1 << 40, "MAX_DAY_NOTIONAL": 1 << 40, "RATE_BURST": 7, "RATE_INTERVAL": 5,
    "MAX_OPEN_ORDERS": 3, "HEARTBEAT_INTERVAL": 4, "DUPLICATE_WINDOW": 1, "WAIVED": 1 << RejectReason.DEAD_MAN,
    "MAX_GROSS": 1 << 40, "MAX_NET": 1 << 40,
}
"""Limits at the edge of a contradiction."""


def elements(register, config):
    """The indices of a register that a configuration has."""
    sizes = {"venue": config.venues, "symbol": config.symbols, "word": -(-config.symbols // 32)}
    indices = [()]
    for dimension in register.dimensions:
        indices = [(*index, number) for index in indices for number in range(sizes[dimension.name])]
    return indices


def mask(register) -> int:
    if register.fields:
        return sum(((1 << field.width) - 1) << field.lsb for field in register.fields)
    return (1 << register.bits) - 1


class Pulses:
    """Counts the cycles in which outputs are set."""

    def __init__(self, tb, *names):
        self.tb, self.names, self.count = tb, names, dict.fromkeys(names, 0)

    def sample(self, cycle):
        for name in self.names:
            self.count[name] += self.tb.get(name)


@bench_test(timeout_us=100_000)
async def what_is_written_is_read(tb):
    """Settings keep what was written, whatever comes between; everything else is an error and changes nothing."""
    config, rng = tb.component.config, tb.rng
    bus, pulses, names = tb.add(HostBus(tb)), tb.add(Pulses(tb, "bus_error")), tb.monitor("names")
    settings = [(register, index) for register in REGISTERS.values() if register.access == "rw" and register.name not in SPECIAL
                for index in elements(register, config)]
    known = {counter.offset + venue * counter.venue_stride + 4 * word for counter in COUNTERS.values() for word in range(2)
             for venue in range(config.venues if counter.venue_stride else 1)}
    for register in REGISTERS.values():
        for index in elements(register, config):
            known |= {register.address(*index) + 4 * word for word in range(2 if register.bits > 32 else 1)}
    value, errors, wrong = dict.fromkeys([(register.name, index) for register, index in settings], 0), 0, []

    def expect(address, wanted, what):
        def check(got):
            tb.transactions += 1
            if got != wanted:
                wrong.append(f"{what} at {address:#x}: device says {got:#x}, the map {wanted:#x}")
        bus.read32(address, check)

    for _ in range(share(4_000)):
        register, index = rng.choice(settings)
        address, wide, key = register.address(*index), register.bits > 32, (register.name, index)
        odd = rng.random()
        if odd < 0.4:
            value[key] = rng.getrandbits(64 if wide else 32)
            bus.write(register.name, value[key], *index)
            value[key] &= mask(register)
        elif odd < 0.8:
            expect(address, value[key] & 0xFFFF_FFFF, register.name)
            if wide:
                expect(address + 4, value[key] >> 32, f"{register.name}, high word")
        elif odd < 0.85 and wide:
            errors += 1  # a high word without its low word
            expect(address, value[key] & 0xFFFF_FFFF, register.name)
            bus.write32(address + 4, rng.getrandbits(32))
        else:
            address = rng.choice([
                rng.randrange(0, 0x10000, 4), rng.randrange(0x10000, 0x80000, 4), rng.randrange(1 << 20) | rng.randint(1, 3)])
            if address in known:
                continue
            errors += 1
            if rng.random() < 0.5:
                bus.write32(address, rng.getrandbits(32))
            else:
                expect(address, 0, "nothing")
        if rng.random() < 0.05:
            await bus.settle()
    await bus.settle()
    assert not wrong, f"{len(wrong)} wrong answers, the first: {wrong[0]}"
    tb.compare([pulses.count["bus_error"]], [errors], "number of bus errors")
    for venue in range(config.venues):
        addresses = tb.get(f"venues__{venue}__addresses")
        wanted = [(value[f"{line}_IP", (venue,)], value[f"{line}_PORT", (venue,)]) for line in ("FEED", "FEED_B", "RECOVERY")]
        tb.compare([(address.ip, address.port) for address in addresses], wanted, "addresses")
        orders = tb.get(f"venues__{venue}__order_address")
        tb.compare([orders._asdict()], [{name: value[f"ORDER_{name.upper()}", (venue,)] for name in orders._fields}], "order address")
        bindings = tb.get(f"venues__{venue}__bindings")
        wanted = [(value["BINDING", (venue, slot)] >> 31, value["BINDING", (venue, slot)] & 0xFFFF) for slot in range(config.symbols)]
        tb.compare([(one.enable, one.locate) for one in bindings], wanted, "binding")
    told = {one.payload.symbol: one.payload.name for one in names.received}
    tb.compare([told.get(slot, 0) for slot in range(config.symbols)], [value["NAME", (slot,)] for slot in range(config.symbols)], "name")
    tb.compare([tb.get("cooldown")], [value["ARB_COOLDOWN", ()]], "cooldown")
    for venue, terms in enumerate(tb.get("terms")):
        wanted = (value["ARB_VENUES", ()] >> venue & 1, value["ARB_DIRECT", ()] >> venue & 1,
                  value["ARB_SHARE_FEE", (venue,)], value["ARB_FEE_RATE", (venue,)], value["ARB_MAX_AGE", (venue,)])
        got = terms._replace(share_fee=terms.share_fee % (1 << 24), fee_rate=terms.fee_rate % (1 << 18))
        tb.compare([tuple(got)], [wanted], "terms of a venue")
    tb.compare([tb.get("enable")], [value["ARB_ENABLE", (0,)] & (1 << config.symbols) - 1], "enabled symbols")


@bench_test(timeout_us=100_000)
async def limits_and_switches(tb):
    """The model of the bank beside the device: commits in one cycle and only of limits that make sense, arming only when it is allowed."""
    bus, rng, bank, changes = tb.add(HostBus(tb, rates=(1.0,))), tb.rng, BankModel(), []
    pulses, refusals = tb.add(Pulses(tb, "arm_refused", "limits_refused")), Counter()

    class Watch:
        """Limits must change as a whole: from one commit's to the next one's, never through a mixture."""

        before = None

        def sample(self, cycle):
            now = tb.get("limits")
            if now != self.before:
                changes.append(now._asdict())
                self.before = now

    tb.add(Watch())
    bus.on_write(lambda name, index, value: bank.write(name, value))
    bus.on_read(bank.read)
    for name, value in SOUND.items():
        bus.write(f"SHADOW_{name}", value)
    committed = [vars(bank.limits)]
    for _ in range(share(600)):
        odd = rng.random()
        if odd < 0.5:
            name = rng.choice(sorted(SOUND))
            bus.write(f"SHADOW_{name}", rng.choice([0, SOUND[name], SOUND[name], SOUND[name], 1, SOUND[name] + rng.choice([-1, 1])]))
        elif odd < 0.55:  # sound again
            for name, value in SOUND.items():
                bus.write(f"SHADOW_{name}", value + rng.randrange(2) * (name == "RATE_INTERVAL"))
        elif odd < 0.7:
            bus.write("LIMITS_COMMIT", bank.generation + 1 if rng.random() < 0.8 else rng.getrandbits(32))
            await bus.settle()
            refusals.update(bank.refused)
        elif odd < 0.9:
            await _steps_of_arming(bus, rng)
        else:
            bus.write("KILL", rng.randrange(2))
        await bus.settle()
        if vars(bank.limits) != committed[-1]:
            committed.append(dict(vars(bank.limits)))
        got = bool(tb.get("armed")), bool(tb.get("kill")), bool(tb.get("limits_valid")), tb.get("limits")._asdict()
        tb.compare([got], [(bank.armed, bank.killed, bank.limits_valid, vars(bank.limits))], "state")
        assert await bus.read("ARM") == bank.armed
        assert await bus.read("LIMITS_GENERATION") == bank.generation
        assert await bus.read("ACTIVE_MAX_NOTIONAL") == bank.limits.max_notional
        assert await bus.read("LIMITS_STATUS") & 0xFFFF == sum(1 << refusal for refusal in bank.refused)
        while await bus.read("LIMITS_STATUS") >> 31:
            pass
        assert await bus.read("LIMITS_CHECKSUM") == bank.checksum()
        assert await bus.read("TRIP") == 0
    tb.compare(changes, committed, "limits in force")
    assert set(refusals) == set(LimitRefusal) - {LimitRefusal.BAND} or share(100) < 100, refusals
    tb.compare([tuple(pulses.count.values())], [(bank.refused_arms, bank.refused_commits)], "refused arms and commits")
    await _armed(tb, bus, bank)
    tb.set(fault=1)
    await tb.cycles(2)
    assert not tb.get("armed"), "armed in spite of a fault"
    await bus.arm()
    await bus.settle()
    assert not tb.get("armed"), "armed in spite of a fault"
    tb.set(fault=0)
    await bus.arm()
    await bus.settle()
    assert not tb.get("armed"), "armed in spite of a trip"
    assert await bus.read("TRIP") == 2
    bus.write("TRIP", 2)
    await bus.arm()
    await bus.settle()
    assert tb.get("armed")


async def _steps_of_arming(bus, rng):
    """Right and wrong ones."""
    right, odd = await bus.read("ARM_CHALLENGE") ^ 0xFFFF_FFFF, rng.random()
    if odd < 0.8:
        bus.write("ARM_UNLOCK", right if odd < 0.6 else rng.choice([0, 1, right ^ 0xFFFF_FFFF, right ^ 1 << rng.randrange(32)]))
    if rng.random() < 0.2:
        bus.write("ARM_UNLOCK", right)  # once more: it is another one by now
    if rng.random() < 0.1:
        bus.write("KILL", rng.randrange(2))
    bus.write("ARM", rng.random() < 0.8)


async def _armed(tb, bus, bank):
    bus.write("KILL", 0)
    for name, value in SOUND.items():
        bus.write(f"SHADOW_{name}", value)
    bus.write("LIMITS_COMMIT", bank.generation + 1)
    await bus.arm()
    await bus.settle()
    assert tb.get("armed")


@bench_test
async def the_card_says_what_it_is(tb):
    config, bus = tb.component.config, tb.add(HostBus(tb))
    wanted = {
        "MAGIC": MAGIC, "VERSION": VERSION_MAJOR << 16 | VERSION_MINOR, "CONFIG_HASH": config.hash, "CONFIG_VENUES": config.venues,
        "CONFIG_SYMBOLS": config.symbols, "CONFIG_ORDERS": config.orders, "CONFIG_LEVELS": config.levels, "CONFIG_BACKLOG": config.backlog,
        "CONFIG_EVENTS": config.events, "CONFIG_CLOCK_HZ": config.clock_hz,
    }
    for name, value in wanted.items():
        tb.compare([await bus.read(name)], [value], name)
    for _ in range(share(100)):
        now = tb.rng.getrandbits(64)
        tb.set(now=now)
        await tb.cycles(3)
        tb.compare([await bus.read("TIME")], [now], "TIME")


@bench_test(timeout_us=100_000)
async def orders_and_replies_of_the_host(tb):
    """What was written goes out with the doorbell, once; an order rung while the last one waits is refused."""
    bus, rng = tb.add(HostBus(tb)), tb.rng
    orders, replies, pulses = tb.sink("host_orders"), tb.sink("replies"), tb.add(Pulses(tb, "host_order_refused"))
    asked, answered = [], []
    for _ in range(share(200)):
        shares, price, fields = rng.getrandbits(32), rng.getrandbits(32), (rng.getrandbits(4), rng.randrange(2), rng.getrandbits(8))
        bus.write("HOST_ORDER", fields[0] | fields[1] << 8 | fields[2] << 16)
        bus.write("HOST_ORDER_SHARES", shares)
        bus.write("HOST_ORDER_PRICE", price)
        await bus.settle()
        await tb.until(lambda: not tb.port("host_orders").is_valid, what="the way of the last order")
        bus.write("HOST_ORDER_DOORBELL", 1)
        asked.append((0, *fields, shares, price))
        kind, side, symbol, venue, shares, user_ref, number = rng.randrange(6), rng.randrange(2), *map(rng.getrandbits, (8, 4, 32, 32, 32))
        bus.write("REPLY", symbol | side << 8 | kind << 9 | venue << 12)
        bus.write("REPLY_SHARES", shares)
        bus.write("REPLY_USER_REF", user_ref)
        bus.write("REPLY_NUMBER", number)
        bus.write("REPLY_DOORBELL", rng.choice([1, 1, 0]))
        await bus.settle()
        answered.append((kind, symbol, side, shares, venue, user_ref, number))
    await tb.until(lambda: len(orders.received) == len(asked), what="all orders")
    got = [(one.strategy, one.venue, one.side, one.symbol, one.shares, one.price) for one in orders.payloads]
    tb.compare(got, asked, "order of the host")
    told = [(one.kind, one.symbol, one.side, one.shares, one.venue, one.user_ref, one.number) for one in replies.payloads]
    assert all(one in answered for one in told)
    assert len(told) < len(answered) or len(answered) < 10
    tb.transactions += len(told)
    assert pulses.count["host_order_refused"] == 0
    orders.hold = True  # nobody takes the order that waits
    for _ in range(3):
        bus.write("HOST_ORDER_DOORBELL", 1)
        await bus.settle()
    assert await bus.read("HOST_ORDER_BUSY") == 1
    assert pulses.count["host_order_refused"] == 2
    orders.hold = False
    await tb.until(lambda: len(orders.received) == len(asked) + 1, what="the order that waited")

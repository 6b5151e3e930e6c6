"""Limits on their way from the shadow into force: which of them make sense, and the checksum of those that are in force."""

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from hw.host_interface.registers import RISK
from hw.lib.parity import field_parity
from hw.reasons import WAIVABLE, LimitRefusal, RejectReason
from hw.settings import RiskLimits, SymbolLimits

LIMITS = tuple(name for name, _ in data.Layout.cast(RiskLimits))

SYMBOL_LIMITS = tuple(name for name, _ in data.Layout.cast(SymbolLimits))

NEVER_ZERO = ("max_shares", "max_notional", "max_position", "rate_burst", "rate_interval", "max_day_notional", "max_open_orders")

IN_FORCE = tuple(
    register.name.removeprefix("ACTIVE_").lower() for register in sorted(RISK, key=lambda register: register.offset)
    if register.name.startswith("ACTIVE_"))
"""The limits in the order in which the checksum takes them."""


class LimitRules(wiring.Component):
    """Tells what is wrong with limits.

    Ports
    -----
    limits : In(RiskLimits)
    wrong : Out(one bit a LimitRefusal)
        One cycle later; that of GENERATION is 0.
    """

    LATENCY = 1

    def __init__(self):
        super().__init__({"limits": In(RiskLimits), "wrong": Out(len(LimitRefusal))})

    def elaborate(self, platform):
        m = Module()
        limits, waivable = self.limits, sum(1 << reason for reason in WAIVABLE)
        rules = {
            LimitRefusal.RANGE: Cat(limits[name] == 0 for name in NEVER_ZERO).any(),
            LimitRefusal.WAIVED: (limits.waived & ~Const(waivable, 32)).any(),
            LimitRefusal.HEARTBEAT: (limits.heartbeat_interval == 0) & ~limits.waived[RejectReason.DEAD_MAN],
            LimitRefusal.DAY: limits.max_notional > limits.max_day_notional,
            LimitRefusal.POSITION: limits.max_shares > limits.max_position,
            LimitRefusal.NOTIONAL: limits.max_notional < limits.max_shares,
            LimitRefusal.ACCOUNT: (limits.max_notional > limits.max_gross) | (limits.max_notional > limits.max_net),
        }
        m.d.sync += [self.wrong[refusal].eq(wrong) for refusal, wrong in rules.items()]
        return m


class LimitsChecksum(wiring.Component):
    """Adds up what is in force, one word after the other, for ever.

    Ports
    -----
    limits : In(RiskLimits), generation : In(32)
    restart : In(1)
        Pulse: they are others from the next cycle on.
    value : Out(32)
        CRC-32 of the generation and the limits, as LIMITS_CHECKSUM says.
    checking : Out(1)
        ``value`` is not yet of them.
    """

    def __init__(self):
        super().__init__({
            "limits": In(RiskLimits), "generation": In(32), "restart": In(1), "value": Out(32), "checking": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        words = [self.generation]
        for name in IN_FORCE:
            limit = Value.cast(self.limits[name])
            words += [limit[bit:bit + 32] for bit in range(0, len(limit), 32)]
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=32).create()
        number, word = Signal(range(len(words) + 2)), Signal(32)
        m.d.sync += [word.eq(Array(words)[number]), number.eq(number + 1)]
        m.d.comb += [crc.data.eq(word), crc.valid.eq((number != 0) & (number <= len(words))), crc.start.eq(number == 0)]
        with m.If(number == len(words) + 1):
            m.d.sync += [number.eq(0), self.value.eq(crc.crc), self.checking.eq(0)]
        with m.If(self.restart):
            m.d.sync += [number.eq(0), self.checking.eq(1)]
        return m


def commit_symbol_limits(m, bank, value, written, source):
    """The shadows of one symbol go to the gateway when a slot is written to SYMBOL_COMMIT. Returns a pulse: they do not."""
    output = bank.symbol_limits
    new, wrong, refused = output.payload["values"], Signal(len(LimitRefusal)), Signal()
    m.d.comb += [
        output.payload.symbol.eq(value.symbol_commit), *(new[name].eq(getattr(value, f"symbol_{name}")) for name in SYMBOL_LIMITS),
        wrong[LimitRefusal.RANGE].eq((new.max_shares == 0) | (new.max_notional == 0) | (new.max_price == 0)
                                    | (value.symbol_commit >= bank.config.symbols)),
        wrong[LimitRefusal.NOTIONAL].eq(new.max_notional < new.max_shares), wrong[LimitRefusal.BAND].eq(new.min_price > new.max_price),
        refused.eq(written.symbol_commit & wrong.any()), output.valid.eq(written.symbol_commit & ~wrong.any()),
    ]
    with m.If(written.symbol_commit):
        m.d.sync += [source.symbol_status.eq(wrong), source.symbol_generation.eq(source.symbol_generation + output.valid)]
    return refused


def commit_limits(m, bank, value, written, source):
    """Joins the register file with the limits in force: ``bank.limits`` and what tells of them."""
    next_generation, shadows = Signal(32, init=1), Signal(RiskLimits)
    m.submodules.limit_rules = rules = LimitRules()
    m.submodules.limits_checksum = checksum = LimitsChecksum()
    refused, status, taken = Signal(len(LimitRefusal)), Signal(len(LimitRefusal)), Signal()
    m.d.comb += [
        *(shadows[name].eq(getattr(value, f"shadow_{name}")) for name in LIMITS), rules.limits.eq(shadows),
        refused.eq(rules.wrong | (value.limits_commit != next_generation) << LimitRefusal.GENERATION),
        taken.eq(written.limits_commit & ~refused.any()), checksum.restart.eq(taken),
        checksum.limits.eq(bank.limits), checksum.generation.eq(source.limits_generation),
        source.limits_status.eq(Cat(status, Const(0, 31 - len(status)), checksum.checking)), source.limits_checksum.eq(checksum.value),
        *(getattr(source, f"active_{name}").eq(getattr(bank.limits, name)) for name in LIMITS),
    ]
    symbol_refused = commit_symbol_limits(m, bank, value, written, source)
    m.d.sync += bank.limits_refused.eq(written.limits_commit & refused.any() | symbol_refused)
    with m.If(written.limits_commit):
        m.d.sync += status.eq(refused)
    with m.If(taken):
        m.d.sync += [
            bank.limits.eq(shadows), bank.limits_parity.eq(field_parity(shadows)), bank.limits_valid.eq(1),
            source.limits_generation.eq(next_generation), next_generation.eq(next_generation + 1),
        ]

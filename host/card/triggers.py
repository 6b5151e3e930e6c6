"""Orders that the host prepares and the card sends when a top of book meets their condition (docs/strategies.md)."""

from typing import NamedTuple

from host.card.control import Control
from host.card.protocol import CardError
from host.card.registers import REGISTERS
from host.card.strategies import enable_strategy

MAX_PRICE = 0x7FFFFFFF
"""Of an order: the gateway refuses a higher one."""

WHEN = {"bid at least": 0, "bid at most": 1, "ask at least": 2, "ask at most": 3}
"""How the watched price is compared; a side without a price meets nothing."""


class Trigger(NamedTuple):
    """A prepared order and its condition. Prices in 1/10000."""

    symbol: int
    """Slot that is watched and ordered."""
    watch_venue: int
    """Whose top of book is looked at."""
    when: str
    """One of ``WHEN``."""
    at: int
    venue: int
    """Where the order goes."""
    side: int
    shares: int
    price: int


class Triggers(NamedTuple):
    """Entries that wait for their condition, and those that have met it since they were last set or cleared."""

    armed: frozenset[int]
    fired: frozenset[int]


def enable_triggers(control: Control, enable: bool = True) -> None:
    """While they are not enabled nothing fires; what is armed stays so, and what has fired and not left is spent."""
    _entries(control)
    enable_strategy(control, "trigger", enable)


def set_trigger(control: Control, entry: int, trigger: Trigger) -> None:
    """Arms an entry, whatever it was before; it fires once."""
    _check_entry(control, entry)
    control.check_venue(trigger.watch_venue)
    control.check_venue(trigger.venue)
    control.check_slot(trigger.symbol)
    if trigger.when not in WHEN:
        raise ValueError(f"a trigger fires on {', '.join(WHEN)}, not on {trigger.when!r}")
    if not 1 <= trigger.at < 1 << 32:
        raise ValueError(f"the price of a trigger's condition is 1 to {(1 << 32) - 1}, not {trigger.at}")
    if trigger.side not in (0, 1) or not 1 <= trigger.shares < 1 << 32 or not 1 <= trigger.price <= MAX_PRICE:
        raise ValueError(f"no order: side {trigger.side}, {trigger.shares} shares at {trigger.price}")
    watch = REGISTERS["TRIGGER_WATCH"].pack(symbol=trigger.symbol, venue=trigger.watch_venue, when=WHEN[trigger.when])
    for name, value in (
        ("WATCH", watch), ("AT", trigger.at), ("ORDER", REGISTERS["TRIGGER_ORDER"].pack(venue=trigger.venue, side=trigger.side)),
        ("SHARES", trigger.shares), ("PRICE", trigger.price), ("COMMIT", REGISTERS["TRIGGER_COMMIT"].pack(index=entry, armed=1)),
    ):
        control.write(f"TRIGGER_{name}", value)


def clear_trigger(control: Control, entry: int) -> None:
    """Disarms an entry; what it has sent to the gateway leaves all the same."""
    _check_entry(control, entry)
    control.write("TRIGGER_COMMIT", REGISTERS["TRIGGER_COMMIT"].pack(index=entry))


def triggers(control: Control) -> Triggers:
    """What is armed and what has fired, entry by entry."""
    entries = range(_entries(control))
    armed, fired = control.read("TRIGGER_ARMED"), control.read("TRIGGER_FIRED")
    return Triggers(*(frozenset(entry for entry in entries if bits >> entry & 1) for bits in (armed, fired)))


def _entries(control: Control) -> int:
    entries = control.read("CONFIG_TRIGGERS")
    if not entries:
        raise CardError(f"the card {control.identity.configuration} has no trigger")
    return entries


def _check_entry(control: Control, entry: int) -> None:
    entries = _entries(control)
    if not 0 <= entry < entries:
        raise ValueError(f"this card has the trigger's entries 0 to {entries - 1}, not {entry}")

"""Puts risk limits in force, and believes nothing of it that it has not read back."""

from typing import Protocol

from host.card.limits import Limits, SymbolLimits
from host.card.protocol import CardError
from host.card.registers import REGISTERS, LimitRefusal

POLLS = 1_000_000
"""Looks at a busy flag before the card counts as stuck; clearing the largest book takes far fewer."""


class Registers(Protocol):
    """What of a card's control is needed."""

    def read(self, name: str, *index: int) -> int: ...

    def write(self, name: str, value: int, *index: int) -> None: ...

    def kill(self) -> None: ...

    def check_slot(self, symbol: int) -> None: ...

    def position(self, symbol: int) -> object: ...


class LimitWriter:
    """The limits of a card."""

    def __init__(self, control: Registers):
        self._control = control

    def set(self, limits: Limits) -> int:
        """Puts all limits in force at once and returns their generation.

        They are written to the shadow, read back, committed and read back again, with their checksum. Limits that are out of range or
        contradict each other are refused before anything is written; if the card shows others than were committed, it is killed.
        """
        limits.check()
        for name, value in limits._asdict().items():
            self._control.write(f"SHADOW_{name.upper()}", value)
        if (shadow := self._limits("SHADOW")) != limits:
            raise CardError(f"the card's shadow limits are {shadow}, not {limits}: nothing was committed")
        generation = (self._control.read("LIMITS_GENERATION") + 1) % (1 << 32)
        self._control.write("LIMITS_COMMIT", generation)
        active, shown = self._limits("ACTIVE"), self._control.read("LIMITS_GENERATION")
        if shown != generation:
            against = REGISTERS["LIMITS_STATUS"].unpack(self._control.read("LIMITS_STATUS"))["refused"]
            names = ", ".join(refusal.name for refusal in LimitRefusal if against >> refusal & 1)
            raise CardError(f"the card refused limits {generation} ({names}): it has generation {shown} (does somebody else set limits?)")
        if active != limits or (checksum := self._limits_checksum()) != limits.checksum(generation):
            self._control.kill()
            wrong = f"{active}, not {limits}" if active != limits else f"by their checksum {checksum:#x} not those that it shows"
            raise CardError(f"the card's limits are {wrong}: it has been killed")
        return generation

    def _limits_checksum(self) -> int:
        for _ in range(POLLS):
            if not REGISTERS["LIMITS_STATUS"].unpack(self._control.read("LIMITS_STATUS"))["checking"]:
                return self._control.read("LIMITS_CHECKSUM")
        raise CardError(f"the checksum of the limits is not there after {POLLS} looks")

    def active(self) -> Limits | None:
        """The limits in force; None: nothing has been committed."""
        return self._limits("ACTIVE") if self._control.read("LIMITS_GENERATION") else None

    def _limits(self, which: str) -> Limits:
        return Limits(**{name: self._control.read(f"{which}_{name.upper()}") for name in Limits._fields})

    def set_symbol(self, slot: int, limits: SymbolLimits) -> None:
        """Puts the limits of one symbol in force at once, beside those of all; ``SymbolLimits()`` limits nothing."""
        self._control.check_slot(slot)
        limits.check()
        for name, value in limits._asdict().items():
            self._control.write(f"SYMBOL_{name.upper()}", value)
        generation = self._control.read("SYMBOL_GENERATION")
        self._control.write("SYMBOL_COMMIT", slot)
        if self._control.read("SYMBOL_GENERATION") != (generation + 1) % (1 << 32):
            against = self._control.read("SYMBOL_STATUS")
            names = ", ".join(refusal.name for refusal in LimitRefusal if against >> refusal & 1)
            raise CardError(f"the card refused limits of slot {slot} ({names})")
        if (shown := self.of_symbol(slot)) != limits:
            self._control.kill()
            raise CardError(f"the card's limits of slot {slot} are {shown}, not {limits}: it has been killed")

    def of_symbol(self, slot: int) -> SymbolLimits:
        """The limits of one symbol, as the gateway has them."""
        self._control.position(slot)
        return SymbolLimits(**{name: self._control.read(f"SHOWN_{name.upper()}") for name in SymbolLimits._fields})

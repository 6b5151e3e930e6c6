"""The card's switches of whole strategies."""

from host.card.control import Control
from host.card.registers import REGISTERS


def enable_strategy(control: Control, strategy: str, enable: bool) -> None:
    """Sets the bit of one strategy (a field of STRATEGY_ENABLE) and leaves the others as they are."""
    register = REGISTERS["STRATEGY_ENABLE"]
    fields = register.unpack(control.read(register.name))
    control.write(register.name, register.pack(**fields | {strategy: int(enable)}))

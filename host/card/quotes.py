"""The quoter on the card, as the host sets it up and looks after it (docs/strategies.md)."""

from host.card.control import Control
from host.card.protocol import CardError
from host.card.strategies import enable_strategy
from host.strategy.quoter import QuoterParameters

STRATEGY = 2
"""The quoter's number in the orders: replies about them must carry it."""


def enable_quoter(control: Control, enable: bool = True) -> None:
    """Lets it quote while the card is armed. Off, as disarming does, takes back what stands."""
    _check(control)
    enable_strategy(control, "quoter", enable)


def set_quoter_venue(control: Control, venue: int) -> None:
    """Where it quotes, by the venue's own top of book; what stands elsewhere is cancelled."""
    _check(control)
    control.check_venue(venue)
    control.write("QUOTER_VENUE", venue)


def set_quoter(control: Control, symbol: int, parameters: QuoterParameters) -> None:
    """Puts a symbol's parameters in force, all at once."""
    _check(control)
    control.check_slot(symbol)
    parameters.check()
    for name, value in parameters._asdict().items():
        control.write(f"QUOTER_{name.upper()}", value)
    control.write("QUOTER_COMMIT", symbol)


def stop_quoting(control: Control, symbol: int) -> None:
    """Takes back a symbol's quotes."""
    _check(control)
    control.check_slot(symbol)
    control.write("QUOTER_ENABLE", 0)
    control.write("QUOTER_COMMIT", symbol)


def quoter_fault(control: Control) -> bool:
    """It has lost news of its orders, and quotes nothing more until positions are cleared."""
    _check(control)
    return bool(control.read("QUOTER_FAULT"))


def _check(control: Control) -> None:
    if not control.read("CONFIG_QUOTER"):
        raise CardError(f"the card {control.identity.configuration} has no quoter")

"""What the host's writes mean: limits in the shadow and in force, arming, the kill switch."""

from dataclasses import fields

from sim.golden.risk import WITHOUT_HOST_OR_MARKET, Limits

NO_FURTHER_LIMITS = {"MAX_DAY_NOTIONAL": 2**64 - 1, "MAX_OPEN_ORDERS": 2**16 - 1, "WAIVED": WITHOUT_HOST_OR_MARKET}
"""What must be written beside shares, notional, position and rate, so that orders pass."""

LIMITS = tuple(field.name for field in fields(Limits))


class BankModel:
    """The switches and limits of the card, one register write after another, as the register map describes them.

    Attributes
    ----------
    armed, killed, limits_valid : bool
    limits : Limits
        In force.
    generation : int
        Of the limits in force.
    refused_commits : int
    """

    def __init__(self) -> None:
        self.armed = self.killed = self.limits_valid = False
        self.limits = Limits(**dict.fromkeys(LIMITS, 0))
        self.generation = 0
        self.refused_commits = 0
        self._shadow = dict.fromkeys(LIMITS, 0)

    def write(self, register: str, value: int) -> None:
        """A write of a whole register; registers that do not matter here are ignored."""
        match register:
            case "ARM":
                self.armed = bool(value & 1) and self.limits_valid and not self.killed
            case "KILL":
                self.killed = bool(value & 1)
                self.armed = self.armed and not self.killed
            case "LIMITS_COMMIT":
                if value == (self.generation + 1) % (1 << 32):
                    self.generation = value
                    self.limits, self.limits_valid = Limits(**self._shadow), True
                else:
                    self.refused_commits += 1
            case _ if register.startswith("SHADOW_"):
                self._shadow[register.removeprefix("SHADOW_").lower()] = value

    def fault(self) -> None:
        """A part of the card found itself broken."""
        self.armed = False

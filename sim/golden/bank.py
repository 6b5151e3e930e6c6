"""What the host's writes mean: limits in the shadow and in force, arming, the kill switch."""

import zlib
from dataclasses import fields

from hw.reasons import WAIVABLE, LimitRefusal, RejectReason
from sim.golden.risk import WITHOUT_HOST_OR_MARKET, Limits

NO_FURTHER_LIMITS = {"MAX_DAY_NOTIONAL": 2**64 - 1, "MAX_OPEN_ORDERS": 2**16 - 1, "WAIVED": WITHOUT_HOST_OR_MARKET,
                     "MAX_GROSS": 2**64 - 1, "MAX_NET": 2**64 - 1}
"""What must be written beside shares, notional, position and rate, so that orders pass."""

LIMITS = tuple(field.name for field in fields(Limits))

CHECKED = (
    ("max_shares", 4), ("max_position", 4), ("max_notional", 8), ("rate_burst", 4), ("rate_interval", 4), ("waived", 4),
    ("duplicate_window", 4), ("max_day_notional", 8), ("heartbeat_interval", 4), ("max_open_orders", 4), ("max_distance", 4),
    ("max_deviation", 4), ("strategy_interval", 4), ("strategy_window", 4), ("symbol_interval", 4), ("symbol_window", 4),
    ("cancel_burst", 4), ("cancel_interval", 4), ("max_gross", 8), ("max_net", 8),
    ("max_executions", 4), ("execution_window", 4))
"""What the checksum is made of after the generation, and of how many bytes each."""


def refusals(limits: Limits) -> set[LimitRefusal]:
    """What is wrong with limits, whatever their number."""
    at_least_one = (limits.max_shares, limits.max_notional, limits.max_position, limits.rate_burst, limits.rate_interval,
                    limits.max_day_notional, limits.max_open_orders)
    listens = not limits.waived >> RejectReason.DEAD_MAN & 1
    wrong = {
        LimitRefusal.RANGE: min(at_least_one) < 1,
        LimitRefusal.WAIVED: any(limits.waived >> bit & 1 and bit not in WAIVABLE for bit in range(32)),
        LimitRefusal.HEARTBEAT: listens and not limits.heartbeat_interval,
        LimitRefusal.DAY: limits.max_day_notional < limits.max_notional,
        LimitRefusal.POSITION: limits.max_position < limits.max_shares,
        LimitRefusal.NOTIONAL: limits.max_notional < limits.max_shares,
        LimitRefusal.ACCOUNT: limits.max_notional > min(limits.max_gross, limits.max_net),
    }
    return {refusal for refusal, is_so in wrong.items() if is_so}


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
    refused : set of LimitRefusal
        What was against the last commit.
    refused_arms : int
    trips : set of str
        Why it has disarmed itself, as long as nobody has acknowledged it.
    """

    def __init__(self) -> None:
        self.armed = self.killed = self.limits_valid = False
        self.limits = Limits(**dict.fromkeys(LIMITS, 0))
        self.generation = 0
        self.refused_commits = self.refused_arms = 0
        self.refused, self.trips = set[LimitRefusal](), set[str]()
        self._shadow = dict.fromkeys(LIMITS, 0)
        self._challenge: int | None = None
        self._unlocked = False

    def read(self, register: str, value: int) -> None:
        """What the card showed of a register that the model can't know: the challenge, which is another one after each step."""
        if register == "ARM_CHALLENGE":
            self._challenge = value

    def write(self, register: str, value: int) -> None:
        """A write of a whole register; registers that do not matter here are ignored."""
        match register:
            case "ARM":
                may = self.limits_valid and not self.killed and (self.armed or self._unlocked and not self.trips)
                self.refused_arms += bool(value & 1) and not may
                self.armed = bool(value & 1) and may
                self._challenge, self._unlocked = None, False
            case "ARM_UNLOCK":
                right = self._challenge is not None and value ^ self._challenge == 0xFFFF_FFFF
                self.refused_arms += not right
                self._unlocked = right and self.limits_valid and not self.killed
                self._challenge = None
            case "TRIP":
                self.trips -= {name for bit, name in enumerate(("dead_man", "fault")) if value >> bit & 1}
            case "KILL":
                self.killed = bool(value & 1)
                self.armed, self._unlocked = self.armed and not self.killed, self._unlocked and not self.killed
            case "LIMITS_COMMIT":
                shadow = Limits(**self._shadow)
                self.refused = refusals(shadow)
                if value != (self.generation + 1) % (1 << 32):
                    self.refused.add(LimitRefusal.GENERATION)
                if self.refused:
                    self.refused_commits += 1
                else:
                    self.generation, self.limits, self.limits_valid = value, shadow, True
            case _ if register.startswith("SHADOW_"):
                self._shadow[register.removeprefix("SHADOW_").lower()] = value

    def checksum(self) -> int:
        """Of the limits in force."""
        words = b"".join(getattr(self.limits, name).to_bytes(size, "little") for name, size in CHECKED)
        return zlib.crc32(self.generation.to_bytes(4, "little") + words)

    def fault(self) -> None:
        """A part of the card found itself broken."""
        if self.armed:
            self.trips.add("fault")
        self.armed = self._unlocked = False

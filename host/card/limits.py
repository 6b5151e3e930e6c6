"""The risk limits of a card, and which of them make sense."""

from typing import NamedTuple

BITS = {"max_shares": 32, "max_notional": 64, "max_position": 32, "rate_burst": 16, "rate_interval": 32}


class Limits(NamedTuple):
    """What an order must keep to pass the gateway; docs/registers.md has the exact meaning."""

    max_shares: int
    """Largest quantity of one order."""
    max_notional: int
    """Largest shares x price of one order, in 1/10000 of the currency unit."""
    max_position: int
    """Largest long or short position of a symbol, working orders included, in shares."""
    rate_burst: int
    """Orders at once."""
    rate_interval: int
    """Clock cycles per order in the long run."""

    def check(self) -> None:
        """Raises ValueError for limits that are out of range or contradict each other. To stop all orders, disarm or kill."""
        for name, bits in BITS.items():
            value = getattr(self, name)
            if not 1 <= value < 1 << bits:
                raise ValueError(f"limit {name} must be 1 to {(1 << bits) - 1}, not {value}")
        if self.max_shares > self.max_position:
            raise ValueError(f"limits contradict: max_shares {self.max_shares} is above max_position {self.max_position}")
        if self.max_notional < self.max_shares:
            raise ValueError(f"limits contradict: max_notional {self.max_notional} is below max_shares {self.max_shares} at 0.0001")

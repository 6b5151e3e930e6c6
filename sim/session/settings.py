"""What a session is run with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionSettings:
    """Limits of the gateway, the detector's settings, and how the simulated venues behave.

    Attributes
    ----------
    seed : int
        Of the venues' answers and of the damaged frames.
    max_shares, max_position : int
        Shares of one order; position of one symbol, long or short, with what is working.
    max_notional : int
        Shares x price of one order, in 1/10000.
    rate_burst, rate_interval : int
        Orders at once; cycles per order in the long run.
    min_profit : int
        Smallest profit per share that is traded, in 1/10000.
    leg_shares : int
        Most shares of one leg.
    cooldown : int
        Cycles after a signal during which its symbol gives no other.
    idle_limit : int
        Cycles: a longer quiet time between two frames is cut to this.
    reply_delay : int
        Mean cycles until a venue answers an order.
    full_chance, part_chance : float
        Of an order to trade in full, or in part; otherwise it doesn't.
    damage_every : int
        One frame in about this many is preceded by a damaged copy of itself; 0: none is.
    """

    seed: int
    max_shares: int = 300
    max_notional: int = 80_000_0000
    max_position: int = 600
    rate_burst: int = 4
    rate_interval: int = 4_000
    min_profit: int = 100
    leg_shares: int = 400
    cooldown: int = 300
    idle_limit: int = 250
    reply_delay: int = 1_500
    full_chance: float = 0.6
    part_chance: float = 0.25
    damage_every: int = 200

    def __post_init__(self) -> None:
        for field in ("max_shares", "max_notional", "max_position", "rate_burst", "rate_interval", "min_profit", "leg_shares", "idle_limit",
                      "reply_delay"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} of a session must be at least 1, not {getattr(self, field)}")
        if not 0 <= self.full_chance + self.part_chance <= 1:
            raise ValueError(f"the chances of a fill add up to {self.full_chance + self.part_chance}, more than 1")

    def in_words(self, clock_hz: int) -> dict[str, str]:
        """For the report."""
        microseconds = 1e6 / clock_hz
        return {
            "Largest order": f"{self.max_shares:,} shares, {self.max_notional / 1e4:,.0f} in money",
            "Largest position of a symbol, long or short, working orders included": f"{self.max_position:,} shares",
            "Order rate": f"{self.rate_burst} at once, then one every {self.rate_interval:,} cycles "
                          f"({self.rate_interval * microseconds:.1f} µs)",
            "Arbitrage": f"from {self.min_profit / 1e4:.4f} a share on, at most {self.leg_shares:,} shares a leg, "
                         f"then {self.cooldown:,} cycles ({self.cooldown * microseconds:.1f} µs) of rest for the symbol",
            "Quiet time between frames": f"cut to {self.idle_limit:,} cycles ({self.idle_limit * microseconds:.1f} µs)",
            "Venues answer": f"after {self.reply_delay:,} cycles ({self.reply_delay * microseconds:.1f} µs) on average: "
                             f"{self.full_chance:.0%} trade in full, {self.part_chance:.0%} in part",
            "Damaged frames": f"one copy for about every {self.damage_every:,} good frames" if self.damage_every else "none",
        }

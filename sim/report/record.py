"""What a session leaves for its report: plain records, no card and no market behind them.

Times are exchange nanoseconds since midnight, prices 1/10000 of the currency unit, latencies clock cycles.
"""

from dataclasses import dataclass, field

BUY, SELL = "buy", "sell"


@dataclass(frozen=True)
class VenueRecord:
    """One venue and what it sent."""

    name: str
    source: str
    """Where its messages come from, in words: a file, a seed, or a derivation. Shown as it is."""
    synthetic: bool
    messages: int
    frames: int


@dataclass(frozen=True)
class SentOrder:
    """An order that left the card."""

    time: int
    """Exchange time of the message that caused it."""
    cycle: int
    """Card cycle of its first word."""
    venue: int
    symbol: int
    side: str
    shares: int
    price: int
    user_ref: int
    trigger_venue: int
    trigger_sequence: int
    trigger: str
    """Kind of the message that caused it, its ITCH type letter."""
    quiet: bool
    """That message was alone in its frame, and before it nothing had come or left for a while."""
    leg: int
    """1 for the first order of its trigger, 2 for the second."""
    from_end: int
    """Cycles from the trigger's last byte in to the order frame's first word out."""
    from_start: int
    """Cycles from the trigger's first byte in to the order frame's first word out."""
    filled: int
    """Shares that the venue traded."""


@dataclass(frozen=True)
class RejectedOrder:
    """An order that the risk gateway refused."""

    time: int
    venue: int
    symbol: int
    side: str
    shares: int
    price: int
    reason: str


@dataclass(frozen=True)
class Quote:
    """Top of book of one symbol at one venue from ``time`` on; 0 where a side is empty."""

    time: int
    venue: int
    symbol: int
    bid: int
    ask: int
    stale: bool = False


@dataclass(frozen=True)
class Signal:
    """An opportunity that the arbitrage detector took; ``profit`` of all shares together, after fees."""

    symbol: int
    buy_venue: int
    sell_venue: int
    shares: int
    profit: int


@dataclass(frozen=True)
class PositionStep:
    """A position after a fill."""

    time: int
    symbol: int
    shares: int


@dataclass(frozen=True)
class Check:
    """One line of the reconciliation: what the host counted and what the card or the wire says."""

    name: str
    expected: int
    actual: int

    @property
    def ok(self) -> bool:
        return self.expected == self.actual


@dataclass
class SessionRecord:
    """A whole session.

    Attributes
    ----------
    title : str
    card : str
        Name of the card's configuration.
    configuration : str
        Its hash, as the card shows it.
    clock_hz : int
    settings : dict of str to str
        Limits and strategy settings, in words.
    symbols : list of str
        By slot.
    position_limit : int
        Shares long or short of one symbol, working orders included.
    market_start, market_end : int
        Exchange time of the first and last message.
    message_times : list of list of int
        Exchange times of the messages, by venue.
    cycles : int
        Card cycles simulated.
    seconds : float
        Wall-clock seconds that the session took, without building the card.
    drops : dict of str to int
        Frames dropped, by reason (reasons that never occurred included).
    reject_reasons : list of str
        All reasons in the gateway's order.
    notes : list of str
        What a reader must know to judge the figures.
    """

    title: str
    card: str
    configuration: str
    clock_hz: int
    settings: dict[str, str]
    venues: list[VenueRecord]
    symbols: list[str]
    position_limit: int = 0
    market_start: int = 0
    market_end: int = 0
    message_times: list[list[int]] = field(default_factory=list)
    cycles: int = 0
    seconds: float = 0.0
    sent: list[SentOrder] = field(default_factory=list)
    rejected: list[RejectedOrder] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    positions: list[PositionStep] = field(default_factory=list)
    drops: dict[str, int] = field(default_factory=dict)
    reject_reasons: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def first_quote(self) -> int:
        """When the first top of book was seen; before it there is nothing to show of the market."""
        return self.quotes[0].time if self.quotes else self.market_start

    @property
    def messages(self) -> int:
        return sum(venue.messages for venue in self.venues)

    @property
    def frames(self) -> int:
        return sum(venue.frames for venue in self.venues)

    @property
    def reconciled(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    def nanoseconds(self, cycles: float) -> float:
        return cycles * 1e9 / self.clock_hz

    def rejects_by_reason(self) -> dict[str, int]:
        counts = dict.fromkeys(self.reject_reasons, 0)
        for order in self.rejected:
            counts[order.reason] = counts.get(order.reason, 0) + 1
        return counts

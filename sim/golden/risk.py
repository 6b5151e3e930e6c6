"""Reference models of the risk gateway: the checks as a list, one order or reply at a time."""

from dataclasses import dataclass, field

from sim.golden.records import BUY, Order, RejectReason

MAX_PRICE = 0x7FFFFFFF
MAX_WORKING = 2**32 - 1
POSITION_RANGE = range(-(2**32), 2**32)


@dataclass
class Limits:
    """Units as in the hardware's record; all zero passes nothing."""

    max_shares: int = 0
    max_notional: int = 0
    max_position: int = 0
    rate_burst: int = 0
    rate_interval: int = 0


class TokenBucketModel:
    """Earns a token every ``interval`` cycles, holds at most ``burst``. One call of :meth:`cycle` is one clock cycle."""

    def __init__(self) -> None:
        self.tokens = 0
        self.elapsed = 0

    def cycle(self, *, burst: int, interval: int, request: bool) -> bool:
        grant = bool(request and burst and self.tokens)
        earned = self.elapsed + 1 >= interval
        self.elapsed = 0 if earned else self.elapsed + 1
        if self.tokens > burst:
            self.tokens = burst
        else:
            self.tokens = min(self.tokens - grant + earned, burst)
        return grant


@dataclass
class Exposure:
    """Of one symbol. What works is counted from the moment of sending."""

    position: int = 0
    working_buy: int = 0
    working_sell: int = 0

    def working(self, side: int) -> int:
        return self.working_buy if side == BUY else self.working_sell

    def add_working(self, side: int, shares: int) -> None:
        if side == BUY:
            self.working_buy += shares
        else:
            self.working_sell += shares

    def after(self, side: int, shares: int) -> int:
        """The position on that side, should everything that works there trade, these shares with it."""
        held = self.position if side == BUY else -self.position
        return held + self.working(side) + shares


@dataclass
class RiskModel:
    """The gateway without time: the bucket is told of each cycle, orders and replies come in the order of their effect."""

    venues: int
    symbols: int
    limits: Limits = field(default_factory=Limits)
    limits_valid: bool = False
    armed: bool = False
    kill: bool = False
    fault: bool = False
    exposures: list[Exposure] = field(default_factory=list)
    halted: set[tuple[int, int]] = field(default_factory=set)
    """(venue, symbol) that the venue does not trade."""

    def __post_init__(self) -> None:
        self.exposures = [Exposure() for _ in range(self.symbols)]

    def clear_positions(self) -> bool:
        """Only while disarmed. True if it was done."""
        if self.armed:
            return False
        self.exposures = [Exposure() for _ in range(self.symbols)]
        self.fault = False
        return True

    def breach(self, order: Order) -> RejectReason:
        """The first check that fails, but for the rate; NONE if all hold."""
        if not self.armed or not self.limits_valid or self.fault:
            return RejectReason.HALTED
        if self.kill:
            return RejectReason.KILLED
        known = order.venue < self.venues and order.symbol < self.symbols
        if not known or order.shares == 0 or not 1 <= order.price <= MAX_PRICE:
            return RejectReason.BAD_ORDER
        if (order.venue, order.symbol) in self.halted:
            return RejectReason.MARKET_STATE
        if order.shares > self.limits.max_shares:
            return RejectReason.MAX_SHARES
        if order.shares * order.price > self.limits.max_notional:
            return RejectReason.MAX_NOTIONAL
        exposure = self.exposures[order.symbol]
        if exposure.after(order.side, order.shares) > self.limits.max_position:
            return RejectReason.POSITION
        if exposure.working(order.side) + order.shares > MAX_WORKING:
            return RejectReason.POSITION
        return RejectReason.NONE

    def decide(self, order: Order, bucket: TokenBucketModel) -> RejectReason:
        """Spends this cycle of the bucket, and a token if nothing else stands against the order."""
        reason = self.breach(order)
        granted = bucket.cycle(
            burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=reason is RejectReason.NONE
        )
        if reason is not RejectReason.NONE:
            return reason
        if not granted:
            return RejectReason.RATE
        self.exposures[order.symbol].add_working(order.side, order.shares)
        return RejectReason.NONE

    def idle(self, bucket: TokenBucketModel) -> None:
        """A cycle without a decision."""
        bucket.cycle(burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=False)

    def reply(self, *, filled: bool, symbol: int, side: int, shares: int) -> bool:
        """A fill moves shares from working to position, a release only takes them away. False for a bad reply."""
        if symbol >= self.symbols:
            return False
        exposure = self.exposures[symbol]
        good = shares <= exposure.working(side)
        exposure.add_working(side, -min(shares, exposure.working(side)))
        if filled:
            exposure.position += shares if side == BUY else -shares
            if exposure.position not in POSITION_RANGE:
                self.fault = True
        return good

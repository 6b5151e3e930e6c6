"""Reference models of the risk gateway: the checks as a list, one order or reply at a time."""

from collections import deque
from dataclasses import dataclass, field

from sim.golden.records import BUY, CANCEL_ORDER, NEW, Order, RejectReason

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

    def cycle(self, *, burst: int, interval: int, request: int) -> bool:
        """``request``: messages that ask to pass in this cycle, all or none of them."""
        grant = bool(request) and min(self.tokens, burst) >= request
        earned = self.elapsed + 1 >= interval
        self.elapsed = 0 if earned else self.elapsed + 1
        if self.tokens > burst:
            self.tokens = burst
        else:
            self.tokens = min(self.tokens - grant * request + earned, burst)
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
    kinds: tuple[int, ...] = (NEW, CANCEL_ORDER)
    """What order entry can send."""
    orphan: bool = False
    """The order before was refused and not its other leg: what comes next is that leg."""

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
        """The first check that fails, but for its other leg and the rate; NONE if all hold. A cancel only has to be one."""
        known = order.venue < self.venues and order.symbol < self.symbols and order.kind in self.kinds
        if order.kind == CANCEL_ORDER:
            return RejectReason.NONE if known else RejectReason.BAD_ORDER
        if not self.armed or not self.limits_valid or self.fault:
            return RejectReason.HALTED
        if self.kill:
            return RejectReason.KILLED
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
        """Spends this cycle of the bucket, and a token if nothing else stands against the order. A first leg that comes here came alone."""
        reason = self.breach(order)
        if order.kind == CANCEL_ORDER:
            self.idle(bucket)
            return reason
        alone, self.orphan = self.orphan or order.pair, bool(order.pair)
        if alone and reason is RejectReason.NONE:
            reason = RejectReason.PAIR
        return self._spend([(order, reason)], bucket)[0]

    def decide_pair(self, first: Order, second: Order, bucket: TokenBucketModel) -> tuple[RejectReason, RejectReason]:
        """Both legs at once. A cancel is never a leg: where one comes second, the first has come alone."""
        reasons = [self.breach(first), self.breach(second)]
        if second.kind == CANCEL_ORDER:
            self.idle(bucket)
            self.orphan = False
            return reasons[0] or RejectReason.PAIR, reasons[1]
        if self.orphan:
            reasons[0] = reasons[0] or RejectReason.PAIR
        self.orphan = bool(second.pair)
        no_leg = second.pair or second.strategy != first.strategy or (second.symbol, second.side) == (first.symbol, first.side)
        if no_leg and reasons[1] not in (RejectReason.HALTED, RejectReason.KILLED):
            reasons[1] = RejectReason.BAD_ORDER
        if any(reasons):
            reasons = [reason or RejectReason.PAIR for reason in reasons]
        one, two = self._spend([(first, reasons[0]), (second, reasons[1])], bucket)
        return one, two

    def _spend(self, legs: list[tuple[Order, RejectReason]], bucket: TokenBucketModel) -> list[RejectReason]:
        """A token for each, if all are sound; then their shares are working."""
        sound = not any(reason for _, reason in legs)
        granted = bucket.cycle(
            burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=len(legs) if sound else 0)
        if not sound:
            return [reason for _, reason in legs]
        if not granted:
            return [RejectReason.RATE] * len(legs)
        for order, _ in legs:
            self.exposures[order.symbol].add_working(order.side, order.shares)
        return [RejectReason.NONE] * len(legs)

    def idle(self, bucket: TokenBucketModel) -> None:
        """A cycle without a decision."""
        bucket.cycle(burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=0)

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


Ask = tuple[Order, int]
"""An order, and whatever travels with it."""


class DoorModel:
    """The gateway with its clock: in which cycle it decides on what."""

    DECISION = 2
    """Cycles from the transfer of an order to the cycle whose limits and switches decide on it."""

    def __init__(self, risk: RiskModel, bucket: TokenBucketModel) -> None:
        self.risk, self.bucket = risk, bucket
        self._due: deque[tuple[int, Ask]] = deque()
        self._first: Ask | None = None

    @property
    def idle(self) -> bool:
        """No order is under examination."""
        return not self._due

    def cycle(self, now: int, taken: Ask | None) -> list[tuple[Ask, RejectReason]]:
        """One clock cycle, in which this order was transferred or none; its decisions. A second leg comes while the first is decided on."""
        if taken:
            self._due.append((now + self.DECISION, taken))
        if not self._due or self._due[0][0] != now:
            self.risk.idle(self.bucket)
            return []
        item = self._due.popleft()[1]
        order, first = item[0], self._first
        self._first = None
        if first:
            reasons = self.risk.decide_pair(first[0], order, self.bucket)
            return [(first, reasons[0]), (item, reasons[1])]
        if order.pair and order.kind != CANCEL_ORDER and taken:
            self._first = item
            self.risk.idle(self.bucket)
            return []
        return [(item, self.risk.decide(order, self.bucket))]

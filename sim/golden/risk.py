"""Reference models of the risk gateway: the checks as a list, one order or reply at a time."""

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from hw.reasons import PRIORITY, WAIVABLE, RejectReason
from sim.golden.account import Account, Release, Standing
from sim.golden.executions import Executions
from sim.golden.open_orders import FILLED, Answer, OpenOrders, Settlement
from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL, Order
from sim.golden.reference import Pace, Place, ReferenceModel, Seen, SymbolLimits, Touch

MAX_PRICE = 0x7FFFFFFF
MAX_WORKING = 2**32 - 1
POSITION_RANGE = range(-(2**32), 2**32)

WITHOUT_HOST_OR_MARKET = sum(
    1 << reason for reason in (RejectReason.DEAD_MAN, RejectReason.UNSURE_BOOK, RejectReason.COLLAR, RejectReason.FAT_FINGER))


@dataclass
class Limits:
    """Units as in the hardware's record; all zero passes nothing. The defaults let everything pass."""

    max_shares: int = 0
    max_notional: int = 0
    max_position: int = 0
    rate_burst: int = 0
    rate_interval: int = 0
    max_day_notional: int = 2**64 - 1
    duplicate_window: int = 0
    heartbeat_interval: int = 0
    max_open_orders: int = 2**16 - 1
    max_distance: int = 2**32 - 1
    max_deviation: int = 2**16 - 1
    waived: int = WITHOUT_HOST_OR_MARKET
    strategy_interval: int = 0
    strategy_window: int = 0
    symbol_interval: int = 0
    symbol_window: int = 0
    cancel_burst: int = 0
    cancel_interval: int = 0
    max_gross: int = 2**64 - 1
    max_net: int = 2**64 - 1
    max_executions: int = 0
    execution_window: int = 0


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

    def settle(self, settlement: Settlement) -> None:
        """No more stops working than works."""
        self.add_working(settlement.side, -min(settlement.working, self.working(settlement.side)))
        self.position += settlement.moves

    def add_working(self, side: int, shares: int) -> None:
        if side == BUY:
            self.working_buy += shares
        else:
            self.working_sell += shares

    def after(self, side: int, shares: int) -> int:
        """The position on that side, should everything that works there trade, these shares with it (fewer than none: without them)."""
        held = self.position if side == BUY else -self.position
        return held + self.working(side) + shares


DUPLICATE_MEMORY = 4
MAX_DAY = 2**64 - 1
REACTION = 4
"""Cycles, beside its window, between the decisions on an order and on its like, at which that is no duplicate yet."""

RELEASE = 4
"""Cycles from an answer to the first order that is weighed without what it has released; of another order that it ends one more."""

UNSEEN = Seen()
NO_OWN = SymbolLimits(2**32 - 1, 2**64 - 1, 2**32 - 1, 2**32 - 1)
MOST_SHARES = 2**32 - 1

MASKS = {
    "kill_venues": "killed_venues", "kill_strategies": "killed_strategies", "kill_symbols": "killed_symbols", "restricted": "restricted",
    "unreachable": "unreachable", "rearm_strategies": "rearmed"}
"""Masks of the gateway, and the sets of the model that they are."""


class Measures(NamedTuple):
    """What is looked at a cycle before the decision."""

    limits: Limits
    broken: bool
    open_count: int
    killed_venues: Collection[int]
    killed_strategies: Collection[int]
    killed_symbols: Collection[int]
    restricted: Collection[int]
    tripped: Collection[int]


@dataclass
class RiskModel:
    """The gateway without time: the bucket is told of each cycle, orders and replies come in the order of their effect."""

    venues: int
    symbols: int
    limits: Limits = field(default_factory=Limits)
    measures: "Measures | None" = None
    """What an order is held against that is of the cycle before; None: that is as it is now."""
    symbol_limits: dict[int, SymbolLimits] = field(default_factory=dict)
    """Of the symbols that have any."""
    limits_valid: bool = False
    limits_broken: bool = False
    """One of them has lost a bit."""
    armed: bool = False
    kill: bool = False
    fault: bool = False
    exposures: list[Exposure] = field(default_factory=list)
    halted: set[tuple[int, int]] = field(default_factory=set)
    """(venue, symbol) that the venue does not trade."""
    sure: Collection[Place] = ()
    """(venue, symbol) whose last top of book was sure."""
    stale: Collection[int] = ()
    """Venues whose books may not be trusted."""
    killed_venues: set[int] = field(default_factory=set)
    killed_strategies: set[int] = field(default_factory=set)
    killed_symbols: set[int] = field(default_factory=set)
    restricted: set[int] = field(default_factory=set)
    unreachable: set[int] = field(default_factory=set)
    """Venues to which nothing can leave."""
    reducing: bool = False
    expired: bool = False
    """The dead-man timer has run out."""
    day_notional: int = 0
    day_limit: int | None = None
    """The day's limit that counts already, where it is another than that of ``limits``."""
    now: int = 0
    """The cycle, for the window of duplicates."""
    sold_short: Counter[int] = field(default_factory=Counter)
    """Shares of the short sale orders that left, by symbol."""
    executions: Executions = field(default_factory=Executions)
    rearmed: set[int] = field(default_factory=set)
    """Strategies that somebody lets go on in this cycle."""
    account: Account = field(default_factory=Account)
    releases: deque[tuple[int, Release]] = field(default_factory=deque)
    """What works no longer, and the cycle from which on that counts."""
    debts: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """Of a strategy or a symbol: cycles that its orders have used ahead of their time, and when that was."""
    recent: deque[tuple[tuple[int, ...], int]] = field(default_factory=lambda: deque(maxlen=DUPLICATE_MEMORY))
    """Of the last orders that left what makes them the same, and the cycle from which on they don't count."""
    places: int = 16
    """Orders that may be open at a venue."""
    orphan: bool = False
    """The order before was refused and not its other leg: what comes next is that leg."""

    def __post_init__(self) -> None:
        self.exposures = [Exposure() for _ in range(self.symbols)]
        self.open = OpenOrders(self.venues, self.places)

    def switch(self, **masks: int) -> None:
        """Some of ``MASKS`` from now on; a bit a venue, strategy or symbol."""
        for name, mask in masks.items():
            setattr(self, MASKS[name], {bit for bit in range(mask.bit_length()) if mask >> bit & 1})

    def clear_positions(self) -> bool:
        """Only while disarmed. True if it was done."""
        if self.armed:
            return False
        self.exposures = [Exposure() for _ in range(self.symbols)]
        self.open = OpenOrders(self.venues, self.places, next_ref=self.open.next_ref, counts=self.open.counts)
        self.fault, self.day_notional, self.debts, self.sold_short = False, 0, {}, Counter()
        self.account, self.releases = Account(), deque()
        self.executions.counts.clear()
        return True

    def paces(self, order: Order, ahead: Seen | None = None) -> tuple[Pace, ...]:
        """Whether an order that is weighed now comes too soon. ``ahead``: what was found of the other leg, which leaves before it."""
        result = []
        for kind, key in (("strategy", order.strategy), ("symbol", order.symbol)):
            debt, since = self.debts.get((kind, key), (0, self.now))
            for other in ahead.paces if ahead else ():
                if (other.kind, other.key) == (kind, key):
                    debt, since = other.debt, other.since
            debt = max(0, debt - (self.now - since))
            interval, window = (getattr(self.limits, f"{kind}_{name}") for name in ("interval", "window"))
            result.append(Pace(kind, key, bool(interval) and debt > window, debt + interval, self.now))
        return tuple(result)

    def breaches(
        self, order: Order, seen: Seen = UNSEEN, *, ahead: int = 0, ahead_side: int | None = None, waited: int = 0, before: int = 0,
    ) -> set[RejectReason]:
        """Everything against an order but its other leg and the rate. A cancel only has to be one, to a venue that can be reached.

        ``seen``: the reference when it was weighed. ``ahead``: notional of the other leg, which is counted first, ``ahead_side``: and its
        side. ``waited``: cycles
        since it was weighed, more than those of a single order. ``before``: orders that leave with it, before it.
        """
        if order.kind == CANCEL_ORDER:
            if not self._known(order):
                return {RejectReason.BAD_ORDER}
            return {RejectReason.NO_SESSION} if order.venue in self.unreachable else set()
        measures = self.measures or self.measure()
        limits = measures.limits
        exposure = self.exposures[order.symbol] if order.symbol < self.symbols else Exposure()
        more = self.more(order)
        after, notional = exposure.after(order.side, more), order.shares * order.price
        replaces = order.kind == REPLACE_ORDER
        unknown = replaces and self.open.replaceable(order) is None
        day_limit = limits.max_day_notional if self.day_limit is None else self.day_limit
        too_far, far_for_its_price = seen.too_far(order, limits.max_distance)
        account = seen.account or self.standing()
        own, short = seen.own or NO_OWN, self.is_short(order)
        own_position = own.max_long if order.side == BUY else own.max_short
        same = (order.venue, order.symbol, order.side, order.shares, order.price)
        against = {
            RejectReason.DEAD_MAN: self.expired and self.limits_valid and not self.limits.waived >> RejectReason.DEAD_MAN & 1,
            RejectReason.HALTED: not self.armed or not self.limits_valid or measures.broken or self.fault,
            RejectReason.KILLED: self.kill or order.venue in measures.killed_venues or order.strategy in measures.killed_strategies
            or order.symbol in measures.killed_symbols,
            RejectReason.REPEATED: order.strategy in measures.tripped,
            RejectReason.BAD_ORDER: not self._known(order) or order.shares == 0 or not 1 <= order.price <= MAX_PRICE
            or (exposure.working(order.side) + more > MAX_WORKING and not unknown) or (replaces and bool(order.pair)),
            RejectReason.NO_SESSION: order.venue in self.unreachable,
            RejectReason.UNKNOWN_ORDER: unknown,
            RejectReason.RESTRICTED: order.symbol in measures.restricted,
            RejectReason.MARKET_STATE: (order.venue, order.symbol) in self.halted,
            RejectReason.UNSURE_BOOK: order.venue in self.stale or (order.venue, order.symbol) not in self.sure,
            RejectReason.COLLAR: too_far,
            RejectReason.FAT_FINGER: far_for_its_price,
            RejectReason.PRICE_BAND: not own.min_price <= order.price <= own.max_price,
            RejectReason.SHORT_SALE: bool(short and own.uptick_only) and (not seen.bids or order.price <= max(seen.bids)),
            RejectReason.LOCATE: short and self.sold_short[order.symbol] + order.shares > own.locates,
            RejectReason.SELF_MATCH: seen.crosses,
            RejectReason.MAX_SHARES: order.shares > min(limits.max_shares, own.max_shares),
            RejectReason.MAX_NOTIONAL: notional > min(limits.max_notional, own.max_notional),
            RejectReason.DUPLICATE: any(same == other and self.now - waited < until for other, until in self.recent),
            RejectReason.REDUCING: self.reducing and after > 0,
            RejectReason.POSITION: after > min(limits.max_position, own_position),
            RejectReason.DAY_NOTIONAL: self.day_notional + ahead + notional > day_limit,
            RejectReason.GROSS_NOTIONAL: account.gross + ahead + notional > account.max_gross,
            RejectReason.NET_NOTIONAL:
            account.net[order.side] + (ahead if order.side == ahead_side else 0) + notional > account.max_net,
            RejectReason.STRATEGY_RATE: any(pace.fast for pace in seen.paces if pace.kind == "strategy"),
            RejectReason.SYMBOL_RATE: any(pace.fast for pace in seen.paces if pace.kind == "symbol"),
            RejectReason.NO_PLACE: self.open.no_place(order.venue),
            RejectReason.OPEN_ORDERS: not replaces and measures.open_count + before >= limits.max_open_orders,
        }
        waived = {reason for reason in WAIVABLE if limits.waived >> reason & 1} - {RejectReason.DEAD_MAN}
        return {reason for reason, breach in against.items() if breach} - waived

    def more(self, order: Order) -> int:
        """Shares that would be working beyond those that are, if the venue did at once what the order asks for."""
        replaced = self.open.replaceable(order) if order.kind == REPLACE_ORDER else None
        return order.shares - (replaced.live if replaced else 0)

    def measure(self) -> Measures:
        return Measures(
            self.limits, self.limits_broken, self.open.count, self.killed_venues, self.killed_strategies, self.killed_symbols,
            self.restricted, frozenset(self.executions.tripped))

    def standing(self) -> Standing:
        account, limits = self.account, self.limits
        return Standing(account.gross, (account.net(BUY), account.net(SELL)), limits.max_gross, limits.max_net)

    def release(self) -> None:
        """What counts in this cycle."""
        while self.releases and self.releases[0][0] <= self.now:
            self.account.release(self.releases.popleft()[1])

    def is_short(self, order: Order) -> bool:
        """Could it leave a short position, should all sell orders trade that work for its symbol? Then all of it is a short sale."""
        return order.side != BUY and order.symbol < self.symbols and self.exposures[order.symbol].after(order.side, self.more(order)) > 0

    def _known(self, order: Order) -> bool:
        return order.venue < self.venues and order.symbol < self.symbols and order.kind in (NEW, REPLACE_ORDER, CANCEL_ORDER)

    def breach(self, order: Order) -> RejectReason:
        """The first one of them; NONE if there is none."""
        return first_of(self.breaches(order))

    def decide(self, order: Order, bucket: TokenBucketModel, seen: Seen = UNSEEN) -> RejectReason:
        """Spends this cycle of the bucket, and a token if nothing else stands against the order. A first leg that comes here came alone."""
        against = self.breaches(order, seen)
        if order.kind == CANCEL_ORDER:
            self.idle(bucket)
            return first_of(against)
        if self.orphan or order.pair:
            against.add(RejectReason.PAIR)
        self.orphan = bool(order.pair)
        return self._spend([(order, against, seen)], bucket)[0]

    def decide_pair(
        self, first: Order, second: Order, bucket: TokenBucketModel, seen: tuple[Seen, Seen] = (UNSEEN, UNSEEN),
    ) -> tuple[RejectReason, RejectReason]:
        """Both legs at once. A cancel is never a leg: where one comes second, the first has come alone."""
        ahead = first.shares * first.price
        against = [
            self.breaches(first, seen[0]._replace(account=seen[1].account), waited=DoorModel.LEGS),
            self.breaches(second, seen[1], ahead=ahead, ahead_side=first.side, before=1)]
        if self.orphan:
            against[0].add(RejectReason.PAIR)
        if second.kind == CANCEL_ORDER:
            self.idle(bucket)
            self.orphan = False
            return first_of(against[0] | {RejectReason.PAIR}), first_of(against[1])
        self.orphan = bool(second.pair)
        alike = second.venue == first.venue or (second.symbol, second.side) == (first.symbol, first.side)
        if second.pair or second.kind != NEW or second.strategy != first.strategy or alike:
            against[1].add(RejectReason.BAD_ORDER)
        if any(against):
            against = [reasons or {RejectReason.PAIR} for reasons in against]
        one, two = self._spend([(first, against[0], seen[0]), (second, against[1], seen[1])], bucket)
        return one, two

    def _spend(self, legs: list[tuple[Order, set[RejectReason], Seen]], bucket: TokenBucketModel) -> list[RejectReason]:
        """A token for each, if all are sound; then they count."""
        sound = not any(against for _, against, _ in legs)
        granted = bucket.cycle(
            burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=len(legs) if sound else 0)
        if not sound:
            return [first_of(against) for _, against, _ in legs]
        if not granted:
            return [RejectReason.RATE] * len(legs)
        for order, _, seen in legs:
            self.debts |= {(pace.kind, pace.key): (pace.debt, pace.since) for pace in seen.paces}
            if self.is_short(order):
                self.sold_short[order.symbol] = min(self.sold_short[order.symbol] + order.shares, MOST_SHARES)
            self.exposures[order.symbol].add_working(order.side, max(0, self.more(order)))
            self.account.send(order)
            self.day_notional = min(self.day_notional + order.shares * order.price, MAX_DAY)
            window = self.limits.duplicate_window
            self.recent.append((
                (order.venue, order.symbol, order.side, order.shares, order.price), self.now + window + REACTION if window else 0))
        return [RejectReason.NONE] * len(legs)

    def idle(self, bucket: TokenBucketModel) -> None:
        """A cycle without a decision."""
        bucket.cycle(burst=self.limits.rate_burst, interval=self.limits.rate_interval, request=0)

    def answer(self, answer: Answer) -> Settlement | None:
        """What a venue says takes effect in the table of open orders; what is still to be settled of it."""
        settlement = self.open.answer(answer, armed=self.armed, symbols=self.symbols)
        self.fault |= self.open.lost
        for later, released in enumerate(self.open.released, start=RELEASE):
            self.releases.extend((self.now + later, release) for release in released)
        return settlement

    def settle(self, settlement: Settlement) -> None:
        if settlement.kind == FILLED:
            self.executions.executed(settlement.strategy, self.limits.max_executions)
        exposure = self.exposures[settlement.symbol]
        self.fault |= settlement.working > exposure.working(settlement.side)
        exposure.settle(settlement)
        self.fault |= exposure.position not in POSITION_RANGE


def first_of(against: set[RejectReason]) -> RejectReason:
    """The reason that is told."""
    return next((reason for reason in PRIORITY if reason in against), RejectReason.NONE)


class DeadManModel:
    """One call of :meth:`cycle` is one clock cycle; says whether the time is over."""

    def __init__(self, unit_bits: int = 10) -> None:
        self.unit_bits, self.expired = unit_bits, True
        self._silent = 2 ** (unit_bits + 32) - 1

    def cycle(self, *, interval: int, heartbeat: bool) -> bool:
        expired, self.expired = self.expired, not heartbeat and self._silent >> self.unit_bits >= interval
        self._silent = 0 if heartbeat else min(self._silent + 1, 2 ** (self.unit_bits + 32) - 1)
        return expired


Ask = tuple[Order, int]
"""An order, and whatever travels with it."""


class Market(NamedTuple):
    """What the gateway hears of the market in a cycle."""

    touch: Touch | None = None
    stale: Collection[int] = ()
    restarted: Collection[int] = ()


QUIET = Market()


class Due(NamedTuple):
    """An order that is to be decided on."""

    cycle: int
    ask: Ask
    max_deviation: int


class DoorModel:
    """The gateway with its clock: in which cycle it decides on what."""

    DECISION = 3
    """Cycles from the transfer of an order to the cycle whose switches decide on it; limits are those of the cycle before."""

    LEGS = 2
    """Cycles from the first leg's transfer to the second one's."""

    def __init__(self, risk: RiskModel, bucket: TokenBucketModel) -> None:
        self.risk, self.bucket, self.dead_man, self.reference = risk, bucket, DeadManModel(), ReferenceModel()
        self._day_limits = deque([0] * 3)
        self._due: deque[Due] = deque()
        self._seen = self._first_seen = UNSEEN
        self._first: Ask | None = None
        self._market_before: tuple[Collection[Place], Collection[int]] = (), ()
        self._measures = risk.measure()

    @property
    def idle(self) -> bool:
        """No order is under examination."""
        return not self._due

    def cycle(
        self, now: int, taken: Ask | None, *, heartbeat: bool = False, market: Market = QUIET,
    ) -> list[tuple[Ask, RejectReason]]:
        """One clock cycle, in which this order was transferred or none; its decisions."""
        decisions = self._cycle(now, taken, heartbeat, market)
        self.risk.executions.rearm(self.risk.rearmed)
        return decisions

    def _cycle(self, now: int, taken: Ask | None, heartbeat: bool, market: Market) -> list[tuple[Ask, RejectReason]]:
        risk, limits = self.risk, self.risk.limits
        self._day_limits.append(limits.max_day_notional)
        risk.now, risk.day_limit = now, self._day_limits.popleft()
        risk.release()
        risk.executions.cycle(limits.execution_window)
        risk.expired = self.dead_man.cycle(interval=limits.heartbeat_interval, heartbeat=heartbeat)
        risk.sure, risk.stale = self._market_before
        self._market_before = self.reference.sure, market.stale
        risk.measures, self._measures = self._measures, risk.measure()
        due, seen = self._due.popleft() if self._due and self._due[0].cycle == now else None, self._seen
        if taken and self._due:  # two cycles after a first leg
            self._first, self._first_seen = self._due.popleft().ask, seen
        if self._due and self._due[0].cycle == now + 2:
            order = self._due[0].ask[0]
            price = self.reference.prices.get((order.venue, order.symbol))
            self._seen = Seen(
                price, self._due[0].max_deviation, risk.open.crosses(order), risk.symbol_limits.get(order.symbol),
                risk.standing(), risk.paces(order, self._first_seen if self._first else None), self.reference.bids_of(order))
        self.reference.cycle(market.touch, stale=market.stale, restarted=market.restarted)
        if taken:
            self._due.append(Due(now + self.DECISION, taken, limits.max_deviation))
        if due is None:
            self.risk.idle(self.bucket)
            return []
        return self._decide(due.ask, seen)

    def _decide(self, item: Ask, seen: Seen) -> list[tuple[Ask, RejectReason]]:
        order, first = item[0], self._first
        self._first = None
        if first:
            reasons = self.risk.decide_pair(first[0], order, self.bucket, (self._first_seen, seen))
            return [(first, reasons[0]), (item, reasons[1])]
        return [(item, self.risk.decide(order, self.bucket, seen))]

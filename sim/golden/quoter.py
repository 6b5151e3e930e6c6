"""Reference model of the quoter: Avellaneda and Stoikov's quotes in fixed point, and what is done to have them at the venue.

The formula (REFERENCES section 5), with q in units of one quote's shares: reservation price r = s - q g v T, spread = g v T + constant,
constant = (2 / g) ln(1 + g / k); bid and ask stand half a spread from r. All distances are in ticks with ``FRACTION`` bits behind the
point, counted from the touch, so that a quote stands on the venue's own grid.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from sim.golden.records import BUY, CANCEL_ORDER, NEW, REPLACE_ORDER, SELL, Order

STRATEGY = 2
"""The quoter's number in the orders."""

FRACTION = 12
"""Bits behind the point of a distance in ticks."""
RISK_FRACTION = 24
"""Bits behind the point of the risk of one share, in ticks."""
DISTANCE_BITS = 31
"""Of a distance without its sign; what is longer is not quoted."""
TICKS_BITS = 17
"""Of a distance from the touch in whole ticks, without its sign."""
MAX_PRICE = 0x7FFFFFFF


@dataclass(frozen=True)
class Parameters:
    """Of one symbol, as the host commits them at once. Units and formats as in the hardware's record."""

    enable: bool = False
    aversion: int = 0
    constant: int = 0
    end: int = 0
    tick: int = 0
    reciprocal: int = 0
    shares: int = 0
    max_position: int = 0
    threshold: int = 0
    interval: int = 0


class Risk(NamedTuple):
    """Of one share, g v T, in ticks with RISK_FRACTION bits; and half the spread."""

    share: int
    half_spread: int


def risk(parameters: Parameters, variance: int, time_left: int) -> Risk | None:
    """None if it does not fit, or if there is no time left."""
    if time_left <= 0:
        return None
    share = ((parameters.aversion * variance >> 32) * time_left) >> 16
    spread = (share * parameters.shares >> (RISK_FRACTION - FRACTION)) + parameters.constant
    if share >> 32 or spread >> DISTANCE_BITS:
        return None
    return Risk(share, spread >> 1)


class Targets(NamedTuple):
    """Where the quotes should stand; 0: nowhere."""

    bid: int = 0
    ask: int = 0


def targets(parameters: Parameters, risk: Risk, position: int, bid: int, ask: int) -> Targets:
    """The two prices for a position in shares (long is positive) and the touch.

    Rounded away from the reservation price to the grid, counted from the touch of the same side; never at or through the other
    side of the touch, but at least one tick before it.
    """
    middle = (ask - bid) * parameters.reciprocal >> (32 - FRACTION)  # from either touch to the middle
    skew = abs(position) * risk.share >> (RISK_FRACTION - FRACTION)
    if middle >> DISTANCE_BITS or skew >> DISTANCE_BITS or abs(position) >> 32:
        return Targets()
    if position < 0:
        skew = -skew
    bid_ticks, ask_ticks = (middle - risk.half_spread - skew) >> FRACTION, (middle - risk.half_spread + skew) >> FRACTION
    if not all(-1 << TICKS_BITS <= ticks < 1 << TICKS_BITS for ticks in (bid_ticks, ask_ticks)):
        return Targets()
    low = min(bid + bid_ticks * parameters.tick, ask - parameters.tick)
    high = max(ask - ask_ticks * parameters.tick, bid + parameters.tick)
    if low >= high:
        return Targets()
    return Targets(low if low > 0 else 0, high if high <= MAX_PRICE else 0)


@dataclass
class Side:
    """What is at work on one side of a symbol. What has been asked for counts from then on, though it has not left yet."""

    total: int = 0
    left: int = 0
    price: int = 0
    reference: int = 0
    venue: int = 0
    under_way: bool = False
    cancelled: bool = False
    withdraw: bool = False
    refused: bool = False
    free_from: int = 0


class Judgement(NamedTuple):
    """Where a symbol's quotes should stand, and what it was found with."""

    venue: int
    targets: Targets = Targets()
    position: int = 0
    sure: bool = True
    """The top of book can be relied on, the parameters and the risk as well, and the quoter may quote."""
    hold: bool = False
    """Parameters or position have changed since: only what is not sure may have consequences."""
    sequence: int = 0


@dataclass
class QuotesModel:
    """The working quotes of all symbols, one judgement or one piece of news after the other."""

    symbols: int
    sides: list[tuple[Side, Side]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sides = [(Side(), Side()) for _ in range(self.symbols)]

    def judge(
        self, symbol: int, parameters: Parameters, judgement: Judgement, cycle: int = 0, *, may_order: bool = True, may_cancel: bool = True,
    ) -> list[Order]:
        """The messages that a judgement leads to: at most one a side. ``may_order``, ``may_cancel``: none of the last ones waits."""
        actions = [self._action(symbol, side, parameters, judgement, cycle) for side in (BUY, SELL)]
        orders = []
        for side, kind in enumerate(actions):
            if kind is None or not (may_cancel if kind == CANCEL_ORDER else may_order):
                continue
            state, price = self.sides[symbol][side], judgement.targets[side]
            state.under_way, state.free_from = True, cycle + parameters.interval
            if kind == NEW:
                state.total = state.left = parameters.shares
                state.venue, state.reference = judgement.venue, 0
                state.cancelled = state.withdraw = state.refused = False
            shares = 0 if kind == CANCEL_ORDER else state.total
            if kind != CANCEL_ORDER:
                state.price = price
            orders.append(Order(
                STRATEGY, state.venue, symbol, side, shares, 0 if kind == CANCEL_ORDER else price, judgement.venue, judgement.sequence,
                kind=kind, reference=state.reference if kind else 0, day=1))
        return sorted(orders, key=lambda order: order.kind != CANCEL_ORDER)

    def _action(self, symbol: int, side: int, parameters: Parameters, judgement: Judgement, cycle: int) -> int | None:
        state, other = self.sides[symbol][side], self.sides[symbol][1 - side]
        if state.under_way or (state.left and state.cancelled):
            return None
        resting = cycle < state.free_from
        price = judgement.targets[side]
        held = judgement.position if side == BUY else -judgement.position
        wanted = judgement.sure and price > 0 and held + (state.left or parameters.shares) <= parameters.max_position
        crosses = other.left > 0 and (price >= other.price if side == BUY else price <= other.price)
        may_quote = wanted and not judgement.hold and not resting and not crosses
        if not state.left:
            return NEW if may_quote else None
        leave = not judgement.sure or state.venue != judgement.venue or state.withdraw or (not wanted and not judgement.hold)
        if leave:
            return None if state.refused and resting else CANCEL_ORDER
        return REPLACE_ORDER if may_quote and abs(price - state.price) > parameters.threshold else None

    def sent(self, symbol: int, side: int, kind: int, user_ref: int) -> None:
        """A message has left."""
        state = self.sides[symbol][side]
        state.under_way = False
        if kind == CANCEL_ORDER:
            state.cancelled = True
        else:
            state.reference = user_ref

    def refused(self, symbol: int, side: int, kind: int) -> None:
        """The gateway has refused a message: what works and could not be moved is withdrawn."""
        state = self.sides[symbol][side]
        state.under_way = False
        if kind == NEW:
            state.left = 0
        elif kind == REPLACE_ORDER:
            state.withdraw = True
        else:
            state.refused = True

    def reply(self, symbol: int, side: int, shares: int) -> None:
        """So many shares have traded, or are dead."""
        state = self.sides[symbol][side]
        state.left = max(0, state.left - shares)

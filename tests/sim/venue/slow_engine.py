"""Matching as the rules say it, without any structure: one list of orders in the order of their coming, scanned in full each time."""

from sim.golden.records import BUY
from sim.venue.auction import MARKET
from sim.venue.matching import BOTH, CROSS_OVER, IMMEDIATE, NEWEST, OLDEST, POST_ONLY, TRADING


class Log:
    """A listener that writes everything down, orders by their tokens."""

    def __init__(self):
        self.lines = []

    def accepted(self, order):
        self.lines.append(("accepted", order.token, order.shares))

    def rested(self, order):
        self.lines.append(("rested", order.token, order.shares))

    def traded(self, resting, incoming, shares, price, match):
        self.lines.append(("traded", resting.token, incoming.token, shares, price, match))

    def canceled(self, order, shares, reason):
        self.lines.append(("canceled", order.token, shares, reason))

    def prevented(self, order, shares, prevented, price, strategy):
        self.lines.append(("prevented", order.token, shares, prevented, price, strategy))

    def replaced(self, old, new, stands):
        self.lines.append(("replaced", old.token, new.token, stands))

    def crossed(self, order, shares, price, match, kind):
        self.lines.append(("crossed", order.token, shares, price, match, kind))

    def cross_done(self, locate, cross, match, kind):
        self.lines.append(("cross_done", locate, cross.price, cross.shares, match, kind))

    def changed_state(self, locate, state):
        self.lines.append(("state", locate, state))


class SlowEngine:
    """One symbol."""

    def __init__(self, log, *, reference, state):
        self.log, self.state, self.last, self.matches = log, state, reference, 0
        self.orders = []

    def enter(self, order):
        self.log.accepted(order)
        if order.cross:
            self.orders.append(order)
        else:
            self._go(order)

    def replace(self, old, new):
        self.orders.remove(old)
        old.shares = 0
        if new.cross or not (new.immediate or new.price == MARKET or (self.state == TRADING and self._best_against(new))):
            self.orders.append(new)
            self.log.replaced(old, new, True)
        else:
            self.log.replaced(old, new, False)
            self._go(new)

    def cancel(self, order, left=0, reason="U"):
        lost = order.shares - left
        if order in self.orders and lost > 0:
            self._lose(order, lost)
            self.log.canceled(order, lost, reason)

    def set_state(self, state):
        self.state = state
        self.log.changed_state(1, state)

    def cross(self, kind):
        taking_part = [order for order in self.orders if order.cross in ("", kind)]
        buys = sorted((order for order in taking_part if order.side == BUY), key=lambda order: (-order.price, order.hidden))
        sells = sorted((order for order in taking_part if order.side != BUY), key=lambda order: (order.price % MARKET, order.hidden))
        price, shares = self._cross_price(buys, sells)
        self.matches += 1
        for side in (buys, sells):
            left = shares
            for order in side:
                part = min(left, order.shares)
                if part:
                    left -= part
                    self._lose(order, part)
                    self.log.crossed(order, part, price, self.matches, kind)
        self.last = price or self.last
        self.log.lines.append(("cross_done", 1, price, shares, self.matches, kind))
        for order in [order for order in self.orders if order.cross == kind]:
            self.cancel(order, reason=CROSS_OVER)

    def displayed(self, side):
        prices = {order.price for order in self.orders if order.side == side and not order.cross and not order.hidden}
        levels = []
        for price in sorted(prices, reverse=side == BUY):
            level = [order.shares for order in self.orders
                     if (order.side, order.price, order.cross, order.hidden) == (side, price, "", False)]
            levels.append((price, sum(level), len(level)))
        return levels

    def crossed(self):
        """The book is crossed or locked."""
        return any(not order.cross and self._best_against(order) for order in self.orders)

    def _cross_price(self, buys, sells):
        found = []
        for price in {order.price for order in buys + sells if order.price != MARKET} | {self.last}:
            bought = sum(order.shares for order in buys if order.price >= price)
            sold = sum(order.shares for order in sells if order.price % MARKET <= price)
            if price and min(bought, sold):
                found.append((-min(bought, sold), abs(bought - sold), abs(price - self.last), price))
        return (min(found)[3], -min(found)[0]) if found else (0, 0)

    def _best_against(self, order):
        """The first order that this one would trade with."""
        best = None
        for other in self.orders:
            if other.side == order.side or other.cross:
                continue
            limit = order.price if order.side == BUY else order.price % MARKET
            if not (other.price <= limit if order.side == BUY else other.price >= limit):
                continue
            if best is None or (other.price * (1 if order.side == BUY else -1), other.hidden) < (
                    best.price * (1 if order.side == BUY else -1), best.hidden):
                best = other
        return best

    def _go(self, order):
        if self.state == TRADING:
            if order.post_only and self._best_against(order):
                self._die(order, POST_ONLY)
                return
            while order.shares and (other := self._best_against(order)):
                self._meet(order, other)
        if order.shares and (order.immediate or order.price == MARKET):
            self._die(order, IMMEDIATE)
        elif order.shares:
            self.orders.append(order)
            self.log.rested(order)

    def _meet(self, order, other):
        shares = min(order.shares, other.shares)
        if order.group and order.group == other.group:
            lost = {OLDEST: (0, other.shares), NEWEST: (order.shares, 0), BOTH: (shares, shares)}[order.prevention]
            order.shares -= lost[0]
            if lost[1]:
                self._lose(other, lost[1])
                self.log.prevented(other, lost[1], shares, other.price, order.prevention)
            if lost[0]:
                self.log.prevented(order, lost[0], shares, other.price, order.prevention)
            return
        order.shares -= shares
        self._lose(other, shares)
        self.matches += 1
        self.last = other.price
        self.log.traded(other, order, shares, other.price, self.matches)

    def _lose(self, order, shares):
        order.shares -= shares
        if not order.shares:
            self.orders.remove(order)

    def _die(self, order, reason):
        shares, order.shares = order.shares, 0
        self.log.canceled(order, shares, reason)

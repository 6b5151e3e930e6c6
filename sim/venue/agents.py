"""Who trades at the venue by themselves. Agents enter orders at the engine, as its clients do, and are told of them as these are.

None acts from within what it is told: the crowd calls them in their time.
"""

from random import Random

from sim.golden.records import BUY, SELL
from sim.venue.matching import HALTED, TRADING, Engine, Order

SIDES = (BUY, SELL)


class Stock:
    """One symbol as agents see it.

    Attributes
    ----------
    estimate : int
        What this venue takes for the fair price, in 1/10000.
    """

    def __init__(self, engine: Engine, locate: int, price: int, tick: int):
        self.engine, self.locate, self.tick, self.estimate = engine, locate, tick, price
        self.half_spread = max(1, price // (20_000 * tick))
        """In ticks: about a basis point between bid and ask."""

    @property
    def open(self) -> bool:
        """Orders are taken: it trades, or will."""
        return self.engine.state(self.locate) not in (HALTED, "C")

    @property
    def trading(self) -> bool:
        return self.engine.state(self.locate) == TRADING

    def best(self, side: int) -> int:
        return self.engine.best(self.locate, side)

    def away(self, side: int, price: int, ticks: int) -> int:
        """On the tick grid, so many ticks behind ``price`` for an order of this side."""
        if side == BUY:
            return max(self.tick, (price // self.tick - ticks) * self.tick)
        return (-(-price // self.tick) + ticks) * self.tick


class Agent:
    """What agents have in common.

    Attributes
    ----------
    position : int
        Shares.
    orders : dict
        Its own that stand, by reference.
    """

    def __init__(self, stock: Stock, random: Random):
        self.stock, self.random = stock, random
        self.position = 0
        self.orders: dict[int, Order] = {}

    def act(self) -> None:
        """Its turn has come."""

    def enter(self, side: int, price: int, *, immediate: bool = False, post_only: bool = False, hidden: bool = False) -> Order:
        order = Order(self.stock.locate, side, self.shares(), price, immediate=immediate, post_only=post_only, hidden=hidden, owner=self)
        self.stock.engine.enter(order)
        return order

    def shares(self) -> int:
        """Mostly round lots."""
        if self.random.random() < 0.15:
            return self.random.randrange(1, 100)
        return 100 * (1 + self.geometric(0.6))

    def geometric(self, chance: float) -> int:
        number = 0
        while number < 40 and self.random.random() < chance:
            number += 1
        return number

    def accepted(self, order: Order) -> None:
        self.orders[order.reference] = order

    def replaced(self, old: Order, new: Order) -> None:
        del self.orders[old.reference]
        self.orders[new.reference] = new

    def executed(self, order: Order, shares: int, price: int, match: int, liquidity: str) -> None:
        self.position += shares if order.side == BUY else -shares
        self._forget(order)

    def canceled(self, order: Order, shares: int, reason: str) -> None:
        self._forget(order)

    prevented = canceled

    def _forget(self, order: Order) -> None:
        if not order.shares:
            self.orders.pop(order.reference, None)


class ZeroIntelligence(Agent):
    """Does anything at random, near the price."""

    MOST = 40
    """Orders that stand."""

    def act(self) -> None:
        draw = self.random.random()
        if draw < 0.32 or len(self.orders) >= self.MOST:
            self._leave()
        elif draw < 0.42:
            self._take()
        elif draw < 0.5:
            self._requote()
        else:
            side = self.random.choice(SIDES)
            self.enter(side, self._price(side), hidden=self.random.random() < 0.08)

    def _leave(self) -> None:
        if self.orders:
            order = self.random.choice(list(self.orders.values()))
            part = self.random.random() < 0.2
            self.stock.engine.cancel(order, self.random.randrange(order.shares) if part else 0)

    def _take(self) -> None:
        """What stands on the other side; before the opening cross an order that will trade in it."""
        side = self.random.choice(SIDES)
        best = self.stock.best(1 - side)
        if best:
            immediate = self.random.random() < 0.7 and self.stock.trading
            self.enter(side, self.stock.away(side, best, -self.geometric(0.3)), immediate=immediate)

    def _requote(self) -> None:
        if self.orders:
            old = self.random.choice(list(self.orders.values()))
            new = Order(old.locate, old.side, self.shares(), self._price(old.side), hidden=old.hidden, owner=self)
            self.stock.engine.replace(old, new)

    def _price(self, side: int) -> int:
        """Seldom inside of the spread, mostly some ticks behind."""
        ticks = self.stock.half_spread * (1 + self.geometric(0.65)) - (self.random.random() < 0.1)
        return self.stock.away(side, self.stock.estimate, ticks)


class MarketMaker(Agent):
    """Quotes both sides of its estimate at some depths, leaning against what it holds."""

    DEPTHS = 4
    LEAN = 2_000
    """Shares held for which its quotes move by a tick."""

    def __init__(self, stock: Stock, random: Random, width: int):
        super().__init__(stock, random)
        self._width = width
        self._quotes: dict[tuple[int, int], Order | None] = {(side, depth): None for depth in range(self.DEPTHS) for side in SIDES}

    def act(self) -> None:
        """Mends one quote."""
        self.mend()

    def mend(self) -> bool:
        """Puts the first quote right that is not; whether there was one."""
        for (side, depth), order in self._quotes.items():
            price = self._price(side, depth)
            if order is None or order.reference not in self.orders:
                self._quotes[side, depth] = self.enter(side, price, post_only=True)
                return True
            if order.price != price:
                new = Order(order.locate, side, self.shares(), price, post_only=True, owner=self)
                self._quotes[side, depth] = new
                self.stock.engine.replace(order, new)
                return True
        return False

    def _price(self, side: int, depth: int) -> int:
        stock = self.stock
        estimate = stock.estimate - self.position // self.LEAN * stock.tick
        price = stock.away(side, max(stock.tick, estimate), stock.half_spread * (1 + depth) + self._width)
        best = stock.best(1 - side) if stock.trading else 0
        if best and (price >= best if side == BUY else price <= best):
            price = stock.away(side, best, 1)
        return price


class Momentum(Agent):
    """Follows moves of the price; and takes what is stale when there is news."""

    def __init__(self, stock: Stock, random: Random):
        super().__init__(stock, random)
        self._average = stock.estimate

    def act(self) -> None:
        if not self.stock.trading:
            return
        last = self.stock.engine.last_price(self.stock.locate)
        move = last - self._average
        self._average += move // 8
        if abs(move) > 2 * self.stock.tick * self.stock.half_spread:
            self._take(BUY if move > 0 else SELL, self.stock.best(SELL if move > 0 else BUY))

    def hear(self) -> None:
        """The estimate has just moved."""
        stock = self.stock
        bid, ask = stock.best(BUY), stock.best(SELL)
        if stock.trading and ask and ask < stock.estimate:
            self._take(BUY, stock.away(BUY, stock.estimate, 0))
        elif stock.trading and bid > stock.estimate:
            self._take(SELL, stock.away(SELL, stock.estimate, 0))

    def _take(self, side: int, price: int) -> None:
        if price:
            self.enter(side, price, immediate=True)

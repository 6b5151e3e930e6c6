"""The book of one symbol at one generated venue: enough of a matching engine to be valid and never crossed."""

from bisect import bisect_left, insort
from dataclasses import dataclass

BUY, SELL = "B", "S"


@dataclass
class Resting:
    """An order in the book."""

    reference: int
    side: str
    shares: int
    price: int


class VenueBook:
    """Price levels with orders in time priority. Prices in 1/10000, quantities in shares."""

    def __init__(self) -> None:
        self.orders: dict[int, Resting] = {}
        self._levels: dict[str, dict[int, dict[int, Resting]]] = {BUY: {}, SELL: {}}
        self._prices: dict[str, list[int]] = {BUY: [], SELL: []}

    def best(self, side: str) -> int:
        """Best price of a side; 0 where it is empty."""
        prices = self._prices[side]
        if not prices:
            return 0
        return prices[-1] if side == BUY else prices[0]

    def first(self, side: str) -> Resting:
        """The order that trades next on a side that is not empty."""
        return next(iter(self._levels[side][self.best(side)].values()))

    def prices(self, side: str) -> list[int]:
        """Prices of a side from the best on."""
        return self._prices[side][::-1] if side == BUY else self._prices[side][:]

    def crosses(self, side: str, price: int) -> bool:
        """Whether an order would trade at once."""
        if side == BUY:
            return 0 < self.best(SELL) <= price
        return price <= self.best(BUY)

    def add(self, reference: int, side: str, shares: int, price: int) -> None:
        if reference in self.orders or shares <= 0 or price <= 0 or self.crosses(side, price):
            raise ValueError(f"order {reference} can't rest: {side} {shares} at {price}, market {self.best(BUY)} to {self.best(SELL)}")
        order = Resting(reference, side, shares, price)
        if price not in self._levels[side]:
            insort(self._prices[side], price)
            self._levels[side][price] = {}
        self._levels[side][price][reference] = order
        self.orders[reference] = order

    def reduce(self, reference: int, shares: int) -> None:
        """Executed or cancelled in part; at 0 the order is gone."""
        order = self.orders[reference]
        if not 0 < shares <= order.shares:
            raise ValueError(f"order {reference} has {order.shares} shares, not {shares}")
        order.shares -= shares
        if order.shares == 0:
            self._unlink(order)

    def delete(self, reference: int) -> None:
        self._unlink(self.orders[reference])

    def _unlink(self, order: Resting) -> None:
        del self.orders[order.reference]
        level = self._levels[order.side][order.price]
        del level[order.reference]
        if not level:
            del self._levels[order.side][order.price]
            prices = self._prices[order.side]
            del prices[bisect_left(prices, order.price)]

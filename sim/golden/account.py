"""Reference model of the account's notional: what was bought and sold, and what works on either side, each at its order's price."""

from dataclasses import dataclass
from typing import NamedTuple

from sim.golden.records import BUY, Order


class Release(NamedTuple):
    """Shares of an order that work no longer."""

    order: Order
    shares: int
    traded: bool
    """Else they are dead."""


@dataclass
class Account:
    """In 1/10000 of the currency unit; of BUY and SELL."""

    traded: tuple[int, int] = 0, 0
    working: tuple[int, int] = 0, 0

    @property
    def gross(self) -> int:
        return sum(self.traded) + sum(self.working)

    def net(self, side: int) -> int:
        """How far the account would be on that side, if all traded that works there and nothing on the other."""
        return self.traded[side] - self.traded[1 - side] + self.working[side]

    def send(self, order: Order) -> None:
        self.working = add(self.working, order.side, order.shares * order.price)

    def release(self, released: Release) -> None:
        side, notional = released.order.side, released.shares * released.order.price
        self.working = add(self.working, side, -notional)
        if released.traded:
            self.traded = add(self.traded, side, notional)


def add(sides: tuple[int, int], side: int, notional: int) -> tuple[int, int]:
    buy, sell = sides
    return (buy + notional, sell) if side == BUY else (buy, sell + notional)


class Standing(NamedTuple):
    """An account's sums and its limits, when an order was weighed."""

    gross: int
    net: tuple[int, int]
    max_gross: int
    max_net: int

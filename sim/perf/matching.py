"""How many orders the simulated exchange's matching engine takes in a second of one core (processor time)."""

import random
import time
from collections import Counter

from sim.golden.records import BUY, SELL
from sim.venue.auction import Cross
from sim.venue.matching import Engine, Order

SEED = 1
SYMBOLS = 4
PRICE, TICK, REACH = 100_0000, 100, 20


class WrongCountError(RuntimeError):
    """The engine did not do what it was sent."""


class _Count:
    """A listener that counts."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.shares = 0
        """That left the books or never stood there; those of a trade count twice."""

    def accepted(self, order: Order) -> None:
        self.seen["accepted"] += 1

    def rested(self, order: Order) -> None:
        self.seen["rested"] += 1

    def traded(self, resting: Order, incoming: Order, shares: int, price: int, match: int) -> None:
        self.seen["traded"] += 1
        self.shares += 2 * shares

    def canceled(self, order: Order, shares: int, reason: str) -> None:
        self.seen["canceled"] += 1
        self.shares += shares

    def prevented(self, order: Order, shares: int, prevented: int, price: int, strategy: str) -> None:
        self.shares += shares

    def replaced(self, old: Order, new: Order, stands: bool) -> None:
        self.seen["replaced"] += 1

    def crossed(self, order: Order, shares: int, price: int, match: int, kind: str) -> None:
        self.shares += shares

    def cross_done(self, locate: int, cross: Cross, match: int, kind: str) -> None: ...

    def changed_state(self, locate: int, state: str) -> None: ...


def measure(*, orders: int) -> dict:
    """Enters, cancels and replaces, with trades among them; how many of each, and all of them per second. Raises WrongCountError."""
    draw = random.Random(f"trapjaw matching {SEED}")
    engine = Engine(count := _Count())
    for locate in range(1, SYMBOLS + 1):
        engine.list_symbol(locate)
    plan = [(draw.random(), draw.randrange(SYMBOLS) + 1, draw.choice((BUY, SELL)), 100 * draw.randrange(1, 10),
             draw.randrange(1, REACH), draw.random()) for _ in range(orders)]
    sent: Counter[str] = Counter()
    shares, standing = 0, []
    begin = time.process_time()
    for what, locate, side, size, distance, which in plan:
        price = PRICE + (distance if side == SELL else -distance) * TICK
        at = int(which * len(standing))
        if what < 0.1 or (what >= 0.5 and not standing):  # takes from the other side
            engine.enter(Order(locate, side, size, 2 * PRICE - price, immediate=True))
            sent["accepted"] += 1
            shares += size
        elif what < 0.5:
            engine.enter(order := Order(locate, side, size, price))
            standing.append(order)
            sent["accepted"] += 1
            shares += size
        else:
            old, standing[at] = standing[at], standing[-1]
            standing.pop()
            if not old.shares:
                sent["late"] += 1
            elif what < 0.8:
                engine.cancel(old)
                sent["canceled"] += 1
            else:
                shares += size - old.shares
                engine.replace(old, new := Order(old.locate, old.side, size, old.price + (TICK if which < 0.5 else -TICK)))
                standing.append(new)
                sent["replaced"] += 1
    seconds = time.process_time() - begin
    _check(count, sent, shares - sum(order.shares for order in engine.orders.values()), orders)
    return {"orders": orders, **{kind: count.seen[kind] for kind in ("accepted", "canceled", "replaced", "traded")},
            "seconds": round(seconds, 3), "orders_per_second": round(orders / seconds)}


def _check(count: _Count, sent: Counter[str], gone: int, orders: int) -> None:
    if sent.total() != orders or any(count.seen[kind] != sent[kind] for kind in ("accepted", "replaced")):
        raise WrongCountError(f"the engine took {dict(count.seen)}, it was sent {dict(sent)}")
    if count.seen["canceled"] < sent["canceled"] or count.seen["traded"] < orders // 20 or gone != count.shares:
        raise WrongCountError(f"of {orders} orders {count.seen['traded']} traded; {count.shares} shares left the books, not {gone}")

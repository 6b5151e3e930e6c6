"""What the campaign draws: orders, limits, tops and answers, mostly sound, with every bit of a number in its turn."""

from typing import NamedTuple

from hw.config import TINY
from sim.golden.open_orders import MOVED, Answer
from sim.golden.records import CANCEL_ORDER, NEW, Order
from sim.golden.reference import SymbolLimits, Touch
from sim.golden.risk import MAX_PRICE, NO_OWN, Limits, RiskModel
from tests.hw.risk.gateway_bench import WITHOUT_MARKET

VENUES, SYMBOLS = TINY.venues, TINY.symbols

WORD, MONEY = 2**32 - 1, 2**64 - 1
"""The most that a number of shares or of cycles, and a notional, can be."""


class Scale(NamedTuple):
    """How many bits longer the numbers of a batch are, so that every bit of a register has its turn."""

    share_bits: int = 0
    price_bits: int = 0

    @classmethod
    def drawn(cls, rng) -> "Scale":
        """Together at most 41, so that the gross notional of a batch keeps its 68 bits."""
        share_bits = rng.choice([0, rng.randrange(26)])
        return cls(share_bits, rng.choice([0, rng.randrange(min(21, 42 - share_bits))]))


def longer(rng, value: int, bits: int, most: int = WORD) -> int:
    """The value with so many random bits behind it."""
    return min(value << bits | rng.getrandbits(bits), most) if bits else value


def alike(rng, order: Order) -> Order:
    """The same, or one that differs in one bit of its price or its shares."""
    if rng.random() < 0.6:
        return order
    name, bits = rng.choice([("price", 31), ("shares", 32)])
    return order._replace(**{name: getattr(order, name) ^ 1 << rng.randrange(bits)})


def random_order(rng, scale: Scale, strategy: int) -> Order:
    """Mostly sound, and of that strategy."""
    odd = rng.random()
    return Order(
        rng.randrange(16) if rng.random() < 0.05 else strategy,
        rng.randrange(VENUES, 16) if odd < 0.01 else rng.randrange(VENUES),
        rng.randrange(SYMBOLS, 256) if 0.01 <= odd < 0.02 else rng.randrange(SYMBOLS), rng.randrange(2),
        rng.choice([0, 0, WORD, rng.getrandbits(32)]) if 0.02 <= odd < 0.03 else longer(rng, rng.randrange(1, 120), scale.share_bits),
        rng.choice([0, MAX_PRICE + 1, MAX_PRICE, rng.getrandbits(32)]) if 0.03 <= odd < 0.045
        else longer(rng, rng.randrange(1, 2_000), scale.price_bits, MAX_PRICE),
        rng.getrandbits(4), rng.getrandbits(64), 3 if odd > 0.995 else CANCEL_ORDER if odd > 0.9 else NEW, rng.getrandbits(32),
        rng.random() < 0.3, rng.random() < 0.3)


def random_limits(rng, risk: RiskModel, scale: Scale) -> Limits:
    """Tight, each by itself and now and then."""
    shares, price = scale
    account = risk.account

    def money(above: int, most: int) -> int:
        return min(MONEY, max(0, above) + longer(rng, rng.randrange(most), shares + price, MONEY))

    return Limits(
        longer(rng, rng.randrange(80, 130), shares), longer(rng, rng.randrange(100_000, 220_000), shares + price, MONEY),
        longer(rng, rng.randrange(200, 800), shares),
        min(rng.choice([rng.randrange(1, 6), rng.randrange(1, 6), 1 << rng.randrange(17)]), 2**16 - 1),
        seldom_huge(rng, rng.randrange(1, 12)),
        max_day_notional=money(risk.day_notional, 500_000), duplicate_window=seldom_huge(rng, rng.choice([0, 1, 5, 60, 200])),
        heartbeat_interval=seldom_huge(rng, 1), max_open_orders=rng.choice([3, 5, rng.randrange(9), 65_535, 1 << rng.randrange(16)]),
        max_distance=longer(rng, rng.choice([600, 900, 2_000]), price),
        strategy_interval=seldom_huge(rng, rng.choice([0, 0, 5, 20])), strategy_window=seldom_huge(rng, rng.choice([0, 30, 100])),
        symbol_interval=seldom_huge(rng, rng.choice([0, 0, 20, 50])), symbol_window=seldom_huge(rng, rng.choice([0, 30, 100])),
        max_gross=money(account.gross, 900_000) if rng.random() < 0.3 else MONEY, max_net=money(account.net(rng.randrange(2)), 400_000),
        max_executions=rng.choice([0, 0, 0, 1, 4, 1 << rng.randrange(16)]), execution_window=seldom_huge(rng, rng.choice([0, 100, 500])),
        cancel_burst=rng.choice([0, 1, 3, 1 << rng.randrange(16)]), cancel_interval=seldom_huge(rng, rng.choice([0, 1, 30, 100])),
        max_deviation=rng.choice([rng.randrange(20_000, 40_000), 65_535]),
        waived=rng.choice([0, WITHOUT_MARKET, WITHOUT_MARKET, rng.getrandbits(31)]))


def random_symbol_limits(rng, sold_short: int, scale: Scale) -> SymbolLimits:
    """One or two of them tight."""
    shares, price = scale
    tight = {
        "max_shares": longer(rng, rng.randrange(200), shares),
        "max_notional": longer(rng, rng.randrange(200_000), shares + price, MONEY),
        "max_long": longer(rng, rng.randrange(500), shares), "max_short": longer(rng, rng.randrange(500), shares),
        "locates": min(sold_short + longer(rng, rng.randrange(200), shares), WORD),
        "min_price": longer(rng, rng.randrange(1_500), price), "max_price": longer(rng, rng.randrange(500, 2_000), price), "uptick_only": 1}
    names = {*rng.sample(sorted(tight), rng.randrange(1, 3)), *rng.sample(["locates", "uptick_only", "max_price"], rng.randrange(2))}
    return NO_OWN._replace(**{name: tight[name] for name in names})


def seldom_huge(rng, value: int) -> int:
    """A number of cycles, or one of any length up to 32 bits."""
    return rng.getrandbits(rng.randrange(1, 33)) if rng.random() < 0.04 else value


def random_touch(rng, scale: Scale) -> Touch:
    mid = longer(rng, rng.randrange(600, 1_400), scale.price_bits)
    touch = Touch(rng.randrange(VENUES), rng.randrange(SYMBOLS), mid - rng.randrange(20), mid + rng.randrange(20),
                  doubtful=rng.random() < 0.02)
    return touch._replace(**{rng.choice(["bid_price", "ask_price"]): 0}) if rng.random() < 0.03 else touch


def meaningless(rng, reply: Answer) -> Answer:
    """What the kind of an answer does not have is anything."""
    if reply.kind == MOVED:
        return reply._replace(venue=rng.randrange(16), user_ref=rng.getrandbits(32), number=rng.getrandbits(32))
    return reply._replace(symbol=rng.randrange(256), side=rng.randrange(2))

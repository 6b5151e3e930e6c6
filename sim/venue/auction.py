"""The price of a cross: where most shares trade."""

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

MARKET = 2_000_000_000
"""Price of an order that takes any price, in 1/10000: from 200,000.0000 on a price is no limit (OUCH 5.0)."""


class Cross(NamedTuple):
    """All that trades in a cross trades at one price. Without shares there was nothing to trade, and the price is 0."""

    price: int = 0
    shares: int = 0


def cross_price(buys: Iterable[tuple[int, int]], sells: Iterable[tuple[int, int]], reference: int) -> Cross:
    """Price and shares of a cross.

    Of all limits, and the reference price, it is the one at which most shares trade; of these the one with the fewest shares
    left over on one side; of these the nearest to the reference price; of these the lowest.

    Parameters
    ----------
    buys, sells : iterable of (price, shares)
        Limits in 1/10000, or MARKET.
    reference : int
        In 1/10000; 0: there is none.
    """
    willing_buyers, willing_sellers = _totals(buys), _totals(sells)
    any_buy, any_sell = willing_buyers.pop(MARKET, 0), willing_sellers.pop(MARKET, 0)
    prices = sorted(({reference} if reference else set()) | willing_buyers.keys() | willing_sellers.keys())
    bought = list(accumulate((willing_buyers.get(price, 0) for price in reversed(prices)), initial=any_buy))[:0:-1]
    sold = list(accumulate((willing_sellers.get(price, 0) for price in prices), initial=any_sell))[1:]
    best = min(
        ((-min(buy, sell), abs(buy - sell), abs(price - reference), price) for price, buy, sell in zip(prices, bought, sold, strict=True)),
        default=(0, 0, 0, 0))
    return Cross(best[3], -best[0]) if best[0] else Cross()


def _totals(orders: Iterable[tuple[int, int]]) -> dict[int, int]:
    totals: dict[int, int] = {}
    for price, shares in orders:
        totals[price] = totals.get(price, 0) + shares
    return totals

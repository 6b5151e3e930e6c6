"""The orders of a venue's book, as a card tells them and as it takes them in."""

from collections.abc import Collection
from typing import NamedTuple

from host.card.definition import CardSizes

BUY = 0


class LiveOrder(NamedTuple):
    """An order of a book."""

    reference: int
    """The venue's number for it."""
    symbol: int
    """Slot."""
    side: int
    price: int
    """In 1/10000."""
    shares: int
    """What is left of it."""


class Snapshot(NamedTuple):
    """All orders of a venue's book."""

    orders: tuple[LiveOrder, ...]
    sequences: tuple[int, ...]
    """Of each order the feed message after which it was so."""
    since: int
    """The last message that the book had taken when the first order was looked for."""
    sequence: int
    """The same for the last order."""

    @property
    def exact(self) -> bool:
        """The book took nothing meanwhile: all orders were so at once. If not, each was so after the message of its own."""
        return self.since == self.sequence


def best_first(orders: Collection[LiveOrder], sizes: CardSizes, next_sequence: int) -> list[LiveOrder]:
    """The orders from the best of each side on: so the fewest tops of book change while a card takes them in.

    Raises
    ------
    ValueError
        These can't be the live orders of a book of this card that goes on with message ``next_sequence``.
    """
    if not 1 <= next_sequence < (1 << 64) - len(orders):
        raise ValueError(f"sequence numbers are 1 to 2^64 - 1, not {next_sequence}, with {len(orders)} orders before it")
    if len(orders) > sizes.orders:
        raise ValueError(f"a book of this card has {sizes.orders} places for orders, not {len(orders)}")
    seen: set[int] = set()
    for order in orders:
        if not 0 <= order.symbol < sizes.symbols or order.side not in (0, 1):
            raise ValueError(f"not an order of this card's slots 0 to {sizes.symbols - 1}, bought (0) or sold (1): {order}")
        if not (0 <= order.reference < 1 << 64 and 1 <= order.shares < 1 << 32 and 1 <= order.price < 1 << 32):
            raise ValueError(f"not a live order, with a reference of 64 bits, and shares and price of 1 to 2^32 - 1: {order}")
        if order.reference in seen:
            raise ValueError(f"two orders have the reference {order.reference}")
        seen.add(order.reference)
    return sorted(orders, key=lambda order: -order.price if order.side == BUY else order.price)

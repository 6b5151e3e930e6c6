"""Does a day of events fit a card? Answered by placing every order and level where the hardware's hash tables would."""

from collections.abc import Iterable, Mapping

from hw.book.order_store import OrderStore
from hw.book.price_levels import PriceLevels
from hw.config import CardConfig
from hw.lib.hash_table import BANKS, WAYS
from sim.golden.records import ADD, DELETE, REPLACE, BookEvent


class PlacedTable:
    """Which sets of a hash table are how full: the hardware's choice of a bank, without the ways."""

    def __init__(self, table) -> None:
        self._hash = table.hash.compute
        self._bits = table.set_bits
        self._used: dict[tuple[int, int, int], int] = {}
        self._where: dict[tuple[int, int], tuple[int, int, int]] = {}

    def __contains__(self, key: tuple[int, int]) -> bool:
        return key in self._where

    def add(self, region: int, key: int) -> bool:
        """Places a key that is not there yet; False if neither of its sets has a free way."""
        hashes = self._hash(key)
        sets = [(region, bank, hashes >> bank * self._bits & (1 << self._bits) - 1) for bank in range(BANKS)]
        used = [self._used.get(set_, 0) for set_ in sets]
        bank = int(used[1] < used[0])
        if used[bank] == WAYS:
            return False
        self._used[sets[bank]] = used[bank] + 1
        self._where[region, key] = sets[bank]
        return True

    def place(self, region: int, key: int) -> tuple[int, int]:
        """Bank and set of a key that is there."""
        return self._where[region, key][1:]

    def remove(self, region: int, key: int) -> None:
        self._used[self._where.pop((region, key))] -= 1


class PlacedBook:
    """Live orders and levels of one book, each in the set that the hardware would put it in.

    Attributes
    ----------
    orders, levels : PlacedTable
    """

    def __init__(self, config: CardConfig) -> None:
        levels = PriceLevels(config)
        self.orders = PlacedTable(OrderStore(config))
        self.levels = PlacedTable(levels.table)
        self._live: dict[int, list[int]] = {}  # reference: region, price, shares
        self._count: dict[tuple[int, int], int] = {}  # region, price: orders

    def apply(self, event: BookEvent, symbol: int) -> bool:
        """Takes one event in; False if it needed a place that was not there (the order is then left out)."""
        if event.kind == ADD:
            return self._add(2 * symbol + event.side, event.reference, event.shares, event.price)
        order = self._live.get(event.reference)
        if order is None:
            return True
        if event.kind < DELETE and event.shares < order[2]:
            order[2] -= event.shares
            return True
        self._remove(event.reference, *order[:2])
        if event.kind == REPLACE:
            return self._add(order[0], event.new_reference, event.shares, event.price)
        return True

    def _add(self, region: int, reference: int, shares: int, price: int) -> bool:
        if not shares or not price or reference in self._live:
            return True
        level = region, price
        new = level not in self._count
        if new and not self.levels.add(region, price):
            return False
        if not self.orders.add(0, reference):
            if new:
                self.levels.remove(region, price)
            return False
        self._live[reference] = [region, price, shares]
        self._count[level] = self._count.get(level, 0) + 1
        return True

    def _remove(self, reference: int, region: int, price: int) -> None:
        del self._live[reference]
        self.orders.remove(0, reference)
        level = region, price
        self._count[level] -= 1
        if not self._count[level]:
            del self._count[level]
            self.levels.remove(region, price)


def fits(config: CardConfig, bindings: Mapping[int, int], events: Iterable[BookEvent]) -> bool:
    """Whether one venue's book on this card takes all the events.

    Parameters
    ----------
    config : CardConfig
    bindings : mapping of int to int
        Locate to symbol slot; events of other locates are dropped, as the symbol filter drops them.
    events : iterable of BookEvent
    """
    if any(symbol >= config.symbols for symbol in bindings.values()):
        return False
    book = PlacedBook(config)
    return all(book.apply(event, bindings[event.locate]) for event in events if event.locate in bindings)

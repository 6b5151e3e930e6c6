"""Does a day of events fit a card? Answered by placing every order and level where the hardware's hash tables would."""

import warnings
from collections.abc import Iterable, Mapping

from amaranth.hdl import UnusedElaboratable

from hw.book.far_levels import FarLevels
from hw.book.order_store import OrderStore
from hw.config import CardConfig
from hw.lib.hash_table import BANKS
from sim.golden.records import ADD, CANCEL, EXECUTE, REPLACE, SET, BookEvent

warnings.simplefilter("ignore", UnusedElaboratable)  # the components are only asked where a key goes


class PlacedTable:
    """Which sets of a hash table are how full: the hardware's choice of a bank, without the ways."""

    def __init__(self, table) -> None:
        self._hash = table.hash.compute
        self._bits = table.set_bits
        self._ways = table.ways
        self._used: dict[tuple[int, int, int], int] = {}
        self._where: dict[tuple[int, int], tuple[int, int, int]] = {}

    def __contains__(self, key: tuple[int, int]) -> bool:
        return key in self._where

    def add(self, region: int, key: int) -> bool:
        """Places a key that is not there yet; False if neither of its sets has a free way."""
        sets = [(region, *set_) for set_ in self.sets_of(key)]
        used = [self._used.get(set_, 0) for set_ in sets]
        bank = int(used[1] < used[0])
        if used[bank] == self._ways:
            return False
        self._used[sets[bank]] = used[bank] + 1
        self._where[region, key] = sets[bank]
        return True

    def sets_of(self, key: int) -> list[tuple[int, int]]:
        """Bank and set of each place that a key can have."""
        hashes = self._hash(key)
        return [(bank, hashes >> bank * self._bits & (1 << self._bits) - 1) for bank in range(BANKS)]

    def place(self, region: int, key: int) -> tuple[int, int]:
        """Bank and set of a key that is there."""
        return self._where[region, key][1:]

    def forget(self, region: int, key: int) -> tuple[int, int, int]:
        """Takes a key out; its way stays taken until it is freed."""
        return self._where.pop((region, key))

    def free(self, way: tuple[int, int, int]) -> None:
        self._used[way] -= 1

    def remove(self, region: int, key: int) -> None:
        self.free(self.forget(region, key))


class PlacedBook:
    """Live orders and levels of one book, each in the set that the hardware would put it in.

    Attributes
    ----------
    orders, levels : PlacedTable
    """

    def __init__(self, config: CardConfig) -> None:
        self.orders = PlacedTable(OrderStore(config).table)
        self._far = FarLevels(config)
        self.levels = PlacedTable(self._far.table)
        self._live: dict[int, list[int]] = {}  # reference: region, price, shares
        self._count: dict[tuple[int, int], int] = {}  # region, price: orders

    def apply(self, event: BookEvent, symbol: int) -> bool:
        """Takes one event in; False if it needed a place that was not there (the order is then left out)."""
        order = self._live.get(event.reference)
        if event.kind == ADD or (event.kind == SET and order is None):
            return self._add(2 * symbol + event.side, event.reference, event.shares, event.price)
        if order is None:
            return True
        region, price, shares = order
        if event.kind in (EXECUTE, CANCEL) and event.shares < shares:
            order[2] -= event.shares
            return True
        if event.kind == REPLACE:
            return self._move(event.reference, region, price, event.new_reference, event)
        if event.kind == SET:
            return self._move(event.reference, region, price, event.reference, event)
        self._remove(event.reference, region, price)
        return True

    def _level(self, region: int, price: int) -> tuple[int, int]:
        """Table and key of a level."""
        return self._far.place_of(region, price ^ (0xFFFFFFFF if region & 1 else 0))

    def _move(self, reference: int, region: int, price: int, new_reference: int, event: BookEvent) -> bool:
        """The new order looks for its places while the old one still has its own; but the level that it empties it may take over."""
        del self._live[reference]
        order = self.orders.forget(0, reference)
        self._count[region, price] -= 1
        emptied = not self._count[region, price]
        if emptied and price != event.price:
            level = self.levels.forget(*self._level(region, price))
        added = self._add(region, new_reference, event.shares, event.price)
        self.orders.free(order)
        if emptied:
            if price != event.price:
                self.levels.free(level)
            elif not self._count[region, price]:
                self.levels.remove(*self._level(region, price))
            if not self._count[region, price]:
                del self._count[region, price]
        return added

    def _add(self, region: int, reference: int, shares: int, price: int) -> bool:
        if not shares or not price or reference in self._live:
            return True
        level = region, price
        new = level not in self._count  # a level that a move has emptied is there, with no order
        if new and not self.levels.add(*self._level(region, price)):
            return False
        if not self.orders.add(0, reference):
            if new:
                self.levels.remove(*self._level(region, price))
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
            self.levels.remove(*self._level(region, price))


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

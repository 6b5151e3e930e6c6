"""Live orders by their reference number."""

from amaranth.lib import data

from hw.config import CardConfig
from hw.lib.hash_table import HashTable
from hw.types import Shares, Side


def slot_bits(config: CardConfig) -> int:
    """Bits that name a price level within one side of one symbol."""
    return config.levels.bit_length() - 1


def symbol_bits(config: CardConfig) -> int:
    """Bits that name a symbol on this card."""
    return max(1, (config.symbols - 1).bit_length())


class OrderStore(HashTable):
    """A hash table of the live orders; the whole 64-bit reference is the key.

    The price is not stored: the level's slot leads to it, and makes a price lookup unnecessary when the order goes.

    Parameters
    ----------
    config : CardConfig
        ``orders`` places, ``order_ways`` in a set.
    """

    def __init__(self, config: CardConfig):
        self.order = data.StructLayout({
            "symbol": symbol_bits(config),
            "side": Side,
            "slot": slot_bits(config),
            "shares": Shares,
        })
        super().__init__(64, self.order, places=config.orders, ways=config.order_ways)

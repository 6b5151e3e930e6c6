"""The records that the golden models exchange: plain counterparts of the hardware's (units as in hw/types.py)."""

from typing import NamedTuple

from hw.reasons import DropReason, RejectReason

BUY, SELL = 0, 1
ADD, EXECUTE, CANCEL, DELETE, REPLACE, SET, HALT, RESUME = range(8)
NEW, REPLACE_ORDER, CANCEL_ORDER = range(3)

__all__ = [
    "ADD", "BUY", "CANCEL", "CANCEL_ORDER", "DELETE", "EXECUTE", "HALT", "NEW", "REPLACE", "REPLACE_ORDER", "RESUME", "SELL", "SET",
    "BookEvent", "DirectoryEntry", "DropReason", "MarketState", "Order", "RejectReason", "TopOfBook", "Trade",
]


class BookEvent(NamedTuple):
    """One change to a book, or to what may be done with it. Fields that a kind does not have are 0."""

    kind: int
    side: int
    locate: int
    reference: int
    new_reference: int
    shares: int
    price: int
    timestamp: int
    partial: int = 0


class MarketState(NamedTuple):
    """What a venue says of trading. Fields that a kind does not have are 0."""

    kind: str
    locate: int
    code: int
    detail: int
    reference: int
    upper: int
    lower: int
    timestamp: int


class Trade(NamedTuple):
    """Shares that changed hands. An execution at its order's own price has price 0."""

    kind: str
    locate: int
    shares: int
    price: int
    match: int
    code: int
    timestamp: int


class DirectoryEntry(NamedTuple):
    """A symbol's name, eight ASCII characters, and the venue's own number for it."""

    locate: int
    name: bytes


class TopOfBook(NamedTuple):
    """Best bid and ask with their totals; zeros where a side is empty."""

    bid_price: int = 0
    bid_shares: int = 0
    bid_orders: int = 0
    ask_price: int = 0
    ask_shares: int = 0
    ask_orders: int = 0


class Order(NamedTuple):
    strategy: int
    venue: int
    symbol: int
    side: int
    shares: int
    price: int
    trigger_venue: int = 0
    trigger_sequence: int = 0
    kind: int = NEW
    reference: int = 0
    pair: int = 0
    day: int = 0

"""Figures of a session: percentiles, latency by kind, money by symbol."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.report.record import BUY, SELL, SessionRecord


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least ``share`` of the values do not pass (nearest rank); no interpolation between cycles."""
    if not values:
        raise ValueError("no values to take a percentile of")
    if not 0 <= share <= 1:
        raise ValueError(f"a percentile lies between 0 and 1, not at {share}")
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 1_000_000) // 1_000_000)
    return ordered[max(rank, 1) - 1]


@dataclass(frozen=True)
class LatencySummary:
    """Latencies of a group of orders, in cycles."""

    name: str
    count: int
    least: int
    median: int
    p99: int
    most: int

    @classmethod
    def of(cls, name: str, values: Sequence[int]) -> "LatencySummary":
        return cls(name, len(values), min(values), percentile(values, 0.5), percentile(values, 0.99), max(values))


TRIGGERS = {
    "A": "Add", "F": "Add with MPID", "E": "Executed", "C": "Executed with price", "X": "Cancel", "D": "Delete", "U": "Replace",
}


def latency_by_trigger(record: SessionRecord) -> list[LatencySummary]:
    """From the trigger's last byte, for first orders only, by kind of trigger and by what else was going on."""
    groups: dict[tuple[str, bool], list[int]] = {}
    for order in record.sent:
        if order.leg == 1:
            groups.setdefault((order.trigger, order.quiet), []).append(order.from_end)
    rows = []
    for trigger, name in TRIGGERS.items():
        for quiet, words in ((True, "alone"), (False, "in a burst")):
            if values := groups.get((trigger, quiet)):
                rows.append(LatencySummary.of(f"{name} ({trigger}), {words}", values))
    return rows


@dataclass(frozen=True)
class SymbolAccount:
    """Trades of one symbol; money in 1/10000."""

    symbol: str
    orders: int
    bought: int
    sold: int
    position: int
    cash: int
    mark: int
    """Price at which the position is valued: middle of the last two-sided top of book of any venue; 0 if none was seen."""

    @property
    def result(self) -> int:
        return self.cash + self.position * self.mark


def accounts(record: SessionRecord) -> list[SymbolAccount]:
    marks = {quote.symbol: (quote.bid + quote.ask) // 2 for quote in record.quotes if quote.bid and quote.ask}
    rows = []
    for symbol, name in enumerate(record.symbols):
        orders = [order for order in record.sent if order.symbol == symbol]
        bought = sum(order.filled for order in orders if order.side == BUY)
        sold = sum(order.filled for order in orders if order.side == SELL)
        cash = sum(order.filled * order.price * (1 if order.side == SELL else -1) for order in orders)
        rows.append(SymbolAccount(name, len(orders), bought, sold, bought - sold, cash, marks.get(symbol, 0)))
    return rows


def edges(record: SessionRecord, symbol: int) -> list[tuple[int, int]]:
    """(time, best bid of one venue less best ask of another) of a symbol at each change; may be negative, None is left out."""
    books: dict[int, tuple[int, int]] = {}
    steps: list[tuple[int, int]] = []
    for quote in record.quotes:
        if quote.symbol != symbol:
            continue
        books[quote.venue] = (0, 0) if quote.stale else (quote.bid, quote.ask)
        pairs = [
            bid - ask
            for buyer, (bid, _) in books.items() for seller, (_, ask) in books.items()
            if buyer != seller and bid and ask
        ]
        if pairs and (not steps or steps[-1][1] != max(pairs)):
            steps.append((quote.time, max(pairs)))
    return steps

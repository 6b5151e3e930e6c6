"""The host's own account of a session, kept from what the card reports and the venues answer, and compared at the end."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.golden.ethernet import parse_udp
from sim.golden.ouch50 import ProtocolError, decode, packets
from sim.report.record import Check


class WireOrder(NamedTuple):
    """An order as it stood on the wire."""

    venue: int
    user_ref: int
    side: int
    symbol: str
    shares: int
    price: int


@dataclass
class LedgerOrder:
    """An order as the card's event told it, and what became of it."""

    wire: WireOrder
    symbol: int
    filled: int = 0
    answered: bool = False


@dataclass
class Ledger:
    """Orders, fills and positions as the host counts them.

    Attributes
    ----------
    symbols : list of str
    ports : dict of (int, int) to int
        Venue of an order session by its (destination address, UDP port).
    """

    symbols: list[str]
    ports: dict[tuple[int, int], int]
    orders: list[LedgerOrder] = field(default_factory=list)
    on_wire: list[WireOrder] = field(default_factory=list)
    unreadable: int = 0
    rejects: Counter = field(default_factory=Counter)
    positions: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.positions = [0] * len(self.symbols)

    def sent(self, *, venue: int, user_ref: int, side: int, symbol: int, shares: int, price: int) -> int:
        """Takes down an order that the card says it sent; its number in the session."""
        name = self.symbols[symbol] if symbol < len(self.symbols) else ""
        self.orders.append(LedgerOrder(WireOrder(venue, user_ref, side, name, shares, price), symbol))
        return len(self.orders) - 1

    def frame(self, data: bytes, error: bool) -> WireOrder | None:
        """Takes down what really left the card."""
        return self._left(lambda: None if error else self._parse(data))

    def _parse(self, data: bytes) -> WireOrder | None:
        datagram = parse_udp(data)
        if datagram is None:
            return None
        venue = self.ports.get((datagram.destination_ip, datagram.destination_port))
        (packet,) = packets([datagram.payload])
        return None if venue is None or packet.type != "U" else _order(venue, packet.payload)

    def message(self, venue: int, data: bytes) -> WireOrder | None:
        """The same of an OUCH message that went to a venue by its session."""
        return self._left(lambda: _order(venue, data))

    def _left(self, read: Callable[[], WireOrder | None]) -> WireOrder | None:
        try:
            order = read()
        except ProtocolError:
            order = None
        if order is None:
            self.unreadable += 1
        else:
            self.on_wire.append(order)
        return order

    def fill(self, number: int, shares: int) -> None:
        """A venue has traded shares of an order of this number."""
        order = self.orders[number]
        order.filled += shares
        self.positions[order.symbol] += shares if order.wire.side == 0 else -shares

    def answer(self, number: int, filled: int) -> None:
        """A venue's answer to an order of this number."""
        order = self.orders[number]
        order.filled, order.answered = filled, True
        self.positions[order.symbol] += filled if order.wire.side == 0 else -filled

    def checks(self, *, card_positions: Sequence[int], card_working: int, passed: int, rejected: dict[str, int]) -> list[Check]:
        """Orders one for one, rejects by reason, positions by symbol."""
        reported, seen = Counter(order.wire for order in self.orders), Counter(self.on_wire)
        lines = [
            Check("orders reported by the card, found on the wire with the same fields", reported.total(), (reported & seen).total()),
            Check("orders on the wire that nobody reported", 0, (seen - reported).total()),
            Check("order frames that could not be read", 0, self.unreadable),
            Check("orders that passed the gateway", len(self.orders), passed),
            Check("UserRefNums in rising order, by venue", len(self.orders), self._in_sequence()),
            Check("orders answered by a venue", len(self.orders), sum(order.answered for order in self.orders)),
        ]
        for reason in sorted(self.rejects.keys() | rejected.keys()):
            if self.rejects[reason] or rejected.get(reason):
                lines.append(Check(f"orders refused: {reason}", self.rejects[reason], rejected.get(reason, 0)))
        for name, ours, theirs in zip(self.symbols, self.positions, card_positions, strict=True):
            lines.append(Check(f"position of {name}", ours, theirs))
        return [*lines, Check("shares still working", 0, card_working)]

    def _in_sequence(self) -> int:
        last: dict[int, int] = {}
        good = 0
        for order in self.on_wire:
            good += order.user_ref > last.get(order.venue, 0)
            last[order.venue] = order.user_ref
        return good


def _order(venue: int, data: bytes) -> WireOrder | None:
    """None for a message that enters none."""
    message = decode(data, inbound=True)
    if message.name != "enter_order":
        return None
    fields = message.fields
    side = 0 if fields["side"] == "B" else 1
    return WireOrder(venue, fields["user_ref"], side, fields["symbol"].rstrip(), fields["quantity"], fields["price"])

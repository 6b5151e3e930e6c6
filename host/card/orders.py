"""Orders of the host, which go through the same door as the card's own."""

from typing import Protocol

from host.card.protocol import CardError
from host.card.registers import REGISTERS

NEW, REPLACE, CANCEL = range(3)
"""Kinds of an order."""


class Registers(Protocol):
    """What of a card's control the orders need."""

    def read(self, name: str, *index: int) -> int: ...

    def write(self, name: str, value: int, *index: int) -> None: ...

    def check_venue(self, venue: int) -> None: ...

    def check_slot(self, symbol: int) -> None: ...


class HostOrders:
    """New orders, and replacements and cancels of orders that are open."""

    def __init__(self, control: Registers):
        self._control = control

    def send(self, *, venue: int, symbol: int, side: int, shares: int, price: int, day: bool = False) -> None:
        """A new order; with ``day`` it may stand in the venue's book until the end of the day, else it is immediate or cancel."""
        self._ring({"HOST_ORDER_PRICE": price}, shares, venue=venue, symbol=symbol, side=side, day=int(day), kind=NEW)

    def replace(self, *, venue: int, symbol: int, side: int, user_ref: int, shares: int, price: int, day: bool = True) -> None:
        """One that takes the place of an open order of the host, of the same symbol and side. It gets a number of its own.

        ``shares``: as OUCH counts, with what has traded of the order before. Until the venue says that it is in force, both count.
        """
        self._ring({"HOST_ORDER_PRICE": price, "HOST_ORDER_REFERENCE": user_ref}, shares, venue=venue, symbol=symbol, side=side,
                   day=int(day), kind=REPLACE)

    def cancel(self, *, venue: int, symbol: int, user_ref: int, shares: int = 0) -> None:
        """Of an open order, of whichever strategy, at most ``shares`` stay; 0: none. Limits and kill switches do not stop it."""
        self._ring({"HOST_ORDER_REFERENCE": user_ref}, shares, venue=venue, symbol=symbol, kind=CANCEL)

    def _ring(self, more: dict[str, int], shares: int, **fields: int) -> None:
        control = self._control
        control.check_venue(fields["venue"])
        control.check_slot(fields["symbol"])
        descriptor = REGISTERS["HOST_ORDER"].pack(**fields)
        if control.read("HOST_ORDER_BUSY"):
            raise CardError("the last order of the host still waits at the gateway")
        for name, value in ({"HOST_ORDER": descriptor, "HOST_ORDER_SHARES": shares} | more).items():
            control.write(name, value)
        control.write("HOST_ORDER_DOORBELL", 1)

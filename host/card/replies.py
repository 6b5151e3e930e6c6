"""What the host tells the gateway of the card's own orders: the venues' answers, and positions that come of something else."""

from typing import Protocol

from host.card.registers import REGISTERS, AnswerKind

FILLED, RELEASED, ENDED, REPLACED, NOTED, MOVED, UNSENT = AnswerKind
"""Kinds of a reply: shares traded; shares are dead; the order is dead with whatever was left of it; the REPLACE of this number is in
force; nothing changes, only the number counts; a position moves by itself; the order never came to the venue."""


class Registers(Protocol):
    """What of a card's control the replies need."""

    def write(self, name: str, value: int, *index: int) -> None: ...

    def check_venue(self, venue: int) -> None: ...

    def check_slot(self, symbol: int) -> None: ...

    def check_disarmed(self, purpose: str) -> None: ...


class Replies:
    """Replies to a card's orders."""

    def __init__(self, control: Registers):
        self._control = control

    def tell(self, *, venue: int, user_ref: int, kind: int, number: int, shares: int = 0) -> None:
        """A venue's answer to an order: all that it says, in its order, numbered without a gap (register REPLY_NUMBER)."""
        self._control.check_venue(venue)
        self._write(shares, venue=venue, kind=kind, user_ref=user_ref, number=number)

    def unsent(self, venue: int, user_ref: int) -> None:
        """An order never came to its venue: its session went down before, or a kill switch stopped it. It is dead."""
        self._control.check_venue(venue)
        self._write(0, venue=venue, kind=UNSENT, user_ref=user_ref)

    def move_position(self, *, symbol: int, side: int, shares: int) -> None:
        """Moves a position by what did not come of an order of the card; side BUY (0) lets it grow. Only while disarmed."""
        self._control.check_slot(symbol)
        self._control.check_disarmed("move a position")
        self._write(shares, symbol=symbol, side=side, kind=MOVED)

    def _write(self, shares: int, *, user_ref: int = 0, number: int = 0, **fields: int) -> None:
        write = self._control.write
        write("REPLY", REGISTERS["REPLY"].pack(**fields))
        write("REPLY_USER_REF", user_ref)
        write("REPLY_NUMBER", number)
        write("REPLY_SHARES", shares)
        write("REPLY_DOORBELL", 1)

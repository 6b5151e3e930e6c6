"""OUCH 4.2: the messages to a venue that speaks it, and where in its own the fields are (PROTOCOLS: section 6)."""

from amaranth.hdl import Cat, Const, Mux

from hw.lib.wire import big_endian, characters, hexadecimal
from hw.order_entry.layout import Layout
from hw.reasons import AnswerKind
from hw.types import OrderKind, Side

MESSAGE_BYTES = {OrderKind.NEW: 49, OrderKind.REPLACE: 47, OrderKind.CANCEL: 19}
IMMEDIATE, MARKET_HOURS = 0, 99_998
"""Times in force, in seconds."""
MARK, DIGITS, TOKEN_BYTES = "TJ", 8, 14
"""A token: these letters, the UserRefNum as hex digits, blanks."""
TOKEN, PREVIOUS = 9, 65
"""Where one stands in a message of the venue; the one before in a replaced order's."""


def token(user_ref):
    """Its bytes. It names the order by its number alone: who cancels does not know more of it."""
    return Cat(characters(MARK), hexadecimal(user_ref), characters(" " * (TOKEN_BYTES - len(MARK) - DIGITS)))


def messages(order, name, user_ref):
    """Of each kind: limit order, displayed, principal, not ISO, no cross, no minimum quantity, of the port's own firm, not retail."""
    time_in_force = Mux(order.day, big_endian(Const(MARKET_HOURS, 32)), Const(IMMEDIATE, 32))
    shares, price, rest = big_endian(order.shares), big_endian(order.price), characters("YPN")
    return {
        OrderKind.NEW: Cat(
            characters("O"), token(user_ref), Mux(order.side == Side.SELL, characters("S"), characters("B")), shares, name, price,
            time_in_force, characters("    "), rest, Const(0, 32), characters("NN")),
        OrderKind.REPLACE: Cat(
            characters("U"), token(order.reference), token(user_ref), shares, price, time_in_force, characters("YN"), Const(0, 32)),
        OrderKind.CANCEL: Cat(characters("X"), token(order.reference), shares),
    }


def _fields(shares=0, price=0, reference=0, code=0, *, original=False):
    """Offsets; 0: the message does not have it."""
    places = {"user_ref": (TOKEN + len(MARK), DIGITS)}
    if original:
        places["original"] = (PREVIOUS + len(MARK), DIGITS)
    given = {"shares": (shares, 4), "price": (price, 4), "reference": (reference, 8), "code": (code, 1)}
    return places | {name: place for name, place in given.items() if place[0]}


_EXECUTED = _fields(shares=23, price=27, reference=32, code=31)

LAYOUTS = {
    "S": Layout(10, False, AnswerKind.NOTED, {"code": (9, 1)}),
    "A": Layout(66, False, AnswerKind.NOTED, _fields(shares=24, price=36, reference=49, code=64)),
    "U": Layout(80, False, AnswerKind.REPLACED, _fields(shares=24, price=36, reference=49, code=64, original=True)),
    "C": Layout(28, False, AnswerKind.RELEASED, _fields(shares=23, code=27)),
    "D": Layout(37, False, AnswerKind.RELEASED, _fields(shares=23, code=27, price=32)),
    "E": Layout(40, False, AnswerKind.FILLED, _EXECUTED),
    "G": Layout(45, False, AnswerKind.FILLED, _EXECUTED),
    "F": Layout(41, False, AnswerKind.NOTED, _fields(shares=23, price=27, reference=32, code=40), unsure=True),
    "B": Layout(32, False, AnswerKind.NOTED, _fields(reference=23, code=31), unsure=True),
    "J": Layout(24, False, AnswerKind.ENDED, _fields(code=23)),
    "P": Layout(23, False, AnswerKind.NOTED, _fields()),
    "I": Layout(23, False, AnswerKind.NOTED, _fields()),
    "N": Layout(23, False, AnswerKind.NOTED, _fields()),
    "T": Layout(36, False, AnswerKind.NOTED, _fields(price=23, code=27, reference=28)),
    "M": Layout(28, False, AnswerKind.NOTED, _fields(code=23, shares=24), unsure=True),
}
"""Messages of the venue by type."""

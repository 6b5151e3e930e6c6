"""OUCH 4.2 in bytes, written from PROTOCOLS.md section 6; framed by SoupBinTCP as 5.0 is."""

from sim.golden import ouch50
from sim.golden.ouch50 import Layout, Message, Packet, ProtocolError, Value, frame, layout
from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, Order

IMMEDIATE, MARKET_HOURS = 0, 99_998
"""Times in force."""
TOKEN_LENGTH = 14

_DETAILS = ("side'@23,1 quantity@24,4 symbol'@28,8 price@36,4 time_in_force@40,4 firm'@44,4 display'@48,1 order_reference@49,8 "
            "capacity'@57,1 intermarket_sweep'@58,1 minimum_quantity@59,4 cross_type'@63,1 state'@64,1")
_HEAD = "timestamp@1,8 token'@9,14"
_EXECUTION = f"{_HEAD} quantity@23,4 price@27,4 liquidity'@31,1 match@32,8"

INBOUND: dict[str, Layout] = {each.type: each for each in (
    layout("enter_order", "O", 49, "token'@1,14 side'@15,1 quantity@16,4 symbol'@20,8 price@28,4 time_in_force@32,4 firm'@36,4 "
           "display'@40,1 capacity'@41,1 intermarket_sweep'@42,1 minimum_quantity@43,4 cross_type'@47,1 customer_type'@48,1"),
    layout("replace_order", "U", 47, "original_token'@1,14 token'@15,14 quantity@29,4 price@33,4 time_in_force@37,4 display'@41,1 "
           "intermarket_sweep'@42,1 minimum_quantity@43,4"),
    layout("cancel_order", "X", 19, "token'@1,14 quantity@15,4"),
    layout("modify_order", "M", 20, "token'@1,14 side'@15,1 quantity@16,4"),
    layout("trade_now", "N", 15, "token'@1,14"),
)}
"""Client to venue, by type."""

OUTBOUND: dict[str, Layout] = {each.type: each for each in (
    layout("system_event", "S", 10, "timestamp@1,8 event'@9,1"),
    layout("accepted", "A", 66, f"{_HEAD} {_DETAILS} bbo_weight'@65,1"),
    layout("replaced", "U", 80, f"{_HEAD} {_DETAILS} original_token'@65,14 bbo_weight'@79,1"),
    layout("canceled", "C", 28, f"{_HEAD} quantity@23,4 reason'@27,1"),
    layout("aiq_canceled", "D", 37, f"{_HEAD} quantity@23,4 reason'@27,1 prevented_quantity@28,4 price@32,4 liquidity'@36,1"),
    layout("executed", "E", 40, _EXECUTION),
    layout("executed_with_reference", "G", 45, f"{_EXECUTION} reference_price@40,4 reference_type'@44,1"),
    layout("trade_correction", "F", 41, f"{_EXECUTION} reason'@40,1"),
    layout("broken_trade", "B", 32, f"{_HEAD} match@23,8 reason'@31,1"),
    layout("rejected", "J", 24, f"{_HEAD} reason'@23,1"),
    layout("cancel_pending", "P", 23, _HEAD),
    layout("cancel_rejected", "I", 23, _HEAD),
    layout("trade_now_told", "N", 23, _HEAD),
    layout("priority_updated", "T", 36, f"{_HEAD} price@23,4 display'@27,1 order_reference@28,8"),
    layout("modified", "M", 28, f"{_HEAD} side'@23,1 quantity@24,4"),
)}
"""Venue to client, by type."""

_BY_NAME = {each.name: each for each in (*INBOUND.values(), *OUTBOUND.values())}


def encode(message: Message) -> bytes:
    """The bytes of a message; text must have its full length."""
    return ouch50.encode(message, _BY_NAME)


def decode(data: bytes, *, inbound: bool) -> Message:
    """The message in these bytes, all of them. ``inbound``: from client to venue (some types exist both ways)."""
    return ouch50.decode(data, inbound=inbound, layouts=INBOUND if inbound else OUTBOUND)


def token(user_ref: int) -> str:
    """What an order of the card is called: its UserRefNum in hex."""
    return f"TJ{user_ref:08X}".ljust(TOKEN_LENGTH)


def user_ref_of(text: str) -> int:
    """The number of a token; ProtocolError if it is none of the card's."""
    try:
        number = int(text[2:10], 16)
    except ValueError:
        number = -1
    if number < 0 or text != token(number):
        raise ProtocolError(f"expected a token of the card, got {text!r}")
    return number


def order_packet(order: Order, *, name: str, user_ref: int) -> bytes:
    """The packet that the card sends for an order: displayed, principal, without minimum quantity, of the port's firm, not retail."""
    common: dict[str, Value] = {
        "quantity": order.shares, "price": order.price, "time_in_force": MARKET_HOURS if order.day else IMMEDIATE, "display": "Y",
        "intermarket_sweep": "N", "minimum_quantity": 0,
    }
    if order.kind == CANCEL_ORDER:
        message = Message("cancel_order", {"token": token(order.reference), "quantity": order.shares})
    elif order.kind == REPLACE_ORDER:
        message = Message("replace_order", {"original_token": token(order.reference), "token": token(user_ref), **common})
    else:
        message = Message("enter_order", {
            "token": token(user_ref), "side": "B" if order.side == BUY else "S", "symbol": f"{name:<8}", "firm": "    ", "capacity": "P",
            "cross_type": "N", "customer_type": "N", **common,
        })
    return frame(Packet("U", encode(message)))

"""OUCH 5.0 at the venue: what a port's messages do to the books, and what the port is told (PROTOCOLS section 5)."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from sim.golden.ouch50 import OPTIONS, Message, Value, decode, encode
from sim.golden.records import BUY, SELL
from sim.venue.auction import MARKET
from sim.venue.matching import CLOSED, HALTED, NEWEST, SUPERVISORY, Engine, Order

Fields = dict[str, Any]
Appendage = tuple[tuple[int, bytes], ...]

SECOND = 1_000_000_000
MOST_SHARES, HIGHEST_PRICE = 999_999, 1_999_999_900
SIDES = {"B": BUY, "S": SELL, "T": SELL, "E": SELL}
CROSSES = {"N": "", "O": "O", "C": "C", "H": "H"}
DAY, IMMEDIATE_OR_CANCEL, GOOD_TILL_TIME = "0", "3", "6"
TIMES_IN_FORCE = (DAY, IMMEDIATE_OR_CANCEL, "5", GOOD_TILL_TIME, "E")
POST_ONLY, EXPIRE_TIME, GROUP = 12, 15, 24
FIRM = 2
NONE = bytes(4)
NOT_MODELLED = {3: NONE, 5: NONE, 6: b"L", 7: None, 9: None, 10: None, 11: None, 13: NONE, 16: b"N", 22: NONE, 23: None}
"""Options that would make the order another than it would be here, with the value at which they do not: any other is rejected."""

MODIFIED = "M"
"""Not sent: a Modified tells it instead of a Canceled."""


class Reject(IntEnum):
    """Reasons of a Rejected."""

    CLOSED = 2
    DISPLAY = 3
    HALTED = 7
    SIDE = 9
    PROCESSING = 0xA
    OTHER = 0xF
    QUANTITY = 0x13
    SYMBOL = 0x17
    PRICE = 0x1D


class RejectError(Exception):
    """An order that the venue does not take."""

    def __init__(self, reason: int):
        super().__init__(f"reject code {reason}")
        self.reason = reason


class Details(NamedTuple):
    """What an order's answers repeat."""

    user_ref: int
    side: str
    time_in_force: str
    display: str
    capacity: str
    intermarket_sweep: str
    cross_type: str
    client_order_id: str
    symbol: str
    price: int
    appendage: Appendage


class Venue(Protocol):
    """What a port sees of its exchange."""

    engine: Engine
    locates: dict[str, int]
    """By names of eight characters."""

    @property
    def now(self) -> int:
        """Nanoseconds since midnight."""

    def tick(self, locate: int) -> int:
        """Price step in 1/10000."""

    def reject_storm(self) -> int:
        """Reject code of a storm that takes this order, or 0."""

    def takes_cross(self, kind: str) -> bool:
        """The cross is still to come."""

    def frozen(self, kind: str) -> bool:
        """It is so near that its own orders can't be canceled."""

    def expire(self, order: Order, time: int) -> None:
        """Cancels the order then."""


class Port:
    """One OUCH port.

    Parameters
    ----------
    venue : Venue
    number : int
        From 1. Orders of one port and one group (option 24) do not trade with each other, if ``prevention`` is not "".
    send : callable
        Takes each message for the client.
    prevention : str
        OLDEST, NEWEST, BOTH or "".
    cancel_on_disconnect : bool

    Attributes
    ----------
    last_user_ref : int
        Highest number of an order so far. A new order that is not higher is a retransmission, and ignored.
    orders : dict
        That stand, by UserRefNum.
    ignored : int
        Messages that changed nothing and got no answer.
    """

    def __init__(self, venue: Venue, number: int, send: Callable[[bytes], Any], *, prevention: str = NEWEST,
                 cancel_on_disconnect: bool = True):
        self.last_user_ref = 0
        self.orders: dict[int, Order] = {}
        self.ignored = 0
        self._venue, self._number, self._send = venue, number, send
        self._prevention, self._cancel_on_disconnect = prevention, cancel_on_disconnect

    def receive(self, data: bytes) -> None:
        """A message of the client. Raises ProtocolError, with nothing done."""
        message = decode(data, inbound=True)
        handlers: dict[str, Callable[[Fields, Appendage], None]] = {
            "enter_order": self._enter, "replace_order": self._replace, "cancel_order": self._cancel,
            "modify_order": self._modify, "account_query": self._query}
        handlers[message.name](message.fields, message.appendage)

    def disconnected(self) -> None:
        if self._cancel_on_disconnect:
            for order in list(self.orders.values()):
                self._venue.engine.cancel(order, reason=SUPERVISORY)

    def tell(self, name: str, fields: dict[str, Value], appendage: Appendage = ()) -> None:
        """Sends a message with the time of now. Also for what this venue itself never has to say: Restated, Priority Update, ..."""
        self._send(encode(Message(name, {"timestamp": self._venue.now, **fields}, appendage)))

    # What the client says

    def _enter(self, fields: Fields, appendage: Appendage) -> None:
        if fields["user_ref"] <= self.last_user_ref:
            self.ignored += 1
            return
        self.last_user_ref = fields["user_ref"]
        try:
            order = self._order(fields, fields["side"], fields["symbol"], fields["capacity"], fields["cross_type"], appendage)
            self._check_new(order)
        except RejectError as error:
            self._reject(fields, error.reason)
            return
        self._expire(order)
        self._venue.engine.enter(order)

    def _replace(self, fields: Fields, appendage: Appendage) -> None:
        old = self.orders.get(fields["original_user_ref"])
        if old is None or fields["user_ref"] <= self.last_user_ref:
            self.ignored += 1
            return
        self.last_user_ref = fields["user_ref"]
        if reason := self._keeps(old) or self._venue.reject_storm():
            self._reject(fields, reason)
            return
        was: Details = old.token
        kept = {tag: value for tag, value in was.appendage if tag != EXPIRE_TIME or fields["time_in_force"] == GOOD_TILL_TIME}
        options = (*((tag, value) for tag, value in kept.items() if tag not in dict(appendage)), *appendage)
        try:
            new = self._order(fields, was.side, was.symbol, was.capacity, was.cross_type, options)
            new.shares -= old.executed
            if new.shares < 1:
                raise RejectError(Reject.QUANTITY)
        except RejectError:
            self._venue.engine.cancel(old)  # live, but what comes for it is not valid
            return
        self._expire(new)
        self._venue.engine.replace(old, new)

    def _cancel(self, fields: Fields, _: Appendage) -> None:
        order = self.orders.get(fields["user_ref"])
        if order is None:
            self.ignored += 1
        elif self._frozen(order):
            self.tell("cancel_rejected", {"user_ref": fields["user_ref"]})
        elif not self._venue.engine.cancel(order, max(0, fields["quantity"] - order.executed)):
            self.ignored += 1

    def _modify(self, fields: Fields, _: Appendage) -> None:
        order = self.orders.get(fields["user_ref"])
        side = fields["side"]
        if order is None or side not in SIDES or (side != order.token.side and BUY in (SIDES[side], order.side)):
            self.ignored += 1
            return
        left = max(0, fields["quantity"] - order.executed)
        if not left or self._frozen(order):
            self._cancel({"user_ref": fields["user_ref"], "quantity": 0}, ())
            return
        order.token = order.token._replace(side=side)
        self._venue.engine.cancel(order, left, MODIFIED)
        self.tell("modified", {"user_ref": fields["user_ref"], "side": side, "quantity": order.shares})

    def _query(self, *_: object) -> None:
        self.tell("query_response", {"user_ref": self.last_user_ref + 1})

    # Checks

    def _order(self, fields: Fields, side: str, symbol: str, capacity: str, cross_type: str, appendage: Appendage) -> Order:
        """Raises RejectError where a field is wrong."""
        locate, options = self._venue.locates.get(symbol), dict(appendage)
        price, display, time_in_force = fields["price"], fields["display"], fields["time_in_force"]
        if locate is None:
            raise RejectError(Reject.SYMBOL)
        market = price >= MARKET
        for wrong, reason in (
            (side not in SIDES, Reject.SIDE),
            (not 1 <= fields["quantity"] <= MOST_SHARES, Reject.QUANTITY),
            (not market and not (0 < price <= HIGHEST_PRICE and price % self._venue.tick(locate) == 0), Reject.PRICE),
            (display not in ("Y", "N", "A"), Reject.DISPLAY),
            (time_in_force not in TIMES_IN_FORCE or cross_type not in CROSSES or capacity not in tuple("APRO"), Reject.OTHER),
            (fields["intermarket_sweep"] not in ("Y", "N"), Reject.OTHER),
            (not _understood(appendage), Reject.OTHER),
            ((time_in_force == GOOD_TILL_TIME) != (EXPIRE_TIME in options), Reject.OTHER),
            (EXPIRE_TIME in options and _number(options, EXPIRE_TIME) * SECOND <= self._venue.now, Reject.OTHER),
        ):
            if wrong:
                raise RejectError(reason)
        details = Details(fields["user_ref"], side, time_in_force, display, capacity, fields["intermarket_sweep"], cross_type,
                          fields["client_order_id"], symbol, price, tuple(appendage))
        group = self._number << 16 | _number(options, GROUP)
        return Order(locate, SIDES[side], fields["quantity"], MARKET if market else price, immediate=time_in_force == IMMEDIATE_OR_CANCEL,
                     post_only=options.get(POST_ONLY) == b"P", hidden=display == "N", cross=CROSSES[cross_type],
                     group=group if self._prevention else 0, prevention=self._prevention or NEWEST, owner=self, token=details)

    def _check_new(self, order: Order) -> None:
        state = self._venue.engine.state(order.locate)
        if state == CLOSED or (order.cross and not self._venue.takes_cross(order.cross)):
            raise RejectError(Reject.CLOSED)
        if state == HALTED:
            raise RejectError(Reject.HALTED)
        if reason := self._venue.reject_storm():
            raise RejectError(reason)

    def _keeps(self, order: Order) -> int:
        """Why this order can't be replaced now, or 0."""
        if self._venue.engine.state(order.locate) == HALTED:
            return Reject.HALTED
        return Reject.PROCESSING if self._frozen(order) else 0

    def _frozen(self, order: Order) -> bool:
        return bool(order.cross) and self._venue.frozen(order.cross)

    def _expire(self, order: Order) -> None:
        options = dict(order.token.appendage)
        if EXPIRE_TIME in options:
            self._venue.expire(order, _number(options, EXPIRE_TIME) * SECOND)

    def _reject(self, fields: Fields, reason: int) -> None:
        self.tell("rejected", {"user_ref": fields["user_ref"], "reason": int(reason), "client_order_id": fields["client_order_id"]})

    # What the engine says of the port's orders

    def accepted(self, order: Order) -> None:
        self.orders[order.token.user_ref] = order
        self._repeat("accepted", order, {})

    def replaced(self, old: Order, new: Order) -> None:
        del self.orders[old.token.user_ref]
        self.orders[new.token.user_ref] = new
        self._repeat("replaced", new, {"original_user_ref": old.token.user_ref})

    def executed(self, order: Order, shares: int, price: int, match: int, liquidity: str) -> None:
        """``liquidity``: A added, J added hidden, R removed; O, C and H: the cross of this kind."""
        self.tell("executed", {"user_ref": order.token.user_ref, "quantity": shares, "price": price, "liquidity": liquidity,
                               "match": match})
        self._forget(order)

    def canceled(self, order: Order, shares: int, reason: str) -> None:
        if reason != MODIFIED:
            self.tell("canceled", {"user_ref": order.token.user_ref, "quantity": shares, "reason": reason})
        self._forget(order)

    def prevented(self, order: Order, shares: int, prevented: int, price: int, strategy: str) -> None:
        self.tell("aiq_canceled", {
            "user_ref": order.token.user_ref, "quantity": shares, "reason": "Q", "prevented_quantity": prevented, "price": price,
            "liquidity": "A" if order.queue is not None else "R", "strategy": strategy})
        self._forget(order)

    def broken(self, order: Order, match: int, reason: str) -> None:
        self.tell("broken_trade", {"user_ref": order.token.user_ref, "match": match, "reason": reason,
                                   "client_order_id": order.token.client_order_id})

    def _forget(self, order: Order) -> None:
        if not order.shares:
            self.orders.pop(order.token.user_ref, None)

    def _repeat(self, name: str, order: Order, more: dict[str, Value]) -> None:
        details: Details = order.token
        self.tell(name, {
            **more, "user_ref": details.user_ref, "side": details.side, "quantity": order.shares, "symbol": details.symbol,
            "price": details.price, "time_in_force": details.time_in_force, "display": details.display,
            "order_reference": order.reference, "capacity": details.capacity, "intermarket_sweep": details.intermarket_sweep,
            "cross_type": details.cross_type, "state": "L", "client_order_id": details.client_order_id}, details.appendage)


def firm_of(order: Order) -> str:
    """Four characters to attribute a displayed order to, or ""."""
    details = order.token
    if not isinstance(details, Details) or details.display != "A":
        return ""
    return dict(details.appendage).get(FIRM, b"").decode("latin-1")


def _understood(appendage: Appendage) -> bool:
    return len(dict(appendage)) == len(appendage) and all(
        OPTIONS.get(tag) == len(value) and NOT_MODELLED.get(tag, value) == value and (tag != FIRM or value.isascii())
        for tag, value in appendage)


def _number(options: dict[int, bytes], tag: int) -> int:
    return int.from_bytes(options.get(tag, b""), "big")

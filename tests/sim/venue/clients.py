"""A client of the order gateway, in process: what it sends and what it was told."""

from sim.golden.ouch50 import Message, decode, encode
from sim.venue.settings import VenueSettings
from sim.venue.soupbin import ClientConnection

QUIET = VenueSettings(seed=1, crowd=None)
"""A venue without a crowd."""


def enter_order(*, user_ref, side="B", quantity=100, price=24_0000, symbol="ANTS", time_in_force="0", display="Y", cross_type="N",
                capacity="P", sweep="N", appendage=()):
    """Its bytes."""
    return encode(Message("enter_order", {
        "user_ref": user_ref, "side": side, "quantity": quantity, "symbol": f"{symbol:<8}", "price": price,
        "time_in_force": time_in_force, "display": display, "capacity": capacity, "intermarket_sweep": sweep, "cross_type": cross_type,
        "client_order_id": f"ORDER{user_ref:09d}"}, tuple(appendage)))


class Client:
    """Logs in at once. ``told`` has all messages since the login, decoded."""

    def __init__(self, exchange, user="TJ", password="TRAPJAW", **login):
        self.exchange, self.told = exchange, []
        self.server = exchange.connect()
        self.wire = ClientConnection(user, password, exchange.now, **login)
        self.user_ref = 0
        self.pump()

    def pump(self):
        """Carries bytes both ways until there are none; what was told since the last time."""
        new = []
        while data := self.wire.take():
            self.server.receive(data, self.exchange.now)
        self.wire.receive(self.server.take(), self.exchange.now)
        new = [decode(message, inbound=False) for message in self.wire.messages()]
        self.told += new
        return new

    def say(self, name, fields, appendage=()):
        self.wire.send(encode(Message(name, fields, tuple(appendage))))
        return self.pump()

    def enter(self, side="B", quantity=100, price=24_0000, *, user_ref=None, **more):
        self.user_ref = user_ref or self.user_ref + 1
        self.wire.send(enter_order(user_ref=self.user_ref, side=side, quantity=quantity, price=price, **more))
        return self.pump()

    def replace(self, original, quantity=100, price=24_0000, *, user_ref=None, time_in_force="0", display="Y", appendage=()):
        self.user_ref = user_ref or self.user_ref + 1
        return self.say("replace_order", {
            "original_user_ref": original, "user_ref": self.user_ref, "quantity": quantity, "price": price,
            "time_in_force": time_in_force, "display": display, "intermarket_sweep": "N",
            "client_order_id": f"ORDER{self.user_ref:09d}"}, appendage)

    def cancel(self, user_ref, quantity=0):
        return self.say("cancel_order", {"user_ref": user_ref, "quantity": quantity})

    def modify(self, user_ref, side, quantity):
        return self.say("modify_order", {"user_ref": user_ref, "side": side, "quantity": quantity})


def brief(messages):
    """Names with the few fields that tell most."""
    keys = ("user_ref", "original_user_ref", "quantity", "price", "reason", "liquidity", "side", "event")
    return [(message.name, {key: message.fields[key] for key in keys if key in message.fields}) for message in messages]

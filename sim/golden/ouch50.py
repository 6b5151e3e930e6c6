"""OUCH 5.0 and SoupBinTCP 3.00 in bytes, written from PROTOCOLS.md sections 4 and 5: encode, decode, nothing guessed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sim.golden.records import BUY, CANCEL_ORDER, REPLACE_ORDER, Order

Value = int | str
"""A number, or text as it stands in the message with its padding."""


class Field(NamedTuple):
    name: str
    offset: int
    length: int
    text: bool = False


class Layout(NamedTuple):
    """One message type. ``appendage``: its two-byte length and the tag values follow the fixed part."""

    name: str
    type: str
    length: int
    fields: tuple[Field, ...]
    appendage: bool = False


class Message(NamedTuple):
    """A decoded message: its fields by name, and the tag values of its appendage in their order."""

    name: str
    fields: dict[str, Value]
    appendage: tuple[tuple[int, bytes], ...] = ()


class ProtocolError(ValueError):
    """Bytes that are no message: says what was expected and what came."""


def layout(name: str, type_: str, length: int, fields: str, *, appendage: bool = False) -> Layout:
    """``fields`` as "name@offset,length", with an apostrophe after the name of text."""
    parsed = []
    for field in fields.split():
        label, _, place = field.partition("@")
        offset, _, size = place.partition(",")
        parsed.append(Field(label.rstrip("'"), int(offset), int(size), label.endswith("'")))
    return Layout(name, type_, length, tuple(parsed), appendage)


_INBOUND = (
    layout("enter_order", "O", 47, "user_ref@1,4 side'@5,1 quantity@6,4 symbol'@10,8 price@18,8 time_in_force'@26,1 display'@27,1 "
            "capacity'@28,1 intermarket_sweep'@29,1 cross_type'@30,1 client_order_id'@31,14", appendage=True),
    layout("replace_order", "U", 40, "original_user_ref@1,4 user_ref@5,4 quantity@9,4 price@13,8 time_in_force'@21,1 display'@22,1 "
            "intermarket_sweep'@23,1 client_order_id'@24,14", appendage=True),
    layout("cancel_order", "X", 9, "user_ref@1,4 quantity@5,4"),
    layout("modify_order", "M", 10, "user_ref@1,4 side'@5,1 quantity@6,4"),
    layout("account_query", "Q", 1, ""),
)

_OUTBOUND = (
    layout("system_event", "S", 10, "timestamp@1,8 event'@9,1"),
    layout("accepted", "A", 64, "timestamp@1,8 user_ref@9,4 side'@13,1 quantity@14,4 symbol'@18,8 price@26,8 time_in_force'@34,1 "
            "display'@35,1 order_reference@36,8 capacity'@44,1 intermarket_sweep'@45,1 cross_type'@46,1 state'@47,1 "
            "client_order_id'@48,14", appendage=True),
    layout("replaced", "U", 68, "timestamp@1,8 original_user_ref@9,4 user_ref@13,4 side'@17,1 quantity@18,4 symbol'@22,8 price@30,8 "
            "time_in_force'@38,1 display'@39,1 order_reference@40,8 capacity'@48,1 intermarket_sweep'@49,1 cross_type'@50,1 state'@51,1 "
            "client_order_id'@52,14", appendage=True),
    layout("canceled", "C", 18, "timestamp@1,8 user_ref@9,4 quantity@13,4 reason'@17,1"),
    layout("aiq_canceled", "D", 32, "timestamp@1,8 user_ref@9,4 quantity@13,4 reason'@17,1 prevented_quantity@18,4 price@22,8 "
            "liquidity'@30,1 strategy'@31,1"),
    layout("executed", "E", 36, "timestamp@1,8 user_ref@9,4 quantity@13,4 price@17,8 liquidity'@25,1 match@26,8", appendage=True),
    layout("broken_trade", "B", 36, "timestamp@1,8 user_ref@9,4 match@13,8 reason'@21,1 client_order_id'@22,14"),
    layout("rejected", "J", 29, "timestamp@1,8 user_ref@9,4 reason@13,2 client_order_id'@15,14"),
    layout("cancel_pending", "P", 13, "timestamp@1,8 user_ref@9,4"),
    layout("cancel_rejected", "I", 13, "timestamp@1,8 user_ref@9,4"),
    layout("priority_updated", "T", 30, "timestamp@1,8 user_ref@9,4 price@13,8 display'@21,1 order_reference@22,8"),
    layout("modified", "M", 18, "timestamp@1,8 user_ref@9,4 side'@13,1 quantity@14,4"),
    layout("restated", "R", 16, "timestamp@1,8 user_ref@9,4 reason'@13,1", appendage=True),
    layout("query_response", "Q", 13, "timestamp@1,8 user_ref@9,4"),
)

INBOUND = {layout.type: layout for layout in _INBOUND}
"""Client to venue, by type."""

OUTBOUND = {layout.type: layout for layout in _OUTBOUND}
"""Venue to client, by type."""

OPTIONS = {1: 8, 2: 4, 3: 4, 4: 1, 5: 4, 6: 1, 7: 4, 9: 8, 10: 1, 11: 4, 12: 1, 13: 4, 14: 4, 15: 4, 16: 1, 17: 1, 18: 1, 22: 4, 23: 8,
           24: 2, 25: 1}
"""Tags of an appendage, and the bytes of their values."""

_BY_NAME = {layout.name: layout for layout in _INBOUND + _OUTBOUND}


def encode(message: Message, layouts: Mapping[str, Layout] = _BY_NAME) -> bytes:
    """The bytes of a message; text must have its full length. ``layouts``: by name, of another version."""
    layout = layouts[message.name]
    data = bytearray(layout.length)
    data[:1] = layout.type.encode()
    if missing := {field.name for field in layout.fields} ^ message.fields.keys():
        raise ProtocolError(f"{layout.name}: missing or unknown fields {sorted(missing)}")
    for field in layout.fields:
        value = message.fields[field.name]
        try:
            raw = value.to_bytes(field.length, "big") if isinstance(value, int) else value.encode("ascii")
        except (OverflowError, UnicodeEncodeError):
            raw = b""
        if len(raw) != field.length or isinstance(value, str) != field.text:
            kind = "text" if field.text else "number"
            raise ProtocolError(f"{layout.name}: {field.name} is a {kind} of {field.length} bytes, not {value!r}")
        data[field.offset:field.offset + field.length] = raw
    if message.appendage and not layout.appendage:
        raise ProtocolError(f"{layout.name} has no appendage")
    if layout.appendage:
        tags = b"".join(bytes([1 + len(value), tag]) + value for tag, value in message.appendage)
        data[-2:] = len(tags).to_bytes(2, "big")
        data += tags
    return bytes(data)


def decode(data: bytes, *, inbound: bool, layouts: Mapping[str, Layout] | None = None) -> Message:
    """The message in these bytes, all of them. ``inbound``: from client to venue (some types exist both ways). ``layouts``: by type, of
    another version."""
    layouts = layouts or (INBOUND if inbound else OUTBOUND)
    layout = layouts.get(data[:1].decode("latin-1"))
    if layout is None:
        raise ProtocolError(f"expected a message type of {''.join(layouts)}, got {data[:1]!r}")
    if len(data) < layout.length:
        raise ProtocolError(f"{layout.name}: expected {layout.length} bytes, got {len(data)}")
    fields: dict[str, Value] = {}
    for field in layout.fields:
        raw = data[field.offset:field.offset + field.length]
        if field.text and not raw.isascii():
            raise ProtocolError(f"{layout.name}: {field.name} is no ASCII text: {raw!r}")
        fields[field.name] = raw.decode("ascii") if field.text else int.from_bytes(raw, "big")
    extra = data[layout.length:]
    announced = int.from_bytes(data[layout.length - 2:layout.length], "big") if layout.appendage else 0
    if len(extra) != announced:
        raise ProtocolError(f"{layout.name}: expected {announced} bytes after the fixed part, got {len(extra)}")
    return Message(layout.name, fields, tuple(_tag_values(extra)))


def _tag_values(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        length = data[position]
        if length == 0 or position + 1 + length > len(data):
            raise ProtocolError(f"appendage: expected a tag value within {len(data)} bytes, got length {length} at byte {position}")
        yield data[position + 1], data[position + 2:position + 1 + length]
        position += 1 + length


class Packet(NamedTuple):
    """One SoupBinTCP packet."""

    type: str
    payload: bytes = b""


def frame(packet: Packet) -> bytes:
    """Length (of type and payload), type, payload."""
    return (1 + len(packet.payload)).to_bytes(2, "big") + packet.type.encode("ascii") + packet.payload


class PacketReader:
    """Takes a byte stream in any pieces.

    Attributes
    ----------
    rest : bytes
        Beginning of a packet whose end has not come.
    """

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, chunk: bytes) -> Iterator[Packet]:
        """The packets that are whole now; they must all be taken."""
        self.rest += chunk
        while len(self.rest) >= 2 and len(self.rest) >= 2 + (length := int.from_bytes(self.rest[:2], "big")):
            if length == 0:
                raise ProtocolError("expected a packet type, got a packet of length 0")
            packet = Packet(chr(self.rest[2]), self.rest[3:2 + length])
            self.rest = self.rest[2 + length:]
            yield packet


def packets(chunks: Iterable[bytes]) -> Iterator[Packet]:
    """Packets of a byte stream that comes in any pieces. Raises if it ends within one."""
    reader = PacketReader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    if reader.rest:
        raise ProtocolError(f"the stream ends {len(reader.rest)} bytes into a packet")


def order_packet(order: Order, *, name: str, user_ref: int) -> bytes:
    """The packet that the card sends for an order: SoupBinTCP unsequenced data with an Enter, Replace or Cancel Order.

    Displayed, principal. The client's order id tells where the order comes from. A Cancel Order has no number of its own.
    """
    quantity, price, time_in_force = order.shares, order.price, "0" if order.day else "3"
    identity = f"TJ{order.venue:X}{order.strategy:X}{order.symbol:02X}{user_ref:08X}"
    if order.kind == CANCEL_ORDER:
        message = Message("cancel_order", {"user_ref": order.reference, "quantity": quantity})
    elif order.kind == REPLACE_ORDER:
        message = Message("replace_order", {
            "original_user_ref": order.reference, "user_ref": user_ref, "quantity": quantity, "price": price,
            "time_in_force": time_in_force, "display": "Y", "intermarket_sweep": "N", "client_order_id": identity,
        })
    else:
        message = Message("enter_order", {
            "user_ref": user_ref,
            "side": "B" if order.side == BUY else "S",
            "quantity": quantity,
            "symbol": f"{name:<8}",
            "price": price,
            "time_in_force": time_in_force,
            "display": "Y",
            "capacity": "P",
            "intermarket_sweep": "N",
            "cross_type": "N",
            "client_order_id": identity,
        })
    return frame(Packet("U", encode(message)))

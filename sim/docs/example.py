"""The example of the tour: one frame that makes an arbitrage, and the order that it causes; bytes by the golden models."""

from sim.flow import Message, itch
from sim.flow.framing import Frame, frames
from sim.golden.order_frame import order_frame
from sim.golden.ouch50 import order_packet
from sim.golden.records import BUY, Order
from sim.session.desk import feed_addresses, order_addresses

SYMBOL, LOCATE, TIME = "WASP", 4, 34_200_851_000_000
BID, OFFER, SHARES = 312_3600, 312_1400, 100
"""What the message bids at the venue north, and what was offered at the venue south before."""


def trigger() -> Frame:
    """A frame with one Add in it."""
    message = itch.add(TIME, LOCATE, SYMBOL, 8_871, "B", SHARES, BID)
    (frame,) = frames([Message(TIME, 0, message)], feed_addresses(2))
    return frame


def order() -> bytes:
    """The frame of the buy order."""
    packet = order_packet(Order(strategy=1, venue=1, symbol=3, side=BUY, shares=SHARES, price=OFFER), name=SYMBOL, user_ref=1)
    return order_frame(order_addresses(2)[1], packet)


def dump(data: bytes, notes: dict[int, str]) -> str:
    """Eight bytes a line, as they travel; notes by the number of the word."""
    lines = []
    for word in range(-(-len(data) // 8)):
        part = data[8 * word : 8 * word + 8]
        shown = "".join(chr(byte) if 0x21 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{word:2d}  {part.hex(' '):23s}  {shown:8s}  {notes.get(word, '')}".rstrip())
    return "\n".join(lines)

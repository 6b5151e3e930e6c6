"""What an OUCH 5.0 venue says, read byte by byte (PROTOCOLS: section 5, outbound)."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.order_entry.soupbin import VenueByte
from hw.reasons import AnswerKind
from hw.venue_reply import VenueMessage, VenueReply


class Layout(NamedTuple):
    """A message: its bytes without appendage, whether there may be one, and (offset, bytes) of its fields."""

    length: int
    appendage: bool
    answer: AnswerKind
    fields: dict[str, tuple[int, int]]


USER_REF = (9, 4)

LAYOUTS = {
    "S": Layout(10, False, AnswerKind.NOTED, {"code": (9, 1)}),
    "A": Layout(64, True, AnswerKind.NOTED,
                {"user_ref": USER_REF, "shares": (14, 4), "price": (26, 8), "reference": (36, 8), "code": (47, 1)}),
    "U": Layout(68, True, AnswerKind.REPLACED, {"original": USER_REF, "user_ref": (13, 4), "shares": (18, 4), "price": (30, 8),
                                                "reference": (40, 8), "code": (51, 1)}),
    "C": Layout(18, False, AnswerKind.RELEASED, {"user_ref": USER_REF, "shares": (13, 4), "code": (17, 1)}),
    "D": Layout(32, False, AnswerKind.RELEASED, {"user_ref": USER_REF, "shares": (13, 4), "code": (17, 1), "price": (22, 8)}),
    "E": Layout(36, True, AnswerKind.FILLED,
                {"user_ref": USER_REF, "shares": (13, 4), "price": (17, 8), "code": (25, 1), "reference": (26, 8)}),
    "B": Layout(36, False, AnswerKind.NOTED, {"user_ref": USER_REF, "reference": (13, 8), "code": (21, 1)}),
    "J": Layout(29, False, AnswerKind.ENDED, {"user_ref": USER_REF, "code": (13, 2)}),
    "P": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
    "I": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
    "T": Layout(30, False, AnswerKind.NOTED, {"user_ref": USER_REF, "price": (13, 8), "code": (21, 1), "reference": (22, 8)}),
    "M": Layout(18, False, AnswerKind.NOTED, {"user_ref": USER_REF, "code": (13, 1), "shares": (14, 4)}),
    "R": Layout(16, True, AnswerKind.NOTED, {"user_ref": USER_REF, "code": (13, 1)}),
    "Q": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
}
"""Messages of the venue by type. Their other fields repeat what the order said."""

DEAD = ord("D")
"""State of an order that is accepted, or has replaced another, and stands no more."""


class OuchReplies(wiring.Component):
    """Turns each message into what it does to the table of open orders, and into what the host is told.

    A message that can't be (type, length, appendage) gives no reply: the next one's number tells the gateway that one is missing.

    Parameters
    ----------
    venue : int

    Ports
    -----
    messages : In(stream of VenueByte, always ready)
    replies : Out(stream of VenueReply, always ready)
        One a message: NOTED of accepted, system event, cancel pending, cancel rejected, priority update, restated and query response;
        FILLED of executed; RELEASED of canceled and AIQ canceled; REPLACED; ENDED of rejected, and of what is accepted or has replaced
        another and is dead. NOTED also of a broken trade and of modified, with ``unsure``.
    told : Out(VenueMessage)
        With each reply.
    unsure : Out(1)
        With a reply: the position or an order is not what the card thinks, and the message does not say by how much (a broken trade;
        a modification, which the card never asks for; a replacement that is dead, of which the card keeps the order before).
    malformed : Out(1)
        Pulse instead of a reply.

    Notes
    -----
    Latency 2 cycles from a message's last byte.
    """

    LATENCY = 2

    def __init__(self, venue: int):
        self._venue = venue
        super().__init__({
            "messages": In(stream.Signature(VenueByte, always_ready=True)),
            "replies": Out(stream.Signature(VenueReply, always_ready=True)),
            "told": Out(VenueMessage), "unsure": Out(1), "malformed": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        byte, index, message, price = self.messages.payload.value, Signal(7), Signal(VenueMessage), Signal(64)
        arrives, last, ended = self.messages.valid, self.messages.payload.last, Signal()
        m.d.sync += ended.eq(arrives & last)
        with m.If(arrives):
            m.d.sync += [index.eq(Mux(last, 0, index + ~index.all())), message.number.eq(self.messages.payload.number)]
            with m.If(index == 0):
                m.d.sync += [message.eq(0), message.type.eq(byte), price.eq(0)]
            with m.Else():
                self._take_fields(m, byte, index, message, price)
        good = self._measure(m, arrives, byte, index, message.type)
        m.d.sync += [
            self.replies.valid.eq(ended & good), self.malformed.eq(ended & ~good),
            self.told.eq(message), self.told.venue.eq(self._venue), self.told.price.eq(Mux(price[32:].any(), ~0, price)),
        ]
        self._answer(m)
        return m

    def _take_fields(self, m, byte, index, message, price):
        """Numbers come with their highest byte first."""
        with m.Switch(message.type):
            for letter, layout in LAYOUTS.items():
                with m.Case(ord(letter)):
                    for name, (offset, length) in layout.fields.items():
                        field = price if name == "price" else message[name]
                        with m.If((index >= offset) & (index < offset + length)):
                            m.d.sync += field.eq(Cat(byte, field))

    def _measure(self, m, arrives, byte, index, kind):
        """Whether the message has the length that it must have; from the cycle after its last byte on.

        Behind the fixed part may stand as many bytes as its last two announce, of tag values: a length, then as many bytes.
        """
        length, appends, known = Signal(7), Signal(), Signal()
        announced, extra, left, broken = Signal(16), Signal(16), Signal(8), Signal()
        with m.Switch(kind):
            for letter, layout in LAYOUTS.items():
                with m.Case(ord(letter)):
                    m.d.comb += [known.eq(1), length.eq(layout.length), appends.eq(layout.appendage)]
        count = Signal(7)  # bytes of the fixed part
        with m.If(arrives):
            with m.If(index == 0):
                m.d.sync += [count.eq(1), announced.eq(0), extra.eq(0), left.eq(0), broken.eq(0)]
            with m.Elif(index < length):
                m.d.sync += count.eq(count + 1)
                with m.If(appends & (index >= length - 2)):
                    m.d.sync += announced.eq(Cat(byte, announced))
            with m.Else():
                m.d.sync += [extra.eq(extra + 1), left.eq(Mux(left == 0, byte, left - 1))]
                with m.If((left == 0) & (byte == 0) | extra.all()):
                    m.d.sync += broken.eq(1)
        return known & (count == length) & (extra == announced) & (left == 0) & ~broken

    def _answer(self, m):
        """By the type, and by the state of an order that is accepted or has replaced another."""
        reply, told, dead = self.replies.payload, self.told, Signal()
        m.d.comb += [
            reply.venue.eq(self._venue), reply.user_ref.eq(told.user_ref), reply.number.eq(told.number), reply.shares.eq(told.shares),
            reply.kind.eq(AnswerKind.NOTED), dead.eq(told.code == DEAD),
        ]
        with m.Switch(told.type):
            for letter, layout in LAYOUTS.items():
                with m.Case(ord(letter)):
                    m.d.comb += reply.kind.eq(layout.answer)
                    if letter in "AU":
                        with m.If(dead):
                            m.d.comb += [reply.kind.eq(AnswerKind.ENDED), self.unsure.eq(self.replies.valid & (letter == "U"))]
                    if letter in "BM":
                        m.d.comb += self.unsure.eq(self.replies.valid)

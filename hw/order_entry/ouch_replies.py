"""What an OUCH venue says, 5.0 or 4.2, read byte by byte (PROTOCOLS: sections 5 and 6, outbound)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.order_entry import ouch42
from hw.order_entry.layout import Layout
from hw.order_entry.soupbin import VenueByte
from hw.reasons import AnswerKind
from hw.venue_reply import VenueMessage, VenueReply

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
    "B": Layout(36, False, AnswerKind.NOTED, {"user_ref": USER_REF, "reference": (13, 8), "code": (21, 1)}, unsure=True),
    "J": Layout(29, False, AnswerKind.ENDED, {"user_ref": USER_REF, "code": (13, 2)}),
    "P": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
    "I": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
    "T": Layout(30, False, AnswerKind.NOTED, {"user_ref": USER_REF, "price": (13, 8), "code": (21, 1), "reference": (22, 8)}),
    "M": Layout(18, False, AnswerKind.NOTED, {"user_ref": USER_REF, "code": (13, 1), "shares": (14, 4)}, unsure=True),
    "R": Layout(16, True, AnswerKind.NOTED, {"user_ref": USER_REF, "code": (13, 1)}),
    "Q": Layout(13, False, AnswerKind.NOTED, {"user_ref": USER_REF}),
}
"""Messages of the venue by type. Their other fields repeat what the order said."""

PROTOCOLS = {"ouch50": LAYOUTS, "ouch42": ouch42.LAYOUTS}

DEAD = ord("D")
"""State of an order that is accepted, or has replaced another, and stands no more."""


class OuchReplies(wiring.Component):
    """Turns each message into what it does to the table of open orders, and into what the host is told.

    A message that can't be (type, length, appendage) gives no reply: the next one's number tells the gateway that one is missing.

    Parameters
    ----------
    venue : int
    protocol : str
        "ouch50" or "ouch42". Of 4.2, whose orders have no number but a token, a message about a token that is none of the card's can't be.

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

    def __init__(self, venue: int, protocol: str = "ouch50"):
        self._venue, self._layouts, self._has_tokens = venue, PROTOCOLS[protocol], protocol == "ouch42"
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
        if self._has_tokens:
            good &= self._check_tokens(m, arrives, byte, index, message.type)
        m.d.sync += [
            self.replies.valid.eq(ended & good), self.malformed.eq(ended & ~good),
            self.told.eq(message), self.told.venue.eq(self._venue), self.told.price.eq(Mux(price[32:].any(), ~0, price)),
        ]
        self._answer(m)
        return m

    def _take_fields(self, m, byte, index, message, price):
        """Numbers come with their highest byte, or digit, first."""
        nibble = (byte[:4] + Mux(byte[6], 9, 0))[:4]
        with m.Switch(message.type):
            for letter, layout in self._layouts.items():
                with m.Case(ord(letter)):
                    for name, (offset, length) in layout.fields.items():
                        field = price if name == "price" else message[name]
                        part = nibble if self._has_tokens and name in ("user_ref", "original") else byte
                        with m.If((index >= offset) & (index < offset + length)):
                            m.d.sync += field.eq(Cat(part, field))

    def _measure(self, m, arrives, byte, index, kind):
        """Whether the message has the length that it must have; from the cycle after its last byte on.

        Behind the fixed part may stand as many bytes as its last two announce, of tag values: a length, then as many bytes.
        """
        length, appends, known = Signal(7), Signal(), Signal()
        announced, extra, left, broken = Signal(16), Signal(16), Signal(8), Signal()
        with m.Switch(kind):
            for letter, layout in self._layouts.items():
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

    def _check_tokens(self, m, arrives, byte, index, kind):
        """Whether all tokens so far are as the card makes them; from the cycle after the last byte on."""
        sound, place = Signal(), Signal(range(ouch42.TOKEN_BYTES + 1))  # of the byte in the token; the last: it is in none
        is_digit = (byte[4:] == 3) & (byte[:4] < 10) | (byte[4:] == 4) & (byte[:4] != 0) & (byte[:4] < 7)
        m.d.comb += place.eq(ouch42.TOKEN_BYTES)
        for begin, has_one in ((ouch42.TOKEN, kind != ord("S")), (ouch42.PREVIOUS, kind == ord("U"))):
            with m.If(has_one & (index >= begin) & (index < begin + ouch42.TOKEN_BYTES)):
                m.d.comb += place.eq(index - begin)
        expected = Signal(8)
        with m.Switch(place):
            for at, letter in enumerate(ouch42.MARK):
                with m.Case(at):
                    m.d.comb += expected.eq(ord(letter))
            with m.Default():
                m.d.comb += expected.eq(ord(" "))
        digits = (place >= len(ouch42.MARK)) & (place < len(ouch42.MARK) + ouch42.DIGITS)
        with m.If(arrives):
            with m.If(index == 0):
                m.d.sync += sound.eq(1)
            with m.Elif((place != ouch42.TOKEN_BYTES) & ~Mux(digits, is_digit, byte == expected)):
                m.d.sync += sound.eq(0)
        return sound

    def _answer(self, m):
        """By the type, and by the state of an order that is accepted or has replaced another."""
        reply, told, dead = self.replies.payload, self.told, Signal()
        m.d.comb += [
            reply.venue.eq(self._venue), reply.user_ref.eq(told.user_ref), reply.number.eq(told.number), reply.shares.eq(told.shares),
            reply.kind.eq(AnswerKind.NOTED), dead.eq(told.code == DEAD),
        ]
        with m.Switch(told.type):
            for letter, layout in self._layouts.items():
                with m.Case(ord(letter)):
                    m.d.comb += reply.kind.eq(layout.answer)
                    if letter in "AU":
                        with m.If(dead):
                            m.d.comb += [reply.kind.eq(AnswerKind.ENDED), self.unsure.eq(self.replies.valid & (letter == "U"))]
                    if layout.unsure:
                        m.d.comb += self.unsure.eq(self.replies.valid)

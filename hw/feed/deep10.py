"""IEX DEEP 1.0: from messages to book events."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.feed.turned import TurnedMessage
from hw.types import BookEvent, BookEventKind, MessageWord, Side

LEVEL_LENGTH = 30
"""Bytes of a price level update, its type included."""
BUY_LEVEL, SELL_LEVEL = ord("8"), ord("5")


class DeepDecoder(wiring.Component):
    """Turns the price level updates (8 5) into SET events; all others only pass by.

    A level is to the book one order, whose reference says which: the price in bits 31:0, the side in bit 32, and above it the symbol's
    slot, which the name filter adds.

    Ports
    -----
    words : In(stream.Signature(MessageWord, always_ready=True))
        Messages as they come, one word in every cycle if need be. A message that is cut off (never ``ends``) is
        forgotten when the next one starts.
    events : Out(stream.Signature(BookEvent, always_ready=True))
        One event per price level update: SET, ``partial`` unless the message completes its event. ``timestamp`` is the lower 48 bits
        of the nanoseconds since the Unix epoch, for the protocol knows no midnight: it is for differences. ``locate`` and ``symbol``
        are 0; ``ingress`` is the time of the word with the message's last byte.
    name : Out(64)
        With ``events``: the symbol, padded with spaces, its first byte in bits 7:0.
    named : Out(1)
        Always: every event has a name.
    malformed : Out(1)
        Pulse, in the cycle in which the event would have come: a price level update with a wrong length, or a price above 0x7FFFFFFF.
    message_seen : Out(1)
        Pulse per message of any type, in the same cycle as its event.

    Latency: ``LATENCY`` cycles from the word with a message's last byte to its event; one word per cycle.
    """

    LATENCY = 2

    words: In(stream.Signature(MessageWord, always_ready=True))
    events: Out(stream.Signature(BookEvent, always_ready=True))
    name: Out(64)
    named: Out(1)
    malformed: Out(1)
    message_seen: Out(1)

    def elaborate(self, platform):
        m = Module()
        message = TurnedMessage(m, self.words, kind_at=0)
        level, side = Signal(), Signal(Side)
        with m.If(message.kind_valid):
            m.d.sync += [
                level.eq((message.kind == BUY_LEVEL) | (message.kind == SELL_LEVEL)),
                side.eq(Mux(message.kind == SELL_LEVEL, Side.SELL, Side.BUY)),
            ]

        event, high, ended, wrong = self.events.payload, Signal(), Signal(), Signal()
        with m.If(message.second):
            m.d.sync += [event.partial.eq(~message.head(1)[0]), high.eq(0)]
        for number in range(6):
            message.store_head(event.timestamp, number, 2 + number)
        for number in range(8):
            message.store(self.name, number, 10 + number)
        for number in range(4):
            message.store(event.shares, number, 18 + number)
            message.store(event.price, number, 22 + number)
        for byte in range(26, 30):
            with m.If(message.arrives(byte) & message.lane[byte % 8].any()):
                m.d.sync += high.eq(1)

        m.d.sync += [
            event.kind.eq(BookEventKind.SET), event.side.eq(side),
            event.sequence.eq(message.sequence), event.ingress.eq(message.ingress),
            self.message_seen.eq(message.ends), ended.eq(message.ends & level), wrong.eq(message.length != LEVEL_LENGTH),
        ]
        # The price may have arrived with this very word, so it is judged a cycle later.
        bad = wrong | high | event.price[-1]
        m.d.comb += [
            event.reference.eq(Cat(event.price, event.side)),
            self.named.eq(1),
            self.events.valid.eq(ended & ~bad),
            self.malformed.eq(ended & bad),
        ]
        return m

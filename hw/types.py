"""The records that travel between stages. A stage never imports another stage: these are all they share.

Units are fixed here once: a price is in 1/10000 of the currency unit, a quantity in shares, an exchange
timestamp in nanoseconds since midnight of the exchange's day, a card time in clock cycles.
"""

from amaranth.hdl import unsigned
from amaranth.lib import data, enum, stream

from hw.reasons import DropReason, Fate, RejectReason

Price = unsigned(32)
"""1/10000 of the currency unit. 0 means that there is no price (an empty side)."""

Rank = unsigned(32)
"""A price made comparable, so that the higher is the better: the price itself on the buy side, all its bits inverted on the sell side."""

Shares = unsigned(32)
"""A number of shares; the total of a price level as well (a level that would pass 2^32 - 1 goes stale)."""

OrderCount = unsigned(16)
"""Number of orders on one price level."""

Sequence = unsigned(64)
"""Number of a message within its feed session, from 1."""

Nanoseconds = unsigned(48)
"""Nanoseconds since midnight, as ITCH sends them."""

Cycles = unsigned(32)
"""Card time in clock cycles, modulo 2^32 (27 s at 156.25 MHz): for differences, not for dates."""

VenueIndex = unsigned(4)
"""Number of a venue, which is the number of its feed port."""

SymbolIndex = unsigned(8)
"""Slot of a symbol on the card; the same instrument has the same slot on every venue."""


class Side(enum.Enum, shape=1):
    BUY = 0
    SELL = 1


class FrameWord(data.Struct):
    """Eight bytes of an Ethernet frame, from the destination address on, without preamble and FCS."""

    data: 64
    """Byte 0 of the wire in bits 7:0. Bytes at and above ``count`` are undefined."""
    count: 4
    """Valid bytes, from byte 0 on: 8, but for the last word of a frame (1 to 8)."""
    last: 1
    """This word ends the frame."""
    error: 1
    """With ``last``: forget this frame (the MAC found it bad)."""


FrameReceive = stream.Signature(FrameWord, always_ready=True)
"""A receive stream: the wire can't wait."""

class PayloadWord(data.Struct):
    """Eight bytes of UDP payload: byte 0 of the payload is byte 0 of the first word."""

    data: 64
    """Bytes at and above ``count`` are undefined."""
    count: 4
    """Valid bytes: 8, but for the last word (1 to 8). An empty payload has no word at all."""
    last: 1
    ingress: Cycles
    """Card time at which this word's last byte entered the card."""


FrameTransmit = stream.Signature(FrameWord)
"""A transmit stream: words of one frame follow each other without a pause from the source's side."""


class Verdict(data.Struct):
    """What became of a frame, once every check that needs its last byte is done. One per frame."""

    reason: DropReason
    """NONE: the frame is good and what it caused may take effect."""


class MessageWord(data.Struct):
    """Eight bytes of payload with the message boundaries in them, for decoders of any feed protocol.

    At most one message ends and at most one begins in a word, the end before the beginning.
    Between two messages there may be bytes that belong to none (length fields, headers).
    """

    data: 64
    """Byte 0 of the wire in bits 7:0."""
    ends: 1
    """The message in progress ends in this word: bytes 0 to ``end`` - 1 belong to it."""
    end: 4
    """1 to 8; with ``ends``."""
    starts: 1
    """A message begins in this word at byte ``start``: bytes ``start`` to 7 belong to it."""
    start: 3
    """0 to 7; with ``starts``. It never ends in the same word."""
    sequence: Sequence
    """With ``ends``: the sequence number of the message that ends."""
    ingress: Cycles
    """Card time at which this word's last byte entered the card."""


class Span(data.Struct):
    """The messages that a good packet holds, by their numbers."""

    session: 80
    """The feed session's name, its first byte in bits 7:0, zero above."""
    first: Sequence
    next: Sequence
    """Number after the last; ``first`` if it holds none (a heartbeat tells this way what should have come)."""


class LineFrame(data.Struct):
    """A good frame of one line, as the line arbiter needs it."""

    first: Sequence
    """Number of its first message."""
    next: Sequence
    """Number after its last."""
    events: 16
    """Book events of followed symbols that it has."""


class Gap(data.Struct):
    """Messages that did not come in time. The venue is stale until they have."""

    session: 80
    """Ten ASCII characters, the first in bits 7:0."""
    first: Sequence
    count: Sequence


class SymbolBinding(data.Struct):
    """One slot of a venue's symbol table."""

    enable: 1
    locate: 16


class SlotName(data.Struct):
    """A slot's name, as the host gives it."""

    symbol: SymbolIndex
    name: 64
    """ASCII, padded with spaces, the first character in bits 7:0; 0: none."""


class BookEventKind(enum.Enum, shape=3):
    ADD = 0
    """New order: reference, side, shares, price."""
    EXECUTE = 1
    """``shares`` of the order traded at its price (or at another: the level shrinks all the same)."""
    CANCEL = 2
    """``shares`` of the order taken away."""
    DELETE = 3
    """The whole order taken away."""
    REPLACE = 4
    """The order is gone; ``new_reference`` with ``shares`` and ``price`` stands at the tail of its level, same side."""
    SET = 5
    """``reference`` stands with ``shares`` at ``price`` on ``side``, whether it was there before or not; with 0 shares it is gone.
    For feeds that tell a level's new size instead of its orders: the level is one order, its reference names side and price."""
    HALT = 6
    """The venue does not trade the symbol from here on. ``side`` says by whose word: BUY the listing market's (a trading action), SELL the
    venue's own (an operational halt); the symbol trades while neither halts it. Besides it only locate, symbol and times are defined."""
    RESUME = 7
    """That halt is over."""


class BookEvent(data.Struct):
    """One change to a book, normalised: what every feed protocol is translated to."""

    kind: BookEventKind
    side: Side
    """ADD and SET; HALT and RESUME as told there."""
    locate: 16
    """The venue's own number for the symbol."""
    symbol: SymbolIndex
    """The card's slot for it; set by the symbol filter."""
    reference: 64
    new_reference: 64
    """REPLACE only."""
    shares: Shares
    price: Price
    """ADD, REPLACE and SET only. 0, with which no order can be: more than a price holds."""
    partial: 1
    """More events of the same change follow: until the last one the book may show what never was (IEX: event not complete)."""
    sequence: Sequence
    timestamp: Nanoseconds
    ingress: Cycles
    """Card time at which the message's last byte entered the card."""


class MarketState(data.Struct):
    """What a venue says of a symbol's trading, or of the whole market's (``locate`` 0). Fields that a kind does not have are 0."""

    kind: 8
    """The ITCH type, an ASCII character, and of other protocols the one that means the same: S system event, H trading action, Y short
    sale restriction, J auction collar, h operational halt, K IPO quoting period, W market-wide circuit breaker reached, V its levels set
    (the levels, of an index, stay with the host)."""
    locate: 16
    """The venue's own number for the symbol; 0 where the venue calls it by its name."""
    code: 8
    """ASCII. S: event (O S Q M E C). H: H halted, P paused, Q quotation only, T trading; a venue may have other letters: only T means
    that it trades. Y: 0 none, 1 in force, 2 still in force. h: H halted, T trading. W: level 1, 2 or 3. K: A anticipated, C cancelled."""
    detail: 32
    """H: reason, four characters, the first in bits 31:24; of PITCH the short sale restriction, one character in bits 7:0.
    J: number of the extension. h: market (Q, B, X), in bits 7:0. K: release time in seconds since midnight.
    Y of DEEP: where the restriction comes from, one character in bits 7:0."""
    reference: Price
    """J: reference price. K: IPO price."""
    upper: Price
    """J: upper collar."""
    lower: Price
    """J: lower collar."""
    sequence: Sequence
    timestamp: Nanoseconds
    ingress: Cycles
    """Card time at which the message's last byte entered the card."""


class Trade(data.Struct):
    """Shares that changed hands."""

    kind: 8
    """The ITCH type, an ASCII character, and of other protocols the one that means the same: P with an order that was not shown, Q in a
    cross, E and C with an order of the book, which has a book event as well; T of DEEP, which does not say with what."""
    locate: 16
    """The venue's own number for the symbol; 0 where the venue calls it by its name, or (E and C) by the order alone."""
    shares: 64
    """Of a cross all of them, which may be more than Shares holds."""
    price: Price
    """0 for E: the order's own, which the book knows. All ones where it is more than Price holds."""
    match: 64
    """The venue's number for the trade."""
    code: 8
    """Q: cross, ASCII (O opening, C closing, H halted or IPO). C of ITCH: Y, or N if it must not be counted (it is part of a cross).
    T: the sale condition's flags (bit 7 intermarket sweep, 6 extended hours, 5 odd lot, 4 trade-through exempt, 3 cross). Else 0."""
    sequence: Sequence
    timestamp: Nanoseconds
    ingress: Cycles
    """Card time at which the message's last byte entered the card."""


class DirectoryEntry(data.Struct):
    """A symbol's name and the venue's own number for it."""

    locate: 16
    name: 64
    """ASCII, padded with spaces; the first character in bits 7:0."""
    sequence: Sequence
    ingress: Cycles


class TopOfBook(data.Struct):
    """Best bid and ask of one symbol at one venue after one book event."""

    venue: VenueIndex
    symbol: SymbolIndex
    bid_price: Price
    bid_shares: Shares
    bid_orders: OrderCount
    ask_price: Price
    ask_shares: Shares
    ask_orders: OrderCount
    stale: 1
    """The book can't be sure of this symbol: no order may be based on it."""
    halted: 1
    """The venue does not trade the symbol, or has not said yet that it does: no order may be based on it."""
    changed: 1
    """Price, shares, orders, ``stale``, ``halted`` or ``partial`` differ from the symbol's record before this one."""
    partial: 1
    """As of the event: more of the same change follows, until then no order may be based on it."""
    crossed: 1
    """The bid is above the ask: the venue is in an auction, or the symbol is halted, or the book is wrong."""
    locked: 1
    """The bid is the ask."""
    sequence: Sequence
    timestamp: Nanoseconds
    ingress: Cycles


class BookLevel(data.Struct):
    """One of the best levels of a symbol, as the host has asked for them."""

    venue: VenueIndex
    symbol: SymbolIndex
    side: Side
    number: 4
    """0: the best."""
    price: Price
    """0: there are not so many."""
    shares: Shares
    orders: OrderCount
    sequence: Sequence
    """Of the feed message after which it was so."""


class BookOrder(data.Struct):
    """One of the live orders of a book, as the host has asked for them."""

    venue: VenueIndex
    symbol: SymbolIndex
    side: Side
    price: Price
    shares: Shares
    """What is left of it."""
    reference: 64
    sequence: Sequence
    """Of the feed message after which it was so."""


class OrderKind(enum.Enum, shape=2):
    NEW = 0
    REPLACE = 1
    """The working order ``reference`` becomes ``shares`` at ``price``, same side and symbol."""
    CANCEL = 2
    """Of the working order ``reference`` at most ``shares`` stay; 0: none. Its price means nothing."""


class Order(data.Struct):
    """What asks to leave by the one door: a new order, or one about an order that is working."""

    kind: OrderKind
    reference: 32
    """UserRefNum of the working order that a REPLACE or a CANCEL is about; 0 for NEW."""
    pair: 1
    """The next order in the stream is this one's other leg: both leave or neither. It comes from the same strategy and stands on
    offer from the cycle after this one's transfer on."""
    day: 1
    """It may stand in the venue's book until the end of the day; 0: immediate or cancel."""
    strategy: 4
    """Who asks for it: 0 the host, 1 the arbitrage detector, 2 the quoter, 3 the trigger, 4 the gateway's cancel-all."""
    venue: VenueIndex
    """Where it goes."""
    symbol: SymbolIndex
    side: Side
    shares: Shares
    price: Price
    trigger_venue: VenueIndex
    trigger_sequence: Sequence
    """Feed message that caused it; 0 for an order of the host."""
    ingress: Cycles
    """Card time at which that message's last byte entered the card."""


class ReplyKind(enum.Enum, shape=2):
    FILLED = 0
    """``shares`` traded: the position moves by them."""
    RELEASED = 1
    """``shares`` of a working order are dead (cancelled, rejected): they stop counting."""
    MOVED = 2
    """The position moves by ``shares``, of which none were working."""


class OrderReply(data.Struct):
    """What an answer does to a symbol's exposure, by what the card knows of the order."""

    kind: ReplyKind
    symbol: SymbolIndex
    side: Side
    shares: Shares
    working: Shares
    """What stops working with it: ``shares``, but for more than was left of the order, or a MOVED."""
    strategy: 4
    """Whose order it was."""


class RejectedOrder(data.Struct):
    order: Order
    reason: RejectReason


class SentOrder(data.Struct):
    """An order as it left, for the event ring."""

    order: Order
    user_ref: 32
    """OUCH UserRefNum that it was sent under; of a CANCEL its order's."""
    latency: Cycles
    """Cycles from the last byte of the trigger in to the first word of the order frame out."""
    fate: Fate


class OrderWord(data.Struct):
    """Eight bytes of a packet to a venue, and the order that the packet carries."""

    data: 64
    """Byte 0 of the packet in bits 7:0 of the first word. Bytes at and above ``count`` are undefined."""
    count: 4
    """Valid bytes: 8, but for the last word (1 to 8)."""
    last: 1
    order: Order
    """The same in every word of a packet, as are ``user_ref`` and ``length``."""
    user_ref: 32
    """OUCH UserRefNum that the order is sent under; of a CANCEL its order's."""
    length: 8
    """Bytes of the packet; what its words have beyond is padding."""


class FeedAddress(data.Struct):
    """Which frames of a port are a feed's."""

    ip: 32
    """IPv4 destination, first octet in bits 31:24. The Ethernet destination must be a multicast group's own (RFC 1112);
    to a unicast address (the host's own, where it asks for retransmission) any unicast one leads."""
    port: 16
    """UDP destination port; 0: none of them."""


class OrderAddress(data.Struct):
    """Addresses of a venue's order session; numbers as written on paper (first octet in the top bits)."""

    destination_mac: 48
    source_mac: 48
    destination_ip: 32
    source_ip: 32
    destination_port: 16
    source_port: 16


class Smoothing(data.Struct):
    """How a mean that forgets is seeded and goes on; coefficients in units of 2^-17 (docs/signals.md has the formulas)."""

    period: 10
    """Updates whose plain mean is the first value: 2 to 1023."""
    seed: 17
    """1 / period, rounded down."""
    factor: 17
    """Weight of an update after that: 2 / (period + 1), or 1 / period rounded down for Wilder's mean."""


class SignalSource(enum.Enum, shape=2):
    """What the signals of prices are updated on."""

    NONE = 0
    TOPS = 1
    """Every change of the top of book: the mid."""
    TRADES = 2
    """Every execution of an order of the book: its price."""


class SignalSettings(data.Struct):
    """How the signals are made, of all symbols."""

    source: SignalSource
    venue: VenueIndex
    """Whose book and trades."""
    ema: Smoothing
    rsi: Smoothing
    macd_fast: Smoothing
    """Its period must be below that of ``macd_slow``."""
    macd_slow: Smoothing
    macd_signal: Smoothing
    volatility: Smoothing
    order_flow: 17
    """What the sum of the order-flow imbalance loses each update, in units of 2^-17."""


class Execution(data.Struct):
    """Shares of an order of the book that traded."""

    symbol: SymbolIndex
    side: Side
    """Of the order that stood in the book; who came to trade is on the other one."""
    shares: Shares
    price: Price
    """The order's, at which it may not have traded (ITCH C)."""
    usable: 1
    """The book is sure of the symbol, which trades."""

"""The feed protocols behind one face: what a port of a venue makes of a packet and of its messages."""

from typing import NamedTuple

from hw.reasons import DropReason
from sim.golden import deep10, iex_tp, itch50, moldudp64, pitch, pitch_unit
from sim.golden.moldudp64 import Delivered, MalformedPacket, Packet, Span
from sim.golden.records import BUY, HALT, RESUME, SELL, SET, BookEvent, MarketState


class Change(NamedTuple):
    """What a message means to a book."""

    event: BookEvent
    name: str | None = None
    """Of the symbol, for a protocol that tells names."""


def trading_status(state: MarketState | None) -> BookEvent | None:
    """What a state means to the symbol's trading: only T trades. A trading action has side 0, an operational halt side 1."""
    if state is None or state.kind not in ("H", "h"):
        return None
    kind = RESUME if state.code == ord("T") else HALT
    return BookEvent(kind, SELL if state.kind == "h" else BUY, state.locate, 0, 0, 0, 0, state.timestamp)


class Itch50Feed:
    """ITCH 5.0 in MoldUDP64. A symbol is told by its locate."""

    def read(self, payload: bytes, reason: DropReason = DropReason.NONE) -> Packet:
        """The messages of a UDP payload; ``reason`` is why its frame is bad."""
        return moldudp64.read_packet(payload, reason)

    def decode(self, message: bytes) -> Change | None:
        """Raises MalformedMessage."""
        event = itch50.decode(message) or trading_status(itch50.market_state(message))
        return Change(event) if event else None

    def slot(self, change: Change, locates: dict[int, int], names: dict[str, int]) -> int | None:
        """The slot of the change's symbol; None: the card does not follow it."""
        return locates.get(change.event.locate)


def _change(change: tuple[BookEvent, str | None] | None, state: tuple[MarketState, str | None] | None) -> Change | None:
    """Of a protocol that tells names."""
    if change is not None:
        return Change(*change)
    status = trading_status(state[0]) if state else None
    return Change(status, state[1]) if state and status else None


class PitchFeed:
    """Multicast PITCH. One line's: it remembers the second, which the hardware even takes from packets that turn out bad."""

    def __init__(self) -> None:
        self._model = pitch.PitchModel()

    def read(self, payload: bytes, reason: DropReason = DropReason.NONE) -> Packet:
        """Short messages are among them: time and unit clear act, though nobody gets them."""
        if reason != DropReason.NONE:
            return Packet(reason, [])
        try:
            header, messages = pitch_unit.unpack_header(payload), pitch_unit.unpack_messages(payload)
        except MalformedPacket:
            return Packet(DropReason.MALFORMED, [])
        session = bytes([header.unit])
        if not header.sequence:
            return Packet(DropReason.NONE, [], Span(session, 0, 0))
        ends = any(message[1] == pitch_unit.END_OF_SESSION for message in messages)
        numbered = [Delivered(number, message) for number, message in enumerate(messages, header.sequence)]
        span = Span(session, header.sequence, header.sequence + len(messages))
        return Packet(DropReason.NONE, numbered, span, ends, pitch_unit.has_last_number(header))

    def decode(self, message: bytes) -> Change | None:
        return _change(self._model.decode(message), self._model.market_state(message))

    def slot(self, change: Change, locates: dict[int, int], names: dict[str, int]) -> int | None:
        """Slot 0 for an order's later events: the book knows the symbol."""
        return 0 if change.name is None else names.get(change.name.rstrip(" "))


class Deep10Feed:
    """DEEP 1.0 in IEX-TP."""

    def read(self, payload: bytes, reason: DropReason = DropReason.NONE) -> Packet:
        if reason != DropReason.NONE:
            return Packet(reason, [])
        try:
            header, messages = iex_tp.unpack_header(payload), iex_tp.unpack_messages(payload)
        except MalformedPacket:
            return Packet(DropReason.MALFORMED, [])
        numbered = [Delivered(number, message) for number, message in enumerate(messages, header.sequence)]
        span = Span(header.session.to_bytes(4, "little"), header.sequence, header.sequence + len(messages))
        return Packet(DropReason.NONE, numbered, span)

    def decode(self, message: bytes) -> Change | None:
        return _change(deep10.decode(message), deep10.market_state(message))

    def slot(self, change: Change, locates: dict[int, int], names: dict[str, int]) -> int | None:
        return names.get(change.name.rstrip(" ")) if change.name else None


Feed = Itch50Feed | PitchFeed | Deep10Feed

FEEDS: dict[str, type[Itch50Feed] | type[PitchFeed] | type[Deep10Feed]] = {"itch50": Itch50Feed, "pitch": PitchFeed, "deep10": Deep10Feed}
"""By the names that a card's configuration uses."""


def with_slot(event: BookEvent, slot: int) -> BookEvent:
    """The event as it leaves the filter; a level's reference names the slot too."""
    if event.kind == SET:
        return event._replace(locate=slot, reference=deep10.level_reference(slot, event.side, event.price))
    return event._replace(locate=slot)

"""The feed protocols that can be replayed: how their packets are framed, and what a replay must know about their messages."""

from abc import ABC, abstractmethod
from collections.abc import Container, Iterable
from pathlib import Path
from typing import ClassVar, NamedTuple

from sim.golden import deep10, iex_tp, itch50, moldudp64, pitch, pitch_unit
from sim.golden.itch50 import MalformedMessage
from sim.golden.moldudp64 import MalformedPacket
from sim.golden.records import BookEvent
from sim.readers.errors import BadInput
from sim.readers.itch50 import IS_BOOK, check_message, locate_of, timestamp_of

Key = int | str
"""What the messages of a protocol call a symbol by: a locate, or its name."""

NOBODY = ""
"""Key of a book message about an order that was never added: nobody knows its symbol."""


class Unpacked(NamedTuple):
    session: bytes
    sequence: int
    """Of the first message; 0: not numbered."""
    messages: list[bytes]


class Reading(ABC):
    """One pass over the messages of a feed, each of which is shown to :meth:`key` first, in order.

    Attributes
    ----------
    problems : list of str
        What the messages said after which the books can't be trusted.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    @abstractmethod
    def key(self, message: bytes) -> Key | None:
        """The symbol that a message changes the book of; None if it changes none."""

    @abstractmethod
    def event(self, message: bytes, slot: int) -> BookEvent:
        """The change, of the message that :meth:`key` saw last. ``slot`` is the symbol's on the card."""

    @abstractmethod
    def time(self, message: bytes) -> int:
        """Nanoseconds, of the message that :meth:`key` saw last."""

    def passes(self, key: Key | None, slots: Container[Key]) -> bool:
        """Whether the card lets the message's event through to the book."""
        return key is not None and key in slots


class Wire(ABC):
    """A protocol as it is on the wire."""

    name: ClassVar[str]
    framing: ClassVar[str]
    """What its packets are called."""
    between: ClassVar[int] = 2
    """Bytes in front of each message that are none of it: its length."""
    by_name: ClassVar[bool] = True
    """Its messages call a symbol by its name."""

    @abstractmethod
    def unpack(self, payload: bytes) -> Unpacked:
        """The messages of a packet; raises MalformedPacket."""

    @abstractmethod
    def pack(self, session: bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
        """The packet with these messages."""

    @abstractmethod
    def check(self, path: Path, offset: int, message: bytes) -> None:
        """Raises BadInput for a message that can't be."""

    @abstractmethod
    def reading(self) -> Reading:
        """For one pass."""

    def show_session(self, session: bytes) -> str:
        """For a person."""
        return repr(session.decode("latin-1"))

    def type_of(self, message: bytes) -> str:
        """Short and without commas."""
        return chr(message[0])

    def title(self, kind: str) -> str:
        """Of a type, for a person."""
        return kind


class Itch50(Wire):
    """ITCH 5.0 in MoldUDP64."""

    name, framing, by_name = "itch50", "MoldUDP64", False

    def unpack(self, payload: bytes) -> Unpacked:
        header = moldudp64.unpack_header(payload)
        return Unpacked(header.session, header.sequence, list(moldudp64.unpack_blocks(payload)))

    def pack(self, session: bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
        return moldudp64.pack_packet(session, sequence, messages)

    def check(self, path: Path, offset: int, message: bytes) -> None:
        check_message(path, offset, message)

    def reading(self) -> Reading:
        return _ItchReading()


class _ItchReading(Reading):
    def key(self, message: bytes) -> Key | None:
        return locate_of(message) if IS_BOOK[message[0]] else None

    def event(self, message: bytes, slot: int) -> BookEvent:
        event = itch50.decode(message)
        assert event is not None
        return event

    def time(self, message: bytes) -> int:
        return timestamp_of(message)


class Pitch(Wire):
    """Multicast PITCH behind the sequenced unit header."""

    name, framing, between = "pitch", "PITCH", 0

    def unpack(self, payload: bytes) -> Unpacked:
        header = pitch_unit.unpack_header(payload)
        if pitch_unit.has_last_number(header):
            raise MalformedPacket(f"number {pitch_unit.LAST_SEQUENCE} is the last: where the numbers begin again nobody follows")
        return Unpacked(bytes([header.unit]), header.sequence, pitch_unit.unpack_messages(payload))

    def pack(self, session: bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
        return pitch_unit.pack_unit(session[0], sequence, messages)

    def check(self, path: Path, offset: int, message: bytes) -> None:
        if message[1] != pitch.UNIT_CLEAR:  # nothing is wrong with it
            _check(path, offset, pitch.PitchModel().decode, message)

    def reading(self) -> Reading:
        return _PitchReading()

    def show_session(self, session: bytes) -> str:
        return f"unit {session[0]}"

    def type_of(self, message: bytes) -> str:
        return f"0x{message[1]:02x}"

    def title(self, kind: str) -> str:
        return f"{kind} {pitch.NAMES.get(int(kind, 16), 'unknown')}"


class _PitchReading(Reading):
    def __init__(self) -> None:
        super().__init__()
        self._model = pitch.PitchModel()
        self._names: dict[int, str] = {}
        self._event: BookEvent | None = None

    def key(self, message: bytes) -> Key | None:
        try:
            change = self._model.decode(message)
        except MalformedMessage as error:
            self.problems.append(str(error))
            return None
        if change is None:
            return None
        self._event = change.event
        self._told = change.name is not None
        if change.name is not None:
            self._names[change.event.reference] = change.name.rstrip(" ")
        return self._names.get(change.event.reference, NOBODY)

    def event(self, message: bytes, slot: int) -> BookEvent:
        assert self._event is not None
        return self._event._replace(locate=slot)

    def time(self, message: bytes) -> int:
        return self._model.time_of(message)

    def passes(self, key: Key | None, slots: Container[Key]) -> bool:
        """What tells no symbol passes, and the book knows whether it has the order."""
        return key is not None and (key in slots or not self._told)


class Deep10(Wire):
    """DEEP 1.0 in IEX-TP."""

    name, framing = "deep10", "IEX-TP"

    def unpack(self, payload: bytes) -> Unpacked:
        header = iex_tp.unpack_header(payload)
        return Unpacked(header.session.to_bytes(4, "little"), header.sequence, iex_tp.unpack_messages(payload))

    def pack(self, session: bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
        return iex_tp.pack_segment(int.from_bytes(session, "little"), sequence, messages)

    def check(self, path: Path, offset: int, message: bytes) -> None:
        _check(path, offset, deep10.decode, message)

    def reading(self) -> Reading:
        return _DeepReading()

    def show_session(self, session: bytes) -> str:
        return str(int.from_bytes(session, "little"))

    def title(self, kind: str) -> str:
        return f"{kind} {deep10.NAMES.get(kind, 'unknown')}"


class _DeepReading(Reading):
    def key(self, message: bytes) -> Key | None:
        return deep10.name_of(message).rstrip(" ") if message[0] in b"85" else None

    def event(self, message: bytes, slot: int) -> BookEvent:
        change = deep10.decode(message)
        assert change is not None
        event = change.event
        return event._replace(locate=slot, reference=deep10.level_reference(slot, event.side, event.price))

    def time(self, message: bytes) -> int:
        return deep10.time_of(message)


def _check(path, offset, decode, message):  # type: ignore[no-untyped-def]
    try:
        decode(message)
    except MalformedMessage as error:
        raise BadInput(path, offset, "a message that can be", str(error)) from None


WIRES: dict[str, Wire] = {wire.name: wire for wire in (Itch50(), Deep10(), Pitch())}
"""By name, in the order in which they are tried on a packet that may be of any."""

"""What a fuzz campaign must know of a feed protocol: its messages and packets, and where in them the lengths and the count are."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from sim.flow import deep10 as deep
from sim.flow import pitch
from sim.golden import iex_tp, moldudp64, pitch_unit
from sim.golden.deep10 import MESSAGE_LENGTHS as DEEP_LENGTHS
from sim.golden.itch50 import MESSAGE_LENGTHS as ITCH_LENGTHS
from sim.golden.pitch import LENGTHS as PITCH_LENGTHS

LIKELY = "AAAAFEECXDDUUP" + "".join(ITCH_LENGTHS)
LOWEST, STEP, STEPS = 998_000, 100, 40
"""Prices at which venues cross each other."""
OTHER = "OTHER"
"""A symbol that nobody follows."""


def price(chance: random.Random) -> int:
    return LOWEST + STEP * chance.randrange(STEPS)


class Dialect(ABC):
    """One protocol, as one venue speaks it.

    Parameters
    ----------
    number : int
        The venue's.
    slots : int
        Symbols that the card follows there.

    Attributes
    ----------
    locates, names
        Of the slots; what the protocol has no use for is there all the same.
    header : int
        Bytes in front of the first message and its length.
    from_here : int
        First byte that may be changed without making every other packet one of another session.
    count : slice
        Bytes of the number of messages.
    byteorder
        Of the count and the lengths.
    between : int
        Bytes of the length in front of each message; 0: it is the message's first byte.
    kind_at : int
        Which byte of a message is its type.
    """

    header: ClassVar[int]
    from_here: ClassVar[int] = 0
    count: ClassVar[slice]
    byteorder: ClassVar[Literal["big", "little"]] = "little"
    between: ClassVar[int] = 2
    kind_at: ClassVar[int] = 0

    def __init__(self, number: int, slots: int):
        self.number = number
        self.locates = [1 + 1_000 * number + slot for slot in range(slots)]
        self.names = [f"SYM{slot}" for slot in range(slots)]

    @property
    @abstractmethod
    def session(self) -> bytes:
        """The venue's, as golden packets name it."""

    @abstractmethod
    def pack(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        """A packet; a sequence number that is too long for the protocol is cut."""

    @abstractmethod
    def message(self, chance: random.Random) -> bytes:
        """One that is right in itself."""

    @abstractmethod
    def new_order(self, chance: random.Random, side: Literal["B", "S"], price: int) -> bytes:
        """Of the first symbol."""

    def end(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        """A packet after which nothing may follow; where a protocol has none, one of a message that will never be."""
        return self.pack(session, sequence + 9, messages)

    def followed(self, real: bytes, chance: random.Random) -> bytes:
        """A recorded message, now and then of a symbol that the card follows."""
        return real

    def fitted(self, body: bytes) -> bytes:
        """A message whose own length is made right again."""
        return body

    def with_count(self, payload: bytes, count: int) -> bytes:
        return self._with_number(payload, self.count.start, self.count.stop - self.count.start, count)

    def with_length_changed(self, payload: bytes, at: int, change: int) -> bytes:
        """Of the message whose length is at byte ``at``."""
        size = self.between or 1
        return self._with_number(payload, at, size, int.from_bytes(payload[at:at + size], self.byteorder) + change)

    def _with_number(self, payload: bytes, at: int, size: int, number: int) -> bytes:
        return payload[:at] + (number % (1 << 8 * size)).to_bytes(size, self.byteorder) + payload[at + size:]


class Itch50(Dialect):
    """ITCH 5.0 in MoldUDP64."""

    header, from_here, count, byteorder = moldudp64.HEADER_LENGTH, 18, slice(18, 20), "big"

    @property
    def session(self) -> bytes:
        return b"FUZZING%03d" % self.number

    def pack(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        return moldudp64.pack_packet(session, sequence % (1 << 64), messages)

    def end(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        return moldudp64.pack_end_of_session(session, sequence)

    def message(self, chance: random.Random) -> bytes:
        return self._message(chance.choice(LIKELY), chance)

    def new_order(self, chance: random.Random, side: Literal["B", "S"], price: int) -> bytes:
        body = bytearray(self._message("A", chance))
        body[1:3], body[19:20], body[32:36] = self.locates[0].to_bytes(2, "big"), side.encode(), price.to_bytes(4, "big")
        return bytes(body)

    def followed(self, real: bytes, chance: random.Random) -> bytes:
        return real[:1] + chance.choice(self.locates).to_bytes(2, "big") + real[3:] if len(real) > 2 and chance.random() < 0.6 else real

    def _message(self, kind: str, chance: random.Random) -> bytes:
        body = bytearray(chance.randbytes(ITCH_LENGTHS[kind]))
        body[0] = ord(kind)
        body[1:3] = chance.choice(self.locates).to_bytes(2, "big")
        if kind in "AFECXDU":
            body[11:18] = bytes(7)  # references that meet each other
        if kind in "AFU":
            at, shares = (32, 20) if kind != "U" else (31, 27)
            body[at:at + 4] = price(chance).to_bytes(4, "big")
            body[shares:shares + 4] = chance.randrange(1, 500).to_bytes(4, "big")
        if kind in "AF":
            body[19] = chance.choice(b"BS")
        return bytes(body)


class Pitch(Dialect):
    """Multicast PITCH behind the sequenced unit header."""

    header, count, between, kind_at = pitch_unit.HEADER_LENGTH, slice(2, 3), 0, 1

    @property
    def session(self) -> bytes:
        return bytes([1 + self.number])

    def pack(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        return pitch_unit.pack_unit(session[0], sequence % (1 << 32), messages)

    def end(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        return self.pack(session, sequence, [*messages, (pitch.unit_clear if sequence % 2 else pitch.end_of_session)(1)])

    def message(self, chance: random.Random) -> bytes:
        offset, order, side = chance.randrange(10**9), chance.randrange(256), chance.choice("BS")
        shares, at, name = chance.randrange(1, 500), price(chance), chance.choice([*self.names, OTHER])
        return chance.choice([
            lambda: pitch.add_long(offset, order, side, shares, name, at),
            lambda: pitch.add_short(offset, order, side, shares, name, at // 100),
            lambda: pitch.add_expanded(offset, order, side, shares, name, at), lambda: pitch.executed(offset, order, shares, 1),
            lambda: pitch.executed_at_price(offset, order, shares, chance.choice((0, shares)), 1, at),
            lambda: pitch.reduce_long(offset, order, shares), lambda: pitch.reduce_short(offset, order, shares),
            lambda: pitch.modify_long(offset, order, shares, at), lambda: pitch.modify_short(offset, order, shares, at // 100),
            lambda: pitch.delete(offset, order), lambda: pitch.time(chance.randrange(86_400)),
            lambda: pitch.trade_long(offset, side, shares, name, at, 1),
            lambda: pitch.trade_short(offset, side, shares, name, at // 100, 1),
            lambda: pitch.trading_status(offset, name, chance.choice("HQT")), lambda: self._other(chance),
        ])()

    def new_order(self, chance: random.Random, side: Literal["B", "S"], price: int) -> bytes:
        return pitch.add_long(chance.randrange(10**9), chance.randrange(256), side, chance.randrange(1, 500), self.names[0], price)

    def fitted(self, body: bytes) -> bytes:
        return bytes([len(body)]) + body[1:] if 0 < len(body) < 256 else body[:255]

    def _other(self, chance: random.Random) -> bytes:
        """Of any length and of a type that changes nothing, or of none at all."""
        kind = chance.choice([0x2C, 0x95, 0x96, 0xE0])
        return self.fitted(bytes([0, kind]) + chance.randbytes(PITCH_LENGTHS.get(kind, chance.randrange(6, 256)) - 2))


class Deep10(Dialect):
    """DEEP 1.0 in IEX-TP."""

    header, from_here, count = iex_tp.HEADER_LENGTH, 12, slice(14, 16)

    @property
    def session(self) -> bytes:
        return (0x1E500000 + self.number).to_bytes(4, "little")

    def pack(self, session: bytes, sequence: int, messages: Sequence[bytes]) -> bytes:
        return iex_tp.pack_segment(int.from_bytes(session, "little"), sequence % (1 << 64), messages)

    def message(self, chance: random.Random) -> bytes:
        if chance.random() < 0.7:
            name, shares = chance.choice([*self.names, OTHER]), chance.choice((0, chance.randrange(1, 500)))
            return deep.level(chance.getrandbits(62), name, chance.choice("BS"), shares, price(chance), complete=chance.random() < 0.8)
        kind = chance.choice([kind for kind in DEEP_LENGTHS if kind not in "85"])
        return kind.encode() + chance.randbytes(DEEP_LENGTHS[kind] - 1)

    def new_order(self, chance: random.Random, side: Literal["B", "S"], price: int) -> bytes:
        return deep.level(chance.getrandbits(62), self.names[0], side, chance.randrange(1, 500), price)


DIALECTS: dict[str, type[Dialect]] = {"itch50": Itch50, "pitch": Pitch, "deep10": Deep10}
"""By the names that a card's configuration uses."""

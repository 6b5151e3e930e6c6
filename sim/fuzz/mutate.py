"""Feed frames, good ones and ones with something wrong at any layer, from a seed."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.fuzz.dialect import Dialect
from sim.golden.ethernet import build_udp, checksum, with_tag

ETHERNET, IP, UDP = 0, 14, 34
"""Where the headers of an untagged frame begin."""
OFTEN = 3
"""The others end a batch most of the time, so they come in a third of the frames that these do."""
GOOD = 4
"""One frame in so many is left as it is."""


class Mutated(NamedTuple):
    data: bytes
    error: bool
    """The MAC flags it."""
    how: str


class Address(NamedTuple):
    ip: int
    port: int


class Mutator:
    """Makes frames for one feed.

    Parameters
    ----------
    seed : int
    address : Address
    dialect : Dialect
    recorded : sequence of bytes
        Real messages; half of the frames are made of them, if there are any.
    """

    def __init__(self, seed: object, address: Address, dialect: Dialect, recorded: Sequence[bytes] = ()):
        self.chance, self.address, self.dialect, self.recorded = random.Random(repr(seed)), address, dialect, recorded
        self.rules: list[Callable[[list[bytes], int], bytes]] = OFTEN * [
            self._flip, self._flip_header, self._truncate, self._extend, self._ip_field, self._udp_length, self._elsewhere, self._tags,
            self._noise, self._splice, self._block_length, self._count,
        ] + [self._payload, self._message, self._empty_blocks, self._position]
        self._last = b"\0" * 60

    def messages(self) -> list[bytes]:
        chance = self.chance
        count = chance.choice((1, 1, 2, 3, 3, 5, 8, 20)) if chance.random() < 0.9 else chance.randrange(30)
        if self.recorded and chance.random() < 0.5:
            at = chance.randrange(len(self.recorded))
            return [self.dialect.followed(body, chance) for body in self.recorded[at:at + count]]
        return [self.dialect.message(chance) for _ in range(count)]

    def frame(self, sequence: int) -> Mutated:
        """The next frame, which claims to be the one of this sequence number."""
        chance, messages = self.chance, self.messages()
        if chance.randrange(GOOD) == 0:
            data, how = self._good(messages, sequence), "good"
        else:
            rule = chance.choice(self.rules)
            data, how = rule(messages, sequence), rule.__name__[1:]
        self._last = data
        return Mutated(data, chance.random() < 0.03, how)

    def _built(self, payload: bytes) -> bytes:
        chance = self.chance
        frame = build_udp(
            payload, destination_ip=self.address.ip, destination_port=self.address.port, udp_checksum=chance.random() < 0.7,
            pad=chance.random() < 0.8,
        )
        return with_tag(frame, chance.choice((b"\x81\x00", b"\x88\xa8")) + chance.randbytes(2)) if chance.random() < 0.2 else frame

    def _packed(self, messages: list[bytes], sequence: int) -> bytes:
        return self.dialect.pack(self.dialect.session, sequence, messages)

    def _good(self, messages: list[bytes], sequence: int) -> bytes:
        return self._built(self._packed(messages, sequence))

    def _changed(self, data: bytes, first: int = 0, last: int | None = None) -> bytes:
        """A few bits or bytes changed between two places."""
        changed = bytearray(data)
        for _ in range(self.chance.choice((1, 1, 1, 2, 4))):
            at = self.chance.randrange(min(first, len(data) - 1), min(last or len(data), len(data)))
            changed[at] = changed[at] ^ 1 << self.chance.randrange(8) if self.chance.random() < 0.6 else self.chance.randrange(256)
        return bytes(changed)

    # The wire: checksums stay as they were

    def _flip(self, messages: list[bytes], sequence: int) -> bytes:
        return self._changed(self._good(messages, sequence))

    def _flip_header(self, messages: list[bytes], sequence: int) -> bytes:
        return self._changed(self._good(messages, sequence), 0, 64)

    def _truncate(self, messages: list[bytes], sequence: int) -> bytes:
        frame = self._good(messages, sequence)
        return frame[:self.chance.randrange(1, len(frame))]

    def _extend(self, messages: list[bytes], sequence: int) -> bytes:
        return self._good(messages, sequence) + self.chance.randbytes(self.chance.randrange(1, 40))

    def _noise(self, messages: list[bytes], sequence: int) -> bytes:
        return self.chance.randbytes(self.chance.randrange(1, 200))

    def _splice(self, messages: list[bytes], sequence: int) -> bytes:
        frame = self._good(messages, sequence)
        return frame[:self.chance.randrange(1, len(frame))] + self._last[self.chance.randrange(len(self._last)):]

    # Headers, with a right checksum over them

    def _with_ip(self, frame: bytes, at: int, value: bytes) -> bytes:
        header = bytearray(frame[IP:UDP])
        header[at:at + len(value)] = value
        header[10:12] = bytes(2)
        header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
        return frame[:IP] + bytes(header) + frame[UDP:]

    def _plain(self, messages: list[bytes], sequence: int) -> bytes:
        payload = self._packed(messages, sequence)
        return build_udp(payload, destination_ip=self.address.ip, destination_port=self.address.port, udp_checksum=False)

    def _ip_field(self, messages: list[bytes], sequence: int) -> bytes:
        at, width = self.chance.choice(((0, 1), (1, 1), (2, 2), (3, 1), (4, 2), (6, 2), (6, 1), (7, 1), (8, 1), (9, 1), (12, 4)))
        return self._with_ip(self._plain(messages, sequence), at, self.chance.randbytes(width))

    def _udp_length(self, messages: list[bytes], sequence: int) -> bytes:
        """Both lengths agree, with each other if not with the payload."""
        frame = self._plain(messages, sequence)
        length = max(0, int.from_bytes(frame[38:40], "big") + self.chance.randrange(-30, 30))
        frame = self._with_ip(frame, 2, (20 + length).to_bytes(2, "big"))
        return frame[:38] + length.to_bytes(2, "big") + frame[40:]

    def _elsewhere(self, messages: list[bytes], sequence: int) -> bytes:
        ip = self.address.ip ^ (1 << self.chance.randrange(32)) * self.chance.randrange(2)
        port = self.address.port ^ self.chance.randrange(3)
        return build_udp(self._packed(messages, sequence), destination_ip=ip, destination_port=port)

    def _tags(self, messages: list[bytes], sequence: int) -> bytes:
        frame = self._plain(messages, sequence)
        for _ in range(self.chance.randrange(1, 4)):
            frame = with_tag(frame, self.chance.choice((b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x81\x01")) + self.chance.randbytes(2))
        return frame[:self.chance.randrange(12, 24)] if self.chance.random() < 0.2 else frame

    # The payload, with right checksums over it

    def _payload(self, messages: list[bytes], sequence: int) -> bytes:
        return self._built(self._changed(self._packed(messages, sequence), self.dialect.from_here))

    def _block_length(self, messages: list[bytes], sequence: int) -> bytes:
        payload, at, between = self._packed(messages, sequence), self.dialect.header, self.dialect.between
        for body in messages[:self.chance.randrange(len(messages) + 1)]:
            at = at + between + len(body) if at + between + len(body) < len(payload) else at
        change = self.chance.choice((-20, -9, -2, -1, 1, 2, 8, 9, 40, 256, 65_000))
        return self._built(self.dialect.with_length_changed(payload, at, change))

    def _count(self, messages: list[bytes], sequence: int) -> bytes:
        count = self.chance.choice((0, 1, len(messages) + 1, max(len(messages) - 1, 0), 0xFFFE, self.chance.randrange(0xFFFF)))
        return self._built(self.dialect.with_count(self._packed(messages, sequence), count))

    def _message(self, messages: list[bytes], sequence: int) -> bytes:
        """A message of a wrong length, or one that says it is another's type."""
        if messages:
            at, kind_at = self.chance.randrange(len(messages)), self.dialect.kind_at
            body = messages[at]
            messages[at] = self.dialect.fitted(self.chance.choice((
                body[:self.chance.randrange(len(body) + 1)], body + self.chance.randbytes(self.chance.randrange(1, 60)),
                body[:kind_at] + bytes([self.chance.randrange(256)]) + body[kind_at + 1:], self._changed(body or b"\0"),
            )))
        return self._good(messages, sequence)

    def _empty_blocks(self, messages: list[bytes], sequence: int) -> bytes:
        for _ in range(self.chance.randrange(1, 12)):
            short = self.dialect.fitted(self.chance.randbytes(self.chance.choice((0, 0, 0, 1, 2, 5, 8, 9))))
            messages.insert(self.chance.randrange(len(messages) + 1), short)
        return self._good(messages, sequence)

    def _position(self, messages: list[bytes], sequence: int) -> bytes:
        """Another sequence number, another session, or the end of it. Seldom: it stops the venue until the host has looked."""
        dialect, chance = self.dialect, self.chance
        session = dialect.session
        if chance.random() < 0.7:
            return self._good(messages, sequence)
        return self._built(chance.choice((
            lambda: dialect.pack(session, chance.getrandbits(chance.choice((4, 16, 64))), messages),
            lambda: dialect.pack(session, sequence + chance.randrange(1, 5), messages),
            lambda: dialect.pack(chance.randbytes(len(session)), sequence, messages),
            lambda: dialect.end(session, sequence, messages),
        ))())

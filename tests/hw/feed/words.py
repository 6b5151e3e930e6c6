"""Streams of the feed as lists of words, and what comes out of them: shared by the tests of the feed's stages."""

from typing import NamedTuple

from amaranth.hdl import Value

IDLE = None
"""A cycle without a word."""


def chunks(data, size=8):
    return [data[at : at + size] for at in range(0, len(data), size)]


def frame_words(frame, *, error=False):
    """An Ethernet frame as payloads of a FrameReceive stream. Undefined bytes are all ones, to be caught using them."""
    parts = chunks(frame)
    return [
        {
            "data": int.from_bytes(part.ljust(8, b"\xff"), "little"),
            "count": len(part),
            "last": part is parts[-1],
            "error": error and part is parts[-1],
        }
        for part in parts
    ]


def payload_words(payload, *, ingress=0):
    """A UDP payload as payloads of the stream between UdpReceive and MoldUdp64; ``ingress`` counts up with the words."""
    parts = chunks(payload)
    return [
        {
            "data": int.from_bytes(part.ljust(8, b"\xff"), "little"),
            "count": len(part),
            "last": at == len(parts) - 1,
            "ingress": ingress + at,
        }
        for at, part in enumerate(parts)
    ]


def message_words(messages, *, gap=2, lead=0, sequence=1, filler=0xEE):
    """Messages as payloads of a MessageWord stream, ``gap`` bytes between them and ``lead`` in front of the first.

    Messages must be so long and so far from each other that at most one ends and one begins in a word.
    """
    data, edges = bytes([filler] * lead), []
    for message in messages:
        edges.append((len(data), len(data) + len(message)))
        data += message + bytes([filler] * gap)
    words = [
        {
            "data": int.from_bytes(part.ljust(8, bytes([filler])), "little"),
            "ends": 0, "end": 0, "starts": 0, "start": 0, "sequence": 0, "ingress": at,
        }
        for at, part in enumerate(chunks(data))
    ]  # fmt: skip
    for number, (begin, end) in enumerate(edges):
        first, last = words[begin // 8], words[(end - 1) // 8]
        assert not first["starts"], "two messages begin in one word"
        assert not last["ends"], "two messages end in one word"
        first.update(starts=1, start=begin % 8)
        last.update(ends=1, end=(end - 1) % 8 + 1, sequence=sequence + number)
    return words


class Message(NamedTuple):
    sequence: int
    data: bytes
    ingress: int


class MessageCollector:
    """Puts messages together from the words of a MessageWord stream; checks that the boundaries make sense."""

    def __init__(self):
        self.messages = []
        self._open = None

    def word(self, word):
        data = word.data.to_bytes(8, "little")
        if word.ends:
            assert self._open is not None, "a message ends that has not begun"
            self.messages.append(Message(word.sequence, bytes(self._open + data[: word.end]), word.ingress))
            self._open = None
        if word.starts:
            assert not word.ends or word.start >= word.end
            self._open = bytearray(data[word.start :])
        elif self._open is not None:
            self._open += data
        return self

    def forget(self):
        """The frame is over: a message that has not ended never will."""
        self._open = None

    def take(self):
        taken, self.messages = self.messages, []
        return taken


async def put(ctx, port, word):
    """Sets one cycle of an always-ready stream: a payload, or IDLE, where all bits of the payload are ones to be caught using them."""
    ctx.set(port.valid, word is not IDLE)
    if word is IDLE:
        ctx.set(Value.cast(port.payload), -1)
    else:
        ctx.set(port.payload, word)

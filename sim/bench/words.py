"""Frames, payloads and messages as the words of the card's streams, and back.

Bytes that a record calls undefined are noise here, so that a device that looks at them shows it.
"""

from collections.abc import Iterable, Iterator

WORD = 8


def _noisy(rng, data: bytes) -> int:
    """Up to eight bytes as a word, noise above them."""
    return int.from_bytes(data + rng.randbytes(WORD - len(data)), "little")


def frame_words(rng, frame: bytes, *, error: bool = False) -> Iterator[dict]:
    """A frame as ``FrameWord`` records. ``error`` is the MAC's flag on the last word; on the others the flag is noise."""
    for at in range(0, len(frame), WORD):
        part, last = frame[at:at + WORD], at + WORD >= len(frame)
        yield {"data": _noisy(rng, part), "count": len(part), "last": last, "error": error if last else rng.getrandbits(1)}


def payload_words(rng, payload: bytes, *, last: bool = True) -> Iterator[dict]:
    """A UDP payload as ``PayloadWord`` records without times; without ``last`` it breaks off."""
    for at in range(0, len(payload), WORD):
        part = payload[at:at + WORD]
        yield {"data": _noisy(rng, part), "count": len(part), "last": last and at + WORD >= len(payload)}


def bytes_of(words: Iterable) -> bytes:
    """The valid bytes of frame or payload words."""
    return b"".join(word.data.to_bytes(WORD, "little")[:word.count] for word in words)


class FrameCollector:
    """Puts the words of a monitor together to frames.

    Attributes
    ----------
    frames : list of (first cycle, last cycle, bytes)
    errors : list of bool
        The error flag of each.
    times : list of list of int
        The cycles of the words of each.
    """

    def __init__(self, monitor):
        self.frames, self.errors, self.times, self._words, self._cycles = [], [], [], [], []
        monitor.on_transfer(self._take)

    def _take(self, transfer):
        self._words.append(transfer.payload)
        self._cycles.append(transfer.cycle)
        if transfer.payload.last:
            self.frames.append((self._cycles[0], transfer.cycle, bytes_of(self._words)))
            self.errors.append(bool(transfer.payload.error))
            self.times.append(self._cycles)
            self._words, self._cycles = [], []

    @property
    def incomplete(self) -> bool:
        return bool(self._words)


class CardClock:
    """Drives a ``now`` port with the number of the cycle (plus an offset, so that it can wrap during a test)."""

    def __init__(self, tb, offset: int = 0):
        self.tb, self.offset = tb, offset

    def at(self, cycle: int) -> int:
        """What ``now`` is in a cycle."""
        return (cycle + self.offset) & 0xFFFF_FFFF

    def drive(self):
        self.tb.dut.now.value = self.at(self.tb.now + 1)

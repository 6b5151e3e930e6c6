"""The compiled book of one venue, for campaigns that are too long for Amaranth's simulator.

A list of events goes in by one call and all answers come back: no Python stands in the cycle loop. Nothing here knows more of the book
than its ports (:mod:`hw.book.book`).
"""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from hw.config import CardConfig
from sim.verilated.build import book_library

PULSES = ("unknown_reference", "duplicate_reference", "store_full", "levels_full", "bad_event", "overflow")
FAULTS = ("", "the book hangs", "a record was withdrawn", "a waiting record changed", "a record that no event asked for",
          "a level that nobody asked for")

_U64, _POINTER = ctypes.c_uint64, ctypes.c_void_p


class BookError(AssertionError):
    """The book broke a rule of its streams, or hangs."""


class Answers(NamedTuple):
    """What came out of a book for a list of events. Cycles count from the reset."""

    records: list[int]
    """One TopOfBook an event, as bits."""
    taken: list[int]
    """Cycle in which each event was transferred."""
    shown: list[int]
    """First cycle in which its record was valid."""
    refused: list[int]
    """Cycles with ``store_full``."""
    pulses: dict[str, int]
    """Cycles in which each of PULSES was high."""
    levels: list[int]
    """BookLevels, as bits: those of every look, one behind the other."""


class _Wanted(ctypes.Structure):
    _fields_ = [("events", _POINTER), ("looks", ctypes.c_char_p), *((name, _U64) for name in ("count", "pauses", "refusals", "seed"))]


class _Answers(ctypes.Structure):
    _fields_ = [
        *((name, _POINTER) for name in ("records", "levels", "taken", "shown", "refused")),
        *((name, _U64) for name in ("record_words", "level_words", "taken_count", "shown_count", "refused_count")),
        ("pulses", _U64 * len(PULSES)),
    ]


class CompiledBook:
    """The book of a card's venue 0, as after reset.

    Parameters
    ----------
    config : CardConfig
        Compiled when it was not before (10 s).
    """

    def __init__(self, config: CardConfig):
        self._library = ctypes.CDLL(str(book_library(config)))
        self._library.book_create.restype = _POINTER
        self._book = _POINTER(self._library.book_create())
        words = (ctypes.c_uint32 * 3)()
        self._library.book_words(words)
        self._event_bytes, self._record_bytes, self._level_bytes = (4 * count for count in words)
        self.reset()

    def __del__(self):
        self._library.book_destroy(self._book)

    def reset(self) -> None:
        """Resets the book and waits until it is ready. Its memories keep what they hold: it has to forget that by itself."""
        self._check(self._library.book_reset(self._book))

    def run(self, events: Sequence[int], *, pauses: int = 0, refusals: int = 0, seed: int = 1, looks: bytes | None = None) -> Answers:
        """Sends BookEvents, given as bits, and returns when all records are out and nothing followed for 20 cycles.

        Parameters
        ----------
        pauses, refusals : int
            Percent of cycles in which no event is offered after one was taken, and in which no record is accepted.
        looks : bytes, optional
            A symbol for each event: its levels are asked for when the event was taken, and the next one waits until they are told.

        Raises
        ------
        BookError
        """
        bits = b"".join(event.to_bytes(self._event_bytes, "little") for event in events)
        wanted = _Wanted(ctypes.cast(bits, _POINTER), looks, len(events), pauses, refusals, seed)
        self._check(self._library.book_run(self._book, ctypes.byref(wanted)))
        out = _Answers()
        self._library.book_answers(self._book, ctypes.byref(out))
        taken, shown, refused = (list((_U64 * count).from_address(address)) if count else [] for address, count in (
            (out.taken, out.taken_count), (out.shown, out.shown_count), (out.refused, out.refused_count)))
        return Answers(_numbers(out.records, out.record_words, self._record_bytes), taken, shown, refused,
                       dict(zip(PULSES, out.pulses, strict=True)), _numbers(out.levels, out.level_words, self._level_bytes))

    @staticmethod
    def _check(fault: int) -> None:
        if fault:
            raise BookError(FAULTS[fault])


def _numbers(address: int, words: int, size: int) -> list[int]:
    held = ctypes.string_at(address, 4 * words) if words else b""
    return [int.from_bytes(held[at:at + size], "little") for at in range(0, len(held), size)]

"""The simulated card: the RTL compiled into a shared library, behind the same register window as a board.

It also has what a board has wires for: frames go in on feed ports and order frames come out. All of it moves in batches;
this module never stands in the cycle loop.
"""

import ctypes
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from host.card.protocol import CardError, check_value, check_words
from host.card.registers import RECORD_BYTES, REGISTERS, RING_OFFSET

RESET_CYCLES = 4
SETTLE_CYCLES = 128
"""Cycles without any movement after which the card counts as idle: more than anything on the card takes to show itself."""


class SimulatedFrame(NamedTuple):
    """An order frame that left the card."""

    first_cycle: int
    """Cycle in which its first word was transferred."""
    last_cycle: int
    data: bytes
    error: bool


class EventRecord(NamedTuple):
    """One record of the event ring."""

    cycle: int
    """Cycle in which the driver had read it."""
    words: tuple[int, ...]
    """Eight of 32 bits."""


class StreamViolations(NamedTuple):
    """How often ``orders`` broke a rule of streams, and the first cycle of each (0 where it never did)."""

    changed_while_refused: int
    changed_cycle: int
    paused_within_frame: int
    paused_cycle: int
    wrong_byte_count: int
    count_cycle: int

    def __bool__(self) -> bool:
        return bool(self.changed_while_refused or self.paused_within_frame or self.wrong_byte_count)


class _Frame(ctypes.Structure):
    _fields_ = [
        ("first_cycle", ctypes.c_uint64), ("last_cycle", ctypes.c_uint64), ("offset", ctypes.c_uint32), ("length", ctypes.c_uint32),
        ("error", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
    ]


_U32, _U64, _HANDLE = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
_FUNCTIONS: dict[str, tuple[type | None, list[type]]] = {
    "create": (_HANDLE, []),
    "destroy": (None, [_HANDLE]),
    "feeds": (_U32, []),
    "ports": (_U32, []),
    "reset": (None, [_HANDLE, _U32]),
    "cycle": (_U64, [_HANDLE]),
    "read32": (_U32, [_HANDLE, _U32]),
    "write32": (None, [_HANDLE, _U32, _U32]),
    "drain": (None, [_HANDLE, _U32, _U32, _U32, _U32, _U32]),
    "pace": (None, [_HANDLE, _U32, _U32, _U32]),
    "stall": (None, [_HANDLE, _U32, _U64]),
    "queue": (ctypes.c_int32, [_HANDLE, _U32, ctypes.c_char_p, _HANDLE, _U32, _HANDLE, _HANDLE, ctypes.c_char_p, _U32]),
    "waiting": (_U64, [_HANDLE, _U32]),
    "run": (None, [_HANDLE, _U64]),
    "run_until_frame": (_U64, [_HANDLE, _U64]),
    "run_until_idle": (_U32, [_HANDLE, _U64]),
    "frames": (_U64, [_HANDLE, ctypes.POINTER(ctypes.POINTER(_Frame)), ctypes.POINTER(_HANDLE)]),
    "events": (_U64, [_HANDLE, ctypes.POINTER(_HANDLE), ctypes.POINTER(_HANDLE)]),
    "clear_frames": (None, [_HANDLE]),
    "clear_events": (None, [_HANDLE]),
    "violations": (None, [_HANDLE, ctypes.POINTER(_U64)]),
}


class SimulatedCard:
    """A card that runs only when told to: register accesses cost cycles as on the bus, everything else waits for :meth:`run`.

    Parameters
    ----------
    library : Path
        What sim/verilated/build.py compiled.

    Attributes
    ----------
    feeds : int
        Feed ports.
    reply_port : int or None
        The port, for ``queue``, on which frames come to the order sessions; None: the card has none.
    """

    def __init__(self, library: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError as error:
            raise CardError(f"the simulated card can't be loaded: {error}") from None
        self._functions = {}
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._library, f"trapjaw_{name}")
            function.restype, function.argtypes = result, arguments
            self._functions[name] = function
        self._read32, self._write32 = self._functions["read32"], self._functions["write32"]
        self._handle: int | None = self._functions["create"]()
        self.feeds: int = self._functions["feeds"]()
        self.reply_port: int | None = self.feeds if self._functions["ports"]() > self.feeds else None
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._handle is not None:
            self._functions["destroy"](self._handle)
            self._handle = None

    def read32(self, offset: int) -> int:
        """One read on the bus; the card runs on until its data is there."""
        check_words(offset)
        value: int = self._read32(self._open, offset)
        return value

    def read_words(self, offset: int, count: int) -> list[int]:
        """Reads at ascending offsets, each as :meth:`read32`."""
        check_words(offset, count)
        handle = self._open
        return [self._read32(handle, offset + 4 * i) for i in range(count)]

    def write32(self, offset: int, value: int) -> None:
        """One write on the bus: one cycle."""
        check_words(offset)
        check_value(value)
        self._write32(self._open, offset, value)

    def reset(self) -> None:
        """Resets the card and forgets frames and events on both sides. Cycles count from here."""
        self._call("reset", RESET_CYCLES)

    @property
    def cycle(self) -> int:
        """Cycles since reset."""
        return int(self._call("cycle"))

    def drain_events(self, records: int, *, ring: int = RING_OFFSET, write_index: int | None = None, read_index: int | None = None) -> None:
        """From now on a driver reads the event ring (of this many records) whenever the bus is free; 0 records: nobody does.

        The addresses are those of the register map unless given.
        """
        write_index = REGISTERS["EVENT_WRITE_INDEX"].address() if write_index is None else write_index
        read_index = REGISTERS["EVENT_READ_INDEX"].address() if read_index is None else read_index
        self._call("drain", int(records > 0), write_index, read_index, ring, max(records, 1))

    def pace(self, backlog_limit: int, settle: int = SETTLE_CYCLES) -> None:
        """Frames wait until what they may cause fits into the commit buffer (``backlog_limit`` events) and the event ring.

        0: frames go at their cycle, as on a wire. ``settle`` is also what :meth:`run_until_idle` takes as idle.
        """
        self._call("pace", int(backlog_limit > 0), backlog_limit, settle)

    def refuse_orders(self, percent: int, seed: int) -> None:
        """The receiver of order frames is not ready in this share of the cycles."""
        if not 0 <= percent < 100:
            raise ValueError(f"percent must be 0 to 99, not {percent}")
        self._call("stall", percent, seed)

    def queue(self, port: int, frames: Sequence[bytes], *, starts: Sequence[int] | None = None, weights: Sequence[int] | None = None,
              errors: Sequence[bool] | None = None, urgent: bool = False) -> None:
        """Appends frames to what waits for a feed port.

        ``starts`` is the earliest cycle of each, ``weights`` the number of events it can cause (for a paced card), ``errors`` whether the
        MAC flags it. A frame never overtakes another, except that urgent ones go before all that are not.
        """
        if not 0 <= port < self.feeds and port != self.reply_port:
            raise ValueError(f"the card has feed ports 0 to {self.feeds - 1}, not {port}")
        for name, given in (("starts", starts), ("weights", weights), ("errors", errors)):
            if given is not None and len(given) != len(frames):
                raise ValueError(f"{len(given)} {name} for {len(frames)} frames")
        if not all(frames):
            raise ValueError("a frame must have at least one byte")
        offsets = array("I", accumulate(map(len, frames), initial=0))
        start_array = array("Q", starts) if starts is not None else None
        weight_array = array("I", weights) if weights is not None else None
        self._call("queue", port, b"".join(frames), _address(offsets), len(frames), _address(start_array), _address(weight_array),
                   bytes(map(bool, errors)) if errors is not None else None, int(urgent))

    def waiting(self, port: int) -> int:
        """Frames that have not wholly gone in yet."""
        return int(self._call("waiting", port))

    def run(self, cycles: int) -> None:
        self._call("run", cycles)

    def run_until_frame(self, cycles: int) -> bool:
        """Runs until an order frame has left, but for so many cycles at most; whether there are frames to take."""
        return bool(self._call("run_until_frame", cycles))

    def run_until_idle(self, limit: int = 1_000_000) -> bool:
        """Runs until all frames are in and nothing has moved for the settling time; False if that is not so after ``limit`` cycles."""
        return bool(self._call("run_until_idle", limit))

    def take_frames(self) -> list[SimulatedFrame]:
        """Order frames that left since the last call."""
        frames, data = ctypes.POINTER(_Frame)(), _HANDLE()
        count = self._call("frames", ctypes.byref(frames), ctypes.byref(data))
        taken = [
            SimulatedFrame(frame.first_cycle, frame.last_cycle, ctypes.string_at((data.value or 0) + frame.offset, frame.length),
                           bool(frame.error))
            for frame in frames[:count]
        ]
        self._call("clear_frames")
        return taken

    def take_event_words(self) -> tuple[Sequence[int], Sequence[int]]:
        """Records that the driver has read since the last call: their 32-bit words, eight a record, and the cycle of each record."""
        words, cycles = _HANDLE(), _HANDLE()
        count = self._call("events", ctypes.byref(words), ctypes.byref(cycles))
        taken = array("I"), array("Q")
        if count:
            taken[0].frombytes(ctypes.string_at(words, RECORD_BYTES * count))
            taken[1].frombytes(ctypes.string_at(cycles, 8 * count))
        self._call("clear_events")
        return taken

    def take_events(self) -> list[EventRecord]:
        """The same as records."""
        words, cycles = self.take_event_words()
        return [EventRecord(cycle, tuple(words[8 * i:8 * i + 8])) for i, cycle in enumerate(cycles)]

    def violations(self) -> StreamViolations:
        """What ``orders`` did against the rules of streams since the card was made."""
        values = (_U64 * 6)()
        self._call("violations", values)
        return StreamViolations(*values)

    @property
    def _open(self) -> int:
        if self._handle is None:
            raise CardError("the simulated card is closed")
        return self._handle

    def _call(self, name: str, *arguments: object) -> int:
        result = self._functions[name](self._open, *arguments)
        return int(result or 0)


def _address(values: "array[int] | None") -> int | None:
    return values.buffer_info()[0] if values is not None else None

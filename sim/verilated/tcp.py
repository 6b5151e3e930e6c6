"""One compiled TCP session of the card (:mod:`hw.net.tcp_session`), for campaigns: frames and packets in, frames and bytes out."""

import ctypes
from typing import NamedTuple

from sim.golden.tcp import Endpoints
from sim.verilated.build import tcp_library

STATES = ("CLOSED", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT")
PULSES = ("retransmitted", "refused", "duplicate_ack", "out_of_order", "challenged", "fast_retransmit", "timed_out")
OPEN, CLOSE, CUT = range(3)

_U32, _U64, _POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


class _State(ctypes.Structure):
    _fields_ = [("now", _U64), *((name, _U32) for name in ("state", "unacknowledged", "next", "expected", "downs", "reason", "packets_left",
                                                           "frames_left")), ("pulses", _U64 * len(PULSES))]


class SentFrame(NamedTuple):
    cycle: int
    """In which its first word left."""
    data: bytes


class CompiledTcp:
    """A session as after reset. Compiled when it was not before (10 s).

    Attributes
    ----------
    now : int
        Cycles from the reset.
    state : str
    unacknowledged, next, expected : int
    downs : int
        How often the session went down.
    reason : int
        Why, the last time.
    packets_left : int
        Packets that did not begin to leave yet.
    pulses : dict
        Cycles in which each of PULSES was high.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(tcp_library()))
        self._library.tcp_create.restype = _POINTER
        self._tcp = _POINTER(self._library.tcp_create())
        self._state, self._buffer, self._cycle = _State(), ctypes.create_string_buffer(1 << 16), _U64()
        self.run(0)

    def __del__(self) -> None:
        self._library.tcp_destroy(self._tcp)

    def reset(self) -> None:
        self._library.tcp_reset(self._tcp)
        self.stall()
        self.run(0)

    def configure(self, endpoints: Endpoints, *, initial: int, timeout: int = 64, keep_alive: int = 4096, tries: int = 8,
                  tick_every: int = 16) -> None:
        """``endpoints`` of what the card sends; times in ticks, a tick in cycles."""
        bits, shift = 0, 0
        for value, width in zip(endpoints, (48, 48, 32, 32, 16, 16), strict=True):
            bits |= value << shift
            shift += width
        words = (_U32 * 6)(*(bits >> 32 * word & 0xFFFFFFFF for word in range(6)))
        self._library.tcp_configure(self._tcp, words, initial, timeout, keep_alive, tries, tick_every)

    def stall(self, *, transmit: int = 0, read: int = 0, packet: int = 0, seed: int = 1) -> None:
        """Percent of cycles in which no word of a frame is taken, no byte is read, and no new packet comes on offer."""
        self._library.tcp_stall(self._tcp, transmit, read, packet, _U64(seed))

    def frame(self, data: bytes, *, start: int = 0, error: bool = False) -> None:
        """A frame for the card, not before a cycle."""
        self._library.tcp_frame(self._tcp, data, len(data), _U64(start), error)

    def packet(self, data: bytes) -> None:
        """1 to 56 bytes for the other side."""
        self._library.tcp_packet(self._tcp, data, len(data))
        self.packets_left += 1

    def pulse(self, which: int) -> None:
        """OPEN, CLOSE or CUT, in the next cycle."""
        self._library.tcp_pulse(self._tcp, which)

    def run(self, cycles: int) -> list[SentFrame]:
        """Runs until a frame has left, but for so many cycles at most; the frames that left."""
        state = self._state
        self._library.tcp_run(self._tcp, _U64(cycles), ctypes.byref(state))
        self.now, self.state, self.downs, self.reason = state.now, STATES[state.state], state.downs, state.reason
        self.unacknowledged, self.next, self.expected = state.unacknowledged, state.next, state.expected
        self.packets_left, self.frames_left = state.packets_left, state.frames_left
        self.pulses = dict(zip(PULSES, state.pulses, strict=True))
        frames = []
        while length := self._library.tcp_take_frame(self._tcp, self._buffer, ctypes.byref(self._cycle)):
            frames.append(SentFrame(self._cycle.value, self._buffer.raw[:length]))
        return frames

    def bytes(self) -> bytes:
        """What the application has read since the last call."""
        data = b""
        while count := self._library.tcp_take_bytes(self._tcp, self._buffer, len(self._buffer)):
            data += self._buffer.raw[:count]
        return data

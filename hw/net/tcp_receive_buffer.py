"""What has come over a connection and was not read yet: segment by segment in, byte by byte out."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory
from hw.tcp_types import Bytes


class TcpReceiveBuffer(wiring.Component):
    """Holds the payload of segments, which counts once it is committed. A segment begins a new row of the memory.

    Parameters
    ----------
    rows : int
        Of eight bytes; a power of two.
    segments : int
        Segments that may wait.

    Ports
    -----
    payload : In(stream of 64 bits, always ready)
    commit, discard : In(1)
        Pulses: what has come since the last one stays, or is forgotten. A commit where there is an ``overflow`` is a mistake.
    skip, length : In(16)
        With ``commit``: bytes of the segment, of which the first ``skip`` (fewer than all) were there before.
    overflow : Out(1)
        What came since the last commit or discard did not find room.
    free : Out(16)
        Bytes that can still come.
    bytes : Out(Bytes)

    Notes
    -----
    Latency 4 cycles from a commit to the first byte; each row takes two cycles beside a cycle a byte.
    """

    def __init__(self, rows: int = 512, segments: int = 64):
        if rows < 256 or rows & (rows - 1):
            raise ValueError(f"rows must be a power of two from 256 on, not {rows}")
        self._rows, self._segments = rows, segments
        super().__init__({
            "payload": In(stream.Signature(64, always_ready=True)),
            "commit": In(1), "discard": In(1), "skip": In(16), "length": In(16), "overflow": Out(1),
            "free": Out(16, init=8 * rows), "bytes": Out(Bytes),
        })

    def elaborate(self, platform):
        m = Module()
        rows = self._rows
        # No row is read before it is committed, nor written before it was taken.
        m.submodules.memory = memory = ExclusiveMemory(shape=64, depth=rows)
        m.submodules.waiting = waiting = SyncFIFOBuffered(width=32, depth=self._segments)
        write, read = memory.write_port(), memory.read_port()
        written, committed, taken = (Signal(range(2 * rows), name=name) for name in ("written", "committed", "taken"))
        lost, full = Signal(), Signal()
        used = Signal(range(2 * rows))
        m.d.comb += [
            used.eq(committed - taken), full.eq((written - taken)[:len(taken)][-1]),
            write.addr.eq(written), write.data.eq(self.payload.payload), write.en.eq(self.payload.valid & ~full & ~lost),
            self.overflow.eq(lost | ~waiting.w_rdy),
            waiting.w_en.eq(self.commit), waiting.w_data.eq((self.length << 16) | self.skip),
        ]
        m.d.sync += self.free.eq(8 * (rows - used))
        with m.If(write.en):
            m.d.sync += written.eq(written + 1)
        with m.Elif(self.payload.valid):
            m.d.sync += lost.eq(1)
        with m.If(self.commit):
            m.d.sync += [committed.eq(written), lost.eq(0)]
        with m.If(self.discard):
            m.d.sync += [written.eq(committed), lost.eq(0)]
        self._read(m, waiting, read, taken)
        return m

    def _read(self, m, waiting, read, taken):
        at, left, end = Signal(16), Signal(16), Signal.like(taken)  # byte of the segment; bytes; row behind it
        row, lane = Signal(64), Signal(3)
        skip, length = waiting.r_data[:16], waiting.r_data[16:]
        m.d.comb += [read.addr.eq(taken + at[3:]), read.en.eq(0), self.bytes.payload.eq(row.word_select(lane, 8))]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += waiting.r_en.eq(1)
                m.d.sync += [at.eq(skip), left.eq(length - skip), end.eq(taken + length[3:] + length[:3].any())]
                with m.If(waiting.r_rdy):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += read.en.eq(1)
                m.next = "FETCHED"
            with m.State("FETCHED"):
                m.d.sync += [row.eq(read.data), lane.eq(at[:3]), self.bytes.valid.eq(1)]
                m.next = "BYTES"
            with m.State("BYTES"), m.If(self.bytes.ready):
                m.d.sync += [lane.eq(lane + 1), at.eq(at + 1), left.eq(left - 1)]
                with m.If((left == 1) | (lane == 7)):
                    m.d.sync += self.bytes.valid.eq(0)
                    m.next = "FETCH"
                with m.If(left == 1):
                    m.d.sync += taken.eq(end)
                    m.next = "IDLE"

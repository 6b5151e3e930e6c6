"""The frame of every bench: clock, reset, the cycle loop, and a checker on each stream of the device."""

import functools
import json
import os
import random
import warnings
from pathlib import Path

import cocotb
from amaranth.hdl import UnusedElaboratable
from amaranth.lib import stream, wiring
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from hw.config import CARDS
from sim.bench.build import component_of
from sim.bench.layouts import codec_of
from sim.bench.streams import Monitor, Pattern, Port, Sink, Source, StreamChecker, StreamRuleError
from sim.bench.watched import Watched

PERIOD_PS = 6400

RESULTS = "TRAPJAW_BENCH_RESULTS"
STAGE = "TRAPJAW_BENCH_STAGE"
CARD = "TRAPJAW_BENCH_CARD"
SHARE = "TRAPJAW_BENCH_SHARE"
WATCHED = "TRAPJAW_BENCH_WATCHED"
PROBES = "TRAPJAW_BENCH_PROBES"


class Testbench:
    """A device under test with everything around it.

    Parameters
    ----------
    dut : handle of the simulator
    component : wiring.Component
        The same device as Amaranth sees it: its signature says which ports there are, and their shapes.
    rng : random.Random
    probes : Watched
        The device as it was built, where it has probes.

    Attributes
    ----------
    now : int
        Number of the last clock edge; the cycle that :meth:`Source.sent` and :meth:`Monitor.received` speak of.
    checkers : list of StreamChecker
        One on every stream at the device's ports; those inside are checked by :class:`sim.bench.watched.Watched`.
    transactions : int
        What the test compared with the golden model; see :meth:`compare`.
    """

    def __init__(self, dut, component, rng, probes=None):
        self.dut, self.component, self.rng, self.now, self.transactions = dut, component, rng, 0, 0
        self._parts, self._drivers, self._sources, self._in_reset = [], [], [], True
        self._background = None
        self._shapes, self._ports = {}, {}
        self._watched = json.loads(Path(os.environ[WATCHED]).read_text(encoding="utf-8"))
        self.checkers = []
        self._explore(component.signature, ())
        for port in self._ports.values():
            self.checkers.append(StreamChecker(port, reset=lambda: self._in_reset))
        if probes is not None:
            self._shapes |= probes.probed_signals
            for name, (shape, always_ready) in probes.probed_streams.items():
                self._ports[name] = Port(self.dut, name, shape, always_ready=always_ready)
                self.checkers.append(StreamChecker(self._ports[name], reset=lambda: self._in_reset, count_only=True))

    def _explore(self, signature, path):
        for name, member in signature.members.items():
            for index in _indices(member.dimensions):
                here = (*path, name, *index)
                flat = "__".join(map(str, here))
                if member.is_port:
                    self._shapes[flat] = member.shape
                elif isinstance(member.signature, stream.Signature):
                    shape = member.signature.members["payload"].shape
                    self._ports[flat] = Port(self.dut, flat, shape, always_ready=member.signature.always_ready)
                else:
                    self._explore(member.signature, here)

    # what a test puts around the device

    def source(self, name: str, *, rates=Pattern.EVERYTHING) -> Source:
        """A source on the stream input ``name`` (``feed__0`` for an element of an array)."""
        source = Source(self._ports[name], self.rng, rates=rates)
        self._sources.append(source)
        return self.add(source)

    def sink(self, name: str, *, rates=Pattern.EVERYTHING) -> Sink | Monitor:
        """A sink on the stream output ``name``; a mere monitor where the stream can't wait."""
        port = self._ports[name]
        return self.add(Monitor(port) if port.always_ready else Sink(port, self.rng, rates=rates))

    def monitor(self, name: str) -> Monitor:
        """A monitor on any stream."""
        return self.add(Monitor(self._ports[name]))

    def port(self, name: str) -> Port:
        return self._ports[name]

    def add(self, part):
        """Has ``part.sample(cycle)`` and ``part.drive()``, where it has them, called each cycle."""
        if hasattr(part, "sample"):
            self._parts.append(part)
        if hasattr(part, "drive"):
            self._drivers.append(part)
        return part

    def set(self, **values) -> None:
        """Drives input ports that are not streams; structs and arrays as named tuples, mappings, sequences."""
        for name, value in values.items():
            getattr(self.dut, name).value = codec_of(self._shapes[name]).pack(value)

    def get(self, name: str):
        """The value of a port that is not a stream."""
        return codec_of(self._shapes[name]).unpack(int(getattr(self.dut, name).value))

    # time

    async def reset(self, cycles: int = 4) -> None:
        """Drives every input to zero and resets the device."""
        self._in_reset = True
        for name in self._inputs():
            getattr(self.dut, name).value = 0
        self.dut.rst.value = 1
        await self.cycles(cycles)
        self.dut.rst.value = 0
        await self.cycles(1)
        self._in_reset = False

    def _inputs(self):
        for path, member, _ in self.component.signature.flatten(self.component):
            name = "__".join(map(str, path))
            if member.flow.name == "In" and hasattr(self.dut, name):
                yield name

    async def cycles(self, count: int = 1) -> None:
        """Lets ``count`` cycles pass."""
        edge = RisingEdge(self.dut.clk)
        for _ in range(count):
            await edge
            if self._background is None:
                self._cycle()

    def run_in_background(self) -> None:
        """Lets time pass by itself from here on: for benches in which many wait side by side."""
        async def forever():
            edge = RisingEdge(self.dut.clk)
            while True:
                await edge
                self._cycle()

        self._background = cocotb.start_soon(forever())

    def _cycle(self) -> None:
        self.now += 1
        for checker in self.checkers:
            checker.sample(self.now)
        if int(self.dut.broken_streams.value) and not self._in_reset:
            self._report_broken_streams()
        for part in self._parts:
            part.sample(self.now)
        for part in self._drivers:
            part.drive()

    def _report_broken_streams(self) -> None:
        bits = int(self.dut.broken_streams.value)
        names = ", ".join(name for index, name in enumerate(self._watched) if bits >> index & 1)
        raise StreamRuleError(f"cycle {self.now - 1}: a payload that had not been taken was withdrawn or changed on {names}")

    async def until(self, condition, *, limit: int = 20_000, what: str = "the condition") -> None:
        """Lets cycles pass until ``condition()``; a device that hangs fails the test."""
        for _ in range(limit):
            if condition():
                return
            await self.cycles()
        raise AssertionError(f"{what} did not come true within {limit} cycles")

    async def drain(self, *, quiet: int = 50, limit: int = 50_000) -> None:
        """Lets cycles pass until every source is empty and nothing has moved on any stream for ``quiet`` cycles."""
        moved, since = -1, 0
        for _ in range(limit):
            total = sum(checker.transfers for checker in self.checkers)
            since = 0 if total != moved or not all(source.idle for source in self._sources) else since + 1
            moved = total
            if since >= quiet:
                return
            await self.cycles()
        waiting = ", ".join(f"{source.port.name}: {source.waiting}" for source in self._sources if not source.idle)
        raise AssertionError(f"the device did not drain within {limit} cycles ({waiting or 'streams still moving'})")

    # the verdict

    def compare(self, got, expected, what: str) -> None:
        """Compares two sequences event by event, and counts them as transactions."""
        for index, (one, other) in enumerate(zip(got, expected, strict=False)):
            assert one == other, f"{what} {index}: device says\n  {one}\ngolden model says\n  {other}"
        longer, who = (got, "the device") if len(got) > len(expected) else (expected, "the golden model")
        shorter = min(len(got), len(expected))
        assert len(got) == len(expected), (
            f"{what}: device gave {len(got)}, golden model {len(expected)}; the first of {who} without a match:\n  {longer[shorter]}")
        self.transactions += len(expected)

    def finish(self) -> None:
        """Checks that nothing is left behind in the sources."""
        for source in self._sources:
            assert source.idle, f"{source.waiting} payloads were never taken from {source.port.name}"


def share(count: int) -> int:
    """The part of ``count`` that this run does: all of it in ``make sim``, less in ``make test``."""
    return max(1, int(count * float(os.environ.get(SHARE, "1"))))


@functools.cache
def _device() -> tuple[wiring.Component, Watched | None]:
    """The device, and what is looked at inside it; made once, as a large one takes seconds."""
    warnings.simplefilter("ignore", UnusedElaboratable)  # it was elaborated when the simulator was built
    component = component_of(os.environ[STAGE], CARDS[os.environ.get(CARD, "tiny")])
    names = os.environ.get(PROBES, "")
    return component, Watched(component, names.split(",")) if names else None


def start(dut) -> Testbench:
    """The bench around the device that this simulation was started for, with its clock running."""
    component, probes = _device()
    Clock(dut.clk, PERIOD_PS, unit="ps").start()
    return Testbench(dut, component, random.Random(cocotb.RANDOM_SEED), probes)


def bench_test(test=None, *, timeout_us: int = 20_000):
    """Makes a cocotb test of ``async def test(tb)``: builds the bench, resets the device, and writes down what was compared."""
    if test is None:
        return functools.partial(bench_test, timeout_us=timeout_us)

    @functools.wraps(test)
    async def run(dut):
        tb = start(dut)
        await tb.reset()
        await test(tb)
        tb.finish()
        record_result(test.__name__, tb.transactions, tb.now)

    del run.__wrapped__  # cocotb reads the signature
    return cocotb.test(timeout_time=timeout_us, timeout_unit="us")(run)


def record_result(test: str, transactions: int, cycles: int, **more) -> None:
    """Appends one line to the bench's results file."""
    with open(os.environ[RESULTS], "a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "transactions": transactions, "cycles": cycles, **more}) + "\n")


def _indices(dimensions):
    if not dimensions:
        yield ()
        return
    for first in range(dimensions[0]):
        for rest in _indices(dimensions[1:]):
            yield (first, *rest)

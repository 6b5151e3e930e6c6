"""What stands at the ends of a stream in a simulation: a source, a monitor, a sink, and the checker that sits on every one.

All of them are plain objects that :class:`sim.bench.testbench.Testbench` calls once a cycle: ``sample`` sees the cycle as the
clock edge that ends it sees it, then ``drive`` sets the inputs of the next.
"""

from collections import deque
from typing import Any, NamedTuple

from sim.bench.layouts import codec_of


class StreamRuleError(AssertionError):
    """A stream broke its rules."""


class Port:
    """The signals of one stream of the device under test.

    Parameters
    ----------
    dut : handle of the simulator, or anything with the signals as attributes
    name : str
        Name of the stream's signals up to ``__valid``.
    shape : ShapeLike
        Of the payload.
    always_ready : bool
        The stream has no way to wait.
    """

    def __init__(self, dut, name: str, shape, *, always_ready: bool = False):
        self.name, self.codec, self.always_ready = name, codec_of(shape), always_ready
        self.valid = getattr(dut, f"{name}__valid")
        self.payload = getattr(dut, f"{name}__payload")
        self.ready = getattr(dut, f"{name}__ready", None)
        if self.ready is None and not always_ready:
            raise ValueError(f"stream {name} has no ready signal, and is not declared as always ready")

    @property
    def is_valid(self) -> bool:
        return bool(int(self.valid.value))

    @property
    def is_ready(self) -> bool:
        return self.ready is None or bool(int(self.ready.value))

    @property
    def bits(self) -> int:
        return int(self.payload.value)


class Pattern:
    """Random yes and no whose likelihood changes from time to time, so that a run has bursts, trickles and everything between.

    Parameters
    ----------
    rng : random.Random
    rates : sequence of float
        Likelihoods of yes to choose from; one (1.0,) makes it steady.
    """

    EVERYTHING = (1.0, 1.0, 0.9, 0.5, 0.5, 0.2, 0.05)
    DENSE = (1.0,)

    def __init__(self, rng, rates=EVERYTHING):
        self._rng, self._rates, self._left, self._rate = rng, rates, 0, 1.0

    def __call__(self) -> bool:
        if not self._left:
            self._left, self._rate = self._rng.randint(5, 80), self._rng.choice(self._rates)
        self._left -= 1
        return self._rate >= 1.0 or self._rng.random() < self._rate


class Transfer(NamedTuple):
    """One payload that went through a stream."""

    cycle: int
    payload: Any


class Source:
    """Drives a stream of the device from a queue, with random pauses; payloads stay until taken, and are noise while not valid.

    Attributes
    ----------
    sent : list of Transfer
        What the device has taken.
    """

    def __init__(self, port: Port, rng, *, rates=Pattern.EVERYTHING):
        self.port, self.sent = port, []
        self._rng, self._queue, self._now = rng, deque(), Pattern(rng, rates)
        self._offered = None
        port.valid.value = 0

    def send(self, *payloads) -> None:
        """Queues payloads (named tuples or mappings for structs)."""
        self._queue.extend(payloads)

    @property
    def idle(self) -> bool:
        """All that was queued has been taken."""
        return not self._queue and self._offered is None

    @property
    def waiting(self) -> int:
        """Payloads not taken yet."""
        return len(self._queue) + (self._offered is not None)

    def sample(self, cycle: int) -> None:
        if self._offered is not None and self.port.is_ready:
            self.sent.append(Transfer(cycle, self._offered))
            self._offered = None

    def drive(self) -> None:
        if self._offered is not None:
            return
        if self._queue and self._now():
            self._offered = self._queue.popleft()
            self.port.payload.value = self.port.codec.pack(self._offered)
            self.port.valid.value = 1
        else:
            self.port.payload.value = self._rng.getrandbits(self.port.codec.width)
            self.port.valid.value = 0


class Monitor:
    """Records what passes through a stream.

    Attributes
    ----------
    received : list of Transfer
        Everything since the start.
    """

    def __init__(self, port: Port):
        self.port, self.received, self._callbacks = port, [], []

    def on_transfer(self, callback) -> None:
        """Calls ``callback(transfer)`` at each transfer."""
        self._callbacks.append(callback)

    @property
    def payloads(self) -> list:
        return [transfer.payload for transfer in self.received]

    def sample(self, cycle: int) -> None:
        if self.port.is_valid and self.port.is_ready:
            transfer = Transfer(cycle, self.port.codec.unpack(self.port.bits))
            self.received.append(transfer)
            for callback in self._callbacks:
                callback(transfer)


class Sink(Monitor):
    """A monitor that also drives ``ready``, at random.

    Some phases raise ``ready`` only after ``valid`` was seen: a source that waits for ``ready`` first would hang there.

    Attributes
    ----------
    hold : bool
        Set it to take nothing until it is cleared again.
    """

    hold = False

    def __init__(self, port: Port, rng, *, rates=Pattern.EVERYTHING):
        super().__init__(port)
        self._rng, self._now = rng, Pattern(rng, rates)
        self._steady = tuple(rates) == Pattern.DENSE
        self._shy, self._left, self._seen_valid = False, 0, False
        port.ready.value = int(self._steady)

    def sample(self, cycle: int) -> None:
        super().sample(cycle)
        self._seen_valid = self.port.is_valid and not self.port.is_ready

    def drive(self) -> None:
        if self.hold:
            self.port.ready.value = 0
            return
        if self._steady:
            self.port.ready.value = 1
            return
        if not self._left:
            self._left, self._shy = self._rng.randint(20, 60), self._rng.random() < 0.25
        self._left -= 1
        self.port.ready.value = int(self._seen_valid if self._shy else self._now())


class StreamChecker:
    """Raises :class:`StreamRuleError` as soon as a stream breaks its rules.

    The rules: a valid payload that was not taken stays as it is, and stays valid; an always-ready stream is always ready.

    Parameters
    ----------
    port : Port
    reset : callable
        Tells whether the device is being reset: that may withdraw anything.
    count_only : bool
        Somebody else checks the rules, who knows when a part of the device is reset.

    Attributes
    ----------
    transfers : int
        Payloads that went through.
    """

    def __init__(self, port: Port, *, reset=lambda: False, count_only: bool = False):
        self.port, self.transfers, self._reset, self._count_only, self._held = port, 0, reset, count_only, None

    def sample(self, cycle: int) -> None:
        port = self.port
        if self._reset():
            self._held = None
            return
        valid, ready = port.is_valid, port.is_ready
        if self._count_only:
            self.transfers += valid and ready
            return
        if port.always_ready and not ready:
            raise StreamRuleError(f"cycle {cycle}: {port.name} is declared always ready, and is not")
        if self._held is not None and not valid:
            raise StreamRuleError(f"cycle {cycle}: {port.name} withdrew a payload that had not been taken: {port.codec.unpack(self._held)}")
        bits = port.bits if valid else None
        if self._held is not None and bits != self._held:
            raise StreamRuleError(
                f"cycle {cycle}: {port.name} changed a payload that had not been taken: "
                f"{port.codec.unpack(self._held)} became {port.codec.unpack(bits)}")
        self.transfers += valid and ready
        self._held = bits if valid and not ready else None

"""Several streams into one, each in its turn."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamArbiter(wiring.Component):
    """Round robin: after a transfer the next input in line has the first choice, and idle inputs cost nothing.

    Parameters
    ----------
    shape : ShapeLike
        Payload of all streams.
    inputs : int
        Number of inputs, at least 1.
    together : callable or None
        Of a payload: whether the next item must come from the same input. The others wait for it, however long that takes.

    Ports
    -----
    inputs : In(stream.Signature(shape)).array(inputs)
    output : Out(stream.Signature(shape))
        An item that was offered and not yet taken stays on offer, whatever comes at the other inputs.

    Notes
    -----
    Latency 0 (combinational), one item per cycle. An input waits for at most ``inputs`` - 1 items of the others,
    those that stay together counted as one.
    """

    LATENCY = 0

    def __init__(self, shape, inputs: int, *, together=None):
        if inputs < 1:
            raise ValueError(f"an arbiter needs at least 1 input, not {inputs}")
        super().__init__({
            "inputs": In(stream.Signature(shape)).array(inputs),
            "output": Out(stream.Signature(shape)),
        })
        self._count = inputs
        self._together = together or (lambda payload: Const(0))

    def elaborate(self, platform):
        m = Module()
        count = self._count
        first = Signal(range(count))  # has the first choice: whose item is on offer and not taken keeps it
        chosen = Signal(range(count))
        held = Signal()  # the rest of what stays together is to come from ``first``

        with m.Switch(first):
            for start in range(count):
                with m.Case(start):
                    m.d.comb += chosen.eq(start)
                    for index in reversed([(start + step) % count for step in range(count)]):
                        with m.If(self.inputs[index].valid & ~held):
                            m.d.comb += chosen.eq(index)

        with m.Switch(chosen):
            for index, source in enumerate(self.inputs):
                with m.Case(index):
                    m.d.comb += [
                        self.output.valid.eq(source.valid),
                        self.output.payload.eq(source.payload),
                        source.ready.eq(self.output.ready),
                    ]

        with m.If(self.output.valid & self.output.ready):
            m.d.sync += held.eq(self._together(self.output.payload))
        with m.If(self.output.valid):
            for index in range(count):
                with m.If(chosen == index):
                    m.d.sync += first.eq(index)
                    with m.If(self.output.ready & ~self._together(self.output.payload)):
                        m.d.sync += first.eq((index + 1) % count)
        return m

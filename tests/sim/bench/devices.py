"""Devices for the tests of the benches themselves: one that keeps the stream rules, and others that each break one of them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


class Record(data.Struct):
    number: 16
    flag: 1


class Buffer(wiring.Component):
    """A register slice of one place, with ``fault`` naming the rule that it breaks ("" for none)."""

    def __init__(self, fault: str = ""):
        self._fault = fault
        super().__init__({
            "inputs": In(stream.Signature(Record)), "outputs": Out(stream.Signature(Record)),
            "copy": Out(stream.Signature(Record, always_ready=True)), "level": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        waited = Signal()
        m.d.comb += self.inputs.ready.eq(~self.outputs.valid | self.outputs.ready)
        m.d.comb += [self.copy.valid.eq(self.inputs.valid & self.inputs.ready), self.copy.payload.eq(self.inputs.payload)]
        m.d.comb += self.level.eq(self.outputs.valid)
        m.d.sync += waited.eq(self.outputs.valid & ~self.outputs.ready)
        with m.If(self.inputs.ready):
            m.d.sync += [self.outputs.valid.eq(self.inputs.valid), self.outputs.payload.eq(self.inputs.payload)]
        with m.Elif(waited):
            if self._fault == "changes":
                m.d.sync += self.outputs.payload.number.eq(self.outputs.payload.number + 1)
            if self._fault == "withdraws":
                m.d.sync += self.outputs.valid.eq(0)
        if self._fault == "drops":
            with m.If(self.inputs.ready & (self.inputs.payload.number[:4] == 7)):
                m.d.sync += self.outputs.valid.eq(0)
        return m


class Hidden(wiring.Component):
    """A faulty buffer inside, behind a good one that takes everything at once: nothing shows at the ports."""

    def __init__(self, fault: str = ""):
        self._fault = fault
        super().__init__({"inputs": In(stream.Signature(Record)), "outputs": Out(stream.Signature(Record)), "seen": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = front = Buffer()
        m.submodules.inner = inner = Buffer(self._fault)
        wiring.connect(m, wiring.flipped(self.inputs), front.inputs)
        wiring.connect(m, front.outputs, wiring.flipped(self.outputs))
        # the inner one is fed with what passes by and read at leisure
        pause = Signal(3)
        m.d.sync += pause.eq(pause + 1)
        m.d.comb += [
            inner.inputs.payload.eq(self.inputs.payload), inner.inputs.valid.eq(self.inputs.valid & inner.inputs.ready),
            inner.outputs.ready.eq(pause == 0), self.seen.eq(inner.outputs.valid),
        ]
        return m

"""A component placed by itself: what the report says is the component, without the harness."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bitstreams.flow import Placement, median, place, shorten, synthesise
from bitstreams.out_of_context import OutOfContext, port_bits
from bitstreams.place import component, harness, place_harness
from hw.config import TINY


class Accumulator(wiring.Component):
    """32 flip-flops behind an adder, a table in a block RAM and a product."""

    a: In(16)
    b: In(16)
    total: Out(32)
    read: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = Memory(shape=16, depth=1024, init=[index * 40503 & 0xFFFF for index in range(1024)])
        read = table.read_port()
        m.d.comb += [read.addr.eq(self.b), read.en.eq(1), self.read.eq(read.data)]
        m.d.sync += self.total.eq(self.total + self.a * self.b)
        return m


class Silent(wiring.Component):
    a: In(1)

    def elaborate(self, platform):
        return Module()


def test_counts_are_those_of_the_component():
    placed = place_harness(harness(Accumulator()))
    assert (placed.ffs, placed.brams, placed.dsps) == (32, 1, 1)
    assert 32 <= placed.luts <= 40
    assert 50 < placed.fmax_mhz < 500
    assert placed.seeds == (1,)
    assert placed.critical


def test_what_is_only_placed_counts_the_same():
    netlist = synthesise(harness(Accumulator()))
    placed, routed = (place(netlist, seed=1, mhz=100, route=route) for route in (False, True))
    assert (placed.luts, placed.ffs, placed.brams, placed.dsps) == (routed.luts, routed.ffs, routed.brams, routed.dsps)
    assert 0.5 * routed.fmax_mhz < placed.fmax_mhz < 2 * routed.fmax_mhz
    assert routed.critical
    assert not placed.critical


def test_pipeline_registers_of_the_component_are_not_merged_with_the_harness():
    class Delay(wiring.Component):
        a: In(8)
        b: Out(8)

        def elaborate(self, platform):
            m = Module()
            middle = Signal(8)
            m.d.sync += [middle.eq(self.a), self.b.eq(middle)]
            return m

    placed = place_harness(harness(Delay()))
    assert (placed.luts, placed.ffs) == (0, 16)


def test_constant_outputs_do_not_count():
    class Half(wiring.Component):
        a: In(8)
        b: Out(16)

        def elaborate(self, platform):
            m = Module()
            m.d.sync += self.b[4:12].eq(self.a)
            return m

    placed = place_harness(harness(Half()))
    assert (placed.luts, placed.ffs) == (0, 8)


def test_a_component_without_outputs_is_refused():
    with pytest.raises(ValueError, match="Silent has no output port"):
        OutOfContext(Silent())


def test_ports_are_split_by_direction():
    inputs, outputs = port_bits(Accumulator())
    assert (len(inputs), len(outputs)) == (32, 48)


def test_component_of_an_expression():
    assert component("hw.config:TINY") is TINY
    with pytest.raises(ValueError, match="module:expression"):
        component("hw.config")


def test_median_of_seeds():
    def placed(fmax, seed):
        return Placement(luts=seed, ffs=0, brams=0, dsps=0, fmax_mhz=fmax, seeds=(seed,), critical=())

    assert median([placed(170.0, 1), placed(150.0, 2), placed(160.0, 3)]) == Placement(3, 0, 0, 0, 160.0, (1, 2, 3), ())
    assert median([placed(170.0, 1), placed(150.0, 2)]).fmax_mhz == 150.0


def test_cell_names_are_shortened():
    assert shorten("component.total_TRELLIS_FF_Q_12_DI_CCU2C_S0") == "component.total"


def test_an_array_beside_its_entries_survives_synthesis():
    class Entries(wiring.Component):
        a: In(4)
        b: Out(8)

        def elaborate(self, platform):
            m = Module()
            entries = Signal(data.ArrayLayout(data.StructLayout({"low": 2, "high": 2}), 2))
            m.d.sync += [entries[0].low.eq(self.a[:2]), entries[0].high.eq(self.a[2:]), entries[1].eq(~entries[0].as_value())]
            m.d.comb += self.b.eq(entries)
            return m

    assert "entries[1]" in rtlil.convert(Entries(), emit_src=False)
    placed = place_harness(harness(Entries()))
    assert placed.ffs == 8

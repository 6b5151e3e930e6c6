"""Verilog export: stable ports, memories that begin as Amaranth has them, and every registered stage."""

import re
import subprocess
import sys

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import TINY
from hw.export import STAGES, ExportError, export, stage
from hw.types import FrameReceive, FrameTransmit
from tests.data import ROOT


class Sample(wiring.Component):
    """Two memories, one of zeros and one not, a register with an initial value, streams of both kinds."""

    feed: In(FrameReceive).array(2)
    orders: Out(FrameTransmit)
    address: In(5)
    zeros: Out(8)
    contents: Out(data.StructLayout({"low": 4, "high": 4}))
    held: Out(8, init=0x5A)

    def elaborate(self, platform):
        m = Module()
        for name, init, port in (("blank", [], self.zeros), ("filled", range(100, 132), self.contents.as_value())):
            m.submodules[name] = memory = Memory(shape=8, depth=32, init=init)
            read, write = memory.read_port(domain="comb"), memory.write_port()
            m.d.comb += [read.addr.eq(self.address), port.eq(read.data), write.addr.eq(self.address), write.data.eq(self.address)]
            m.d.comb += write.en.eq(self.feed[0].valid)
        unused = Signal(3)
        m.d.sync += unused.eq(self.address)
        with m.If(self.feed[1].valid):
            m.d.sync += self.held.eq(self.address)
        return m


def ports_of(verilog: str) -> dict[str, tuple[str, int]]:
    found = re.findall(r"^  (input|output) (?:reg )?(?:\[(\d+):0\] )?(\S+?) ?;", verilog, flags=re.M)
    return {name: (direction, int(high or 0) + 1) for direction, high, name in found}


@pytest.mark.parametrize("fast", [False, True])
def test_ports_and_initial_contents(fast):
    verilog = export(Sample(), "sample", fast=fast)
    assert "module sample(" in verilog
    assert ports_of(verilog) == {
        "clk": ("input", 1), "rst": ("input", 1), "address": ("input", 5),
        "feed__0__payload": ("input", 70), "feed__0__valid": ("input", 1),
        "feed__1__payload": ("input", 70), "feed__1__valid": ("input", 1),
        "orders__payload": ("output", 70), "orders__valid": ("output", 1), "orders__ready": ("input", 1),
        "zeros": ("output", 8), "contents": ("output", 8), "held": ("output", 8),
    }
    assert re.search(r"for \(row = 0; row <= 31; row = row \+ 1\) \S+ ?\[row\] = 0;", verilog)
    assert [int(value, 16) for value in re.findall(r"\[\d+\] = 8'h(\w+);", verilog)] == list(range(100, 132))
    assert fast or "held = 8'h5a" in verilog


def test_export_is_deterministic():
    assert export(Sample(), "sample") == export(Sample(), "sample")


@pytest.mark.parametrize("name", [name for name in STAGES if name != "card"])
def test_every_stage_exports(name):
    verilog = export(stage(name, TINY), name)
    assert f"module {name}(" in verilog
    assert verilog.count("\nmodule ") + verilog.startswith("module ") == 1  # flat


def test_an_unknown_stage_is_named():
    with pytest.raises(ValueError, match="no stage 'lasso': there are udp_receive, "):
        stage("lasso", TINY)


def test_what_yosys_refuses_is_an_export_error():
    class Loop(wiring.Component):
        a: Out(1)

        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.a.eq(1)
            return m

    with pytest.raises(ExportError, match="yosys could not convert"):
        export(Loop(), "bad name")


def test_command_line(tmp_path):
    command = [sys.executable, "-m", "hw.export", "symbol_filter", "--card", "tiny", "--output", str(tmp_path / "out.v")]
    subprocess.run(command, cwd=ROOT, check=True)
    assert "module symbol_filter(" in (tmp_path / "out.v").read_text()
    refused = subprocess.run([sys.executable, "-m", "hw.export", "lasso"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2

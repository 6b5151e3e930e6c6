"""The way to a bitstream, with a card that is quickly built."""

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bitstreams import build
from bitstreams.ecpix5 import Ecpix5
from bitstreams.flow import ROOT, FlowError, Placement, run, without_collisions
from hw.config import TINY
from hw.export import ports, to_rtlil
from hw.lib.exclusive_memory import ExclusiveMemory
from tests.bitstreams.stub_card import StubCard


def test_every_port_has_one_pin_and_every_pin_one_port():
    lines = build.CONSTRAINTS.read_text().splitlines()
    pattern = re.compile(r'LOCATE COMP "(.+)" SITE "(\w+)"; IOBUF PORT "(.+)" IO_TYPE=LVCMOS33;')
    located = [pattern.fullmatch(line) for line in lines if "LOCATE" in line]
    assert all(match and match[1] == match[3] for match in located)
    wanted = [f"{name}[{bit}]" if len(signal) > 1 else name
              for name, (signal, _direction) in ports(Ecpix5(StubCard())).items() for bit in range(len(signal))]
    assert sorted(match[1] for match in located) == sorted(wanted)
    assert len({match[2] for match in located}) == len(located)
    assert len(located) > 30


def test_bitstream_and_manifest(tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"another": {"file": "x"}}')
    made = build.build(StubCard(), TINY, (1,), manifest)

    bitstream = ROOT / made["file"]
    content = bitstream.read_bytes()
    assert b"\xff\xff\xbd\xb3" in content[:1024], "no preamble of an ECP5 bitstream"
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert made["config_hash"] == f"{TINY.hash:016x}"
    assert re.fullmatch(r"[0-9a-f]{40}\+?", made["git"])
    assert made["timing_met"] == (made["fmax_mhz"] >= build.CLOCK_MHZ)
    assert made["ff"] > 200
    assert json.loads(manifest.read_text()) == {"another": {"file": "x"}, "tiny-ecpix5": made}


@pytest.mark.parametrize(("reached", "tried", "best"), [
    ([101.0, 110.0, 120.0], 1, 101.0),
    ([95.0, 105.0, 120.0], 2, 105.0),
    ([95.0, 99.0, 91.0], 3, 99.0),
    ([80.0, 105.0, 105.0], 1, 80.0),
])
def test_seeds_are_tried_until_one_meets_the_clock(monkeypatch, tmp_path, reached, tried, best):
    seeds = []
    monkeypatch.setattr(build, "CLOCK_MHZ", 100.0)

    def place(netlist, *, seed, mhz, constraints, config, route):
        seeds.append(seed)
        return Placement(1, 1, 1, 1, reached[seed - 1], (seed,), ())

    monkeypatch.setattr(build, "place", place)
    assert build.best_placement(tmp_path, (1, 2, 3)).fmax_mhz == best
    assert seeds == [1, 2, 3][:tried]


def test_only_exclusive_memories_are_marked():
    """Their read ports may give anything where they are written; those of the others may not."""
    class Both(wiring.Component):
        address: In(4)
        data: In(8)
        read: Out(16)

        def elaborate(self, platform):
            m = Module()
            for half, memory in enumerate((ExclusiveMemory(shape=8, depth=16), Memory(shape=8, depth=16, init=[]))):
                m.submodules[f"memory{half}"] = memory
                read, write = memory.read_port(), memory.write_port()
                m.d.comb += [read.addr.eq(self.address), write.addr.eq(self.address), write.data.eq(self.data), write.en.eq(1)]
                m.d.comb += self.read.word_select(half, 8).eq(read.data)
            return m

    before = to_rtlil(Both(), "top")
    after = without_collisions(before)
    marked = [module for module in after.split("cell $memrd_v2")[1:] if "COLLISION_X_MASK 1'1" in module.split("end")[0]]
    assert len(marked) == 1
    assert before.count("COLLISION_X_MASK 1'0") == 2
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.strip() for line in changed] == ["parameter \\COLLISION_X_MASK 1'1"]
    assert after.index("no_rw_check") < after.index("COLLISION_X_MASK 1'1")


def test_a_failing_tool_is_named_with_what_it_said(tmp_path):
    with pytest.raises(FlowError, match=r"^sh failed \(exit status 3\): ERROR: no such cell \(log: .*x\.log\)$"):
        run(["sh", "-c", "echo ERROR: no such cell; exit 3"], Path(tmp_path), "x.log")


def test_a_tool_that_dies_without_a_word_in_its_own_log_is_told_by_what_it_printed(tmp_path):
    with pytest.raises(FlowError, match=r"^sh failed \(exit status 1\): call stack exhausted \(log: .*x\.log\)$"):
        run(["sh", "-c", "echo 3. A pass > x.log; echo; echo call stack exhausted; exit 1"], Path(tmp_path), "x.log", own_log=True)


def test_a_tool_that_is_a_module_is_named_as_one(tmp_path):
    with pytest.raises(FlowError, match=r"^bitstreams\.yosys failed \(exit status 1\): ERROR: No such command: nonsense"):
        run([sys.executable, "-m", "bitstreams.yosys", "-q", "-l", "x.log", "-p", "nonsense"], Path(tmp_path), "x.log", own_log=True)

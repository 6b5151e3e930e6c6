"""Moves the register behind a multiplication into the ECP5's multiplier, which has its own that yosys leaves unused.

What a design says stays the same to the cycle: a product that goes nowhere but into flip-flops is in the same cycle in the multiplier's
output register. There the way from the multiplier to the flip-flops is saved, and the flip-flops themselves.
"""

from collections import defaultdict

REGISTERED = {
    "REG_OUTPUT_CLK": "CLK0", "REG_OUTPUT_CE": "CE0", "REG_OUTPUT_RST": "RST0", "CLK0_DIV": "ENABLED", "GSR": "DISABLED",
}
"""Parameters of a multiplier with an output register."""


def plain(cell: dict) -> bool:
    """A flip-flop that starts as 0 and has neither enable nor reset."""
    return (cell["type"] == "TRELLIS_FF" and cell["connections"]["LSR"] == ["0"] and cell["parameters"]["CEMUX"].strip() == "1"
            and cell["parameters"]["REGSET"] == "RESET" and cell["parameters"]["CLKMUX"] == "CLK")


def use_multiplier_registers(netlist: dict) -> int:
    """Changes yosys's netlist (a flat module ``top``) in place.

    A multiplier takes the register of its product if every bit of the product that is used goes into one plain flip-flop and nowhere
    else, all of one clock. In the design such a register is ``reset_less``.

    Returns
    -------
    int
        How many flip-flops are gone.
    """
    module, gone = netlist["modules"]["top"], 0
    cells, readers = module["cells"], defaultdict(list)
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                for bit in bits:
                    readers[bit].append((name, port))
    outside = {bit for port in module["ports"].values() for bit in port["bits"]}
    for cell in [cell for cell in cells.values() if cell["type"] == "MULT18X18D"]:
        wires = cell["connections"]
        product = {port: bit for port, [bit] in wires.items() if port.startswith("P") and (bit in outside or readers[bit])}
        behind = {port: readers[bit] for port, bit in product.items()}
        if outside & set(product.values()) or any(len(ends) != 1 or ends[0][1] != "DI" for ends in behind.values()):
            continue
        registers = {port: cells[name] for port, [(name, _)] in behind.items()}
        clocks = {register["connections"]["CLK"][0] for register in registers.values()}
        if len(clocks) != 1 or not all(map(plain, registers.values())):
            continue
        cell["parameters"] |= REGISTERED
        wires |= {"CLK0": list(clocks), "CE0": ["1"], "RST0": ["0"]}
        cell["port_directions"] |= {"CLK0": "input", "CE0": "input", "RST0": "input"}
        for port, register in registers.items():
            wires[port] = register["connections"]["Q"]
        for [(name, _)] in behind.values():
            del cells[name]
        gone += len(behind)
    return gone

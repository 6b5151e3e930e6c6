"""Puts look-up tables together that fit into one of the ECP5's wider cells, which yosys leaves half empty.

A choice (PFUMX) between two tables of four inputs each is one level; yosys uses it for functions of five inputs only, and makes three
tables in two levels of a wider choice. A bit of a carry chain (CCU2C) is a table of four inputs too, two of which an adder leaves idle: a
table in front of an operand, such as the majority in a carry-save adder, may go in there.

What a design says stays the same: nothing is put together but what is the same function of the same wires.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, permutations

PINS = "ABCD"

MANY = 128
"""Readers of a wire that will be long."""

Bit = int | str
"""A wire, or a constant ("0", "1") as yosys writes it."""

Function = Callable[[dict[Bit, int]], int]


@dataclass(frozen=True)
class Table:
    """A function of some wires; the first is bit 0 of the row."""

    wires: tuple[Bit, ...]
    rows: int

    def __call__(self, state: dict[Bit, int]) -> int:
        return self.rows >> sum(state[wire] << place for place, wire in enumerate(self.wires)) & 1


def tabulated(wires: tuple[Bit, ...], function: Function) -> Table:
    """The function as a table of those of the wires that it depends on."""
    states = [{wire: row >> place & 1 for place, wire in enumerate(wires)} for row in range(1 << len(wires))]
    values = [function(state) for state in states]
    needed = [place for place in range(len(wires)) if any(values[row] != values[row ^ 1 << place] for row in range(len(values)))]
    rows = sum(values[sum((row >> number & 1) << place for number, place in enumerate(needed))] << row for row in range(1 << len(needed)))
    return Table(tuple(wires[place] for place in needed), rows)


def contents(wires: tuple[Bit, ...], init: str) -> Table:
    """What a cell's four pins and its INIT say."""
    state: dict[Bit, int] = {"0": 0, "1": 1}
    known = tuple(dict.fromkeys(wire for wire in wires if wire not in state))
    return tabulated(known, lambda values: int(init[::-1][sum((state | values)[wire] << pin for pin, wire in enumerate(wires))]))


def replaced(outer: Table, inner: dict[Bit, Table]) -> tuple[tuple[Bit, ...], Function]:
    """The outer function with some of its wires replaced by what drives them: its wires, and itself."""
    wires = dict.fromkeys(wire for one in outer.wires for wire in (inner[one].wires if one in inner else (one,)))
    return tuple(wires), lambda state: outer(state | {wire: table(state) for wire, table in inner.items()})


@dataclass
class Netlist:
    """A flat module of yosys: its tables, who drives a wire, and how many read it."""

    cells: dict[str, dict]
    ports: dict[str, dict]
    readers: Counter[Bit] = field(default_factory=Counter)
    drivers: dict[Bit, str] = field(default_factory=dict)
    next_wire: int = 0

    def __post_init__(self) -> None:
        for cell in self.cells.values():
            for port, bits in cell["connections"].items():
                if cell["port_directions"].get(port) != "output":
                    self.readers.update(bits)
        self.readers.update(bit for port in self.ports.values() for bit in port["bits"])
        self.drivers = {cell["connections"]["Z"][0]: name for name, cell in self.cells.items() if cell["type"] == "LUT4"}
        wires = (bit for cell in self.cells.values() for bits in cell["connections"].values() for bit in bits if isinstance(bit, int))
        self.next_wire = 1 + max(wires, default=1)

    def table(self, name: str) -> Table:
        cell = self.cells[name]
        return contents(tuple(cell["connections"][pin][0] for pin in PINS), cell["parameters"]["INIT"])

    def private(self, wires: tuple[Bit, ...]) -> list[Bit]:
        """Those of the wires that come out of a table and are read once."""
        return [wire for wire in wires if wire in self.drivers and self.readers[wire] == 1]

    def absorb(self, wires: tuple[Bit, ...]) -> None:
        """The tables that drive these wires are gone."""
        for wire in wires:
            cell = self.cells.pop(self.drivers.pop(wire))
            self.readers.subtract(bits[0] for pin, bits in cell["connections"].items() if pin != "Z")

    def add_table(self, name: str, table: Table) -> int:
        wire, self.next_wire = self.next_wire, self.next_wire + 1
        pins = (*table.wires, *"0000")[:4]
        init = "".join(str(table.rows >> row % (1 << len(table.wires)) & 1) for row in reversed(range(16)))
        self.cells[name] = {
            "hide_name": 1, "type": "LUT4", "parameters": {"INIT": init}, "attributes": {},
            "port_directions": {**dict.fromkeys(PINS, "input"), "Z": "output"},
            "connections": {**{pin: [wire] for pin, wire in zip(PINS, pins, strict=True)}, "Z": [wire]},
        }
        self.readers.update(pins)
        self.drivers[wire] = name
        self.readers[wire] = 1
        return wire


def choice_of(wires: tuple[Bit, ...], function: Function) -> tuple[Bit, Table, Table] | None:
    """A wire that chooses between two tables, which are the function where it is 1 and where it is 0; None if there is none."""
    for select in wires:
        others = tuple(wire for wire in wires if wire != select)
        ways = [tabulated(others, lambda state, known={select: value}: function(state | known)) for value in (1, 0)]
        if all(len(way.wires) <= len(PINS) for way in ways):
            return select, ways[0], ways[1]
    return None


def units(design: Netlist) -> list[tuple[str, tuple[str, ...]]]:
    """The name of each table or PFUMX that is no part of another, and of the tables that it has."""
    parts = {cell["connections"][port][0] for cell in design.cells.values() if cell["type"] == "PFUMX" for port in ("ALUT", "BLUT")}
    found = []
    for name, cell in design.cells.items():
        if cell["type"] == "LUT4" and cell["connections"]["Z"][0] not in parts:
            found.append((name, (name,)))
        if cell["type"] == "PFUMX":
            tables = tuple(design.drivers.get(cell["connections"][port][0], "") for port in ("ALUT", "BLUT"))
            if all(tables) and all(design.readers[cell["connections"][port][0]] == 1 for port in ("ALUT", "BLUT")):
                found.append((name, tables))
    return found


def meaning(design: Netlist, name: str) -> tuple[tuple[Bit, ...], Function]:
    """Wires and function of a table, or of a PFUMX with its tables."""
    cell = design.cells[name]
    if cell["type"] == "LUT4":
        table = design.table(name)
        return table.wires, table
    select, (one, other) = cell["connections"]["C0"][0], (
        design.table(design.drivers[cell["connections"][port][0]]) for port in ("ALUT", "BLUT"))
    return tuple(dict.fromkeys((select, *one.wires, *other.wires))), lambda state: one(state) if state[select] else other(state)


def use_choices(netlist: dict) -> int:
    """Makes of three or more tables, one behind the others, two with a PFUMX; changes yosys's netlist (a flat module ``top``) in place.

    A table that very many wait for does not wait for another one, though that stays where it is.

    Returns
    -------
    int
        How many tables are gone.
    """
    module = netlist["modules"]["top"]
    design, gone = Netlist(module["cells"], module["ports"]), 0
    parts = {table for _, tables in units(design) if len(tables) > 1 for table in tables}
    for name, tables in units(design):
        if name not in design.cells or name in parts:
            continue
        wires, function = meaning(design, name)
        private = [wire for wire in design.private(wires) if design.drivers[wire] not in parts]
        tries = [inner for number in range(min(3, len(private)), 2 - len(tables), -1) for inner in combinations(private, number)]
        if len(tables) == 1 and design.readers[design.cells[name]["connections"]["Z"][0]] >= MANY:
            tries += [(wire,) for wire in wires if wire in design.drivers and design.drivers[wire] not in parts]
        chosen = next((found for inner in tries if (found := merged(design, wires, function, inner))), None)
        if chosen:
            inner, select, ways = chosen
            absorbed = tuple(wire for wire in inner if wire in private)
            parts.update(rebuild(design, name, tables, absorbed, select, ways))
            gone += len(tables) + len(absorbed) - 2
    return gone


def merged(design: Netlist, wires: tuple[Bit, ...], function: Function,
           inner: tuple[Bit, ...]) -> tuple[tuple[Bit, ...], Bit, tuple[Table, Table]] | None:
    """How a function and the tables in front of some of its wires are one choice; None if they are not."""
    known = {wire: design.table(design.drivers[wire]) for wire in inner}
    more = tuple(dict.fromkeys(wire for one in wires for wire in (known[one].wires if one in known else (one,))))
    if len(more) > 2 * len(PINS) + 1:
        return None
    found = choice_of(more, lambda state: function(state | {wire: table(state) for wire, table in known.items()}))
    return (inner, found[0], found[1:]) if found else None


def rebuild(design: Netlist, name: str, tables: tuple[str, ...], inner: tuple[Bit, ...], select: Bit,
            ways: tuple[Table, Table]) -> list[str]:
    """The choice instead of what was there; returns the names of its tables."""
    out = design.cells[name]["connections"]["Z"][0]
    for one in {name, *tables}:
        cell = design.cells.pop(one)
        design.drivers.pop(cell["connections"]["Z"][0], None)
        design.readers.subtract(bits[0] for pin, bits in cell["connections"].items() if pin != "Z")
    design.absorb(inner)
    luts = [design.add_table(f"{name}_{port}", way) for port, way in zip(("ALUT", "BLUT"), ways, strict=True)]
    design.cells[f"{name}_PFUMX_Z"] = {
        "hide_name": 1, "type": "PFUMX", "parameters": {}, "attributes": {},
        "port_directions": {"ALUT": "input", "BLUT": "input", "C0": "input", "Z": "output"},
        "connections": {"ALUT": [luts[0]], "BLUT": [luts[1]], "C0": [select], "Z": [out]},
    }
    design.readers.update([select])
    return [design.drivers[wire] for wire in luts]


def bit_of_chain(wires: tuple[Bit, ...], propagates: Function, generates: Function) -> tuple[tuple[Bit, ...], str] | None:
    """Pins and INIT of a bit of a carry chain that has the sum and, where that is 0, the carry; None if it has no room for it.

    It is one table: its sum without the carry on all pins, and its carry, asked for where the sum is 0, on A and B with C and D at 0.
    """
    if len(wires) > len(PINS):
        return None
    for pins in permutations((*wires, *"1111")[:max(4, len(wires))]):
        rows: dict[int, int] = {}
        fits = True
        for number in range(1 << len(wires)):
            state: dict[Bit, int] = {"1": 1} | {wire: number >> place & 1 for place, wire in enumerate(wires)}
            row = sum(state[wire] << pin for pin, wire in enumerate(pins))
            asked = [(row, propagates(state)), *([] if propagates(state) else [(row & 3, generates(state))])]
            fits = fits and all(rows.setdefault(row, value) == value for row, value in asked)
        if fits:
            return pins, "".join(str(rows.get(row, 0)) for row in reversed(range(16)))
    return None


def use_carry_chains(netlist: dict) -> int:
    """Takes tables into the carry chains behind them; changes yosys's netlist in place and returns how many are gone."""
    module = netlist["modules"]["top"]
    design, gone = Netlist(module["cells"], module["ports"]), 0
    for cell in [cell for cell in design.cells.values() if cell["type"] == "CCU2C"]:
        for half in "01":
            if cell["parameters"][f"INJECT1_{half}"] != "NO":
                continue
            old = tuple(cell["connections"][pin + half][0] for pin in PINS)
            init = cell["parameters"][f"INIT{half}"]
            whole, carry = contents(old, init), contents((*old[:2], "0", "0"), init)
            for wire in design.private(tuple(dict.fromkeys(whole.wires + carry.wires))):
                inner = {wire: design.table(design.drivers[wire])}
                (wires, propagates), (more, generates) = replaced(whole, inner), replaced(carry, inner)
                found = bit_of_chain(tuple(dict.fromkeys(wires + more)), propagates, generates)
                if found is None:
                    continue
                design.absorb((wire,))
                design.readers.update(bit for bit in found[0])
                design.readers.subtract(old)
                cell["connections"] |= {pin + half: [bit] for pin, bit in zip(PINS, found[0], strict=True)}
                cell["parameters"][f"INIT{half}"] = found[1]
                gone += 1
                break
    return gone

"""Many faulty versions of a component in one netlist: an input says which one it is, so that all of them are compiled once."""

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import hw
from hw.export import FAST, ExportError, run_yosys

CONTROL = "mutant"
"""The wire of the top module that chooses, kept by its attribute; 0: none of them."""

BITS = 12

LIST = f"""
read_rtlil design.il
hierarchy -top {{name}}
proc -norom
flatten
{FAST}
write_rtlil flat.il
mutate -list {{draws}} -seed {{seed}} -o list.txt
"""


ROOT = Path(hw.__file__).resolve().parents[1]


class Mutant(NamedTuple):
    """What one of them changes."""

    change: str
    """As yosys's ``mutate`` names it, with cell and port."""
    lines: tuple[str, ...]
    """Where that comes from: file, a colon, and the text of the line. Of a cell that yosys has made from none: where it leads to."""

    @classmethod
    def named(cls, command: str, netlist: "Netlist") -> "Mutant":
        words = command.split(" -src ")
        lines = {line_of(*source.rsplit(":", 1)) for source in words[1:] or netlist.leads_to(words[0].split(" -cell ")[1].split()[0])}
        return cls(re.sub(r"^mutate | -module \\?\S+", "", words[0]), tuple(sorted(lines)))


def line_of(file: str, number: str) -> str:
    """Path of a file from the root of the repository or of its package, and the text of one of its lines."""
    path = Path(file)
    short = path.relative_to(ROOT) if path.is_relative_to(ROOT) and "site-packages" not in path.parts else Path(*path.parts[-3:])
    return f"{short}: {path.read_text().splitlines()[int(number) - 1].strip()}"


def mutated(rtlil: str, name: str, *, count: int, seed: int) -> tuple[str, list[Mutant]]:
    """Adds ``count`` mutants to a design (top module ``name``), which names its sources.

    Each inverts a bit, fixes it, or lets it depend on another one, at one place of the flat netlist that yosys's ``mutate`` draws, of those
    that mean something: :func:`means_something`.

    Returns
    -------
    rtlil : str
    mutants : list of Mutant
        From number 1 on.
    """
    if not 0 < count < 1 << BITS:
        raise ValueError(f"1 to {(1 << BITS) - 1} mutants, not {count}")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "design.il").write_text(rtlil)
        run_yosys(LIST.format(name=name, draws=count + count // 2 + 20, seed=seed), folder, "draw mutants")
        netlist, drawn = Netlist((folder / "flat.il").read_text()), (folder / "list.txt").read_text().splitlines()
        found = [line for line in drawn if line and means_something(line, netlist)][:count]
        if len(found) != count:
            raise ExportError(f"yosys drew {len(found)} mutants of {name}, not {count}")
        applied = "\n".join(f"{line} -ctrl {CONTROL} {BITS} {number}" for number, line in enumerate(found, 1))
        run_yosys(f"read_rtlil flat.il\n{applied}\nwrite_rtlil mutated.il\n", folder, "make mutants")
        return (folder / "mutated.il").read_text(), [Mutant.named(line, netlist) for line in found]


class Netlist:
    """Of a flat RTLIL text: what each cell drives, who reads it, and the lines that wires and cells come from."""

    OUTPUTS = ("Y", "Q")

    def __init__(self, text: str):
        self._readers, self._drives, self._sources = defaultdict(list), {}, defaultdict(list)
        self._outputs, self._read, self._widths, aliases = {}, set(), {}, []
        sources, cell = [], ""
        for line in text.splitlines():
            words = line.split(maxsplit=2)
            if words[:2] == ["attribute", "\\src"]:
                sources = words[2].strip('"').split("|")
            elif words[:1] == ["cell"]:
                cell, self._sources[words[2]], sources = words[2], sources, []
            elif words[:1] == ["wire"]:
                name = line.split()[-1]
                self._sources[name], sources = sources, []
                self._widths[name] = int(line.split()[line.split().index("width") + 1]) if " width " in line else 1
                self._read.update((name, bit) for bit in range(self._widths[name]) if " output " in line)
            elif words[:1] == ["end"]:
                cell = ""
            elif words[:1] == ["connect"] and cell:
                if words[1][1:] in self.OUTPUTS:
                    self._drives[cell] = names_in(words[2])
                    self._outputs[cell] = self._bits(words[2])
                else:
                    for name in names_in(words[2]):
                        self._readers[name].append(cell)
                    self._read.update(self._bits(words[2]))
            elif words[:1] == ["connect"]:
                to, source = (self._bits(part) for part in two_signals(line.strip().removeprefix("connect ")))
                aliases.extend(zip(to, source, strict=True))
        for _ in range(3):  # a name for a name for a name
            self._read.update(source for to, source in aliases if to in self._read)

    def _bits(self, signal: str) -> list[tuple[str, int]]:
        """Name and number of each bit, from the lowest on; of a constant ("", 0)."""
        found = []
        for part in reversed(re.findall(r"([$\\]\S+)(?: \[(\d+)(?::(\d+))?\])?|(\d+)'[01xz-]+|(\d+)", signal)):
            name, high, low, constant, number = part
            if not name:
                found += [("", 0)] * (32 if number else int(constant))
            else:
                bits = range(int(low or high), int(high) + 1) if high else range(self._widths[name])
                found += [(name, bit) for bit in bits]
        return found

    def reads(self, cell: str, bit: int) -> bool:
        """Something depends on this bit of what the cell drives."""
        return self._outputs[cell][bit] in self._read

    def leads_to(self, cell: str) -> list[str]:
        """The nearest lines that come after a cell."""
        at, passed = [cell], {cell}
        while at:
            wires = [wire for one in at for wire in self._drives.get(one, ())]
            at = [reader for wire in wires for reader in self._readers[wire] if reader not in passed]
            passed.update(at)
            if found := {source for name in [*wires, *at] for source in self._sources[name]}:
                return sorted(found)
        return []


def names_in(signal: str) -> list[str]:
    return [word for word in signal.split() if word[0] in "$\\"]


def two_signals(text: str) -> tuple[str, str]:
    """What stands left and right in a connection outside of cells."""
    found = re.fullmatch(r"(\{.*?\}|\S+(?: \[[\d:]+\])?) (\{.*\}|\S+(?: \[[\d:]+\])?)", text)
    return found[1], found[2]


def means_something(command: str, netlist: Netlist) -> bool:
    """It changes the component, not what is around it, and not a bit that nothing depends on, as all of a difference but its sign."""
    sources = command.split(" -src ")[1:]
    if sources and all("/sim/verilated/" in source for source in sources):
        return False
    cell, port, bit = re.search(r" -cell (\S+) -port \\?(\S+) -portbit (\d+)", command).groups()
    return port not in Netlist.OUTPUTS or netlist.reads(cell, int(bit))

"""Many faulty versions of a component in one netlist: an input says which one it is, so that all of them are compiled once."""

import re
import tempfile
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
    """Where that comes from: file, a colon, and the text of the line. A few cells that yosys has made come from nowhere."""

    @classmethod
    def named(cls, command: str) -> "Mutant":
        words = command.split(" -src ")
        lines = {line_of(*source.rsplit(":", 1)) for source in words[1:]}
        return cls(re.sub(r"^mutate | -module \\?\S+", "", words[0]), tuple(sorted(lines)))


def line_of(file: str, number: str) -> str:
    """Path of a file from the root of the repository or of its package, and the text of one of its lines."""
    path = Path(file)
    short = path.relative_to(ROOT) if path.is_relative_to(ROOT) and "site-packages" not in path.parts else Path(*path.parts[-3:])
    return f"{short}: {path.read_text().splitlines()[int(number) - 1].strip()}"


def mutated(rtlil: str, name: str, *, count: int, seed: int) -> tuple[str, list[Mutant]]:
    """Adds ``count`` mutants to a design (top module ``name``), which names its sources.

    Each inverts a bit, fixes it, or lets it depend on another one, at one place of the flat netlist that yosys's ``mutate`` draws; not in
    what is around the component (:class:`sim.verilated.flat.Flat`).

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
        run_yosys(LIST.format(name=name, draws=count + count // 4 + 20, seed=seed), folder, "draw mutants")
        found = [line for line in (folder / "list.txt").read_text().splitlines() if line and not around(line)][:count]
        if len(found) != count:
            raise ExportError(f"yosys drew {len(found)} mutants of {name}, not {count}")
        applied = "\n".join(f"{line} -ctrl {CONTROL} {BITS} {number}" for number, line in enumerate(found, 1))
        run_yosys(f"read_rtlil flat.il\n{applied}\nwrite_rtlil mutated.il\n", folder, "make mutants")
        return (folder / "mutated.il").read_text(), [Mutant.named(line) for line in found]


def around(command: str) -> bool:
    sources = command.split(" -src ")[1:]
    return bool(sources) and all("/sim/verilated/" in source for source in sources)

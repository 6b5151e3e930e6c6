"""Writes what is generated in docs/: area, block diagram, latency, risk, tour; with --check only says whether it is fresh."""

import argparse
import sys

from sim.docs.area import area_page
from sim.docs.block_diagram import block_diagram
from sim.docs.latency import latency_page
from sim.docs.risk import risk_page
from sim.docs.stages import ROOT, stages, verdict_wait
from sim.docs.tour import tour_page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the files and change nothing")
    arguments = parser.parse_args()
    listed = stages()
    files = {
        "docs/area.md": area_page(),
        "docs/block_diagram.svg": block_diagram(listed, verdict_wait()),
        "docs/latency.md": latency_page(listed, verdict_wait()),
        "docs/tour.md": tour_page(listed),
        "docs/risk.md": risk_page(),
    }
    stale = [name for name, content in files.items() if not _same(name, content)]
    if arguments.check:
        for name in stale:
            print(f"{name} is not what its source gives: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(files[name], encoding="utf-8")
        print(f"wrote {name}")
    return 0


def _same(name: str, content: str) -> bool:
    path = ROOT / name
    return path.exists() and path.read_text(encoding="utf-8") == content


if __name__ == "__main__":
    sys.exit(main())

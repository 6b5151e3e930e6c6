"""Measures tick-to-trade on the simulated card: ``python -m sim.docs.measure`` writes docs/latency.json, docs/latency.md shows it."""

import json
import sys

from hw.config import ECP5
from sim.docs.stages import ROOT
from sim.perf.latency import measure

FILE = ROOT / "docs" / "latency.json"


def main() -> int:
    measured = measure(ECP5)
    del measured["stages"]  # the page takes them from the source, not from here
    FILE.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}: now run `make docs`")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures tick-to-trade on the simulated card: ``python -m sim.docs.measure`` writes docs/latency.json, docs/latency.md shows it."""

import json
import sys

from hw.config import ECP5, MEDIUM
from sim.docs.stages import ROOT
from sim.perf.latency import measure

FILE = ROOT / "docs" / "latency.json"


def over_tcp() -> dict:
    """The same by order sessions, on the smallest card for a board that has them."""
    measured = measure(MEDIUM, over_tcp=True)
    return {name: measured[name] for name in ("card", "triggers", "end_of_trigger_to_first_byte_out")}


def main() -> int:
    measured = measure(ECP5)
    del measured["stages"]  # the page takes them from the source, not from here
    measured["over_tcp"] = over_tcp()
    FILE.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}: now run `make docs`")
    return 0


if __name__ == "__main__":
    sys.exit(main())

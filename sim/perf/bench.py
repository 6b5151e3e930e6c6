"""Measures the project and writes build/bench.json: ``python -m sim.perf.bench [--quick] [--jobs N]``. The schema is in docs/bench.md."""

import argparse
import json
import os
import sys

from rich.table import Table

from bitstreams.build import git_hash
from bitstreams.flow import BUILD, ROOT
from bitstreams.progress import console, step
from host.card.protocol import CardError
from sim.perf import area, latency, matching, speed
from sim.replay.errors import ReplayError
from sim.verilated.build import BuildError

SCHEMA = 1
MESSAGES, QUICK_MESSAGES = 200_000, 40_000
ORDERS = 300_000


def measure(*, quick: bool, jobs: int) -> dict:
    """All measurements. What needs a quiet machine comes before what fills it."""
    def tell(line: str) -> None:
        console.print(f"  {line}")

    found: dict = {"schema": SCHEMA, "git": git_hash(), "quick": quick}
    with step("latency on the simulated card"):
        found["latency"] = latency.measure()
    with step("speed of the engines"):
        found["speed"] = speed.measure(messages=QUICK_MESSAGES if quick else MESSAGES, tell=tell)
    with step("speed of the exchange's matching engine"):
        found["matching"] = matching.measure(orders=ORDERS)
    with step("area and Fmax on the ECP5"):
        found["area"] = area.measure(quick=quick, jobs=jobs, tell=tell)
    return found


def tables(found: dict) -> list[Table]:
    """What the terminal shows at the end."""
    return [_latency_table(found["latency"]), _speed_table(found["speed"]), _matching_table(found["matching"]), _area_table(found["area"])]


def _latency_table(found: dict) -> Table:
    table = Table(title=f"Tick-to-trade in cycles of {1e3 / found['clock_mhz']:.1f} ns, {found['triggers']} triggers", title_justify="left")
    table.add_column("trigger")
    for definition in ("end of trigger to first byte out", "start of message to start of frame"):
        table.add_column(definition, justify="right")
    ends, starts = found["end_of_trigger_to_first_byte_out"], found["start_of_message_to_start_of_frame"]
    for kind in ends:
        cells = [f"{each['min']} / {each['median']:g} / {each['max']}  ({each['median_ns']} ns)" for each in (ends[kind], starts[kind])]
        table.add_row(kind, *cells)
    return table


def _speed_table(found: dict) -> Table:
    table = Table(title="Speed of the engines", title_justify="left")
    for column in ("day", "engine", "messages", "messages/s", "cycles/s"):
        table.add_column(column, justify="left" if column in ("day", "engine") else "right")
    for name, day in found.items():
        for engine in ("rtl", "golden", "cocotb"):
            each = day[engine]
            cycles = f"{each['cycles_per_second']:,}" if "cycles_per_second" in each else ""
            table.add_row(name, engine, f"{each.get('messages', day['messages']):,}", f"{each['messages_per_second']:,}", cycles)
    return table


def _matching_table(found: dict) -> Table:
    table = Table(title="The exchange's matching engine, one core", title_justify="left")
    columns = ("orders", "accepted", "canceled", "replaced", "traded", "orders_per_second")
    for column in columns:
        table.add_column(column.replace("_per_second", "/s"), justify="right")
    table.add_row(*(f"{found[column]:,}" for column in columns))
    return table


def _area_table(found: dict) -> Table:
    table = Table(title=f"On the {found['device']}, median of {len(found['seeds'])} seed(s)", title_justify="left")
    table.add_column("block")
    for column in ("LUT4", "FF", "BRAM", "DSP", "Fmax MHz"):
        table.add_column(column, justify="right")
    rows = [*found["blocks"].items(), *(
        (f"card {name}" + ("" if each["routed"] else ", not routed"), each) for name, each in found["cards"].items())]
    for name, each in rows:
        table.add_row(name, *(f"{each[key]:,}" for key in ("luts", "ffs", "brams", "dsps")), f"{each['fmax_mhz']:.1f}")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.perf.bench", description=__doc__.split(":")[0])
    parser.add_argument("--quick", action="store_true", help="one seed, blocks only, a shorter day")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="placements at once (default: the number of cores)")
    arguments = parser.parse_args()
    try:
        found = measure(quick=arguments.quick, jobs=arguments.jobs)
    except (RuntimeError, BuildError, CardError, ReplayError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    path = BUILD / "bench.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    for table in tables(found):
        console.print(table)
    console.print(f"{path.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

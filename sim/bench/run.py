"""Runs the cocotb benches: ``python -m sim.bench.run [--bench NAME] [--seed N] [--waves] [--card NAME] [--short]``."""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from hw.config import CARDS, TINY, CardConfig
from sim.bench.benches import BENCHES, Bench
from sim.bench.build import BUILD, ROOT, STREAMS, TOP, BuildError, build, tool_environment

PERIOD_NS = 6.4


@dataclass
class Outcome:
    """What a bench did. ``failures`` is empty when all is well."""

    bench: Bench
    seed: int
    tests: int = 0
    transactions: int = 0
    cycles: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    waves: Path | None = None
    log: Path | None = None


def run_bench(bench: Bench, *, seed: int, card: CardConfig = TINY, share: float = 1.0, waves: bool = False, test: str = "") -> Outcome:
    """Builds the device unless that was done before, runs the bench on it and judges the result."""
    outcome = Outcome(bench, seed)
    started = time.monotonic()
    try:
        folder = build(bench.stage, card, probes=bench.probes, waves=waves)
    except Exception as error:  # whatever elaboration or a tool has against it
        outcome.failures.append(f"no device: {error!r}" if not isinstance(error, BuildError) else f"no device: {error}")
        return outcome
    runs = BUILD / "runs" / f"{bench.name}-{seed}"
    runs.mkdir(parents=True, exist_ok=True)
    results, xml, outcome.log = runs / "results.jsonl", runs / "results.xml", runs / "log.txt"
    for old in (results, xml):
        old.unlink(missing_ok=True)
    script = (
        "from cocotb_tools.runner import get_runner\n"
        f"get_runner('verilator').test(test_module={bench.tests!r}, hdl_toplevel={TOP!r}, hdl_toplevel_lang='verilog',\n"
        f"    build_dir={str(folder)!r}, test_dir={str(runs)!r}, results_xml={str(xml)!r},\n"
        f"    seed={seed}, waves={waves}, testcase={test or None!r})\n"
    )
    environment = os.environ | tool_environment() | {
        "TRAPJAW_BENCH_RESULTS": str(results), "TRAPJAW_BENCH_STAGE": bench.stage, "TRAPJAW_BENCH_CARD": card.name,
        "TRAPJAW_BENCH_PROBES": ",".join(bench.probes),
        "TRAPJAW_BENCH_SHARE": str(share), "TRAPJAW_BENCH_WATCHED": str(folder / STREAMS), "COCOTB_RANDOM_SEED": str(seed),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "COCOTB_LOG_LEVEL": os.environ.get("COCOTB_LOG_LEVEL", "INFO"),
        "COCOTB_ANSI_OUTPUT": "0",
    }
    with outcome.log.open("w", encoding="utf-8") as output:
        subprocess.run([sys.executable, "-c", script], cwd=runs, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False)
    _judge(outcome, results, xml, share, partial=bool(test))
    if waves:
        outcome.waves = next((path for path in (runs / "dump.fst", folder / "dump.fst") if path.exists()), None)
        if outcome.waves is None:
            outcome.failures.append("no waveform file was written")
    outcome.seconds = time.monotonic() - started
    return outcome


def _judge(outcome: Outcome, results: Path, xml: Path, share: float, *, partial: bool) -> None:
    """Reads what the simulation left and adds everything that is wrong to the outcome's failures."""
    if not xml.exists():
        outcome.failures.append(f"the simulation ended early; the last lines of {outcome.log}:\n{_tail(outcome.log)}")
        return
    cases = ElementTree.parse(xml).getroot().findall(".//testcase")
    outcome.tests = len(cases)
    if not cases:
        outcome.failures.append("no test ran")
    for case in cases:
        for problem in (*case.findall("failure"), *case.findall("error")):
            text = problem.get("message") or problem.text or "failed"
            outcome.failures.append(f"{case.get('name')}: {text.strip()}")
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.exists() else []
    outcome.transactions = sum(line["transactions"] for line in lines)
    outcome.cycles = sum(line["cycles"] for line in lines)
    minimum = int(outcome.bench.minimum * share)
    if not outcome.failures and not partial and outcome.transactions < minimum:
        outcome.failures.append(f"compared {outcome.transactions} transactions, meant to compare at least {minimum}")


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def table(outcomes: list[Outcome]) -> Table:
    """The summary that ``make sim`` ends with."""
    found = Table(title="Benches: RTL against golden models")
    found.add_column("bench")
    for column in ("tests", "transactions", "seed", "simulated time", "wall time"):
        found.add_column(column, justify="right")
    found.add_column("result")
    for outcome in outcomes:
        found.add_row(
            outcome.bench.name, str(outcome.tests), f"{outcome.transactions:,}", str(outcome.seed),
            f"{outcome.cycles * PERIOD_NS / 1000:,.1f} µs", f"{outcome.seconds:.1f} s",
            "[red]FAILED[/red]" if outcome.failures else "[green]ok[/green]")
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.bench.run", description="Runs the cocotb benches against the RTL.")
    parser.add_argument("--bench", help=f"one of {', '.join(BENCHES)} (default: all)")
    parser.add_argument("--test", default="", help="only this test of the bench")
    parser.add_argument("--seed", type=int, help="random seed (default: a fresh one, which is printed)")
    parser.add_argument("--card", choices=CARDS, default="tiny", help="whose sizes (default: tiny)")
    parser.add_argument("--waves", action="store_true", help="leave an FST waveform file and say where")
    parser.add_argument("--short", action="store_true", help="do a part of the traffic, of most benches a fifth")
    parser.add_argument("--json", type=Path, help="write the outcomes here as well")
    options = parser.parse_args(arguments)
    console = Console()
    if options.bench and options.bench not in BENCHES:
        console.print(f"no bench {options.bench!r}: there are {', '.join(BENCHES)}", style="red", highlight=False)
        return 2
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    console.print(f"seed {seed}", highlight=False)

    outcomes = []
    for bench in [BENCHES[options.bench]] if options.bench else BENCHES.values():
        share = bench.short if options.short else 1.0
        outcome = run_bench(bench, seed=seed, card=CARDS[options.card], share=share, waves=options.waves, test=options.test)
        outcomes.append(outcome)
        console.print(f"{bench.name}: {'failed' if outcome.failures else 'ok'} ({outcome.seconds:.1f} s)", highlight=False)
        for failure in outcome.failures:
            console.print(f"  {failure}", style="red", markup=False, highlight=False)
        if outcome.failures and outcome.log:
            console.print(f"  log: {outcome.log}\n  again: make sim BENCH={bench.name} SEED={seed} WAVES=1", highlight=False)
        if outcome.waves:
            console.print(f"  waves: {outcome.waves}", highlight=False)
    console.print(table(outcomes))
    if options.json:
        options.json.write_text(json.dumps([_as_json(outcome) for outcome in outcomes], indent=1) + "\n", encoding="utf-8")
    return 1 if any(outcome.failures for outcome in outcomes) else 0


def _as_json(outcome: Outcome) -> dict:
    return {
        "bench": outcome.bench.name, "tests": outcome.tests, "transactions": outcome.transactions, "seed": outcome.seed,
        "simulated_ns": round(outcome.cycles * PERIOD_NS, 1), "failures": [re.sub(r"\s+", " ", text) for text in outcome.failures],
    }


if __name__ == "__main__":
    sys.exit(main())

"""Places one component by itself on the ECP5 and prints what it costs and how fast it is.

    python -m bitstreams.place hw.feed.itch50:Itch50Decoder
    python -m bitstreams.place "hw.book.book:Book(ECP5, 0)" --seeds 1,2,3
    python -m bitstreams.place "hw.lib.fifo:Fifo(Order, 16)" --path

The part behind the colon is a Python expression that makes the component; it sees the module's names, ``hw.types`` and the
named cards of ``hw.config``. A bare class is called without arguments. What was placed once comes from the cache in build/place.
"""

import argparse
import importlib
import json
import sys
from dataclasses import replace

from amaranth.lib import wiring

from bitstreams.flow import FlowError, Placement, median, place, synthesise
from bitstreams.out_of_context import OutOfContext, harness_cost
from hw.export import to_rtlil

TARGET_MHZ = 200
"""What the placer aims at: above the 156.25 MHz needed, so that it does not stop early."""


def component(expression: str) -> wiring.Component:
    """Makes the component that ``module:expression`` stands for."""
    module, colon, text = expression.partition(":")
    if not colon:
        raise ValueError(f"expected module:expression, for instance hw.feed.itch50:Itch50Decoder, not {expression!r}")
    names = {}
    for source in ("hw.types", "hw.config", module):
        names |= vars(importlib.import_module(source))
    result = eval(text, names)
    return result() if isinstance(result, type) else result


def harness(made: wiring.Component) -> str:
    """RTLIL of the component in its harness."""
    return to_rtlil(OutOfContext(made), "top")


def place_harness(rtlil: str, *, seeds: tuple[int, ...] = (1,), mhz: float = TARGET_MHZ) -> Placement:
    """Median placement of the component, without what the harness around it costs."""
    folder = synthesise(rtlil)
    result = median([place(folder, seed=seed, mhz=mhz) for seed in seeds])
    luts, ffs = harness_cost(json.loads((folder / "netlist.json").read_text()))
    return replace(result, luts=result.luts - luts, ffs=result.ffs - ffs)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bitstreams.place", description=__doc__.splitlines()[0])
    parser.add_argument("component", help="module:expression")
    parser.add_argument("--seeds", "--seed", default="1", help="comma-separated; with several, the median (default 1)")
    parser.add_argument("--mhz", type=float, default=TARGET_MHZ, help=f"clock the placer aims at (default {TARGET_MHZ})")
    parser.add_argument("--path", action="store_true", help="also print the slowest path")
    arguments = parser.parse_args()
    try:
        made = component(arguments.component)
        result = place_harness(harness(made), seeds=tuple(int(seed) for seed in arguments.seeds.split(",")), mhz=arguments.mhz)
    except (FlowError, ValueError, ImportError, NameError, TypeError) as error:
        print(f"error: {arguments.component}: {error}", file=sys.stderr)
        return 2
    print(f"{arguments.component}: LUT4 {result.luts}  FF {result.ffs}  EBR {result.brams}  DSP {result.dsps}  "
          f"Fmax {result.fmax_mhz} MHz (seeds {','.join(map(str, result.seeds))})")
    if arguments.path:
        print("\n".join(f"  {hop}" for hop in result.critical))
    return 0


if __name__ == "__main__":
    sys.exit(main())

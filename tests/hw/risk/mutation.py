"""Mutants of the gateway's netlist against the campaign: who is seen, by what, and who is not.

``python -m tests.hw.risk.mutation [--count 200] [--seed 1] [--orders 8000]`` prints each of them, and the share that was seen.
"""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from sim.verilated.gateway import CompiledGateway, gateway_mutants
from tests.hw.risk.campaign import CROWDED, Campaign


class Verdict(NamedTuple):
    """What became of a mutant; number 0 is the gateway as it is."""

    number: int
    change: str
    seen: str
    """The difference that the campaign found; "" if it found none."""


def hunt(count: int, seed: int, orders: int) -> Iterator[Verdict]:
    """The gateway as it is, and then so many mutants, each in a campaign of so many orders."""
    library, changes = gateway_mutants(CROWDED, count=count, seed=seed)
    for number, change in enumerate(["none", *changes]):
        try:
            Campaign(1, CompiledGateway(CROWDED, mutants=library, mutant=number)).run(orders)
            seen = ""
        except (AssertionError, IndexError, ValueError, KeyError) as difference:  # nonsense may find nobody to judge it
            seen = (str(difference) or type(difference).__name__).splitlines()[0]
        yield Verdict(number, change, seen)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hw.risk.mutation", description=__doc__.splitlines()[0])
    for name, default in (("count", 200), ("seed", 1), ("orders", 8_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    seen = 0
    for verdict in hunt(arguments.count, arguments.seed, arguments.orders):
        seen += bool(verdict.seen)
        print(f"{verdict.number:4} {'seen' if verdict.seen else 'ALIVE'}  {verdict.change}  {verdict.seen[:80]}", flush=True)
    print(f"seen: {seen} of {arguments.count} mutants")


if __name__ == "__main__":
    main()

"""Mutants of the gateway's netlist against the campaign: who is seen, by what, and why the others are not.

``python -m tests.hw.risk.mutation [--count 200] [--seed 1] [--orders 8000] [--only 12,40]`` prints each of them, and how many there are;
``--write`` writes docs/mutation.json, from which docs/risk.md is made.
"""

import argparse
import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from sim.verilated.gateway import CompiledGateway, gateway_mutants
from sim.verilated.mutants import ROOT, Mutant
from tests.hw.risk.campaign import Campaign
from tests.hw.risk.mutants_explained import explanation
from tests.hw.risk.side_by_side import CROWDED

COUNT, SEED, ORDERS = 200, 1, 8_000
"""What `make verify` draws, and how many orders each of them gets."""


FILE = ROOT / "docs" / "mutation.json"


class Verdict(NamedTuple):
    """What became of a mutant; number 0 is the gateway as it is."""

    number: int
    mutant: Mutant
    seen: str
    """The difference that the campaign found; "" if it found none."""

    @property
    def why(self) -> str:
        """It was not seen: the reason for which nobody can; "" if none is known."""
        return "" if self.seen else explanation(self.mutant)

    def __str__(self) -> str:
        state = "seen" if self.seen else "explained" if self.why else "ALIVE"
        return f"{self.number:4} {state:9} {self.mutant.change} {' | '.join(self.mutant.lines)} {self.seen[:80] or self.why}"


def hunt(count: int = COUNT, seed: int = SEED, orders: int = ORDERS, only: Collection[int] = ()) -> Iterator[Verdict]:
    """The gateway as it is, and then so many mutants, each in a campaign of so many orders."""
    library, mutants = gateway_mutants(CROWDED, count=count, seed=seed)
    for number, mutant in enumerate([Mutant("none", ()), *mutants]):
        if only and number not in only:
            continue
        try:
            Campaign(1, CompiledGateway(CROWDED, mutants=library, mutant=number)).run(orders)
            seen = ""
        except (AssertionError, IndexError, ValueError, KeyError) as difference:  # nonsense may find nobody to judge it
            seen = (str(difference) or type(difference).__name__).splitlines()[0]
        yield Verdict(number, mutant, seen)


def summary(verdicts: Collection[Verdict]) -> str:
    seen, explained = (sum(bool(part) for part in parts) for parts in zip(*((each.seen, each.why) for each in verdicts), strict=True))
    return (f"{len(verdicts)} mutants: {seen} seen by the campaign, {explained} explained, {len(verdicts) - seen - explained} alive; "
            "the proofs were not run on them")


def write(verdicts: Collection[Verdict], orders: int) -> None:
    """For the documentation: how many were seen, and each of the others."""
    others = [[verdict.mutant.change, verdict.mutant.lines, verdict.why] for verdict in verdicts if not verdict.seen]
    FILE.write_text(json.dumps({"mutants": len(verdicts), "orders": orders, "others": others}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hw.risk.mutation", description=__doc__.splitlines()[0])
    for name, default in (("count", COUNT), ("seed", SEED), ("orders", ORDERS)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", type=lambda text: {int(number) for number in text.split(",")}, default=set())
    parser.add_argument("--write", action="store_true")
    arguments, verdicts = parser.parse_args(), []
    for verdict in hunt(arguments.count, arguments.seed, arguments.orders, arguments.only):
        verdicts.append(verdict)
        print(verdict, flush=True)
    mutants = [verdict for verdict in verdicts if verdict.number]
    print(summary(mutants))
    if arguments.write:
        write(mutants, arguments.orders)


if __name__ == "__main__":
    main()

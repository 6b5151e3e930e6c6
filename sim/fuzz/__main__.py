"""Mutated frames through the compiled card.

``python -m sim.fuzz [--frames N] [--seed S] [--card NAME] [--protocols A,B] [--recorded FILE]``
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from host.card.simulated import SimulatedCard
from hw.config import CARDS, FEED_PROTOCOLS, CardConfig
from sim.fuzz.campaign import Campaign
from sim.readers.binary_file import read_binary_file
from sim.verilated.build import library

RECORDED = 20_000
"""Messages of a recorded file that are taken."""


def recorded(path: Path | None) -> Sequence[bytes]:
    return list(islice(read_binary_file(path), RECORDED)) if path else []


def speaking(config: CardConfig, *protocols: str) -> CardConfig:
    """The card with these protocols on its ports."""
    return replace(config, name="-".join((config.name, *protocols)), protocols=protocols)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--card", choices=CARDS, default="tiny")
    known = ", ".join(FEED_PROTOCOLS)
    parser.add_argument("--protocols", default="", help=f"of the venues in order, of {known} (default: all {FEED_PROTOCOLS[0]})")
    parser.add_argument("--recorded", type=Path, help="a BinaryFILE with real messages to start from")
    options = parser.parse_args()
    config = speaking(CARDS[options.card], *filter(None, options.protocols.split(",")))
    with SimulatedCard(library(config)) as card:
        print(json.dumps(Campaign(card, config, options.seed, recorded(options.recorded)).run(options.frames), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

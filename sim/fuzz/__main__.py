"""``python -m sim.fuzz [--frames N] [--seed S] [--card NAME] [--recorded FILE]``: mutated frames through the compiled card."""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from host.card.simulated import SimulatedCard
from hw.config import CARDS
from sim.fuzz.campaign import Campaign
from sim.readers.binary_file import read_binary_file
from sim.verilated.build import library

RECORDED = 20_000
"""Messages of a recorded file that are taken."""


def recorded(path: Path | None) -> Sequence[bytes]:
    return list(islice(read_binary_file(path), RECORDED)) if path else []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--card", choices=CARDS, default="tiny")
    parser.add_argument("--recorded", type=Path, help="a BinaryFILE with real messages to start from")
    options = parser.parse_args()
    config = CARDS[options.card]
    with SimulatedCard(library(config)) as card:
        print(json.dumps(Campaign(card, config, options.seed, recorded(options.recorded)).run(options.frames), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

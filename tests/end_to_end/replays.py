"""Replays of files, for the tests: how they are started, the oracles of real data, and what their rows are about."""

import gzip
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from hw.config import TINY
from sim.replay.replay import Options, Report, replay
from tests.data import market_data

LEAN = replace(TINY, name="lean", signals=False, triggers=0, quoter=False, sessions=False)
"""The smallest card without what no feed protocol has to do with: it compiles in half the time."""
LOSSY = "nasdaq_itch50/20191230_premarket_AB_lossy.pcap.gz"
CLEAN = "nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz"


def run(*files: Path, **options) -> Report:
    return replay(Options(files, **options), lambda name, total: nullcontext(lambda count: None))


def oracle(name: str) -> str:
    return gzip.decompress(market_data(f"{name}.bbo.csv.gz").read_bytes()).decode()


def rows_of(text: str, locates: set[int]) -> list[str]:
    return [line for line in text.splitlines() if line.split(",")[2] in set(map(str, locates))]


def locates_in(text: str) -> set[int]:
    return {int(line.split(",")[2]) for line in text.splitlines()[1:]}


def both_lost() -> int:
    """The one message of the lossy capture that neither line has."""
    header, row = market_data("nasdaq_itch50/20191230_premarket_AB_lossy.both_lost.csv").read_text().split()
    first, count = row.split(",")
    assert (header, count) == ("first_seq,msg_count", "1")
    return int(first)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path

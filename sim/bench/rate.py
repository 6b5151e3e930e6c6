"""How fast a replay goes when a cocotb test drives every cycle, to compare with the compiled engine.

``python -m sim.bench.rate [FILE...] [--messages N] [--card NAME]``: the stimulus is the replay's own (the same packets in the same
frames, paced by the same limits), the work beside it the least that a test can do: frame words in, event records out.
"""

import argparse
import json
import pickle
import sys
from pathlib import Path

from hw.config import CARDS, CardConfig
from sim.bench.benches import Bench
from sim.bench.build import BUILD
from sim.bench.run import run_bench
from sim.golden.ethernet import build_udp
from sim.readers.itch50 import IS_BOOK, locate_of
from sim.replay.feeds import BinaryFeed
from sim.replay.selection import select
from sim.replay.survey import survey

BENCH = Bench("rate", "card", minimum=1)


def group(venue: int) -> tuple[int, int]:
    """Multicast group and port of a venue."""
    return 0xE9360C6F + venue, 26_477 + venue


def stimulus(files: list[Path], messages: int, config: CardConfig) -> dict:
    """The first messages of the files as frames with what each can cause, and the bindings of the symbols."""
    feeds = [BinaryFeed(path) for path in files]
    surveys = [survey(feed, lambda count: None) for feed in feeds]
    active = len({each.name_of(key) for each in surveys for key in each.activity})
    selection = select(surveys, f"top:{min(active, config.symbols)}")
    most, venues, count = min(config.backlog, config.events) // 4, [], 0
    for venue, feed in enumerate(feeds):
        slots, frames, before = selection.slots[venue], [], feed.first_sequence
        ip, port = group(venue)
        for packet in feed.packets(lambda message, slots=slots: IS_BOOK[message[0]] and locate_of(message) in slots, most):
            if packet.next_sequence - feed.first_sequence > messages // len(files):
                break
            frames.append((build_udp(packet.payload, destination_ip=ip, destination_port=port), packet.events + 1))
            before = packet.next_sequence
        count += before - feed.first_sequence
        venues.append((slots, frames))
    return {"venues": venues, "messages": count}


def measure(files: list[Path], *, messages: int = 20_000, card: CardConfig = CARDS["ecp5"]) -> dict:
    """Messages and cycles per second of the cocotb test on a card, without the time that its set-up takes."""
    folder = BUILD / "rate"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stimulus.pickle").write_bytes(pickle.dumps(stimulus(files, messages, card)))
    outcome = run_bench(BENCH, seed=1, card=card)
    if outcome.failures:
        raise RuntimeError(f"the rate could not be measured: {outcome.failures[0]}")
    return json.loads((folder / "rate.json").read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.bench.rate", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="BinaryFILEs, one per venue (default: a generated day)")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--card", choices=CARDS, default="ecp5")
    options = parser.parse_args()
    files = options.files
    if not files:
        from sim.perf.speed import generated_day
        files = list(generated_day(options.messages))
    print(json.dumps(measure(files, messages=options.messages, card=CARDS[options.card]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

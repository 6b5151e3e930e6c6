"""What the card and its stages cost on the ECP5, and how fast they are there: each placed by itself with several seeds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict

from bitstreams.flow import SEEDS
from bitstreams.place import TARGET_MHZ, harness, place_harness
from hw.config import ECP5, TINY
from hw.export import STAGES, stage

BLOCKS = tuple(name for name in STAGES if name != "card")
CARDS = (ECP5, TINY)


def measure(*, quick: bool, jobs: int, tell: Callable[[str], None]) -> dict:
    """Places every stage in the size of the ECP5 card, and the cards as a whole; ``quick``: one seed, no cards.

    The longest come first, so that ``jobs`` processes end at about the same time.
    """
    seeds = SEEDS[:1] if quick else SEEDS
    work = [] if quick else [("cards", config.name, stage("card", config)) for config in CARDS]
    work += [("blocks", name, stage(name, ECP5)) for name in BLOCKS]

    def one(rtlil: str) -> dict:
        placed = asdict(place_harness(rtlil, seeds=seeds))
        return {key: placed[key] for key in ("luts", "ffs", "brams", "dsps", "fmax_mhz")}

    result: dict = {"device": "LFE5UM5G-85F, speed 8", "target_mhz": TARGET_MHZ, "seeds": list(seeds), "blocks": {}, "cards": {}}
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(one, harness(component)): (group, name) for group, name, component in work}
        try:
            for done, future in enumerate(as_completed(running), 1):
                group, name = running[future]
                result[group][name] = future.result()
                tell(f"{done} of {len(running)}: {name}, {result[group][name]['fmax_mhz']} MHz")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for group in ("blocks", "cards"):
        result[group] = dict(sorted(result[group].items()))
    return result

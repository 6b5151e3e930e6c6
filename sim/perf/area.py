"""What the card and its stages cost on the ECP5, and how fast they are there: each stage by itself, the cards on the board."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import partial

from bitstreams.build import CLOCK_HZ, CLOCK_MHZ, board, place_on_board
from bitstreams.flow import SEEDS, Placement, median, synthesise
from bitstreams.place import TARGET_MHZ, harness, place_harness
from hw.card import Card
from hw.config import ECP5, TINY
from hw.export import STAGES, stage

BLOCKS = tuple(name for name in STAGES if name != "card")
ROUTED = {ECP5: True, TINY: False}
"""The cards. The tiny one, with two lines a venue and four ways a bank, is too large for the router: it is only placed."""


def measure(*, quick: bool, jobs: int, tell: Callable[[str], None]) -> dict:
    """Places every stage in the size of the ECP5 card, and the cards as a whole; ``quick``: one seed, no cards.

    The longest come first, so that ``jobs`` processes end at about the same time.
    """
    seeds = SEEDS[:1] if quick else SEEDS
    cards = {} if quick else {replace(config, clock_hz=CLOCK_HZ): routed for config, routed in ROUTED.items()}
    work = [("cards", config.name, partial(place_card, route=routed), board(Card(config))) for config, routed in cards.items()]
    work += [("blocks", name, place_harness, harness(stage(name, ECP5))) for name in BLOCKS]

    def one(place: Callable, rtlil: str) -> dict:
        placed = asdict(place(rtlil, seeds=seeds))
        return {key: placed[key] for key in ("luts", "ffs", "brams", "dsps", "fmax_mhz")}

    result: dict = {"device": "LFE5UM5G-85F, speed 8", "target_mhz": {"blocks": TARGET_MHZ, "cards": CLOCK_MHZ}, "seeds": list(seeds),
                    "blocks": {}, "cards": {}}
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(one, place, rtlil): (group, name) for group, name, place, rtlil in work}
        try:
            for done, future in enumerate(as_completed(running), 1):
                group, name = running[future]
                result[group][name] = future.result()
                tell(f"{done} of {len(running)}: {name}, {result[group][name]['fmax_mhz']} MHz")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for config, routed in cards.items():
        result["cards"][config.name]["routed"] = routed
    for group in ("blocks", "cards"):
        result[group] = dict(sorted(result[group].items()))
    return result


def place_card(rtlil: str, *, seeds: tuple[int, ...], route: bool) -> Placement:
    """Median placement of a card on its board; routed, it is what `make bitstream` makes its file of."""
    netlist = synthesise(rtlil)
    return median([place_on_board(netlist, seed=seed, route=route) for seed in seeds])

"""The stages of the trade path as the documents show them, taken from the card's own list."""

import inspect
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """One stage of the trade path.

    Attributes
    ----------
    name : str
    component : str
        Name of its class.
    source : str
        Its file, relative to the repository.
    latency : int
        Cycles from the input word needed to the output word.
    purpose : str
        First sentence of its docstring.
    per_venue : bool
        There is one for each venue.
    """

    name: str
    component: str
    source: str
    latency: int
    purpose: str
    per_venue: bool

    @property
    def folder(self) -> str:
        return self.source.rsplit("/", 1)[0]


def stages() -> list[Stage]:
    """The list of hw/card.py, in the order in which an event passes."""
    from hw.card import STAGES

    last_of_venue = max(number for number, (_, _, folder) in enumerate(STAGES) if folder == "book")
    return [_stage(name, component, per_venue=number <= last_of_venue) for number, (name, component, _) in enumerate(STAGES)]


def verdict_wait() -> int:
    """Cycles by which the verdict on a frame comes later to the commit buffer than the event of its last message."""
    from hw.feed.itch50 import Itch50Decoder
    from hw.feed.moldudp64 import MoldUdp64
    from hw.feed.symbol_filter import SymbolFilter
    from hw.net.udp_receive import UdpReceive

    behind = Itch50Decoder.LATENCY + SymbolFilter.LATENCY
    event = UdpReceive.LATENCY + MoldUdp64.LATENCY + behind
    verdict = UdpReceive.VERDICT_LATENCY + MoldUdp64.VERDICT_LATENCY + behind - 1  # the frame gate: it comes after the last word
    return max(verdict - event, 0)


def _stage(name: str, component: type, *, per_venue: bool) -> Stage:
    from hw.card import stage_cycles

    source = Path(inspect.getsourcefile(component)).resolve().relative_to(ROOT).as_posix()
    purpose = inspect.cleandoc(component.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return Stage(name, component.__name__, source, stage_cycles(component), purpose, per_venue)

"""docs/tour.md: the text lies in tour.template.md, its figures come from the source."""

import re
from pathlib import Path

from sim.docs import example
from sim.docs.stages import Stage, verdict_wait

TEMPLATE = Path(__file__).with_name("tour.template.md")


def tour_page(stages: list[Stage]) -> str:
    """The template with every ``{{key}}`` replaced; an unknown key is a KeyError."""
    values = _values(stages)
    return re.sub(r"\{\{([^}]+)\}\}", lambda match: values[match.group(1)], TEMPLATE.read_text(encoding="utf-8"))


def _values(stages: list[Stage]) -> dict[str, str]:
    frame = example.trigger()
    place = frame.places[0]
    values = {
        "frame": example.dump(frame.data, {
            0: "Ethernet", 1: "IPv4 from byte 14 on", 4: "UDP from byte 34 on", 5: "MoldUDP64 from byte 42 on",
            place.first_word: "the Add begins", place.last_word: "and ends: cycle 0",
        }),
        "frame bytes": str(len(frame.data)),
        "frame words": str(-(-len(frame.data) // 8)),
        "order": example.dump(example.order(), {0: "Ethernet", 1: "IPv4 from byte 14 on", 4: "UDP from byte 34 on",
                                                5: "SoupBinTCP and OUCH from byte 42 on"}),
        "bid": f"{example.BID / 1e4:.2f}", "offer": f"{example.OFFER / 1e4:.2f}", "edge": f"{(example.BID - example.OFFER) / 1e4:.2f}",
        "symbol": example.SYMBOL, "locate": str(example.LOCATE), "shares": str(example.SHARES),
        "wait": _cycles(verdict_wait()),
    }
    cycle = 0
    for stage in stages:
        if stage.component == "LineBuffer":
            cycle += verdict_wait()
            values["committed"] = f"cycle {cycle}"
        cycle += stage.latency
        values[f"{stage.component} takes"] = _cycles(stage.latency)
        values[f"after {stage.component}"] = f"cycle {cycle}"
        values[f"{stage.component}"] = f"[{stage.source}](../{stage.source})"
    values["total"] = _cycles(cycle)
    return values


def _cycles(count: int) -> str:
    return f"{count} cycle{'' if count == 1 else 's'}"

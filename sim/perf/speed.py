"""How fast the engines go: the same recorded or generated day through the RTL and through the golden model.

Beside them, for its first part, a cocotb test that drives the same frames into the same card in every cycle.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from bitstreams.flow import BUILD, ROOT
from hw.config import CARDS
from sim.bench import rate
from sim.flow.market import Market, MarketSettings
from sim.replay.replay import Engine, Options, Progress, Report, replay

SEED = 1
RECORDED = "nasdaq_itch50/20120621_AMZN.itch50.gz"


COCOTB_MESSAGES = 20_000
"""Of a day's first messages: enough for a rate, as it is slow."""


class WrongCountError(RuntimeError):
    """An engine saw another number of messages than it was meant to."""


def measure(*, messages: int, tell: Callable[[str], None]) -> dict:
    """Messages and cycles per second for the generated day and, where the data collection is there, for a recorded one."""
    days: dict[str, tuple[tuple[Path, ...], int | None]] = {"generated": (generated_day(messages), messages)}
    recorded = recorded_day()
    if recorded is not None:
        days["recorded"] = ((recorded,), None)
    return {name: _day(name, files, expected, tell) for name, (files, expected) in days.items()}


def generated_day(messages: int) -> tuple[Path, ...]:
    """BinaryFILEs of a seeded market's two venues with so many messages in all."""
    folder = BUILD / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    venues: list[list[bytes]] = [[], []]
    for message in islice(Market(MarketSettings(seed=SEED)).messages(), messages):
        venues[message.venue].append(len(message.data).to_bytes(2, "big") + message.data)
    files = tuple(folder / f"generated-{messages}.venue{venue}.itch50" for venue in range(2))
    for path, blocks in zip(files, venues, strict=True):
        path.write_bytes(b"".join(blocks))
    return files


def recorded_day() -> Path | None:
    """The recorded day, if ``$TRAPJAW_DATA`` or ../shared/data has it."""
    folders = [Path(os.environ["TRAPJAW_DATA"])] if "TRAPJAW_DATA" in os.environ else []
    return next((path for folder in (*folders, ROOT.parent / "shared" / "data") if (path := folder / RECORDED).exists()), None)


@contextmanager
def _silent(name: str, total: int | None) -> Iterator[Progress]:
    yield lambda count: None


def _day(name: str, files: tuple[Path, ...], expected: int | None, tell: Callable[[str], None]) -> dict:
    result: dict = {"files": [path.name for path in files]}
    counts = set()
    for engine in (Engine.RTL, Engine.GOLDEN):
        report = replay(Options(files, engine=engine), _silent)
        if report.result.problems:
            raise WrongCountError(f"{name} day, {engine} engine: {report.result.problems[0]}")
        counts.add((report.types.total(), report.result.rows))
        result[engine.value] = _engine(report)
        tell(f"{name} day, {engine} engine: {result[engine.value]['messages_per_second']:,.0f} messages/s")
    if len(counts) != 1 or (expected is not None and {total for total, _ in counts} != {expected}):
        raise WrongCountError(f"{name} day: the engines saw {sorted(counts)} messages and rows, expected {expected or 'the same'}")
    result["messages"], result["book_messages"] = counts.pop()
    result["cocotb"] = _cocotb(name, files, min(COCOTB_MESSAGES, result["messages"]), result["rtl"]["card"])
    result["rtl_over_cocotb"] = round(result["rtl"]["messages_per_second"] / result["cocotb"]["messages_per_second"], 1)
    tell(f"{name} day, cocotb: {result['cocotb']['messages_per_second']:,.0f} messages/s")
    return result


def _cocotb(name: str, files: tuple[Path, ...], messages: int, card: str) -> dict:
    found = rate.measure(list(files), messages=messages, card=CARDS[card])
    if not 0.9 * messages <= found["messages"] <= messages:
        raise WrongCountError(f"{name} day, cocotb: the card saw {found['messages']} messages of {messages}")
    return found


def _engine(report: Report) -> dict:
    result = report.result
    found = {"seconds": round(result.seconds, 3), "messages_per_second": round(report.types.total() / result.seconds)}
    if result.cycles:
        found |= {"card": report.card, "cycles": result.cycles, "cycles_per_second": round(result.cycles / result.seconds)}
    return found

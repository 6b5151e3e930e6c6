"""The golden engine: the reference book in plain Python."""

from collections.abc import Callable, Sequence
from time import perf_counter

from sim.golden.book import Book
from sim.replay.bbo import BboFiles
from sim.replay.feeds import Feed
from sim.replay.result import Result
from sim.replay.selection import Selection

ROWS_AT_ONCE = 10_000


def replay_golden(feeds: Sequence[Feed], selection: Selection, output: BboFiles, progress: Callable[[int], None]) -> Result:
    """Every venue through a book of its own."""
    result = Result()
    begin = perf_counter()
    for venue, feed in enumerate(feeds):
        _replay_venue(venue, feed, selection, output, progress, result)
    result.seconds = perf_counter() - begin
    return result


def _replay_venue(venue: int, feed: Feed, selection: Selection, output: BboFiles, progress: Callable[[int], None], result: Result) -> None:
    slots, reading, type_of = selection.slots[venue], feed.wire.reading(), feed.wire.type_of
    book = Book()
    lines: list[str] = []
    shown: dict[int, str] = {}
    slot_of: dict[int, int] = {}  # by the number that the book knows the symbol by
    passed = 0
    for sequence, message in feed.messages():
        passed += 1
        key = reading.key(message)
        if key is None or key not in slots:
            continue
        event = reading.event(message, slots[key])
        book.apply(event)
        top = book.top(event.locate)
        text = f"{top.bid_price},{top.bid_shares},{top.ask_price},{top.ask_shares}"
        if shown.get(event.locate) != text:
            shown[event.locate] = text
            slot_of[event.locate] = slots[key]
            result.events += 1
        lines.append(f"{sequence - 1},{reading.time(message)},{key},{type_of(message)},{text}\n")
        if len(lines) == ROWS_AT_ONCE:
            result.rows += len(lines)
            output.write(venue, lines)
            lines = []
            progress(passed)
            passed = 0
    result.rows += len(lines)
    output.write(venue, lines)
    progress(passed)
    result.problems += [f"venue {venue}: {problem}" for problem in reading.problems]
    for number in sorted(book.doubtful):
        result.problems.append(f"venue {venue}: the book of {selection.names[slot_of[number]]} met an event that contradicts it")

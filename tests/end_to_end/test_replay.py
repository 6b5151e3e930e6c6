"""`trapjaw replay` from files to files: rows against the oracles, and every way to ask for what can't be had."""

import gzip
import random
from pathlib import Path

import pytest

from sim.golden.book import Book
from sim.golden.itch50 import BOOK_TYPES, decode
from sim.readers.errors import BadInput
from sim.replay.errors import ReplayError
from sim.replay.feeds import open_feed
from sim.replay.replay import Engine, choose_card
from sim.replay.selection import select
from sim.replay.survey import survey
from tests.data import market_data
from tests.end_to_end.replays import CLEAN, LOSSY, both_lost, oracle, run, write
from tests.sim.readers.files import GROUP_B, binary_file, directory, message, packet_frame, pcap

HEADER = "msg_index,ts_ns,locate,type,bid_px,bid_sz,ask_px,ask_sz\n"

ORACLES = [
    "nasdaq_itch50/20120621_AMZN", "nasdaq_itch50/20191230_premarket", "nasdaq_itch50/synthetic_mit",
    "cross_venue/20240808_BTC_spot", "cross_venue/20240808_BTC_usdm", "cross_venue/20240808_BTC_coinm",
]


def day(seed: int, count: int, symbols: int = 2) -> list[bytes]:
    """A random day that fits the tiny card: adds, executions, cancels, deletes, replaces, unknown references, other messages."""
    rng = random.Random(seed)
    messages = [message("S"), *(directory(f"SYM{locate}", locate) for locate in range(1, symbols + 1))]
    live: dict[int, tuple[int, int]] = {}
    for number in range(1, count + 1):
        time, locate = 34_200_000_000_000 + 1_000 * number, rng.randint(1, symbols)
        choice = rng.random()
        if len(live) < 10 or (choice < 0.4 and len(live) < 80):
            side, shares = rng.choice(b"BS"), rng.randint(1, 900)
            price = 100_000 + rng.randint(1, 12) * (100 if side == ord("S") else -100)
            messages.append(message(rng.choice("AF"), locate, time=time, reference=number, side=side, shares=shares, price=price))
            live[number] = locate, shares
        elif choice < 0.45:
            messages.append(message(rng.choice("PLQ"), locate, time=time))
        elif choice < 0.5:
            messages.append(message(rng.choice("EXD"), locate, time=time, reference=1_000_000 + number))
        else:
            reference = rng.choice(list(live))
            locate, shares = live[reference]
            kind = rng.choice("ECXDU")
            part = rng.randint(1, shares)
            if kind == "U":
                messages.append(message("U", locate, time=time, reference=reference, new_reference=number, shares=part,
                                        price=100_000 + 100 * rng.randint(-12, 12)))
                live[number] = locate, part
            else:
                messages.append(message(kind, locate, time=time, reference=reference, shares=part))
            if kind in "ECX" and part < shares:
                live[reference] = locate, shares - part
            else:
                del live[reference]
    return messages


def expected_rows(messages: list[bytes], locates: set[int]) -> str:
    """By the simplest of all ways: the whole book sorted after every message."""
    orders: dict[int, list] = {}
    lines = [HEADER]
    for index, body in enumerate(messages):
        kind = chr(body[0])
        if kind not in BOOK_TYPES:
            continue
        event = decode(body)
        if kind in "AF":
            orders[event.reference] = [event.locate, event.side, event.price, event.shares]
        elif event.reference in orders:
            order = orders[event.reference]
            if kind in "ECX":
                order[3] -= event.shares
            if kind in "DU" or not order[3]:
                del orders[event.reference]
            if kind == "U":
                orders[event.new_reference] = [order[0], order[1], event.price, event.shares]
        if event.locate in locates:
            tops = []
            for side, best in ((0, max), (1, min)):
                mine = [order for order in orders.values() if order[:2] == [event.locate, side]]
                price = best((order[2] for order in mine), default=0)
                tops += [price, sum(order[3] for order in mine if order[2] == price)]
            lines.append(f"{index},{event.timestamp},{event.locate},{kind},{','.join(map(str, tops))}\n")
    return "".join(lines)


@pytest.mark.parametrize("name", ORACLES)
def test_golden_engine_equals_the_oracle(name, tmp_path):
    """All symbols, the whole file, byte for byte."""
    wanted = oracle(name)
    report = run(market_data(f"{name}.itch50.gz"), engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == wanted
    assert report.result.rows == wanted.count("\n") - 1


def test_a_capture_gives_the_rows_of_the_file_it_was_made_from(tmp_path):
    """Message numbers go on where the capture begins."""
    wanted = oracle("nasdaq_itch50/20191230_premarket")
    path = market_data("nasdaq_itch50/20191230_premarket_AB_clean.pcap.gz")
    for line in (None, 1, 2):
        report = run(path, engine=Engine.GOLDEN, line=line, bbo_out=tmp_path / "out.csv")
        assert not report.result.problems
        assert (tmp_path / "out.csv").read_text() == wanted


def test_a_lossy_line_is_not_passed_off_as_right(tmp_path):
    for line in (1, 2):
        report = run(market_data(LOSSY), engine=Engine.GOLDEN, line=line, bbo_out=tmp_path / "out.csv")
        assert "messages are missing" in report.result.problems[0]
        assert report.surveys[0].losses.missing > 50
        assert not list(tmp_path.iterdir())


def test_what_both_lines_lost_is_told_once_and_can_be_supplied(tmp_path):
    report = run(market_data(LOSSY), engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    path = market_data(LOSSY)
    assert report.result.problems == [f"venue 0: 1 messages are missing in {path}, the first is {both_lost()}"]
    assert not list(tmp_path.iterdir())
    report = run(path, engine=Engine.GOLDEN, recover=market_data(CLEAN), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (report.surveys[0].losses.gaps, report.surveys[0].losses.missing) == (1, 0)
    assert (tmp_path / "out.csv").read_text() == oracle("nasdaq_itch50/20191230_premarket")


@pytest.mark.parametrize("seed", range(3))
def test_golden_engine_on_a_random_day(seed, tmp_path):
    messages = day(seed, 1_500)
    path = write(tmp_path / "day.itch50", binary_file(messages))
    run(path, engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv.gz")
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == expected_rows(messages, {1, 2})


def test_only_the_chosen_symbols_have_rows(tmp_path):
    messages = day(7, 600, symbols=5)
    path = write(tmp_path / "day.itch50", gzip.compress(binary_file(messages)))
    for wanted, locates in (("SYM2,SYM4", {2, 4}), ("SYM5", {5}), ("#3", {3})):
        report = run(path, engine=Engine.GOLDEN, symbols=wanted, bbo_out=tmp_path / "out.csv")
        assert report.symbols == tuple(wanted.split(","))
        assert (tmp_path / "out.csv").read_text() == expected_rows(messages, locates)


def test_the_most_active_symbols(tmp_path):
    messages = [directory("LESS", 1), directory("MORE", 2), directory("NONE", 3), message("A", 2), *[message("X", 2)] * 2, message("A", 1)]
    path = write(tmp_path / "day.itch50", binary_file(messages))
    assert run(path, engine=Engine.GOLDEN, symbols="top:1").symbols == ("MORE",)
    assert run(path, engine=Engine.GOLDEN, symbols="top:2").symbols == ("MORE", "LESS")
    with pytest.raises(ReplayError, match="--symbols top:3: only 2 symbols have book activity"):
        run(path, engine=Engine.GOLDEN, symbols="top:3")


def test_several_files_are_several_venues(tmp_path):
    days = [day(seed, 400) for seed in (1, 2)]
    files = [write(tmp_path / f"{i}.itch50", binary_file(messages)) for i, messages in enumerate(days)]
    report = run(*files, engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv.gz")
    for venue, messages in enumerate(days):
        assert gzip.decompress((tmp_path / f"out.venue{venue}.csv.gz").read_bytes()).decode() == expected_rows(messages, {1, 2})
    assert report.types.total() == sum(map(len, days))


def test_the_same_replay_gives_the_same_bytes(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file(day(3, 300)))
    for name in ("a.csv.gz", "b.csv.gz"):
        run(path, engine=Engine.GOLDEN, bbo_out=tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def capture(tmp_path: Path, *frames: bytes) -> Path:
    return write(tmp_path / "day.pcap", pcap(frames))


def test_lines_and_sessions_of_a_capture(tmp_path):
    messages = day(4, 60)
    half = len(messages) // 2
    line_a = [packet_frame(1, messages[:half]), packet_frame(half + 1, messages[half:])]
    line_b = [packet_frame(1, messages, group=GROUP_B)]
    path = capture(tmp_path, line_a[0], line_b[0], line_a[1], line_a[1])
    report = run(path, engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    assert report.types.total() == len(messages)
    assert report.duplicates == 2 * len(messages) - half
    assert run(path, engine=Engine.GOLDEN, line=1).duplicates == len(messages) - half
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2})
    with pytest.raises(ReplayError, match="has lines 1 to 2, not 3"):
        run(path, engine=Engine.GOLDEN, line=3)
    other = capture(tmp_path, line_a[0], packet_frame(1, messages, group=GROUP_B, session=b"ANOTHER001"))
    with pytest.raises(ReplayError, match=r"holds 2 sessions; choose a line with --line: 1 233\.54\.12\.111:26477 'TEST000001', 2 233"):
        run(other, engine=Engine.GOLDEN)
    assert run(other, engine=Engine.GOLDEN, line=2).types.total() == len(messages)
    changed = capture(tmp_path, line_a[0], packet_frame(1, messages, session=b"ANOTHER001"))
    with pytest.raises(BadInput, match="expected session 'TEST000001' as before on 233.54.12.111:26477, came 'ANOTHER001'"):
        run(changed, engine=Engine.GOLDEN)


def test_blanked_sequence_numbers_are_counted_anew(tmp_path):
    messages = day(5, 50)
    frames = [packet_frame(0, messages[at:at + 10]) for at in range(0, len(messages), 10)]
    run(capture(tmp_path, *frames), engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2})


def test_an_event_that_contradicts_the_book_is_not_passed_off_as_right(tmp_path):
    messages = [directory("ABC", 1), message("A", shares=100), message("E", shares=101)]
    report = run(write(tmp_path / "day.itch50", binary_file(messages)), engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    assert report.result.problems == ["venue 0: the book of ABC met an event that contradicts it"]
    assert not (tmp_path / "out.csv").exists()


def test_a_bad_file_leaves_nothing_behind(tmp_path):
    whole = binary_file(day(6, 100))
    path = write(tmp_path / "day.itch50", whole[:-3])
    with pytest.raises(BadInput):
        run(path, engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["day.itch50"]


REFUSALS = [
    ({"symbols": "NOPE"}, "unknown symbol 'NOPE': none of the 2 in the directory"),
    ({"symbols": "SYM1,"}, "unknown symbol ''"),
    ({"symbols": "#77"}, "unknown symbol '#77'"),
    ({"symbols": "top:0"}, "--symbols top:N wants a number from 1, not '0'"),
    ({"symbols": "top:x"}, "--symbols top:N wants a number from 1, not 'x'"),
    ({"protocol": "itch41"}, "--protocol must be one of auto, itch50, deep10, pitch, not itch41"),
    ({"line": 1}, "--line is for captures"),
    ({"card": "huge", "engine": Engine.RTL}, "no card 'huge': there are tiny, ecp5, medium, alveo"),
    ({"bbo_out": Path("/nowhere/at/all.csv")}, "can't write /nowhere/at/all.csv: No such file or directory"),
]


@pytest.mark.parametrize(("options", "line"), REFUSALS, ids=[line for _, line in REFUSALS])
def test_what_is_refused(tmp_path, options, line):
    path = write(tmp_path / "day.itch50", binary_file(day(8, 50)))
    with pytest.raises(ReplayError) as caught:
        run(path, **{"engine": Engine.GOLDEN, **options})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_input_is_never_overwritten(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file(day(8, 50)))
    with pytest.raises(ReplayError, match="day.itch50 is one of the files to read"):
        run(path, engine=Engine.GOLDEN, bbo_out=path)
    other = write(tmp_path / "out.venue1.csv", binary_file(day(8, 50)))
    with pytest.raises(ReplayError, match="out.venue1.csv is one of the files to read"):
        run(path, other, engine=Engine.GOLDEN, bbo_out=tmp_path / "out.csv")


def test_recovery_is_for_one_file(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file(day(8, 50)))
    with pytest.raises(ReplayError, match="--recover is for one file, not 2"):
        run(path, path, engine=Engine.GOLDEN, recover=path)


def test_nothing_to_follow(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file([directory("ABC", 1)]))
    with pytest.raises(ReplayError, match="no symbol has book activity"):
        run(path, engine=Engine.GOLDEN)
    run(path, engine=Engine.GOLDEN, symbols="ABC", bbo_out=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == HEADER


def test_more_symbols_than_slots(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file(day(9, 2_000, symbols=70)))
    hint = "choose with --symbols A,B or --symbols top:64"
    with pytest.raises(ReplayError, match=f"70 symbols have book activity; card alveo has 64 slots: {hint}"):
        run(path)
    with pytest.raises(ReplayError, match="70 symbols have book activity; card tiny has 4 slots"):
        run(path, card="tiny")
    with pytest.raises(ReplayError, match="5 symbols were chosen; card ecp5 has 4 slots"):
        run(path, card="ecp5", symbols="top:5")
    with pytest.raises(ReplayError, match="3 files want a feed port each; card alveo has 2"):
        run(path, path, path, symbols="top:2")


def test_the_oracle_helpers_agree_with_the_golden_book():
    """The slow expectation of this file is itself held against the reference."""
    book, lines = Book(), [HEADER]
    messages = day(10, 800)
    for index, body in enumerate(messages):
        if (event := decode(body)) is not None:
            book.apply(event)
            top = book.top(event.locate)
            lines.append(f"{index},{event.timestamp},{event.locate},{chr(body[0])},"
                         f"{top.bid_price},{top.bid_shares},{top.ask_price},{top.ask_shares}\n")
    assert "".join(lines) == expected_rows(messages, {1, 2})


# The RTL engine: the same rows out of the simulated card (real files are in test_replay_days.py).


@pytest.mark.parametrize("seed", range(2))
def test_rtl_engine_on_a_random_day(seed, tmp_path):
    """The smallest card, where rings and buffers wrap all the time."""
    messages = day(100 + seed, 3_000, symbols=4)
    path = write(tmp_path / "day.itch50", binary_file(messages))
    report = run(path, bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2, 3, 4})
    assert (report.card, report.result.rows) == ("tiny", len(expected_rows(messages, {1, 2, 3, 4}).splitlines()) - 1)


def test_rtl_engine_on_a_capture_with_repeated_packets(tmp_path):
    messages = day(11, 300)
    third = len(messages) // 3
    parts = [(1, messages[:third]), (third + 1, messages[third:2 * third]), (third // 2, messages[third // 2 - 1:2 * third]),
             (2 * third + 1, messages[2 * third:]), (len(messages) + 1, [])]
    frames = [packet_frame(sequence + at, chunk[at:at + 30]) for sequence, chunk in parts for at in range(0, max(len(chunk), 1), 30)]
    report = run(capture(tmp_path, *frames), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert report.duplicates > 0
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2})


def test_rtl_engine_reports_a_gap_and_writes_nothing(tmp_path):
    messages = day(12, 200)
    path = capture(tmp_path, packet_frame(1, messages[:20]), packet_frame(25, messages[24:40]))
    report = run(path, bbo_out=tmp_path / "out.csv")
    assert any("4 messages are missing" in problem and "the first is 21" in problem for problem in report.result.problems)
    assert "venue 0: messages 21 to 24 never came" in report.result.problems
    assert any(problem.startswith("venue 0: stale, GAP") for problem in report.result.problems)
    assert not (tmp_path / "out.csv").exists()


def two_lines(tmp_path, messages, lost_a=(), lost_b=(), lost_both=()):
    """A capture of frames of one to three messages on two lines, with some frames lost on each."""
    rng, frames, at = random.Random(len(messages)), [], 0
    while at < len(messages):
        chunk = messages[at:at + rng.randint(1, 3)]
        number = len(frames) // 2
        for group, lost in (({}, lost_a), ({"group": GROUP_B}, lost_b)):
            frames.append(None if number in lost or number in lost_both else packet_frame(at + 1, chunk, **group))
        at += len(chunk)
    return capture(tmp_path, *filter(None, frames))


def test_rtl_engine_takes_from_one_line_what_the_other_lost(tmp_path):
    messages = day(21, 400)
    path = two_lines(tmp_path, messages, lost_a=(5, 17, 18, 40), lost_b=(6, 19, 90))
    report = run(path, bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2})
    assert report.surveys[0].losses.gaps == 0


@pytest.mark.parametrize("card", ["ecp5", "medium"])
def test_a_card_of_one_line_takes_no_capture_of_two(tmp_path, card):
    path = two_lines(tmp_path, day(21, 50))
    with pytest.raises(ReplayError, match=f"want ports of their own; card {card} has one line a venue"):
        run(path, card=card)


def test_rtl_engine_tells_what_both_lines_lost_or_has_it_sent_again(tmp_path):
    messages = day(22, 400)
    path = two_lines(tmp_path, messages, lost_a=(5,), lost_both=(30, 31, 32, 80))
    report = run(path, bbo_out=tmp_path / "out.csv")
    gaps = [problem for problem in report.result.problems if "never came" in problem]
    assert len(gaps) == 2
    assert not (tmp_path / "out.csv").exists()
    whole = write(tmp_path / "whole.itch50", binary_file(messages))
    report = run(path, recover=whole, bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == expected_rows(messages, {1, 2})
    part = write(tmp_path / "part.itch50", binary_file(messages[:100]))
    report = run(path, recover=part, bbo_out=tmp_path / "again.csv")
    assert sum("never came" in problem for problem in report.result.problems) == 1
    assert not (tmp_path / "again.csv").exists()


def test_rtl_engine_reports_a_book_that_overflowed(tmp_path):
    """More live orders than the tiny card has places, forced upon it."""
    messages = [directory("FULL", 1), *(message("A", reference=i, price=10_000 + 100 * (i % 20)) for i in range(1, 400))]
    path = write(tmp_path / "day.itch50", binary_file(messages))
    report = run(path, card="tiny", bbo_out=tmp_path / "out.csv")
    assert any("orders that found no place in the order store" in problem for problem in report.result.problems)
    assert any("the book of FULL went stale" in problem for problem in report.result.problems)
    assert not (tmp_path / "out.csv").exists()
    feeds = [open_feed(path, "auto", None, None)]
    assert choose_card(None, feeds, select([survey(feeds[0])], None), all_symbols=True).name == "ecp5"


def test_rtl_engine_reports_a_contradiction_as_the_golden_one_does(tmp_path):
    messages = [directory("ABC", 1), message("A", shares=100), message("E", shares=101), message("A", reference=2)]
    path = write(tmp_path / "day.itch50", binary_file(messages))
    for engine in Engine:
        report = run(path, engine=engine, bbo_out=tmp_path / "out.csv")
        assert report.result.problems, engine
        assert not (tmp_path / "out.csv").exists()


def test_the_same_rtl_replay_takes_the_same_cycles(tmp_path):
    path = write(tmp_path / "day.itch50", binary_file(day(13, 500)))
    assert len({(report.result.cycles, report.result.events) for report in (run(path), run(path))}) == 1

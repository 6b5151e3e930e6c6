"""`trapjaw replay --strategy arbitrage`: the signals of two files in the order of their times, from either engine, and what is refused."""

import io
import random
from contextlib import nullcontext

import pytest
from rich.console import Console

from sim.cli import bars, signal_table
from sim.replay.errors import ReplayError
from sim.replay.replay import Engine, Options, replay
from sim.replay.strategy import Signal, Strategy
from tests.data import market_data
from tests.sim.readers.files import binary_file, directory, message

START = 34_200_000_000_000


def run(*files, **options):
    return replay(Options(files, **options), lambda name, total: nullcontext(lambda count: None))


def written(folder, name, messages):
    path = folder / name
    path.write_bytes(binary_file(messages))
    return path


@pytest.fixture
def by_hand(tmp_path):
    """A asks 1.00 for 100; B, which calls it by another number, bids 1.01 for 40; it goes, and comes again for 1.02."""
    a = written(tmp_path, "a.itch50", [
        directory("WASP", 7), message("A", 7, time=START + 10, reference=1, side=ord("S"), shares=100, price=10_000)])
    b = written(tmp_path, "b.itch50", [
        directory("ANTS", 1), directory("WASP", 2), message("A", 2, time=START + 20, reference=1, shares=40, price=10_100),
        message("D", 2, time=START + 30, reference=1), message("A", 2, time=START + 40, reference=2, shares=300, price=10_200)])
    return a, b


HEADER = "ts_ns,symbol,buy_venue,sell_venue,buy_price,sell_price,shares,profit\n"
LINES = f"{START + 20},WASP,0,1,10000,10100,40,4000\n", f"{START + 40},WASP,0,1,10000,10200,100,20000\n"


def test_the_file_of_signals(by_hand, tmp_path):
    out = tmp_path / "signals.csv"
    report = run(*by_hand, engine=Engine.GOLDEN, symbols="WASP", strategy="arbitrage", signals_out=out)
    assert out.read_text() == HEADER + "".join(LINES)
    assert len(report.signals) == 2
    run(*by_hand, engine=Engine.GOLDEN, symbols="WASP", strategy="arbitrage", signals_out=out, settings=Strategy(min_profit=101))
    assert out.read_text() == HEADER + LINES[1]


def test_signals_over_time():
    """Of the first pair two early ones, one in the middle and one at the very end; all of the other pair's in the middle."""
    times = {(0, 1): [0, 1, 50, 99], (1, 0): [48, 49, 51]}
    signals = [Signal(START + time * 10**9, "WASP", *pair, 1, 2, 3, 4) for pair, whens in times.items() for time in whens]
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(signal_table(signals))
    text = console.export_text()
    assert text.count("█") >= 2
    assert bars([signal.ts_ns for signal in signals[:4]], START, START + 99 * 10**9, 4) == "█ ▄▄"
    assert bars([signal.ts_ns for signal in signals[4:]], START, START + 99 * 10**9, 4) == " █▄ "
    assert "from 09:30:00.000 to 09:31:39.000" in text


def test_the_card_gives_the_signals_of_the_golden_models(tmp_path):
    """Two random markets that cross each other now and then."""
    rng, files = random.Random(5), []
    for venue in range(2):
        messages, live, time = [directory("WASP", 3), directory("ANTS", 4)], {}, START
        for number in range(1, 1_500):
            time += rng.randrange(1, 5_000)
            if len(live) > 12:
                reference = rng.choice(list(live))
                messages.append(message("D", live.pop(reference), time=time, reference=reference))
                continue
            locate, side = rng.choice((3, 4)), rng.choice("BS")
            live[number] = locate
            drift = 30 * (number // (40 + 10 * venue) % 2)
            price = 10_000 + drift + (-1 if side == "B" else 1) * rng.randrange(1, 30)
            messages.append(message("A", locate, time=time, reference=number, side=ord(side), shares=rng.randrange(1, 500), price=price))
        files.append(written(tmp_path, f"{venue}.itch50", messages))
    reports = [run(*files, engine=engine, card="tiny" if engine is Engine.RTL else None, strategy="arbitrage",
                   settings=Strategy(min_profit=3, max_shares=200)) for engine in Engine]
    rtl, golden = (report.signals for report in reports)
    assert [report.result.problems for report in reports] == [[], []]
    assert rtl == golden
    assert len(golden) > 20


@pytest.mark.slow
def test_three_real_venues_through_one_card():
    files = [market_data(f"cross_venue/20240808_BTC_{venue}.itch50.gz") for venue in ("spot", "usdm", "coinm")]
    rtl, golden = (run(*files, engine=engine, strategy="arbitrage", settings=Strategy(max_shares=1_000)).signals for engine in Engine)
    assert rtl == golden
    assert len(golden) > 500


@pytest.mark.parametrize(("options", "complaint"), [
    ({"strategy": "momentum"}, "no strategy 'momentum': there is arbitrage"),
    ({"signals_out": "x.csv"}, "--signals-out is for a strategy"),
    ({"strategy": "arbitrage", "bbo_out": "x.csv"}, "not with --bbo-out"),
])
def test_what_is_refused(by_hand, tmp_path, options, complaint):
    options = {name: tmp_path / value if value.endswith("csv") else value for name, value in options.items()}
    with pytest.raises(ReplayError, match=complaint):
        run(*by_hand, engine=Engine.GOLDEN, **options)
    assert not (tmp_path / "x.csv").exists()


def test_one_file_is_not_enough_and_no_file_is_overwritten(by_hand):
    with pytest.raises(ReplayError, match="needs two files"):
        run(by_hand[0], engine=Engine.GOLDEN, strategy="arbitrage")
    with pytest.raises(ReplayError, match="one of the files to read"):
        run(*by_hand, engine=Engine.GOLDEN, strategy="arbitrage", signals_out=by_hand[1])

"""`trapjaw replay` of real data with the RTL engine: the rows of the oracles out of the simulated card.

What only the largest card holds is slow, as that card takes minutes to compile; beside it stands as much as the smallest one takes.
"""

from itertools import islice

import pytest

from sim.replay.feeds import open_feed
from sim.replay.replay import choose_card
from sim.replay.selection import select
from sim.replay.survey import survey
from tests.data import market_data
from tests.end_to_end.replays import CLEAN, LOSSY, both_lost, locates_in, oracle, rows_of, run, write
from tests.sim.readers.files import binary_file

FITTING = "UN", "MT", "BUD", "SAP"
"""The most active symbols of the premarket file that the smallest card has room for."""


@pytest.mark.parametrize(("name", "count"), [("20120621_AMZN", 5_500), ("synthetic_mit", 770)])
def test_rtl_engine_equals_the_oracle_for_the_beginning_of_a_day(name, count, tmp_path):
    """As long as the smallest card has room for it."""
    messages = [message for _, message in islice(open_feed(market_data(f"nasdaq_itch50/{name}.itch50.gz")).messages(), count)]
    report = run(write(tmp_path / "begin.itch50", binary_file(messages)), card="tiny", bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    header, *rows = oracle(f"nasdaq_itch50/{name}").splitlines()
    begin = [row for row in rows if int(row.split(",")[0]) < count]
    assert len(begin) > count // 4
    assert (tmp_path / "out.csv").read_text().splitlines() == [header, *begin]


@pytest.mark.slow
def test_rtl_engine_equals_the_oracle_for_a_whole_day(tmp_path):
    """187,083 messages, on a card that other tests have built as well."""
    wanted = oracle("nasdaq_itch50/20120621_AMZN")
    report = run(market_data("nasdaq_itch50/20120621_AMZN.itch50.gz"), card="alveo", bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == wanted


def test_the_smallest_card_that_takes_a_day_is_chosen():
    feeds = [open_feed(market_data("nasdaq_itch50/20120621_AMZN.itch50.gz"), "auto", None, None)]
    assert choose_card(None, feeds, select([survey(feeds[0])], None), all_symbols=True).name == "medium"


@pytest.mark.parametrize(("symbols", "count", "card"), [
    (",".join(FITTING), 4, "tiny"), pytest.param("top:16", 16, "alveo", marks=pytest.mark.slow)])
def test_rtl_engine_equals_the_oracle_for_active_symbols(symbols, count, card, tmp_path):
    """Of a real opening, all 251,837 messages on the wire."""
    wanted = oracle("nasdaq_itch50/20191230_premarket")
    report = run(market_data("nasdaq_itch50/20191230_premarket.itch50.gz"), symbols=symbols, bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    text = (tmp_path / "out.csv").read_text()
    locates = locates_in(text)
    assert report.card == card
    assert len(locates) == len(report.symbols) == count
    assert text.splitlines()[1:] == rows_of(wanted, locates)


@pytest.mark.slow
def test_rtl_engine_equals_the_oracle_for_the_synthetic_file(tmp_path):
    """With 117 references that were never added."""
    report = run(market_data("nasdaq_itch50/synthetic_mit.itch50.gz"), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    assert (tmp_path / "out.csv").read_text() == oracle("nasdaq_itch50/synthetic_mit")


def test_rtl_engine_equals_the_oracle_for_two_venues_at_once(tmp_path):
    names = ["cross_venue/20240808_BTC_spot", "cross_venue/20240808_BTC_coinm"]
    report = run(*(market_data(f"{name}.itch50.gz") for name in names), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    for venue, name in enumerate(names):
        assert (tmp_path / f"out.venue{venue}.csv").read_text() == oracle(name)


@pytest.mark.parametrize(("symbols", "count", "card", "told"), [
    ("top:4", 4, "tiny", 3), pytest.param("top:16", 16, "alveo", 1, marks=pytest.mark.slow)])
def test_rtl_engine_on_two_lines_of_a_real_morning(symbols, count, card, told, tmp_path):
    """Lossy, with packets overtaken and sent twice: every message once and in order; the one gap is the one that there is, and where the
    smallest card's buffers are too short to wait for the other line; once they are filled the top of book equals the oracle."""
    wanted = oracle("nasdaq_itch50/20191230_premarket")
    options = {"card": card, "symbols": symbols}
    report = run(market_data(LOSSY), **options, bbo_out=tmp_path / "out.csv")
    gaps = [problem for problem in report.result.problems if "never came" in problem]
    assert f"venue 0: messages {both_lost()} to {both_lost()} never came" in gaps
    assert len(gaps) == told
    report = run(market_data(LOSSY), **options, recover=market_data(CLEAN), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    text = (tmp_path / "out.csv").read_text()
    locates = locates_in(text)
    assert len(locates) == count
    assert text.splitlines()[1:] == rows_of(wanted, locates)

"""`trapjaw run` as a person uses it."""

import gzip
import re

import pytest
import typer
from typer.testing import CliRunner

from sim.run_command import run
from tests.data import market_data

app = typer.Typer()
app.command()(run)


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "140"})


def test_a_generated_market_is_traded_and_reported(tmp_path):
    report = tmp_path / "report.html"
    result = invoke("--card", "tiny", "--messages", 4_000, "--report", report)
    assert result.exit_code == 0, result.output
    assert "reconciliation OK" in result.output
    assert re.search(r"end of trigger → first word .* \d+ \(\d+\.\d\)", result.output)
    assert "100 %: 4,000 messages" in result.output
    html = report.read_text()
    assert "RECONCILED" in html
    assert "NOT RECONCILED" not in html
    assert html.count("<svg") > 10


def test_the_same_seed_gives_the_same_report_but_for_its_speed(tmp_path):
    pages = []
    for name in ("a.html", "b.html"):
        assert invoke("--card", "tiny", "--seconds", 0.005, "--seed", 7, "--report", tmp_path / name).exit_code == 0
        pages.append(re.sub(r"<b>[\d,]+/s</b><i>[\d.]+ M cycles/s", "", (tmp_path / name).read_text()))
    assert pages[0] == pages[1]


def test_real_data_with_a_shadow_says_so(tmp_path):
    report = tmp_path / "report.html"
    file = market_data("nasdaq_itch50/20120621_AMZN.itch50.gz")
    result = invoke(file, "--symbols", "AMZN", "--messages", 8_000, "--card", "tiny", "--report", report)
    assert result.exit_code == 0, result.output
    assert "synthetic shadow of" in result.output
    assert "is NOT real" in report.read_text()
    assert re.search(r"sent, traded in full +│ +\d+", result.output)


def test_two_real_venues_in_one_argument(tmp_path):
    files = [market_data(f"cross_venue/20240808_BTC_{venue}.itch50.gz") for venue in ("spot", "usdm")]
    result = invoke(f"{files[0]} {files[1]}", "--messages", 20_000, "--min-profit", 2, "--card", "tiny",
                    "--report", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    assert "synthetic" not in result.output
    assert "NOT real" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(("arguments", "words"), [
    (["nowhere.itch50"], "nowhere.itch50: expected a file, came no such file"),
    (["--symbols", "AMZN"], "--symbols chooses from a file"),
    (["--card", "huge"], "no card 'huge': there are tiny, ecp5, medium, alveo"),
])
def test_bad_input_is_one_line_and_leaves_no_report(tmp_path, arguments, words):
    report = tmp_path / "report.html"
    result = invoke(*arguments, "--report", report)
    assert result.exit_code == 2
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not report.exists()


def test_a_file_cut_short_is_refused(tmp_path):
    whole = gzip.decompress(market_data("nasdaq_itch50/synthetic_mit.itch50.gz").read_bytes())
    (tmp_path / "cut.itch50").write_bytes(whole[: len(whole) // 2 + 1])
    result = invoke(tmp_path / "cut.itch50", "--report", tmp_path / "report.html")
    assert result.exit_code == 2
    assert re.search(r"cut\.itch50, offset \d+: expected .*, came the end of the file", result.output)
    assert not (tmp_path / "report.html").exists()


def test_an_unknown_symbol_is_refused(tmp_path):
    result = invoke(market_data("nasdaq_itch50/synthetic_mit.itch50.gz"), "--symbols", "NOBODY", "--report", tmp_path / "report.html")
    assert result.exit_code == 2
    assert "NOBODY" in result.output

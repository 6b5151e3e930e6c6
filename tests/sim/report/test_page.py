"""The HTML report: complete, self-contained, well formed."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sim.report import page
from sim.report.record import Check
from tests.sim.report.example import example

VOID = {"meta", "input", "br"}


class Outline(HTMLParser):
    """Fails on tags that do not nest; collects what a test asks for."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.words, self.titles = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href") or (name == "style" and "url" in value)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in ("p", "li"):  # may be left open
            self.open.pop()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.titles if self.open and self.open[-1] == "title" else self.words).append(data)


def outline(text):
    parsed = Outline()
    parsed.feed(text)
    assert parsed.open == []
    return parsed


def test_tags_nest_and_nothing_is_fetched():
    text = page.html(example())
    parsed = outline(text)
    assert parsed.links == []
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "<script" not in text
    assert "@import" not in text


def test_the_figures_are_there():
    words = " ".join(" ".join(outline(page.html(example())).words).split())
    for expected in ("RECONCILED", "3 2 traded, in full or in part", "20 · 128.0 ns", "38 · 243.2 ns", "MAX_SHARES", "position of ANTS",
                     "+140", "0796a74849de6278", "generated & seeded", "One & only."):
        assert expected in words, expected


def test_a_difference_is_shown_as_one():
    record = example()
    record.checks.append(Check("position of BEES", 0, 5))
    text = page.html(record)
    assert "NOT RECONCILED" in text
    assert "DIFFERENT" in text


def test_a_session_without_checks_is_not_reconciled():
    assert not replace(example(), checks=[]).reconciled


@pytest.mark.parametrize("emptied", [
    {"sent": [], "rejected": [], "positions": []}, {"quotes": [], "sent": [], "rejected": [], "positions": []}, {"notes": []},
    {"seconds": 0.0}, {"message_times": [[], []]},
])
def test_a_session_in_which_little_happened_still_has_a_report(emptied):
    outline(page.html(replace(example(), **emptied)))


def test_light_and_dark_define_the_same_colours():
    style = page.html(example())
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    names = [set(re.findall(r"(--[a-z0-9]+):", part.split("* {")[0])) for part in (light, dark)]
    assert names[0] == names[1]
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", style))
    assert used <= names[0]


def test_written_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "report.html"
    page.write(example(), path)
    assert path.read_text() == page.html(example())
    assert list(path.parent.iterdir()) == [path]
    broken = example()
    broken.sent[0] = None
    with pytest.raises(AttributeError):
        page.write(broken, path)
    assert path.read_text() == page.html(example())


def test_every_order_and_refusal_is_drawn_with_its_story():
    text = page.html(example())
    assert text.count("cycles = 128.0 ns after the trigger") >= 1
    assert "refused (RATE): sell 100 at 10.03, north" in text


def test_reasons_that_did_not_occur_are_named_beside_the_bars_of_those_that_did():
    words = outline(page.html(example())).words
    counts = example().rejects_by_reason()
    never = [text for text in words if text.startswith("None: ")]
    assert never == ["None: " + ", ".join(reason for reason, count in counts.items() if not count), "None: OVERFLOW"]
    assert all(reason in words for reason, count in counts.items() if count)

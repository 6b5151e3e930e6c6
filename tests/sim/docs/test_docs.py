"""The generated documents: fresh, complete, and true to what was measured."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from hw.book.book import Book
from sim.docs.block_diagram import block_diagram
from sim.docs.example import order, trigger
from sim.docs.latency import latency_page
from sim.docs.measure import FILE
from sim.docs.stages import ROOT, stages, verdict_wait
from sim.docs.tour import tour_page

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def listed():
    return stages()


def texts(drawing):
    return [element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def test_committed_documents_are_fresh():
    result = subprocess.run([sys.executable, "-m", "sim.docs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_budget_adds_up_to_what_was_measured(listed):
    measured = json.loads(FILE.read_text())
    assert sum(stage.latency for stage in listed) + verdict_wait() == measured["end_of_trigger_to_first_byte_out"]["A"]["min"], (
        "the RTL's latencies have changed: run `python -m sim.docs.measure`, then `make docs`")


def test_the_diagram_shows_every_stage_and_its_cycles(listed):
    drawing = block_diagram(listed, verdict_wait())
    words = " ".join(texts(drawing))
    for stage in listed:
        assert all(word in words for word in stage.name.split())
        assert stage.source.rsplit("/", 1)[1] in words
    assert texts(drawing).count("1 cycle") == sum(stage.latency == 1 for stage in listed)
    assert f"{sum(stage.latency for stage in listed) + verdict_wait()} cycles" in texts(drawing)


def test_the_diagram_follows_the_stages(listed):
    slower = [replace(stage, latency=stage.latency + 7) if stage.component == "Book" else stage for stage in listed]
    assert block_diagram(slower, 0) != block_diagram(listed, 0)
    assert f"{Book.LATENCY + 7} cycles" in texts(block_diagram(slower, 0))


def test_boxes_lie_within_the_drawing_and_apart(listed):
    root = ElementTree.fromstring(block_diagram(listed, verdict_wait()))
    width = float(root.get("viewBox").split()[2])
    boxes = sorted((float(box.get("x")), float(box.get("width"))) for box in root.iter(f"{SVG}rect") if box.find(f"{SVG}title") is not None
                   and box.get("class").startswith("box"))
    assert len(boxes) == len(listed)
    assert all(left + size < right for (left, size), (right, _) in zip(boxes, boxes[1:], strict=False))
    assert boxes[-1][0] + boxes[-1][1] < width


def test_light_and_dark_define_the_same_colours(listed):
    style = next(ElementTree.fromstring(block_diagram(listed, 1)).iter(f"{SVG}style")).text
    light, dark = style.split("@media")
    names = [set(re.findall(r"(--[a-z]+):", part)) for part in (light, dark)]
    assert names[0] == names[1]
    assert set(re.findall(r"var\((--[a-z]+)\)", style)) <= names[0]


def test_the_page_has_all_stages_in_order(listed):
    page = latency_page(listed, verdict_wait())
    places = [page.index(f"| {stage.name} |") for stage in listed]
    assert places == sorted(places)


def test_the_books_cycles_are_those_of_its_docstring():
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|$", (ROOT / "docs/book.md").read_text(), re.MULTILINE)
    assert rows == re.findall(r"^ +(\S.*?)  +(\d+) +(\d+)$", Book.__doc__, re.MULTILINE)
    assert int(rows[0][1]) == Book.LATENCY


def test_links_of_all_documents_lead_somewhere():
    for page in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_tour_fills_every_place_and_names_every_stage(listed):
    tour = tour_page(listed)
    assert "{{" not in tour
    for stage in listed:
        assert stage.source in tour
        assert stage.component != "Book" or f"Order book: {stage.latency} cycles" in tour


def test_the_tours_frames_are_what_the_golden_models_say():
    from sim.golden.itch50 import decode
    from sim.golden.ouch50 import decode as decode_order
    from sim.golden.ouch50 import packets

    frame = trigger()
    event = decode(frame.data[64:])
    assert (event.price, event.shares, event.locate) == (312_3600, 100, 4)
    assert frame.places[0][2:4] == (8, 12)
    (packet,) = packets([order()[42:]])
    assert decode_order(packet.payload, inbound=True).fields["price"] == 312_1400

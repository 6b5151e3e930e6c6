"""The feed protocols of a card: every table knows the same ones, all take as long, and the configuration names them."""

from dataclasses import replace

import pytest

from hw.config import FEED_PROTOCOLS, TINY
from hw.feed.protocols import PROTOCOLS
from sim.golden.feeds import FEEDS
from sim.readers.protocols import WIRES


def test_every_table_knows_the_same_protocols():
    assert set(FEED_PROTOCOLS) == set(PROTOCOLS) == set(FEEDS) == set(WIRES)


def test_all_protocols_take_as_long():
    """What the card's latency and its frame gates say of one holds for all."""
    latencies = {(each.framer().LATENCY, each.framer().VERDICT_LATENCY, each.decoder().LATENCY, each.select(4).LATENCY)
                 for each in PROTOCOLS.values()}
    assert latencies == {(2, 2, 2, 1)}


def test_a_card_names_the_protocol_of_each_venue():
    card = replace(TINY, protocols=("pitch",))
    assert [card.protocol(venue) for venue in range(card.venues)] == ["pitch", "itch50"]
    assert [TINY.protocol(venue) for venue in range(2)] == ["itch50", "itch50"]
    for wrong in (("itch41",), ("itch50",) * 3):
        with pytest.raises(ValueError, match="protocols must be of itch50, pitch, deep10, one a venue"):
            replace(TINY, protocols=wrong)


def test_protocols_are_part_of_the_hash():
    hashes = {replace(TINY, protocols=protocols).hash for protocols in ((), ("pitch",), ("deep10",), ("itch50", "pitch"))}
    assert len(hashes) == 4

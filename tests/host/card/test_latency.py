"""What the host makes of the card's latency histogram."""

import pytest

from host.card.control import Control
from host.card.latency import Bin, Latencies, clear_latencies, latencies
from host.card.protocol import CardError
from host.card.registers import REGISTERS
from tests.host.card.model_card import ModelCard

BIN, COUNT = (REGISTERS[name].address() for name in ("LATENCY_BIN", "LATENCY_BIN_COUNT"))


class Counting(ModelCard):
    """Shows the orders of the bin that was asked for, after a look in which it is busy."""

    bins = {25: 3, 30: 1, 32 + 5: 2}

    def read32(self, offset):
        if offset == COUNT:
            return self.bins.get(self.words.get(BIN, 0) & 511, 0)
        value = super().read32(offset)
        if offset == BIN:
            self.words[BIN] = value & 511
        return value

    def write32(self, offset, value):
        super().write32(offset, value | (1 << 31 if offset == BIN else 0))


def test_bins_that_are_not_empty():
    card = Counting("tiny")
    for name, value in (("COUNT", 6), ("SUM", 189), ("LEAST", 25), ("MOST", 43)):
        card.put(f"LATENCY_{name}", value)
    seen = latencies(Control(card))
    assert seen == Latencies((Bin(25, 25, 3), Bin(30, 30, 1), Bin(42, 43, 2)), 6, 189, 25, 43)
    assert [seen.percentile(share) for share in (0, 0.5, 0.51, 0.99, 1)] == [25, 25, 30, 43, 43]


def test_an_empty_one():
    seen = latencies(Control(ModelCard("tiny")))
    assert seen == Latencies((), 0, 0, None, None)
    assert seen.percentile(0.5) is None
    with pytest.raises(ValueError, match="a share is 0 to 1, not 50"):
        seen.percentile(50)


def test_a_card_that_never_comes_to_an_end_is_told(monkeypatch):
    monkeypatch.setattr("host.card.latency.POLLS", 10)
    card = ModelCard("tiny", stuck={"LATENCY_CLEAR"})
    card.put("LATENCY_BIN", 1 << 30)
    with pytest.raises(CardError, match="latency histogram stays clearing"):
        clear_latencies(Control(card))

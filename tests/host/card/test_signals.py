"""Setting up the signals: what is written, in which order, and what is refused before anything is."""

import pytest

from host.card.control import Control
from host.card.protocol import CardError
from host.card.registers import REGISTERS
from host.card.signals import Periods, set_signals, signals
from sim.golden.signals import smoothing
from tests.host.card.model_card import ModelCard


def control(*, makes_signals=1):
    card = ModelCard("tiny")
    card.put("CONFIG_SIGNALS", makes_signals)
    return card, Control(card)


def test_settings_are_those_of_the_golden_models_and_the_source_comes_last():
    card, host = control()
    set_signals(host, Periods(ema=20, rsi=14, macd_fast=12, macd_slow=26, macd_signal=9, volatility=60, order_flow=50), venue=1,
                source="trades")
    for name, period in {"EMA": 20, "RSI": 14, "MACD_FAST": 12, "MACD_SLOW": 26, "MACD_SIGNAL": 9, "VOLATILITY": 60}.items():
        setting = REGISTERS[f"SIGNAL_{name}"].unpack(card.get(f"SIGNAL_{name}"))
        assert setting == smoothing(period, wilder=name == "RSI")._asdict()
    assert card.get("SIGNAL_FLOW_FACTOR") == smoothing(50).factor
    address = REGISTERS["SIGNAL_SOURCE"].address()
    assert card.writes[0] == (address, 1 << 8)
    assert card.writes[-1] == (address, 1 << 8 | 2)


@pytest.mark.parametrize(("change", "arguments", "complaint"), [
    ({"ema": 1}, {}, "period of ema must be 2 to 1023, not 1"),
    ({"order_flow": 1024}, {}, "period of order_flow must be 2 to 1023, not 1024"),
    ({"macd_fast": 26}, {}, "fast period of MACD must be below the slow one: 26, 26"),
    ({}, {"venue": 2}, "venues 0 to 1, not 2"),
    ({}, {"source": "guesses"}, "off, tops, trades, not 'guesses'"),
])
def test_what_makes_no_sense_is_refused(change, arguments, complaint):
    card, host = control()
    with pytest.raises(ValueError, match=complaint):
        set_signals(host, Periods()._replace(**change), **{"venue": 0, **arguments})
    assert card.writes == []


def test_a_card_without_signals_is_told_from_one_that_has_them():
    card, host = control(makes_signals=0)
    with pytest.raises(CardError, match="the card tiny makes no signals"):
        set_signals(host, Periods(), venue=0)
    assert card.writes == []


def test_values_in_the_units_of_people():
    card, host = control()
    card.put("SIGNAL_VALID", 0b1011111)
    card.put("EMA_VALUE", 1_000_000 << 18)
    card.put("RSI_VALUE", 50 << 10)
    card.put("MACD_VALUE", -(5_000 << 18) % 2**64)
    card.put("VARIANCE", 1 << 40)
    card.put("FLOW_SUM", -64 % 2**64)
    card.put("VOLUME_SOLD", 12)
    seen = signals(host, 3)
    assert (seen.ema, seen.rsi, seen.macd, seen.volatility, seen.flow_sum) == pytest.approx((100.0, 50.0, -0.5, 2**-10, -0.5))
    assert (seen.weighted_mid, seen.bought, seen.sold) == (None, 0, 12)
    with pytest.raises(ValueError, match="slots 0 to 3, not 4"):
        signals(host, 4)

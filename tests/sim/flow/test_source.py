"""Where a session's messages come from."""

from itertools import islice

import pytest

from sim.flow import itch
from sim.flow.market import Instrument, MarketSettings
from sim.flow.source import from_files, generated, limited
from sim.replay.errors import ReplayError
from sim.session.choice import choose_card
from tests.data import market_data

START = 34_200_000_000_000


def write(path, names, *, orders=40, offset=0):
    """A BinaryFILE with a directory and some orders of each symbol."""
    messages = [itch.stock_directory(START, number, name) for number, name in enumerate(names, 1)]
    for number in range(orders):
        for locate, name in enumerate(names, 1):
            time = START + 1_000 * number + offset
            messages.append(itch.add(time, locate, name, 100 * number + locate, "BS"[number % 2], 100, 10_0000 + (number % 2) * 200))
    path.write_bytes(b"".join(len(message).to_bytes(2, "big") + message for message in messages))
    return path


def test_a_generated_market_is_cut_by_count_or_by_time():
    source = generated(MarketSettings(1))
    assert len(list(limited(source, count=500).messages())) == limited(source, count=500).total == 500
    part = limited(source, nanoseconds=2_000_000)
    times = [message.time for message in part.messages()]
    assert part.total == len(times) > 100
    assert times[-1] - times[0] <= 2_000_000


def test_messages_start_anew_at_each_call():
    source = limited(generated(MarketSettings(1)), count=300)
    assert list(source.messages()) == list(source.messages())


def test_one_file_gets_a_shadow_that_is_called_one(tmp_path):
    source = from_files([write(tmp_path / "day.itch50", ["ONE", "TWO"])], "TWO", seed=1)
    assert source.symbols == ["TWO"]
    assert [venue.synthetic for venue in source.venues] == [False, True]
    assert "shadow of day.itch50" in source.venues[1].origin
    assert any("NOT real" in note for note in source.notes)
    assert source.venues[0].locates == {"TWO": 2}
    messages = list(source.messages())
    assert {message.venue for message in messages} == {0, 1}
    assert [message.time for message in messages] == sorted(message.time for message in messages)


def test_two_files_are_merged_in_time_order(tmp_path):
    files = [write(tmp_path / "a.itch50", ["ONE"]), write(tmp_path / "b.itch50", ["ZERO", "ONE"], offset=500)]
    source = from_files(files, "ONE", seed=1)
    assert [venue.locates for venue in source.venues] == [{"ONE": 1}, {"ONE": 2}]
    messages = list(source.messages())
    assert len(messages) == source.total
    assert [message.time for message in messages] == sorted(message.time for message in messages)
    assert not any(venue.synthetic for venue in source.venues)


def test_a_symbol_that_one_venue_does_not_have_is_refused(tmp_path):
    files = [write(tmp_path / "a.itch50", ["ONE"]), write(tmp_path / "b.itch50", ["TWO"])]
    with pytest.raises(ReplayError, match=r"b\.itch50: no symbol ONE"):
        from_files(files, "ONE", seed=1)


def test_the_smallest_card_that_is_built_for_a_board_comes_first(tmp_path):
    config, top_price = choose_card(limited(generated(MarketSettings(1)), count=3_000), None)
    assert config.name == "ecp5"
    assert 312_0000 < top_price < 320_0000


def test_more_symbols_than_a_card_has_ask_for_a_larger_one_and_then_for_fewer(tmp_path):
    many = [f"S{number}" for number in range(70)]
    file = write(tmp_path / "many.itch50", many, orders=4)
    assert choose_card(from_files([file], "top:8", 1), None)[0].name == "alveo"
    with pytest.raises(ReplayError, match="70 symbols have book activity; card alveo has 64 slots"):
        choose_card(from_files([file], None, 1), None)


def test_more_orders_than_the_named_card_holds_are_refused():
    crowded = generated(MarketSettings(1, instruments=(Instrument("BUSY", 50_0000),), orders=400, levels=60, quiet_gap=1_000))
    with pytest.raises(ReplayError, match="do not fit card tiny"):
        choose_card(limited(crowded, count=30_000), "tiny")


def test_an_unknown_card_is_refused():
    with pytest.raises(ReplayError, match="no card 'large'"):
        choose_card(limited(generated(MarketSettings(1)), count=10), "large")


def test_a_real_day_with_its_shadow_fits_the_ecp5_card():
    source = from_files([market_data("nasdaq_itch50/20191230_premarket.itch50.gz")], "top:4", seed=1)
    config, _ = choose_card(source, None)
    assert config.name == "ecp5"
    assert len(list(islice(source.messages(), 1_000))) == 1_000
